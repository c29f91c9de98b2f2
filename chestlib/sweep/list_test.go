package sweep

import (
	"context"
	"slices"
	"testing"
	"time"
)

// TestUsed runs two plans that share a run: each names all of its own, also the one
// that was there already, and neither names the other's.
func TestUsed(t *testing.T) {
	dir := t.TempDir()
	run := func(name string, seeds int) []string {
		begun := time.Now()
		time.Sleep(20 * time.Millisecond) // more than a file's clock is late
		if _, err := Grid(name, quickConfig(t), seeds).Run(context.Background(), dir, quickData()); err != nil {
			t.Fatal(err)
		}
		ids, err := Used(dir, begun)
		if err != nil {
			t.Fatal(err)
		}
		return ids
	}
	one, two := run("one", 1), run("two", 2)
	if len(one) != 1 || len(two) != 2 || !slices.Contains(two, one[0]) {
		t.Errorf("%v, %v", one, two)
	}
	if again := run("one", 1); !slices.Equal(again, one) {
		t.Errorf("again %v, want %v", again, one)
	}
	if none, err := Used(dir, time.Now().Add(time.Hour)); err != nil || len(none) != 0 {
		t.Errorf("%v, %v", none, err)
	}
}

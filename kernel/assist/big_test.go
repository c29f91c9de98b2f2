package assist

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// TestBig asks in texts that are long for a cell, broken and whole.
func TestBig(t *testing.T) {
	for _, part := range []string{
		"(", "{", "[", "x.", "if x {\n", "if x {\n}\n", "for {\n}}\n", "func f() {\n", "x := 1 +\n", "x := := 1\n", "[]int{", "%x\n", "`", "\"\n", "f(func() {\n", "import \"fmt\"\n", "case 1:\n", "*", "type T struct {\n", "y := []T{{1, 2}}\n", "if x := 1; x {\n} z\n",
	} {
		code := strings.Repeat(part, 1000)
		start := time.Now()
		Complete(testEnv(), code+"model.", len(code)+6)
		Inspect(testEnv(), code+"model.", len(code)+5, 1)
		if d := time.Since(start); d > 4*time.Second {
			t.Errorf("%q a thousand times: %v", part, d)
		}
	}
}

// TestParallel asks from several goroutines: a notebook is read, never written.
func TestParallel(t *testing.T) {
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, tt := range completions {
				code, cursor := cursorIn(tt.code)
				Complete(testEnv(), code, cursor)
				Inspect(testEnv(), code, cursor, 1)
			}
		})
	}
	wg.Wait()
}

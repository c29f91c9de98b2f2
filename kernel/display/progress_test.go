package display

import (
	"context"
	"strings"
	"testing"
	"time"
)

func (r *recorder) last() Data {
	r.mu.Lock()
	defer r.mu.Unlock()
	return Data{Data: MIMEMap(r.all[len(r.all)-1].b)}
}

func (r *recorder) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.all)
}

// TestNewestStateIsShown: a step that came too soon for a message is shown
// after the pause, though nothing follows.
func TestNewestStateIsShown(t *testing.T) {
	r := record(t)
	p := NewProgress(10, "w")
	for i := range 7 {
		p.Set(i+1, "")
	}
	time.Sleep(notebookPause + 100*time.Millisecond)
	if !strings.Contains(r.last().Text(), "7/10") || r.len() != 2 {
		t.Error(r.len(), r.last().Text())
	}
}

func TestProgressSaysInterrupted(t *testing.T) {
	r := record(t)
	ctx, cancel := context.WithCancel(context.Background())
	SetContext(ctx)
	defer SetContext(context.Background())
	p := NewProgress(10, "w")
	p.Set(3, "loss 1")
	cancel()
	time.Sleep(20 * time.Millisecond)
	if s := r.last().Text(); !strings.Contains(s, "3/10") || !strings.HasSuffix(s, "loss 1 · interrupted") {
		t.Error(s)
	}
	p.Finish("stopped after 3")
	if s := r.last().Text(); !strings.HasSuffix(s, "stopped after 3") {
		t.Error("the work's own words are lost:", s)
	}
}

// TestProgressOutlivesItsCell: the end of a cell is no interrupt.
func TestProgressOutlivesItsCell(t *testing.T) {
	r := record(t)
	ctx, cancel := context.WithCancel(context.Background())
	SetContext(ctx)
	p := NewProgress(10, "w")
	SetContext(context.Background())
	cancel()
	time.Sleep(20 * time.Millisecond)
	if r.len() != 1 {
		t.Error(r.last().Text())
	}
	p.Finish("")
}

func TestTrack(t *testing.T) {
	r := record(t)
	sum := 0
	for tr := Track(4, "adding"); tr.Next(); {
		sum += tr.I
		tr.Say("sum")
	}
	if s := r.last().Text(); sum != 6 || !strings.Contains(s, "4/4") || !strings.HasSuffix(s, "sum") {
		t.Error(sum, s)
	}
	tr := Track(4, "adding")
	tr.Next()
	tr.Next()
	tr.Stop()
	if s := r.last().Text(); !strings.Contains(s, "1/4") || !strings.HasSuffix(s, "stopped") || tr.Next() {
		t.Error(s)
	}
	if none := Track(0, "nothing"); none.Next() {
		t.Error("a round of none")
	}
}

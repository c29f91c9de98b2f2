package viz

import (
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chestlab/chest/kernel/display"
)

// recorder is a notebook that keeps what it is shown.
type recorder struct {
	mu  sync.Mutex
	all []shown
}

type shown struct {
	b      display.Bundle
	id     string
	update bool
}

func (r *recorder) Display(d display.Data, id string, update bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, shown{d.Data, id, update})
	return nil
}

func (r *recorder) Clear(bool) error { return nil }

// outputs is a copy of what was shown.
func (r *recorder) outputs() []shown {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]shown(nil), r.all...)
}

// notebook makes a recorder the sink for one test.
func notebook(t *testing.T) *recorder {
	r := &recorder{}
	before := display.SetSink(r)
	t.Cleanup(func() { display.SetSink(before) })
	return r
}

func TestLive(t *testing.T) {
	r := notebook(t)
	l := NewLive(LiveOptions{Names: []string{"loss", "R@1"}, Right: []bool{false, true}, Curve: CurveOptions{Title: "CHEST"}})
	if len(r.outputs()) != 0 {
		t.Error("shown before there is a point")
	}
	l.Add(1, 2, 0.5)
	if n := len(r.outputs()); n != 1 {
		t.Fatalf("%d outputs after the first point", n)
	}
	start := time.Now()
	var wait sync.WaitGroup
	for g := range 8 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for i := range 200 {
				l.Add(float64(2+g*200+i), 1, 0.75)
			}
		}()
	}
	wait.Wait()
	time.Sleep(livePause + livePause/5)
	l.Add(5000, 0.125, 0.875)
	l.Done()
	l.Done()
	l.Add(6000, 9, 9)
	all := r.outputs()
	if most := int(time.Since(start)/livePause) + 3; len(all) < 3 || len(all) > most {
		t.Errorf("%d outputs, want at least one update between first and last, and at most %d", len(all), most)
	}
	for i, s := range all {
		h, last := s.b[display.MIMEHTML].(string), i == len(all)-1
		if s.id == "" || s.id != all[0].id || s.update != (i > 0) {
			t.Errorf("output %d: id %q, update %v", i, s.id, s.update)
		}
		if !strings.Contains(h, "<img") || !strings.Contains(h, `key="`+session+" "+s.id+`"`) {
			t.Errorf("output %d: no picture, or another key", i)
		}
		if has := s.b[display.MIMEPNG] != nil; has != last {
			t.Errorf("output %d: image/png %v", i, has)
		}
	}
	if text := all[len(all)-1].b[display.MIMEText]; text != "Curve: CHEST; loss 0.125 at 5000, R@1 0.875 at 5000" {
		t.Errorf("the last output is not the last state: %s", text)
	}
	for _, s := range l.series {
		if len(s.Y) != 1602 {
			t.Errorf("%d points of %s kept, want 1602", len(s.Y), s.Name)
		}
	}
}

func TestLiveLeavesOut(t *testing.T) {
	notebook(t)
	l := NewLive(LiveOptions{Names: []string{"loss", "R@1"}, Right: []bool{false, true}, Curve: CurveOptions{Log: true, Caption: "seed 1"}})
	l.Add(1, 2, 0)
	l.Add(2, math.NaN(), 0.5)
	l.Add(3, 0, math.Inf(1))
	f := l.Figure()
	if _, err := f.Option(); err != nil || f.rows() != 3 {
		t.Errorf("%d points, error %v", f.rows(), err)
	}
	if want := "seed 1 · 3 numbers left out: not finite, or not positive on a log axis"; f.o.Caption != want {
		t.Errorf("caption %q, want %q", f.o.Caption, want)
	}
	l.Done()
}

func TestLiveThins(t *testing.T) {
	for _, n := range []int{1, liveRows, liveRows + 1, 4001, 10000} {
		l := NewLive(LiveOptions{})
		for i := range n {
			l.Add(float64(i), float64(i))
		}
		s := l.Figure().series[0]
		if got := len(s.X); got > liveRows+1 || got < min(n, liveRows/2) || s.X[0] != 0 || s.X[got-1] != float64(n-1) {
			t.Errorf("%d points: %d in the picture, from %g to %g", n, got, s.X[0], s.X[got-1])
		}
	}
}

func TestLivePanics(t *testing.T) {
	l := NewLive(LiveOptions{Names: []string{"a"}})
	func() {
		defer func() {
			if recover() == nil {
				t.Error("two numbers for one series did not panic")
			}
		}()
		l.Add(1, 2, 3)
	}()
	l.Add(1, 2) // the lock is free
}

func ExampleLive() {
	live := NewLive(LiveOptions{Names: []string{"loss"}, Curve: CurveOptions{Title: "toy run"}})
	defer live.Done()
	for epoch := range 3 {
		live.Add(float64(epoch), 1/float64(epoch+1))
	}
	// Output: Curve: toy run; loss 0.3333 at 2
}

package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chestlab/chest/chestlib/sweep"
)

// watched is a progress whose clock and ticks are the test's.
type watched struct {
	progress
	b     bytes.Buffer
	clock time.Time
	token chan struct{}
}

// watch makes one on a terminal of that width; 0 means a file.
func watch(width int) *watched {
	w := &watched{clock: time.Unix(1e9, 0)}
	w.to, w.width, w.now = &w.b, width, func() time.Time { return w.clock }
	return w
}

// begin is Start without its goroutine.
func (w *watched) begin(total int, what string) {
	w.count(total, what)
	w.token = make(chan struct{})
	w.stopping = w.token
}

// pass lets time pass in steps of redrawPause and returns what was written.
func (w *watched) pass(d time.Duration) string {
	for end := w.clock.Add(d); w.clock.Before(end); {
		w.clock = w.clock.Add(redrawPause)
		w.tick(w.token)
	}
	return w.wrote()
}

// wrote is what was written since it was last asked.
func (w *watched) wrote() string {
	defer w.b.Reset()
	return w.b.String()
}

// TestProgressText: percent, count, rate, time left and status, each where known.
func TestProgressText(t *testing.T) {
	for _, c := range []struct {
		total, first, done int
		spent              time.Duration
		status             string
		bytes              bool
		want               string
	}{
		{100, 0, 0, time.Second, "", false, "work: 0 %, 0/100"},
		{100, 0, 25, 10 * time.Second, "", false, "work: 25 %, 25/100, 2.5/s, 30 s left"},
		{100, 0, 25, 10 * time.Second, "loss 2", false, "work: 25 %, 25/100, 2.5/s, 30 s left; loss 2"},
		{100, 20, 30, 10 * time.Second, "", false, "work: 30 %, 30/100, 1.0/s, 1 min 10 s left"},
		{100, 0, 25, 10 * time.Second, "2.5 images/s", false, "work: 25 %, 25/100, 2.5/s, 30 s left"},
		{1000, 0, 999, 3 * time.Second, "", false, "work: 99 %, 999/1000, 333/s, 0 s left"},
		{24, 0, 2, 200 * time.Second, "", false, "work: 8 %, 2/24, 1 min 40 s each, 36 min 40 s left"},
		{240, 0, 2, 200 * time.Second, "", false, "work: 0 %, 2/240, 1 min 40 s each, 6 h 36 min left"},
		{9e6, 3e6, 6e6, 2 * time.Second, "6.0 MB", true, "work: 66 %, 6.0/9.0 MB, 1.5 MB/s, 2 s left"},
		{0, 0, 0, 61 * time.Second, "", false, "work: 1 min 01 s"},
	} {
		w := watch(0)
		w.inMegabytes = c.bytes
		w.begin(c.total, "work")
		w.Set(c.first, "")
		w.clock = w.clock.Add(c.spent)
		w.Set(c.done, c.status)
		if got := w.Text(); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
	w := watch(0)
	w.begin(10, "work")
	w.Set(0, "")
	w.Set(4, "")
	w.Had(3)
	w.clock = w.clock.Add(5 * time.Second)
	if got := w.Text(); got != "work: 40 %, 4/10, 5 s each, 30 s left" {
		t.Errorf("three of four cost nothing: %s", got)
	}
}

// TestProgressFile: in a file a short work shows nothing, a longer one a line every
// five seconds, none without news, and a last one.
func TestProgressFile(t *testing.T) {
	w := watch(0)
	w.begin(100, "work")
	w.Set(1, "")
	if got := w.pass(1800 * time.Millisecond); got != "" {
		t.Errorf("after 1.8 s: %q", got)
	}
	w.Finish("done")
	if got := w.wrote(); got != "" {
		t.Errorf("a short work: %q", got)
	}
	w.begin(100, "work")
	w.Set(0, "")
	w.Set(10, "ok")
	if got := w.pass(20 * time.Second); got != "work: 10 %, 10/100, 2.0/s, 45 s left; ok\n" {
		t.Errorf("20 s with news in the first: %q", got)
	}
	w.Set(50, "ok")
	if got := w.pass(10 * time.Second); strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "work: 50 %, 50/100, ") {
		t.Errorf("10 s more: %q", got)
	}
	if got := w.pass(stillPause); strings.Count(got, "\n") != 1 {
		t.Errorf("a long time without news: %q", got)
	}
	w.Finish("2 problems")
	if got := w.wrote(); got != "work: 50/100 in 5 min 30 s; 2 problems\n" {
		t.Errorf("at the end: %q", got)
	}
	w.Finish("again")
	if got := w.pass(time.Minute); got != "" {
		t.Errorf("after the end: %q", got)
	}
}

// TestProgressTerminal: on a terminal one line is written over, other lines stand
// above it, and it fits.
func TestProgressTerminal(t *testing.T) {
	w := watch(30)
	w.begin(100, "work")
	w.Set(0, "")
	if got := w.pass(1800 * time.Millisecond); got != "" {
		t.Errorf("after 1.8 s: %q", got)
	}
	w.Set(50, "")
	if got := w.pass(redrawPause); got != "\rwork: 50 %, 50/100, 25/s, 2 …\x1b[K" {
		t.Errorf("after 2 s: %q", got)
	}
	w.Say("run %d: %s", 3, "100 %")
	if got := w.wrote(); got != "\r\x1b[Krun 3: 100 %\n" {
		t.Errorf("a line of its own: %q", got)
	}
	if got := w.pass(redrawPause); !strings.HasPrefix(got, "\rwork: 50 %") || strings.Contains(got, "\n") {
		t.Errorf("after it: %q", got)
	}
	w.Finish("")
	if got := w.wrote(); got != "\r\x1b[Kwork: 50/100 in 2 s\n" {
		t.Errorf("at the end: %q", got)
	}
}

// TestProgressGoesOn: what was done before is told, and is no part of the rate.
func TestProgressGoesOn(t *testing.T) {
	w := watch(0)
	w.goesOn = true
	w.begin(18, "features")
	w.Set(10, "")
	w.Set(10, "")
	if got := w.wrote(); got != "10 of 18 items are done already\n" {
		t.Errorf("%q", got)
	}
}

// TestProgressRuns: the goroutine of Start shows a work and ends with it, and a
// second work takes over from the first.
func TestProgressRuns(t *testing.T) {
	r, f, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p := newProgress(f)
	if p.width != 0 {
		t.Errorf("a pipe is a terminal of %d columns", p.width)
	}
	hour := time.Now().Add(-time.Hour)
	p.now = func() time.Time { hour = hour.Add(3 * time.Second); return hour } // under its lock
	p.Start(10, "first")
	p.Start(10, "second")
	p.Set(0, "")
	p.Set(5, "")
	line := make([]byte, 200)
	n, err := r.Read(line) // waits for the line
	if err != nil || !strings.HasPrefix(string(line[:n]), "second: 50 %, 5/10, ") {
		t.Errorf("%q, %v", line[:n], err)
	}
	p.Finish("")
	f.Close()
}

// TestStudyReporter: a line for each training that ran, and none for one that had a
// record, which is no part of the rate.
func TestStudyReporter(t *testing.T) {
	w := watch(0)
	w.begin(0, "study losses")
	w.Set(0, "")
	report := studyReporter(&w.progress)
	report(1, 4, "chest", sweep.Record{}, true)
	w.clock = w.clock.Add(10 * time.Second)
	report(2, 4, "triplet", sweep.Record{Failed: "no steps", Seconds: 9.6}, false)
	if got := w.wrote(); got != "  2/4  triplet: failed: no steps, 10 s\n" {
		t.Errorf("lines: %q", got)
	}
	if got := w.Text(); got != "study losses: 50 %, 2/4, 10 s each, 20 s left" {
		t.Errorf("state: %s", got)
	}
}

// TestSweepReporter: the same of a sweep, with the end of the log of a run that
// was lost.
func TestSweepReporter(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(dir+"/3f", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/3f/log.txt", []byte("step 1\nkilled\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	w := watch(0)
	report := sweepReporter(&sweep.Sweep{Plan: &sweep.Plan{Name: "rates"}, Dir: dir}, &w.progress)
	w.Finish("") // of its goroutine
	report(sweep.Progress{Total: 4, Done: 2})
	w.clock = w.clock.Add(10 * time.Second)
	report(sweep.Progress{Total: 4, Done: 2, Failed: 1, Running: 1, Ended: &sweep.Task{ID: "3f"}, State: sweep.Lost})
	if got := w.wrote(); got != "2 of 4 runs done\n  3/4  3f: lost\n         | step 1\n         | killed\n" {
		t.Errorf("lines: %q", got)
	}
	if got := w.Text(); got != "sweep rates: 75 %, 3/4, 10 s each, 10 s left; 1 running" {
		t.Errorf("state: %s", got)
	}
}

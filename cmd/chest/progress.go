package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/chestlab/chest/chestlib/metric"
)

const (
	patience    = 2 * time.Second        // so long a work runs before its progress is shown
	redrawPause = 200 * time.Millisecond // between two forms of the line on a terminal
	linePause   = 5 * time.Second        // between two lines elsewhere, if something was done
	stillPause  = 5 * time.Minute        // if nothing was
)

// progress shows how far a work is, on a terminal in one line that is written
// over, elsewhere in a line every few seconds, or minutes if nothing was done:
//
//	check cub: 20 %, 2358/11788, 340/s, 28 s left; 0 problems
//
// Rate and time left are those of what was done since the first Set, which may
// tell what was done before. A work of unknown length, total 0, shows its time.
// Short works show nothing. Its methods may be called from any goroutine.
type progress struct {
	inMegabytes bool // what is counted are bytes
	goesOn      bool // the first Set tells what was done before: say so

	mu       sync.Mutex
	to       io.Writer
	now      func() time.Time
	width    int // columns of the terminal; 0: it is none
	what     string
	status   string
	total    int
	done     int
	begin    time.Time
	first    int       // done before the rate is measured, -1: not known
	since    time.Time // the rate is measured
	shown    time.Time // the last time; zero: not yet
	shownAt  int       // what was done then
	drawn    bool      // the line stands on the terminal
	stopping chan struct{}
}

var _ metric.Progress = (*progress)(nil)

// newProgress is a progress on f, which may be a terminal.
func newProgress(f *os.File) *progress {
	p := &progress{to: f, now: time.Now}
	if term.IsTerminal(int(f.Fd())) {
		p.width = 80
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 20 {
			p.width = w
		}
	}
	return p
}

// Start begins a work of total steps and shows it until Finish.
func (p *progress) Start(total int, what string) {
	p.count(total, what)
	p.mu.Lock()
	defer p.mu.Unlock()
	stopping := make(chan struct{})
	p.stopping = stopping
	go func() {
		for t := time.NewTicker(redrawPause); ; {
			select {
			case <-stopping:
				t.Stop()
				return
			case <-t.C:
				p.tick(stopping)
			}
		}
	}()
}

// count begins a work that is shown only when its text is asked for.
func (p *progress) count(total int, what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop()
	p.total, p.what, p.status, p.done, p.shownAt = total, what, "", 0, 0
	p.begin, p.since, p.shown, p.first = p.now(), time.Time{}, time.Time{}, -1
}

// Set says that done steps are done, and a short status such as the loss.
func (p *progress) Set(done int, status string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.first < 0 {
		p.first, p.since = done, p.now()
		if p.goesOn && done > 0 {
			p.line(fmt.Sprintf("%d of %d items are done already", done, p.total))
		}
	}
	p.done, p.status = done, status
}

// Had says that n of the steps that are done cost nothing.
func (p *progress) Had(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.first += n
}

// Of says that there are total steps, if Start could not.
func (p *progress) Of(total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total = total
}

// Say writes a line of its own.
func (p *progress) Say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line(fmt.Sprintf(format, args...))
}

// Finish ends the work; if it was shown, a last line stays.
func (p *progress) Finish(status string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.shown.IsZero() {
		p.shown = time.Time{}
		text := fmt.Sprintf("%s: %s", p.what, span(p.now().Sub(p.begin)))
		if p.total > 0 {
			text = fmt.Sprintf("%s: %s in %s", p.what, p.counted(), span(p.now().Sub(p.begin)))
		}
		if status != "" {
			text += "; " + status
		}
		p.line(text)
	}
	p.stop()
}

// Text is how far the work is.
func (p *progress) Text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text()
}

// stop ends the showing.
func (p *progress) stop() {
	if p.stopping != nil {
		close(p.stopping)
		p.stopping = nil
	}
	p.erase()
}

// tick shows what is due, unless the work with that channel is over.
func (p *progress) tick(of chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopping != of {
		return
	}
	now := p.now()
	if now.Sub(p.begin) < patience {
		return
	}
	if p.width > 0 {
		p.shown, p.drawn = now, true
		fmt.Fprintf(p.to, "\r%s\x1b[K", p.clip(p.text()))
		return
	}
	last := p.shown
	if last.IsZero() {
		last = p.begin
	}
	if pause := now.Sub(last); pause >= stillPause || pause >= linePause && p.done > p.shownAt {
		p.shown, p.shownAt = now, p.done
		fmt.Fprintln(p.to, p.text())
	}
}

// line writes a line above the one that is written over.
func (p *progress) line(text string) {
	p.erase()
	fmt.Fprintln(p.to, text)
}

// erase takes the line off the terminal.
func (p *progress) erase() {
	if p.drawn {
		fmt.Fprint(p.to, "\r\x1b[K")
		p.drawn = false
	}
}

// clip cuts text to the width of the terminal.
func (p *progress) clip(text string) string {
	if r := []rune(text); len(r) >= p.width {
		return string(r[:p.width-2]) + "…"
	}
	return text
}

// text is the state in one line.
func (p *progress) text() string {
	if p.total <= 0 {
		return fmt.Sprintf("%s: %s", p.what, span(p.now().Sub(p.begin)))
	}
	text := fmt.Sprintf("%s: %d %%, %s", p.what, 100*p.done/p.total, p.counted())
	if n, spent := p.done-p.first, p.now().Sub(p.since); p.first >= 0 && n > 0 && spent > 0 {
		left := time.Duration(float64(spent) / float64(n) * float64(max(p.total-p.done, 0)))
		text += fmt.Sprintf(", %s, %s left", p.rate(float64(n)/spent.Seconds()), span(left))
	}
	if p.status != "" && !p.inMegabytes && !strings.HasSuffix(p.status, "/s") { // told already
		text += "; " + p.status
	}
	return text
}

// counted is what is done of the total.
func (p *progress) counted() string {
	if p.inMegabytes {
		return fmt.Sprintf("%.1f/%.1f MB", float64(p.done)/1e6, float64(p.total)/1e6)
	}
	return fmt.Sprintf("%d/%d", p.done, p.total)
}

// rate is steps a second, or the time of a step that takes longer.
func (p *progress) rate(r float64) string {
	switch {
	case p.inMegabytes:
		return fmt.Sprintf("%.1f MB/s", r/1e6)
	case r >= 10:
		return fmt.Sprintf("%.0f/s", r)
	case r >= 1:
		return fmt.Sprintf("%.1f/s", r)
	}
	return span(time.Duration(float64(time.Second)/r)) + " each"
}

// span is a duration: 8 s, 3 min 05 s, 1 h 02 min.
func span(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %02d s", s/60, s%60)
	}
	return fmt.Sprintf("%d h %02d min", s/3600, s/60%60)
}

package display

import (
	"context"
	"fmt"
	"html"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// Progress shows how far a long work is: in a notebook one block that is
// replaced at most five times a second and stays as a summary, on a terminal
// one line that is written over, elsewhere a line for each tenth. The newest
// state is always shown in the end. When the cell is interrupted, the block
// says so.
//
// The zero value is ready. Its methods may be called from any goroutine.
type Progress struct {
	mu      sync.Mutex
	id      string
	what    string
	status  string
	done    int
	total   int
	started time.Time
	shown   time.Time
	tenth   int
	over    bool
	cut     bool        // over by an interrupt
	release func() bool // stops waiting for an interrupt
	late    *time.Timer // shows the state that came too soon
	out     io.Writer   // nil means os.Stderr
}

const (
	notebookPause = 200 * time.Millisecond // five updates a second
	terminalPause = 100 * time.Millisecond
)

// NewProgress begins a work of total steps called what.
func NewProgress(total int, what string) *Progress {
	p := &Progress{}
	p.Start(total, what)
	return p
}

// Start begins a work of total steps called what.
func (p *Progress) Start(total int, what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop()
	p.total, p.what, p.done, p.status, p.tenth, p.over, p.cut = total, what, 0, "", 0, false, false
	p.started, p.shown, p.id = time.Now(), time.Time{}, ""
	ctx := cell()
	p.release = context.AfterFunc(ctx, func() { p.interrupted(ctx) })
	if InNotebook() {
		p.id = NewID()
		p.shown = p.started
		ShowAs(p.id, p.data())
	}
}

// Set says that done steps are done, and a short status such as the loss.
func (p *Progress) Set(done int, status string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done, p.status = done, status
	if p.cut { // the work goes on in the background
		p.over, p.cut = false, false
	}
	pause := terminalPause
	if p.id != "" {
		pause = notebookPause
	}
	if now := time.Now(); now.Sub(p.shown) >= pause {
		p.shown = now
		p.draw()
	} else if p.id != "" && p.late == nil {
		p.late = time.AfterFunc(pause-now.Sub(p.shown), p.catchUp)
	}
}

// catchUp shows the newest state after a pause without one.
func (p *Progress) catchUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.late = nil
	if now := time.Now(); !p.over && now.Sub(p.shown) >= notebookPause {
		p.shown = now
		p.draw()
	}
}

// Finish shows the last state with a closing status, whether or not all steps
// were done. A second Finish does nothing.
func (p *Progress) Finish(status string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over && !p.cut {
		return
	}
	p.stop()
	p.over, p.cut, p.status = true, false, status
	p.draw()
}

// interrupted ends the progress of a cell whose context has ended while it
// runs. The context of a cell that is over ends, too: that says nothing.
func (p *Progress) interrupted(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over || cell() != ctx {
		return
	}
	p.stop()
	p.over, p.cut = true, true
	if p.status != "" {
		p.status += " · "
	}
	p.status += "interrupted"
	p.draw()
}

// stop ends what waits.
func (p *Progress) stop() {
	if p.release != nil {
		p.release()
	}
	if p.late != nil {
		p.late.Stop()
		p.late = nil
	}
}

// draw shows the present state in the form that fits the place.
func (p *Progress) draw() {
	if p.id != "" {
		Update(p.id, p.data())
		return
	}
	w := p.out
	if w == nil {
		w = os.Stderr
	}
	if isTerminal(w) {
		end := ""
		if p.over {
			end = "\n"
		}
		fmt.Fprintf(w, "\r\x1b[K%s%s", p.line(), end)
		return
	}
	if t := 10 * p.done / max(p.total, 1); t > p.tenth || p.over {
		p.tenth = t
		fmt.Fprintln(w, p.line())
	}
}

// line is the state in one line of text.
func (p *Progress) line() string {
	width := 20
	full := width * min(p.done, p.total) / max(p.total, 1)
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s%s %d/%d · %s", p.what, strings.Repeat("█", full), strings.Repeat("░", width-full), p.done, p.total, p.times())
	if p.status != "" {
		fmt.Fprintf(&b, " · %s", p.status)
	}
	return b.String()
}

// times is the time spent and, while the work runs, the time left.
func (p *Progress) times() string {
	spent := time.Since(p.started)
	if p.over || p.done == 0 {
		return clock(spent)
	}
	left := time.Duration(float64(spent) / float64(p.done) * float64(max(p.total-p.done, 0)))
	return clock(spent) + " < " + clock(left)
}

// data is the state as one block. It uses attributes and no style sheet, so
// that it looks the same in a saved file.
func (p *Progress) data() Data {
	h := fmt.Sprintf(`<div>%s <progress value="%d" max="%d"></progress> %d/%d · %s`,
		html.EscapeString(p.what), p.done, max(p.total, 1), p.done, p.total, html.EscapeString(p.times()))
	if p.status != "" {
		h += " · " + html.EscapeString(p.status)
	}
	return MakeData3(MIMEHTML, p.line(), h+"</div>")
}

// clock formats a duration as m:ss or h:mm:ss.
func clock(d time.Duration) string {
	s := int(d.Seconds() + 0.5)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// isTerminal says whether w is a character device.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}

// Tracker counts the rounds of a loop and shows how far it is:
//
//	for t := display.Track(len(files), "reading"); t.Next(); {
//		read(files[t.I])
//	}
//
// A loop that is left early should call Stop.
type Tracker struct {
	I int // the present round, from 0

	n    int
	next int
	p    *Progress
}

// Track begins a loop of n rounds called what.
func Track(n int, what string) *Tracker {
	return &Tracker{n: n, I: -1, p: NewProgress(n, what)}
}

// Next begins the next round and says whether there is one.
func (t *Tracker) Next() bool {
	if t.next >= t.n {
		if t.next == t.n {
			t.p.Set(t.n, t.p.said())
			t.p.Finish(t.p.said())
			t.next++
		}
		return false
	}
	t.I = t.next
	t.next++
	if t.I > 0 {
		t.p.Set(t.I, t.p.said())
	}
	return true
}

// Say adds a short status to the present round, such as the loss.
func (t *Tracker) Say(status string) { t.p.Set(t.I, status) }

// Stop ends the loop before its last round.
func (t *Tracker) Stop() {
	if t.next <= t.n {
		t.next = t.n + 1
		t.p.Finish("stopped")
	}
}

// said is the present status.
func (p *Progress) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status
}

package notebook

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

const (
	tickPause = 100 * time.Millisecond // between two redraws of the line on a terminal
	notePause = 10 * time.Second       // between two lines of status elsewhere
	indent    = "    "

	titleWidth = 60  // characters
	valueLines = 20  // of a value; the notebook has all of it
	valueWidth = 160 // characters
)

// progress tells how far a run is: on a terminal one line for each cell, which
// is rewritten while the cell runs, elsewhere one line at its end; and what
// cells print, and the beginning of their values, indented.
type progress struct {
	mu       sync.Mutex
	w        io.Writer // nil: nothing is written
	terminal bool
	width    int
	total    int
	stop     chan struct{}

	label   string // "[3/12] title"
	started time.Time
	headed  bool   // the label stands above what the cell prints
	status  string // newest one-line display
	noted   time.Time
	partial string // printed text without its newline
	drawn   bool   // the line is on the terminal
}

func newProgress(w io.Writer, total int) *progress {
	p := &progress{w: w, total: total, stop: make(chan struct{})}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.terminal, p.width = true, 80
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 20 {
			p.width = width
		}
		go p.tick()
	}
	return p
}

// tick redraws the line on a terminal.
func (p *progress) tick() {
	t := time.NewTicker(tickPause)
	defer t.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-t.C:
			p.mu.Lock()
			p.draw()
			p.mu.Unlock()
		}
	}
}

// close ends the redrawing.
func (p *progress) close() {
	close(p.stop)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	p.label = ""
}

// begin starts cell i.
func (p *progress) begin(i int, title string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.label = strings.TrimSpace(fmt.Sprintf("[%d/%d] %s", i, p.total, title))
	p.started, p.noted = time.Now(), time.Now()
	p.headed, p.status, p.partial = false, "", ""
	p.draw()
}

// print passes on text that a cell printed.
func (p *progress) print(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := strings.Split(p.partial+text, "\n")
	p.partial = all[len(all)-1]
	for _, s := range all[:len(all)-1] {
		p.line(s)
	}
	p.draw()
}

// value shows the beginning of a cell's value.
func (p *progress) value(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.partial != "" {
		p.line(p.partial)
		p.partial = ""
	}
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, s := range all {
		if i == valueLines {
			p.line(fmt.Sprintf("… and %d lines more", len(all)-i))
			break
		}
		p.line(clip(s, valueWidth))
	}
	p.draw()
}

// line writes one line under the label. A carriage return begins it anew, as
// on a terminal.
func (p *progress) line(s string) {
	p.head()
	s = strings.TrimRight(s, "\r")
	p.write(indent + plain(s[strings.LastIndexByte(s, '\r')+1:]) + "\n")
}

// head writes the label above the first line that a cell prints.
func (p *progress) head() {
	p.erase()
	if !p.headed && p.label != "" {
		p.headed = true
		p.write(p.label + "\n")
	}
}

// note takes the newest one-line display, such as a progress bar: on a
// terminal it follows the label, elsewhere it is printed now and then.
func (p *progress) note(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s == "" {
		return
	}
	p.status = s
	if !p.terminal && time.Since(p.noted) >= notePause {
		p.noted = time.Now()
		p.line(s)
	}
}

// end ends the cell's line; what says how, "" for well.
func (p *progress) end(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.partial != "" {
		p.line(p.partial)
		p.partial = ""
	}
	p.erase()
	s := fmt.Sprintf("%s … %s", p.label, elapsed(time.Since(p.started)))
	if what != "" {
		s += ": " + plain(what)
	}
	p.write(s + "\n")
	p.label = ""
}

// failed ends the line of a cell that failed, with the reason under it.
func (p *progress) failed(e *CellError) {
	p.end("failed")
	p.mu.Lock()
	defer p.mu.Unlock()
	text := e.Traceback
	if len(text) == 0 {
		text = []string{e.Name + ": " + e.Value}
	}
	at := fmt.Sprintf("cell %d", e.Cell)
	if e.Line > 0 {
		at += fmt.Sprintf(", line %d", e.Line)
	}
	p.write(indent + at + ":\n")
	for _, s := range strings.Split(strings.Join(text, "\n"), "\n") {
		p.write(indent + plain(s) + "\n")
	}
}

// draw rewrites the line of the running cell on a terminal.
func (p *progress) draw() {
	if !p.terminal || p.label == "" {
		return
	}
	s := p.label
	if p.headed { // it stands above already
		s, _, _ = strings.Cut(p.label, " ")
	}
	s += " … " + elapsed(time.Since(p.started))
	if p.status != "" {
		s += " · " + p.status
	}
	p.write("\r" + clip(s, p.width-1) + "\x1b[K")
	p.drawn = true
}

// erase takes the line off the terminal.
func (p *progress) erase() {
	if p.drawn {
		p.write("\r\x1b[K")
		p.drawn = false
	}
}

// write ignores errors: a closed terminal must not stop a run.
func (p *progress) write(s string) {
	if p.w != nil {
		io.WriteString(p.w, s)
	}
}

// cellTitle is a short title of a cell: the comment it begins with, else the
// heading above it, else its first line.
func cellTitle(c *Cell, heading string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(c.Source), "\n")
	title, ok := strings.CutPrefix(first, "//")
	if !ok && heading != "" {
		title = heading
	}
	return clip(strings.TrimSpace(plain(title)), titleWidth)
}

// clip cuts s to n characters.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:max(n-1, 0)]) + "…"
}

// elapsed is a short duration: 0.4 s, 12.1 s, 3 min 05 s, 1 h 02 min.
func elapsed(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
}

package worker

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/chestlab/chest/kernel/display"
)

// Outlet is where the session of a worker puts what its cells print and show.
// It is a display.Sink.
type Outlet struct {
	frames *frameWriter
	labels labels

	mu      sync.Mutex
	next    uint32
	waiting map[uint32]chan line // for the user's answer

	show sync.Mutex
	seen chan struct{} // the host has taken a display
	gone chan struct{} // closed when the host is gone
}

func newOutlet(w io.Writer) *Outlet {
	return &Outlet{
		frames: &frameWriter{w: w}, waiting: map[uint32]chan line{},
		seen: make(chan struct{}, 1), gone: make(chan struct{}),
	}
}

var _ display.Sink = (*Outlet)(nil)

// stream is one of the two streams of text.
type stream struct {
	o    *Outlet
	kind byte
}

func (s stream) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := s.o.frames.write(s.kind, s.o.labels.cell(), p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Stdout is the standard output of cells.
func (o *Outlet) Stdout() io.Writer { return stream{o, kindStdout} }

// Stderr is the standard error of cells; the order between the two is kept.
func (o *Outlet) Stderr() io.Writer { return stream{o, kindStderr} }

// Stdin asks the user for lines.
func (o *Outlet) Stdin() io.Reader { return &typed{o: o} }

// typed reads what the user types.
type typed struct {
	o    *Outlet
	mu   sync.Mutex
	rest string
}

func (t *typed) Read(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rest == "" {
		text, err := t.o.Input(display.Context(), "", false)
		if err != nil {
			return 0, err
		}
		t.rest = text + "\n"
	}
	n := copy(p, t.rest)
	t.rest = t.rest[n:]
	return n, nil
}

// Display shows d.
func (o *Outlet) Display(d display.Data, id string, update bool) error {
	return o.sendShown(kindDisplay, Display{bundle(d.Data), d.Metadata, id, update})
}

// Clear removes the outputs of the running cell.
func (o *Outlet) Clear(wait bool) error { return o.sendShown(kindClear, wait) }

// sendShown sends a display and waits until the host has taken it: what is
// written to the descriptors afterwards must not overtake it.
func (o *Outlet) sendShown(kind byte, v any) error {
	o.show.Lock()
	defer o.show.Unlock()
	if err := o.frames.send(kind, o.labels.cell(), v); err != nil {
		return err
	}
	select {
	case <-o.seen:
		return nil
	case <-o.gone:
		return errGone
	}
}

var errGone = errors.New("worker: the kernel is gone")

// SendComm sends a comm message to the front end.
func (o *Outlet) SendComm(kind, id, target string, data, metadata map[string]any) error {
	return o.frames.send(kindSendComm, o.labels.cell(), Comm{kind, id, target, data, metadata})
}

// Input asks the user of the running cell for a line.
func (o *Outlet) Input(ctx context.Context, text string, password bool) (string, error) {
	o.mu.Lock()
	o.next++
	id := o.next
	answer := make(chan line, 1)
	o.waiting[id] = answer
	o.mu.Unlock()
	defer func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.waiting, id)
	}()
	if err := o.frames.send(kindInput, id, asked{o.labels.cell(), prompt{text, password}}); err != nil {
		return "", err
	}
	select {
	case a := <-answer:
		if a.Err != "" {
			return "", errors.New(a.Err)
		}
		return a.Text, nil
	case <-ctx.Done():
		o.frames.send(kindNoInput, id, nil)
		return "", ctx.Err()
	}
}

// asked is a prompt and the cell that shows it.
type asked struct {
	Cell uint32
	prompt
}

// answer gives the user's line to who waits for it.
func (o *Outlet) answer(id uint32, l line) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if c := o.waiting[id]; c != nil {
		c <- l
		delete(o.waiting, id)
	}
}

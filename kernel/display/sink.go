package display

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Sink takes what is shown. The kernel's sink sends it to the notebook.
type Sink interface {
	// Display shows d. A non-empty id names the output, so that it can be
	// replaced later; update says that it replaces the output of that id.
	Display(d Data, id string, update bool) error
	// Clear removes the outputs of the running cell; wait says: only when the
	// next output comes.
	Clear(wait bool) error
}

var current struct {
	sync.Mutex
	sink Sink
	ctx  context.Context
}

// SetSink makes s the place where everything is shown and returns the one
// before; nil means the terminal. Only front ends call it.
func SetSink(s Sink) (before Sink) {
	current.Lock()
	defer current.Unlock()
	before, current.sink = current.sink, s
	return before
}

// sink is the sink in force, or nil.
func sink() Sink {
	current.Lock()
	defer current.Unlock()
	return current.sink
}

// InNotebook says whether outputs go to a notebook and not to a terminal.
func InNotebook() bool { return sink() != nil }

// Context is the context of the running cell: it ends when the user
// interrupts the cell. It may be kept in a variable and used in later cells:
// it always speaks of the cell that runs then. In an ordinary program it is
// like context.Background().
//
//	ctx := display.Context()
//	history, err := trainer.Fit(ctx)
//
// Work that may outlast its cell should begin with context.WithCancel(ctx),
// which stays with the cell that called it.
func Context() context.Context { return running{} }

// running is a context that asks the running cell's each time.
type running struct{}

func (running) Deadline() (time.Time, bool) { return cell().Deadline() }
func (running) Done() <-chan struct{}       { return cell().Done() }
func (running) Err() error                  { return cell().Err() }
func (running) Value(key any) any           { return cell().Value(key) }

// cell is the context of the running cell, or one that never ends.
func cell() context.Context {
	current.Lock()
	defer current.Unlock()
	if current.ctx == nil {
		return context.Background()
	}
	return current.ctx
}

// SetContext makes ctx the context of the running cell; nil means none. Only
// front ends call it.
func SetContext(ctx context.Context) {
	current.Lock()
	defer current.Unlock()
	current.ctx = ctx
}

// Show shows each value in turn, as Render forms it. Cells know it as Display,
// too.
func Show(values ...any) error {
	for _, v := range values {
		if err := send(Render(v), "", false); err != nil {
			return err
		}
	}
	return nil
}

// ShowAs shows v as the output called id, for Update to replace later.
func ShowAs(id string, v any) error { return send(Render(v), id, false) }

// Update replaces the output called id by v, wherever it stands. On a terminal
// it prints v again.
func Update(id string, v any) error { return send(Render(v), id, true) }

// Clear removes the outputs of the running cell; with wait, only when the next
// output comes, which avoids flicker. On a terminal it does nothing.
func Clear(wait bool) error {
	if s := sink(); s != nil {
		return s.Clear(wait)
	}
	return nil
}

var lastID atomic.Uint64

// NewID returns an output name that this process has not used.
func NewID() string {
	return "chest-" + strconv.FormatInt(int64(os.Getpid()), 36) + "-" + strconv.FormatUint(lastID.Add(1), 10)
}

// send gives d to the sink, or prints its text. A name in d holds where none
// is given.
func send(d Data, id string, update bool) error {
	if own, ok := d.Transient["display_id"].(string); ok && id == "" {
		id = own
	}
	if s := sink(); s != nil {
		return s.Display(d, id, update)
	}
	_, err := fmt.Println(d.Data[MIMEText])
	return err
}

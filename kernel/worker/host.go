package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chestlab/chest/kernel/assist"
	"github.com/chestlab/chest/kernel/eval"
)

// Output takes what cells put out, in its order. Its methods are called from
// several goroutines, and must not call the Host.
type Output interface {
	Text(cell uint32, stderr bool, text []byte) // cell 0: the one that runs or ran last
	Display(cell uint32, d Display)
	Clear(cell uint32, wait bool)
	Comm(cell uint32, c Comm)
	// Input asks the user of a cell for a line, until ctx ends.
	Input(ctx context.Context, cell uint32, text string, password bool) (string, error)
	// Died tells that a worker died while no cell ran.
	Died(err *eval.Error)
}

// Options controls New.
type Options struct {
	Output  Output
	Command []string  // that becomes a worker; nil: this program with Argument
	Env     []string  // added to this program's environment
	Memory  int64     // limit in bytes; 0: DefaultMemory; negative: none
	Dumps   io.Writer // gets crash dumps whole; nil: nobody does
	Local   Maker     // not nil: run the session in this process, for tests
}

// Host runs cells in a worker and replaces the worker when it dies.
type Host struct {
	o Options

	mu     sync.Mutex
	now    *life
	err    error // why there is no worker
	closed bool
	memory int64

	questions atomic.Uint32
}

// New starts a worker. It does not wait until the worker is ready.
func New(o Options) *Host {
	h := &Host{o: o, memory: o.Memory}
	if h.memory == 0 {
		h.memory = DefaultMemory()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.begin()
	return h
}

// begin starts a worker; h.mu is held.
func (h *Host) begin() {
	h.now, h.err = nil, errClosed
	if h.closed {
		return
	}
	var p *process
	if h.o.Local != nil {
		p, h.err = local(h.o.Local)
	} else {
		p, h.err = spawn(h.o.Command, h.o.Env)
	}
	if h.err == nil {
		h.now = newLife(h, p)
		h.now.limit(h.memory)
	}
}

var errClosed = errors.New("worker: the kernel is ending")

// life is the worker that cells are to use; a new one when the last has died.
func (h *Host) life() (*life, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.now == nil || h.now.over() {
		h.begin()
	}
	return h.now, h.err
}

// replace starts the next worker when l, which has died, is still in use.
func (h *Host) replace(l *life) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.now == l && !h.closed {
		h.begin()
	}
}

// Run runs a cell to its end. One call is made at a time.
func (h *Host) Run(c Cell) Reply {
	return h.task(kindRun, c.ID, c)
}

// Comm delivers a message of the front end, between cells; what the receiver
// puts out belongs to cell.
func (h *Host) Comm(cell uint32, c Comm) { h.task(kindComm, cell, c) }

// task has the worker do something and waits for the end.
func (h *Host) task(kind byte, id uint32, what any) Reply {
	l, err := h.life()
	if err != nil {
		return failed(err)
	}
	return l.do(kind, id, what)
}

// failed is the reply of a cell that cannot run.
func failed(err error) Reply {
	return Reply{Err: &eval.Error{Name: "kernel error", Message: err.Error(), Traceback: []string{err.Error()}}}
}

// Interrupt stops the running cell, if there is one. When an interrupt has not
// stopped a cell in time, the next one kills the worker.
func (h *Host) Interrupt() {
	h.mu.Lock()
	l := h.now
	h.mu.Unlock()
	if l != nil {
		l.interrupt()
	}
}

// Reset replaces the worker by a fresh one: all variables are forgotten.
func (h *Host) Reset() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.now != nil {
		h.now.end("it was reset")
	}
	h.begin()
	return h.err
}

// Memory is the limit of the worker, in bytes; 0: none.
func (h *Host) Memory() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return max(h.memory, 0)
}

// Used is what the worker occupies now, in bytes; false: unknown.
func (h *Host) Used() (int64, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.now == nil || h.now.p.pid == 0 {
		return 0, false
	}
	return usedMemory(h.now.p.pid)
}

// SetMemory sets the limit, at once and for the workers to come; 0: none.
func (h *Host) SetMemory(n int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.memory = n
	if h.now != nil {
		h.now.limit(n)
	}
}

// Close ends the worker and all that it has started.
func (h *Host) Close() {
	h.mu.Lock()
	h.closed = true
	l := h.now
	h.mu.Unlock()
	if l != nil {
		l.end("the kernel is ending")
		<-l.gone
	}
}

// askLimit is how long a question may take; its answer is empty then.
const askLimit = 300 * time.Millisecond

// ask puts a question to the worker, also while a cell runs.
func (h *Host) ask(q question, answer any) bool {
	h.mu.Lock()
	l := h.now
	h.mu.Unlock()
	if l == nil {
		return false
	}
	body, ok := l.ask(h.questionID(), q)
	return ok && len(body) > 0 && json.Unmarshal(body, answer) == nil
}

// questionID numbers the questions.
func (h *Host) questionID() uint32 { return h.questions.Add(1) }

// Complete finds what can stand at the cursor, which counts bytes.
func (h *Host) Complete(code string, cursor int) assist.Completion {
	var c assist.Completion
	if !h.ask(question{What: "complete", Code: code, Cursor: cursor}, &c) {
		return assist.Completion{Start: cursor, End: cursor}
	}
	return c
}

// Inspect explains what stands at the cursor, which counts bytes.
func (h *Host) Inspect(code string, cursor, detail int) assist.Inspection {
	var i assist.Inspection
	h.ask(question{What: "inspect", Code: code, Cursor: cursor, Detail: detail}, &i)
	return i
}

// IsComplete says whether code could be run as it stands.
func (h *Host) IsComplete(code string) eval.Completeness {
	c := eval.Completeness{Status: "unknown"}
	h.ask(question{What: "is_complete", Code: code}, &c)
	return c
}

// dumped passes a crash dump on.
func (h *Host) dumped(d death) {
	if h.o.Dumps != nil && d.dump != "" {
		fmt.Fprintln(h.o.Dumps, d.dump)
	}
}

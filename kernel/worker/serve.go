package worker

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"sync"

	"github.com/chestlab/chest/kernel/display"
	"github.com/chestlab/chest/kernel/eval"
)

// maxStack is the stack that one goroutine may have, in bytes: endless
// recursion ends sooner than with Go's 1 GB, and before the memory does.
const maxStack = 256 << 20

// maxTasks bounds the tasks that wait. A host has few of them: it waits for each.
const maxTasks = 256

// Main is the whole of a worker process that a Host has started. It returns
// when the host closes the connection or is gone.
func Main(m Maker) error {
	in, out, err := inherited()
	if err != nil {
		return err
	}
	debug.SetMaxStack(maxStack)
	ignoreInterrupts()
	return serve(in, out, m)
}

// server is the worker's end of the control connection.
type server struct {
	out     *Outlet
	session Session
	tasks   chan frame // cells and comm messages, in their order

	mu      sync.Mutex
	cell    uint32             // that runs
	done    uint32             // the last that ended
	cancel  context.CancelFunc // ends it
	dropped map[uint32]bool    // interrupted before they began
}

// serve makes a session and runs what comes on in until it ends.
func serve(in io.Reader, out io.Writer, m Maker) error {
	s := &server{out: newOutlet(out), tasks: make(chan frame, maxTasks), dropped: map[uint32]bool{}}
	before := display.SetSink(s.out)
	defer display.SetSink(before)
	defer close(s.out.gone)
	var err error
	if s.session, err = m(s.out); err != nil {
		s.out.frames.send(kindReady, 0, ready{err.Error()})
		return err
	}
	if err := s.out.frames.send(kindReady, 0, ready{}); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go s.work(ctx)
	r := bufio.NewReaderSize(in, 64<<10)
	for {
		f, err := readFrame(r)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = s.take(f)
		}
		if err != nil {
			return err
		}
	}
}

// take handles a frame of the host.
func (s *server) take(f frame) (err error) {
	switch f.kind {
	case kindRun, kindComm:
		s.tasks <- f
	case kindInterrupt:
		s.interrupt(f.id)
	case kindAsk:
		var q question
		if err = f.into(&q); err == nil {
			go s.ask(f.id, q)
		}
	case kindLine:
		var l line
		if err = f.into(&l); err == nil {
			s.out.answer(f.id, l)
		}
	case kindSeen:
		s.out.seen <- struct{}{}
	case kindMemory:
		var bytes int64
		if err = f.into(&bytes); err == nil {
			debug.SetMemoryLimit(bytes)
		}
	}
	return err
}

// work runs cells and delivers comm messages, one after the other.
func (s *server) work(ctx context.Context) {
	for {
		var f frame
		select {
		case f = <-s.tasks:
		case <-ctx.Done():
			return
		}
		run, begun := s.begin(ctx, f.id)
		if !begun {
			s.out.frames.send(kindDone, f.id, Reply{Err: interrupted()})
			continue
		}
		s.out.labels.enter(f.id)
		r := s.do(run, f)
		s.end()
		s.reply(f.id, r)
	}
}

// reply sends how a cell ended; a value too large for a message is left out.
func (s *server) reply(id uint32, r Reply) {
	if err := s.out.frames.send(kindDone, id, r); err != nil {
		text := err.Error()
		s.out.frames.send(kindDone, id, Reply{Err: &eval.Error{Name: "kernel error", Message: text, Traceback: []string{text}}})
	}
}

// do does what a frame asks for.
func (s *server) do(ctx context.Context, f frame) (r Reply) {
	if f.kind == kindRun {
		c := Cell{ID: f.id}
		if err := f.into(&c); err != nil {
			return Reply{Err: &eval.Error{Name: "kernel error", Message: err.Error()}}
		}
		return s.session.run(ctx, c)
	}
	var c Comm
	if err := f.into(&c); err != nil {
		return Reply{}
	}
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(s.out.Stderr(), "the receiver of comm %s panicked: %v\n", c.ID, p)
		}
	}()
	switch {
	case ReceiveComm != nil:
		ReceiveComm(c.Kind, c.ID, c.Target, c.Data, c.Metadata)
	case c.Kind == "open":
		s.out.SendComm("close", c.ID, "", nil, nil)
	}
	return Reply{}
}

// begin makes a cell the running one, unless it was interrupted before.
func (s *server) begin(ctx context.Context, cell uint32) (context.Context, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dropped[cell] {
		delete(s.dropped, cell)
		return nil, false
	}
	ctx, s.cancel = context.WithCancel(ctx)
	s.cell = cell
	return ctx, true
}

// end ends the context of the running cell.
func (s *server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancel()
	s.done, s.cell, s.cancel = s.cell, 0, nil
}

// interrupt ends the context of a cell.
func (s *server) interrupt(cell uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.cancel != nil && s.cell == cell:
		s.cancel()
	case cell > s.done:
		s.dropped[cell] = true
	}
}

// ask answers a question about code.
func (s *server) ask(id uint32, q question) {
	defer func() {
		if recover() != nil {
			s.out.frames.send(kindAnswer, id, nil)
		}
	}()
	var answer any
	a := s.session.Assistant
	switch {
	case q.What == "is_complete" && a == nil:
		answer = s.session.Evaluator.IsComplete(q.Code)
	case a == nil:
	case q.What == "is_complete":
		answer = a.IsComplete(q.Code)
	case q.What == "complete":
		answer = a.Complete(q.Code, q.Cursor)
	case q.What == "inspect":
		answer = a.Inspect(q.Code, q.Cursor, q.Detail)
	}
	s.out.frames.send(kindAnswer, id, answer)
}

// interrupted is the error of a cell that was interrupted before it began.
func interrupted() *eval.Error {
	const text = "the cell was interrupted before it began"
	return &eval.Error{Name: "interrupted", Message: text, Traceback: []string{"interrupted: " + text}}
}

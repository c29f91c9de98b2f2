package worker

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chestlab/chest/kernel/eval"
)

const (
	// interruptLimit is how long a cell may go on after an interrupt before
	// the worker counts as stuck: longer than a session waits for a compiled
	// call.
	interruptLimit = 2500 * time.Millisecond
	// endLimit is how long a worker may take to end by itself.
	endLimit = 200 * time.Millisecond
)

// life is one worker from its start to its death.
type life struct {
	h      *Host
	p      *process
	out    Output
	frames *frameWriter
	raw    [2]*raw
	sieve  *sieve
	ready  chan struct{} // closed when the session is there
	gone   chan struct{} // closed when the worker has died and all it wrote is out
	dying  atomic.Bool   // it is dead or about to be: no new cells

	mu      sync.Mutex
	failure error // of making the session
	begun   bool  // the session was made
	running *task // the cell that waits for its reply
	stuck   *task // a cell that was given up, while the worker is busy with it
	asked   map[uint32]chan []byte
	inputs  map[uint32]context.CancelFunc
	reason  string // why the host ends it
	silent  bool   // that it ends is intended
	bytes   int64  // memory limit; 0: none
	death   death  // after gone
}

// task is a cell that the worker has.
type task struct {
	id     uint32
	done   chan Reply    // buffered
	asked  chan struct{} // closed at the first interrupt
	halted bool
}

// newLife makes p the life of a worker.
func newLife(h *Host, p *process) *life {
	l := &life{
		h: h, p: p, out: h.o.Output, frames: &frameWriter{w: p.in},
		ready: make(chan struct{}), gone: make(chan struct{}),
		asked: map[uint32]chan []byte{}, inputs: map[uint32]context.CancelFunc{},
	}
	l.sieve = &sieve{pass: func(b []byte) { l.out.Text(0, true, b) }, alive: l.alive}
	take := [2]func([]byte){
		func(b []byte) { l.out.Text(0, false, b) },
		func(b []byte) { l.sieve.Write(b) },
	}
	for i, f := range p.raw {
		l.raw[i] = newRaw(f, take[i])
		go l.raw[i].run()
	}
	control := make(chan struct{})
	go func() {
		defer close(control)
		l.read()
	}()
	go l.bury(control)
	if p.pid != 0 {
		go l.watchMemory()
	}
	return l
}

// over says that the worker runs no more cells.
func (l *life) over() bool { return l.dying.Load() }

// read takes the frames of the worker until it is gone.
func (l *life) read() {
	r := bufio.NewReaderSize(l.p.out, 64<<10)
	for {
		f, err := readFrame(r)
		if err == nil {
			err = l.take(f)
		}
		if err != nil {
			return
		}
	}
}

// take handles a frame of the worker. What the process wrote before it is
// taken first.
func (l *life) take(f frame) (err error) {
	switch f.kind {
	case kindReady:
		var r ready
		if err = f.into(&r); err == nil {
			l.sessionMade(r)
		}
	case kindStdout, kindStderr:
		l.sync()
		l.out.Text(f.id, f.kind == kindStderr, f.body)
	case kindDisplay:
		var d Display
		if err = f.into(&d); err == nil {
			l.sync()
			l.out.Display(f.id, d)
			err = l.frames.send(kindSeen, 0, nil)
		}
	case kindClear:
		l.sync()
		l.out.Clear(f.id, bytes.Equal(f.body, []byte("true")))
		err = l.frames.send(kindSeen, 0, nil)
	case kindDone:
		var r Reply
		if err = f.into(&r); err == nil {
			l.sync()
			l.settle()
			l.replied(f.id, r)
		}
	case kindAnswer:
		l.answer(f.id, f.body)
	case kindInput:
		var a asked
		if err = f.into(&a); err == nil {
			l.sync()
			l.input(f.id, a)
		}
	case kindNoInput:
		l.noInput(f.id)
	case kindSendComm:
		var c Comm
		if err = f.into(&c); err == nil {
			l.out.Comm(f.id, c)
		}
	}
	return err
}

// sync takes what was written to the descriptors before.
func (l *life) sync() {
	for _, r := range l.raw {
		r.sync()
	}
}

// settle waits a moment when a cell has ended while the worker seems to write
// its last words.
func (l *life) settle() {
	if !l.sieve.holds() {
		return
	}
	select {
	case <-l.p.ended:
	case <-time.After(dumpPause / 3):
	}
}

// sessionMade tells those who wait that the worker is ready.
func (l *life) sessionMade(r ready) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.Err != "" {
		l.failure = errors.New(r.Err)
		return
	}
	l.begun = true
	close(l.ready)
}

// do has the worker do something and waits for the end.
func (l *life) do(kind byte, id uint32, what any) Reply {
	t := &task{id: id, done: make(chan Reply, 1), asked: make(chan struct{})}
	l.mu.Lock()
	l.running = t
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.running == t {
			l.running = nil
		}
	}()
	select {
	case <-l.ready:
	case <-l.gone:
		return l.lost()
	case <-t.asked:
		return Reply{Err: interrupted()}
	}
	if err := l.frames.send(kind, id, what); err != nil {
		<-l.gone
		return l.lost()
	}
	return l.await(t)
}

// await waits for the reply of a task that the worker has.
func (l *life) await(t *task) Reply {
	var late <-chan time.Time
	asked := t.asked
	for {
		select {
		case r := <-t.done:
			return r
		case <-asked:
			asked = nil
			l.frames.send(kindInterrupt, t.id, nil)
			timer := time.NewTimer(interruptLimit)
			defer timer.Stop()
			late = timer.C
		case <-late:
			l.mu.Lock()
			l.stuck = t
			l.mu.Unlock()
			return Reply{Err: &eval.Error{Name: "interrupted", Message: stuckText, Traceback: []string{"interrupted: " + stuckText}}}
		case <-l.gone:
			select {
			case r := <-t.done: // the last that it sent
				return r
			default:
			}
			return l.lost()
		}
	}
}

const stuckText = "a compiled call of the cell does not end, and the worker is busy with it: the next cell waits for it. " +
	"Interrupt once more to end the worker; its variables are lost then."

// lost is the reply of a cell whose worker has died.
func (l *life) lost() Reply {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failure != nil {
		return failed(fmt.Errorf("worker: the session cannot begin: %w", l.failure))
	}
	return Reply{Err: l.death.err(), Lost: true}
}

// replied gives a reply to who waits for it.
func (l *life) replied(id uint32, r Reply) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stuck != nil && l.stuck.id == id {
		l.stuck = nil
	}
	if l.running != nil && l.running.id == id {
		l.running.done <- r
	}
}

// interrupt stops the running cell, and kills a worker that is stuck.
func (l *life) interrupt() {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.stuck != nil:
		l.kill("it was busy with a compiled call and was interrupted twice")
	case l.running != nil && !l.running.halted:
		l.running.halted = true
		close(l.running.asked)
	}
}

// kill ends the worker for a reason; l.mu is held.
func (l *life) kill(reason string) {
	if l.reason == "" {
		l.reason = reason
	}
	l.dying.Store(true)
	select {
	case <-l.p.ended:
	default:
		l.p.kill()
	}
}

// end ends the worker because the host wants it.
func (l *life) end(reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reason == "" {
		l.reason = reason
	}
	l.silent = true
	l.dying.Store(true)
	l.p.in.Close()
	time.AfterFunc(endLimit, func() {
		select {
		case <-l.p.ended:
		default:
			l.p.kill()
		}
	})
}

// bury waits for the death of the worker and gathers what it left.
func (l *life) bury(control <-chan struct{}) {
	<-l.p.ended
	l.dying.Store(true)
	select {
	case <-control:
	case <-time.After(time.Second): // a process that it started holds the other end
	}
	l.p.in.Close()
	l.p.out.Close()
	for _, r := range l.raw {
		r.close()
	}
	dump := l.sieve.take()
	l.mu.Lock()
	l.death = death{ending: l.p.end, dump: dump, reason: l.reason}
	idle := l.running == nil && !l.silent && l.begun
	again := l.begun && !l.silent
	for _, cancel := range l.inputs {
		cancel()
	}
	d := l.death
	l.mu.Unlock()
	l.h.dumped(d)
	if again {
		l.h.replace(l)
	}
	if idle {
		l.out.Died(d.err())
	}
	close(l.gone)
}

// ask puts a question to the worker.
func (l *life) ask(id uint32, q question) ([]byte, bool) {
	limit := time.NewTimer(askLimit)
	defer limit.Stop()
	select {
	case <-l.ready:
	case <-l.gone:
		return nil, false
	case <-limit.C:
		return nil, false
	}
	answer := make(chan []byte, 1)
	l.mu.Lock()
	l.asked[id] = answer
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.asked, id)
	}()
	if l.frames.send(kindAsk, id, q) != nil {
		return nil, false
	}
	select {
	case body := <-answer:
		return body, true
	case <-l.gone:
	case <-limit.C:
	}
	return nil, false
}

// alive says whether the worker answers.
func (l *life) alive() bool {
	_, ok := l.ask(l.h.questionID(), question{What: "alive"})
	return ok
}

// answer gives an answer to who waits for it.
func (l *life) answer(id uint32, body []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.asked[id]; c != nil {
		c <- body
		delete(l.asked, id)
	}
}

// input asks the user for a line and hands it to the worker.
func (l *life) input(id uint32, a asked) {
	ctx, cancel := context.WithCancel(context.Background())
	l.mu.Lock()
	l.inputs[id] = cancel
	l.mu.Unlock()
	go func() {
		defer l.noInput(id)
		text, err := l.out.Input(ctx, a.Cell, a.Prompt, a.Password)
		answer := line{Text: text}
		if err != nil {
			answer = line{Err: err.Error()}
		}
		l.frames.send(kindLine, id, answer)
	}()
}

// noInput ends a question to the user.
func (l *life) noInput(id uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if cancel := l.inputs[id]; cancel != nil {
		cancel()
		delete(l.inputs, id)
	}
}

// limit sets the memory limit; 0 or less: none.
func (l *life) limit(n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bytes = max(n, 0)
	soft := int64(math.MaxInt64)
	if l.bytes > 0 {
		soft = int64(softShare * float64(l.bytes))
	}
	l.frames.send(kindMemory, 0, soft)
}

// watchMemory kills the worker when it uses more than its limit.
func (l *life) watchMemory() {
	t := time.NewTimer(watchPause)
	defer t.Stop()
	for {
		select {
		case <-l.p.ended:
			return
		case <-t.C:
		}
		used, _ := usedMemory(l.p.pid)
		l.mu.Lock()
		limit := l.bytes
		if limit > 0 && used > limit {
			l.kill(fmt.Sprintf("it used %s of memory, and its limit is %s (%%memlimit sets another)", FormatMemory(used), FormatMemory(limit)))
		}
		l.mu.Unlock()
		if limit > 0 && used > limit/2 {
			t.Reset(closePause)
		} else {
			t.Reset(watchPause)
		}
	}
}

// Package server is a Jupyter kernel: it takes requests from the sockets of
// kernel/wire, runs cells on an evaluator, and sends what they print, show and
// return.
//
// One goroutine reads all requests. It answers those on the control channel at
// once, also while a cell runs, and queues those on the shell channel for a
// second goroutine, which serves them one after the other.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/chestlab/chest/kernel/display"
	"github.com/chestlab/chest/kernel/eval"
	"github.com/chestlab/chest/kernel/wire"
)

// Options controls Serve. The zero value is a kernel without a banner.
type Options struct {
	Banner    string          // what a console shows first
	Version   string          // of chest; "" means "0"
	HelpLinks []wire.HelpLink // of the front end's help menu
	Log       io.Writer       // the kernel's own messages; nil means the standard error of before Serve
}

// kernel is one kernel while it serves.
type kernel struct {
	o    Options
	ev   eval.Evaluator
	wire *wire.Server
	out  *outlet
	log  io.Writer
	stop context.CancelFunc // ends Serve
	ctx  context.Context

	queue   queue
	history history
	count   int       // execution count: cells that were stored
	failed  time.Time // when a cell with stop_on_error failed last

	mu      sync.Mutex
	cancel  context.CancelFunc // of the running cell; nil: none runs
	unknown map[string]bool    // message types that were logged
}

// serving guards the standard streams, of which a process has one set.
var serving atomic.Bool

// Serve runs a kernel on the sockets of conn until it is told to shut down, ctx
// ends, the process gets SIGTERM, or, when JPY_PARENT_PID is set, its parent
// dies. SIGINT and interrupt_request stop the running cell and nothing else.
//
// While it serves, all that the process writes to its standard output and
// error goes to the notebook, and display.Show too. A process can run one
// Serve at a time.
func Serve(ctx context.Context, conn wire.Connection, ev eval.Evaluator, o Options) error {
	if !serving.CompareAndSwap(false, true) {
		return errors.New("server: this process serves a kernel already")
	}
	defer serving.Store(false)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	cap, err := newCapture()
	if err != nil {
		return fmt.Errorf("server: capturing the standard streams: %w", err)
	}
	defer cap.close()
	k := &kernel{o: o, ev: ev, ctx: ctx, stop: stop, log: o.Log, unknown: map[string]bool{}}
	if k.log == nil {
		k.log = cap.stderr
	}
	if k.wire, err = listen(conn, cap.stderr); err != nil {
		return fmt.Errorf("server: %w", err)
	}
	defer k.wire.Close()
	k.out = newOutlet(k.wire.Publish, cap)
	before := display.SetSink(k.out)
	defer display.SetSink(before)
	cap.start(k.out.write)

	defer k.watchSignals()()
	go watchParent(ctx, stop)
	k.wire.Publish(wire.Header{}, "status", wire.Status{ExecutionState: wire.Starting})
	k.run()
	return nil
}

// listen binds the sockets. They log to the standard error of the process,
// which is about to become a part of the notebook.
func listen(conn wire.Connection, stderr *os.File) (*wire.Server, error) {
	before := os.Stderr
	os.Stderr = stderr
	defer func() { os.Stderr = before }()
	return wire.Listen(context.Background(), conn)
}

// endWait is how long Serve waits for a cell that does not end at shutdown.
const endWait = time.Second

// run reads requests until the kernel stops.
func (k *kernel) run() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			job, ok := k.queue.take(k.ctx)
			if !ok {
				return
			}
			k.serve(job)
		}
	}()
	for {
		select {
		case req, ok := <-k.wire.Requests():
			if !ok {
				k.stop()
				continue
			}
			k.accept(req)
		case <-k.ctx.Done():
			k.interrupt()
			select {
			case <-done:
			case <-time.After(endWait):
			}
			return
		}
	}
}

// accept answers a request at once or queues it. Cells always queue up.
func (k *kernel) accept(req wire.Request) {
	j := job{Request: req, at: time.Now()}
	switch {
	case req.Channel == wire.Control && req.Header.MsgType != "execute_request":
		k.serve(j)
	case req.Channel != wire.Stdin:
		k.queue.put(j)
	}
}

// serve handles one request between busy and idle.
func (k *kernel) serve(j job) {
	handle := handlers[j.Header.MsgType]
	if handle == nil {
		k.logOnce(j.Header.MsgType)
		return
	}
	k.publish(j, "status", wire.Status{ExecutionState: wire.Busy})
	defer k.publish(j, "status", wire.Status{ExecutionState: wire.Idle})
	defer func() {
		if r := recover(); r != nil {
			k.logf("%s: %v\n%s", j.Header.MsgType, r, stack())
			k.reply(j, wire.ErrorReply{EName: "kernel error", EValue: fmt.Sprint(r)})
		}
	}()
	handle(k, j)
}

// stack is the stack of a fault, for the log.
func stack() []byte {
	b := make([]byte, 16<<10)
	return b[:runtime.Stack(b, false)]
}

// reply answers a request with the type that belongs to it.
func (k *kernel) reply(j job, content any) {
	kind := strings.TrimSuffix(j.Header.MsgType, "_request") + "_reply"
	if err := k.wire.Reply(j.Request, kind, content); err != nil {
		k.logf("%v", err)
	}
}

// publish sends a message about a request to all front ends.
func (k *kernel) publish(j job, kind string, content any) {
	if err := k.wire.Publish(j.Header, kind, content); err != nil {
		k.logf("%v", err)
	}
}

// interrupt stops the running cell, if there is one.
func (k *kernel) interrupt() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.cancel != nil {
		k.cancel()
	}
}

// watchSignals makes SIGINT an interrupt and SIGTERM a shutdown, until the
// function it returns is called.
func (k *kernel) watchSignals() (stop func()) {
	c := make(chan os.Signal, 4)
	signal.Notify(c, os.Interrupt, syscall.SIGTERM)
	go func() {
		for s := range c {
			if s == os.Interrupt {
				k.interrupt()
			} else {
				k.stop()
			}
		}
	}()
	return func() {
		signal.Stop(c)
		close(c)
	}
}

// logf writes one line to the kernel's log.
func (k *kernel) logf(format string, args ...any) {
	fmt.Fprintf(k.log, "server: "+format+"\n", args...)
}

// logOnce notes the first message of a type that nothing handles.
func (k *kernel) logOnce(kind string) {
	k.mu.Lock()
	seen := k.unknown[kind]
	k.unknown[kind] = len(k.unknown) < 100
	k.mu.Unlock()
	if !seen {
		k.logf("ignoring messages of type %.80q", kind)
	}
}

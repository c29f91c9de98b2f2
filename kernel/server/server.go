// Package server is a Jupyter kernel: it takes requests from the sockets of
// kernel/wire, has cells run by the worker of kernel/worker, and sends what
// they print, show and return.
//
// One goroutine reads all requests. It answers those on the control channel at
// once, also while a cell runs, and queues those on the shell channel: cells,
// which are served one after the other, and questions, which do not wait for
// cells.
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

	"github.com/chestlab/chest/kernel/wire"
	"github.com/chestlab/chest/kernel/worker"
)

// Options controls Serve. The zero value is a kernel without a banner whose
// worker is this program.
type Options struct {
	Banner    string          // what a console shows first
	Version   string          // of chest; "" means "0"
	HelpLinks []wire.HelpLink // of the front end's help menu; nil: the Go language
	Log       io.Writer       // the kernel's own messages; nil means the standard error
	Debug     bool            // log the crash dumps of workers whole, and clients that left
	Worker    worker.Options  // how cells are run; its Output is the kernel's
}

// kernel is one kernel while it serves.
type kernel struct {
	o    Options
	host *worker.Host
	wire *wire.Server
	out  *outlet
	log  io.Writer
	stop context.CancelFunc // ends Serve
	ctx  context.Context

	queue   queue // cells, and what must not overtake them
	quick   queue // questions that are answered while a cell runs
	history history
	good    good
	comms   comms
	lines   lines
	count   int       // execution count: cells that were stored
	failed  time.Time // when a cell with stop_on_error failed last
	cells   atomic.Uint32

	mu      sync.Mutex
	running *job            // of the shell channel
	unknown map[string]bool // message types that were logged
}

// Serve runs a kernel on the sockets of conn until it is told to shut down, ctx
// ends, the process gets SIGTERM, or, when JPY_PARENT_PID is set, its parent
// dies. SIGINT and interrupt_request stop the running cell and nothing else.
func Serve(ctx context.Context, conn wire.Connection, o Options) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	k := &kernel{o: o, ctx: ctx, stop: stop, log: o.Log, unknown: map[string]bool{}}
	if k.log == nil {
		k.log = os.Stderr
	}
	k.out = newOutlet(k)
	k.o.Worker.Output = k.out
	if o.Debug {
		k.o.Worker.Dumps = k.log
	}
	// The sockets first, so that output has a way; the worker begins meanwhile.
	var err error
	if k.wire, err = wire.Listen(context.Background(), conn); err != nil {
		return fmt.Errorf("server: %w", err)
	}
	defer k.wire.Close()
	k.host = worker.New(k.o.Worker)
	defer k.host.Close()
	defer k.watchSignals()()
	go watchParent(ctx, stop)
	k.wire.Publish(wire.Header{}, "status", wire.Status{ExecutionState: wire.Starting})
	k.run()
	return nil
}

// endWait is how long Serve waits for a cell that does not end at shutdown.
const endWait = time.Second

// quickServers is how many questions are answered at a time.
const quickServers = 4

// run reads requests until the kernel stops.
func (k *kernel) run() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		k.serveAll(&k.queue)
	}()
	for range quickServers {
		go k.serveAll(&k.quick)
	}
	for {
		select {
		case req, ok := <-k.wire.Requests():
			if !ok {
				k.stop()
				continue
			}
			k.accept(req)
		case <-k.ctx.Done():
			k.host.Interrupt()
			select {
			case <-done:
			case <-time.After(endWait):
			}
			return
		}
	}
}

// serveAll serves the requests of a queue.
func (k *kernel) serveAll(q *queue) {
	for {
		j, ok := q.take(k.ctx)
		if !ok {
			return
		}
		k.serve(j)
	}
}

// accept answers a request at once or queues it. Cells always queue up;
// questions about code and about the kernel do not wait for them.
func (k *kernel) accept(req wire.Request) {
	j := job{Request: req, at: time.Now()}
	kind := req.Header.MsgType
	switch {
	case req.Channel == wire.Stdin:
		if kind == "input_reply" {
			k.lines.take(req)
		}
	case quick[kind]:
		k.quick.put(j)
	case req.Channel == wire.Control && kind != "execute_request" && !ordered[kind]:
		k.serve(j)
	default:
		k.queue.put(j)
	}
}

// quick are the requests that need no worker, or only its assistant.
var quick = map[string]bool{
	"kernel_info_request": true, "is_complete_request": true, "complete_request": true,
	"inspect_request": true, "comm_info_request": true,
}

// ordered are the messages that wait for cells on every channel.
var ordered = map[string]bool{"comm_open": true, "comm_msg": true, "comm_close": true}

// serve handles one request between busy and idle.
func (k *kernel) serve(j job) {
	handle := handlers[j.Header.MsgType]
	if handle == nil {
		k.logOnce(j.Header.MsgType)
		return
	}
	k.busy(j)
	defer k.idle(j)
	defer func() {
		if r := recover(); r != nil {
			k.logf("%s: %v\n%s", j.Header.MsgType, r, stack())
			k.reply(j, wire.ErrorReply{EName: "kernel error", EValue: fmt.Sprint(r)})
		}
	}()
	handle(k, j)
}

// busy tells that a request is being served.
func (k *kernel) busy(j job) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if j.Header.MsgType == "execute_request" {
		k.running = &j
	}
	k.publish(j, "status", wire.Status{ExecutionState: wire.Busy})
}

// idle tells that a request was served. When it was a question beside a running
// cell, front ends are reminded that the kernel is busy.
func (k *kernel) idle(j job) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.publish(j, "status", wire.Status{ExecutionState: wire.Idle})
	if j.Header.MsgType == "execute_request" {
		k.running = nil
	}
	if k.running != nil {
		k.publish(*k.running, "status", wire.Status{ExecutionState: wire.Busy})
	}
}

// stack is the stack of a fault, for the log.
func stack() []byte {
	b := make([]byte, 16<<10)
	return b[:runtime.Stack(b, false)]
}

// reply answers a request with the type that belongs to it. That its client has
// left is no news: Jupyter asks new kernels through sockets that it closes soon.
func (k *kernel) reply(j job, content any) {
	kind := strings.TrimSuffix(j.Header.MsgType, "_request") + "_reply"
	if err := k.wire.Reply(j.Request, kind, content); err != nil && (k.o.Debug || !errors.Is(err, wire.ErrGone)) {
		k.logf("%v", err)
	}
}

// publish sends a message about a request to all front ends.
func (k *kernel) publish(j job, kind string, content any) {
	if err := k.wire.Publish(j.Header, kind, content); err != nil {
		k.logf("%v", err)
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
				k.host.Interrupt()
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

// maxUnknown bounds the types that are logged.
const maxUnknown = 100

// logOnce notes the first message of a type that nothing handles.
func (k *kernel) logOnce(kind string) {
	k.mu.Lock()
	seen := k.unknown[kind] || len(k.unknown) >= maxUnknown
	if !seen {
		k.unknown[kind] = true
	}
	k.mu.Unlock()
	if !seen {
		k.logf("ignoring messages of type %.80q", kind)
	}
}

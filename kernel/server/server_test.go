package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chestlab/chest/kernel/display"
	"github.com/chestlab/chest/kernel/eval"
	"github.com/chestlab/chest/kernel/wire"
	"github.com/chestlab/chest/kernel/worker"
)

// script is an evaluator whose cells are names of functions.
type script map[string]func(ctx context.Context) eval.Result

func (s script) Run(ctx context.Context, c eval.Cell) eval.Result {
	if f := s[c.Code]; f != nil {
		return f(ctx)
	}
	e := &eval.Error{Name: "compile error", Message: "undefined: " + c.Code, Traceback: []string{c.Name + ":1:1: undefined: " + c.Code}}
	return eval.Result{Err: e}
}

func (s script) IsComplete(code string) eval.Completeness {
	if strings.HasSuffix(code, "{") {
		return eval.Completeness{Status: "incomplete", Indent: "\t"}
	}
	return eval.Completeness{Status: "complete"}
}

// values is a cell that gives values.
func values(v ...any) func(context.Context) eval.Result {
	return func(context.Context) eval.Result { return eval.Result{Values: v} }
}

// does is a cell that does something.
func does(f func()) func(context.Context) eval.Result {
	return func(context.Context) eval.Result { f(); return eval.Result{} }
}

// blocked is a cell that waits for an interrupt.
func blocked(entered chan<- struct{}) func(context.Context) eval.Result {
	return func(ctx context.Context) eval.Result {
		entered <- struct{}{}
		<-ctx.Done()
		return eval.Result{Err: &eval.Error{Name: "interrupted", Message: "stopped"}}
	}
}

// syncBuffer is a log that a test reads while the kernel writes.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// front is a front end with a kernel that runs in this process.
type front struct {
	*testing.T
	*wire.Client
	conn   wire.Connection
	served chan error
	stop   context.CancelFunc
	log    *syncBuffer
	events []event // everything that came and was not yet taken
}

// event is a message of any channel; on iopub, channel is -1.
type event struct {
	channel wire.Channel
	wire.Message
}

const iopub = wire.Channel(-1)

// start serves ev, in a worker within this process, and connects to it. A nil
// ev leaves the worker to o.
func start(t *testing.T, ev eval.Evaluator, o Options) *front {
	t.Helper()
	conn, err := wire.NewConnection()
	if err != nil {
		t.Fatal(err)
	}
	f := &front{T: t, conn: conn, served: make(chan error, 1), log: &syncBuffer{}}
	o.Log = f.log
	if ev != nil {
		o.Worker.Local = func(*worker.Outlet) (worker.Session, error) { return worker.Session{Evaluator: ev}, nil }
	}
	ctx, stop := context.WithCancel(context.Background())
	f.stop = stop
	go func() { f.served <- Serve(ctx, conn, o) }()
	limit, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	f.Client, err = wire.Dial(limit, conn)
	if err == nil {
		_, err = f.Ready(limit)
	}
	t.Cleanup(func() {
		stop()
		if f.Client != nil {
			f.Client.Close()
		}
		select {
		case err := <-f.served:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Error("Serve does not return")
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// send sends a request.
func (f *front) send(c wire.Channel, kind string, content any) string {
	f.Helper()
	id, err := f.Send(c, kind, content)
	if err != nil {
		f.Fatal(err)
	}
	return id
}

// run sends a cell.
func (f *front) run(code string) string {
	f.Helper()
	return f.send(wire.Shell, "execute_request", map[string]any{"code": code})
}

// await waits for the first event that fits and keeps all others.
func (f *front) await(what string, fit func(event) bool) event {
	f.Helper()
	for i, e := range f.events {
		if fit(e) {
			f.events = append(f.events[:i:i], f.events[i+1:]...)
			return e
		}
	}
	limit := time.After(10 * time.Second)
	outputs, replies := f.IOPub(), f.Replies()
	for {
		if outputs == nil && replies == nil {
			f.Fatalf("waiting for %s: the kernel has gone", what)
		}
		var e event
		select {
		case m, ok := <-outputs:
			if !ok {
				outputs = nil
				continue
			}
			e = event{iopub, m}
		case r, ok := <-replies:
			if !ok {
				replies = nil
				continue
			}
			e = event{r.Channel, r.Message}
		case <-limit:
			f.Fatalf("%s did not come; there are %s", what, f.kinds())
		}
		if fit(e) {
			return e
		}
		f.events = append(f.events, e)
	}
}

func (f *front) kinds() string {
	var all []string
	for _, e := range f.events {
		all = append(all, e.Header.MsgType)
	}
	return strings.Join(all, " ")
}

// finish waits for the idle that belongs to a request and returns all that
// answered it: the messages of iopub in order, then the reply.
func (f *front) finish(id string) (messages []event, reply event) {
	f.Helper()
	mine := func(e event) bool { return e.Parent.MsgID == id }
	reply = f.await("the reply", func(e event) bool { return mine(e) && e.channel != iopub })
	for {
		e := f.await("idle", func(e event) bool { return mine(e) && e.channel == iopub })
		messages = append(messages, e)
		if e.Header.MsgType == "status" && field(e, "execution_state") == "idle" {
			return messages, reply
		}
	}
}

// field is one field of a message content, as text.
func field(e event, name string) string {
	var m map[string]any
	json.Unmarshal(e.Content, &m)
	if m[name] == nil {
		return ""
	}
	return fmt.Sprint(m[name])
}

// text joins the text of the stream messages among events.
func text(events []event, name string) (s string, messages int) {
	for _, e := range events {
		if e.Header.MsgType == "stream" && field(e, "name") == name {
			s += field(e, "text")
			messages++
		}
	}
	return s, messages
}

func TestStreamsAndOrder(t *testing.T) {
	f := start(t, script{
		"mix": does(func() {
			fmt.Println("one")
			display.ShowAs("id1", display.Bundle{"text/plain": "shown", "image/png": []byte{1, 2, 3}})
			fmt.Print("two")
			display.Update("id1", display.Text("again"))
			display.Clear(true)
			fmt.Fprint(os.Stderr, "bad")
			fmt.Fprintln(os.Stderr, "raw")
		}),
		"many": does(func() {
			for i := range 10000 {
				fmt.Println("line", i)
			}
		}),
		"rune": does(func() {
			for _, b := range []byte("äöü€😀") {
				os.Stdout.Write([]byte{b})
				time.Sleep(15 * time.Millisecond)
			}
		}),
		"big": does(func() { fmt.Println(strings.Repeat("x", 3<<20)) }),
	}, Options{})

	events, reply := f.finish(f.run("mix"))
	var order []string
	for _, e := range events {
		switch e.Header.MsgType {
		case "status", "execute_input":
		case "stream":
			order = append(order, field(e, "name")+":"+field(e, "text"))
		default:
			order = append(order, e.Header.MsgType+":"+field(e, "transient")+field(e, "data")+field(e, "wait"))
		}
	}
	want := []string{
		"stdout:one\n", "display_data:map[display_id:id1]map[image/png:AQID text/plain:shown]",
		"stdout:two", "update_display_data:map[display_id:id1]map[text/plain:again]", "clear_output:true", "stderr:badraw\n",
	}
	if got := strings.Join(order, "|"); got != strings.Join(want, "|") {
		t.Errorf("got %q\nwant %q", order, want)
	}
	if field(reply, "status") != "ok" {
		t.Errorf("reply %s", reply.Content)
	}

	events, _ = f.finish(f.run("many"))
	out, n := text(events, "stdout")
	if strings.Count(out, "\n") != 10000 || !strings.HasSuffix(out, "line 9999\n") || n > 20 {
		t.Errorf("%d lines in %d messages", strings.Count(out, "\n"), n)
	}
	events, _ = f.finish(f.run("rune"))
	if out, n := text(events, "stdout"); out != "äöü€😀" || n < 2 {
		t.Errorf("got %q in %d messages", out, n)
	}
	events, _ = f.finish(f.run("big"))
	if out, _ := text(events, "stdout"); len(out) != 3<<20+1 {
		t.Errorf("%d bytes of %d", len(out), 3<<20+1)
	}
}

// TestStreamWhileRunning sees output before the cell has ended, and output of
// a goroutine after it.
func TestStreamWhileRunning(t *testing.T) {
	leave, later := make(chan struct{}), make(chan struct{})
	f := start(t, script{
		"wait":  does(func() { fmt.Println("first"); <-leave }),
		"spawn": does(func() { go func() { <-later; fmt.Println("from behind") }() }),
	}, Options{})
	id := f.run("wait")
	f.await("a stream", func(e event) bool { return e.Header.MsgType == "stream" && field(e, "text") == "first\n" })
	// A question on the control channel is answered meanwhile.
	f.send(wire.Control, "kernel_info_request", nil)
	f.await("kernel_info_reply on control", func(e event) bool {
		return e.channel == wire.Control && e.Header.MsgType == "kernel_info_reply"
	})
	close(leave)
	f.finish(id)
	id = f.run("spawn")
	f.finish(id)
	close(later)
	e := f.await("output of the goroutine", func(e event) bool { return e.Header.MsgType == "stream" })
	if e.Parent.MsgID != id || field(e, "text") != "from behind\n" {
		t.Errorf("got %s of %+v", e.Content, e.Parent)
	}
}

func TestInterrupts(t *testing.T) {
	entered := make(chan struct{})
	f := start(t, script{"block": blocked(entered), "value": values(7)}, Options{})
	for _, how := range []string{"message", "signal"} {
		id := f.run("block")
		<-entered
		if how == "message" {
			q := f.send(wire.Control, "interrupt_request", nil)
			if _, reply := f.finish(q); reply.channel != wire.Control || reply.Header.MsgType != "interrupt_reply" || field(reply, "status") != "ok" {
				t.Errorf("interrupt: %s %s", reply.channel, reply.Content)
			}
		} else if self, err := os.FindProcess(os.Getpid()); err != nil || self.Signal(os.Interrupt) != nil {
			t.Skip("this system cannot send itself a signal")
		}
		if _, reply := f.finish(id); field(reply, "status") != "error" || field(reply, "ename") != "interrupted" {
			t.Errorf("%s: %s", how, reply.Content)
		}
		if _, reply := f.finish(f.run("value")); field(reply, "status") != "ok" {
			t.Errorf("after the %s: %s", how, reply.Content)
		}
	}
	// An interrupt while nothing runs changes nothing.
	f.finish(f.send(wire.Control, "interrupt_request", nil))
	if _, reply := f.finish(f.run("value")); field(reply, "status") != "ok" {
		t.Errorf("after an idle interrupt: %s", reply.Content)
	}
}

func TestErrorAbortsQueue(t *testing.T) {
	leave := make(chan struct{})
	ran := make(chan string, 10)
	f := start(t, script{
		"fail": func(context.Context) eval.Result {
			<-leave
			return eval.Result{Err: &eval.Error{Name: "panic", Message: "boom", Traceback: []string{"panic: boom"}}}
		},
		"next": does(func() { ran <- "next" }),
	}, Options{})
	first := f.run("fail")
	second, third := f.run("next"), f.run("next")
	info := f.send(wire.Shell, "kernel_info_request", nil)
	f.await("busy", func(e event) bool { return e.Parent.MsgID == first && field(e, "execution_state") == "busy" })
	close(leave)
	f.finish(first)
	for _, id := range []string{second, third} {
		if _, reply := f.finish(id); field(reply, "status") != "aborted" {
			t.Errorf("queued cell: %s", reply.Content)
		}
	}
	if _, reply := f.finish(info); field(reply, "status") != "ok" {
		t.Errorf("a queued question: %s", reply.Content)
	}
	if _, reply := f.finish(f.run("next")); field(reply, "status") != "ok" || len(ran) != 1 {
		t.Errorf("cell sent after the error: %s, %d ran", reply.Content, len(ran))
	}
	// With stop_on_error false the queue goes on.
	one := f.send(wire.Shell, "execute_request", map[string]any{"code": "nope", "stop_on_error": false})
	two := f.run("next")
	f.finish(one)
	if _, reply := f.finish(two); field(reply, "status") != "ok" {
		t.Errorf("behind an error that does not stop: %s", reply.Content)
	}
}

func TestForgedMessageDoesNotRun(t *testing.T) {
	ran := make(chan struct{}, 1)
	f := start(t, script{"run": does(func() { ran <- struct{}{} })}, Options{})
	forged := f.conn
	forged.Key = "another key"
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := wire.Dial(ctx, forged)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Send(wire.Shell, "execute_request", map[string]any{"code": "run"}); err != nil {
		t.Fatal(err)
	}
	if err := c.Ping(ctx); err != nil { // the kernel lives
		t.Fatal(err)
	}
	f.finish(f.send(wire.Shell, "kernel_info_request", nil))
	select {
	case <-ran:
		t.Error("a forged cell ran")
	case <-time.After(50 * time.Millisecond):
	}
}

func TestShutdown(t *testing.T) {
	for _, channel := range []wire.Channel{wire.Control, wire.Shell} {
		entered := make(chan struct{}, 1)
		f := start(t, script{"block": blocked(entered)}, Options{})
		if channel == wire.Control {
			f.run("block")
			<-entered
		}
		id := f.send(channel, "shutdown_request", wire.ShutdownRequest{Restart: true})
		reply := f.await("shutdown_reply", func(e event) bool { return e.channel != iopub && e.Parent.MsgID == id })
		if reply.channel != channel || reply.Header.MsgType != "shutdown_reply" || field(reply, "restart") != "true" || field(reply, "status") != "ok" {
			t.Errorf("%s: %s %s", channel, reply.channel, reply.Content)
		}
		select {
		case err := <-f.served:
			f.served <- err
		case <-time.After(10 * time.Second):
			t.Fatal("Serve does not return")
		}
		if display.InNotebook() {
			t.Error("the sink is still set")
		}
	}
}

func TestUnknownMessageIsLoggedOnce(t *testing.T) {
	f := start(t, script{"value": values(1)}, Options{})
	for range 3 {
		f.send(wire.Shell, "strange_request", nil)
	}
	f.finish(f.run("value")) // in the same queue, behind them
	if got := f.log.String(); strings.Count(got, "strange_request") != 1 {
		t.Errorf("log: %q", got)
	}
}

// TestClientThatLeft: the answer to a client that has gone is told only to those
// who look for faults.
func TestClientThatLeft(t *testing.T) {
	for _, debug := range []bool{true, false} { // one kernel after the other: they share what a process has once
		t.Run(fmt.Sprint("debug ", debug), func(t *testing.T) { clientLeaves(t, debug) })
	}
}

func clientLeaves(t *testing.T, debug bool) {
	begun, release := make(chan bool), make(chan bool)
	f := start(t, script{"wait": does(func() { begun <- true; <-release }), "value": values(1)}, Options{Debug: debug})
	for try := 0; ; try++ { // the kernel hears of the end a moment later
		guest, err := wire.Dial(t.Context(), f.conn)
		if err == nil {
			_, err = guest.Ready(t.Context())
		}
		if err == nil {
			_, err = guest.Send(wire.Shell, "execute_request", map[string]any{"code": "wait"})
		}
		if err != nil {
			t.Fatal(err)
		}
		<-begun
		guest.Close()
		time.Sleep(20 * time.Millisecond << try)
		release <- true
		f.finish(f.run("value"))
		if told := strings.Contains(f.log.String(), "not connected"); told != debug && try < 6 && debug {
			continue
		} else if told != debug {
			t.Errorf("debug %v: the log is %q", debug, f.log.String())
		}
		return
	}
}

func TestFaultOfTheEvaluator(t *testing.T) {
	f := start(t, script{"fault": does(func() { panic("broken") }), "value": values(1)}, Options{})
	if _, reply := f.finish(f.run("fault")); field(reply, "status") != "error" || field(reply, "evalue") != "broken" {
		t.Errorf("got %s", reply.Content)
	}
	if _, reply := f.finish(f.run("value")); field(reply, "status") != "ok" {
		t.Errorf("after the fault: %s", reply.Content)
	}
}

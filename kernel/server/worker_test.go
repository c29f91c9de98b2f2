package server

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chestlab/chest/kernel/assist"
	"github.com/chestlab/chest/kernel/display"
	"github.com/chestlab/chest/kernel/eval"
	"github.com/chestlab/chest/kernel/wire"
	"github.com/chestlab/chest/kernel/worker"
)

// knowing is an assistant that completes every word to one that begins with é.
type knowing struct{}

func (knowing) Complete(code string, cursor int) assist.Completion {
	return assist.Completion{Start: strings.LastIndexAny(code[:cursor], " .") + 1, End: cursor, Matches: []assist.Match{
		{Text: "éclair", Kind: "function", Detail: "func()"}, {Text: "été", Kind: "variable", Detail: "int"},
	}}
}

func (knowing) Inspect(code string, cursor, detail int) assist.Inspection {
	if detail == 0 {
		return assist.Inspection{}
	}
	return assist.Inspection{Found: true, Text: fmt.Sprint("byte ", cursor), Markdown: "*byte*"}
}

func (knowing) IsComplete(code string) eval.Completeness {
	return eval.Completeness{Status: "incomplete", Indent: "\t\t"}
}

// assisted is a kernel in this process with an assistant.
func assisted(t *testing.T, ev eval.Evaluator) *front {
	return start(t, nil, Options{Worker: worker.Options{Local: func(*worker.Outlet) (worker.Session, error) {
		return worker.Session{Evaluator: ev, Assistant: knowing{}}, nil
	}}})
}

// remote is a kernel whose worker is a process of its own.
func remote(t *testing.T, o Options) *front {
	t.Helper()
	o.Worker.Env = append(o.Worker.Env, roleVar+"=worker")
	return start(t, nil, o)
}

// TestQuestionsWhileRunning asks on both channels while a cell runs. Offsets
// of the protocol count characters.
func TestQuestionsWhileRunning(t *testing.T) {
	entered := make(chan struct{})
	f := assisted(t, script{"block": blocked(entered)})
	id := f.run("block")
	<-entered
	for _, channel := range []wire.Channel{wire.Shell, wire.Control} {
		for _, q := range []struct {
			kind    string
			content map[string]any
			holds   string
		}{
			{"complete_request", map[string]any{"code": "日本 é.ab", "cursor_pos": 7},
				`"matches":["éclair","été"],"cursor_start":5,"cursor_end":7,"metadata":{"_jupyter_types_experimental":[{"text":"éclair","type":"function","signature":"func()","start":5,"end":7},`},
			{"complete_request", map[string]any{"code": "", "cursor_pos": 99}, `"cursor_start":0,"cursor_end":0`},
			{"complete_request", map[string]any{"code": "abc", "cursor_pos": -1}, `"cursor_start":0,"cursor_end":0`},
			{"inspect_request", map[string]any{"code": "é", "cursor_pos": 1, "detail_level": 1}, `"found":true,"data":{"text/markdown":"*byte*","text/plain":"byte 2"}`},
			{"inspect_request", map[string]any{"code": "é", "cursor_pos": 1}, `"found":false,"data":{}`},
			{"is_complete_request", map[string]any{"code": "x"}, `"status":"incomplete","indent":"\t\t"`},
			{"kernel_info_request", map[string]any{}, `"protocol_version":"5.4"`},
			{"comm_info_request", map[string]any{}, `"comms":{}`},
		} {
			begin := time.Now()
			_, reply := f.finish(f.send(channel, q.kind, q.content))
			if reply.channel != channel || !strings.Contains(string(reply.Content), q.holds) {
				t.Errorf("%s on %s: %s %s\ndoes not hold %s", q.kind, channel, reply.channel, reply.Content, q.holds)
			}
			if took := time.Since(begin); took > 200*time.Millisecond {
				t.Errorf("%s took %v", q.kind, took)
			}
		}
	}
	f.finish(f.send(wire.Control, "interrupt_request", nil))
	events, reply := f.finish(id)
	if field(reply, "ename") != "interrupted" {
		t.Errorf("the cell: %s", reply.Content)
	}
	for i, e := range events[1 : len(events)-1] {
		if e.Header.MsgType == "status" && field(e, "execution_state") != "busy" {
			t.Errorf("message %d of the cell: %s", i+1, e.Content)
		}
	}
}

func TestPayloads(t *testing.T) {
	f := start(t, script{
		"page": func(context.Context) eval.Result { return eval.Result{Page: display.Markdown("# doc").Data} },
		"next": func(context.Context) eval.Result { return eval.Result{NextInput: "x := 1"} },
	}, Options{})
	_, reply := f.finish(f.run("page"))
	if want := `"payload":[{"source":"page","data":{"text/markdown":"# doc","text/plain":"# doc"},"start":0}]`; !strings.Contains(string(reply.Content), want) {
		t.Errorf("%s\ndoes not hold %s", reply.Content, want)
	}
	_, reply = f.finish(f.run("next"))
	if want := `"payload":[{"source":"set_next_input","text":"x := 1","replace":true}]`; !strings.Contains(string(reply.Content), want) {
		t.Errorf("%s\ndoes not hold %s", reply.Content, want)
	}
}

// TestStdin has cells that ask the user.
func TestStdin(t *testing.T) {
	f := start(t, nil, Options{Worker: worker.Options{Local: cellSession}})
	ask := func(code string) string {
		return f.send(wire.Shell, "execute_request", map[string]any{"code": code, "allow_stdin": true})
	}
	question := func(id string) event {
		return f.await("input_request", func(e event) bool { return e.Header.MsgType == "input_request" && e.Parent.MsgID == id })
	}
	id := ask("var name string\nn, err := fmt.Scanln(&name)\nfmt.Print(name, n, err)")
	q := question(id)
	if q.channel != wire.Stdin || field(q, "password") != "false" {
		t.Errorf("on %s: %s", q.channel, q.Content)
	}
	f.Answer(wire.Request{Channel: wire.Stdin, Message: q.Message}, "input_reply", wire.InputReply{Value: "Ada"})
	events, _ := f.finish(id)
	if out, _ := text(events, "stdout"); out != "Ada1 <nil>" {
		t.Errorf("got %q", out)
	}
	events, _ = f.finish(f.run("n, err = fmt.Scanln(&name)\nfmt.Print(err)"))
	if out, _ := text(events, "stdout"); !strings.Contains(out, "allow_stdin") {
		t.Errorf("where nobody can be asked: %q", out)
	}
	if raceDetector {
		return
	}
	id = ask("fmt.Scanln(&name)")
	q = question(id)
	f.finish(f.send(wire.Control, "interrupt_request", nil))
	if _, reply := f.finish(id); field(reply, "status") != "error" {
		t.Errorf("interrupted: %s", reply.Content)
	}
	// The late answer to it is nobody's.
	f.Answer(wire.Request{Channel: wire.Stdin, Message: q.Message}, "input_reply", wire.InputReply{Value: "late"})
	id = ask("fmt.Scanln(&name)\nname")
	q = question(id)
	f.Answer(wire.Request{Channel: wire.Stdin, Message: q.Message}, "input_reply", wire.InputReply{Value: "Bob"})
	events, _ = f.finish(id)
	if got := field(events[len(events)-2], "data"); !strings.Contains(got, "Bob") {
		t.Errorf("after the interrupt: %s", got)
	}
}

// TestComm opens comms from both sides.
func TestComm(t *testing.T) {
	worker.ReceiveComm = func(kind, id, target string, data, metadata map[string]any) {
		fmt.Print(kind, id, target, data, metadata)
	}
	defer func() { worker.ReceiveComm = nil }()
	var out *worker.Outlet
	f := start(t, nil, Options{Worker: worker.Options{Local: func(o *worker.Outlet) (worker.Session, error) {
		out = o
		return worker.Session{Evaluator: script{
			"open":  does(func() { out.SendComm("open", "k1", "slider", map[string]any{"v": 1}, map[string]any{"version": "2"}) }),
			"close": does(func() { out.SendComm("close", "k1", "", nil, nil) }),
		}}, nil
	}}})
	id := f.run("open")
	events, _ := f.finish(id)
	e := events[2]
	if e.Header.MsgType != "comm_open" || string(e.Content) != `{"comm_id":"k1","target_name":"slider","data":{"v":1}}` || e.Metadata["version"] != "2" {
		t.Errorf("%s %s %v", e.Header.MsgType, e.Content, e.Metadata)
	}
	info := func(target, want string) {
		t.Helper()
		_, reply := f.finish(f.send(wire.Shell, "comm_info_request", map[string]any{"target_name": target}))
		var got struct{ Comms json.RawMessage }
		json.Unmarshal(reply.Content, &got)
		if string(got.Comms) != want {
			t.Errorf("comms of %q: %s, want %s", target, got.Comms, want)
		}
	}
	info("slider", `{"k1":{"target_name":"slider"}}`)
	info("other", `{}`)
	id = f.send(wire.Shell, "comm_msg", wire.CommMessage{CommID: "k1", Data: map[string]any{"v": 2}})
	e = f.await("what the receiver prints", func(e event) bool { return e.Header.MsgType == "stream" && e.Parent.MsgID == id })
	if got := field(e, "text"); got != "msgk1map[v:2] map[]" {
		t.Errorf("got %q", got)
	}
	f.send(wire.Shell, "comm_open", wire.CommOpen{CommID: "f1", TargetName: "slider"})
	f.finish(f.run("close"))
	info("", `{"f1":{"target_name":"slider"}}`)
}

// TestCommands resets and restores a worker and limits its memory.
func TestCommands(t *testing.T) {
	f := remote(t, Options{})
	out := func(code string) string {
		t.Helper()
		events, reply := f.finish(f.run(code))
		all, _ := text(events, "stdout")
		for _, e := range events {
			switch e.Header.MsgType {
			case "execute_result", "update_display_data", "display_data":
				all += field(e, "data")
			}
		}
		return all + field(reply, "ename")
	}
	out("x := 1")
	out(`fmt.Println("loud"); x = x + 1`)
	out("nope")
	if got := out("x"); got != "map[text/plain:2]" {
		t.Fatal(got)
	}
	if got := out("%reset"); !strings.Contains(got, "forgotten") {
		t.Error(got)
	}
	if got := out("x"); got != "compile error" {
		t.Error(got)
	}
	got := out(" %restore\n")
	if strings.Contains(got, "loud") || !strings.Contains(got, "cell 2 of 3: In[2]") || !strings.HasSuffix(got, "map[text/plain:Restored 3 of 3 cells.]") {
		t.Error(got)
	}
	if got := out("x"); got != "map[text/plain:2]" {
		t.Error(got)
	}
	for code, want := range map[string]string{
		"%memlimit":         "limit",
		"%memlimit 2GB":     "limit 2 GB, used ",
		"%memlimit off":     "no limit",
		"%memlimit lots":    "command error",
		"%memlimit 1GB\n1":  "error",
		"%reset everything": "command error",
	} {
		if got := out(code); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
}

// TestWorkerDies kills the worker: while a cell runs and between cells.
func TestWorkerDies(t *testing.T) {
	f := remote(t, Options{})
	f.finish(f.run("x := 7"))
	queued := f.run("fmt.Print(\"first\"); display.Die(); select {}")
	after := f.run("1 + 1")
	events, reply := f.finish(queued)
	if field(reply, "ename") != worker.NameDied || !strings.Contains(field(reply, "evalue"), "SIGKILL") {
		t.Errorf("reply: %s", reply.Content)
	}
	if out, _ := text(events, "stdout"); out != "first" {
		t.Errorf("what it printed before: %q", out)
	}
	if _, reply := f.finish(after); field(reply, "status") != "aborted" {
		t.Errorf("the queued cell: %s", reply.Content)
	}
	if _, reply := f.finish(f.run("1 + 1")); field(reply, "status") != "ok" {
		t.Errorf("the next cell: %s", reply.Content)
	}
	f.finish(f.run("%restore"))
	if _, reply := f.finish(f.run("if x != 7 { panic(x) }")); field(reply, "status") != "ok" {
		t.Errorf("after %%restore: %s", reply.Content)
	}
	id := f.run("go func() { time.Sleep(50 * time.Millisecond); display.Die() }()")
	f.finish(id)
	e := f.await("the news", func(e event) bool { return e.Header.MsgType == "stream" && e.Parent.MsgID == id })
	if field(e, "name") != "stderr" || !strings.Contains(field(e, "text"), "SIGKILL") {
		t.Errorf("between cells: %s", e.Content)
	}
}

func TestDebugIsRefused(t *testing.T) {
	f := start(t, script{}, Options{})
	_, reply := f.finish(f.send(wire.Control, "debug_request", map[string]any{"type": "request", "command": "initialize"}))
	if reply.channel != wire.Control || reply.Header.MsgType != "debug_reply" || field(reply, "status") != "error" {
		t.Errorf("%s %s", reply.Header.MsgType, reply.Content)
	}
}

// TestThousandCells: the kernel does not grow with the cells.
func TestThousandCells(t *testing.T) {
	f := start(t, script{"3": values(3)}, Options{})
	for range 1000 {
		if _, reply := f.finish(f.run("3")); field(reply, "status") != "ok" {
			t.Fatal(string(reply.Content))
		}
		f.events = nil
	}
}

// TestStartIsEarly: kernel_info is answered while the session is being made.
func TestStartIsEarly(t *testing.T) {
	leave := make(chan struct{})
	f := start(t, nil, Options{Worker: worker.Options{Local: func(*worker.Outlet) (worker.Session, error) {
		<-leave
		return worker.Session{Evaluator: script{"3": values(3)}}, nil
	}}})
	id := f.run("3")
	f.finish(f.send(wire.Shell, "kernel_info_request", nil))
	if _, reply := f.finish(f.send(wire.Shell, "complete_request", map[string]any{"code": "f", "cursor_pos": 1})); field(reply, "status") != "ok" {
		t.Errorf("completion: %s", reply.Content)
	}
	close(leave)
	if _, reply := f.finish(id); field(reply, "status") != "ok" {
		t.Errorf("the cell: %s", reply.Content)
	}
}

// TestHostileContents sends signed messages of every type with contents that
// do not belong there. The kernel answers afterwards.
func TestHostileContents(t *testing.T) {
	f := assisted(t, script{"3": values(3)})
	rng := rand.New(rand.NewPCG(3, 4))
	var kinds []string
	for kind := range handlers {
		if kind != "shutdown_request" && kind != "execute_request" {
			kinds = append(kinds, kind)
		}
	}
	kinds = append(kinds, "input_reply", "", "status", "execute_reply", strings.Repeat("x", 1000))
	slices.Sort(kinds)
	contents := []string{
		`{}`, `{"code":1}`, `{"code":null,"cursor_pos":1e99}`, `{"code":"é","cursor_pos":-99999999}`, `{"code":"x","cursor_pos":9223372036854775807}`,
		`{"comm_id":7}`, `{"comm_id":"","target_name":"x","data":[]}`, `{"hist_access_type":"range","session":-5,"start":-9,"stop":-1}`,
		`{"hist_access_type":"search","pattern":"*?*?*?*?*?*?*?*?*b","n":-1,"unique":true}`, `{"hist_access_type":[]}`, `{"user_expressions":"no"}`,
		`{"n":99999999999}`, `{"value":{"a":[[[[[[[[]]]]]]]]}}`, `{"code":"` + strings.Repeat("(", 5000) + `"}`,
	}
	go func() { // somebody has to read
		for range f.IOPub() {
		}
	}()
	for i := range 10000 {
		f.send(wire.Channel(rng.IntN(3)), kinds[rng.IntN(len(kinds))], json.RawMessage(contents[rng.IntN(len(contents))]))
		if i%100 == 0 {
			time.Sleep(time.Millisecond)
		}
		for more := true; more; {
			select {
			case <-f.Replies():
			default:
				more = false
			}
		}
	}
	id := f.run("3")
	f.await("the reply", func(e event) bool {
		return e.channel == wire.Shell && e.Parent.MsgID == id && field(e, "status") == "ok"
	})
}

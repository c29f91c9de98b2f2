package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/chestlab/chest/kernel/display"
	"github.com/chestlab/chest/kernel/wire"
)

// spec is the protocol as a table: for each message type the fields of its
// content that must be there, with their JSON kinds. "?" fields may be absent.
var spec = map[string]map[string]string{
	"status":              {"execution_state": "string"},
	"execute_input":       {"code": "string", "execution_count": "number"},
	"stream":              {"name": "string", "text": "string"},
	"execute_result":      {"execution_count": "number", "data": "bundle", "metadata": "object", "transient?": "object"},
	"display_data":        {"data": "bundle", "metadata": "object", "transient?": "object"},
	"update_display_data": {"data": "bundle", "metadata": "object", "transient": "object"},
	"clear_output":        {"wait": "bool"},
	"error":               {"ename": "string", "evalue": "string", "traceback": "strings"},
	"comm_close":          {"comm_id": "string", "data": "object"},

	"kernel_info_reply": {
		"status": "string", "protocol_version": "string", "implementation": "string", "implementation_version": "string",
		"language_info": "object", "banner": "string", "help_links": "array", "debugger": "bool",
	},
	"execute_reply ok":      {"status": "string", "execution_count": "number", "payload": "array", "user_expressions": "object"},
	"execute_reply error":   {"status": "string", "execution_count": "number", "ename": "string", "evalue": "string", "traceback": "strings"},
	"execute_reply aborted": {"status": "string"},
	"is_complete_reply":     {"status": "string", "indent?": "string"},
	"complete_reply":        {"status": "string", "matches": "strings", "cursor_start": "number", "cursor_end": "number", "metadata": "object"},
	"inspect_reply":         {"status": "string", "found": "bool", "data": "object", "metadata": "object"},
	"history_reply":         {"status": "string", "history": "array"},
	"comm_info_reply":       {"status": "string", "comms": "object"},
	"interrupt_reply":       {"status": "string"},
	"shutdown_reply":        {"status": "string", "restart": "bool"},
}

// valid says what is wrong with a message, or nothing.
func valid(e event, request wire.Header, session string) error {
	kind := e.Header.MsgType
	var content map[string]any
	if err := json.Unmarshal(e.Content, &content); err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	if kind == "execute_reply" {
		kind += " " + fmt.Sprint(content["status"])
	}
	fields, ok := spec[kind]
	if !ok {
		return fmt.Errorf("%s is not in the table: %s", kind, e.Content)
	}
	for name, want := range fields {
		bare := strings.TrimSuffix(name, "?")
		v, there := content[bare]
		if !there && bare != name {
			continue
		}
		if !there || !isKind(v, want) {
			return fmt.Errorf("%s: field %s is %v, want a %s: %s", kind, bare, v, want, e.Content)
		}
	}
	h := e.Header
	if h.MsgID == "" || h.Session == "" || h.Username == "" || h.Date == "" || h.Version != wire.ProtocolVersion {
		return fmt.Errorf("%s: header %+v", kind, h)
	}
	if e.Parent.MsgID != request.MsgID || e.Parent.Session != session || e.Parent.MsgType != request.MsgType {
		return fmt.Errorf("%s: parent %+v, want %+v of session %s", kind, e.Parent, request, session)
	}
	return nil
}

func isKind(v any, want string) bool {
	switch want {
	case "string":
		_, ok := v.(string)
		return ok
	case "number":
		n, ok := v.(float64)
		return ok && n == math.Trunc(n)
	case "bool":
		_, ok := v.(bool)
		return ok
	case "object":
		_, ok := v.(map[string]any)
		return ok
	case "bundle":
		m, ok := v.(map[string]any)
		_, plain := m["text/plain"]
		return ok && plain
	case "array":
		_, ok := v.([]any)
		return ok
	case "strings":
		list, ok := v.([]any)
		for _, s := range list {
			_, isString := s.(string)
			ok = ok && isString
		}
		return ok
	}
	return false
}

// TestMessageSpec sends every request and checks all that answers it.
func TestMessageSpec(t *testing.T) {
	f := start(t, script{
		"3":      values(3),
		"pair":   values(1, "b"),
		"png":    values(display.PNG([]byte{1, 2})),
		"html":   values(display.HTML("<b>x</b>")),
		"nan":    values(display.Bundle{display.MIMEJSON: math.NaN(), display.MIMEText: "NaN"}),
		"error":  values(errors.New("bad")),
		"print":  does(func() { fmt.Print("hello") }),
		"show":   does(func() { display.Show(display.Text("x")); display.Update("d", display.Text("y")); display.Clear(false) }),
		"quiet":  does(func() {}),
		"silent": values(4),
	}, Options{Banner: "hi", Version: "1.2"})
	cell := func(code string, more ...any) map[string]any {
		m := map[string]any{"code": code}
		for i := 0; i < len(more); i += 2 {
			m[more[i].(string)] = more[i+1]
		}
		return m
	}
	tests := []struct {
		channel wire.Channel
		kind    string
		content any
		want    string // the iopub messages between busy and idle
		holds   string // in the reply or the last message
	}{
		{wire.Shell, "kernel_info_request", nil, "", `"implementation":"chest","implementation_version":"1.2"`},
		{wire.Shell, "kernel_info_request", nil, "", `"mimetype":"text/x-go","file_extension":".go","pygments_lexer":"go","codemirror_mode":"go"`},
		{wire.Control, "kernel_info_request", nil, "", `"banner":"hi"`},
		{wire.Shell, "execute_request", cell("3"), "execute_input execute_result", `"execution_count":1,"data":{"text/plain":"3"}`},
		{wire.Shell, "execute_request", cell("pair"), "execute_input execute_result", `"text/plain":"1 b"`},
		{wire.Shell, "execute_request", cell("png"), "execute_input execute_result", `"image/png":"AQI="`},
		{wire.Shell, "execute_request", cell("html"), "execute_input execute_result", `"text/html":"<b>x</b>"`},
		{wire.Shell, "execute_request", cell("nan"), "execute_input execute_result", `"data":{"text/plain":"NaN"}`},
		{wire.Shell, "execute_request", cell("error"), "execute_input execute_result", `"text/plain":"bad"`},
		{wire.Shell, "execute_request", cell("print"), "execute_input stream", `"text":"hello"`},
		{wire.Shell, "execute_request", cell("show"), "execute_input display_data update_display_data clear_output", `"wait":false`},
		{wire.Shell, "execute_request", cell("quiet"), "execute_input", `"execution_count":9,"payload":[],"user_expressions":{}`},
		{wire.Shell, "execute_request", cell("nope"), "execute_input error", `"ename":"compile error","evalue":"undefined: nope","traceback":["In[10]:1:1: undefined: nope"]`},
		{wire.Shell, "execute_request", cell(" \n"), "", `"execution_count":10`},
		{wire.Shell, "execute_request", cell("silent", "silent", true), "", `"execution_count":11,"payload":[]`},
		{wire.Shell, "execute_request", cell("print", "silent", true), "", `"status":"ok"`},
		{wire.Shell, "execute_request", cell("nope", "silent", true, "stop_on_error", false), "", `"status":"error"`},
		{wire.Shell, "execute_request", cell("3", "store_history", false), "execute_input execute_result", `"execution_count":11`},
		{wire.Shell, "execute_request", cell("quiet", "user_expressions", map[string]string{"a": "3", "b": "nope"}), "execute_input", `"a":{"data":{"text/plain":"3"},"metadata":{},"status":"ok"},"b":{"status":"error","ename":"compile error"`},
		{wire.Shell, "is_complete_request", map[string]any{"code": "for {"}, "", `"status":"incomplete","indent":"\t"`},
		{wire.Shell, "is_complete_request", map[string]any{"code": "x"}, "", `"status":"complete"`},
		{wire.Shell, "complete_request", map[string]any{"code": "é.", "cursor_pos": 2}, "", `"matches":[],"cursor_start":2,"cursor_end":2`},
		{wire.Shell, "inspect_request", map[string]any{"code": "x", "cursor_pos": 1}, "", `"found":false`},
		{wire.Shell, "history_request", map[string]any{"hist_access_type": "tail", "n": 2, "output": true}, "", `"history":[[1,10,["nope",null]],[1,11,["quiet",null]]]`},
		{wire.Shell, "history_request", map[string]any{"hist_access_type": "range", "session": 0, "start": 1, "stop": 3, "output": true}, "", `"history":[[1,1,["3","3"]],[1,2,["pair","1 b"]]]`},
		{wire.Shell, "history_request", map[string]any{"hist_access_type": "search", "pattern": "p*t", "unique": true}, "", `"history":[[1,7,"print"]]`},
		{wire.Shell, "history_request", map[string]any{"hist_access_type": "range", "session": 9}, "", `"history":[]`},
		{wire.Shell, "comm_info_request", map[string]any{}, "", `"comms":{}`},
		{wire.Control, "interrupt_request", nil, "", `"status":"ok"`},
	}
	for _, tt := range tests {
		id := f.send(tt.channel, tt.kind, tt.content)
		events, reply := f.finish(id)
		request := wire.Header{MsgID: id, MsgType: tt.kind}
		all := string(reply.Content)
		if err := valid(reply, request, f.Session()); err != nil || reply.channel != tt.channel {
			t.Errorf("%s %v: on %s: %v", tt.kind, tt.content, reply.channel, err)
		}
		var between []string
		for i, e := range events {
			if err := valid(e, request, f.Session()); err != nil {
				t.Errorf("%s %v: %v", tt.kind, tt.content, err)
			}
			if first, last := i == 0, i == len(events)-1; first || last {
				want := map[bool]string{true: "busy", false: "idle"}[first]
				if e.Header.MsgType != "status" || field(e, "execution_state") != want {
					t.Errorf("%s %v: message %d is %s %s, want %s", tt.kind, tt.content, i, e.Header.MsgType, e.Content, want)
				}
				continue
			}
			between = append(between, e.Header.MsgType)
			all += "\n" + string(e.Content)
		}
		if got := strings.Join(between, " "); got != tt.want {
			t.Errorf("%s %v: got %q, want %q", tt.kind, tt.content, got, tt.want)
		}
		if !strings.Contains(all, tt.holds) {
			t.Errorf("%s %v: %s\ndoes not hold %s", tt.kind, tt.content, all, tt.holds)
		}
	}
	// A comm to an unknown target is closed.
	id := f.send(wire.Shell, "comm_open", wire.CommOpen{CommID: "c1", TargetName: "none"})
	e := f.await("comm_close", func(e event) bool { return e.Header.MsgType == "comm_close" })
	if err := valid(e, wire.Header{MsgID: id, MsgType: "comm_open"}, f.Session()); err != nil || field(e, "comm_id") != "c1" {
		t.Errorf("comm_close: %v: %s", err, e.Content)
	}
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "anything", true}, {"*", "", true}, {"a*c", "abbc", true}, {"a*c", "abcd", false},
		{"a?c", "aéc", true}, {"?", "", false}, {"*b*", "abc", true}, {"a**", "a", true}, {"*\n*", "x\ny", true},
	} {
		if got := match(tt.pattern, tt.s); got != tt.want {
			t.Errorf("match(%q, %q) = %v", tt.pattern, tt.s, got)
		}
	}
}

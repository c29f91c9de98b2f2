package display

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// page is a sink with comms: a front end that keeps what it gets.
type page struct {
	recorder
	mu   sync.Mutex
	sent []sent
}

type sent struct {
	kind, id, target string
	data, metadata   map[string]any
}

func (p *page) SendComm(kind, id, target string, data, metadata map[string]any) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, sent{kind, id, target, data, metadata})
	return nil
}

func openPage(t *testing.T) *page {
	p := &page{}
	before := SetSink(p)
	t.Cleanup(func() { SetSink(before) })
	return p
}

func TestComm(t *testing.T) {
	p := openPage(t)
	c, err := NewComm("chat", map[string]any{"a": 1})
	if err != nil {
		t.Fatal(err)
	}
	var got []any
	c.OnMessage(func(data map[string]any) { got = append(got, data["x"]) })
	c.Send(map[string]any{"b": 2})
	if !ReceiveComm("msg", c.ID(), "", map[string]any{"x": 3}, nil) || fmt.Sprint(got) != "[3]" {
		t.Error("the message did not arrive:", got)
	}
	if Comms()[c.ID()] != "chat" {
		t.Error(Comms())
	}
	c.OnMessage(func(map[string]any) { panic("in a function of a cell") })
	ReceiveComm("msg", c.ID(), "", nil, nil)
	c.Close()
	c.Close()
	if c.Send(nil) == nil || ReceiveComm("msg", c.ID(), "", nil, nil) {
		t.Error("a closed line works")
	}
	text := ""
	for _, s := range p.sent {
		text += fmt.Sprint(s.kind, s.target, s.data, s.id == c.ID(), " ")
	}
	if text != "openchatmap[a:1] true msgchatmap[b:2] true closechatmap[] true " {
		t.Error(text)
	}
}

func TestCommFromFrontEnd(t *testing.T) {
	openPage(t)
	ended := false
	RegisterTarget("ours", func(c *Comm, data map[string]any) {
		c.OnMessage(func(data map[string]any) { c.Send(data) })
		c.OnClose(func() { ended = true })
	})
	defer RegisterTarget("ours", nil)
	if ReceiveComm("open", "7", "theirs", nil, nil) {
		t.Error("an unknown target is known")
	}
	for _, kind := range []string{"open", "msg", "close"} {
		if !ReceiveComm(kind, "7", "ours", map[string]any{}, nil) {
			t.Error(kind, "is unknown")
		}
	}
	if !ended || ReceiveComm("close", "7", "ours", nil, nil) {
		t.Error("the line has not ended")
	}
}

func TestSlider(t *testing.T) {
	p := openPage(t)
	s := &Slider{Max: 1, Step: 0.1, Value: 3, Label: "c"}
	var moved []float64
	s.OnChange(func(v float64) { moved = append(moved, v) })
	d := Render(s)
	if d.Text() != "<slider c: 1 of 0 to 1>" {
		t.Error(d.Text())
	}
	id := d.Data[MIMEWidget].(map[string]any)["model_id"].(string)
	last := p.sent[len(p.sent)-1]
	state := last.data["state"].(map[string]any)
	if len(p.sent) != 3 || last.id != id || last.target != "jupyter.widget" || last.metadata["version"] != "2.1.0" ||
		state["_model_name"] != "FloatSliderModel" || state["layout"] != "IPY_MODEL_"+p.sent[0].id || state["style"] != "IPY_MODEL_"+p.sent[1].id {
		t.Errorf("%+v", p.sent)
	}
	if _, err := json.Marshal(p.sent[2].data); err != nil {
		t.Error(err)
	}
	Render(s)
	if len(p.sent) != 3 {
		t.Error("shown again, the slider is made again")
	}
	ReceiveComm("msg", id, "", map[string]any{"method": "update", "state": map[string]any{"value": json.Number("0.5")}}, nil)
	if s.Value != 0.5 || fmt.Sprint(moved) != "[0.5]" {
		t.Error(s.Value, moved)
	}
	s.Set(0.25)
	if last := p.sent[len(p.sent)-1]; last.kind != "msg" || fmt.Sprint(last.data) != "map[buffer_paths:[] method:update state:map[value:0.25]]" {
		t.Error(last)
	}
	ReceiveComm("msg", id, "", map[string]any{"method": "request_state"}, nil)
	if last := p.sent[len(p.sent)-1]; last.data["state"].(map[string]any)["value"] != 0.25 {
		t.Error(last)
	}
	ReceiveComm("open", "control", "jupyter.widget.control", nil, nil)
	ReceiveComm("msg", "control", "", map[string]any{"method": "request_states"}, nil)
	if last := p.sent[len(p.sent)-1]; last.data["method"] != "update_states" || last.data["states"].(map[string]any)[id] == nil {
		t.Error(last)
	}
	ReceiveComm("close", id, "", nil, nil)
	s.Set(0.75)
	if Render(s).Data[MIMEWidget].(map[string]any)["model_id"] == id {
		t.Error("the front end closed the slider, and it is the same again")
	}
}

func TestButton(t *testing.T) {
	openPage(t)
	b := &Button{Label: "Again"}
	n := 0
	b.OnClick(func() { n++ })
	d := Render(b)
	id := d.Data[MIMEWidget].(map[string]any)["model_id"].(string)
	ReceiveComm("msg", id, "", map[string]any{"method": "custom", "content": map[string]any{"event": "click"}}, nil)
	ReceiveComm("msg", id, "", map[string]any{"method": "update"}, nil)
	if n != 1 || d.Text() != "<button Again>" {
		t.Error(n, d)
	}
}

// TestWidgetsWithoutNotebook: only text, and no error.
func TestWidgetsWithoutNotebook(t *testing.T) {
	record(t)
	s := &Slider{Min: -1, Max: 1}
	if d := Render(s); len(d.Data) != 1 || !strings.HasPrefix(d.Text(), "<slider: 0 of -1 to 1>") {
		t.Error(d)
	}
	s.Set(0.5)
	if d := Render(&Button{}); len(d.Data) != 1 || d.Text() != "<button>" {
		t.Error(d)
	}
	if _, err := NewComm("x", nil); err != ErrNoComm {
		t.Error(err)
	}
}

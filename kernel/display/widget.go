package display

import (
	"fmt"
	"maps"
	"sync"
)

// The public protocol of ipywidgets, version 2.1: a widget is a line to the
// target "jupyter.widget" that carries its state.
//
// Source: ipywidgets, packages/schema/messages.md and jupyterwidgetmodels.latest.md.
const (
	widgetTarget   = "jupyter.widget"
	controlTarget  = "jupyter.widget.control"
	widgetProtocol = "2.1.0"
	baseModule     = "@jupyter-widgets/base"
	controlsModule = "@jupyter-widgets/controls"
	moduleVersion  = "2.0.0"
)

// widget is one model of the front end and its state here.
type widget struct {
	mu    sync.Mutex
	comm  *Comm // nil: not shown yet, or nowhere to show it
	state map[string]any
	event func(method string, data map[string]any)
}

// widgets are those that are open, by the id of their line: a front end that
// is loaded again asks for them.
var widgets = struct {
	sync.Mutex
	open  map[string]*widget
	ready bool // the control target is registered
}{open: map[string]*widget{}}

// part is a model without functions, such as the layout of another one. It
// returns the reference that stands in the state of the other.
func part(module, model, view string, state map[string]any) (string, error) {
	w := &widget{state: state}
	if err := w.openAs(module, model, baseModule, view); err != nil {
		return "", err
	}
	return "IPY_MODEL_" + w.comm.ID(), nil
}

// openAs opens the line of a widget unless it is open.
func (w *widget) openAs(module, model, viewModule, view string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.comm != nil {
		return nil
	}
	maps.Copy(w.state, map[string]any{
		"_model_module": module, "_model_module_version": moduleVersion, "_model_name": model,
		"_view_module": viewModule, "_view_module_version": moduleVersion, "_view_name": view, "_view_count": nil,
	})
	c, err := openComm(newCommID(), widgetTarget,
		map[string]any{"state": maps.Clone(w.state), "buffer_paths": []any{}},
		map[string]any{"version": widgetProtocol})
	if err != nil {
		return err
	}
	w.comm = c
	c.OnMessage(w.receive)
	c.OnClose(w.forget)
	widgets.Lock()
	defer widgets.Unlock()
	widgets.open[c.ID()] = w
	if !widgets.ready {
		widgets.ready = true
		RegisterTarget(controlTarget, control)
	}
	return nil
}

// control answers a front end that asks for all widgets.
func control(c *Comm, _ map[string]any) {
	c.OnMessage(func(data map[string]any) {
		if data["method"] != "request_states" {
			return
		}
		states := map[string]any{}
		widgets.Lock()
		for id, w := range widgets.open {
			w.mu.Lock()
			states[id] = map[string]any{
				"model_name": w.state["_model_name"], "model_module": w.state["_model_module"],
				"model_module_version": w.state["_model_module_version"], "state": maps.Clone(w.state),
			}
			w.mu.Unlock()
		}
		widgets.Unlock()
		c.Send(map[string]any{"method": "update_states", "states": states, "buffer_paths": []any{}})
	})
}

// forget is the end of the line from the other side. Shown again, the widget
// opens another.
func (w *widget) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.comm == nil {
		return
	}
	widgets.Lock()
	delete(widgets.open, w.comm.ID())
	widgets.Unlock()
	w.comm = nil
}

// receive takes a message of the front end.
func (w *widget) receive(data map[string]any) {
	method, _ := data["method"].(string)
	switch method {
	case "request_state":
		w.mu.Lock()
		state := maps.Clone(w.state)
		w.mu.Unlock()
		w.tell(state)
		return
	case "update":
		state, _ := data["state"].(map[string]any)
		w.mu.Lock()
		maps.Copy(w.state, state)
		w.mu.Unlock()
	}
	w.mu.Lock()
	f := w.event
	w.mu.Unlock()
	if f != nil {
		f(method, data)
	}
}

// set changes the state, here and in the front end.
func (w *widget) set(state map[string]any) {
	w.mu.Lock()
	if w.state == nil {
		w.state = map[string]any{}
	}
	maps.Copy(w.state, state)
	w.mu.Unlock()
	w.tell(state)
}

// tell sends state, when there is somebody to send it to.
func (w *widget) tell(state map[string]any) {
	w.mu.Lock()
	c := w.comm
	w.mu.Unlock()
	if c != nil {
		c.Send(map[string]any{"method": "update", "state": state, "buffer_paths": []any{}})
	}
}

// open opens a widget with its layout and style; event gets what the front end
// says of it.
func (w *widget) open(name string, state map[string]any, event func(string, map[string]any)) error {
	w.mu.Lock()
	w.event = event
	known := w.comm != nil
	w.mu.Unlock()
	if known {
		return nil
	}
	layout, err := part(baseModule, "LayoutModel", "LayoutView", map[string]any{})
	if err != nil {
		return err
	}
	style := "SliderStyleModel"
	if name == "Button" {
		style = "ButtonStyleModel"
	}
	look, err := part(controlsModule, style, "StyleView", map[string]any{"description_width": ""})
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.state = state
	w.state["layout"], w.state["style"] = layout, look
	w.mu.Unlock()
	return w.openAs(controlsModule, name+"Model", controlsModule, name+"View")
}

// bundle is the widget as an output: only text where no widgets can be.
func (w *widget) bundle(text string) map[string]any {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := map[string]any{MIMEText: text}
	if w.comm != nil {
		b[MIMEWidget] = map[string]any{"model_id": w.comm.ID(), "version_major": 2, "version_minor": 0}
	}
	return b
}

// number is a number of a message.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int:
		return float64(v), true
	case interface{ Float64() (float64, error) }: // json.Number
		f, err := v.Float64()
		return f, err == nil
	}
	return 0, false
}

// named is "what label" for the text form.
func named(what, label string) string {
	if label == "" {
		return what
	}
	return fmt.Sprintf("%s %s", what, label)
}

package display

import (
	"fmt"
	"sync"
)

// Slider is a number that the reader of a notebook sets by hand.
//
//	s := &display.Slider{Max: 1, Step: 0.01, Value: 0.1, Label: "curvature"}
//	s.OnChange(func(c float64) { … })
//	s
//
// Functions and Value change between cells, never while one runs. In a front
// end without ipywidgets the slider is a line of text.
type Slider struct {
	Min, Max float64 // Max 0 means Min+100
	Step     float64 // 0 means a hundredth of the range
	Value    float64
	Label    string

	mu     sync.Mutex
	change []func(float64)
	w      widget
}

// OnChange adds a function that is called with each new value.
func (s *Slider) OnChange(f func(value float64)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.change = append(s.change, f)
}

// Set moves the slider, here and on the page. It calls no function.
func (s *Slider) Set(value float64) {
	s.mu.Lock()
	s.Value = value
	s.mu.Unlock()
	s.w.set(map[string]any{"value": value})
}

// MIMEBundle is the slider as an output.
func (s *Slider) MIMEBundle() map[string]any {
	s.mu.Lock()
	if s.Max == 0 && s.Min >= 0 {
		s.Max = s.Min + 100
	}
	if s.Step == 0 {
		s.Step = (s.Max - s.Min) / 100
	}
	s.Value = min(max(s.Value, s.Min), s.Max)
	state := map[string]any{
		"min": s.Min, "max": s.Max, "step": s.Step, "value": s.Value, "description": s.Label,
		"orientation": "horizontal", "readout": true, "readout_format": ".4~g", "continuous_update": false, "disabled": false,
		"behavior": "drag-tap", "tooltip": nil, "tabbable": nil, "description_allow_html": false, "_dom_classes": []any{},
	}
	text := fmt.Sprintf("<%s: %.4g of %.4g to %.4g>", named("slider", s.Label), s.Value, s.Min, s.Max)
	s.mu.Unlock()
	s.w.open("FloatSlider", state, s.moved) // without a front end that knows it, the text stands
	return s.w.bundle(text)
}

// moved takes a new value from the page.
func (s *Slider) moved(method string, data map[string]any) {
	state, _ := data["state"].(map[string]any)
	v, ok := number(state["value"])
	if method != "update" || !ok {
		return
	}
	s.mu.Lock()
	s.Value = v
	all := s.change
	s.mu.Unlock()
	for _, f := range all {
		f(v)
	}
}

// Button is a button on the page.
//
//	b := &display.Button{Label: "Again"}
//	b.OnClick(func() { … })
//	b
//
// Its functions are called between cells. In a front end without ipywidgets
// the button is a line of text.
type Button struct {
	Label string

	mu    sync.Mutex
	click []func()
	w     widget
}

// OnClick adds a function that is called with each click.
func (b *Button) OnClick(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.click = append(b.click, f)
}

// MIMEBundle is the button as an output.
func (b *Button) MIMEBundle() map[string]any {
	b.w.open("Button", map[string]any{
		"description": b.Label, "button_style": "", "icon": "", "disabled": false,
		"tooltip": nil, "tabbable": nil, "_dom_classes": []any{},
	}, b.clicked)
	return b.w.bundle("<" + named("button", b.Label) + ">")
}

// clicked takes a click from the page.
func (b *Button) clicked(method string, data map[string]any) {
	content, _ := data["content"].(map[string]any)
	if method != "custom" || content["event"] != "click" {
		return
	}
	b.mu.Lock()
	all := b.click
	b.mu.Unlock()
	for _, f := range all {
		f()
	}
}

package viz

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// component is a part of an ECharts option, such as one series. What is not
// changed stays as it is written.
type component map[string]json.RawMessage

// merged is the option of a row of pictures: each with its own grid and axes,
// moved to its place.
type merged struct {
	w, h  int
	parts map[string][]component
	first map[string]json.RawMessage // what only one can say
	panel int
}

// plural are the components of which an option may have several.
var plural = []string{"title", "legend", "grid", "xAxis", "yAxis", "dataZoom", "visualMap", "parallel", "parallelAxis", "series"}

// Option is the pictures as one ECharts option. The error of a part is that of
// the whole.
func (f *RowFigure) Option() ([]byte, error) {
	m := merged{w: f.width, h: f.height, parts: map[string][]component{}}
	for i, p := range f.parts {
		b, err := p.Option()
		if err != nil {
			return nil, err
		}
		w, h := p.bounds()
		if err := m.add(b, panelsOf(p), f.corners[i][0], f.corners[i][1], w, h); err != nil {
			return nil, err
		}
	}
	if f.lay.legend {
		legend := legendFor(f.legendLayout(), f.legend, true)
		m.parts["legend"] = append(m.parts["legend"], componentOf(legend))
	}
	if f.title != "" {
		title := titleOption{f.title, diskLeft, 6, textOption{Color: hexOf(ink), Size: 18, Weight: "bold", Width: f.width - 2*diskLeft, Overflow: "truncate"}}
		m.parts["title"] = append(m.parts["title"], componentOf(title))
	}
	for name, all := range m.parts {
		m.first[name] = raw(all)
	}
	return json.Marshal(m.first)
}

// panelsOf is how many pictures p is.
func panelsOf(p painter) (n int) {
	row, ok := p.(*RowFigure)
	if !ok {
		return 1
	}
	for _, part := range row.parts {
		n += panelsOf(part)
	}
	return n
}

// add puts the option of a picture of w×h pixels, which is so many, at (x, y).
func (m *merged) add(option []byte, panels, x, y, w, h int) error {
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(option, &whole); err != nil {
		return err
	}
	if whole["baseOption"] != nil {
		return errors.New("viz: side by side: a tour has a slider for its own chart; show it alone, or its stops side by side")
	}
	parallels := len(m.parts["parallel"])
	grids, xs, ys, series := len(m.parts["grid"]), len(m.parts["xAxis"]), len(m.parts["yAxis"]), len(m.parts["series"])
	for _, name := range plural {
		all := list(whole[name])
		delete(whole, name)
		for _, c := range all {
			if name == "legend" && string(c["show"]) == "false" {
				continue
			}
			c.shift(x, y, w, h, m.w, m.h)
			switch name {
			case "xAxis", "yAxis":
				c.count("gridIndex", grids, true)
			case "dataZoom":
				c.count("xAxisIndex", xs, false)
				c.count("yAxisIndex", ys, false)
			case "visualMap":
				c.count("seriesIndex", series, false)
			case "parallelAxis":
				c.count("parallelIndex", parallels, true)
			case "series":
				across := string(c["type"]) == `"parallel"`
				c.count("parallelIndex", parallels, across)
				c.count("xAxisIndex", xs, !across)
				c.count("yAxisIndex", ys, !across)
				c.mark(m.panel)
			}
			m.parts[name] = append(m.parts[name], c)
		}
	}
	m.panel += panels
	if m.first == nil {
		m.first = whole
	}
	return nil
}

// shift moves what stands at so many pixels from a side of a picture of w×h
// pixels to where that lies in a row of W×H: at (x, y).
func (c component) shift(x, y, w, h, W, H int) {
	for side, by := range map[string][2]int{"left": {x, w}, "top": {y, h}, "right": {W - x - w, w}, "bottom": {H - y - h, h}} {
		if at, ok := lengthOf(c[side], by[1]); ok {
			c[side] = raw(at + float64(by[0]))
		}
	}
}

// lengthOf is a length of an option: a number, a number as text, or a part of the
// whole in percent.
func lengthOf(b json.RawMessage, whole int) (float64, bool) {
	var v any
	if json.Unmarshal(b, &v) != nil {
		return 0, false
	}
	switch v := v.(type) {
	case float64:
		return v, true
	case string:
		percent := strings.HasSuffix(v, "%")
		at, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSuffix(v, "%"), "px"), 64)
		if percent {
			at *= float64(whole) / 100
		}
		return at, err == nil
	}
	return 0, false
}

// count adds to a number by which a component names another; what does not name
// one means the first.
func (c component) count(key string, by int, implied bool) {
	var one int
	var several []int
	switch {
	case c[key] == nil && implied && by > 0:
		c[key] = raw(by)
	case c[key] == nil:
	case json.Unmarshal(c[key], &one) == nil:
		c[key] = raw(one + by)
	case json.Unmarshal(c[key], &several) == nil:
		for i := range several {
			several[i] += by
		}
		c[key] = raw(several)
	}
}

// mark tells a series of which picture it is.
func (c component) mark(panel int) {
	var own component
	if c["chest"] == nil || json.Unmarshal(c["chest"], &own) != nil {
		return
	}
	if own.count("panel", panel, true); len(own) > 0 {
		c["chest"] = raw(own)
	}
}

// list is a component or several as a list.
func list(b json.RawMessage) (all []component) {
	if b = bytes.TrimSpace(b); len(b) == 0 {
		return nil
	}
	if b[0] == '[' {
		_ = json.Unmarshal(b, &all) // what is no list of objects is not ours
		return all
	}
	var one component
	if json.Unmarshal(b, &one) == nil && one != nil {
		all = append(all, one)
	}
	return all
}

// raw is the JSON text of a part of an option; those always have one.
func raw(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic("viz: " + err.Error())
	}
	return b
}

// componentOf turns an option's type into a component.
func componentOf(v any) (c component) {
	if err := json.Unmarshal(raw(v), &c); err != nil {
		panic("viz: " + err.Error())
	}
	return c
}

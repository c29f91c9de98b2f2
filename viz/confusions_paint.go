package viz

import (
	"image"

	"gonum.org/v1/plot/text"
)

// Places of the matrix, in pixels.
const (
	matrixSide  = 480 // without names beside it
	matrixSmall = 440 // with them
	matrixLeft  = 110 // for names of classes
	matrixBelow = 96  // the same, turned
	matrixNamed = 40  // the most cells a side that have names on the axes
)

// named says whether cells have names on the axes.
func (f *ConfusionsFigure) named() bool { return f.side <= matrixNamed }

// area is the square of the matrix.
func (f *ConfusionsFigure) area() place {
	top := heading{f.o.Title, f.caption()}.room() + 10
	if f.named() {
		return place{matrixLeft, top, matrixSmall, matrixSmall}
	}
	return place{chartEdge + 8, top, matrixSide, matrixSide}
}

// bounds is the size of the picture.
func (f *ConfusionsFigure) bounds() (w, h int) {
	below := matrixBelow
	if !f.named() {
		below = 24
	}
	at := f.area()
	return chartWidth, int(at.y+at.h) + below
}

// bar is the box of the scale, at the right edge.
func (f *ConfusionsFigure) bar() place {
	at := f.area()
	return place{chartWidth - 64, at.y + 24, 14, 160}
}

// groupRoom is the width of the names of groups, between matrix and scale.
func (f *ConfusionsFigure) groupRoom() float64 {
	at := f.area()
	return f.bar().x - 14 - (at.x + at.w)
}

// Option is the picture as an ECharts option. An entry that is not finite is an
// error that names its row and column.
func (f *ConfusionsFigure) Option() ([]byte, error) {
	if f.err != nil {
		return nil, f.err
	}
	at, names := f.area(), f.names()
	turned := obj{"axisLabel": obj{"show": f.named(), "interval": 0, "rotate": 90, "color": hexOf(ink), "fontSize": f.letters(), "width": matrixBelow - 12, "overflow": "truncate"}}
	across := obj{"inverse": true, "axisLabel": obj{"show": f.named(), "interval": 0, "color": hexOf(ink), "fontSize": f.letters(), "width": matrixLeft - 14, "overflow": "truncate"}}
	data := make([][3]float64, 0, len(f.m))
	for i, v := range f.m {
		data = append(data, [3]float64{float64(i % f.side), float64(i / f.side), digits6(v)})
	}
	series := []obj{{"type": "heatmap", "name": f.o.Measure, "data": data, "progressive": 0, "emphasis": obj{"itemStyle": obj{"borderColor": hexOf(ink), "borderWidth": 1}}}}
	if f.o.Group != nil {
		series = append(series, f.borders(), f.groupNames())
	}
	return with(obj{
		"title":   append(heading{f.o.Title, f.caption()}.option(chartWidth), f.tones().title(f.bar())),
		"tooltip": obj{"trigger": "item", "confine": true, "axisPointer": obj{"type": "cross"}},
		"grid":    at.gridOption(), "visualMap": f.tones().option(f.bar(), 2, 0),
		"xAxis":  []obj{categories("", names, f.named(), 0, turned), hidden(max(f.side, 1), nil)},
		"yAxis":  []obj{categories("", names, f.named(), 0, across), hidden(max(f.side, 1), obj{"inverse": true})},
		"series": series,
	})
}

// letters is the size of the names of cells.
func (f *ConfusionsFigure) letters() int {
	if f.side > 28 {
		return 9
	}
	return 11
}

// borders are the lines between groups, one series with gaps.
func (f *ConfusionsFigure) borders() obj {
	data, n := [][]any{}, digits6(float64(f.n)/float64(f.cell))
	for _, r := range f.runs()[min(1, len(f.runs())):] {
		v := digits6(r.from)
		data = append(data, []any{v, 0}, []any{v, n}, []any{nil, nil}, []any{0, v}, []any{n, v}, []any{nil, nil})
	}
	return obj{
		"type": "line", "silent": true, "symbol": "none", "xAxisIndex": 1, "yAxisIndex": 1, "data": data, "z": 3,
		"lineStyle": obj{"color": hexOf(okabe[3]), "width": 1, "type": "solid"}, "tooltip": obj{"show": false},
	}
}

// groupNames are texts at the right of the matrix.
func (f *ConfusionsFigure) groupNames() obj {
	data := [][]any{}
	for _, r := range f.shownRuns() {
		data = append(data, []any{f.side, digits6((r.from + r.to) / 2), r.name})
	}
	return obj{
		"type": "scatter", "silent": true, "symbolSize": 0.01, "xAxisIndex": 1, "yAxisIndex": 1, "clip": false, "data": data,
		"encode": obj{"x": 0, "y": 1, "itemName": 2}, "tooltip": obj{"show": false}, "itemStyle": obj{"opacity": 1},
		"label": obj{"show": true, "position": "right", "distance": 6, "formatter": "{b}", "color": hexOf(quiet), "fontSize": 11, "width": f.groupRoom(), "overflow": "truncate"},
	}
}

// shownRuns are the groups that are high enough for their name.
func (f *ConfusionsFigure) shownRuns() (all []run) {
	last := -1.0
	for _, r := range f.runs() {
		mid, step := (r.from+r.to)/2, 12*float64(f.side)/f.area().h
		if last < 0 || mid-last >= step {
			all, last = append(all, r), mid
		}
	}
	return all
}

// paint draws the whole picture.
func (f *ConfusionsFigure) paint(s *sheet) error {
	if f.err != nil {
		return f.err
	}
	heading{f.o.Title, f.caption()}.paint(s)
	c, at := f.tones(), f.area()
	if f.side > 0 {
		s.image(at.x, at.y, at.w, at.h, f.cells(c))
	}
	s.edge(faint, 0.5, at)
	f.paintGroups(s, at)
	if f.named() {
		f.paintNames(s, at)
	}
	c.paint(s, f.bar())
	return nil
}

// cells is the matrix as an image, large enough to stay sharp in print.
func (f *ConfusionsFigure) cells(c tones) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, f.side, f.side))
	for i, v := range f.m {
		m.SetRGBA(i%f.side, i/f.side, c.at(v))
	}
	k := max(sharp*matrixSide/f.side, 1)
	return enlarged(m, k, k)
}

// paintGroups draws the lines between groups and their names.
func (f *ConfusionsFigure) paintGroups(s *sheet, at place) {
	if f.side == 0 {
		return
	}
	unit := at.w / float64(f.side)
	end := unit * float64(f.n) / float64(f.cell)
	for i, r := range f.runs() {
		if i > 0 {
			s.line(stroke(okabe[3], 1, false), at.x+unit*r.from, at.y, at.x+unit*r.from, at.y+end)
			s.line(stroke(okabe[3], 1, false), at.x, at.y+unit*r.from, at.x+end, at.y+unit*r.from)
		}
	}
	style := anchored(sans(11, quiet, false), text.XLeft, text.YCenter)
	for _, r := range f.shownRuns() {
		s.text(at.x+at.w+6, at.y+unit*(r.from+r.to)/2-1.5, style, cut(style, r.name, f.groupRoom()))
	}
}

// paintNames writes the names of cells at the left and below.
func (f *ConfusionsFigure) paintNames(s *sheet, at place) {
	style := anchored(sans(float64(f.letters()), ink, false), text.XRight, text.YCenter)
	turned := style
	turned.Rotation = quarter
	for i, name := range f.names() {
		mid := at.w * (float64(i) + 0.5) / float64(f.side)
		s.text(at.x-6, at.y+mid-1, style, cut(style, name, matrixLeft-16))
		s.text(at.x+mid, at.y+at.h+6, turned, cut(style, name, matrixBelow-14))
	}
}

package viz

import (
	"math"
	"slices"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

// Places of the tree, in pixels.
const (
	treeTall   = 360 // a standing tree
	treeSide   = 540 // the square of a circular one
	treeLeft   = 64
	treeLegend = 140
	treeNamed  = 60   // the most leaves that have names
	treeNames  = 88   // the most room for names below or around
	treeReach  = 1.04 // of the axes, in radii
)

// named says whether leaves have names beside them.
func (f *DendrogramFigure) named() bool { return f.o.Names != nil && len(f.t.leaves) <= treeNamed }

// area is the plot area.
func (f *DendrogramFigure) area() place {
	top := heading{f.o.Title, f.caption()}.room() + 8
	wide := float64(chartWidth - treeLegend)
	if f.err == nil && len(f.groups()) == 0 {
		wide = chartWidth
	}
	if f.o.Circular {
		return place{(wide - treeSide) / 2, top, treeSide, treeSide}
	}
	return place{treeLeft, top, wide - treeLeft - chartEdge, treeTall}
}

// bounds is the size of the picture.
func (f *DendrogramFigure) bounds() (w, h int) {
	at, below := f.area(), 16.0
	if f.err == nil && !f.o.Circular && f.named() {
		below += f.nameRoom()
	}
	return chartWidth, int(at.y + at.h + below)
}

// column is the box of the legend.
func (f *DendrogramFigure) column() place {
	at := f.area()
	return place{chartWidth - treeLegend + 8, at.y, treeLegend - 12, at.h}
}

// scales are the axes: leaves and heights, or the square around the circle.
func (f *DendrogramFigure) scales() (x, y scale) {
	if f.o.Circular {
		return scale{lo: -treeReach, hi: treeReach}, scale{lo: -treeReach, hi: treeReach}
	}
	return scale{lo: -0.75, hi: float64(max(len(f.t.leaves), 1)) - 0.25}, scaleOf(f.o.Height, f.t.lo, f.t.hi, false)
}

// strand is the branches of one group, as lines in units of the axes.
type strand struct {
	group int
	lines [][][2]float64
}

// strands are the branches, the grey ones first. A node whose children are all
// of its group is one line; else each child has its own.
func (f *DendrogramFigure) strands() []strand {
	by := map[int]*strand{}
	add := func(node int, line ...[2]float64) {
		id := f.branch[node]
		if by[id] == nil {
			by[id] = &strand{group: id}
		}
		by[id].lines = append(by[id].lines, line)
	}
	for _, node := range f.t.order {
		c := f.t.children[node]
		if len(c) == 0 {
			continue
		}
		bar := f.bar(node, c[0], c[len(c)-1])
		if len(c) == 2 && f.branch[c[0]] == f.branch[node] && f.branch[c[1]] == f.branch[node] {
			add(node, slices.Concat([][2]float64{f.spot(c[0], c[0])}, bar, [][2]float64{f.spot(c[1], c[1])})...)
			continue
		}
		for _, child := range c {
			add(child, f.spot(child, child), f.spot(child, node))
		}
		add(node, bar...)
	}
	all := make([]strand, 0, len(by))
	for _, s := range by {
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b strand) int { return a.group - b.group })
	return all
}

// spot is the point at the place of one node and the height of another.
func (f *DendrogramFigure) spot(at, high int) [2]float64 {
	return f.point(f.t.place[at], f.t.height[high])
}

// point is a place and a height in units of the axes.
func (f *DendrogramFigure) point(place, height float64) [2]float64 {
	if !f.o.Circular {
		return [2]float64{math.Round(place*100) / 100, digits6(height)}
	}
	s, c := math.Sincos(f.angle(place))
	r := f.radius(height)
	return [2]float64{round4(r * s), round4(r * c)}
}

// angle is the direction of a place, clockwise from the top.
func (f *DendrogramFigure) angle(place float64) float64 {
	return 2 * math.Pi * (place + 0.5) / float64(len(f.t.leaves))
}

// radius is the distance of a height from the centre.
func (f *DendrogramFigure) radius(height float64) float64 {
	if f.t.hi == f.t.lo {
		return f.outer
	}
	return f.outer * (f.t.hi - height) / (f.t.hi - f.t.lo)
}

// bar joins the places of the first and last child at the height of node: a
// line, or an arc whose chords leave it by at most a quarter of a pixel.
func (f *DendrogramFigure) bar(node, first, last int) [][2]float64 {
	from, to, h := f.t.place[first], f.t.place[last], f.t.height[node]
	pieces := 1
	if f.o.Circular {
		r := f.radius(h) * treeSide / 2
		arc := (f.angle(to) - f.angle(from)) * r
		pieces = max(int(math.Ceil(arc/math.Sqrt(2*max(r, 1)))), 1)
	}
	line := make([][2]float64, pieces+1)
	for i := range line {
		line[i] = f.point(from+(to-from)*float64(i)/float64(pieces), h)
	}
	return line
}

// lineWidth is that of branches: thin where they are many.
func (f *DendrogramFigure) lineWidth() float64 {
	switch n := len(f.t.leaves); {
	case n <= 100:
		return 1.5
	case n <= 1000:
		return 1
	}
	return 0.6
}

// dotSize is the diameter of the mark of a leaf.
func (f *DendrogramFigure) dotSize() float64 {
	switch n := len(f.t.leaves); {
	case n <= 100:
		return 6
	case n <= 1000:
		return 4
	}
	return 2.5
}

// Option is the picture as an ECharts option. A tree that is none is an error
// that names its merge or node.
func (f *DendrogramFigure) Option() ([]byte, error) {
	if f.err != nil {
		return nil, f.err
	}
	x, y := f.scales()
	at := f.area()
	xAxis, yAxis := x.option(0, 28, false), y.option(0, 46, !f.o.Circular)
	xAxis["show"] = false
	yAxis["show"] = !f.o.Circular
	series := f.branchSeries()
	if f.o.Cut > 1 && !f.o.Circular {
		series = append(series, obj{"type": "line", "silent": true, "symbol": "none", "tooltip": obj{"show": false},
			"lineStyle": obj{"color": hexOf(quiet), "width": 1, "type": "dashed"}, "data": [][2]float64{{x.lo, digits6(f.floor)}, {x.hi, digits6(f.floor)}}})
	}
	series = append(series, f.leafSeries()...)
	if f.named() {
		series = append(series, f.nameSeries())
	}
	return with(obj{
		"title":  heading{f.o.Title, f.caption()}.option(chartWidth),
		"legend": legendColumn(f.keys(), f.column()), "tooltip": obj{"trigger": "item", "confine": true},
		"grid": at.gridOption(), "xAxis": xAxis, "yAxis": yAxis, "series": series,
	})
}

// branchSeries is a series with gaps for each colour.
func (f *DendrogramFigure) branchSeries() []obj {
	series, tints := []obj{}, f.tints()
	for _, s := range f.strands() {
		data := [][]any{}
		for _, line := range s.lines {
			for _, p := range line {
				data = append(data, []any{p[0], p[1]})
			}
			data = append(data, []any{nil, nil})
		}
		series = append(series, obj{"type": "line", "silent": true, "symbol": "none", "tooltip": obj{"show": false}, "z": 2, "data": data,
			"lineStyle": obj{"color": hexOf(f.branchColor(s.group, tints)), "width": f.lineWidth(), "type": "solid"}})
	}
	return series
}

// leavesOf are the leaves of each group, with the group.
func (f *DendrogramFigure) leavesOf() (ids []int, by map[int][]int) {
	by = map[int][]int{}
	for _, leaf := range f.t.leaves {
		by[f.leaf[leaf]] = append(by[f.leaf[leaf]], leaf)
	}
	for id := range by {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids, by
}

// leafSeries is the marks of leaves, a series for each group.
func (f *DendrogramFigure) leafSeries() (series []obj) {
	ids, by := f.leavesOf()
	tints := f.tints()
	for _, id := range ids {
		data := [][]any{}
		for _, leaf := range by[id] {
			p := f.spot(leaf, leaf)
			data = append(data, []any{p[0], p[1], f.name(leaf)})
		}
		k := tints[id]
		words := "{b}<br>{a}"
		if len(f.groups()) == 0 {
			words = "{b}"
		}
		series = append(series, obj{"type": "scatter", "name": k.name, "symbol": symbols[k.mark], "symbolSize": f.dotSize(), "z": 3, "data": data, "clip": false,
			"itemStyle": obj{"color": hexOf(k.color), "opacity": 1}, "encode": obj{"x": 0, "y": 1, "itemName": 2}, "tooltip": obj{"formatter": words}})
	}
	return series
}

// nameSeries is the names of leaves, below a standing tree, around a circular
// one.
func (f *DendrogramFigure) nameSeries() obj {
	data := []obj{}
	for _, leaf := range f.t.leaves {
		deg, right := f.tilt(leaf)
		align, offset := "left", []float64{8, 0} // the offset turns with the text
		if right {
			align, offset = "right", []float64{-8, 0}
		}
		data = append(data, obj{"value": f.spot(leaf, leaf), "name": f.name(leaf), "label": obj{"rotate": math.Round(deg*10) / 10, "align": align, "offset": offset}})
	}
	return obj{"type": "scatter", "silent": true, "symbolSize": 0.01, "clip": false, "data": data, "tooltip": obj{"show": false}, "itemStyle": obj{"opacity": 1},
		"label": obj{"show": true, "position": "inside", "formatter": "{b}", "verticalAlign": "middle", "color": hexOf(ink), "fontSize": f.letters(), "width": f.nameRoom() - 10, "overflow": "truncate"}}
}

// nameRoom is how long the longest name is, with its distance from the leaf.
func (f *DendrogramFigure) nameRoom() float64 {
	style, long := sans(float64(f.letters()), ink, false), 0.0
	for _, leaf := range f.t.leaves {
		long = max(long, float64(style.Width(f.name(leaf))/px))
	}
	return min(long*1.15+14, treeNames)
}

// letters is the size of the names of leaves.
func (f *DendrogramFigure) letters() int {
	if len(f.t.leaves) > 36 {
		return 9
	}
	return 11
}

// tilt is the rotation of the name of a leaf, in degrees against the clock, and
// whether its end stands at the leaf, not its begin.
func (f *DendrogramFigure) tilt(leaf int) (deg float64, end bool) {
	if !f.o.Circular {
		return 90, true
	}
	deg = 90 - f.angle(f.t.place[leaf])*180/math.Pi
	if deg < -90 {
		return deg + 180, true
	}
	return deg, false
}

// nudge is how far a name stands from its leaf, in pixels to the right and down.
func (f *DendrogramFigure) nudge(leaf int) [2]float64 {
	if !f.o.Circular {
		return [2]float64{0, 8}
	}
	s, c := math.Sincos(f.angle(f.t.place[leaf]))
	return [2]float64{round4(8 * s), round4(-8 * c)}
}

// paint draws the whole picture.
func (f *DendrogramFigure) paint(s *sheet) error {
	if f.err != nil {
		return f.err
	}
	heading{f.o.Title, f.caption()}.paint(s)
	x, y := f.scales()
	at := f.area()
	if !f.o.Circular {
		s.axisY(at, y, 50, true)
	}
	to := func(p [2]float64) (float64, float64) { return at.x + at.w*x.part(p[0]), at.y + at.h*(1-y.part(p[1])) }
	tints := f.tints()
	for _, st := range f.strands() {
		var p vg.Path
		for _, line := range st.lines {
			for i, corner := range line {
				if cx, cy := to(corner); i == 0 {
					p.Move(s.at(cx, cy))
				} else {
					p.Line(s.at(cx, cy))
				}
			}
		}
		s.SetLineStyle(stroke(f.branchColor(st.group, tints), f.lineWidth(), false))
		s.Stroke(p)
	}
	if f.o.Cut > 1 && !f.o.Circular {
		_, cy := to([2]float64{0, f.floor})
		s.line(stroke(quiet, 1, true), at.x, cy, at.x+at.w, cy)
	}
	f.paintLeaves(s, to)
	s.keys(f.keys(), f.column(), 1)
	return nil
}

// paintLeaves draws the marks of leaves and, where they are few, their names.
func (f *DendrogramFigure) paintLeaves(s *sheet, to func([2]float64) (float64, float64)) {
	tints := f.tints()
	for _, leaf := range f.t.leaves {
		k := tints[f.leaf[leaf]]
		cx, cy := to(f.spot(leaf, leaf))
		s.mark(k.color, k.mark, f.dotSize()/2, cx, cy)
		if !f.named() {
			continue
		}
		style := anchored(sans(float64(f.letters()), ink, false), text.XLeft, text.YCenter)
		deg, end := f.tilt(leaf)
		if end {
			style.XAlign = text.XRight
		}
		style.Rotation = deg * math.Pi / 180
		d := f.nudge(leaf)
		s.text(cx+d[0], cy+d[1], style, cut(style, f.name(leaf), f.nameRoom()-10))
	}
}

package viz

import (
	"image/color"
)

// Places of the picture of pairs, in pixels: panels stand in rows of two.
const (
	pairsLeft   = 60  // of a panel, for its axis
	pairsRight  = 16  // beside the last panel
	pairsAbove  = 26  // of a panel, for its name
	pairsBelow  = 52  // of a panel, for its axis
	pairsTall   = 250 // a panel that has a row to itself; the plot area alone
	pairsShort  = 190 // a panel of several rows
	pairsLegend = 26
)

// panels is how many there are.
func (f *PairsFigure) panels() int {
	if f.o.Overlay {
		return 1
	}
	return max(len(f.sets), 1)
}

// heading is title and caption.
func (f *PairsFigure) heading() heading { return heading{f.o.Title, f.caption()} }

// panel is the plot area of panel i.
func (f *PairsFigure) panel(i int) place {
	columns, tall := min(f.panels(), 2), float64(pairsTall)
	if f.panels() > 2 {
		tall = pairsShort
	}
	whole := float64(chartWidth-pairsRight) / float64(columns)
	top := f.heading().room() + pairsLegend + pairsAbove
	return place{
		x: whole*float64(i%columns) + pairsLeft, y: top + float64(i/columns)*(tall+pairsAbove+pairsBelow),
		w: whole - pairsLeft - 4, h: tall,
	}
}

// bounds is the size of the picture.
func (f *PairsFigure) bounds() (w, h int) {
	last := f.panel(f.panels() - 1)
	return chartWidth, int(last.y+last.h) + pairsBelow
}

// scales are the axes, the same for all panels.
func (f *PairsFigure) scales() (x, y scale) {
	most := 0.0
	for _, s := range f.sets {
		most = max(most, highest(s.positive, s.negative))
	}
	return scaleOf(f.o.X, f.edges[0], f.edges[len(f.edges)-1], true), scaleOf("density", 0, most, false)
}

// pairCurve is one histogram of the picture.
type pairCurve struct {
	steps
	name   string
	panel  int
	color  color.RGBA
	dashed bool
}

// curves are all histograms, negative ones below and dashed, for print in grey.
func (f *PairsFigure) curves() (all []pairCurve) {
	for i, s := range f.sets {
		panel, tint, positive, negative := i, 0, "positive", "negative"
		if f.o.Overlay {
			panel, tint, positive, negative = 0, i, s.name+", positive", s.name+", negative"
		}
		blue, orange := pairColors(tint)
		all = append(all,
			pairCurve{steps{f.edges, s.negative}, negative, panel, orange, true},
			pairCurve{steps{f.edges, s.positive}, positive, panel, blue, false})
	}
	return all
}

// pairColors are the colours of positive and negative pairs of set i.
func pairColors(i int) (positive, negative color.RGBA) {
	at := [][2]int{{0, 3}, {4, 1}, {2, 5}}[i%3]
	return okabe[at[0]], okabe[at[1]]
}

// names are those of the legend, each once, the positive before the negative.
func (f *PairsFigure) names() (names []string, first []pairCurve) {
	seen, all := map[string]bool{}, f.curves()
	for i := range all {
		if c := all[i^1]; !seen[c.name] {
			seen[c.name] = true
			names, first = append(names, c.name), append(first, c)
		}
	}
	return names, first
}

// titleOf is what stands above panel i.
func (f *PairsFigure) titleOf(i int) string {
	if !f.o.Overlay {
		return f.sets[i].label()
	}
	var parts []string
	for _, s := range f.sets {
		parts = append(parts, s.label())
	}
	return join("; ", parts...)
}

// Option is the picture as an ECharts option. A value that is not finite is an
// error that names its series and row.
func (f *PairsFigure) Option() ([]byte, error) {
	if f.err != nil {
		return nil, f.err
	}
	x, y := f.scales()
	titles := f.heading().option(chartWidth)
	var grids, xs, ys []obj
	for i := range f.panels() {
		at := f.panel(i)
		titles = append(titles, words(f.titleOf(i), at.x, at.y-20, 12, ink, obj{"width": at.w}))
		grids = append(grids, at.gridOption())
		y.name = []string{"density", ""}[i%2] // once a row
		xs, ys = append(xs, x.option(i, 28, false)), append(ys, y.option(i, 40, true))
	}
	var series []obj
	for _, c := range f.curves() {
		series = append(series, c.option(c.name, c.panel, c.color, c.dashed))
	}
	names, _ := f.names()
	return with(obj{
		"title":   titles,
		"legend":  legendRow(names, pairsLeft, f.heading().room()+4),
		"tooltip": obj{"trigger": "axis", "confine": true},
		"grid":    grids, "xAxis": xs, "yAxis": ys, "series": series,
	})
}

// paint draws the whole picture.
func (f *PairsFigure) paint(s *sheet) error {
	if f.err != nil {
		return f.err
	}
	f.heading().paint(s)
	_, first := f.names()
	f.paintNames(s, first)
	x, y := f.scales()
	for i := range f.panels() {
		at := f.panel(i)
		style := sans(12, ink, false)
		s.text(at.x, at.y-20, style, cut(style, f.titleOf(i), at.w))
		y.name = []string{"density", ""}[i%2] // once a row
		s.axisY(at, y, 48, true)
		for _, c := range f.curves() {
			if c.panel == i {
				c.paint(s, at, x, y, c.color, c.dashed)
			}
		}
		s.axisX(at, x)
	}
	return nil
}

// paintNames draws the legend.
func (f *PairsFigure) paintNames(s *sheet, first []pairCurve) {
	left, y := float64(pairsLeft), f.heading().room()+10
	style := sans(12, ink, false)
	for _, c := range first {
		name := cut(style, c.name, 200)
		s.rect(fade(c.color, areaOpacity), place{left, y - 5, 22, 10})
		s.trace(c.color, 1.5, c.dashed, [2]float64{left, y - 5}, [2]float64{left + 22, y - 5})
		s.text(left+28, y-8, style, name)
		left += 44 + float64(style.Width(name)/px)
	}
}

package viz

import (
	"math"
	"slices"

	"gonum.org/v1/plot/text"
)

// Places of the parallel coordinates, in pixels.
const (
	parallelTall  = 300
	parallelLeft  = 84 // of the first axis, for its numbers or words
	parallelRight = 60 // of the last axis, for its numbers
	parallelAbove = 34 // of the axes, for their names
	parallelBelow = 24
)

// area is the box of the axes: the first stands at its left, the last at its
// right.
func (f *ParallelFigure) area() place {
	top := heading{f.o.Title, f.caption()}.room() + parallelAbove
	return place{parallelLeft, top, chartWidth - parallelLeft - parallelRight, parallelTall}
}

// bounds is the size of the picture.
func (f *ParallelFigure) bounds() (w, h int) {
	at := f.area()
	return chartWidth, int(at.y+at.h) + parallelBelow
}

// gap is the distance of two axes.
func (f *ParallelFigure) gap() float64 {
	return f.area().w / float64(max(len(f.axes)-1, 1))
}

// Option is the picture as an ECharts option. A number that cannot be drawn is
// an error that names its setting and trial.
func (f *ParallelFigure) Option() ([]byte, error) {
	if f.err != nil {
		return nil, f.err
	}
	at, t := f.area(), f.tones()
	axes := make([]obj, len(f.axes))
	for i, c := range f.axes {
		axes[i] = f.axis(i, c)
	}
	last := len(f.axes) - 1
	colors := make([]string, 9)
	for i := range colors {
		colors[i] = hexOf(t.at(t.lo + (t.hi-t.lo)*float64(i)/8))
	}
	series := []obj{{"type": "parallel", "name": "trials", "data": f.rows(-1), "lineStyle": obj{"width": 1.2, "opacity": 0.7}, "progressive": 0}}
	if b := f.best(); b >= 0 {
		series = append(series, obj{"type": "parallel", "name": "best", "data": f.rows(b), "z": 3, "lineStyle": obj{"width": 2.5, "opacity": 1, "color": hexOf(okabe[3])}})
	}
	return with(obj{
		"title":        heading{f.o.Title, f.caption()}.option(chartWidth),
		"tooltip":      obj{"confine": true},
		"parallel":     obj{"left": at.x, "top": at.y, "width": at.w, "height": at.h, "layout": "horizontal"},
		"visualMap":    obj{"show": false, "type": "continuous", "min": digits6(t.lo), "max": digits6(t.hi), "dimension": last, "seriesIndex": 0, "inRange": obj{"color": colors}},
		"parallelAxis": axes, "series": series,
	})
}

// axis is axis i as a part of the option.
func (f *ParallelFigure) axis(i int, c dimension) obj {
	a := obj{
		"dim": i, "name": c.name, "nameLocation": "end", "nameGap": 14, "type": "value",
		"nameTextStyle": obj{"color": hexOf(ink), "fontSize": 12, "width": f.gap() - 8, "overflow": "truncate"},
		"axisLine":      obj{"show": true, "lineStyle": obj{"color": hexOf(grey), "width": 1}},
		"axisTick":      obj{"show": c.words == nil, "length": -4, "lineStyle": obj{"color": hexOf(grey)}},
		"axisLabel":     obj{"margin": -7, "align": "right", "color": hexOf(quiet), "fontSize": 11, "textBorderColor": "#ffffff", "textBorderWidth": 2, "width": f.wordRoom(), "overflow": "truncate"},
		"splitLine":     obj{"show": false},
	}
	if c.words != nil {
		a["type"], a["data"] = "category", c.words
		return a
	}
	if c.log {
		a["type"] = "log"
	}
	a["min"], a["max"] = digits6(c.lo), digits6(c.hi)
	return a
}

// rows are the trials, a row for each, or that of trial only.
func (f *ParallelFigure) rows(only int) [][]any {
	rows := [][]any{}
	for i := range f.trials {
		if only >= 0 && i != only {
			continue
		}
		row := make([]any, len(f.axes))
		for k, c := range f.axes {
			row[k] = digits6(c.values[i])
			if c.words != nil {
				row[k] = c.words[int(c.values[i])]
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// paint draws the whole picture.
func (f *ParallelFigure) paint(s *sheet) error {
	if f.err != nil {
		return f.err
	}
	heading{f.o.Title, f.caption()}.paint(s)
	f.paintTrials(s)
	for i, c := range f.axes {
		f.paintAxis(s, i, c)
	}
	return nil
}

// paintTrials draws the lines, the better over the worse.
func (f *ParallelFigure) paintTrials(s *sheet) {
	t, best := f.tones(), f.best()
	order := make([]int, f.trials)
	for i := range order {
		order[i] = i
	}
	r := f.result().values
	slices.SortStableFunc(order, func(a, b int) int {
		da, db := t.depth(r[a]), t.depth(r[b])
		switch {
		case da < db:
			return -1
		case da > db:
			return 1
		}
		return 0
	})
	for _, i := range order {
		if i != best {
			s.trace(fade(t.at(r[i]), 0.7), 1.2, false, f.line(i)...)
		}
	}
	if best >= 0 {
		s.trace(okabe[3], 2.5, false, f.line(best)...)
	}
}

// line is the corners of trial i.
func (f *ParallelFigure) line(i int) [][2]float64 {
	at := f.area()
	line := make([][2]float64, len(f.axes))
	for k, c := range f.axes {
		line[k] = [2]float64{at.x + f.gap()*float64(k), at.y + at.h*(1-c.part(c.values[i]))}
	}
	return line
}

// part is where v lies on the axis: 0 at its begin, 1 at its end.
func (c dimension) part(v float64) float64 {
	if c.log {
		return math.Log(v/c.lo) / math.Log(c.hi/c.lo)
	}
	return (v - c.lo) / (c.hi - c.lo)
}

// wordRoom is the width of the numbers or words of an axis.
func (f *ParallelFigure) wordRoom() float64 { return min(f.gap(), parallelLeft) - 12 }

// paintAxis draws axis i with its name and its numbers or words.
func (f *ParallelFigure) paintAxis(s *sheet, i int, c dimension) {
	at := f.area()
	x := at.x + f.gap()*float64(i)
	s.line(stroke(grey, 1, false), x, at.y, x, at.y+at.h)
	style := anchored(sans(11, quiet, false), text.XRight, text.YCenter)
	tick := func(v float64, txt string) {
		y := at.y + at.h*(1-c.part(v))
		s.line(stroke(grey, 1, false), x-4, y, x, y)
		s.halo(x-7, y-1.5, style, cut(style, txt, f.wordRoom()))
	}
	for _, v := range c.ticks {
		tick(v, number(v))
	}
	for k, w := range c.words {
		tick(float64(k), w)
	}
	name := anchored(sans(12, ink, false), text.XCenter, text.YBottom)
	s.text(x, at.y-10, name, cut(name, c.name, f.gap()-8))
}

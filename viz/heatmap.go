package viz

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot/text"
)

// HeatMapOptions says how HeatMap draws. The zero value takes the largest value
// for the best.
type HeatMapOptions struct {
	Title   string // above the picture; "" means none
	Caption string // one line under the title; "" says which cell is best
	X, Y    string // what columns and rows are: "curvature", "clip radius"
	Measure string // what the values are: "MAP@R"; "" means "result"
	Lower   bool   // the smallest value is the best
	Missing []bool // cells without a result, which are left empty; nil means none
	Digits  int    // significant digits of the largest number in the cells; 0 means 3
}

// HeatMapFigure is a picture of results over two settings.
type HeatMapFigure struct {
	forms
	o             HeatMapOptions
	rows, columns []string
	value         []float64
	err           error // about the values
}

// HeatMap draws the results of a sweep over two settings: a cell for each pair
// of values, dark where the result is good, with its number in it and a frame
// around the best.
//
// value is len(rows)×len(columns), row-major. HeatMap keeps copies. A value
// that is not finite, of a cell that is not Missing, is an error of the
// picture's forms, which names its row and column. HeatMap panics if the
// lengths do not fit or if Digits is negative.
func HeatMap(rows, columns []string, value []float64, o HeatMapOptions) *HeatMapFigure {
	n := len(rows) * len(columns)
	if len(value) != n || o.Missing != nil && len(o.Missing) != n || o.Digits < 0 {
		panic(fmt.Sprintf("viz: heat map: %d values and %d Missing for %d rows and %d columns, Digits %d", len(value), len(o.Missing), len(rows), len(columns), o.Digits))
	}
	if o.Measure == "" {
		o.Measure = "result"
	}
	if o.Digits == 0 {
		o.Digits = 3
	}
	o.Missing = slices.Clone(o.Missing)
	f := &HeatMapFigure{o: o, rows: slices.Clone(rows), columns: slices.Clone(columns), value: slices.Clone(value)}
	f.forms = forms{f}
	for i, v := range value {
		if !f.missing(i) && !finite(v) {
			f.err = fmt.Errorf("viz: heat map: series %q row %d (%s) column %d (%s) is %g; a picture needs finite numbers, set Missing where there is none",
				o.Measure, i/len(columns), rows[i/len(columns)], i%len(columns), columns[i%len(columns)], v)
			break
		}
	}
	return f
}

// missing says whether cell i has no result.
func (f *HeatMapFigure) missing(i int) bool { return f.o.Missing != nil && f.o.Missing[i] }

// best is the best cell, the first of equals; -1 if none has a result.
func (f *HeatMapFigure) best() int {
	best := -1
	for i, v := range f.value {
		if !f.missing(i) && (best < 0 || v > f.value[best] != f.o.Lower && v != f.value[best]) {
			best = i
		}
	}
	return best
}

// tones is the scale of colours: dark is good.
func (f *HeatMapFigure) tones() tones {
	lo, hi := math.Inf(1), math.Inf(-1)
	for i, v := range f.value {
		if !f.missing(i) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	return newTones(f.o.Measure, lo, hi, f.o.Lower)
}

// words are the number in cell i; "–" where there is none.
func (f *HeatMapFigure) words(i int) string {
	if f.missing(i) {
		return "–"
	}
	c := f.tones()
	whole := math.Floor(math.Log10(max(math.Abs(c.lo), math.Abs(c.hi))))
	if whole < -3 || whole > 5 {
		return strconv.FormatFloat(f.value[i], 'g', f.o.Digits, 64)
	}
	return strconv.FormatFloat(f.value[i], 'f', max(f.o.Digits-1-int(whole), 0), 64)
}

// winner says which cell is the best.
func (f *HeatMapFigure) winner() string {
	i := f.best()
	if i < 0 {
		return ""
	}
	row, column := f.rows[i/len(f.columns)], f.columns[i%len(f.columns)]
	return fmt.Sprintf("best %s %s at %s, %s", f.o.Measure, f.words(i), join(" ", f.o.Y, row), join(" ", f.o.X, column))
}

// caption is that of the options, or which cell is best.
func (f *HeatMapFigure) caption() string {
	if f.o.Caption != "" {
		return f.o.Caption
	}
	return f.winner()
}

// Alt says in one line what the picture shows.
func (f *HeatMapFigure) Alt() string {
	what := "Heat map of " + f.o.Measure
	if f.o.Title != "" {
		what += ": " + f.o.Title
	}
	size := fmt.Sprintf("%d×%d settings", len(f.rows), len(f.columns))
	return join("; ", what, size, f.winner(), f.o.Caption)
}

// Places of the heat map, in pixels.
const (
	heatLeft  = 124 // for the names of rows
	heatBelow = 56  // for the names of columns
	heatTall  = 36  // a cell, less where there are many rows
	heatMost  = 480 // all cells
)

// area is the box of all cells.
func (f *HeatMapFigure) area() place {
	tall := min(heatTall*float64(max(len(f.rows), 4)), heatMost)
	return place{heatLeft, heading{f.o.Title, f.caption()}.room() + 10, chartWidth - heatLeft - 92, tall}
}

// bounds is the size of the picture.
func (f *HeatMapFigure) bounds() (w, h int) {
	at := f.area()
	return chartWidth, int(at.y+at.h) + heatBelow
}

// bar is the box of the scale.
func (f *HeatMapFigure) bar() place {
	at := f.area()
	return place{chartWidth - 76, at.y + 20, 14, min(at.h-24, 160)}
}

// cellSize is width and height of a cell, and the size of the letters in it; 0
// where numbers do not fit.
func (f *HeatMapFigure) cellSize() (w, h float64, letters int) {
	at := f.area()
	w, h = at.w/float64(max(len(f.columns), 1)), at.h/float64(max(len(f.rows), 1))
	switch {
	case w >= 44 && h >= 16:
		return w, h, 12
	case w >= 30 && h >= 11:
		return w, h, 9
	}
	return w, h, 0
}

// Option is the picture as an ECharts option. A value that is not finite is an
// error that names its row and column.
func (f *HeatMapFigure) Option() ([]byte, error) {
	if f.err != nil {
		return nil, f.err
	}
	at, c := f.area(), f.tones()
	w, h, letters := f.cellSize()
	data, last, best := []obj{}, []obj{}, f.best() // the best is drawn over its neighbours
	for i, v := range f.value {
		if f.missing(i) {
			continue
		}
		cell := obj{"name": f.words(i), "value": []float64{float64(i % len(f.columns)), float64(i / len(f.columns)), digits6(v)}, "label": obj{"color": hexOf(c.over(v))}}
		if i == best {
			cell["itemStyle"] = obj{"borderColor": hexOf(okabe[3]), "borderWidth": 3}
			last = append(last, cell)
			continue
		}
		data = append(data, cell)
	}
	data = append(data, last...)
	return with(obj{
		"title":   append(heading{f.o.Title, f.caption()}.option(chartWidth), c.title(f.bar())),
		"tooltip": obj{"trigger": "item", "confine": true, "axisPointer": obj{"type": "cross"}},
		"grid":    at.gridOption(), "visualMap": c.option(f.bar(), 2, 0),
		"xAxis": categories(f.o.X, f.columns, w >= 16, w-4, obj{"nameGap": 30}),
		"yAxis": categories(f.o.Y, f.rows, h >= 11, heatLeft-44, obj{"nameGap": heatLeft - 22, "inverse": true}),
		"series": []obj{{
			"type": "heatmap", "name": f.o.Measure, "data": data, "progressive": 0,
			"itemStyle": obj{"borderColor": "#ffffff", "borderWidth": 1},
			"label":     obj{"show": letters > 0, "formatter": "{b}", "fontSize": max(letters, 9)},
		}},
	})
}

// paint draws the whole picture.
func (f *HeatMapFigure) paint(s *sheet) error {
	if f.err != nil {
		return f.err
	}
	heading{f.o.Title, f.caption()}.paint(s)
	at, c := f.area(), f.tones()
	w, h, letters := f.cellSize()
	best := f.best()
	box := func(i int) place {
		return place{at.x + w*float64(i%len(f.columns)), at.y + h*float64(i/len(f.columns)), w, h}
	}
	for i, v := range f.value {
		b := box(i)
		style := anchored(sans(float64(letters), quiet, false), text.XCenter, text.YCenter)
		if !f.missing(i) {
			s.rect(c.at(v), place{b.x + 0.5, b.y + 0.5, b.w - 1, b.h - 1})
			style.Color = c.over(v)
		}
		if letters > 0 {
			s.text(b.x+b.w/2, b.y+b.h/2-1.5, style, cut(style, f.words(i), b.w-4))
		}
	}
	if best >= 0 {
		s.edge(okabe[3], 3, box(best))
	}
	f.paintNames(s, at, w, h)
	c.paint(s, f.bar())
	return nil
}

// paintNames writes the names of rows and columns.
func (f *HeatMapFigure) paintNames(s *sheet, at place, w, h float64) {
	left := anchored(sans(11, ink, false), text.XRight, text.YCenter)
	below := anchored(sans(11, ink, false), text.XCenter, text.YTop)
	for i, name := range f.rows {
		if h >= 11 {
			s.text(at.x-8, at.y+h*(float64(i)+0.5)-1.5, left, cut(left, name, heatLeft-44))
		}
	}
	for i, name := range f.columns {
		if w >= 16 {
			s.text(at.x+w*(float64(i)+0.5), at.y+at.h+8, below, cut(below, name, w-4))
		}
	}
	name := anchored(sans(12, quiet, false), text.XCenter, text.YTop)
	s.text(at.x+at.w/2, at.y+at.h+28, name, f.o.X)
	name.YAlign, name.Rotation = text.YCenter, quarter
	s.text(chartEdge+6, at.y+at.h/2, name, f.o.Y)
}

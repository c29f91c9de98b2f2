package viz

import (
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	vgdraw "gonum.org/v1/plot/vg/draw"
)

// bounds is the size of the picture.
func (f *CurveFigure) bounds() (w, h int) { return curveWidth, curveHeight }

// paint draws the whole picture.
func (f *CurveFigure) paint(s *sheet) error {
	if err := f.check(); err != nil {
		return err
	}
	s.text(12, 10, sans(16, ink, true), cut(sans(16, ink, true), f.o.Title, curveWidth-24))
	s.text(12, 33, sans(12, quiet, false), cut(sans(12, quiet, false), f.o.Caption, curveWidth-24))
	f.drawNames(s)
	top := float64(f.legendTop() + legendTall)
	frame := place{curveLeft, top, curveWidth - curveLeft - float64(f.rightMargin()), curveHeight - top - curveFloor}
	if f.hasLeft() {
		f.drawSide(s, frame, false)
	}
	if f.twoSided() {
		f.drawSide(s, frame, true)
	}
	f.drawAxisX(s, frame)
	return nil
}

// place is a box of a sheet in pixels.
type place struct{ x, y, w, h float64 }

// hasLeft says whether the left axis has a series or none has.
func (f *CurveFigure) hasLeft() bool {
	for _, s := range f.series {
		if !s.Right {
			return true
		}
	}
	return len(f.series) == 0
}

// drawNames is the legend, a row above the plot area.
func (f *CurveFigure) drawNames(s *sheet) {
	style := anchored(sans(12, ink, false), text.XLeft, text.YCenter)
	x, y := float64(curveLeft), float64(f.legendTop()+11)
	for i, line := range f.series {
		c, _ := look(i)
		name := cut(style, line.Name, 160)
		wide := 28 + float64(style.Width(name)/px)
		if x+wide > curveWidth-60 && i < len(f.series)-1 {
			s.text(x, y-1.5, style, "+ "+strconv.Itoa(len(f.series)-i)+" more")
			return
		}
		s.line(stroke(c, 2, false), x, y, x+22, y)
		s.text(x+28, y-1.5, style, name)
		x += wide + 16
	}
}

// drawSide draws the axis of one side and its series.
func (f *CurveFigure) drawSide(s *sheet, at place, right bool) {
	lo, hi := f.extent(right)
	p := plot.New()
	p.HideAxes()
	p.BackgroundColor = nil
	p.X.Padding, p.Y.Padding = 0, 0
	var ticks []float64
	if f.o.Log && !right {
		p.Y.Scale = plot.LogScale{}
		if lo <= 0 { // an axis without series
			lo = hi / 10
		}
		lo, hi, ticks = decades(lo, hi)
	} else {
		lo, hi, ticks = nice(lo, hi)
	}
	for i, line := range f.series {
		if line.Right == right {
			c, _ := look(i)
			p.Add(bare(f.plotters(line, c)...)...)
		}
	}
	p.X.Min, p.X.Max = f.domain()
	p.Y.Min, p.Y.Max = lo, hi
	f.drawAxisY(s, at, p, ticks, right)
	p.Draw(s.box(at.x, at.y, at.w, at.h))
}

// plotters are the band, the line and, where there are few, the points of s.
func (f *CurveFigure) plotters(s Series, c color.RGBA) []plot.Plotter {
	n := len(s.Y)
	line := make(plotter.XYs, n)
	for i := range line {
		line[i] = plotter.XY{X: s.X[i], Y: s.Y[i]}
	}
	var all []plot.Plotter
	if s.Std != nil && n > 0 {
		edge := make(plotter.XYs, 2*n)
		for i := range n {
			lo, hi := f.band(s, i)
			edge[i], edge[2*n-1-i] = plotter.XY{X: s.X[i], Y: hi}, plotter.XY{X: s.X[i], Y: lo}
		}
		all = append(all, &plotter.Polygon{XYs: []plotter.XYs{edge}, Color: fade(c, bandOpacity)})
	}
	if n > 0 {
		all = append(all, &plotter.Line{XYs: line, LineStyle: stroke(c, 2, false)})
	}
	if n > 0 && n <= 60 {
		all = append(all, &plotter.Scatter{XYs: line, GlyphStyle: vgdraw.GlyphStyle{Color: c, Radius: 2.5 * px, Shape: dot{circle}}})
	}
	return all
}

// drawAxisY draws a vertical axis with its numbers and its name; the left one
// also draws the grid, under the lines.
func (f *CurveFigure) drawAxisY(s *sheet, at place, p *plot.Plot, ticks []float64, right bool) {
	style := anchored(sans(11, quiet, false), text.XRight, text.YCenter)
	x, out, name, nameX := at.x, -8.0, f.o.Left, at.x-48
	if right {
		style.XAlign = text.XLeft
		x, out, name, nameX = at.x+at.w, 8, f.o.Right, at.x+at.w+52
	}
	for _, v := range ticks {
		y := at.y + at.h*(1-p.Y.Norm(v))
		if !right {
			s.line(stroke(pale, 1, false), at.x, y, at.x+at.w, y)
		}
		s.line(stroke(grey, 1, false), x, y, x+out/2, y)
		s.text(x+out, y-1.5, style, number(v))
	}
	s.line(stroke(grey, 1, false), x, at.y, x, at.y+at.h)
	turned := anchored(sans(12, quiet, false), text.XCenter, text.YCenter)
	turned.Rotation = math.Pi / 2
	s.text(nameX, at.y+at.h/2, turned, name)
}

// drawAxisX draws the horizontal axis at the bottom.
func (f *CurveFigure) drawAxisX(s *sheet, at place) {
	lo, hi := f.domain()
	_, _, ticks := nice(lo, hi)
	floor := at.y + at.h
	style := anchored(sans(11, quiet, false), text.XCenter, text.YTop)
	for _, v := range ticks {
		if x := at.x + at.w*(v-lo)/(hi-lo); v >= lo && v <= hi {
			s.line(stroke(grey, 1, false), x, floor, x, floor+4)
			s.text(x, floor+8, style, number(v))
		}
	}
	s.line(stroke(grey, 1, false), at.x, floor, at.x+at.w, floor)
	s.text(at.x+at.w/2, floor+28, anchored(sans(12, quiet, false), text.XCenter, text.YTop), f.o.X)
}

// nice widens a range to multiples of 1, 2 or 5 times a power of ten, at most
// eight of them, and returns them.
func nice(lo, hi float64) (from, to float64, ticks []float64) {
	step := math.Pow(10, math.Floor(math.Log10((hi-lo)/8)))
	for _, m := range []float64{1, 2, 5, 10} {
		if (hi-lo)/(m*step) <= 8 {
			step *= m
			break
		}
	}
	first, last := math.Floor(lo/step+1e-9), math.Ceil(hi/step-1e-9)
	for k := first; k <= last; k++ {
		ticks = append(ticks, k*step)
	}
	return first * step, last * step, ticks
}

// decades widens a positive range to powers of ten and returns them; a short
// range has ticks at 2 and 5 as well.
func decades(lo, hi float64) (from, to float64, ticks []float64) {
	first, last := math.Floor(math.Log10(lo)+1e-9), math.Ceil(math.Log10(hi)-1e-9)
	if first == last {
		last++
	}
	every := math.Ceil((last - first) / 10)
	for k := first; k <= last; k += every {
		v := math.Pow(10, k)
		ticks = append(ticks, v)
		if last-first <= 2 && k < last {
			ticks = append(ticks, 2*v, 5*v)
		}
	}
	return math.Pow(10, first), math.Pow(10, last), ticks
}

// number is an axis number without the noise of binary fractions.
func number(v float64) string { return strconv.FormatFloat(digits6(v), 'g', -1, 64) }

package viz

import (
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"
)

// bounds is the size of the picture.
func (f *DiskFigure) bounds() (w, h int) { return diskWidth, diskHeight }

// paint draws the whole picture.
func (f *DiskFigure) paint(s *sheet) error {
	if err := f.check(); err != nil {
		return err
	}
	s.text(diskLeft, 10, sans(16, ink, true), cut(sans(16, ink, true), f.o.Title, diskWidth-2*diskLeft))
	f.drawDisk(s)
	f.drawLegend(s)
	small := sans(12, quiet, false)
	s.text(diskLeft, diskTop+diskSide+8, small, cut(small, f.caption(), diskWidth-2*diskLeft))
	s.text(diskLeft, diskTop+diskSide+24, small, cut(small, f.o.Note, diskWidth-2*diskLeft))
	return nil
}

// drawDisk draws circles, points and proxies into the square.
func (f *DiskFigure) drawDisk(s *sheet) {
	p := plot.New()
	p.HideAxes()
	p.BackgroundColor = nil
	p.X.Padding, p.Y.Padding = 0, 0
	if !f.o.NoRings {
		for r := 1.0; r <= 3; r++ {
			p.Add(ring(ringRadius(r), stroke(faint, 1, true)))
		}
	}
	p.Add(ring(1, stroke(ink, 1.5, false)))
	if !f.o.NoRings {
		p.Add(ringNumbers{})
	}
	p.Add(bare(f.scatter()...)...)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -diskReach, diskReach, -diskReach, diskReach
	p.Draw(s.box(diskLeft, diskTop, diskSide, diskSide))
}

// ring is a circle around the centre.
func ring(r float64, style vgdraw.LineStyle) plot.Plotter {
	xys := make(plotter.XYs, 361)
	for k := range xys {
		y, x := math.Sincos(2 * math.Pi * float64(k) / 360)
		xys[k] = plotter.XY{X: r * x, Y: r * y}
	}
	return &plotter.Line{XYs: xys, LineStyle: style}
}

// ringNumbers is 1, 2, 3 on the rings, below the centre.
type ringNumbers struct{}

// Plot writes the numbers on white.
func (ringNumbers) Plot(c vgdraw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := anchored(sans(10, grey, false), text.XCenter, text.YCenter)
	for r := 1.0; r <= 3; r++ {
		at := vg.Point{X: x(0), Y: y(-ringRadius(r))}
		c.FillPolygon(color.White, corners(at, 5*px, 6*px))
		c.FillText(style, vg.Point{X: at.X, Y: at.Y + px}, strconv.Itoa(int(r)))
	}
}

// corners are those of a box around at.
func corners(at vg.Point, halfWidth, halfHeight vg.Length) []vg.Point {
	w, h := halfWidth, halfHeight
	return []vg.Point{{X: at.X - w, Y: at.Y - h}, {X: at.X + w, Y: at.Y - h}, {X: at.X + w, Y: at.Y + h}, {X: at.X - w, Y: at.Y + h}}
}

// scatter is the points, in the order they were given so that no class covers
// another, and above them the proxies.
func (f *DiskFigure) scatter() []plot.Plotter {
	n := len(f.xy) / 2
	styles := make([]vgdraw.GlyphStyle, n)
	for _, g := range f.groups {
		style := vgdraw.GlyphStyle{Color: fade(g.color, opacity), Radius: vg.Length(f.size()/2) * px, Shape: dot{g.mark}}
		for _, i := range g.rows {
			styles[i] = style
		}
	}
	points := &plotter.Scatter{XYs: pairs(f.xy), GlyphStyleFunc: func(i int) vgdraw.GlyphStyle { return styles[i] }}
	proxies := &plotter.Scatter{XYs: pairs(f.o.Proxies), GlyphStyleFunc: func(i int) vgdraw.GlyphStyle {
		c, _ := f.proxyLook(i)
		return vgdraw.GlyphStyle{Color: c, Radius: 4.5 * px, Shape: crossMark{}}
	}}
	var all []plot.Plotter
	if n > 0 {
		all = append(all, points)
	}
	if len(f.o.Proxies) > 0 {
		all = append(all, proxies)
	}
	return all
}

// pairs turns rows of two numbers into plotter's form.
func pairs(xy []float64) plotter.XYs {
	p := make(plotter.XYs, len(xy)/2)
	for i := range p {
		p[i] = plotter.XY{X: xy[2*i], Y: xy[2*i+1]}
	}
	return p
}

// drawLegend draws the legend at the right: in one column, or in two narrow
// ones when it is long; what does not fit is counted in the last line.
func (f *DiskFigure) drawLegend(s *sheet) {
	if f.label == nil && len(f.o.Proxies) == 0 {
		return
	}
	type entry struct {
		name  string
		style vgdraw.GlyphStyle
	}
	var all []entry
	for _, g := range f.groups {
		all = append(all, entry{g.name, vgdraw.GlyphStyle{Color: fade(g.color, 0.9), Radius: 4 * px, Shape: dot{g.mark}}})
	}
	if len(f.o.Proxies) > 0 {
		all = append(all, entry{"proxies", vgdraw.GlyphStyle{Color: color.Color(ink), Radius: 4.5 * px, Shape: crossMark{}}})
	}
	columns, size, step := 1, 12.0, 18.0
	if len(all) > diskSide/18 {
		columns, size, step = 2, 10, 15
	}
	rows := int(diskSide / step)
	width := float64(diskWidth-legendLeft-4) / float64(columns)
	style := anchored(sans(size, ink, false), text.XLeft, text.YCenter)
	for i, e := range all {
		x, y := legendLeft+width*float64(i/rows), diskTop+step*(float64(i%rows)+0.5)
		if i == columns*rows-1 && len(all) > columns*rows {
			s.text(x, y, style, "+ "+strconv.Itoa(len(all)-i)+" more")
			return
		}
		s.DrawGlyph(e.style, s.at(x+6, y))
		s.text(x+15, y-1.5, style, cut(style, e.name, width-18))
	}
}

package viz

import (
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// paint draws the whole picture.
func (f *DiskFigure) paint(s *sheet) error {
	if f.bad != nil {
		return f.bad
	}
	f.drawTexts(s, f.caption())
	if all := f.entries(); f.tells(all) {
		drawLegend(s, f.lay, all)
	}
	if !f.o.NoRings {
		for r := 1.0; r <= 3; r++ {
			f.curve(s, ring(ringRadius(r)), stroke(faint, 1, true))
		}
	}
	f.curve(s, ring(1), stroke(ink, 1.5, false))
	if !f.o.NoRings {
		for r := 1.0; r <= 3; r++ {
			f.tag(s, complex(0, -ringRadius(r)), strconv.Itoa(int(r)), grey)
		}
	}
	if f.ring != nil {
		f.curve(s, f.ring, dotted(clipColor, 1.5))
	}
	f.drawLines(s)
	f.drawPoints(s)
	for _, i := range f.clipped {
		circleAt(s, f.on(s, complex(f.xy[2*i], f.xy[2*i+1])), (f.diameter()+4)/2, stroke(clipColor, 1, false))
	}
	f.drawProxies(s)
	if f.ring != nil {
		f.tag(s, f.ring[0], "clip", clipColor)
	}
	return nil
}

// drawTexts writes the title, the caption and the note.
func (s *swarm) drawTexts(to *sheet, caption string) {
	l := s.lay
	bold, small := sans(16, ink, true), sans(12, quiet, false)
	to.text(float64(l.left), 10, bold, cut(bold, s.title, float64(l.width-2*l.left)))
	for i, line := range s.foot(caption) {
		to.text(float64(l.left), float64(l.top+l.side+8+footLine*i), small, line)
	}
}

// on is the place of a point on the sheet.
func (s *swarm) on(to *sheet, z complex128) vg.Point {
	l := s.lay
	scale := float64(l.side) / 2 / l.half
	return to.at(float64(l.left)+float64(l.side)/2+scale*(real(z)-l.x), float64(l.top)+float64(l.side)/2-scale*(imag(z)-l.y))
}

// curve draws a line through points.
func (s *swarm) curve(to *sheet, points []complex128, style vgdraw.LineStyle) {
	path := make([]vg.Point, len(points))
	for i, z := range points {
		path[i] = s.on(to, z)
	}
	to.StrokeLines(style, path)
}

// ring is a circle around the centre.
func ring(r float64) []complex128 {
	points := make([]complex128, 361)
	for k := range points {
		y, x := math.Sincos(2 * math.Pi * float64(k) / 360)
		points[k] = complex(r*x, r*y)
	}
	return points
}

// tag is a short text on white in a line.
func (s *swarm) tag(to *sheet, z complex128, txt string, c color.RGBA) {
	style := anchored(sans(10, c, false), text.XCenter, text.YCenter)
	at, half := s.on(to, z), style.Width(txt)/2+2*px
	to.FillPolygon(color.White, corners(at, half, 6*px))
	to.FillText(style, vg.Point{X: at.X, Y: at.Y + px}, txt)
}

// corners are those of a box around at.
func corners(at vg.Point, halfWidth, halfHeight vg.Length) []vg.Point {
	w, h := halfWidth, halfHeight
	return []vg.Point{{X: at.X - w, Y: at.Y - h}, {X: at.X + w, Y: at.Y - h}, {X: at.X + w, Y: at.Y + h}, {X: at.X - w, Y: at.Y + h}}
}

// dotted is a line of dots.
func dotted(c color.Color, width float64) vgdraw.LineStyle {
	l := stroke(c, width, false)
	l.Dashes = []vg.Length{vg.Length(width) * px, 2 * vg.Length(width) * px}
	return l
}

// circleAt draws an open circle of a radius in pixels.
func circleAt(to *sheet, at vg.Point, radius float64, style vgdraw.LineStyle) {
	var p vg.Path
	r := vg.Length(radius) * px
	p.Move(vg.Point{X: at.X + r, Y: at.Y})
	p.Arc(at, r, 0, 2*math.Pi)
	p.Close()
	to.SetLineStyle(style)
	to.Stroke(p)
}

// drawLines draws the edges, the tree and its inner nodes.
func (f *DiskFigure) drawLines(s *sheet) {
	for _, e := range f.edges {
		f.curve(s, arc(e[0], e[1]), stroke(fade(quiet, edgeStroke.Opacity), edgeStroke.Width, false))
	}
	for _, e := range f.tree {
		f.curve(s, arc(e[0], e[1]), stroke(fade(ink, treeStroke.Opacity), treeStroke.Width, false))
	}
	style := vgdraw.GlyphStyle{Color: ink, Radius: innerSize / 2 * px, Shape: dot{circle}}
	for _, z := range f.inner {
		s.DrawGlyph(style, f.on(s, z))
	}
}

// drawPoints draws the points, in the order they were given so that no class
// covers another. In a vector format very many are one image of 288 dots to the
// inch.
func (s *swarm) drawPoints(to *sheet) {
	n := len(s.xy) / 2
	if to.vector && n > packFrom {
		img := vgimg.NewWith(vgimg.UseWH(vg.Length(to.w)*px, vg.Length(to.h)*px), vgimg.UseDPI(3*96), vgimg.UseBackgroundColor(color.Transparent))
		s.drawPoints(&sheet{Canvas: vgdraw.New(img), w: to.w, h: to.h})
		to.image(0, 0, to.w, to.h, img.Image())
		return
	}
	styles := make([]vgdraw.GlyphStyle, n)
	for _, g := range s.groups {
		style := vgdraw.GlyphStyle{Color: fade(g.color, opacity), Radius: vg.Length(s.diameter()/2) * px, Shape: dot{g.mark}}
		for _, i := range g.rows {
			styles[i] = style
		}
	}
	for i, style := range styles {
		to.DrawGlyph(style, s.on(to, complex(s.xy[2*i], s.xy[2*i+1])))
	}
}

// drawProxies draws the crosses above all.
func (s *swarm) drawProxies(to *sheet) {
	for i := range len(s.proxies) / 2 {
		c, _ := s.proxyLook(i)
		to.DrawGlyph(vgdraw.GlyphStyle{Color: c, Radius: 4.5 * px, Shape: crossMark{}}, s.on(to, complex(s.proxies[2*i], s.proxies[2*i+1])))
	}
}

// drawLegend draws the legend at the right: in one column, or in two narrow
// ones when it is long; what does not fit is counted in the last line.
func drawLegend(s *sheet, l layout, all []entry) {
	columns, size, step := 1, 12.0, 18.0
	if float64(len(all)) > float64(l.side)/step {
		columns, size, step = 2, 10, 15
	}
	left := float64(l.left + l.side + 10)
	rows := int(float64(l.side) / step)
	width := (float64(l.width-4) - left) / float64(columns)
	style := anchored(sans(size, ink, false), text.XLeft, text.YCenter)
	for i, e := range all {
		x, y := left+width*float64(i/rows), float64(l.top)+step*(float64(i%rows)+0.5)
		if i == columns*rows-1 && len(all) > columns*rows {
			s.text(x, y, style, "+ "+strconv.Itoa(len(all)-i)+" more")
			return
		}
		e.draw(s, x+6, y)
		s.text(x+15, y-1.5, style, cut(style, e.name, width-18))
	}
}

// draw draws the mark of an entry.
func (e entry) draw(s *sheet, x, y float64) {
	switch e.kind {
	case entryProxy:
		s.DrawGlyph(vgdraw.GlyphStyle{Color: ink, Radius: 4.5 * px, Shape: crossMark{}}, s.at(x, y))
	case entryLine:
		s.line(stroke(quiet, 1, false), x-6, y, x+6, y)
	case entryRing:
		circleAt(s, s.at(x, y), 4, stroke(clipColor, 1, false))
	default:
		s.DrawGlyph(vgdraw.GlyphStyle{Color: fade(e.color, 0.9), Radius: 4 * px, Shape: dot{e.mark}}, s.at(x, y))
	}
}

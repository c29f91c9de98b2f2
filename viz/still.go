package viz

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"

	"gonum.org/v1/plot"
)

// px is the length of a pixel of the notebook: 96 to the inch.
const px = vg.Inch / 96

// How many pixels of a PNG make one of the notebook, each way.
const (
	plain = 1
	sharp = 2 // enough for paper
)

// heavy is the size of a PNG in bytes above which a notebook gets the plain
// one: it travels twice in each output.
const heavy = 100_000

// sheet is a white canvas measured in pixels from its upper left corner, as
// the option of the same picture is. Under it lies a raster or a vector format.
type sheet struct {
	vgdraw.Canvas
	w, h   float64
	vector bool
}

// newSheet returns a sheet of w×h notebook pixels on c, which has that size.
func newSheet(c vg.CanvasSizer, w, h int) *sheet {
	s := &sheet{Canvas: vgdraw.New(c), w: float64(w), h: float64(h)}
	s.SetColor(color.White)
	s.Fill(s.Rectangle.Path())
	return s
}

// at is the point x to the right and y down of the corner.
func (s *sheet) at(x, y float64) vg.Point {
	return vg.Point{X: vg.Length(x) * px, Y: vg.Length(s.h-y) * px}
}

// box is the part of the sheet with the corner (x, y) and size w×h.
func (s *sheet) box(x, y, w, h float64) vgdraw.Canvas {
	return vgdraw.Crop(s.Canvas, vg.Length(x)*px, -vg.Length(s.w-x-w)*px, vg.Length(s.h-y-h)*px, -vg.Length(y)*px)
}

// text writes txt with its upper left corner at (x, y).
func (s *sheet) text(x, y float64, style text.Style, txt string) {
	if txt != "" {
		s.FillText(style, s.at(x, y), txt)
	}
}

// line is a line from (x0, y0) to (x1, y1).
func (s *sheet) line(style vgdraw.LineStyle, x0, y0, x1, y1 float64) {
	s.StrokeLines(style, []vg.Point{s.at(x0, y0), s.at(x1, y1)})
}

// image draws m into the box with the corner (x, y) and size w×h.
func (s *sheet) image(x, y, w, h float64, m image.Image) {
	s.DrawImage(vg.Rectangle{Min: s.at(x, y+h), Max: s.at(x+w, y)}, m)
}

// encodePNG is a picture as a PNG file; with a palette, a fifth of the size.
func encodePNG(m image.Image, palette bool) ([]byte, error) {
	rgba, ok := m.(*image.RGBA)
	if !ok {
		rgba = image.NewRGBA(m.Bounds())
		draw.Draw(rgba, rgba.Bounds(), m, rgba.Bounds().Min, draw.Src)
	}
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	var out image.Image = rgba
	if palette {
		out = paletted(rgba)
	}
	if err := enc.Encode(&b, out); err != nil {
		return nil, fmt.Errorf("viz: writing a PNG: %w", err)
	}
	return b.Bytes(), nil
}

// sans is a style of the built-in sans-serif font, size pixels high, anchored
// at the upper left.
func sans(size float64, c color.Color, bold bool) text.Style {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Length(size) * px}
	if bold {
		f.Weight = 3 // as x/image/font has it: WeightBold
	}
	return text.Style{Color: c, Font: f, XAlign: text.XLeft, YAlign: text.YTop, Handler: plot.DefaultTextHandler}
}

// anchored is style with another anchor.
func anchored(style text.Style, x text.XAlignment, y text.YAlignment) text.Style {
	style.XAlign, style.YAlign = x, y
	return style
}

// bare hides the extent of the marks of plotters: plot would shrink the plot
// area until the outermost marks fit, and axes and circles are drawn to the
// pixel.
func bare(all ...plot.Plotter) []plot.Plotter {
	for i, p := range all {
		all[i] = struct{ plot.Plotter }{p}
	}
	return all
}

// cut shortens txt to a width in pixels.
func cut(style text.Style, txt string, width float64) string {
	if style.Width(txt) <= vg.Length(width)*px {
		return txt
	}
	r := []rune(txt)
	for len(r) > 0 && style.Width(string(r)+"…") > vg.Length(width)*px {
		r = r[:len(r)-1]
	}
	return string(r) + "…"
}

// stroke is a line of so many pixels; dashed ones have gaps.
func stroke(c color.Color, width float64, dashed bool) vgdraw.LineStyle {
	l := vgdraw.LineStyle{Color: c, Width: vg.Length(width) * px}
	if dashed {
		l.Dashes = []vg.Length{4 * px, 4 * px}
	}
	return l
}

// dot is a marker of a diameter in pixels.
type dot struct {
	mark marker
}

// DrawGlyph draws the marker filled; the forms have about the same area.
func (d dot) DrawGlyph(c *vgdraw.Canvas, style vgdraw.GlyphStyle, at vg.Point) {
	r := style.Radius
	c.SetColor(style.Color)
	var p vg.Path
	corner := func(x, y float64) {
		to := vg.Point{X: at.X + vg.Length(x)*r, Y: at.Y + vg.Length(y)*r}
		if len(p) == 0 {
			p.Move(to)
		} else {
			p.Line(to)
		}
	}
	switch d.mark {
	case triangle:
		corner(0, 1.15)
		corner(1.1, -0.85)
		corner(-1.1, -0.85)
	case square:
		corner(-0.9, -0.9)
		corner(-0.9, 0.9)
		corner(0.9, 0.9)
		corner(0.9, -0.9)
	case diamond:
		corner(0, 1.25)
		corner(1.1, 0)
		corner(0, -1.25)
		corner(-1.1, 0)
	default:
		p.Move(vg.Point{X: at.X + r, Y: at.Y})
		p.Arc(at, r, 0, 2*math.Pi)
	}
	p.Close()
	c.Fill(p)
}

// crossMark is the cross of a proxy, with a white edge to stand out.
type crossMark struct{}

// DrawGlyph draws the cross.
func (crossMark) DrawGlyph(c *vgdraw.Canvas, style vgdraw.GlyphStyle, at vg.Point) {
	arm := style.Radius
	for _, line := range []vgdraw.LineStyle{stroke(color.White, 4.5, false), stroke(style.Color, 2.5, false)} {
		c.StrokeLines(line,
			[]vg.Point{{X: at.X - arm, Y: at.Y - arm}, {X: at.X + arm, Y: at.Y + arm}},
			[]vg.Point{{X: at.X - arm, Y: at.Y + arm}, {X: at.X + arm, Y: at.Y - arm}})
		arm -= 0.7 * px
	}
}

package viz

import (
	"image/color"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	plotfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// page is gonum's PDF canvas with other letters and colours. There letters are
// shapes: gonum would take the whole of a font into each file, and knows only
// the letters of Western Europe, no √ and no Greek. Shapes show every letter
// that the font has.
type page struct{ vg.CanvasWriterTo }

// SetColor sets the colour of what follows; nil is black.
func (c page) SetColor(clr color.Color) {
	if clr == nil {
		clr = color.Black
	}
	c.CanvasWriterTo.SetColor(straight{color.NRGBAModel.Convert(clr).(color.NRGBA)})
}

// straight is a colour whose channels are not multiplied by its opacity, as PDF
// wants them: gonum passes on what it is given.
type straight struct{ c color.NRGBA }

// RGBA is the colour for gonum.
func (s straight) RGBA() (r, g, b, a uint32) {
	return uint32(s.c.R) * 0x101, uint32(s.c.G) * 0x101, uint32(s.c.B) * 0x101, uint32(s.c.A) * 0x101
}

// FillString fills the shapes of txt from at on to the right. Letters that the
// font lacks are boxes.
func (c page) FillString(f plotfont.Face, at vg.Point, txt string) {
	var buf sfnt.Buffer
	units := fixed.Int26_6(f.Face.UnitsPerEm())
	scale := f.Font.Size / vg.Length(units)
	var shape vg.Path
	var last sfnt.GlyphIndex
	for i, r := range txt {
		glyph, err := f.Face.GlyphIndex(&buf, r)
		if err != nil {
			continue
		}
		if kern, err := f.Face.Kern(&buf, last, glyph, units, font.HintingNone); err == nil && i > 0 {
			at.X += vg.Length(kern) * scale
		}
		if segments, err := f.Face.LoadGlyph(&buf, glyph, units, nil); err == nil {
			shape = addGlyph(shape, segments, at, scale)
		}
		if advance, err := f.Face.GlyphAdvance(&buf, glyph, units, font.HintingNone); err == nil {
			at.X += vg.Length(advance) * scale
		}
		last = glyph
	}
	if len(shape) > 0 {
		shape.Close()
		c.Fill(shape)
	}
}

// addGlyph adds the outline of one letter. Fonts have parabolas; each becomes
// the cubic curve that is the same, with controls two thirds of the way.
func addGlyph(p vg.Path, segments sfnt.Segments, origin vg.Point, scale vg.Length) vg.Path {
	var from vg.Point
	at := func(q fixed.Point26_6) vg.Point {
		return vg.Point{X: origin.X + vg.Length(q.X)*scale, Y: origin.Y - vg.Length(q.Y)*scale}
	}
	third := func(a, b vg.Point) vg.Point { return vg.Point{X: a.X + (b.X-a.X)*2/3, Y: a.Y + (b.Y-a.Y)*2/3} }
	for _, s := range segments {
		a, b, c := at(s.Args[0]), at(s.Args[1]), at(s.Args[2])
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			if len(p) > 0 {
				p.Close()
			}
			p.Move(a)
			from = a
		case sfnt.SegmentOpLineTo:
			p.Line(a)
			from = a
		case sfnt.SegmentOpQuadTo:
			p.CubeTo(third(from, a), third(b, a), b)
			from = b
		case sfnt.SegmentOpCubeTo:
			p.CubeTo(a, b, c)
			from = c
		}
	}
	return p
}

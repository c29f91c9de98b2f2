package viz

import (
	"fmt"
	"image/color"
)

// okabe holds the eight colours of Okabe and Ito's palette, which people with
// any common colour blindness can tell apart; the strong ones on white come
// first. Source: M. Okabe, K. Ito, "Color Universal Design", 2008.
var okabe = [8]color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, // blue
	{0xe6, 0x9f, 0x00, 0xff}, // orange
	{0x00, 0x9e, 0x73, 0xff}, // bluish green
	{0xd5, 0x5e, 0x00, 0xff}, // vermilion
	{0x56, 0xb4, 0xe9, 0xff}, // sky blue
	{0xcc, 0x79, 0xa7, 0xff}, // reddish purple
	{0xf0, 0xe4, 0x42, 0xff}, // yellow
	{0x00, 0x00, 0x00, 0xff}, // black
}

var (
	ink   = color.RGBA{0x22, 0x22, 0x22, 0xff} // text and the boundary
	quiet = color.RGBA{0x66, 0x66, 0x66, 0xff} // captions and axis labels
	faint = color.RGBA{0xbb, 0xbb, 0xbb, 0xff} // rings and axis lines
	pale  = color.RGBA{0xe8, 0xe8, 0xe8, 0xff} // grid lines
	grey  = color.RGBA{0x99, 0x99, 0x99, 0xff} // points without a label
)

// marker is the form of a point.
type marker int

const (
	circle marker = iota
	triangle
	square
	diamond
)

// symbols are ECharts' names of the markers.
var symbols = [...]string{circle: "circle", triangle: "triangle", square: "rect", diamond: "diamond"}

// look is colour and form of group i. The first eight are the palette's
// colours as circles; after that the colours repeat darker, lighter, as they
// are and so on, with the next form each time: 96 groups look different.
func look(i int) (color.RGBA, marker) {
	c, round := okabe[i%len(okabe)], i/len(okabe)
	switch round % 3 {
	case 1:
		c = mix(c, color.RGBA{0, 0, 0, 0xff}, 0.4)
		if i%len(okabe) == 7 {
			c = color.RGBA{0x55, 0x55, 0x55, 0xff} // black has no darker shade
		}
	case 2:
		c = mix(c, color.RGBA{0xff, 0xff, 0xff, 0xff}, 0.45)
	}
	return c, marker(round % len(symbols))
}

// mix goes the part t of the way from a to b.
func mix(a, b color.RGBA, t float64) color.RGBA {
	at := func(x, y uint8) uint8 { return uint8(float64(x) + t*(float64(y)-float64(x)) + 0.5) }
	return color.RGBA{at(a.R, b.R), at(a.G, b.G), at(a.B, b.B), 0xff}
}

// fade is c at an opacity from 0 to 1.
func fade(c color.RGBA, opacity float64) color.NRGBA {
	return color.NRGBA{c.R, c.G, c.B, uint8(opacity*255 + 0.5)}
}

// hexOf is c as a style sheet writes it.
func hexOf(c color.RGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// greyLook is the look of group i in print without colours: four forms, and
// four shades of grey that a printer keeps apart.
func greyLook(i int) (color.RGBA, marker) {
	shade := [4]uint8{0x1a, 0x70, 0xa8, 0x48}[(i+i/4)%4]
	return color.RGBA{shade, shade, shade, 0xff}, marker(i % len(symbols))
}

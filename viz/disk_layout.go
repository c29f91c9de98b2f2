package viz

import (
	"math"
	"strings"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

// Places of the disk's picture, in pixels. The plot area is a square, so that
// the disk is a circle; both axes reach to ±diskReach.
const (
	diskWidth  = 720
	diskHeight = 620
	diskLeft   = 12
	diskTop    = 40
	diskSide   = 540
	diskReach  = 1.02
	legendLeft = diskLeft + diskSide + 10

	footLine = 16 // height of a line of the caption
)

// layout says where the parts of a square picture stand, in pixels.
type layout struct {
	left, top, side int // of the square
	width, height   int // of the whole
	legend          bool
	flat            bool    // a plane, not a disk
	x, y, half      float64 // the middle of the square and half its side, in the units of the points
}

// whole is the layout of a picture that stands alone.
var whole = layout{diskLeft, diskTop, diskSide, diskWidth, diskHeight, true, false, 0, 0, diskReach}

// panel is the layout of a picture in a row of others, which have one legend
// together.
func (l layout) panel(side int) layout {
	l.left, l.top, l.side, l.legend = diskLeft, diskTop, side, false
	l.width, l.height = side+2*diskLeft, diskTop+side+8+3*footLine
	return l
}

// fit sets the square of a plane around all points and proxies, with a margin.
func (s *swarm) fit() {
	lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for _, xy := range [][]float64{s.xy, s.proxies} {
		for i, v := range xy {
			lo[i%2], hi[i%2] = min(lo[i%2], v), max(hi[i%2], v)
		}
	}
	if lo[0] > hi[0] {
		lo, hi = [2]float64{-1, -1}, [2]float64{1, 1}
	}
	l := &s.lay
	l.x, l.y = lo[0]/2+hi[0]/2, lo[1]/2+hi[1]/2
	l.half = 1.05 * max(hi[0]-lo[0], hi[1]-lo[1]) / 2
	if least := max(math.Abs(l.x), math.Abs(l.y)) * 1e-9; l.half <= least { // all in one place
		l.half = max(1, least)
	}
}

// foot is the caption and the note below the square, in lines. They leave a
// margin, since a browser's font may be wider than ours.
func (s *swarm) foot(caption string) []string {
	style := sans(12, quiet, false)
	width := 0.86 * float64(s.lay.width-2*s.lay.left)
	return append(wrap(style, caption, width), wrap(style, s.note, width)...)
}

// boundsWith is the size of the picture; many lines below make it longer.
func (s *swarm) boundsWith(caption string) (w, h int) {
	return s.lay.width, max(s.lay.height, s.lay.top+s.lay.side+8+footLine*len(s.foot(caption)))
}

// wrap breaks txt into lines of a width in pixels: between the parts of a
// caption, which " · " separates, and a part that is longer between its words.
func wrap(style text.Style, txt string, width float64) (lines []string) {
	fits := func(s string) bool { return style.Width(s) <= vg.Length(width)*px }
	line := ""
	add := func(piece, sep string) {
		if longer := join(sep, line, piece); line == "" || fits(longer) {
			line = longer
			return
		}
		lines = append(lines, strings.TrimRight(line+sep, " "))
		line = piece
	}
	for _, part := range strings.Split(txt, " · ") {
		if fits(part) {
			add(part, " · ")
			continue
		}
		for k, word := range strings.Fields(part) {
			if k == 0 {
				add(word, " · ")
			} else {
				add(word, " ")
			}
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	for i := range lines {
		lines[i] = cut(style, lines[i], width)
	}
	return lines
}

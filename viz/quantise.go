package viz

import (
	"image"
	"image/color"
	"math"
	"slices"
)

// paletted returns the picture with at most 256 colours. A picture that has no
// more keeps them; else colours are grouped by median cut of their histogram
// with five bits a channel, and each pixel takes its group's mean.
//
// Cost: two passes over the pixels.
//
// Source: P. Heckbert, "Color image quantization for frame buffer display",
// 1982.
func paletted(m *image.RGBA) *image.Paletted {
	if p := exact(m); p != nil {
		return p
	}
	boxes := medianCut(histogram(m), 256)
	palette, index := make(color.Palette, len(boxes)), make([]uint8, 1<<15)
	for k, box := range boxes {
		palette[k] = mean(box)
		for _, c := range box {
			index[c.cell] = uint8(k)
		}
	}
	out := image.NewPaletted(m.Bounds(), palette)
	for i := range out.Pix {
		out.Pix[i] = index[cellOf(m.Pix[4*i:])]
	}
	return out
}

// exact keeps the colours of m, or returns nil when there are more than 256.
func exact(m *image.RGBA) *image.Paletted {
	index := map[[4]uint8]uint8{}
	out := image.NewPaletted(m.Bounds(), nil)
	last, at := [4]uint8{}, uint8(0)
	for i := range out.Pix {
		c := [4]uint8(m.Pix[4*i:])
		if i == 0 || c != last { // most pixels are as the one before
			k, known := index[c]
			if !known {
				if len(index) == 256 {
					return nil
				}
				k = uint8(len(index))
				index[c] = k
				out.Palette = append(out.Palette, color.RGBA{c[0], c[1], c[2], c[3]})
			}
			last, at = c, k
		}
		out.Pix[i] = at
	}
	return out
}

// tally is one cell of the histogram: how many pixels, and the sum of their
// channels.
type tally struct {
	cell uint16
	n    int
	sum  [3]int
}

// cellOf is a pixel's cell: five bits of red, green, blue. The picture is
// opaque.
func cellOf(p []uint8) uint16 {
	return uint16(p[0]>>3)<<10 | uint16(p[1]>>3)<<5 | uint16(p[2]>>3)
}

// histogram counts the pixels of m by cell and leaves out empty cells.
func histogram(m *image.RGBA) []tally {
	all := make([]tally, 1<<15)
	for i := 0; i+3 < len(m.Pix); i += 4 {
		t := &all[cellOf(m.Pix[i:])]
		t.n++
		for k := range 3 {
			t.sum[k] += int(m.Pix[i+k])
		}
	}
	var used []tally
	for cell, t := range all {
		if t.n > 0 {
			t.cell = uint16(cell)
			used = append(used, t)
		}
	}
	return used
}

// medianCut splits cells into at most most boxes: each time the box of the
// largest spread, at the middle of its pixels along its longest side.
func medianCut(cells []tally, most int) [][]tally {
	boxes := [][]tally{cells}
	for len(boxes) < most {
		worst, side, spread := -1, 0, 0
		for k, b := range boxes {
			if s, d := longest(b); d > spread {
				worst, side, spread = k, s, d
			}
		}
		if worst < 0 {
			break
		}
		a, b := split(boxes[worst], side)
		boxes[worst] = a
		boxes = append(boxes, b)
	}
	return boxes
}

// longest is the channel along which a box is longest, and its length there.
func longest(box []tally) (side, length int) {
	for k := range 3 {
		lo, hi := 31, 0
		for _, c := range box {
			v := level(c.cell, k)
			lo, hi = min(lo, v), max(hi, v)
		}
		if hi-lo > length {
			side, length = k, hi-lo
		}
	}
	return side, length
}

// level is channel k of a cell.
func level(cell uint16, k int) int { return int(cell>>(10-5*k)) & 31 }

// split cuts a box of two levels or more along side. A cell counts by the root
// of its pixels: else the white ground would take the whole palette.
func split(box []tally, side int) (a, b []tally) {
	slices.SortStableFunc(box, func(x, y tally) int { return level(x.cell, side) - level(y.cell, side) })
	var weight [32]float64
	total := 0.0
	for _, c := range box {
		w := math.Sqrt(float64(c.n))
		weight[level(c.cell, side)] += w
		total += w
	}
	lo, hi := level(box[0].cell, side), level(box[len(box)-1].cell, side)
	at, sum := lo, weight[lo]
	for at+1 < hi && sum+weight[at+1] <= total/2 {
		at++
		sum += weight[at]
	}
	n := 0
	for n < len(box) && level(box[n].cell, side) <= at {
		n++
	}
	return box[:n:n], box[n:]
}

// mean is the mean colour of a box.
func mean(box []tally) color.RGBA {
	var n int
	var sum [3]int
	for _, c := range box {
		n += c.n
		for k := range 3 {
			sum[k] += c.sum[k]
		}
	}
	at := func(k int) uint8 { return uint8((sum[k] + n/2) / n) }
	return color.RGBA{at(0), at(1), at(2), 0xff}
}

package transform

import "image"

// resample scales m to w×h pixels and returns the given part of that: first
// along the rows, then down the columns, with bytes between the two, as Pillow
// does. A side that keeps its length is left as it is. The result may share m's
// memory.
//
// Cost: for each pixel between and after the two passes three multiplications
// for each tap, of which bicubic has 4 and, when the picture shrinks by s, 4·s.
func resample(m RGB, w, h int, part image.Rectangle, f Filter) RGB {
	if h == m.H {
		m = m.Crop(0, part.Min.Y, m.W, part.Dy())
		return scaleRows(m, w, part.Min.X, part.Max.X, f)
	}
	t := newTaps(m.H, h, part.Min.Y, part.Max.Y, f)
	lo, hi := t.reach()
	m = scaleRows(m.Crop(0, lo, m.W, hi-lo), w, part.Min.X, part.Max.X, f)
	return scaleColumns(m, t, lo)
}

// scaleRows makes every row w pixels long and returns pixels lo to hi of it.
func scaleRows(m RGB, w, lo, hi int, f Filter) RGB {
	if w == m.W {
		return m.Crop(lo, 0, hi-lo, m.H)
	}
	t := newTaps(m.W, w, lo, hi, f)
	out := NewRGB(hi-lo, m.H)
	for y := range m.H {
		scaleRow(out.Row(y), m.Row(y), t)
	}
	return out
}

// scaleRow is one row of scaleRows.
func scaleRow(dst, src []uint8, t taps) {
	for x := 0; x < len(dst)/3; x++ {
		from, weight := t.at(x)
		p := src[3*from:][:3*len(weight)]
		var r, g, b int32 = half, half, half
		for _, w := range weight {
			r += w * int32(p[0])
			g += w * int32(p[1])
			b += w * int32(p[2])
			p = p[3:]
		}
		d := dst[3*x:][:3]
		d[0], d[1], d[2] = clip(r), clip(g), clip(b)
	}
}

// scaleColumns makes the rows that t says out of those of m, whose first is row
// lo of the picture.
func scaleColumns(m RGB, t taps, lo int) RGB {
	out := NewRGB(m.W, len(t.from))
	sum := make([]int32, 3*m.W)
	for y := range out.H {
		from, weight := t.at(y)
		for j := range sum {
			sum[j] = half
		}
		k := 0
		for ; k+2 <= len(weight); k += 2 {
			addRows(sum, m.Row(from-lo+k), m.Row(from-lo+k+1), weight[k], weight[k+1])
		}
		if k < len(weight) {
			row := m.Row(from - lo + k)
			addRows(sum, row, row, weight[k], 0)
		}
		row := out.Row(y)[:len(sum)]
		for j, s := range sum {
			row[j] = clip(s)
		}
	}
	return out
}

// addRows adds v·a + w·b to sum.
func addRows(sum []int32, a, b []uint8, v, w int32) {
	a, b = a[:len(sum)], b[:len(sum)]
	for j := range sum {
		sum[j] += v*int32(a[j]) + w*int32(b[j])
	}
}

// clip is a sum of weights and bytes as a byte.
func clip(s int32) uint8 {
	s >>= places
	if uint32(s) > 255 {
		return uint8(^(s >> 31)) // 0 below, 255 above
	}
	return uint8(s)
}

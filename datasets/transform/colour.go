package transform

import "math"

// grey is the luma of a pixel by the weights 0.299, 0.587, 0.114 of ITU-R BT.601,
// rounded.
func grey(r, g, b uint8) uint8 {
	return uint8((19595*uint32(r) + 38470*uint32(g) + 7471*uint32(b) + 1<<15) >> 16)
}

// blend is a + f·(b-a) in float32, cut to a byte: f 0 is a, f 1 is b, and more
// goes beyond b.
func blend(a, b uint8, f float64) uint8 {
	v := float32(a) + float32(float32(f)*float32(int(b)-int(a)))
	switch {
	case v <= 0:
		return 0
	case v >= 255:
		return 255
	}
	return uint8(v)
}

// blendTable is blend(a, b, f) for all b.
func blendTable(a uint8, f float64) (t [256]uint8) {
	for b := range t {
		t[b] = blend(a, uint8(b), f)
	}
	return t
}

// toHSV is hue, saturation and value of a pixel, each in 0..255 and cut, not
// rounded. A grey has hue 0. 255 steps of hue are the circle.
//
// Source: Smith, "Color gamut transform pairs", 1978.
func toHSV(r, g, b uint8) (h, s, v uint8) {
	lo, hi := min(r, g, b), max(r, g, b)
	if lo == hi {
		return 0, 0, hi
	}
	width := float32(hi - lo)
	rc, gc, bc := float32(hi-r)/width, float32(hi-g)/width, float32(hi-b)/width
	var sixth float32
	switch hi {
	case r:
		sixth = bc - gc
	case g:
		sixth = float32(2.0 + float64(rc) - float64(bc))
	default:
		sixth = float32(4.0 + float64(gc) - float64(rc))
	}
	circle := float32(math.Mod(float64(sixth)/6+1, 1))
	return cut(float64(circle) * 255), cut(float64(width/float32(hi)) * 255), hi
}

// fromHSV is the pixel of a hue, a saturation and a value.
func fromHSV(h, s, v uint8) (r, g, b uint8) {
	if s == 0 {
		return v, v, v
	}
	fs := float64(float32(s) / 255)
	sixth := math.Floor(float64(h) * 6 / 255)
	f := float64(float32(float64(h)*6/255 - sixth))
	value := float64(v)
	p, q, t := rounded(value*(1-fs)), rounded(value*(1-fs*f)), rounded(value*(1-fs*(1-f)))
	switch int(sixth) % 6 {
	case 0:
		return v, t, p
	case 1:
		return q, v, p
	case 2:
		return p, v, t
	case 3:
		return p, q, v
	case 4:
		return t, p, v
	}
	return v, p, q
}

func cut(v float64) uint8 { return uint8(min(max(int(v), 0), 255)) }

func rounded(v float64) uint8 { return cut(math.Round(v)) }

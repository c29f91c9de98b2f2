package transform

import (
	"image"
	"math"
	"math/rand/v2"
)

// CentreCrop cuts Size×Size pixels out of the middle. A side that is shorter is
// filled up with black on both ends. Half a pixel goes to the even number, as
// Python's round has it.
//
// Source: torchvision's CenterCrop.
type CentreCrop struct {
	Size int // of both sides, pixels; 0 means 224
}

// Apply implements Step. It draws nothing.
func (s CentreCrop) Apply(m RGB, _ *rand.Rand) RGB {
	size := or224(s.Size)
	m = widen(m, size)
	return m.Crop(middle(m.W, size), middle(m.H, size), size, size)
}

// Out implements Sized.
func (s CentreCrop) Out() (w, h int) { return or224(s.Size), or224(s.Size) }

// Check implements Step.
func (s CentreCrop) Check() error { return checkSize("CentreCrop", s.Size) }

// part is what the crop leaves of a picture of w×h, which must not be smaller.
func (s CentreCrop) part(w, h int) image.Rectangle {
	size := or224(s.Size)
	x, y := middle(w, size), middle(h, size)
	return image.Rect(x, y, x+size, y+size)
}

// middle is where a middle part of size begins among n pixels.
func middle(n, size int) int { return int(math.RoundToEven(float64(n-size) / 2)) }

// widen sets m on black where it is smaller than size.
func widen(m RGB, size int) RGB {
	if m.W >= size && m.H >= size {
		return m
	}
	out := NewRGB(max(m.W, size), max(m.H, size))
	x, y := (out.W-m.W)/2, (out.H-m.H)/2
	for j := range m.H {
		copy(out.Row(y + j)[3*x:], m.Row(j))
	}
	return out
}

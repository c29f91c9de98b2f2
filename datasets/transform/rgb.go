// Package transform turns pictures into the numbers that models take: resize,
// crop, flip, colour jitter and normalisation, with the rounding of Pillow and
// the rules of torchvision, so that weights trained there see here what they saw
// there.
package transform

import (
	"fmt"
	"image"
	"math/rand/v2"
)

// RGB is a picture of W×H pixels, three bytes each: red, green, blue. It may be
// a part of a larger one and share its memory.
type RGB struct {
	W, H   int
	Stride int     // bytes from one row to the next, at least 3·W
	Pix    []uint8 // row y begins at y·Stride
}

// NewRGB is a black picture. It panics if a side is below 1.
func NewRGB(w, h int) RGB {
	if w < 1 || h < 1 {
		panic(fmt.Sprintf("transform: NewRGB: %d×%d pixels: want at least one", w, h))
	}
	return RGB{W: w, H: h, Stride: 3 * w, Pix: make([]uint8, 3*w*h)}
}

// Row is the 3·W bytes of row y.
func (m RGB) Row(y int) []uint8 { return m.Pix[y*m.Stride:][:3*m.W] }

// Crop is the part of w×h pixels whose upper left corner is (x, y). It shares
// m's memory, and panics if it does not lie in m.
func (m RGB) Crop(x, y, w, h int) RGB {
	if x < 0 || y < 0 || w < 1 || h < 1 || x+w > m.W || y+h > m.H {
		panic(fmt.Sprintf("transform: Crop: %d×%d at (%d, %d) does not lie in %d×%d", w, h, x, y, m.W, m.H))
	}
	end := (y+h-1)*m.Stride + 3*(x+w)
	return RGB{W: w, H: h, Stride: m.Stride, Pix: m.Pix[y*m.Stride+3*x : end : end]}
}

// Clone is m in memory of its own, without gaps between rows.
func (m RGB) Clone() RGB {
	out := NewRGB(m.W, m.H)
	for y := range m.H {
		copy(out.Row(y), m.Row(y))
	}
	return out
}

// Image is a copy of m for package image, to look at it.
func (m RGB) Image() image.Image {
	out := image.NewNRGBA(image.Rect(0, 0, m.W, m.H))
	for y := range m.H {
		row, to := m.Row(y), out.Pix[y*out.Stride:]
		for x := range m.W {
			to[4*x], to[4*x+1], to[4*x+2], to[4*x+3] = row[3*x], row[3*x+1], row[3*x+2], 255
		}
	}
	return out
}

// Step is one transform of a picture.
type Step interface {
	// Apply is the picture after the step. It leaves m as it is; the result may
	// share m's memory. A step that leaves something to chance takes it from rng,
	// the others do not touch it.
	Apply(m RGB, rng *rand.Rand) RGB

	// Check says what makes no sense in the step's settings.
	Check() error
}

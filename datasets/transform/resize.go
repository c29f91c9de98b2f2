package transform

import (
	"fmt"
	"image"
	"math/rand/v2"
)

// Resize makes the shorter side Size pixels long and keeps the proportion; the
// longer side is rounded down. A picture whose shorter side has that length
// already stays as it is.
//
// The longer side is at most 64·Size: a picture of a more extreme aspect is
// squeezed, so that no file can ask for a picture of any size.
//
// Source: torchvision's Resize on Pillow pictures.
type Resize struct {
	Size   int    // of the shorter side, pixels; 0 means 256
	Filter Filter // the zero value is Bicubic
}

// maxAspect bounds the longer side, in shorter sides.
const maxAspect = 64

// Apply implements Step. It draws nothing.
func (s Resize) Apply(m RGB, _ *rand.Rand) RGB {
	w, h := s.size(m.W, m.H)
	return resample(m, w, h, image.Rect(0, 0, w, h), s.Filter)
}

// size is the new size of a picture of w×h.
func (s Resize) size(w, h int) (int, int) {
	size := s.Size
	if size == 0 {
		size = 256
	}
	longer := func(a, b int) int { return int(min(int64(size)*int64(a)/int64(b), maxAspect*int64(size))) }
	switch {
	case min(w, h) == size && max(w, h) <= maxAspect*size:
		return w, h
	case w <= h:
		return size, longer(h, w)
	}
	return longer(w, h), size
}

// Check implements Step.
func (s Resize) Check() error {
	if s.Size < 0 || s.Size > maxSize {
		return fmt.Errorf("transform: Resize: Size %d: want 1 to %d, or 0 for 256", s.Size, maxSize)
	}
	return s.Filter.check("Resize")
}

// maxSize bounds the sizes that steps may be asked for, pixels.
const maxSize = 4096

// checkSize says whether a step makes pictures of a sensible size.
func checkSize(step string, size int) error {
	if size < 0 || size > maxSize {
		return fmt.Errorf("transform: %s: Size %d: want 1 to %d, or 0 for 224", step, size, maxSize)
	}
	return nil
}

// or224 is size, 224 for 0.
func or224(size int) int {
	if size == 0 {
		return 224
	}
	return size
}

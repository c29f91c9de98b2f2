package transform

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"
)

// RandomResizedCrop cuts out a part of random area and aspect and scales it to
// Size×Size:
//
//	area   uniform in Scale, as a share of the picture
//	aspect exp(uniform in log Ratio), width over height
//
// in up to ten tries, until the part fits; its place is uniform. After ten it is
// the middle of the picture, as much as Ratio allows.
//
// Source: torchvision's RandomResizedCrop; Szegedy et al., "Going deeper with
// convolutions", 2015. The same law, not the same random numbers.
type RandomResizedCrop struct {
	Size   int        // of both sides, pixels; 0 means 224
	Scale  [2]float64 // least and largest share of the area, in (0, 1]; zeros mean 0.08 and 1
	Ratio  [2]float64 // least and largest aspect; zeros mean 3/4 and 4/3
	Filter Filter     // the zero value is Bicubic
}

// cropTries is how often a part is drawn before the middle is taken.
const cropTries = 10

// Apply implements Step.
func (s RandomResizedCrop) Apply(m RGB, rng *rand.Rand) RGB {
	b, size := s.box(m.W, m.H, rng), or224(s.Size)
	m = m.Crop(b.Min.X, b.Min.Y, b.Dx(), b.Dy())
	return resample(m, size, size, image.Rect(0, 0, size, size), s.Filter)
}

// Out implements Sized.
func (s RandomResizedCrop) Out() (w, h int) { return or224(s.Size), or224(s.Size) }

// box draws the part of a picture of w×h.
func (s RandomResizedCrop) box(w, h int, rng *rand.Rand) image.Rectangle {
	s = s.withDefaults()
	area := float64(w) * float64(h)
	lo, hi := math.Log(s.Ratio[0]), math.Log(s.Ratio[1])
	for range cropTries {
		target := area * uniform(rng, s.Scale[0], s.Scale[1])
		aspect := math.Exp(uniform(rng, lo, hi))
		bw := int(math.RoundToEven(math.Sqrt(target * aspect)))
		bh := int(math.RoundToEven(math.Sqrt(target / aspect)))
		if 0 < bw && bw <= w && 0 < bh && bh <= h {
			y := rng.IntN(h - bh + 1)
			x := rng.IntN(w - bw + 1)
			return image.Rect(x, y, x+bw, y+bh)
		}
	}
	return s.middle(w, h)
}

// middle is the part after ten tries in vain.
func (s RandomResizedCrop) middle(w, h int) image.Rectangle {
	bw, bh := w, h
	switch aspect := float64(w) / float64(h); {
	case aspect < s.Ratio[0]:
		bh = int(math.RoundToEven(float64(w) / s.Ratio[0]))
	case aspect > s.Ratio[1]:
		bw = int(math.RoundToEven(float64(h) * s.Ratio[1]))
	}
	bw, bh = min(max(bw, 1), w), min(max(bh, 1), h)
	x, y := (w-bw)/2, (h-bh)/2
	return image.Rect(x, y, x+bw, y+bh)
}

func (s RandomResizedCrop) withDefaults() RandomResizedCrop {
	if s.Scale == [2]float64{} {
		s.Scale = [2]float64{0.08, 1}
	}
	if s.Ratio == [2]float64{} {
		s.Ratio = [2]float64{3.0 / 4, 4.0 / 3}
	}
	return s
}

// Check implements Step.
func (s RandomResizedCrop) Check() error {
	if err := checkSize("RandomResizedCrop", s.Size); err != nil {
		return err
	}
	d := s.withDefaults()
	if !(0 < d.Scale[0] && d.Scale[0] <= d.Scale[1] && d.Scale[1] <= 1) {
		return fmt.Errorf("transform: RandomResizedCrop: Scale %v: want shares of the area in (0, 1], the lesser first", s.Scale)
	}
	if !(0 < d.Ratio[0] && d.Ratio[0] <= d.Ratio[1]) || math.IsInf(d.Ratio[1], 1) {
		return fmt.Errorf("transform: RandomResizedCrop: Ratio %v: want positive and finite numbers, the lesser first", s.Ratio)
	}
	return s.Filter.check("RandomResizedCrop")
}

// uniform draws from [lo, hi).
func uniform(rng *rand.Rand, lo, hi float64) float64 { return lo + (hi-lo)*rng.Float64() }

package transform

import (
	"fmt"
	"math"
)

// Filter is the kernel of a resize. When a picture shrinks it is widened by the
// factor, so that every old pixel counts (antialiasing).
type Filter int

// The filters.
const (
	Bicubic  Filter = iota // Keys's cubic with a = -1/2, four pixels wide; the default
	Bilinear               // the triangle, two pixels wide
)

// String is the name of the filter.
func (f Filter) String() string {
	switch f {
	case Bicubic:
		return "bicubic"
	case Bilinear:
		return "bilinear"
	}
	return fmt.Sprintf("Filter(%d)", int(f))
}

func (f Filter) check(step string) error {
	if f != Bicubic && f != Bilinear {
		return fmt.Errorf("transform: %s: Filter %d: want Bicubic or Bilinear", step, int(f))
	}
	return nil
}

// support is how far the kernel reaches to each side, in pixels.
func (f Filter) support() float64 {
	if f == Bilinear {
		return 1
	}
	return 2
}

// at is the kernel at x:
//
//	bilinear  1 - |x|                            |x| < 1
//	bicubic   (a+2)|x|³ - (a+3)|x|² + 1          |x| < 1
//	          a|x|³ - 5a|x|² + 8a|x| - 4a        1 ≤ |x| < 2
//
// Source: Keys, "Cubic convolution interpolation for digital image processing",
// 1981, whose a = -1/2 is of third order.
func (f Filter) at(x float64) float64 {
	const a = -0.5
	x = math.Abs(x)
	switch {
	case f == Bilinear:
		return max(1-x, 0)
	case x < 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return (((x-5)*x+8)*x - 4) * a
	}
	return 0
}

// Weights are integers of 22 binary places: with 8 bits of a pixel and the
// overshoot of the cubic a sum still fits into 32 bits. Pillow's are the same.
const (
	places = 22
	half   = 1 << (places - 1)
)

// taps says which old pixels make up each new one, along one axis.
type taps struct {
	from   []int   // the first old pixel
	count  []int   // how many
	size   int     // entries of weight for each new pixel
	weight []int32 // times 2^places; those of a pixel add up to about one
}

// newTaps are those of new pixels lo to hi, when n old pixels become size.
func newTaps(n, size, lo, hi int, f Filter) taps {
	scale := float64(n) / float64(size)
	wide := max(scale, 1)
	reach := f.support() * wide
	t := taps{from: make([]int, hi-lo), count: make([]int, hi-lo), size: 2*int(math.Ceil(reach)) + 1}
	t.weight = make([]int32, t.size*(hi-lo))
	w := make([]float64, t.size)
	for i := range t.from {
		centre := (float64(lo+i) + 0.5) * scale
		first := max(int(centre-reach+0.5), 0)
		count := min(int(centre+reach+0.5), n) - first
		sum := 0.0
		for k := range count {
			w[k] = f.at((float64(first+k) - centre + 0.5) * (1 / wide))
			sum += w[k]
		}
		for k := range count {
			v := w[k]
			if sum != 0 {
				v /= sum
			}
			t.weight[i*t.size+k] = int32(math.Round(v * (1 << places)))
		}
		t.from[i], t.count[i] = first, count
	}
	return t
}

// at is the first old pixel of new pixel i and the weights from there on.
func (t taps) at(i int) (from int, weight []int32) {
	return t.from[i], t.weight[i*t.size:][:t.count[i]]
}

// reach is the old pixels that any new one needs.
func (t taps) reach() (lo, hi int) {
	n := len(t.from) - 1 // both ends rise from pixel to pixel
	return t.from[0], t.from[n] + t.count[n]
}

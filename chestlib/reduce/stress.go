package reduce

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/chestlib/poincare"
	"github.com/chestlab/chest/internal/parallel"
)

const (
	mostPairs = 1 << 18 // of which distances are compared: all up to 724 points
	pairGrain = 1 << 12 // pairs of a task
)

// pairs are pairs of different rows, with the distance of each before the
// reduction, in units of curvature -1; plain for c = 0.
type pairs struct {
	a, b []int32
	far  []float64
}

// newPairs takes all pairs of n rows, or that many random ones where there are
// more. seed tells samples apart.
func newPairs(n, most int, seed uint64) *pairs {
	p := &pairs{}
	if n*(n-1)/2 <= most {
		for i := range n {
			for j := range i {
				p.a, p.b = append(p.a, int32(i)), append(p.b, int32(j))
			}
		}
		return p
	}
	rng := rand.New(rand.NewPCG(seed, 5))
	for range most {
		i, j := rng.IntN(n), rng.IntN(n-1)
		if j >= i {
			j++
		}
		p.a, p.b = append(p.a, int32(i)), append(p.b, int32(j))
	}
	return p
}

// measure sets far to the distances of the points x of the ball of curvature -c.
func (p *pairs) measure(x []float64, d int, c float64) {
	p.far = make([]float64, len(p.a))
	parallel.For(len(p.a), pairGrain, func(lo, hi int) {
		for at := lo; at < hi; at++ {
			i, j := int(p.a[at])*d, int(p.b[at])*d
			p.far[at] = length(x[i:i+d], x[j:j+d], c)
		}
	})
}

// length is the distance of two points in units of curvature -1; plain for c = 0.
func length(x, y []float64, c float64) float64 {
	if c == 0 {
		return floats.Distance(x, y, 2)
	}
	return math.Sqrt(c) * poincare.Distance(x, y, c)
}

// lengths says which distances of a picture stress and distortion compare.
type lengths int

const (
	hyperbolicLengths lengths = iota // as they are
	hyperbolicShape                  // times the factor of least stress
	plainShape                       // plain ones, times that factor
)

// compare returns the factor α, the stress and the distortion of the picture xy:
//
//	stress     = √( Σ (α d - δ)² / Σ δ² ),  distortion = mean of |α d - δ|/δ over δ > 0
//
// with α = Σ dδ/Σ d², the factor of least stress, or 1. Without a pair, and of
// equal points that stay equal, both are 0.
func (p *pairs) compare(xy []float64, l lengths) (scale, stress, distortion float64) {
	near := make([]float64, len(p.a))
	c := 1.0
	if l == plainShape {
		c = 0
	}
	parallel.For(len(near), pairGrain, func(lo, hi int) {
		for at := lo; at < hi; at++ {
			i, j := 2*int(p.a[at]), 2*int(p.b[at])
			near[at] = length(xy[i:i+2], xy[j:j+2], c)
		}
	})
	scale = 1
	if dd := floats.Dot(near, near); l != hyperbolicLengths && dd > 0 {
		scale = floats.Dot(near, p.far) / dd
	}
	var off, whole, share float64
	counted := 0
	for at, far := range p.far {
		e := scale*near[at] - far
		off, whole = off+e*e, whole+far*far
		if far > 0 {
			share += math.Abs(e) / far
			counted++
		}
	}
	if off > 0 {
		stress = math.Sqrt(off / whole) // +Inf if equal points were drawn apart
	}
	if counted > 0 {
		distortion = share / float64(counted)
	}
	return scale, stress, distortion
}

// judged is the quality of the picture xy of the points x.
func judged(q Quality, xy, x []float64, d int, l lengths) Quality {
	q.Points = len(x) / d
	p := newPairs(q.Points, mostPairs, 0)
	p.measure(x, d, q.Curvature)
	q.Scale, q.Stress, q.Distortion = p.compare(xy, l)
	return q
}

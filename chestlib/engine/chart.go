package engine

import (
	"math"

	"github.com/chestlab/chest/internal/vmath"
)

// chart says how a row u becomes a point x of its space: x = f u with a factor
// f(‖u‖), on the sphere u/‖u‖, in the ball expmap₀(clip_r(u)). Every such map
// pulls a gradient g by x back to
//
//	α g + β (u·g) u
type chart struct {
	sphere bool
	c, r   float64 // of the ball; r is +Inf for no clip
}

// pull holds α and β of one row.
type pull struct{ alpha, beta float64 }

// point is what a chart says about one row.
type point struct {
	f       float64
	pull    pull
	room    float64 // 1 - c‖x‖²; 1 on the sphere
	clipped bool    // ‖u‖ ≥ r
}

// at returns the point of a row of squared length nn.
func (m chart) at(nn float64) point {
	norm := math.Sqrt(nn)
	if m.sphere {
		if norm == 0 {
			return point{room: 1}
		}
		return point{f: 1 / norm, pull: pull{1 / norm, -1 / (norm * nn)}, room: 1}
	}
	p := point{f: 1, pull: pull{alpha: 1}, room: 1, clipped: norm >= m.r}
	length := norm
	if norm > m.r {
		length = m.r
		p.f = m.r / norm
	}
	if t := math.Sqrt(m.c) * length; t > 0 {
		tanh := math.Tanh(t)
		cosh := math.Cosh(t)
		p.room = 1 / (cosh * cosh)
		p.pull.alpha = tanh / t
		p.f *= p.pull.alpha
		p.pull.beta = m.c * slope(t, tanh, p.room)
	}
	if norm > m.r { // what points outwards is lost
		p.pull = pull{p.f, -p.f / nn}
	}
	return p
}

// slope is (tanh(t)/t)′/t = (sech²t/t - tanh t/t²)/t, -2/3 at t = 0.
func slope(t, tanh, sech2 float64) float64 {
	if t < 0.02 { // the difference would cancel
		return -2.0/3 + t*t*(8.0/15)
	}
	return (sech2 - tanh/t) / (t * t)
}

// back adds the gradient by u to gu, given that by its point.
func (p pull) back(gu, u, g []float32) {
	vmath.Combine64(gu, p.alpha, g, p.beta*vmath.Dot64(u, g), u)
}

package engine

import (
	"math"

	"github.com/chestlab/chest/chestlib/ball"
	"github.com/chestlab/chest/internal/vmath"
)

// chart says how a row u becomes a point x of its space: x = f u with a factor
// f(‖u‖), on the sphere u/‖u‖, in the ball expmap₀(u') with u' = clip(u). Every
// such map pulls a gradient g by x back to
//
//	α g + β (u·g) u
type chart struct {
	sphere bool
	c, r   float64 // of the ball; r is +Inf for no clip
	soft   bool    // see ball.Map
}

// pull holds α and β of one row and, in the ball, what u·g is multiplied by for
// the row's share of ball.Sums.
type pull struct{ alpha, beta, along, radius float64 }

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
		return point{f: 1 / norm, pull: pull{alpha: 1 / norm, beta: -1 / (norm * nn)}, room: 1}
	}
	share, bend := m.clip(norm)
	p := point{f: share, room: 1, clipped: norm >= m.r}
	over := 1.0 // expmap₀ = over · id
	if t := math.Sqrt(m.c) * norm * share; t > 0 {
		tanh := math.Tanh(t)
		cosh := math.Cosh(t)
		p.room = 1 / (cosh * cosh)
		over = tanh / t
		p.f *= over
		p.pull.beta = m.c * slope(t, tanh, p.room) * share * share * share
	}
	p.pull.alpha = p.f
	p.pull.along = share * p.room
	switch {
	case m.soft:
		p.pull.beta += bend * p.room
		p.pull.radius = -bend * nn * p.room
	case norm > m.r: // what points outwards is lost
		p.pull.beta = -p.f / nn
		p.pull.radius = p.pull.along
	}
	return p
}

// clip returns share of u' = share u, and of the soft clip bend = share′/‖u‖.
// With these,
//
//	∂u'/∂u = share + bend u uᵀ,  r ∂u'/∂r = -bend ‖u‖² u   (soft: share depends on ‖u‖/r)
func (m chart) clip(norm float64) (share, bend float64) {
	switch {
	case m.soft:
		t := norm / m.r
		if t == 0 {
			return 1, slope(0, 0, 1) / (m.r * m.r)
		}
		tanh, cosh := math.Tanh(t), math.Cosh(t)
		return tanh / t, slope(t, tanh, 1/(cosh*cosh)) / (m.r * m.r)
	case norm > m.r:
		return m.r / norm, 0
	}
	return 1, 0
}

// slope is (tanh(t)/t)′/t = (sech²t/t - tanh t/t²)/t, -2/3 at t = 0.
func slope(t, tanh, sech2 float64) float64 {
	if t < 0.02 { // the difference would cancel
		return -2.0/3 + t*t*(8.0/15)
	}
	return (sech2 - tanh/t) / (t * t)
}

// back adds the gradient by u to gu, given that by its point, and returns u·g.
func (p pull) back(gu, u, g []float32) (dot float64) {
	dot = vmath.Dot64(u, g)
	vmath.Combine64(gu, p.alpha, g, p.beta*dot, u)
	return dot
}

// sums is the row's share of the gradient by the ball, given what back returned.
func (p pull) sums(dot float64) ball.Sums {
	return ball.Sums{Along: p.along * dot, Radius: p.radius * dot}
}

package hyphc

import (
	"math"

	"gonum.org/v1/gonum/floats"
)

// Memory of Adam and what keeps its steps finite.
const (
	beta1 = 0.9
	beta2 = 0.999
	eps   = 1e-8
)

// edge is the norm at which points are kept inside the ball.
const edge = 1 - 1e-5

// step is what all leaves share in one step of Adam: the rate and the
// corrections 1-βᵗ for the memory's start at 0.
type step struct{ rate, mean, square float64 }

func newStep(rate float64, t int) step {
	return step{rate, 1 - math.Pow(beta1, float64(t)), 1 - math.Pow(beta2, float64(t))}
}

// length returns the factor of the mean gradient by which to go.
func (a step) length(square float64) float64 {
	return a.rate / a.mean / (math.Sqrt(square/a.square) + eps)
}

// leaf is one point of the ball of curvature -1 under Riemannian Adam: x, the
// mean gradient m, a tangent vector at x, and the mean squared length of
// gradients, one number. With the Euclidean gradient g and λ = 2/(1-‖x‖²),
//
//	m ← β₁m + (1-β₁) g/λ²        v ← β₂v + (1-β₂) ‖g‖²/λ²
//	x ← expmapₓ(-η (m/(1-β₁ᵗ)) / (√(v/(1-β₂ᵗ)) + ε)),  m carried along
//
// Source: G. Bécigneul, O.-E. Ganea, "Riemannian Adaptive Optimization Methods"
// (2019), section 4.
type leaf struct {
	x, m []float64
	v    *float64
}

// move takes one step. y and g are scratch: g holds the gradient and is lost.
func (l leaf) move(a step, g, y []float64) {
	room := 1 - floats.Dot(l.x, l.x)
	shrink := room * room / 4 // 1/λ²
	*l.v = beta2**l.v + (1-beta2)*shrink*floats.Dot(g, g)
	for i, gi := range g {
		l.m[i] = beta1*l.m[i] + (1-beta1)*shrink*gi
	}
	along := -a.length(*l.v)
	size := math.Abs(along) * math.Sqrt(floats.Dot(l.m, l.m))
	if size == 0 {
		return
	}
	along *= math.Tanh(size/room) / size // expmap: x ⊕ tanh(‖v‖/room) v/‖v‖
	for i, mi := range l.m {
		y[i] = along * mi
	}
	l.carry(y, g)
}

// carry moves x to x ⊕ y and m with it, by parallel transport along the
// geodesic. old is scratch.
//
//	x ⊕ y = ((1 + 2 x·y + ‖y‖²) x + (1-‖x‖²) y) / (1 + 2 x·y + ‖x‖²‖y‖²)
//	m ← gyr[x⊕y, -x] m · (1-‖x⊕y‖²)/(1-‖x‖²)
func (l leaf) carry(y, old []float64) {
	copy(old, l.x)
	xx, xy, yy := floats.Dot(l.x, l.x), floats.Dot(l.x, y), floats.Dot(y, y)
	q := 1 + 2*xy + xx*yy
	for i, yi := range y {
		l.x[i] = ((1+2*xy+yy)*l.x[i] + (1-xx)*yi) / q
	}
	nn := floats.Dot(l.x, l.x)
	if nn > edge*edge {
		floats.Scale(edge/math.Sqrt(nn), l.x)
		nn = edge * edge
	}
	// gyr[u,-x]w = w + 2(αu - βx)/(1 - 2u·x + ‖u‖²‖x‖²), with u the new point
	ux, uw, xw := floats.Dot(l.x, old), floats.Dot(l.x, l.m), floats.Dot(old, l.m)
	alpha := -uw*xx - xw + 2*xw*ux
	beta := xw*nn - uw
	k, scale := 2/(1-2*ux+nn*xx), (1-nn)/(1-xx)
	for i, ui := range l.x {
		l.m[i] = scale * (l.m[i] + k*(alpha*ui-beta*old[i]))
	}
}

// number is a plain parameter under Adam.
type number struct{ x, m, v float64 }

func (p *number) move(a step, g float64) {
	p.m = beta1*p.m + (1-beta1)*g
	p.v = beta2*p.v + (1-beta2)*g*g
	p.x -= a.length(p.v) * p.m
}

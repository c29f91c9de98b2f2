package optim

import (
	"cmp"
	"math"

	"github.com/chestlab/chest/internal/vmath"
)

// RiemannianAdamOptions controls RiemannianAdam. The zero value is the setting
// of Adam's paper.
type RiemannianAdamOptions struct {
	Beta1  float64 // memory of the mean gradient, in [0, 1); 0 means 0.9
	Beta2  float64 // memory of the mean squared length of the gradient, in [0, 1); 0 means 0.999
	Eps    float64 // added to the root of the latter; 0 means 1e-8
	Decay  float64 // λ of the penalty λ/2‖w‖², whose gradient is added; 0 or negative means none
	Margin float64 // points are kept at √c‖x‖ ≤ 1-Margin, in (0, 1); 0 means 4e-3
}

// RiemannianAdam is Adam for params whose rows are points of the Poincaré ball;
// other params move as by Adam. With the Euclidean gradient g of a row x after
// clipping at step t, the rate η of the param's group and its decay λ, the row
// moves by
//
//	g ← ((1-c‖x‖²)²/4) (g + λx)                     the Riemannian gradient
//	m ← β₁m + (1-β₁)g      v ← β₂v + (1-β₂)‖g‖ₓ²    v: one number a row
//	z = expmapₓ( -η (m/(1-β₁ᵗ)) / (√(v/(1-β₂ᵗ)) + ε) )
//	z ← project(z),  m ← PT_{x→z}(m),  x ← z
//
// with the Riemannian length ‖g‖ₓ = 2‖g‖/(1-c‖x‖²), the exponential map itself,
// no retraction, and the parallel transport along the geodesic. A step is about
// η long as the ball measures it. project moves z radially to √c‖z‖ = 1-Margin
// where it is outside, as are rows before the step. λ is 0 for plain params; it
// pulls towards the origin by coordinates, not by distance. t counts steps, once
// for all params. Rows are float32, the numbers of a row's step float64. A step
// allocates nothing.
//
// Source: G. Bécigneul and O. Ganea, "Riemannian Adaptive Optimization Methods"
// (2019), with rows as the factors of the product; β₁ is constant and v has no
// maximum (their Radam). The rule is that of geoopt.
type RiemannianAdam struct {
	Adam
	margin float64
}

// Name implements Recipe.
func (o RiemannianAdamOptions) Name() string { return "riemannian-adam" }

// Make implements Recipe.
func (o RiemannianAdamOptions) Make(params []*Param, c Common) (Optimizer, error) {
	r := &RiemannianAdam{margin: cmp.Or(o.Margin, defaultMargin)}
	if err := checkMargin(o.Name(), r.margin); err != nil {
		return nil, err
	}
	flat := AdamOptions{Beta1: o.Beta1, Beta2: o.Beta2, Eps: o.Eps, Decay: o.Decay}
	if err := r.init(o.Name(), params, flat, c, true); err != nil {
		return nil, err
	}
	r.task = r.movePiece
	return r, nil
}

// movePiece changes one piece.
func (r *RiemannianAdam) movePiece(task, worker int) {
	s, at, w, g := r.at(task)
	if s.p.Ball == 0 {
		r.Adam.movePiece(task, worker)
		return
	}
	d, on, mo := s.p.row(), ball{s.p.Ball, r.margin}, r.moments
	step := r.now.Rate * s.rate / (1 - math.Pow(mo.beta1, float64(r.steps)))
	fix := 1 - math.Pow(mo.beta2, float64(r.steps))
	for lo := 0; lo < len(w); lo += d {
		x, g, m, v := w[lo:lo+d], g[lo:lo+d], s.m[at.lo+lo:at.lo+lo+d], &s.v[(at.lo+lo)/d]
		xx := on.settle(x)
		prepare(x, g, r.now, s.decay)
		factor := on.gradient(xx)
		vmath.Combine64(m, mo.beta1-1, m, (1-mo.beta1)*factor, g)
		*v = float32(mo.beta2*float64(*v) + (1-mo.beta2)*factor*vmath.Dot64(g, g))
		copy(g, m)
		on.move(x, xx, g, m, -step/(math.Sqrt(float64(*v)/fix)+mo.eps))
	}
}

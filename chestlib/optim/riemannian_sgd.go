package optim

import (
	"cmp"
	"fmt"

	"github.com/chestlab/chest/internal/vmath"
)

// RiemannianSGDOptions controls RiemannianSGD. The zero value is plain
// Riemannian gradient descent.
type RiemannianSGDOptions struct {
	Momentum float64 // μ, the share of the last step that goes on, in [0, 1); 0 means none
	Nesterov bool    // look ahead along the momentum, which must not be 0
	Decay    float64 // λ of the penalty λ/2‖w‖², whose gradient is added; 0 or negative means none
	Margin   float64 // points are kept at √c‖x‖ ≤ 1-Margin, in (0, 1); 0 means 4e-3
}

// RiemannianSGD is SGD for params whose rows are points of the Poincaré ball;
// other params move as by SGD. With the Euclidean gradient g of a row x after
// clipping, the rate η of the param's group and its decay λ, the row moves by
//
//	g ← ((1-c‖x‖²)²/4) (g + λx)          the Riemannian gradient
//	b ← μb + g                           b = 0 before the first step
//	z = expmapₓ(-ηb)                     or, with Nesterov, expmapₓ(-η(g + μb))
//	z ← project(z),  b ← PT_{x→z}(b),  x ← z
//
// with the exponential map itself, no retraction, and the parallel transport
// along the geodesic. project moves z radially to √c‖z‖ = 1-Margin where it is
// outside, as are rows before the step. λ is 0 for plain params; it pulls towards
// the origin by coordinates, not by distance. Rows are float32, the numbers of a
// row's step float64. A step allocates nothing.
//
// For c → 0 the step is that of SGD at a quarter of the rate, since lengths are
// doubled there.
//
// Sources: S. Bonnabel, "Stochastic gradient descent on Riemannian manifolds"
// (2013); G. Bécigneul and O. Ganea, "Riemannian Adaptive Optimization Methods"
// (2019). The rule is that of geoopt, but for its first b, which adds μ times
// the Euclidean gradient.
type RiemannianSGD struct {
	SGD
	margin float64
}

// Name implements Recipe.
func (o RiemannianSGDOptions) Name() string { return "riemannian-sgd" }

// Make implements Recipe.
func (o RiemannianSGDOptions) Make(params []*Param, c Common) (Optimizer, error) {
	r := &RiemannianSGD{margin: cmp.Or(o.Margin, defaultMargin)}
	if err := checkMargin(o.Name(), r.margin); err != nil {
		return nil, err
	}
	flat := SGDOptions{Momentum: o.Momentum, Nesterov: o.Nesterov, Decay: o.Decay}
	if err := r.init(o.Name(), params, flat, c, true); err != nil {
		return nil, err
	}
	r.task = r.movePiece
	return r, nil
}

// movePiece changes one piece.
func (r *RiemannianSGD) movePiece(task, worker int) {
	s, at, w, g := r.at(task)
	if s.p.Ball == 0 {
		r.SGD.movePiece(task, worker)
		return
	}
	d, on, rate := s.p.row(), ball{s.p.Ball, r.margin}, r.now.Rate*s.rate
	for lo := 0; lo < len(w); lo += d {
		x, g := w[lo:lo+d], g[lo:lo+d]
		var b []float32
		if s.m != nil {
			b = s.m[at.lo+lo : at.lo+lo+d]
		}
		xx := on.settle(x)
		prepare(x, g, r.now, s.decay)
		on.move(x, xx, g, b, -rate*r.direct(g, b, on.gradient(xx)))
	}
}

// direct updates b with the Riemannian gradient factor·g, writes the direction
// of the step into g, and returns its length in units of g.
func (r *RiemannianSGD) direct(g, b []float32, factor float64) float64 {
	if b == nil {
		return factor
	}
	vmath.Combine64(b, r.momentum-1, b, factor, g)
	if r.nesterov {
		vmath.Combine64(g, factor-1, g, r.momentum, b)
	} else {
		copy(g, b)
	}
	return 1
}

// checkMargin finds margins without meaning.
func checkMargin(name string, margin float64) error {
	if !(margin > 0 && margin < 1) {
		return fmt.Errorf("optim: %s: Margin is %g; give a number in (0, 1), 0 for %g", name, margin, defaultMargin)
	}
	return nil
}

package optim

import (
	"cmp"

	"github.com/chestlab/chest/internal/vmath"
)

// AdamOptions controls Adam. The zero value is the setting of the paper.
type AdamOptions struct {
	Beta1 float64 // memory of the mean gradient, in [0, 1); 0 means 0.9
	Beta2 float64 // memory of the mean squared gradient, in [0, 1); 0 means 0.999
	Eps   float64 // added to the root of the latter; 0 means 1e-8
	Decay float64 // λ of the penalty λ/2‖w‖², whose gradient is added; 0 or negative means none
}

// withDefaults fills the zeros.
func (o AdamOptions) withDefaults() AdamOptions {
	o.Beta1 = cmp.Or(o.Beta1, 0.9)
	o.Beta2 = cmp.Or(o.Beta2, 0.999)
	o.Eps = cmp.Or(o.Eps, 1e-8)
	return o
}

// Adam scales each weight's step by the size of its past gradients. With the
// gradient g of step t after clipping, the rate η of the param's group and its
// decay λ, each weight w moves by
//
//	g ← g + λw
//	m ← β₁m + (1-β₁)g        v ← β₂v + (1-β₂)g²
//	w ← w - η (m/(1-β₁ᵗ)) / (√(v/(1-β₂ᵗ)) + ε)
//
// λ is 0 for plain params. The decay goes through m and v, so weights with large
// gradients are decayed less: AdamW decays all alike. All of it is float32. A
// step allocates nothing.
//
// Source: D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization"
// (2015), algorithm 1; with decay as in PyTorch.
type Adam struct {
	loop
	moments moments
}

// Name implements Recipe.
func (o AdamOptions) Name() string { return "adam" }

// Make implements Recipe.
func (o AdamOptions) Make(params []*Param, c Common) (Optimizer, error) {
	a := new(Adam)
	if err := a.init(o.Name(), params, o, c, false); err != nil {
		return nil, err
	}
	a.task = a.movePiece
	return a, nil
}

// init makes a ready for params, but for the task.
func (a *Adam) init(name string, params []*Param, o AdamOptions, c Common, ball bool) error {
	o = o.withDefaults()
	a.moments = moments{o.Beta1, o.Beta2, o.Eps}
	if err := a.moments.check(name, o.Decay); err != nil {
		return err
	}
	var err error
	if a.loop, err = newLoop(name, params, c, o.Decay, ball); err != nil {
		return err
	}
	a.remember()
	return nil
}

// movePiece changes one piece.
func (a *Adam) movePiece(task, _ int) {
	s, at, w, g := a.at(task)
	prepare(w, g, a.now, s.decay)
	vmath.AdamW(w, g, s.m[at.lo:at.hi], s.v[at.lo:at.hi], a.moments.kernel(a.steps, a.now.Rate*s.rate))
}

// State implements Optimizer: m and v of each param.
func (a *Adam) State() []State { return a.moved() }

package optim

import (
	"cmp"

	"github.com/chestlab/chest/internal/vmath"
)

// AdamWOptions controls AdamW. The zero value is the usual setting.
type AdamWOptions struct {
	Beta1 float64 // memory of the mean gradient, in [0, 1); 0 means 0.9
	Beta2 float64 // memory of the mean squared gradient, in [0, 1); 0 means 0.999
	Eps   float64 // added to the root of the latter; 0 means 1e-8
	Decay float64 // weight decay per unit of rate; 0 means 1e-2, negative means none

	Groups map[string]Group // by Param.Group; groups not named here have the zero Group

	Threads int // 0 means GOMAXPROCS; the result does not depend on it
}

// Group sets the params of one group apart.
type Group struct {
	Rate  float64 // multiplies Move.Rate; 0 means 1
	Decay float64 // replaces the recipe's Decay; 0 means inherit, negative means none
}

// withDefaults fills the zeros.
func (o AdamWOptions) withDefaults() AdamWOptions {
	o.Beta1 = cmp.Or(o.Beta1, 0.9)
	o.Beta2 = cmp.Or(o.Beta2, 0.999)
	o.Eps = cmp.Or(o.Eps, 1e-8)
	o.Decay = cmp.Or(o.Decay, 1e-2)
	return o
}

// AdamW is Adam with decoupled weight decay. With the gradient g of step t, the
// rate η of the param's group and its decay λ, each weight w moves by
//
//	m ← β₁m + (1-β₁)g        v ← β₂v + (1-β₂)g²
//	w ← w - ηλw - η (m/(1-β₁ᵗ)) / (√(v/(1-β₂ᵗ)) + ε)
//
// λ is 0 for plain params. All of it is float32. A step allocates nothing.
//
// Source: I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization"
// (2019), algorithm 2.
type AdamW struct {
	loop
	moments moments
}

// NewAdamW makes an optimiser of params. It panics when one array is handed in
// twice or has a gradient of another length, since training would then be
// wrong without a sign, and where Make has an error.
func NewAdamW(params []*Param, o AdamWOptions) *AdamW {
	a, err := newAdamW(params, o)
	if err != nil {
		panic(err.Error())
	}
	return a
}

func newAdamW(params []*Param, o AdamWOptions) (*AdamW, error) {
	o = o.withDefaults()
	a := &AdamW{moments: moments{o.Beta1, o.Beta2, o.Eps}}
	if err := a.moments.check(o.Name(), o.Decay); err != nil {
		return nil, err
	}
	var err error
	if a.loop, err = newLoop(o.Name(), params, Common{o.Groups, o.Threads}, o.Decay, false); err != nil {
		return nil, err
	}
	a.task = a.movePiece
	a.remember()
	return a, nil
}

// movePiece changes one piece.
func (a *AdamW) movePiece(task, _ int) {
	s, at, w, g := a.at(task)
	limit(g, a.now)
	rate := a.now.Rate * s.rate
	k := a.moments.kernel(a.steps, rate)
	k.Scale, k.Keep = float32(a.now.Scale), float32(1-rate*s.decay)
	vmath.AdamW(w, g, s.m[at.lo:at.hi], s.v[at.lo:at.hi], k)
}

// Name implements Recipe.
func (o AdamWOptions) Name() string { return "adamw" }

// Make implements Recipe. What c gives replaces what o has.
func (o AdamWOptions) Make(params []*Param, c Common) (Optimizer, error) {
	o.Threads = cmp.Or(c.Threads, o.Threads)
	if c.Groups != nil {
		o.Groups = c.Groups
	}
	a, err := newAdamW(params, o)
	if err != nil {
		return nil, err
	}
	return a, nil
}

// State implements Optimizer: m and v of each param.
func (a *AdamW) State() []State { return a.moved() }

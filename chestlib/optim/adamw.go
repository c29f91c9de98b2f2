package optim

import (
	"cmp"
	"fmt"
	"math"
)

// AdamWOptions controls AdamW. The zero value is the usual setting.
type AdamWOptions struct {
	Rate  float64 // step size of a group with rate 1; 0 means 1e-3
	Beta1 float64 // memory of the mean gradient; 0 means 0.9
	Beta2 float64 // memory of the mean squared gradient; 0 means 0.999
	Eps   float64 // added to the root of the latter; 0 means 1e-8
	Decay float64 // weight decay per unit of rate; 0 means 1e-2, negative means none

	Groups map[string]Group // by Param.Group; groups not named here have the zero Group
}

// Group sets the params of one group apart.
type Group struct {
	Rate  float64 // multiplies AdamWOptions.Rate; 0 means 1
	Decay float64 // replaces AdamWOptions.Decay; 0 means inherit, negative means none
}

// withDefaults fills the zeros.
func (o AdamWOptions) withDefaults() AdamWOptions {
	o.Rate = cmp.Or(o.Rate, 1e-3)
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
// λ is 0 for plain params. Moments are kept in float32, arithmetic is float64.
//
// Source: I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization"
// (2019), algorithm 2.
type AdamW struct {
	o     AdamWOptions
	slots []slot
	steps int
}

// slot is one param with its state.
type slot struct {
	p     *Param
	m, v  []float32
	rate  float64 // factor of AdamWOptions.Rate
	decay float64
}

// NewAdamW makes an optimiser of params. It panics when one array is handed in
// twice or has a gradient of another length, since training would then be
// wrong without a sign.
func NewAdamW(params []*Param, o AdamWOptions) *AdamW {
	a := &AdamW{o: o.withDefaults()}
	seen := make(map[*Param]bool, len(params))
	for _, p := range params {
		if seen[p] {
			panic(fmt.Sprintf("optim: NewAdamW: param %q is listed twice", p.Name))
		}
		if len(p.Value) != len(p.Grad) {
			panic(fmt.Sprintf("optim: NewAdamW: param %q has %d values and %d gradients", p.Name, len(p.Value), len(p.Grad)))
		}
		seen[p] = true
		a.slots = append(a.slots, a.newSlot(p))
	}
	return a
}

func (a *AdamW) newSlot(p *Param) slot {
	g := a.o.Groups[p.Group]
	s := slot{p: p, m: make([]float32, len(p.Value)), v: make([]float32, len(p.Value)), rate: cmp.Or(g.Rate, 1)}
	if !p.Plain {
		s.decay = max(cmp.Or(g.Decay, a.o.Decay), 0)
	}
	return s
}

// Step moves every value along its gradient and clears the gradient.
func (a *AdamW) Step() {
	a.steps++
	t := float64(a.steps)
	correct1, correct2 := 1-math.Pow(a.o.Beta1, t), 1-math.Pow(a.o.Beta2, t)
	for _, s := range a.slots {
		a.move(s, correct1, correct2)
		s.p.ZeroGrad()
	}
}

// move changes one param.
func (a *AdamW) move(s slot, correct1, correct2 float64) {
	b1, b2 := a.o.Beta1, a.o.Beta2
	rate := a.o.Rate * s.rate
	keep, step, root := 1-rate*s.decay, rate/correct1, 1/math.Sqrt(correct2)
	w, m, v := s.p.Value, s.m[:len(s.p.Value)], s.v[:len(s.p.Value)]
	for i, gi := range s.p.Grad[:len(w)] {
		g := float64(gi)
		mi := b1*float64(m[i]) + (1-b1)*g
		vi := b2*float64(v[i]) + (1-b2)*g*g
		m[i], v[i] = float32(mi), float32(vi)
		w[i] = float32(keep*float64(w[i]) - step*mi/(root*math.Sqrt(vi)+a.o.Eps))
	}
}

// SetRate changes AdamWOptions.Rate from the next step on, for schedules. Rate
// 0 means no movement.
func (a *AdamW) SetRate(rate float64) { a.o.Rate = rate }

// Rate is the present AdamWOptions.Rate.
func (a *AdamW) Rate() float64 { return a.o.Rate }

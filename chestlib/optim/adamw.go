package optim

import (
	"cmp"
	"fmt"
	"math"

	"github.com/chestlab/chest/internal/parallel"
	"github.com/chestlab/chest/internal/vmath"
)

// AdamWOptions controls AdamW. The zero value is the usual setting.
type AdamWOptions struct {
	Beta1 float64 // memory of the mean gradient; 0 means 0.9
	Beta2 float64 // memory of the mean squared gradient; 0 means 0.999
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
	o     AdamWOptions
	slots []slot
	steps int

	pieces []piece
	team   *parallel.Team
	move   func(task, worker int) // the method, made once
	now    Move                   // the step in progress
}

// piece is a part of a slot that one task moves: entries [lo, hi).
type piece struct{ slot, lo, hi int }

// pieceSize is the number of weights in a piece.
const pieceSize = 1 << 14

// slot is one param with its state.
type slot struct {
	p     *Param
	m, v  []float32
	rate  float64 // factor of Move.Rate
	decay float64
}

// NewAdamW makes an optimiser of params. It panics when one array is handed in
// twice or has a gradient of another length, since training would then be
// wrong without a sign.
func NewAdamW(params []*Param, o AdamWOptions) *AdamW {
	a := &AdamW{o: o.withDefaults(), team: parallel.NewTeam(o.Threads)}
	a.move = a.movePiece
	seen := make(map[*Param]bool, len(params))
	for _, p := range params {
		if seen[p] {
			panic(fmt.Sprintf("optim: NewAdamW: param %q is listed twice", p.Name))
		}
		if len(p.Value) != len(p.Grad) {
			panic(fmt.Sprintf("optim: NewAdamW: param %q has %d values and %d gradients", p.Name, len(p.Value), len(p.Grad)))
		}
		seen[p] = true
		for lo := 0; lo < len(p.Value); lo += pieceSize {
			a.pieces = append(a.pieces, piece{len(a.slots), lo, min(lo+pieceSize, len(p.Value))})
		}
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

// Move implements Optimizer.
func (a *AdamW) Move(m Move) {
	a.steps++
	a.now = m
	a.team.Tasks(len(a.pieces), a.move)
}

// movePiece changes one piece.
func (a *AdamW) movePiece(task, _ int) {
	at := a.pieces[task]
	s := a.slots[at.slot]
	g := s.p.Grad[at.lo:at.hi]
	limit(g, a.now)
	rate, t := a.now.Rate*s.rate, float64(a.steps)
	beta1, beta2 := float32(a.o.Beta1), float32(a.o.Beta2) // the corrections are for what is computed with
	vmath.AdamW(s.p.Value[at.lo:at.hi], g, s.m[at.lo:at.hi], s.v[at.lo:at.hi], vmath.Adam{
		Scale: float32(a.now.Scale),
		Beta1: beta1, Beta2: beta2,
		Keep: float32(1 - rate*s.decay),
		Step: float32(rate / (1 - math.Pow(float64(beta1), t))),
		Root: float32(1 / math.Sqrt(1-math.Pow(float64(beta2), t))),
		Eps:  float32(a.o.Eps),
	})
}

// Name implements Recipe.
func (o AdamWOptions) Name() string { return "adamw" }

// Make implements Recipe. What c gives replaces what o has.
func (o AdamWOptions) Make(params []*Param, c Common) (Optimizer, error) {
	o.Threads = cmp.Or(c.Threads, o.Threads)
	if c.Groups != nil {
		o.Groups = c.Groups
	}
	return NewAdamW(params, o), nil
}

// State implements Optimizer: m and v of each param.
func (a *AdamW) State() (all []State) {
	for _, s := range a.slots {
		all = append(all, State{s.p.Name + "/m", s.m}, State{s.p.Name + "/v", s.v})
	}
	return all
}

// Steps implements Optimizer.
func (a *AdamW) Steps() int { return a.steps }

// SetSteps implements Optimizer.
func (a *AdamW) SetSteps(steps int) { a.steps = steps }

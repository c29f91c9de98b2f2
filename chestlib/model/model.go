// Package model maps items to two spaces at once: one trunk, or one for each
// space, and a head for each space.
//
//	f = trunk(x),  uE = W_E f + b_E,  uH = W_H f + b_H
//
// uE is the Euclidean embedding. uH is a tangent vector at the origin of the
// Poincaré ball; its point is expmap₀(clip(uH)), see Embed. The curvature of the
// ball and the radius of the clip may be weights, too.
//
// Layers compute their gradients themselves: a step is Forward, then Backward
// with the loss's gradients, then a step of an optimiser over Params.
package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/chestlab/chest/chestlib/ball"
	"github.com/chestlab/chest/chestlib/optim"
)

// Model is a trunk, or two, with two heads. It is used by one goroutine at a
// time.
type Model struct {
	in     Shape
	o      Options
	trunk  Sequence // of both spaces, or of E
	trunkH Sequence // nil if there is one
	ball   *ball.Ball
	headE  *Linear
	headH  *Linear
	params []*optim.Param
	g      []float32 // gradient by the features
}

// New makes an untrained model for items of shape in. The weights are a
// function of o.Seed alone.
//
// Before training, the entries of uE have variance 1 or so, and the norm of uH
// is about half of the clip radius or of the ball's radius 1/√c, whichever is
// less: inside the clip, where norms can still learn. (With the identity trunk
// that holds for items whose entries have variance 1.)
//
// An unknown trunk, images too small for the conv trunk, or numbers without
// meaning are an error.
func New(in Shape, o Options) (*Model, error) {
	o, err := o.withDefaults(in)
	if err != nil {
		return nil, err
	}
	m := &Model{in: in, o: o}
	if m.ball, err = o.ball(); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	rng := rand.New(rand.NewPCG(o.Seed, 0x6d6f64656c)) // "model"
	name, features := "trunk", 0
	if o.Separate {
		name = "trunkE"
		m.trunkH, _ = newTrunk("trunkH", in, o, rand.New(rand.NewPCG(o.Seed, 0x7472756e6b48))) // "trunkH"
	}
	m.trunk, features = newTrunk(name, in, o, rng)
	d := float64(features)
	m.headE = NewLinear("head.E", "head", features, o.DE, 1/math.Sqrt(d), rng)
	m.headH = NewLinear("head.H", "head", features, o.DH, o.startNorm()/math.Sqrt(d*float64(o.DH)), rng)
	m.headE.First, m.headH.First = len(m.trunk) == 0, len(m.trunk) == 0
	m.params = slices.Concat(m.trunk.Params(), m.trunkH.Params(), m.headE.Params(), m.headH.Params())
	if p := m.ball.Param(); p != nil {
		m.params = append(m.params, p)
	}
	return m, nil
}

// startNorm is the norm of uH to begin with.
func (o Options) startNorm() float64 {
	r := 2.3
	if o.Clip > 0 {
		r = o.Clip
	}
	if o.Curvature > 0 {
		r = min(r, 1/math.Sqrt(o.Curvature))
	}
	return r / 2
}

// Forward maps the n items of x, n×In, to the raw outputs of both heads, uE
// n×DE and uH n×DH. They are valid until the next call. training says that
// Backward may follow; x must then stay as it is until it has.
//
// Forward panics if x does not have n items.
func (m *Model) Forward(x []float32, n int, training bool) (uE, uH []float32) {
	checkItems("Forward", x, n, m.in.Size())
	fE := m.trunk.Forward(x, n, training)
	fH := fE
	if m.o.Separate {
		fH = m.trunkH.Forward(x, n, training)
	}
	return m.headE.Forward(fE, n, training), m.headH.Forward(fH, n, training)
}

// Backward takes the gradients of a loss by uE and uH of the last Forward and
// adds the gradients by all weights to Params' Grad. Either may be nil: that
// head, and a trunk of its own, get no gradient. The gradient by the ball does
// not come through uH: the loss adds it itself.
func (m *Model) Backward(gE, gH []float32, n int) {
	if m.o.Separate {
		if gE != nil {
			m.trunk.Backward(m.headE.Backward(gE, n), n)
		}
		if gH != nil {
			m.trunkH.Backward(m.headH.Backward(gH, n), n)
		}
		return
	}
	var g []float32
	switch {
	case gE == nil && gH == nil:
		return
	case gH == nil:
		g = m.headE.Backward(gE, n)
	case gE == nil:
		g = m.headH.Backward(gH, n)
	default:
		g = sum(m.g, m.headE.Backward(gE, n), m.headH.Backward(gH, n))
		m.g = g
	}
	m.trunk.Backward(g, n)
}

// State is what the trunks have learnt without a gradient: running averages of
// BatchNorm. A step that fails may have moved them.
func (m *Model) State() []State { return append(m.trunk.State(), m.trunkH.State()...) }

// Ball is the ball that uH are tangent vectors of, for the loss.
func (m *Model) Ball() *ball.Ball { return m.ball }

// Params are all weights, with unique names: those of the trunk "trunk…", or
// "trunkE…" and "trunkH…", in the group "trunk"; "head.E…" and "head.H…" in
// "head"; and what the ball learns, if it does, in "ball".
func (m *Model) Params() []*optim.Param { return append([]*optim.Param(nil), m.params...) }

// Options are the options of the model, defaults filled in. c and r are those of
// the beginning; Ball has the present ones.
func (m *Model) Options() Options { return m.o }

// In is the shape of an item.
func (m *Model) In() Shape { return m.in }

// Count is the number of weights.
func (m *Model) Count() (n int) {
	for _, p := range m.params {
		n += len(p.Value)
	}
	return n
}

// String says what the model is:
//
//	conv trunk 1×28×28, E 64, H 64 on the ball (c 0.1, clip 2.3), 123,456 weights
//
// c and r are the present ones, those that are learned with a star.
func (m *Model) String() string {
	trunk, second := m.o.Trunk+" trunk", "on the ball"
	if m.o.Separate {
		trunk = "two " + trunk + "s"
	}
	if m.o.Flat {
		second = "flat"
	}
	return fmt.Sprintf("%s %d×%d×%d, E %d, H %d %s (%v), %d weights", trunk, m.in.C, m.in.H, m.in.W, m.o.DE, m.o.DH, second, m.ball, m.Count())
}

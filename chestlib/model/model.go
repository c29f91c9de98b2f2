// Package model maps items to two spaces at once: one trunk, and a head for
// each space.
//
//	f = trunk(x),  uE = W_E f + b_E,  uH = W_H f + b_H
//
// uE is the Euclidean embedding. uH is a tangent vector at the origin of the
// Poincaré ball; its point is expmap₀(clip(uH)), see Embed.
//
// Layers compute their gradients themselves: a step is Forward, then Backward
// with the loss's gradients, then a step of an optimiser over Params.
package model

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/chestlab/chest/chestlib/optim"
)

// Model is a trunk with two heads. It is used by one goroutine at a time.
type Model struct {
	in     Shape
	o      Options
	trunk  Sequence
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
	rng := rand.New(rand.NewPCG(o.Seed, 0x6d6f64656c)) // "model"
	m := &Model{in: in, o: o}
	features := in.Size()
	switch o.Trunk {
	case "mlp":
		m.trunk, features = mlp(in.Size(), o.Width, o.Depth, rng), o.Width
	case "conv":
		m.trunk = conv(in, o.Width, o.Depth, rng)
		features = m.trunk.Out().Size()
	case "convnet4":
		m.trunk = convNet4(in, o.Width, o.Depth, rng)
		features = m.trunk.Out().Size()
	case "vit":
		m.trunk, features = vit(in, o, rng), o.Width
	}
	d := float64(features)
	m.headE = NewLinear("head.E", "head", features, o.DE, 1/math.Sqrt(d), rng)
	m.headH = NewLinear("head.H", "head", features, o.DH, o.startNorm()/math.Sqrt(d*float64(o.DH)), rng)
	m.headE.First, m.headH.First = len(m.trunk) == 0, len(m.trunk) == 0
	m.params = append(append(m.trunk.Params(), m.headE.Params()...), m.headH.Params()...)
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
	f := m.trunk.Forward(x, n, training)
	return m.headE.Forward(f, n, training), m.headH.Forward(f, n, training)
}

// Backward takes the gradients of a loss by uE and uH of the last Forward and
// adds the gradients by all weights to Params' Grad. Either may be nil: that
// head gets no gradient.
func (m *Model) Backward(gE, gH []float32, n int) {
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

// State is what the trunk has learnt without a gradient: running averages of
// BatchNorm. A step that fails may have moved them.
func (m *Model) State() []State { return m.trunk.State() }

// Params are all weights, with unique names, in the groups "trunk" and "head".
func (m *Model) Params() []*optim.Param { return append([]*optim.Param(nil), m.params...) }

// Options are the options of the model, defaults filled in.
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
func (m *Model) String() string {
	second := fmt.Sprintf("H %d on the ball (c %g", m.o.DH, m.o.Curvature)
	if m.o.Flat {
		second = fmt.Sprintf("H %d flat (c 0", m.o.DH)
	}
	if m.o.Clip > 0 {
		second += fmt.Sprintf(", clip %g", m.o.Clip)
	}
	return fmt.Sprintf("%s trunk %d×%d×%d, E %d, %s), %d weights", m.o.Trunk, m.in.C, m.in.H, m.in.W, m.o.DE, second, m.Count())
}

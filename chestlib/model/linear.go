package model

import (
	"math/rand/v2"

	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/internal/sgemm"
)

// Linear is y = W x + b, with W out×in.
type Linear struct {
	// First says that nothing below needs the gradient by x: Backward returns
	// nil and saves its cost.
	First bool

	in, out int
	w, b    *optim.Param
	x       []float32
	y, gx   []float32
}

// NewLinear makes a linear layer whose weights are normal with deviation std
// and whose bias is 0. Its params are name.weight and name.bias.
func NewLinear(name, group string, in, out int, std float64, rng *rand.Rand) *Linear {
	return &Linear{in: in, out: out, w: normal(name+".weight", group, std, rng, out, in), b: plain(name+".bias", group, 0, out)}
}

// Forward implements Layer.
func (l *Linear) Forward(x []float32, n int, training bool) []float32 {
	checkItems("Linear", x, n, l.in)
	l.x, l.y = x, resized(l.y, n*l.out)
	for i := range n {
		copy(l.y[i*l.out:], l.b.Value)
	}
	sgemm.NT(l.y, x, l.w.Value, n, l.out, l.in, 1) // n×in · (out×in)ᵀ
	return l.y
}

// Backward implements Layer.
//
//	∂W = ∂yᵀ x,  ∂b = Σ ∂y,  ∂x = ∂y W
func (l *Linear) Backward(gy []float32, n int) []float32 {
	checkItems("Linear", gy, n, l.out)
	sgemm.TN(l.w.Grad, gy, l.x, l.out, l.in, n, 1) // (n×out)ᵀ · n×in
	for i := range n {
		add(l.b.Grad, gy[i*l.out:(i+1)*l.out])
	}
	if l.First {
		return nil
	}
	l.gx = resized(l.gx, n*l.in)
	sgemm.NN(l.gx, gy, l.w.Value, n, l.in, l.out, 0)
	return l.gx
}

// Params implements Layer.
func (l *Linear) Params() []*optim.Param { return []*optim.Param{l.w, l.b} }

// Out implements Layer.
func (l *Linear) Out() Shape { return Shape{l.out, 1, 1} }

// normal makes a param of normal numbers with deviation std.
func normal(name, group string, std float64, rng *rand.Rand, shape ...int) *optim.Param {
	p := optim.NewParam(name, group, shape...)
	for i := range p.Value {
		p.Value[i] = float32(std * rng.NormFloat64())
	}
	return p
}

// plain makes a param without weight decay, filled with v.
func plain(name, group string, v float32, n int) *optim.Param {
	p := optim.NewParam(name, group, n)
	p.Plain = true
	for i := range p.Value {
		p.Value[i] = v
	}
	return p
}

package model

import (
	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/internal/parallel"
	"github.com/chestlab/chest/internal/vmath"
)

// ReLU is y = max(x, 0), entry by entry.
type ReLU struct {
	shape Shape
	x     []float32
	y, gx []float32
}

// NewReLU makes a ReLU of items of shape s.
func NewReLU(s Shape) *ReLU { return &ReLU{shape: s} }

// Forward implements Layer.
func (l *ReLU) Forward(x []float32, n int, training bool) []float32 {
	checkItems("ReLU", x, n, l.shape.Size())
	l.x, l.y = x, resized(l.y, len(x))
	parallel.For(len(x), piece, func(lo, hi int) { vmath.Relu(l.y[lo:hi], x[lo:hi]) })
	return l.y
}

// Backward implements Layer. The gradient at 0 is 0.
func (l *ReLU) Backward(gy []float32, n int) []float32 {
	checkItems("ReLU", gy, n, l.shape.Size())
	l.gx = resized(l.gx, len(gy))
	parallel.For(len(gy), piece, func(lo, hi int) { vmath.ReluGrad(l.gx[lo:hi], l.x[lo:hi], gy[lo:hi]) })
	return l.gx
}

// Params implements Layer.
func (l *ReLU) Params() []*optim.Param { return nil }

// Out implements Layer.
func (l *ReLU) Out() Shape { return l.shape }

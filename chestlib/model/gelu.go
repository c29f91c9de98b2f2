package model

import (
	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/internal/parallel"
	"github.com/chestlab/chest/internal/vmath"
)

// GELU is y = x Φ(x), entry by entry, with Φ the normal distribution function.
//
// Source: D. Hendrycks and K. Gimpel, "Gaussian Error Linear Units" (2016).
// This is the exact form, not the one by tanh.
type GELU struct {
	shape Shape
	x     []float32
	y, gx []float32
}

// NewGELU makes a GELU of items of shape s.
func NewGELU(s Shape) *GELU { return &GELU{shape: s} }

// piece is how many entries one parallel task takes.
const piece = 1 << 14

// Forward implements Layer.
func (l *GELU) Forward(x []float32, n int, training bool) []float32 {
	checkItems("GELU", x, n, l.shape.Size())
	l.x, l.y = x, resized(l.y, len(x))
	parallel.For(len(x), piece, func(lo, hi int) { vmath.Gelu(l.y[lo:hi], x[lo:hi]) })
	return l.y
}

// Backward implements Layer.
//
//	∂x = ∂y (Φ(x) + x φ(x))
func (l *GELU) Backward(gy []float32, n int) []float32 {
	checkItems("GELU", gy, n, l.shape.Size())
	l.gx = resized(l.gx, len(gy))
	parallel.For(len(gy), piece, func(lo, hi int) { vmath.GeluGrad(l.gx[lo:hi], l.x[lo:hi], gy[lo:hi]) })
	return l.gx
}

// Params implements Layer.
func (l *GELU) Params() []*optim.Param { return nil }

// Out implements Layer.
func (l *GELU) Out() Shape { return l.shape }

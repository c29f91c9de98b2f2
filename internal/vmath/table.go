package vmath

import "github.com/chestlab/chest/internal/cpu"

// table are the kernels of one level; n is the length of each row.
type table struct {
	exp, log1p, asinh, tanh, erf, sqrt, gelu, relu func(n int, dst, x *float32)

	geluGrad func(n int, dst, x, g *float32)
	reluGrad func(n int, dst, x, y *float32)
	add, mul func(n int, dst, x, y *float32)
	axpy     func(n int, dst, x *float32, a float32)
	scale    func(n int, dst, x *float32, a float32)
	affine   func(n int, dst, x *float32, a, b float32)

	combine64 func(n int, dst *float32, a float64, x *float32, b float64, y *float32)
	adamW     func(n int, w, g, m, v *float32, scale, beta1, beta2, keep, step, root, eps float32)

	max, sum                 func(n int, x *float32) float32
	sum64                    func(n int, x *float32) float64
	dot                      func(n int, x, y *float32) float32
	dot64, squaredDistance64 func(n int, x, y *float32) float64
	expSum                   func(n int, dst, x *float32, shift float32) float64
	expSumOnly               func(n int, x *float32, shift float32) float64

	assign          func(n, k int, q, S, s *float32, inverse float32)
	assignOnly      func(n, k int, q, S, s *float32, inverse float32)
	assignGrad      func(n, k int, q, s, S, gS *float32, inverse float32)
	squaredFromDots func(n int, t *float32, xx float32, yy *float32) int
	ballDistance    func(n int, dst, sq *float32, a float32, b *float32, scale float32)
	countAbove      func(n int, x, v *float32, p float32, low, high *float32, tLow, tHigh float32) (above, surely int)
	ballGrad        func(n int, g, w, v, sq *float32, A float32, B *float32, c float32) (W, V float32)
}

// vector returns the kernels of the active level, nil for the generic one.
func vector() *table { return tables[cpu.Active()] }

package model

import (
	"math"

	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/internal/parallel"
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

// piece is how many entries one parallel task takes, some 30 µs of arithmetic.
const piece = 1 << 14

// Forward implements Layer.
func (l *GELU) Forward(x []float32, n int, training bool) []float32 {
	checkItems("GELU", x, n, l.shape.Size())
	l.x, l.y = x, resized(l.y, len(x))
	parallel.For(len(x), piece, l.forward)
	return l.y
}

func (l *GELU) forward(lo, hi int) {
	y := l.y[lo:hi]
	for i, x := range l.x[lo:hi] {
		cdf, _ := gauss(x)
		y[i] = x * cdf
	}
}

// Backward implements Layer.
//
//	∂x = ∂y (Φ(x) + x φ(x))
func (l *GELU) Backward(gy []float32, n int) []float32 {
	checkItems("GELU", gy, n, l.shape.Size())
	l.gx = resized(l.gx, len(gy))
	parallel.For(len(gy), piece, func(lo, hi int) {
		gx, gy := l.gx[lo:hi], gy[lo:hi]
		for i, x := range l.x[lo:hi] {
			cdf, pdf := gauss(x)
			gx[i] = gy[i] * (cdf + x*pdf)
		}
	})
	return l.gx
}

// Params implements Layer.
func (l *GELU) Params() []*optim.Param { return nil }

// Out implements Layer.
func (l *GELU) Out() Shape { return l.shape }

const (
	gaussEdge = 6  // beyond it, Φ is 0 or 1 and φ is 0 to 1e-9
	gaussGrid = 64 // nodes a unit
)

// gaussNodes holds Φ and φ at -6, -6+1/64, …, 6: six kilobytes, which stay in
// the first cache.
var gaussNodes = func() (t [2*gaussEdge*gaussGrid + 1][2]float32) {
	for i := range t {
		x := float64(i)/gaussGrid - gaussEdge
		t[i] = [2]float32{float32(math.Erfc(-x/math.Sqrt2) / 2), float32(math.Exp(-x*x/2) / math.Sqrt(2*math.Pi))}
	}
	return t
}()

// gauss returns Φ(x) and φ(x) to the rounding of float32, several times faster
// than by math.Erf: the Taylor series at the nearest node x₀, with d = x - x₀,
//
//	Φ = Φ₀ + φ₀ (d - x₀d²/2)
//	φ = φ₀ (1 - x₀d + (x₀²-1)d²/2)
//
// |d| ≤ 1/128, so the next terms are below 5e-8. NaN gives NaN.
func gauss(x float32) (cdf, pdf float32) {
	if !(x > -gaussEdge && x < gaussEdge) {
		return beyond(x)
	}
	i := int((x+gaussEdge)*gaussGrid + 0.5)
	at := &gaussNodes[i]
	x0 := float32(i)*(1.0/gaussGrid) - gaussEdge
	d := x - x0
	h := d * 0.5
	return at[0] + at[1]*d*(1-x0*h), at[1] * (1 - d*(x0-(x0*x0-1)*h))
}

// beyond is gauss outside the table.
func beyond(x float32) (cdf, pdf float32) {
	switch {
	case x >= gaussEdge:
		return 1, 0
	case x <= -gaussEdge:
		return 0, 0
	}
	return x, x
}

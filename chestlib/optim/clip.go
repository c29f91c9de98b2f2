package optim

import (
	"math"

	"github.com/chestlab/chest/internal/vmath"
)

// Norm is the Euclidean norm of all gradients together.
func Norm(params []*Param) float64 {
	var sum float64
	for _, p := range params {
		sum += vmath.Dot64(p.Grad, p.Grad)
	}
	return math.Sqrt(sum)
}

// ClipNorm scales all gradients by one factor so that their common Euclidean
// norm is at most max, and returns the norm before.
//
//	g ← g min(1, max/‖g‖),  ‖g‖² = Σ over all params of Σ gᵢ²
//
// A norm that is not finite leaves the gradients as they are: the caller sees
// it in the result and decides. ClipNorm panics if max is not positive.
func ClipNorm(params []*Param, max float64) float64 {
	if !(max > 0) {
		panic("optim: ClipNorm: max must be positive")
	}
	norm := Norm(params)
	if norm <= max || math.IsInf(norm, 0) || math.IsNaN(norm) {
		return norm
	}
	scale := float32(max / norm)
	for _, p := range params {
		for i := range p.Grad {
			p.Grad[i] *= scale
		}
	}
	return norm
}

// limit cuts the entries of g so that they are in ±m.Limit after m.Scale. NaN
// stays.
func limit(g []float32, m Move) {
	if m.Limit <= 0 {
		return
	}
	most := float32(m.Limit / m.Scale)
	for i, v := range g {
		if v > most {
			g[i] = most
		} else if v < -most {
			g[i] = -most
		}
	}
}

// prepare clips g as m says and adds the gradient of the penalty decay/2‖w‖²:
//
//	g ← min(max(m.Scale g, -m.Limit), m.Limit) + decay w
func prepare(w, g []float32, m Move, decay float64) {
	limit(g, m)
	if m.Scale != 1 {
		vmath.Scale(g, float32(m.Scale), g)
	}
	if decay != 0 {
		vmath.Axpy(g, float32(decay), w)
	}
}

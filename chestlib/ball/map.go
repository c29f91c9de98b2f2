package ball

import (
	"math"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/chestlib/poincare"
)

// Map carries tangent vectors at the origin onto the ball:
//
//	x = expmap₀(u'),  u' = clip(u)
//	hard: clip(u) = u min(1, r/‖u‖)
//	soft: clip(u) = r tanh(‖u‖/r) u/‖u‖
//
// The hard clip keeps what is shorter than r as it is and all else at r, where
// it has no gradient along u. The soft one is smooth, keeps every norm below r and
// their order. A vector counts as clipped where ‖u‖ ≥ r, with either kind: with
// the soft one its norm is then above r tanh 1 = 0.76 r.
type Map struct {
	C    float64 // c ≥ 0; 0 is flat
	R    float64 // r; +Inf for no clip
	Soft bool
}

// Clipped writes clip(u) into dst.
func (m Map) Clipped(dst, u []float64) []float64 {
	if m.Soft {
		return poincare.SoftClip(dst, u, m.R)
	}
	return poincare.Clip(dst, u, m.R)
}

// Point writes the point of u into dst, which may be nil or u itself.
func (m Map) Point(dst, u []float64) []float64 {
	dst = m.Clipped(dst, u)
	return poincare.ExpMap0(dst, dst, m.C)
}

// Pull writes the gradient by u into dst, given g, that by Point's result, and
// returns the row's share of Along and Radius. dst is neither u nor g.
func (m Map) Pull(dst, u, g []float64) (s Sums) {
	m.Clipped(dst, u)
	uu, share := floats.Dot(u, u), 1.0 // u' = share u
	if uu > 0 {
		share = floats.Dot(u, dst) / uu
	}
	poincare.ExpMap0Grad(dst, dst, g, m.C) // by u'
	along := floats.Dot(u, dst)
	s.Along = share * along
	s.Radius = poincare.ClipSlope(math.Sqrt(uu), m.R, m.Soft) * along
	if m.Soft {
		poincare.SoftClipGrad(dst, u, dst, m.R)
	} else {
		poincare.ClipGrad(dst, u, dst, m.R)
	}
	return s
}

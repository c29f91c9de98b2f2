package loss

import (
	"math"
	"sync/atomic"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/chestlib/poincare"
	"github.com/chestlab/chest/internal/parallel"
)

// ball carries rows of tangent vectors at the origin onto the ball and
// gradients back.
//
//	x = expmap₀(clip_r(u))
type ball struct {
	d    int
	c, r float64 // r is +Inf for no clip
}

// points writes the points of the rows of u into dst and returns how many of
// them have ‖u‖ ≥ r.
func (b ball) points(dst []float64, u []float32) int {
	var clipped atomic.Int64
	parallel.For(len(u)/b.d, blockRows, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			row := widen(dst[i*b.d:(i+1)*b.d], u[i*b.d:(i+1)*b.d])
			if math.Sqrt(floats.Dot(row, row)) >= b.r {
				clipped.Add(1)
			}
			poincare.Clip(row, row, b.r)
			poincare.ExpMap0(row, row, b.c)
		}
	})
	return int(clipped.Load())
}

// pull adds the gradient of points by u to gu, given that by its result.
func (b ball) pull(gu []float32, u []float32, g []float64) {
	parallel.For(len(u)/b.d, blockRows, func(lo, hi int) {
		row, short, grad := make([]float64, b.d), make([]float64, b.d), make([]float64, b.d)
		for i := lo; i < hi; i++ {
			at := i * b.d
			widen(row, u[at:at+b.d])
			poincare.Clip(short, row, b.r)
			poincare.ExpMap0Grad(grad, short, g[at:at+b.d], b.c)
			poincare.ClipGrad(grad, row, grad, b.r)
			for j, v := range grad {
				gu[at+j] += float32(v)
			}
		}
	})
}

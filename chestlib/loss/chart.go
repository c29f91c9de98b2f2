package loss

import (
	"math"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/chestlib/ball"
	"github.com/chestlab/chest/internal/parallel"
)

// chart carries rows of d tangent vectors at the origin onto the ball, as it is
// at the step, and gradients back.
//
//	x = expmap₀(clip(u))
type chart struct {
	d int
	ball.Map
}

// points writes the points of the rows of u into dst and returns how many of
// them have ‖u‖ ≥ r.
func (m chart) points(dst []float64, u []float32) (clipped int) {
	blocks := make([]int, (len(u)/m.d+blockRows-1)/blockRows)
	parallel.For(len(u)/m.d, blockRows, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			row := widen(dst[i*m.d:(i+1)*m.d], u[i*m.d:(i+1)*m.d])
			if math.Sqrt(floats.Dot(row, row)) >= m.R {
				blocks[lo/blockRows]++
			}
			m.Point(row, row)
		}
	})
	for _, n := range blocks {
		clipped += n
	}
	return clipped
}

// pull adds the gradient of points by u to gu, given that by its result, and
// returns what the rows add to the gradient by the ball.
func (m chart) pull(gu []float32, u []float32, g []float64) (all ball.Sums) {
	blocks := make([]ball.Sums, (len(u)/m.d+blockRows-1)/blockRows)
	parallel.For(len(u)/m.d, blockRows, func(lo, hi int) {
		row, grad := make([]float64, m.d), make([]float64, m.d)
		for i := lo; i < hi; i++ {
			at := i * m.d
			widen(row, u[at:at+m.d])
			blocks[lo/blockRows].Add(m.Pull(grad, row, g[at:at+m.d]))
			for j, v := range grad {
				gu[at+j] += float32(v)
			}
		}
	})
	for _, s := range blocks {
		all.Add(s)
	}
	return all
}

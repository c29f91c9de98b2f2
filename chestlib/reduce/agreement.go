package reduce

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/chestlab/chest/internal/parallel"
)

// Agreement returns the share of nearest neighbours that have the label of
// their point: the mean over the points of (number of equal labels among the k
// nearest others)/k.
//
// x is n×d, row-major, n = len(label): points of the ball of curvature -c, of
// the unit disk for c = 1, of plain space for c = 0. Of points at the same
// distance the lower rows count as nearer. k is cut to n-1; with no other point
// the share is 1. A class of fewer than k+1 points cannot reach 1.
//
// Cost: up to n²d, split over GOMAXPROCS; ctx is checked every 16 points.
//
// It returns an error as TangentPCA does, and when ctx ends. It panics if
// len(x) is not a multiple of len(label), or k < 1.
func Agreement(ctx context.Context, x []float64, label []int, k int, c float64) (float64, error) {
	n := len(label)
	ctx, done := context.WithCancel(ctx) // stays with the cell that called
	defer done()
	if n == 0 && len(x) > 0 || n > 0 && (len(x)%n != 0 || len(x) == 0) || k < 1 {
		panic(fmt.Sprintf("reduce: %d-NN agreement of %d entries with %d labels", k, len(x), n))
	}
	if !(c >= 0) || math.IsInf(c, 1) {
		return 0, fmt.Errorf("reduce: curvature %g: c must be a number ≥ 0", c)
	}
	if k = min(k, n-1); k < 1 {
		return 1, nil
	}
	d := len(x) / n
	if err := inBall(x, d, c); err != nil {
		return 0, err
	}
	same, err := sameLabels(ctx, newCloud(x, d, c), label, k)
	return float64(same) / float64(n) / float64(k), err
}

// sameLabels counts the pairs of a point and one of its k nearest others with
// the same label. The count is whole, so the order of the blocks does not matter.
func sameLabels(ctx context.Context, p cloud, label []int, k int) (int64, error) {
	const block = 16
	var same atomic.Int64
	err := parallel.Try(len(label), block, func(lo, hi int) error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("reduce: agreement stopped: %w", err)
		}
		near := make([]neighbour, 0, k)
		for i := lo; i < hi; i++ {
			near = p.nearest(near[:0], i, k)
			for _, o := range near {
				if label[o.row] == label[i] {
					same.Add(1)
				}
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return same.Load(), nil
}

// cloud is a set of points with what of the distance belongs to one point.
type cloud struct {
	x   []float64 // n×d
	gap []float64 // 1 - c‖x‖²
	d   int
}

func newCloud(x []float64, d int, c float64) cloud {
	p := cloud{x: x, d: d, gap: make([]float64, len(x)/d)}
	for i := range p.gap {
		var sq float64
		for _, v := range x[i*d : (i+1)*d] {
			sq += v * v
		}
		p.gap[i] = 1 - c*sq
	}
	return p
}

// neighbour is a row with ‖x-y‖²/(1-c‖y‖²), which grows with its distance.
type neighbour struct {
	row int
	far float64
}

// nearest appends the k nearest other rows of row i to near, nearest first.
func (p cloud) nearest(near []neighbour, i, k int) []neighbour {
	x := p.x[i*p.d : (i+1)*p.d]
	for j, gap := range p.gap {
		if j == i {
			continue
		}
		limit := math.Inf(1)
		if len(near) == k {
			limit = near[k-1].far
		}
		far := squared(x, p.x[j*p.d:(j+1)*p.d], limit*gap) / gap
		if far >= limit {
			continue // at the same distance the lower row stays
		}
		if len(near) < k {
			near = append(near, neighbour{})
		}
		at := len(near) - 1
		for ; at > 0 && near[at-1].far > far; at-- {
			near[at] = near[at-1]
		}
		near[at] = neighbour{j, far}
	}
	return near
}

// squared returns ‖x-y‖², or +Inf as soon as it is sure to be above limit.
func squared(x, y []float64, limit float64) float64 {
	const stride = 16
	limit *= 1 + 1e-12 // a tie must not be lost to the rounding of limit
	var sum float64
	for len(x) > 0 {
		n := min(stride, len(x))
		part := y[:n]
		for k, v := range x[:n] {
			sum += (v - part[k]) * (v - part[k])
		}
		if sum > limit {
			return math.Inf(1)
		}
		x, y = x[n:], y[n:]
	}
	return sum
}

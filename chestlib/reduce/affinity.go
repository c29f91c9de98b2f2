package reduce

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/internal/parallel"
)

// affinities returns how likely points x of the ball of curvature -c are
// neighbours, n×n:
//
//	p(j|i) = exp( -d(xᵢ,xⱼ)²/(2σᵢ²) ) / Σₖ …,  p = (p(j|i) + p(i|j))/(2n),  p(i|i) = 0
//
// with lengths of curvature -1, and σᵢ so that the entropy of p(·|i) is the
// logarithm of the perplexity, which must be below n-1. The whole adds up to 1.
func affinities(ctx context.Context, x []float64, d int, c, perplexity float64) ([]float64, error) {
	n := len(x) / d
	p := make([]float64, n*n)
	err := parallel.Try(n, 16, func(lo, hi int) error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("reduce: affinities stopped: %w", err)
		}
		for i := lo; i < hi; i++ {
			row := p[i*n : (i+1)*n]
			for j := range row {
				l := length(x[i*d:(i+1)*d], x[j*d:(j+1)*d], c)
				row[j] = l * l
			}
			likely(row, i, math.Log(perplexity))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range n {
		for j := range i {
			both := (p[i*n+j] + p[j*n+i]) / float64(2*n)
			p[i*n+j], p[j*n+i] = both, both
		}
	}
	return p, nil
}

// likely turns squared distances from point i into the shares of its
// neighbours, of that entropy. Where distances tie so that no σ has it, the
// nearest share equally.
func likely(row []float64, i int, entropy float64) {
	row[i] = math.Inf(1)
	least := floats.Min(row)
	w := make([]float64, len(row))
	mean, others := 0.0, float64(len(row)-1)
	for j, sq := range row {
		if j != i {
			mean += (sq - least) / others
		}
	}
	at := func(beta float64) float64 { // beta = 1/(2σ²)
		var sum, turn float64
		for j, sq := range row {
			w[j] = 0
			if j != i {
				if t := beta * (sq - least); t < 700 {
					w[j] = math.Exp(-t)
					turn += t * w[j]
				}
			}
			sum += w[j]
		}
		floats.Scale(1/sum, w)
		return math.Log(sum) + turn/sum
	}
	lo, hi, beta := 0.0, math.Inf(1), 1/max(mean, 1e-300)
	for range 100 {
		h := at(beta)
		if math.Abs(h-entropy) < 1e-6 {
			break
		}
		if h > entropy {
			lo = beta
		} else {
			hi = beta
		}
		if math.IsInf(hi, 1) {
			beta = min(2*beta, 1e300)
		} else {
			beta = (lo + hi) / 2
		}
	}
	copy(row, w)
}

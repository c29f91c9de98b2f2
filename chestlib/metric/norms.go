package metric

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"github.com/chestlab/chest/chestlib/poincare"
	"github.com/chestlab/chest/internal/parallel"
)

// Norms is how long the rows of an embedding are.
type Norms struct {
	Min, Max, Mean, Std        float64   // Std divided by the number of rows
	P05, P25, Median, P75, P95 float64   // quantiles, linear between two rows
	Edges                      []float64 // Bins+1 edges of the histogram, from Min to Max
	Counts                     []int     // rows from one edge to the next; the last bin has both its edges
}

// String gives mean, standard deviation and range.
func (s Norms) String() string {
	return fmt.Sprintf("%.3g ± %.2g (%.3g to %.3g)", s.Mean, s.Std, s.Min, s.Max)
}

// newNorms describes lengths. Where all are the same the bins have no width and
// the last holds all.
func newNorms(lengths []float64, bins int) Norms {
	sorted := slices.Sorted(slices.Values(lengths))
	n := Norms{Min: sorted[0], Max: sorted[len(sorted)-1], Counts: make([]int, bins)}
	n.Mean, n.Std = meanStd(lengths)
	n.P05, n.P25, n.Median = quantile(sorted, 0.05), quantile(sorted, 0.25), quantile(sorted, 0.5)
	n.P75, n.P95 = quantile(sorted, 0.75), quantile(sorted, 0.95)
	for b := range bins + 1 {
		n.Edges = append(n.Edges, n.Min+(n.Max-n.Min)*float64(b)/float64(bins))
	}
	n.Edges[bins] = n.Max
	from := 0
	for b := range bins {
		to := len(sorted)
		if b+1 < bins {
			to = max(from, sort.SearchFloat64s(sorted, n.Edges[b+1]))
		}
		n.Counts[b], from = to-from, to
	}
	return n
}

// quantile of sorted values, at q (n-1) counted from 0, linear in between.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// share returns which part of x is at least a limit.
func share(x []float64, limit float64) float64 {
	count := 0
	for _, v := range x {
		if v >= limit {
			count++
		}
	}
	return float64(count) / float64(len(x))
}

// lengths returns ‖xᵢ‖, for Hyperbolic ‖logmap₀(xᵢ)‖.
func (t table) lengths(space Space, c float64) []float64 {
	lengths := make([]float64, t.n)
	for i, sq := range t.sq {
		lengths[i] = math.Sqrt(sq)
		if space == Hyperbolic {
			lengths[i] = poincare.Distance0([]float64{lengths[i]}, c) / 2
		}
	}
	return lengths
}

// effectiveRank returns exp of the entropy of the singular values of the mapped
// rows less their mean. They are the roots of the eigenvalues of the scatter,
// which is added up by blocks of rows.
func (t table) effectiveRank(ctx context.Context, space Space, c float64, report *report) (float64, error) {
	const block = 1000
	d := t.d
	mean := t.mean(ctx, space, c)
	scatter := blas64.General{Rows: d, Cols: d, Stride: d, Data: make([]float64, d*d)}
	u := make([]float64, min(block, t.n)*d)
	for lo := 0; lo < t.n; lo += block {
		if ctx.Err() != nil {
			return 0, fmt.Errorf("metric: diagnosis stopped after %d of %d rows: %w", lo, t.n, ctx.Err())
		}
		hi := min(lo+block, t.n)
		parallel.For(hi-lo, 16, func(from, to int) {
			for i := from; i < to; i++ {
				row := u[i*d : (i+1)*d]
				mapped(row, t, lo+i, space, c)
				for k, m := range mean {
					row[k] -= m
				}
			}
		})
		rows := blas64.General{Rows: hi - lo, Cols: d, Stride: d, Data: u[:(hi-lo)*d]}
		blas64.Gemm(blas.Trans, blas.NoTrans, 1, rows, rows, 1, scatter)
		report.add(hi - lo)
	}
	var eig mat.EigenSym
	if !eig.Factorize(mat.NewSymDense(d, scatter.Data), false) {
		return 0, fmt.Errorf("metric: the eigenvalues of the %d×%d scatter of %d rows did not converge", d, d, t.n)
	}
	return entropyRank(eig.Values(nil)), nil
}

// mean returns the mean of the mapped rows. It is added up from differences to
// the first, so that equal rows have exactly themselves as mean.
func (t table) mean(ctx context.Context, space Space, c float64) []float64 {
	const block = 1000
	first := make([]float64, t.d)
	mapped(first, t, 0, space, c)
	sums := make([]float64, (t.n+block-1)/block*t.d)
	parallel.For(t.n, block, func(lo, hi int) {
		if ctx.Err() != nil {
			return
		}
		own, u := sums[lo/block*t.d:(lo/block+1)*t.d], make([]float64, t.d)
		for i := lo; i < hi; i++ {
			mapped(u, t, i, space, c)
			for k, v := range u {
				own[k] += v - first[k]
			}
		}
	})
	for k := range first {
		var off float64
		for at := k; at < len(sums); at += t.d {
			off += sums[at]
		}
		first[k] += off / float64(t.n)
	}
	return first
}

// entropyRank returns exp(-Σ p log p) for p = √λ/Σ√λ; 0 if all are 0. What is
// only rounding beside the largest counts as 0.
func entropyRank(eigenvalues []float64) float64 {
	floor := slices.Max(eigenvalues) * float64(len(eigenvalues)) * 0x1p-52
	var total, h float64
	for _, v := range eigenvalues {
		if v > floor {
			total += math.Sqrt(v)
		}
	}
	if total == 0 {
		return 0
	}
	for _, v := range eigenvalues {
		if v > floor {
			p := math.Sqrt(v) / total
			h -= p * math.Log(p)
		}
	}
	return math.Exp(h)
}

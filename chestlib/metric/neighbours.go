package metric

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// Neighbours returns the k nearest other rows of every row of x, nearest
// first, and how near they are: the cosine for Cosine, the geodesic distance
// for Hyperbolic. Equal ones are ordered by the lower row.
//
// x is n×d, row-major, n = len(x)/d. Both results are n×k, row-major. Where k
// is above n-1 the missing hits are row -1 with value NaN.
//
// Options.Ks is not read. Cost, memory and errors are as for Retrieval; no row
// at all gives empty results. Neighbours panics if d < 1, if k < 1, or if
// len(x) is not a multiple of d.
func Neighbours(ctx context.Context, x []float32, d, k int, o Options) ([]int, []float64, error) {
	if k < 1 {
		panic(fmt.Sprintf("metric: %d neighbours asked for", k))
	}
	if d < 1 || len(x)%d != 0 {
		panic(fmt.Sprintf("metric: x has %d entries, want rows of %d", len(x), d))
	}
	o.Ks = nil
	o, err := o.filled()
	if err != nil {
		return nil, nil, err
	}
	t, err := newTable("embedding", x, d, o)
	if err != nil {
		return nil, nil, err
	}
	s := &scorer{q: t, g: t, space: o.Space, c: o.Curvature}
	rows, values := make([]int, t.n*k), make([]float64, t.n*k)
	err = s.each(ctx, func(i int, scores []float64, w *scratch) {
		rows, values := rows[i*k:(i+1)*k], values[i*k:(i+1)*k]
		best := w.best(scores, min(k, t.n-1), i)
		for r := range rows {
			rows[r], values[r] = -1, math.NaN()
			if r < len(best) {
				rows[r], values[r] = best[r].row, s.value(best[r].score, i)
			}
		}
	})
	if err != nil {
		return nil, nil, fmt.Errorf("metric: neighbours stopped: %w", err)
	}
	return rows, values, nil
}

// best returns the first k rows in the order of the scores, skip left out. It
// keeps them in a heap with the last one on top.
func (w *scratch) best(scores []float64, k, skip int) []hit {
	h := w.hits[:0]
	for j, score := range scores {
		next := hit{j, score}
		switch {
		case j == skip || k == 0:
		case len(h) < k:
			if h = append(h, next); len(h) == k {
				slices.SortFunc(h, func(a, b hit) int { return b.compare(a) }) // last first: a heap
			}
		case next.before(h[0]):
			h[0] = next
			sink(h)
		}
	}
	slices.SortFunc(h, hit.compare)
	w.hits = h
	return h
}

// sink moves h[0] down to its place, so that no row lies under one that comes
// before it.
func sink(h []hit) {
	for i := 0; ; {
		last := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h); child++ {
			if h[last].before(h[child]) {
				last = child
			}
		}
		if last == i {
			return
		}
		h[i], h[last] = h[last], h[i]
		i = last
	}
}

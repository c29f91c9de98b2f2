package metric

import (
	"cmp"
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
	if t.n == 0 {
		return rows, values, nil
	}
	f := newFilter(s)
	take := func(i int, hits []hit) {
		for r := range k {
			at := i*k + r
			rows[at], values[at] = -1, math.NaN()
			if r < len(hits) {
				rows[at], values[at] = hits[r].row, s.value(hits[r].score, i)
			}
		}
	}
	err = f.each(ctx, o.Progress, "neighbours", func() visitor { return &nearest{f: f, k: min(k, t.n-1), self: true, take: take} })
	if err != nil {
		return nil, nil, fmt.Errorf("metric: neighbours stopped: %w", err)
	}
	return rows, values, nil
}

// nearest finds the k nearest rows of a block of queries. It collects what may
// be among them by the filter's bounds and scores that exactly at the end.
type nearest struct {
	f    *filter
	k    int                     // at most the rows of the gallery, without the own one
	self bool                    // query i is gallery row i, and not in its own gallery
	take func(i int, hits []hit) // gets the k hits of query i, best first, to read before it returns

	lo, hi  int
	queries []candidates
	hits    []hit
}

// candidates are the rows that may be among the k nearest of one query.
type candidates struct {
	list []candidate
	room int     // prune a list longer than this
	cut  float64 // k rows are surely at least as near as this key
}

type candidate struct {
	row       int
	low, high float64 // bounds of the key
}

func (v *nearest) begin(lo, hi int) {
	v.lo, v.hi = lo, hi
	for len(v.queries) < hi-lo {
		v.queries = append(v.queries, candidates{})
	}
	for i := range hi - lo {
		v.queries[i] = candidates{list: v.queries[i].list[:0], room: 2*v.k + 64, cut: math.Inf(-1)}
	}
}

func (v *nearest) tile(p products) {
	if v.k == 0 {
		return
	}
	for i := v.lo; i < v.hi; i++ {
		q, row := &v.queries[i-v.lo], p.row(i-v.lo)
		if !math.IsInf(q.cut, -1) {
			if above, _ := v.f.reaches(i, row, p.tile, q.cut); above == 0 {
				continue
			}
		}
		for c, m := range row {
			j := p.tile.lo + c
			if v.self && j == i {
				continue
			}
			if low, high := v.f.bounds(i, j, m); high >= q.cut {
				q.list = append(q.list, candidate{j, low, high})
			}
		}
		if len(q.list) > q.room {
			q.prune(v.k)
			q.room = max(2*len(q.list), 2*v.k+64) // with many ties few are dropped
		}
	}
}

// prune drops what cannot be among the k nearest.
func (q *candidates) prune(k int) {
	slices.SortFunc(q.list, func(a, b candidate) int { return cmp.Compare(b.low, a.low) })
	q.cut = max(q.cut, q.list[k-1].low)
	q.list = slices.DeleteFunc(q.list, func(c candidate) bool { return c.high < q.cut })
}

func (v *nearest) end() {
	for i := v.lo; i < v.hi; i++ {
		q := &v.queries[i-v.lo]
		if v.k > 0 && len(q.list) > v.k {
			q.prune(v.k)
		}
		v.hits = v.hits[:0]
		for _, c := range q.list {
			v.hits = append(v.hits, hit{c.row, v.f.s.score(i, c.row)})
		}
		slices.SortFunc(v.hits, hit.compare)
		v.take(i, v.hits[:min(v.k, len(v.hits))])
	}
}

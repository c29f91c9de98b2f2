package metric

import (
	"context"
	"fmt"
)

// Retrieval takes every row of x as a query against all the others.
//
// x is n×d, row-major, with one label a row: n = len(label). For Hyperbolic
// the rows are points of the ball, not tangent vectors.
//
// Cost: n²d multiply-adds in float32, split over GOMAXPROCS, and in float64 the
// comparisons that float32 cannot decide. Memory: 4nd bytes, twice that for
// Cosine, 20n, and 250 kB + 500 d bytes a processor; x is not copied and must
// not change meanwhile.
//
// Retrieval returns an error if x has no row, if an entry is NaN or infinite,
// if a point lies outside the ball, for a bad option, and when ctx ends. It
// panics if d < 1 or len(x) is not len(label)·d.
func Retrieval(ctx context.Context, x []float32, label []int, d int, o Options) (Result, error) {
	mustFit("x", x, len(label), d)
	o, err := o.filled()
	if err != nil {
		return Result{}, err
	}
	t, err := newTable("embedding", x, d, o)
	if err != nil {
		return Result{}, err
	}
	return measure(ctx, &scorer{q: t, g: t, space: o.Space, c: o.Curvature}, label, label, true, o.Ks, o.Progress)
}

// QueryGallery takes every row of q as a query against all rows of g. The two
// are disjoint sets: nothing is removed from the gallery, even if a row of q
// is also in g.
//
// q is len(qlabel)×d, g is len(glabel)×d. Everything else is as in Retrieval.
func QueryGallery(ctx context.Context, q []float32, qlabel []int, g []float32, glabel []int, d int, o Options) (Result, error) {
	mustFit("q", q, len(qlabel), d)
	mustFit("g", g, len(glabel), d)
	o, err := o.filled()
	if err != nil {
		return Result{}, err
	}
	tq, err := newTable("query", q, d, o)
	if err != nil {
		return Result{}, err
	}
	tg, err := newTable("gallery", g, d, o)
	if err != nil {
		return Result{}, err
	}
	return measure(ctx, &scorer{q: tq, g: tg, space: o.Space, c: o.Curvature}, qlabel, glabel, false, o.Ks, o.Progress)
}

func mustFit(name string, x []float32, n, d int) {
	if d < 1 || len(x) != n*d {
		panic(fmt.Sprintf("metric: %s has %d entries, want %d rows of %d", name, len(x), n, d))
	}
}

// outcome is what one query adds to the result.
type outcome struct {
	first int     // rank of the best relevant item, from 1; 0: there is none
	rp    float64 // R-Precision of this query
	ap    float64 // average precision at R
}

// measure ranks the relevant items of every query and averages in the order
// of the queries. self says that query i is gallery row i.
func measure(ctx context.Context, s *scorer, qlabel, glabel []int, self bool, ks []int, progress Progress) (Result, error) {
	if s.q.n == 0 || s.g.n == 0 {
		return Result{}, fmt.Errorf("metric: nothing to retrieve: %d queries, %d gallery rows", s.q.n, s.g.n)
	}
	members := byClass(glabel)
	out := make([]outcome, s.q.n)
	f := newFilter(s)
	err := f.each(ctx, progress, "retrieval by "+s.space.String(), func() visitor {
		return &ranker{f: f, qlabel: qlabel, glabel: glabel, members: members, self: self, out: out}
	})
	if err != nil {
		return Result{}, fmt.Errorf("metric: retrieval stopped: %w", err)
	}
	return average(out, ks), nil
}

// byClass returns the rows of each class, rising.
func byClass(label []int) map[int][]int {
	members := make(map[int][]int)
	for i, l := range label {
		members[l] = append(members[l], i)
	}
	return members
}

// judge reads the measures of one query off the ranks of its r relevant items,
// increasing; ranks beyond r may be missing, but not the first. The precision
// at the rank of the t-th of them is t/rank.
func judge(ranks []int, r int) outcome {
	if r == 0 {
		return outcome{}
	}
	o := outcome{first: ranks[0]}
	for t, rank := range ranks {
		if rank > r {
			break
		}
		o.rp++
		o.ap += float64(t+1) / float64(rank)
	}
	o.rp /= float64(r)
	o.ap /= float64(r)
	return o
}

func average(out []outcome, ks []int) Result {
	r := Result{Ks: ks, Recall: make([]float64, len(ks)), Queries: len(out)}
	for _, o := range out {
		if o.first == 0 {
			r.Lone++
			continue
		}
		r.RPrecision += o.rp
		r.MAPR += o.ap
		for i, k := range ks {
			if o.first <= k {
				r.Recall[i]++
			}
		}
	}
	for i := range ks {
		r.Recall[i] /= float64(len(out))
	}
	if n := len(out) - r.Lone; n > 0 {
		r.RPrecision /= float64(n)
		r.MAPR /= float64(n)
	}
	return r
}

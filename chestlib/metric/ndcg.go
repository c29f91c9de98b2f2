package metric

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
)

// NDCGOptions says what NDCG measures. The zero value is binary relevance by
// cosine.
type NDCGOptions struct {
	Ks        []int   // the K of nDCG@K, each at least 1; nil means 1, 10, 100
	Space     Space   // Cosine or Hyperbolic
	Curvature float64 // c of the ball of curvature -c, Hyperbolic only; 0 means 0.1
	Flat      bool    // c = 0; Hyperbolic only

	// Relevance is how relevant an item of class b is to a query of class a, a
	// finite number ≥ 0. nil means 1 for a = b and 0 else; Taxonomy.Relevance
	// grades by common ancestors. It is called from several goroutines.
	Relevance func(a, b int) float64

	Progress Progress // where to say how far it is; nil means nowhere
}

// NDCGResult is what NDCG found. Values are between 0 and 1.
type NDCGResult struct {
	Ks      []int     // as asked for
	NDCG    []float64 // NDCG[i] is nDCG@Ks[i], over the queries that are not lone; 0 if there are none
	Queries int       // number of queries
	Lone    int       // queries to which no item of the gallery is relevant
}

// At returns nDCG@k. It panics if k is not among Ks.
func (r NDCGResult) At(k int) float64 {
	i := slices.Index(r.Ks, k)
	if i < 0 {
		panic(fmt.Sprintf("metric: nDCG@%d was not measured, only K = %v", k, r.Ks))
	}
	return r.NDCG[i]
}

// String gives the result on one line, in percent:
//
//	nDCG@1 62.5 · nDCG@10 70.3 (8 queries, 1 lone)
func (r NDCGResult) String() string {
	var b strings.Builder
	for i, k := range r.Ks {
		if i > 0 {
			b.WriteString(" · ")
		}
		fmt.Fprintf(&b, "nDCG@%d %.1f", k, 100*r.NDCG[i])
	}
	fmt.Fprintf(&b, " (%s", counted(r.Queries))
	if r.Lone > 0 {
		fmt.Fprintf(&b, ", %d lone", r.Lone)
	}
	b.WriteByte(')')
	return b.String()
}

// NDCG takes every row of x as a query against all the others and returns the
// mean normalised discounted cumulative gain of the first K:
//
//	nDCG@K = DCG@K / IDCG@K,  DCG@K = Σ_{i≤K} rel(i) / log₂(i+1)
//
// rel(i) is the relevance of the i-th item of the gallery, in the order of the
// package; IDCG is the DCG of the best order. The gain is the relevance itself;
// for 2^rel - 1, let Relevance return that. Queries without a relevant item are
// left out. Beyond the end of the gallery nothing is gained.
//
// x is n×d, row-major, n = len(label).
//
// Cost: as Retrieval; some K log K for each query, which is most of it for
// K = 1000; and C log C for each query whose class is not that of the one before,
// with C the number of relevant classes. Memory: as Retrieval, and some 50 K·120
// bytes a processor.
//
// Errors and panics are as for Retrieval; a relevance that is negative, NaN or
// infinite is an error too.
//
// Source: K. Järvelin, J. Kekäläinen, Cumulated gain-based evaluation of IR
// techniques, 2002.
func NDCG(ctx context.Context, x []float32, label []int, d int, o NDCGOptions) (NDCGResult, error) {
	mustFit("x", x, len(label), d)
	ro, err := o.filled()
	if err != nil {
		return NDCGResult{}, err
	}
	t, err := newTable("embedding", x, d, ro)
	if err != nil {
		return NDCGResult{}, err
	}
	return gains(ctx, &scorer{q: t, g: t, space: ro.Space, c: ro.Curvature}, label, label, true, o, ro.Ks)
}

// QueryGalleryNDCG is NDCG for two disjoint sets: nothing is removed from the
// gallery. q is len(qlabel)×d, g is len(glabel)×d.
func QueryGalleryNDCG(ctx context.Context, q []float32, qlabel []int, g []float32, glabel []int, d int, o NDCGOptions) (NDCGResult, error) {
	mustFit("q", q, len(qlabel), d)
	mustFit("g", g, len(glabel), d)
	ro, err := o.filled()
	if err != nil {
		return NDCGResult{}, err
	}
	tq, err := newTable("query", q, d, ro)
	if err != nil {
		return NDCGResult{}, err
	}
	tg, err := newTable("gallery", g, d, ro)
	if err != nil {
		return NDCGResult{}, err
	}
	return gains(ctx, &scorer{q: tq, g: tg, space: ro.Space, c: ro.Curvature}, qlabel, glabel, false, o, ro.Ks)
}

// filled returns the options of the retrieval below, or what is wrong.
func (o NDCGOptions) filled() (Options, error) {
	if o.Ks == nil {
		o.Ks = []int{1, 10, 100}
	}
	for _, k := range o.Ks {
		if k < 1 {
			return Options{}, fmt.Errorf("metric: nDCG@%d asked for: K starts at 1", k)
		}
	}
	return Options{Ks: o.Ks, Space: o.Space, Curvature: o.Curvature, Flat: o.Flat}.filled()
}

func gains(ctx context.Context, s *scorer, qlabel, glabel []int, self bool, o NDCGOptions, ks []int) (NDCGResult, error) {
	ctx, done := context.WithCancel(ctx) // stays with the cell that called
	defer done()
	if s.q.n == 0 || s.g.n == 0 {
		return NDCGResult{}, fmt.Errorf("metric: nothing to retrieve: %d queries, %d gallery rows", s.q.n, s.g.n)
	}
	j := newJudge(qlabel, glabel, self, o.Relevance, ks)
	f := newFilter(s)
	k := 0
	if len(ks) > 0 {
		k = min(s.g.n, slices.Max(ks))
	}
	if self {
		k = min(k, s.g.n-1)
	}
	err := f.each(ctx, o.Progress, "nDCG by "+s.space.String(), func() visitor {
		g := &grader{judge: j}
		return &nearest{f: f, k: k, self: self, take: g.take}
	})
	if err != nil {
		return NDCGResult{}, fmt.Errorf("metric: nDCG stopped: %w", err)
	}
	return j.result()
}

// gainJudge is what all graders share.
type gainJudge struct {
	qlabel, glabel []int
	self           bool
	relevance      func(a, b int) float64
	ks             []int
	classes        []int       // of the gallery, in the order in which they appear
	count          map[int]int // rows of each
	discount       []float64   // 1/log₂(i+2)

	value []float64 // queries × Ks
	lone  []bool
	bad   []error // of each query
}

func newJudge(qlabel, glabel []int, self bool, relevance func(a, b int) float64, ks []int) *gainJudge {
	j := &gainJudge{qlabel: qlabel, glabel: glabel, self: self, relevance: relevance, ks: ks, count: make(map[int]int)}
	for _, l := range glabel {
		if j.count[l] == 0 {
			j.classes = append(j.classes, l)
		}
		j.count[l]++
	}
	if relevance == nil {
		j.relevance = func(a, b int) float64 {
			if a == b {
				return 1
			}
			return 0
		}
	}
	top := 0
	for _, k := range ks {
		top = max(top, min(k, len(glabel)))
	}
	for i := range top {
		j.discount = append(j.discount, 1/math.Log2(float64(i+2)))
	}
	j.value, j.lone, j.bad = make([]float64, len(qlabel)*len(ks)), make([]bool, len(qlabel)), make([]error, len(qlabel))
	return j
}

// result averages in the order of the queries.
func (j *gainJudge) result() (NDCGResult, error) {
	r := NDCGResult{Ks: j.ks, NDCG: make([]float64, len(j.ks)), Queries: len(j.qlabel)}
	for i, err := range j.bad {
		if err != nil {
			return NDCGResult{}, err
		}
		if j.lone[i] {
			r.Lone++
		}
		for t := range j.ks {
			r.NDCG[t] += j.value[i*len(j.ks)+t]
		}
	}
	if n := r.Queries - r.Lone; n > 0 {
		for t := range r.NDCG {
			r.NDCG[t] /= float64(n)
		}
	}
	return r, nil
}

// grader judges queries, one after the other. It keeps what belongs to the
// class of the last one.
type grader struct {
	judge *gainJudge
	class int
	gain  map[int]float64 // of the relevant classes; nil: none yet
	ideal []float64       // IDCG@K of each K
	err   error           // of the relevance
}

func (g *grader) take(i int, hits []hit) {
	j := g.judge
	if g.gain == nil || g.class != j.qlabel[i] {
		g.become(j.qlabel[i])
	}
	if j.bad[i] = g.err; g.err != nil {
		return
	}
	if len(g.gain) == 0 {
		j.lone[i] = true
		return
	}
	var dcg float64
	at := 0
	for t := range byK(j.ks) {
		k := j.ks[t]
		for ; at < min(k, len(hits)); at++ {
			dcg += g.gain[j.glabel[hits[at].row]] * j.discount[at]
		}
		j.value[i*len(j.ks)+t] = min(dcg/g.ideal[t], 1)
	}
}

// byK goes through the indices of ks by rising K.
func byK(ks []int) func(func(int) bool) {
	order := make([]int, len(ks))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(ks[a], ks[b]) })
	return slices.Values(order)
}

// graded is how many rows of the gallery have a gain.
type graded struct {
	gain  float64
	count int
}

// become gathers the gains of a class and the best order of the gallery.
func (g *grader) become(class int) {
	j := g.judge
	g.class, g.gain = class, make(map[int]float64)
	var parts []graded
	parts, g.err = g.relevant(class)
	slices.SortFunc(parts, func(a, b graded) int { return cmp.Compare(b.gain, a.gain) })
	g.ideal = append(g.ideal[:0], make([]float64, len(j.ks))...)
	var idcg float64
	at := 0
	for t := range byK(j.ks) {
		for ; at < min(j.ks[t], len(j.discount)) && len(parts) > 0; at++ {
			idcg += parts[0].gain * j.discount[at]
			if parts[0].count--; parts[0].count == 0 {
				parts = parts[1:]
			}
		}
		g.ideal[t] = idcg
	}
}

// relevant fills in the gains of the classes that are relevant to one. What
// Relevance panics with is an error: nobody else would stop it here.
func (g *grader) relevant(class int) (parts []graded, err error) {
	j := g.judge
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("metric: nDCG: Relevance failed for class %d: %v", class, p)
		}
	}()
	for _, b := range j.classes {
		v := j.relevance(class, b)
		if !(v >= 0) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("metric: nDCG: the relevance of class %d to class %d is %g: want a finite number ≥ 0", b, class, v)
		}
		n := j.count[b]
		if j.self && b == class {
			n-- // the query itself
		}
		if v > 0 && n > 0 {
			g.gain[b] = v
			parts = append(parts, graded{v, n})
		}
	}
	return parts, nil
}

// Package metric measures embeddings: retrieval of items of their own class
// (Retrieval, QueryGallery, NDCG, Hierarchy), clusters (KMeans, ClusterNMI) and
// shape (Gromov, Diagnose).
//
// Comparisons are exact: pairs are compared in float32 where its error cannot
// matter, else in float64, near-duplicates by their difference; equal scores are
// ordered by the lower index. Nothing depends on the number of processors.
// Seeds of KMeans, samples of Gromov and pairs of Diagnose are drawn at random,
// by a seed; nothing else is.
//
// # Definitions of retrieval
//
// Order the gallery of a query by decreasing score, its own row removed. Let R
// be the number of gallery items of the query's class and rel(i) be 1 if the
// i-th item has it.
//
//	Recall@K    = share of queries with rel(i) = 1 for some i ≤ K
//	R-Precision = mean over queries of (1/R) Σ_{i≤R} rel(i)
//	MAP@R       = mean over queries of (1/R) Σ_{i≤R} rel(i) P(i),  P(i) = (1/i) Σ_{j≤i} rel(j)
//
// A lone query, R = 0, is a miss in Recall@K and left out of the other two.
//
// Source: K. Musgrave, S. Belongie, S.-N. Lim, A metric learning reality
// check, 2020, for R-Precision and MAP@R.
package metric

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Space says by which score a gallery is ordered.
type Space int

const (
	Cosine     Space = iota // x·y / (‖x‖‖y‖); 0 if either is the zero vector
	Hyperbolic              // minus the geodesic distance on the Poincaré ball
)

// String returns "cosine" or "hyperbolic".
func (s Space) String() string {
	switch s {
	case Cosine:
		return "cosine"
	case Hyperbolic:
		return "hyperbolic"
	}
	return fmt.Sprintf("metric.Space(%d)", int(s))
}

// Options says what to measure. The zero value is cosine Recall@1, 2, 4, 8.
type Options struct {
	Ks        []int   // the K of Recall@K, each at least 1; nil means 1, 2, 4, 8
	Space     Space   // Cosine or Hyperbolic
	Curvature float64 // c of the ball of curvature -c, Hyperbolic only; 0 means 0.1
	Flat      bool    // c = 0: the distance is 2‖x-y‖ and Curvature is not read; Hyperbolic only

	Progress Progress // where to say how far it is; nil means nowhere
}

// filled returns o with its defaults, or what is wrong with it.
func (o Options) filled() (Options, error) {
	if o.Ks == nil {
		o.Ks = []int{1, 2, 4, 8}
	}
	o.Ks = slices.Clone(o.Ks)
	for _, k := range o.Ks {
		if k < 1 {
			return o, fmt.Errorf("metric: Recall@%d asked for: K starts at 1", k)
		}
	}
	if o.Space != Cosine && o.Space != Hyperbolic {
		return o, fmt.Errorf("metric: unknown space %d: use Cosine or Hyperbolic", int(o.Space))
	}
	switch {
	case o.Flat:
		o.Curvature = 0
	case o.Curvature == 0:
		o.Curvature = 0.1
	case !(o.Curvature > 0) || math.IsInf(o.Curvature, 0):
		return o, fmt.Errorf("metric: curvature %g: c must be a positive number, or set Flat", o.Curvature)
	}
	return o, nil
}

// Result is what a retrieval gave. Shares are between 0 and 1.
type Result struct {
	Ks         []int     // as asked for
	Recall     []float64 // Recall[i] is Recall@Ks[i]
	RPrecision float64   // over the queries that are not lone; 0 if there are none
	MAPR       float64   // MAP@R over the same queries
	Queries    int       // number of queries
	Lone       int       // queries without any other item of their class in the gallery
}

// At returns Recall@k. It panics if k is not among Ks.
func (r Result) At(k int) float64 {
	i := slices.Index(r.Ks, k)
	if i < 0 {
		panic(fmt.Sprintf("metric: Recall@%d was not measured, only K = %v", k, r.Ks))
	}
	return r.Recall[i]
}

// String gives the result on one line, in percent:
//
//	R@1 62.5 · R@2 75.0 · R-Precision 41.2 · MAP@R 35.0 (8 queries, 1 lone)
func (r Result) String() string {
	var b strings.Builder
	for i, k := range r.Ks {
		fmt.Fprintf(&b, "R@%d %.1f · ", k, 100*r.Recall[i])
	}
	fmt.Fprintf(&b, "R-Precision %.1f · MAP@R %.1f (%s", 100*r.RPrecision, 100*r.MAPR, counted(r.Queries))
	if r.Lone > 0 {
		fmt.Fprintf(&b, ", %d lone", r.Lone)
	}
	b.WriteByte(')')
	return b.String()
}

// counted is a number of queries in words.
func counted(queries int) string {
	if queries == 1 {
		return "1 query"
	}
	return fmt.Sprintf("%d queries", queries)
}

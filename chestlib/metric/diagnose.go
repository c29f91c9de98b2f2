package metric

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/chestlab/chest/internal/parallel"
)

// DiagnoseOptions says how Diagnose looks at an embedding. The zero value looks
// at directions.
type DiagnoseOptions struct {
	Space     Space   // Cosine or Hyperbolic
	Curvature float64 // c of the ball of curvature -c, Hyperbolic only; 0 means 0.1
	Flat      bool    // c = 0: rows are taken as they are and Curvature is not read; Hyperbolic only

	Clip  float64 // clip radius r, a length as those of Norms; 0: there is none
	Bins  int     // of the histogram; 0 means 20
	Pairs int     // most pairs of rows that each mean over pairs is taken of; 0 means 1,000,000
	Seed  uint64  // which pairs are drawn where there are more

	Progress Progress // where to say how far it is; nil means nowhere
}

// Diagnosis is the state of an embedding. What cannot be measured, as a mean
// over no pairs, is 0.
type Diagnosis struct {
	Space Space
	Rows  int
	Norms Norms

	Clip    float64 // clip radius that was given
	Clipped float64 // share of rows with a norm of Clip or more, up to 1e-4 of it; near 1, distances tell no more than angles

	Rank       float64 // effective rank, 1 to the dimension; 0 if all rows are equal
	Dim        int     // columns
	Uniformity float64 // log of the mean of exp(-2‖x-y‖²) over pairs of unit rows, -8 to 0: the lower, the more even; near -4 for random directions of many columns
	Alignment  float64 // mean of ‖x-y‖² over pairs of unit rows of one class, 0 to 4; the lower, the tighter

	All   PairDistance // any two rows
	Intra PairDistance // two rows of one class
	Inter PairDistance // two rows of different classes
}

// Ratio returns the mean distance within classes over that between them, 0 if
// one is missing; the lower, the better separated.
func (g Diagnosis) Ratio() float64 {
	if g.Inter.Mean == 0 {
		return 0
	}
	return g.Intra.Mean / g.Inter.Mean
}

// String gives the diagnosis on four lines:
//
//	5924 rows, cosine
//	norms 12.1 ± 1.4 (8.2 to 17.9)
//	effective rank 61.2 of 128 · uniformity -3.41 · alignment 0.62
//	distance 1.3 ± 0.1 · within classes 0.75 ± 0.12 · between 1.31 ± 0.09
func (g Diagnosis) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d rows, %s\nnorms %v", g.Rows, g.Space, g.Norms)
	if g.Clip > 0 {
		fmt.Fprintf(&b, ", %.1f %% at the clip radius %g", 100*g.Clipped, g.Clip)
	}
	fmt.Fprintf(&b, "\neffective rank %.1f of %d · uniformity %.2f", g.Rank, g.Dim, g.Uniformity)
	if g.Intra.Pairs > 0 {
		fmt.Fprintf(&b, " · alignment %.2f", g.Alignment)
	}
	fmt.Fprintf(&b, "\ndistance %v", g.All)
	if g.Intra.Pairs > 0 {
		fmt.Fprintf(&b, " · within classes %v", g.Intra)
	}
	if g.Inter.Pairs > 0 {
		fmt.Fprintf(&b, " · between %v", g.Inter)
	}
	return b.String()
}

// PairDistance is the distance of pairs of rows of one kind.
type PairDistance struct {
	Mean, Std float64
	Pairs     int  // that were looked at
	Sampled   bool // drawn at random with replacement, because there are more
}

// String gives mean and standard deviation.
func (p PairDistance) String() string { return fmt.Sprintf("%.3g ± %.2g", p.Mean, p.Std) }

// Diagnose describes an embedding: how long rows are, how many dimensions they
// use, how evenly they are spread, and how near those of a class are.
//
//	norm          ‖x‖;  Hyperbolic: ‖logmap₀(x)‖, half the distance from the origin
//	rank          exp(-Σ pₖ log pₖ),  pₖ = σₖ/Σσ, σₖ the singular values of the rows
//	              less their mean: of unit rows, of tangent vectors for Hyperbolic
//	uniformity    log mean exp(-2‖u-v‖²)      over pairs of rows
//	alignment     mean ‖u-v‖²                 over pairs of one class
//	distance      ‖u-v‖ for Cosine, the geodesic distance for Hyperbolic
//
// u and v are x/‖x‖ and y/‖y‖ in both spaces, 0 for a zero row.
//
// x is n×d, row-major. label has n entries, or is nil: then there is nothing
// about classes. Pairs are all pairs of different rows, each once, or Pairs of
// them where there are more.
//
// Cost: nd² + d³ for the rank, split over GOMAXPROCS but for d³, and five times
// Pairs·d. Memory: 24d² bytes, 8000 d, 40n, and 16 a pair.
//
// Diagnose returns an error if x has no row, an entry is NaN or infinite or a
// point off the ball, for a bad option, and when ctx ends. It panics if d < 1,
// if len(x) is not a multiple of d or label has another number of rows.
//
// Sources: O. Roy, M. Vetterli, The effective rank: A measure of effective
// dimensionality, 2007; T. Wang, P. Isola, Understanding contrastive
// representation learning through alignment and uniformity on the hypersphere,
// 2020, with t = 2 and α = 2.
func Diagnose(ctx context.Context, x []float32, label []int, d int, o DiagnoseOptions) (Diagnosis, error) {
	if d < 1 || len(x)%d != 0 {
		panic(fmt.Sprintf("metric: x has %d entries, want rows of %d", len(x), d))
	}
	if label != nil {
		mustFit("x", x, len(label), d)
	}
	ctx, done := context.WithCancel(ctx) // stays with the cell that called
	defer done()
	o, err := o.filled()
	if err != nil {
		return Diagnosis{}, err
	}
	t, err := newTable("embedding", x, d, Options{Space: o.Space, Curvature: o.Curvature})
	if err != nil {
		return Diagnosis{}, err
	}
	if t.n == 0 {
		return Diagnosis{}, fmt.Errorf("metric: nothing to diagnose: 0 rows")
	}
	g := Diagnosis{Space: o.Space, Rows: t.n, Dim: d, Clip: o.Clip}
	report := newReport(o.Progress, t.n, "diagnosis")
	defer report.finish()
	lengths := t.lengths(o.Space, o.Curvature)
	g.Norms = newNorms(lengths, o.Bins)
	if o.Clip > 0 {
		g.Clipped = share(lengths, o.Clip*(1-1e-4))
	}
	if g.Rank, err = t.effectiveRank(ctx, o.Space, o.Curvature, report); err != nil {
		return Diagnosis{}, err
	}
	if err := g.pairs(ctx, t, label, o); err != nil {
		return Diagnosis{}, fmt.Errorf("metric: diagnosis stopped: %w", err)
	}
	return g, nil
}

// filled returns o with its defaults, or what is wrong with it.
func (o DiagnoseOptions) filled() (DiagnoseOptions, error) {
	r, err := Options{Space: o.Space, Curvature: o.Curvature, Flat: o.Flat}.filled()
	if err != nil {
		return o, err
	}
	o.Curvature = r.Curvature
	if o.Bins < 0 || o.Pairs < 0 {
		return o, fmt.Errorf("metric: diagnosis with %d bins and %d pairs: both are at least 1, or 0 for the default", o.Bins, o.Pairs)
	}
	if !(o.Clip >= 0) || math.IsInf(o.Clip, 1) {
		return o, fmt.Errorf("metric: clip radius %g: a positive number, or 0 for none", o.Clip)
	}
	o.Bins, o.Pairs = cmp.Or(o.Bins, 20), cmp.Or(o.Pairs, 1_000_000)
	return o, nil
}

// pairs fills in what is a mean over pairs.
func (g *Diagnosis) pairs(ctx context.Context, t table, label []int, o DiagnoseOptions) error {
	chord := func(i, j int) float64 { return chordSquared(t.row(i), t.row(j), t.sq[i], t.sq[j]) }
	random := func(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(o.Seed, stream)) }
	pairs, all := newPairing(t.n, nil).same(o.Pairs, random(0))
	g.All = t.spread(ctx, pairs, all, o)
	if len(pairs) > 0 {
		g.Uniformity = math.Log(averagePairs(ctx, pairs, func(i, j int) float64 { return math.Exp(-2 * chord(i, j)) }))
	}
	if label != nil && ctx.Err() == nil {
		classes := newPairing(t.n, label)
		pairs, all = classes.same(o.Pairs, random(1))
		g.Intra = t.spread(ctx, pairs, all, o)
		g.Alignment = averagePairs(ctx, pairs, chord)
		pairs, all = classes.different(o.Pairs, random(2))
		g.Inter = t.spread(ctx, pairs, all, o)
	}
	return ctx.Err()
}

// spread returns mean and standard deviation of the distance over pairs.
func (t table) spread(ctx context.Context, pairs []pair, all bool, o DiagnoseOptions) PairDistance {
	far := make([]float64, len(pairs))
	parallel.For(len(pairs), 1024, func(lo, hi int) {
		if ctx.Err() != nil {
			return
		}
		for at := lo; at < hi; at++ {
			far[at] = t.distance(int(pairs[at].i), int(pairs[at].j), o.Space, o.Curvature)
		}
	})
	p := PairDistance{Pairs: len(pairs), Sampled: !all}
	p.Mean, p.Std = meanStd(far)
	return p
}

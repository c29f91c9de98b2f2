package metric

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"

	"github.com/chestlab/chest/internal/parallel"
)

// GromovOptions says how Gromov measures. The zero value takes the directions
// of the rows, 10 times 1000 of them where there are more.
type GromovOptions struct {
	Space     Space   // Cosine: Euclidean distance of unit rows; Hyperbolic: geodesic distance
	Curvature float64 // c of the ball of curvature -c, Hyperbolic only; 0 means 0.1
	Flat      bool    // c = 0: the distance is 2‖x-y‖ and Curvature is not read; Hyperbolic only

	Sample  int    // rows of one sample; 0 means 1000, negative: all rows, once
	Samples int    // samples where there are more rows than that; 0 means 10
	Seed    uint64 // which rows are drawn

	Progress Progress // where to say how far it is; nil means nowhere
}

// Hyperbolicity is how far distances are from those of a tree.
type Hyperbolicity struct {
	Delta       float64 // δ, in the unit of the distances; mean over the samples, as all that follows
	Diameter    float64 // largest distance
	Relative    float64 // 2δ/diameter, 0 (a tree) to 1; 0 if all rows are equal
	DeltaStd    float64 // standard deviation over the samples, 0 for one
	RelativeStd float64

	Rows    int // all of them
	Sample  int // rows of one sample
	Samples int // number of samples
}

// Curvature returns CurvatureFromDelta of Relative.
func (h Hyperbolicity) Curvature() float64 { return CurvatureFromDelta(h.Relative) }

// String gives the result on one line:
//
//	δ 0.142 ± 0.004 · 2δ/diameter 0.245 ± 0.006 · c 0.345 (10 samples of 1000 of 5924 rows)
func (h Hyperbolicity) String() string {
	if h.Samples < 2 {
		return fmt.Sprintf("δ %.3f · 2δ/diameter %.3f · c %.3f (%d rows)", h.Delta, h.Relative, h.Curvature(), h.Rows)
	}
	return fmt.Sprintf("δ %.3f ± %.3f · 2δ/diameter %.3f ± %.3f · c %.3f (%d samples of %d of %d rows)",
		h.Delta, h.DeltaStd, h.Relative, h.RelativeStd, h.Curvature(), h.Samples, h.Sample, h.Rows)
}

// CurvatureFromDelta returns the c of a ball of curvature -c that is as tree-like
// as data of relative hyperbolicity 2δ/diameter:
//
//	c = (0.144 / relative)²
//
// +Inf for a tree, where no c is large enough. 0.144 stands for 2δ/diameter of a
// disk of curvature -1, as far as float32 points reach in it.
//
// Source: V. Khrulkov et al., Hyperbolic image embeddings, 2020.
func CurvatureFromDelta(relative float64) float64 {
	c := 0.144 / relative
	return c * c
}

// Gromov measures how tree-like the rows of x are.
//
// Where n is above Sample it draws Samples sets of Sample rows without
// replacement and returns means and standard deviations (divided by the number
// of samples); a set's δ is at most that of all rows at the same base point.
// The base point is the first row of a set, for n ≤ Sample row 0; another one
// at most doubles or halves δ.
//
// x is n×d, row-major. Definition and cost of one set: see GromovMatrix.
//
// Gromov returns an error if x has no row, an entry is NaN or infinite or a
// point off the ball, for a bad option, and when ctx ends. It panics if d < 1
// or len(x) is not a multiple of d.
//
// Source: V. Khrulkov et al., Hyperbolic image embeddings, 2020.
func Gromov(ctx context.Context, x []float32, d int, o GromovOptions) (Hyperbolicity, error) {
	if d < 1 || len(x)%d != 0 {
		panic(fmt.Sprintf("metric: x has %d entries, want rows of %d", len(x), d))
	}
	ctx, done := context.WithCancel(ctx) // stays with the cell that called
	defer done()
	ro, err := Options{Space: o.Space, Curvature: o.Curvature, Flat: o.Flat}.filled()
	if err != nil {
		return Hyperbolicity{}, err
	}
	if o.Samples < 0 {
		return Hyperbolicity{}, fmt.Errorf("metric: Gromov δ of %d samples: at least 1, or 0 for 10", o.Samples)
	}
	t, err := newTable("embedding", x, d, ro)
	if err != nil {
		return Hyperbolicity{}, err
	}
	if t.n == 0 {
		return Hyperbolicity{}, fmt.Errorf("metric: Gromov δ of no rows")
	}
	h := Hyperbolicity{Rows: t.n, Sample: cmp.Or(o.Sample, 1000), Samples: cmp.Or(o.Samples, 10)}
	if h.Sample < 0 || h.Sample >= t.n {
		h.Sample, h.Samples = t.n, 1
	}
	report := newReport(o.Progress, h.Samples*h.Sample, "Gromov δ")
	defer report.finish()
	deltas, relatives := make([]float64, h.Samples), make([]float64, h.Samples)
	for s := range h.Samples {
		dist := t.distances(drawRows(t.n, h.Sample, o.Seed, s), ro)
		delta, diameter, err := fourPoint(ctx, dist, h.Sample, report)
		if err != nil {
			return Hyperbolicity{}, fmt.Errorf("metric: Gromov δ stopped in sample %d of %d: %w", s+1, h.Samples, err)
		}
		deltas[s], relatives[s] = delta, relativeTo(delta, diameter)
		h.Diameter += diameter / float64(h.Samples)
	}
	h.Delta, h.DeltaStd = meanStd(deltas)
	h.Relative, h.RelativeStd = meanStd(relatives)
	return h, nil
}

// GromovMatrix measures a matrix of distances, with row 0 as the base point:
//
//	(x|y) = ½ (D₀ₓ + D₀ᵧ - Dₓᵧ)
//	δ = max over x, y of ( max_z min((x|z), (z|y)) - (x|y) )
//
// dist is n×n, row-major, symmetric. δ is 0 for the distances of a tree. The
// triangle inequality is not checked.
//
// Cost: at most n³/2 comparisons, split over GOMAXPROCS: a pair x, y needs only
// those z that can still raise δ, the first in the falling order of (x|z). For
// n = 1500 that is some 0.3 s of processor time for points at random, 0.7 s for
// a tree. Memory: 8n² bytes beside dist.
//
// GromovMatrix returns an error if there is no row, if an entry is NaN, infinite
// or negative, if the matrix is not symmetric or its diagonal not 0 up to 1e-6
// of the largest entry, and when ctx ends. It panics if len(dist) is not n².
//
// Sources: M. Gromov, Hyperbolic groups, 1987; the (max,min) product: H.
// Fournier, A. Ismail, A. Vigneron, Computing the Gromov hyperbolicity of a
// discrete metric space, 2015.
func GromovMatrix(ctx context.Context, dist []float64, n int) (Hyperbolicity, error) {
	if n < 0 || len(dist) != n*n {
		panic(fmt.Sprintf("metric: %d distances of %d rows, want %d", len(dist), n, n*n))
	}
	ctx, done := context.WithCancel(ctx) // stays with the cell that called
	defer done()
	if err := checkDistances(dist, n); err != nil {
		return Hyperbolicity{}, err
	}
	delta, diameter, err := fourPoint(ctx, dist, n, newReport(nil, n, ""))
	if err != nil {
		return Hyperbolicity{}, fmt.Errorf("metric: Gromov δ stopped: %w", err)
	}
	return Hyperbolicity{Delta: delta, Diameter: diameter, Relative: relativeTo(delta, diameter), Rows: n, Sample: n, Samples: 1}, nil
}

func checkDistances(dist []float64, n int) error {
	if n == 0 {
		return fmt.Errorf("metric: Gromov δ of no rows")
	}
	var most float64
	for at, v := range dist {
		if !(v >= 0) || math.IsInf(v, 0) {
			return fmt.Errorf("metric: the distance of rows %d and %d is %g: want a finite number ≥ 0", at/n, at%n, v)
		}
		most = max(most, v)
	}
	for i := range n {
		if v := dist[i*n+i]; v > 1e-6*most {
			return fmt.Errorf("metric: the distance of row %d to itself is %g, want 0", i, v)
		}
		for j := range i {
			if a, b := dist[i*n+j], dist[j*n+i]; math.Abs(a-b) > 1e-6*most {
				return fmt.Errorf("metric: the distance of rows %d and %d is %g one way and %g the other: take their mean", j, i, b, a)
			}
		}
	}
	return nil
}

// relativeTo returns 2δ/diameter, 0 where all points are equal.
func relativeTo(delta, diameter float64) float64 {
	if diameter == 0 {
		return 0
	}
	return 2 * delta / diameter
}

// drawRows returns size of n rows, all in order if that is all of them, else at
// random.
func drawRows(n, size int, seed uint64, sample int) []int {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	if size == n {
		return rows
	}
	rng := rand.New(rand.NewPCG(seed, uint64(sample)))
	for i := range size {
		j := i + rng.IntN(n-i)
		rows[i], rows[j] = rows[j], rows[i]
	}
	return rows[:size]
}

// distances returns those of all pairs of some rows.
func (t table) distances(rows []int, o Options) []float64 {
	n := len(rows)
	dist := make([]float64, n*n)
	parallel.For(n, 1, func(a, _ int) {
		for b := range a {
			dist[a*n+b] = t.distance(rows[a], rows[b], o.Space, o.Curvature)
		}
	})
	for a := range n {
		for b := range a {
			dist[b*n+a] = dist[a*n+b]
		}
	}
	return dist
}

// fourPoint returns δ and the diameter. It reads what lies above the diagonal.
func fourPoint(ctx context.Context, dist []float64, n int, report *report) (delta, diameter float64, err error) {
	diameter = slices.Max(dist)
	g := products0(dist, n)
	var best atomic.Uint64 // bits of δ; those of numbers ≥ 0 are in their order
	parallel.Tasks(parallel.Workers(n), n, func(x, _ int) {
		if ctx.Err() != nil {
			return
		}
		d := widest(g, n, x, math.Float64frombits(best.Load()))
		for old := best.Load(); math.Float64bits(d) > old && !best.CompareAndSwap(old, math.Float64bits(d)); {
			old = best.Load()
		}
		report.add(1)
	})
	return math.Float64frombits(best.Load()), diameter, ctx.Err()
}

// products0 returns (x|y) of all pairs.
func products0(dist []float64, n int) []float64 {
	g := make([]float64, n*n)
	for x := range n {
		for y := x; y < n; y++ {
			far := dist[x*n+y]
			if x == y {
				far = 0
			}
			v := (dist[x] + dist[y] - far) / 2
			g[x*n+y], g[y*n+x] = v, v
		}
	}
	return g
}

// widest returns the largest min((x|z),(z|y)) - (x|y) over z and y ≥ x, if that
// is above delta, else delta. Subtraction of the same number keeps the order,
// rounded too: what is skipped is not above delta to the last bit.
func widest(g []float64, n, x int, delta float64) float64 {
	type product struct {
		v float64 // (x|z)
		z int32
	}
	near := make([]product, n)
	for z, v := range g[x*n : (x+1)*n] {
		near[z] = product{v, int32(z)}
	}
	slices.SortFunc(near, func(a, b product) int { return cmp.Compare(b.v, a.v) })
	for y := x; y < n; y++ {
		own, other := g[x*n+y], g[y*n:(y+1)*n]
		for _, p := range near {
			if p.v-own <= delta {
				break
			}
			if w := other[p.z]; w-own > delta {
				delta = min(p.v, w) - own
			}
		}
	}
	return delta
}

// meanStd returns the mean and the standard deviation, divided by their number.
func meanStd(x []float64) (mean, std float64) {
	if len(x) == 0 {
		return 0, 0
	}
	mean = sum(x) / float64(len(x))
	var ss float64
	for _, v := range x {
		ss += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(ss / float64(len(x)))
}

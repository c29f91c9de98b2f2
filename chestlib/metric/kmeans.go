package metric

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
)

// KMeansOptions says how KMeans clusters. The zero value clusters the
// directions of the rows, in one run.
type KMeansOptions struct {
	Space     Space   // Cosine or Hyperbolic
	Curvature float64 // c of the ball of curvature -c, Hyperbolic only; 0 means 0.1
	Flat      bool    // c = 0: rows are taken as they are and Curvature is not read; Hyperbolic only

	Restarts   int     // runs from other seeds, of which the one of least inertia counts; 0 means 1
	Iterations int     // most steps of a run; 0 means 100
	Tolerance  float64 // a run ends when a step lowers the inertia by this share of it or less; 0 means 1e-4, negative: when no row changes its cluster
	Seed       uint64  // the result is a function of Seed and the data

	Progress Progress // where to say how far it is; nil means nowhere
}

// filled returns o with its defaults, or what is wrong with it.
func (o KMeansOptions) filled() (KMeansOptions, error) {
	r, err := Options{Space: o.Space, Curvature: o.Curvature, Flat: o.Flat}.filled()
	if err != nil {
		return o, err
	}
	o.Curvature = r.Curvature
	if o.Restarts < 0 || o.Iterations < 0 {
		return o, fmt.Errorf("metric: k-means of %d restarts and %d iterations: both are at least 1, or 0 for the default", o.Restarts, o.Iterations)
	}
	if math.IsNaN(o.Tolerance) {
		return o, fmt.Errorf("metric: k-means with tolerance NaN: use a share of the inertia, or a negative one for none")
	}
	o.Restarts, o.Iterations = cmp.Or(o.Restarts, 1), cmp.Or(o.Iterations, 100)
	o.Tolerance = cmp.Or(o.Tolerance, 1e-4)
	return o, nil
}

// Clusters is what KMeans found.
type Clusters struct {
	K          int       // number of clusters; below the k asked for where x has fewer different rows
	Label      []int     // cluster of each row, 0 to K-1
	Size       []int     // rows of each cluster
	Centre     []float32 // K×d: means of unit rows for Cosine, of tangent vectors at the origin for Hyperbolic
	Inertia    float64   // Σ of the squared distances of rows to the centre of their cluster
	Iterations int       // steps of the run that counts
	Restart    int       // which run that is, from 0
	Converged  bool      // it ended before the most steps that were allowed
	Reseeded   int       // times that it gave a cluster without rows a new centre
}

// String gives the clustering on one line:
//
//	100 clusters of 5924 rows · inertia 2310.5 after 17 iterations (3 reseeded)
func (c Clusters) String() string {
	s := fmt.Sprintf("%d clusters of %d rows · inertia %.6g after %d iterations", c.K, len(c.Label), c.Inertia, c.Iterations)
	if !c.Converged {
		s += ", not converged"
	}
	if c.Reseeded > 0 {
		s += fmt.Sprintf(" (%d reseeded)", c.Reseeded)
	}
	return s
}

// KMeans clusters the rows of x by Lloyd's iteration from k-means++ seeds:
// every row goes to the nearest centre, every centre to the mean of its rows.
//
//	Cosine:      xᵢ/‖xᵢ‖, a zero row stays 0; centres are means, inside the sphere
//	Hyperbolic:  logmap₀(xᵢ), for Flat xᵢ itself
//
// Distances between those are Euclidean. In the tangent space at the origin
// they are those of the ball, halved, from the origin outwards; between other
// points they are shorter than on the ball. All mapped rows and centres are
// float32. Of centres at the same distance the lower cluster gets the row;
// what float32 products cannot decide is computed in float64 from differences.
//
// A cluster that has lost all its rows takes the row farthest from its centre,
// the lower one of equals, out of a cluster with others. At the end this is
// left undone only if Iterations ran out; Size is then 0.
//
// x is n×d, row-major. Each of the K = min(k, number of different rows)
// clusters begins with one row.
//
// Cost: nkd multiply-adds for the seeds of a run and for each of its
// iterations, split over GOMAXPROCS: two processors with AVX-512 take some 1.4 s
// for one with n = 60,502, k = 11,316, d = 128, and 4.5 s with d = 512. Memory: 4n(d+1) + 24n bytes for the
// mapped rows, 8k(d+1) for the centres, 250 kB + 500 d a processor.
//
// KMeans returns an error if x has no row, an entry is NaN or infinite or a
// point off the ball, if k is not in 1…n, for a bad option, and when ctx ends.
// It panics if d < 1 or len(x) is not a multiple of d.
//
// Sources: D. Arthur, S. Vassilvitskii, k-means++: The advantages of careful
// seeding, 2007; S. Lloyd, Least squares quantization in PCM, 1982. Defaults of
// the options are ours.
func KMeans(ctx context.Context, x []float32, d, k int, o KMeansOptions) (Clusters, error) {
	if d < 1 || len(x)%d != 0 {
		panic(fmt.Sprintf("metric: x has %d entries, want rows of %d", len(x), d))
	}
	ctx, done := context.WithCancel(ctx) // stays with the cell that called
	defer done()
	o, err := o.filled()
	if err != nil {
		return Clusters{}, err
	}
	if n := len(x) / d; k < 1 || k > n {
		return Clusters{}, fmt.Errorf("metric: %d clusters of %d rows: k must be between 1 and the number of rows", k, n)
	}
	p, err := newPoints(x, d, o)
	if err != nil {
		return Clusters{}, err
	}
	report := newReport(o.Progress, o.Restarts*o.Iterations, "k-means")
	defer report.finish()
	var best Clusters
	for r := range o.Restarts {
		l := &lloyd{p: p, o: o, restart: r, report: report, rng: rand.New(rand.NewPCG(o.Seed, uint64(r)))}
		c, err := l.run(ctx, k)
		if err != nil {
			return Clusters{}, fmt.Errorf("metric: k-means stopped in run %d of %d, %s: %w", r+1, o.Restarts, l.stage, err)
		}
		if r == 0 || c.Inertia < best.Inertia {
			best = c
		}
	}
	best.Inertia /= p.scale * p.scale
	for i := range best.Centre {
		best.Centre[i] = float32(float64(best.Centre[i]) / p.scale)
	}
	return best, nil
}

// lloyd is one run.
type lloyd struct {
	p       *points
	o       KMeansOptions
	restart int
	report  *report
	rng     *rand.Rand
	stage   string // what it is at, for people

	c     *centres
	label []int     // of each row, -1 before the first assignment
	sq    []float64 // squared distance of each row to the centre of its cluster
	size  []int
}

// run seeds and iterates.
func (l *lloyd) run(ctx context.Context, k int) (Clusters, error) {
	if err := l.seed(ctx, k); err != nil {
		return Clusters{}, err
	}
	return l.iterate(ctx)
}

// iterate goes on from the centres. It ends with every row at its nearest one.
func (l *lloyd) iterate(ctx context.Context) (Clusters, error) {
	l.label, l.size = make([]int, l.p.n), make([]int, l.c.k)
	for i := range l.label {
		l.label[i] = -1
	}
	out := Clusters{K: l.c.k, Restart: l.restart, Inertia: math.Inf(1)}
	for out.Iterations < l.o.Iterations && !out.Converged {
		if out.Iterations > 0 {
			out.Reseeded += l.refill()
			l.p.means(l.c, l.label)
		}
		before := out.Inertia
		moved, err := l.assign(ctx)
		if err != nil {
			return Clusters{}, err
		}
		out.Inertia = sum(l.sq)
		out.Iterations++
		still := moved == 0 || out.Iterations > 1 && before-out.Inertia <= l.o.Tolerance*before
		out.Converged = still && l.empty() == 0
		l.stage = fmt.Sprintf("after %d iterations, inertia %.6g", out.Iterations, out.Inertia/(l.p.scale*l.p.scale))
		l.report.set(l.restart*l.o.Iterations+out.Iterations, l.stage)
	}
	out.Label, out.Size = l.label, l.size
	for j := range l.c.k {
		out.Centre = append(out.Centre, l.c.row(j)...)
	}
	return out, nil
}

// assign gives every row to its nearest centre and counts those that moved.
func (l *lloyd) assign(ctx context.Context) (moved int, err error) {
	before := append([]int(nil), l.label...)
	if err := l.p.assign(ctx, l.c, l.label, l.sq); err != nil {
		return 0, err
	}
	clear(l.size)
	for i, j := range l.label {
		l.size[j]++
		if j != before[i] {
			moved++
		}
	}
	return moved, nil
}

// empty counts the clusters without rows.
func (l *lloyd) empty() (count int) {
	for _, s := range l.size {
		if s == 0 {
			count++
		}
	}
	return count
}

// refill gives each cluster without rows the row that is farthest from its
// centre.
func (l *lloyd) refill() (count int) {
	if l.empty() == 0 {
		return 0
	}
	order := farthestFirst(l.sq)
	for j, s := range l.size {
		if s > 0 {
			continue
		}
		for len(order) > 0 && l.size[l.label[order[0]]] < 2 {
			order = order[1:]
		}
		if len(order) == 0 {
			return count
		}
		i := order[0]
		order = order[1:]
		l.size[l.label[i]]--
		l.label[i], l.size[j] = j, 1
		count++
	}
	return count
}

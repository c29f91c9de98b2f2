package metric

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/poincare"
)

// spaces are the three kinds of points that are clustered.
var spaces = []KMeansOptions{{}, {Space: Hyperbolic, Curvature: 0.5}, {Space: Hyperbolic, Flat: true}}

func newLloyd(t testing.TB, x []float32, d int, o KMeansOptions) *lloyd {
	t.Helper()
	o, err := o.filled()
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPoints(x, d, o)
	if err != nil {
		t.Fatal(err)
	}
	return &lloyd{p: p, o: o, report: newReport(nil, 1, ""), rng: rand.New(rand.NewPCG(o.Seed, 0))}
}

// slowLloyd goes on from the seeds of l with plain loops.
func slowLloyd(l *lloyd, c *centres) (label []int, inertia float64, steps int) {
	p, before := l.p, math.Inf(1)
	sq := make([]float64, p.n)
	label = make([]int, p.n)
	for i := range label {
		label[i] = -1
	}
	for steps < l.o.Iterations {
		if steps > 0 {
			for j := range c.k {
				total, count := make([]float64, p.d), 0.0
				for i, own := range label {
					if own == j {
						count++
						for k, v := range p.row(i) {
							total[k] += float64(v)
						}
					}
				}
				for k := range total {
					if count > 0 {
						c.row(j)[k] = float32(total[k] / count)
					}
				}
			}
		}
		old := slices.Clone(label)
		inertia = 0
		for i := range p.n {
			label[i], sq[i] = slowNearest(p, i, c)
			inertia += sq[i]
		}
		steps++
		if slices.Equal(old, label) || steps > 1 && before-inertia <= l.o.Tolerance*before {
			break
		}
		before = inertia
	}
	return label, inertia / (p.scale * p.scale), steps
}

// TestKMeansAgainstSlowTwin: from the same seeds plain loops find the same
// clusters.
func TestKMeansAgainstSlowTwin(t *testing.T) {
	for _, o := range spaces {
		for _, tolerance := range []float64{0, 0.05, -1} {
			for _, k := range []int{1, 2, 7, 40, 90} {
				o.Tolerance, o.Seed = tolerance, uint64(k)
				x := normal(rand.New(rand.NewPCG(8, uint64(k))), 90, 5)
				got, err := KMeans(ctx, x, 5, k, o)
				if err != nil {
					t.Fatal(err)
				}
				l := newLloyd(t, x, 5, o)
				if err := l.seed(ctx, k); err != nil {
					t.Fatal(err)
				}
				label, inertia, steps := slowLloyd(l, l.c)
				if got.Reseeded > 0 {
					t.Fatalf("k %d: reseeded; the twin does not, choose other data", k)
				}
				if !slices.Equal(got.Label, label) || !almost(got.Inertia, inertia) || got.Iterations != steps {
					t.Errorf("%v flat %v, k %d, tolerance %g: inertia %g after %d steps, want %g after %d", o.Space, o.Flat, k, tolerance, got.Inertia, got.Iterations, inertia, steps)
				}
			}
		}
	}
}

// TestKMeansResult: what the fields say of each other, from the caller's data.
func TestKMeansResult(t *testing.T) {
	const n, d, k = 200, 4, 12
	x := normal(rand.New(rand.NewPCG(3, 1)), n, d)
	for _, o := range spaces {
		o.Tolerance = -1
		got, err := KMeans(ctx, x, d, k, o)
		if err != nil {
			t.Fatal(err)
		}
		u := make([]float64, n*d)
		for i := range n {
			row := u[i*d : (i+1)*d]
			for a := range row {
				row[a] = float64(x[i*d+a])
			}
			switch {
			case o.Space == Hyperbolic && !o.Flat:
				poincare.LogMap0(row, row, o.Curvature)
			case o.Space == Cosine:
				length := math.Sqrt(row[0]*row[0] + row[1]*row[1] + row[2]*row[2] + row[3]*row[3])
				for a := range row {
					row[a] /= length
				}
			}
		}
		sums, sizes, inertia := make([]float64, k*d), make([]int, k), 0.0
		for i, j := range got.Label {
			sizes[j]++
			own, best := 0.0, math.Inf(1)
			for other := range k {
				var sq float64
				for a := range d {
					off := u[i*d+a] - float64(got.Centre[other*d+a])
					sq += off * off
				}
				best = min(best, sq)
				if other == j {
					own = sq
				}
			}
			if own > best+1e-6 {
				t.Errorf("%v: row %d is at %g of its centre, another is at %g", o.Space, i, own, best)
			}
			inertia += own
			for a := range d {
				sums[j*d+a] += u[i*d+a]
			}
		}
		for at, s := range sums {
			if want := s / float64(sizes[at/d]); math.Abs(float64(got.Centre[at])-want) > 1e-6 {
				t.Errorf("%v: centre %d, column %d is %g, want the mean %g", o.Space, at/d, at%d, got.Centre[at], want)
			}
		}
		if !got.Converged || got.K != k || !slices.Equal(got.Size, sizes) || math.Abs(got.Inertia-inertia) > 1e-5*inertia {
			t.Errorf("%v: %+v, want sizes %v, inertia %g", o.Space, got, sizes, inertia)
		}
	}
}

// TestKMeansLaws: lengths do not matter to directions, units to the plane, and
// more runs do not make it worse.
func TestKMeansLaws(t *testing.T) {
	const n, d, k = 150, 6, 9
	x := normal(rand.New(rand.NewPCG(5, 5)), n, d)
	for _, factor := range []float32{0x1p-100, 0x1p-20, 0x1p90, 0x1p120} {
		scaled := slices.Clone(x)
		for i := range scaled {
			scaled[i] *= factor
		}
		for _, o := range []KMeansOptions{{}, {Space: Hyperbolic, Flat: true}} {
			a, err := KMeans(ctx, x, d, k, o)
			if err != nil {
				t.Fatal(err)
			}
			b, err := KMeans(ctx, scaled, d, k, o)
			if err != nil {
				t.Fatal(err)
			}
			unit := 1.0
			if o.Flat {
				unit = float64(factor) * float64(factor)
			}
			if !slices.Equal(a.Label, b.Label) || math.Abs(b.Inertia/unit-a.Inertia) > 1e-12 {
				t.Errorf("%v, rows times %g: inertia %g, want %g times %g", o.Space, factor, b.Inertia, a.Inertia, unit)
			}
		}
	}
	for i := range n { // lengths of their own
		for a := range d {
			x[i*d+a] *= float32(int(1) << (i % 7))
		}
	}
	one, err := KMeans(ctx, x, d, k, KMeansOptions{})
	if err != nil {
		t.Fatal(err)
	}
	last := math.Inf(1)
	for _, restarts := range []int{1, 3, 10} {
		many, err := KMeans(ctx, x, d, k, KMeansOptions{Restarts: restarts})
		if err != nil {
			t.Fatal(err)
		}
		if many.Inertia > last || restarts == 1 && !reflect.DeepEqual(one, many) {
			t.Errorf("%d runs: %v, before %g", restarts, many, last)
		}
		last = many.Inertia
	}
	last = math.Inf(1)
	for steps := 1; steps < 12; steps++ {
		c, err := KMeans(ctx, x, d, k, KMeansOptions{Iterations: steps, Tolerance: -1})
		if err != nil {
			t.Fatal(err)
		}
		if c.Inertia > last*(1+1e-6) {
			t.Errorf("inertia rises from %g to %g in step %d", last, c.Inertia, steps)
		}
		last = c.Inertia
	}
}

// TestKMeansSameBits: nothing depends on the number of processors; another seed
// gives another result.
func TestKMeansSameBits(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const n, d, k = 900, 9, 80
	x := normal(rand.New(rand.NewPCG(9, 1)), n, d)
	for _, o := range spaces {
		o.Restarts, o.Seed = 2, 77
		inside(x, d, Options{Space: o.Space, Curvature: o.Curvature, Flat: o.Flat})
		var want Clusters
		for _, procs := range []int{1, 2, 5} {
			runtime.GOMAXPROCS(procs)
			got, err := KMeans(ctx, x, d, k, o)
			if err != nil {
				t.Fatal(err)
			}
			if procs == 1 {
				want = got
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%d processors: %v, want %v", procs, got, want)
			}
		}
		o.Seed++
		if got, _ := KMeans(ctx, x, d, k, o); reflect.DeepEqual(got.Label, want.Label) {
			t.Errorf("%v: another seed, the same clusters", o.Space)
		}
	}
}

// TestKMeansStops: the error says how far it came; progress is told.
func TestKMeansStops(t *testing.T) {
	const n, d, k = 2000, 4, 50
	x := normal(rand.New(rand.NewPCG(2, 3)), n, d)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := KMeans(ended, x, d, k, KMeansOptions{}); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "1 of 50 seeds") {
		t.Errorf("ended before: %v", err)
	}
	cell, interrupt := context.WithCancel(ctx)
	seen := &watcher{at: 4, then: interrupt}
	_, err := KMeans(cell, x, d, k, KMeansOptions{Progress: seen, Tolerance: -1})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "after 4 iterations") {
		t.Errorf("ended in step 4: %v", err)
	}
	if seen.total != 100 || seen.done != 4 || !seen.finished {
		t.Errorf("progress: %+v", seen)
	}
}

func TestKMeansBadData(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		name string
		x    []float32
		k    int
		o    KMeansOptions
		want string
	}{
		{"NaN", []float32{0, 0, 1, nan}, 1, KMeansOptions{}, "row 1, column 1 is NaN"},
		{"off the ball", []float32{0, 0, 3, 2}, 1, KMeansOptions{Space: Hyperbolic}, "row 1 is not on the ball"},
		{"no rows", nil, 1, KMeansOptions{}, "1 clusters of 0 rows"},
		{"k = 0", []float32{0, 0}, 0, KMeansOptions{}, "0 clusters of 1 rows"},
		{"k above n", []float32{0, 0}, 2, KMeansOptions{}, "2 clusters of 1 rows"},
		{"restarts", []float32{0, 0}, 1, KMeansOptions{Restarts: -1}, "-1 restarts"},
		{"iterations", []float32{0, 0}, 1, KMeansOptions{Iterations: -2}, "-2 iterations"},
		{"tolerance", []float32{0, 0}, 1, KMeansOptions{Tolerance: math.NaN()}, "tolerance NaN"},
		{"curvature", []float32{0, 0}, 1, KMeansOptions{Curvature: -1}, "curvature -1"},
	} {
		if _, err := KMeans(ctx, c.x, 2, c.k, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
	mustPanic(t, "KMeans", func() { KMeans(ctx, make([]float32, 3), 2, 1, KMeansOptions{}) })
	mustPanic(t, "ClusterNMI", func() { ClusterNMI(ctx, make([]float32, 3), []int{1}, 2, KMeansOptions{}) })
}

func mustPanic(t *testing.T, name string, call func()) {
	t.Helper()
	defer func() {
		if msg, ok := recover().(string); !ok || !strings.HasPrefix(msg, "metric: ") {
			t.Errorf("%s: panic %q, want one that starts with metric:", name, msg)
		}
	}()
	call()
}

func ExampleKMeans() {
	x := []float32{1, 0, 5, 0.1, 0, 2, 0.1, 7, 3, 0}
	c, err := KMeans(context.Background(), x, 2, 2, KMeansOptions{})
	fmt.Println(c.Label[0] == c.Label[1], c.Label[0] == c.Label[2], c.Label[0] == c.Label[4], err)
	// Output: true false true <nil>
}

func BenchmarkKMeans(b *testing.B) {
	const n, d, k = 10000, 128, 100
	x := normal(rand.New(rand.NewPCG(1, 1)), n, d)
	for i := range x {
		x[i] *= 0.1
	}
	for _, o := range []KMeansOptions{{}, {Space: Hyperbolic}} {
		b.Run(o.Space.String(), func(b *testing.B) {
			var c Clusters
			for b.Loop() {
				var err error
				if c, err = KMeans(ctx, x, d, k, o); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N)/float64(c.Iterations), "ms/step")
		})
	}
}

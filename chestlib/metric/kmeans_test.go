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
	"github.com/chestlab/chest/internal/cpu"
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

// slowNearest compares a row with every centre.
func slowNearest(p *points, i int, c *centres) (label int, sq float64) {
	label, sq = -1, math.Inf(1)
	for j := range c.k {
		if far := p.squared(i, c.row(j)); far < sq {
			label, sq = j, far
		}
	}
	return label, sq
}

// TestAssign: products and contenders decide as comparing all pairs does, and
// so do the distances that seeds are drawn by.
func TestAssign(t *testing.T) {
	const n, d, k = 300, 17, 150
	for _, level := range cpu.Levels() {
		defer cpu.Set(level)()
		for _, set := range sets {
			for _, o := range spaces {
				t.Run(fmt.Sprintf("%s/%s/%s flat %v", level, set.name, o.Space, o.Flat), func(t *testing.T) {
					rng := rand.New(rand.NewPCG(4, 6))
					x := set.make(rng, n, d)
					inside(x, d, Options{Space: o.Space, Curvature: o.Curvature, Flat: o.Flat})
					p := newLloyd(t, x, d, o).p
					c := p.pick(rng.Perm(n)[:k])
					for j := range k / 2 { // some centres between rows
						for a := range d {
							c.row(j)[a] = (c.row(j)[a] + c.row(j + 1)[a]) / 2
						}
					}
					c.pack()
					label, sq, near := make([]int, n), make([]float64, n), make([]float64, n)
					for i := range near {
						near[i] = math.Inf(1)
					}
					if err := p.assign(ctx, c, label, sq); err != nil {
						t.Fatal(err)
					}
					for lo := 0; lo < k; lo += 50 {
						part := newCentres(50, d)
						copy(part.x, c.x[lo*(d+1):(lo+50)*(d+1)])
						part.pack()
						if err := p.closer(ctx, part, near); err != nil {
							t.Fatal(err)
						}
					}
					for i := range n {
						if j, far := slowNearest(p, i, c); label[i] != j || sq[i] != far || near[i] != far {
							t.Fatalf("row %d: centre %d at %g, by seeds %g; want %d at %g", i, label[i], sq[i], near[i], j, far)
						}
					}
				})
			}
		}
	}
}

// TestAssignManyTiles: more centres than a tile holds, each twice.
func TestAssignManyTiles(t *testing.T) {
	const n, d = 700, 3
	p := newLloyd(t, normal(rand.New(rand.NewPCG(1, 2)), n, d), d, KMeansOptions{}).p
	rows := make([]int, 2*n)
	for j := range rows {
		rows[j] = (n - 1) - j%n
	}
	c := p.pick(rows)
	label, sq := make([]int, n), make([]float64, n)
	if err := p.assign(ctx, c, label, sq); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if label[i] != n-1-i || sq[i] != 0 {
			t.Fatalf("row %d went to centre %d at %g, want %d at 0", i, label[i], sq[i], n-1-i)
		}
	}
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

// TestPropose: accepted proposals have the distribution of seeds that are drawn
// one after the other.
func TestPropose(t *testing.T) {
	x := []float32{0, 1, 1.5, 4, 6, 6.25, -3}
	l := newLloyd(t, x, 1, KMeansOptions{Space: Hyperbolic, Flat: true})
	l.sq = make([]float64, len(x))
	var total float64
	for i := range x {
		l.sq[i] = l.p.squared(i, l.p.row(0))
		total += l.sq[i]
	}
	up := make([]float64, len(x))
	accumulate(up, l.sq)
	counts, trials := make(map[[2]int]int), 20000
	for range trials {
		got := l.propose(up, 500)
		if len(got) < 2 {
			t.Fatalf("%d of 500 proposals accepted", len(got))
		}
		counts[[2]int{got[0], got[1]}]++
	}
	for a := range x {
		after := make([]float64, len(x))
		for i := range x {
			after[i] = min(l.sq[i], l.p.squared(i, l.p.row(a)))
		}
		for b := range x {
			p := l.sq[a] / total * after[b] / sum(after)
			want, got := p*float64(trials), float64(counts[[2]int{a, b}])
			if math.Abs(got-want) > 4.5*math.Sqrt(want*(1-p))+1e-9 {
				t.Errorf("seeds %d, %d: %g times of %d, want about %.0f", a, b, got, trials, want)
			}
		}
	}
}

// TestRefill: a cluster without rows takes the farthest row of a cluster with
// others, the lower row of equals.
func TestRefill(t *testing.T) {
	x := []float32{0, 1, -1, 50, 8, -8, 9}
	l := newLloyd(t, x, 1, KMeansOptions{Space: Hyperbolic, Flat: true})
	l.p.scale = 1
	for i, v := range x {
		l.p.row(i)[0] = v
		l.p.sq[i] = float64(v) * float64(v)
	}
	l.c = newCentres(5, 1)
	for j, v := range []float32{0, 1000, 40, 2000, 3000} {
		l.c.row(j)[0] = v
	}
	l.c.pack()
	l.label, l.sq, l.size = make([]int, len(x)), make([]float64, len(x)), make([]int, 5)
	if _, err := l.assign(ctx); err != nil {
		t.Fatal(err)
	}
	if want := []int{6, 0, 1, 0, 0}; !slices.Equal(l.size, want) {
		t.Fatalf("sizes %v, want %v", l.size, want)
	}
	before := sum(l.sq)
	// 50 is farthest, but alone in its cluster; then 9, then 8 and -8 at equal distances
	if got, want := l.refill(), []int{0, 0, 0, 2, 3, 4, 1}; got != 3 || !slices.Equal(l.label, want) || !slices.Equal(l.size, []int{3, 1, 1, 1, 1}) {
		t.Errorf("%d reseeded: %v, sizes %v; want %v", got, l.label, l.size, want)
	}
	l.p.means(l.c, l.label)
	if _, err := l.assign(ctx); err != nil || l.empty() != 0 || sum(l.sq) >= before {
		t.Errorf("after: sizes %v, inertia %g, before %g (%v)", l.size, sum(l.sq), before, err)
	}
}

// TestLosesAllRows: a run does not end with a cluster that lost its rows on the
// way, but when steps run out.
func TestLosesAllRows(t *testing.T) {
	x := []float32{2.375, 2.375, 2.625, 3.625, 3.875, 3.875} // the outer centres move in and take the middle ones
	for steps, want := range map[int][]int{1: {2, 2, 2}, 2: {3, 0, 3}, 9: {2, 1, 3}} {
		l := newLloyd(t, x, 1, KMeansOptions{Space: Hyperbolic, Flat: true, Tolerance: 0.999, Iterations: steps})
		l.c, l.sq = newCentres(3, 1), make([]float64, len(x))
		for j, v := range []float64{1.9, 3.1, 4.3} {
			l.c.row(j)[0] = float32(v * l.p.scale)
		}
		l.c.pack()
		got, err := l.iterate(ctx)
		if err != nil || !slices.Equal(got.Size, want) || got.Converged != (steps == 9) || (got.Reseeded == 1) != (steps == 9) {
			t.Errorf("%d steps: %+v (%v), want sizes %v", steps, got, err, want)
		}
	}
}

// TestFewDifferentRows: no more clusters than different rows, each exact.
func TestFewDifferentRows(t *testing.T) {
	for _, o := range spaces {
		x := make([]float32, 40*2)
		for i := range 40 {
			x[2*i], x[2*i+1] = float32(i%4)/8, float32(i%4-2)/16
		}
		for _, k := range []int{4, 5, 40} {
			got, err := KMeans(ctx, x, 2, k, o)
			if err != nil {
				t.Fatal(err)
			}
			if got.K != 4 || got.Inertia != 0 || !got.Converged || slices.Min(got.Size) != 10 {
				t.Errorf("%v, k %d: %+v, want 4 clusters of 10", o.Space, k, got)
			}
		}
		for _, equal := range []float32{0, 0.25} {
			same := slices.Repeat([]float32{equal, equal}, 9)
			if got, err := KMeans(ctx, same, 2, 3, o); err != nil || got.K != 1 || got.Inertia != 0 || got.Size[0] != 9 {
				t.Errorf("%v: equal rows %g: %+v (%v)", o.Space, equal, got, err)
			}
		}
		if got, err := KMeans(ctx, x[:2], 2, 1, o); err != nil || got.K != 1 || got.Label[0] != 0 {
			t.Errorf("one row: %+v (%v)", got, err)
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

package reduce

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/chestlib/poincare"
	"github.com/chestlab/chest/internal/gradcheck"
)

// TestUMAPAgreement: of the points around a tree's leaves the neighbours are
// still of one class, in the disk and in the plane.
func TestUMAPAgreement(t *testing.T) {
	x, label := treeSet(5, 5, 4, 40, 32, 0.1)
	for _, c := range []float64{0.1, 0} {
		xy, q, err := UMAP(ctx, x, 32, c, UMAPOptions{Seed: 7})
		if err != nil {
			t.Fatal(err)
		}
		if q, err = q.WithLabels(ctx, xy, x, label, 32, c); err != nil || q.KNN != 15 || !(q.AgreementDisk >= 0.9) {
			t.Errorf("c = %g: %s (%v), want agreement 0.9 in the plane", c, q.Line(), err)
		}
		if want := "UMAP; 800 points; "; !strings.HasPrefix(q.Line(), want) || !strings.HasSuffix(q.Line(), "seed 7") {
			t.Errorf("%q, want it between %q and the seed", q.Line(), want)
		}
		far := 0.0
		for i := 0; i < len(xy); i += 2 {
			far = max(far, math.Hypot(xy[i], xy[i+1]))
		}
		if c == 0 && math.Abs(far-flatRim) > 1e-12 || far > 0.995 {
			t.Errorf("c = %g: the farthest point is at %g", c, far)
		}
		if c == 0 {
			continue
		}
		if m := poincare.FrechetMean(xy, 2, 1); math.Hypot(m[0], m[1]) > 1e-9 {
			t.Errorf("mean at %v, want the centre", m)
		}
	}
}

// TestUMAPCosine: 1 - cos does not see the lengths of rows.
func TestUMAPCosine(t *testing.T) {
	x, label := treeSet(6, 3, 3, 20, 16, 0.1)
	rng := rand.New(rand.NewPCG(1, 1))
	stretched := slices.Clone(x)
	for i := 0; i < len(x); i += 16 {
		f := float32(math.Exp(3 * rng.NormFloat64()))
		for k := range 16 {
			stretched[i+k] *= f
		}
	}
	o := UMAPOptions{Cosine: true}
	xy, q, err := UMAP(ctx, stretched, 16, 0, o)
	if err != nil {
		t.Fatal(err)
	}
	q.KNN = 10
	if q, err = q.WithLabels(ctx, xy, x, label, 16, 0); err != nil || !(q.AgreementDisk >= 0.9) {
		t.Errorf("%v (%v)", q, err)
	}
	if _, _, err = UMAP(ctx, x, 16, 0.1, o); err == nil || !strings.Contains(err.Error(), "Cosine is true") {
		t.Errorf("cosine in the ball: error %v", err)
	}
}

// TestUMAPSeeds: another seed is another picture.
func TestUMAPSeeds(t *testing.T) {
	x, _ := treeSet(6, 2, 2, 8, 4, 1)
	a, _, err := UMAP(ctx, x, 4, 1, UMAPOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := UMAP(ctx, x, 4, 1, UMAPOptions{Seed: 1})
	if err != nil || slices.Equal(a, b) {
		t.Errorf("seeds 0 and 1 give the same picture (%v)", err)
	}
}

// TestNearestAgainstSlowTwin sorts all distances.
func TestNearestAgainstSlowTwin(t *testing.T) {
	const n, k = 300, 9
	for _, d := range []int{3, 70} {
		for _, c := range []float64{0, 0.1, 2} {
			x := narrow(cloudOf(rand.New(rand.NewPCG(3, uint64(d))), n, d, max(c, 0.5)))
			w := wide(x)
			g, err := nearest(ctx, x, d, k, c, false)
			if err != nil {
				t.Fatal(err)
			}
			cosine, err := nearest(ctx, x, d, k, 0, true)
			if err != nil {
				t.Fatal(err)
			}
			for i := range n {
				same(t, g, i, func(j int) float64 { return length(w[i*d:(i+1)*d], w[j*d:(j+1)*d], c) })
				same(t, cosine, i, func(j int) float64 {
					a, b := w[i*d:(i+1)*d], w[j*d:(j+1)*d]
					return 1 - dot(a, b)/math.Sqrt(dot(a, a)*dot(b, b))
				})
			}
		}
	}
}

// same compares the neighbours of row i with all distances from it in order.
func same(t *testing.T, g graph, i int, far func(j int) float64) {
	t.Helper()
	var order []int
	for j := range g.n {
		if j != i {
			order = append(order, j)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(far(a), far(b)), cmp.Compare(a, b)) })
	for r, j := range order[:g.k] {
		if g.row[i*g.k+r] != j || math.Abs(g.far[i*g.k+r]-far(j)) > 1e-7 {
			t.Fatalf("row %d, neighbour %d: row %d at %.9g, want %d at %.9g", i, r, g.row[i*g.k+r], g.far[i*g.k+r], j, far(j))
		}
	}
}

// TestFuzzyAgainstSlowTwin computes the set as a full matrix, by the formula
// and a search for σ over a fine grid.
func TestFuzzyAgainstSlowTwin(t *testing.T) {
	const n, d, k = 40, 3, 6
	x := narrow(cloudOf(rand.New(rand.NewPCG(4, 4)), n, d, 1))
	copy(x[d:2*d], x[:d]) // two equal points
	g, err := nearest(ctx, x, d, k, 1, false)
	if err != nil {
		t.Fatal(err)
	}
	var one [n][n]float64
	for i := range n {
		far := g.far[i*k : (i+1)*k]
		rho := far[0]
		if rho == 0 {
			rho = far[1]
		}
		best, sigma := math.Inf(1), 0.0
		weight := func(d, sigma float64) float64 { return math.Exp(-max(0, d-rho) / sigma) }
		for s := 1e-3; s < 10; s *= 1.0005 {
			sum := 0.0
			for _, d := range far {
				sum += weight(d, s)
			}
			if off := math.Abs(sum - math.Log2(k)); off < best {
				best, sigma = off, s
			}
		}
		for r, d := range far {
			one[i][g.row[i*k+r]] = weight(d, sigma)
		}
	}
	var want []edge
	for i := range n {
		for j := range n {
			if a, b := one[i][j], one[j][i]; a > 0 || b > 0 {
				want = append(want, edge{int32(i), int32(j), a + b - a*b})
			}
		}
	}
	got := fuzzy(g)
	if len(got) != len(want) {
		t.Fatalf("%d edges, want %d", len(got), len(want))
	}
	for i, e := range got {
		if w := want[i]; e.from != w.from || e.to != w.to || math.Abs(e.weight-w.weight) > 2e-3 {
			t.Errorf("edge %d: %v, want %v", i, e, w)
		}
	}
}

// TestBelong: weights add up to log₂ k in every unit of distance; equal points
// belong wholly.
func TestBelong(t *testing.T) {
	w := make([]float64, 8)
	for _, unit := range []float64{1e-38, 1, 1e38} {
		d := []float64{1, 1.5, 2, 2, 3, 3.5, 4, 9}
		floats.Scale(unit, d)
		belong(w, d, 3*unit)
		if sum := floats.Sum(w); math.Abs(sum-3) > 1e-4 || w[0] != 1 || !(w[7] < w[1]) {
			t.Errorf("unit %g: weights %v add up to %g, want 3", unit, w, sum)
		}
	}
	for _, d := range [][]float64{make([]float64, 8), {0, 0, 0, 0, 0, 0, 0, 5}, {2, 2, 2, 2, 2, 2, 2, 2}} {
		belong(w, d, 1)
		for _, v := range w {
			if v != 1 {
				t.Errorf("distances %v: weights %v, want 1", d, w)
			}
		}
	}
}

// TestFitCurve: no curve of a grid around a and b fits better. The authors'
// program finds a = 1.577, b = 0.895 for the default.
func TestFitCurve(t *testing.T) {
	off := func(a, b, least, spread float64) (sum float64) {
		for k := range 300 {
			x := 3 * spread * float64(k) / 299
			want := math.Min(1, math.Exp((least-x)/spread))
			e := 1/(1+a*math.Pow(x, 2*b)) - want
			sum += e * e
		}
		return sum
	}
	for _, k := range [][2]float64{{0.1, 1}, {0, 1}, {0.5, 1}, {0.001, 0.1}, {2, 10}, {0.99, 1}} {
		a, b := fitCurve(k[0], k[1])
		best := off(a, b, k[0], k[1])
		for i := -20; i <= 20; i++ {
			for j := -20; j <= 20; j++ {
				if s := off(a*math.Exp(float64(i)/100), b*math.Exp(float64(j)/100), k[0], k[1]); s < best*(1-1e-9) {
					t.Fatalf("%v: a = %g, b = %g is off by %g, %g e^%d%%, %g e^%d%% by %g", k, a, b, best, a, i, b, j, s)
				}
			}
		}
	}
	if a, b := fitCurve(0.1, 1); math.Abs(a-1.577) > 1e-3 || math.Abs(b-0.895) > 1e-3 {
		t.Errorf("a = %g, b = %g, want 1.577 and 0.895", a, b)
	}
}

// slowDistance is that of two places.
func slowDistance(flat bool, p []float64) float64 {
	if flat {
		return math.Hypot(p[0]-p[2], p[1]-p[3])
	}
	return math.Acosh(math.Sqrt(1+p[0]*p[0]+p[1]*p[1])*math.Sqrt(1+p[2]*p[2]+p[3]*p[3]) - p[0]*p[2] - p[1]*p[3])
}

// TestMoves: a small step is minus the gradient of its part of the objective.
func TestMoves(t *testing.T) {
	const rate, a, b, repulsion = 1e-7, 1.6, 0.9, 0.7
	rng := rand.New(rand.NewPCG(5, 1))
	for _, flat := range []bool{true, false} {
		l := &layout{flat: flat, a: a, b: b, repulsion: repulsion}
		for range 20 {
			p := make([]float64, 4)
			for k := range p {
				p[k] = 2 * rng.NormFloat64()
			}
			weight := func() float64 { return 1 / (1 + a*math.Pow(slowDistance(flat, p), 2*b)) }
			at := func() (from, to place) {
				return place{p[0], p[1], math.Sqrt(1 + p[0]*p[0] + p[1]*p[1])}, place{p[2], p[3], math.Sqrt(1 + p[2]*p[2] + p[3]*p[3])}
			}
			pull := func() float64 { return -math.Log(weight()) }
			from, to := at()
			l.pull(&from, &to, rate)
			g := []float64{(p[0] - from.x) / rate, (p[1] - from.y) / rate, (p[2] - to.x) / rate, (p[3] - to.y) / rate}
			if err := gradcheck.Directional(pull, p, g, 1e-5, 1e-5, 4, rng); err != nil {
				t.Errorf("flat %v, pull at %v: %v", flat, p, err)
			}
			if slowDistance(flat, p) < 0.5 {
				continue // the rejection of near points is held down
			}
			from, to = at()
			was := to
			l.push(&from, &to, rate)
			if to != was {
				t.Error("a push moved the other point")
			}
			d := slowDistance(flat, p)
			damped := d * d / (0.001 + d*d)
			push := func() float64 { return -repulsion * math.Log(1-weight()) * damped }
			both := p
			p = slices.Clone(p)
			end := p[:2] // the gradient by the first point alone
			g = []float64{(both[0] - from.x) / rate, (both[1] - from.y) / rate}
			if err := gradcheck.Directional(push, end, g, 1e-5, 1e-5, 4, rng); err != nil {
				t.Errorf("flat %v, push at %v: %v", flat, p, err)
			}
		}
	}
}

// TestEpochSamples: an edge is sampled as often as its weight says, those too
// weak for it are left out.
func TestEpochSamples(t *testing.T) {
	const epochs = 100
	set := []edge{{0, 1, 1}, {0, 2, 0.5}, {1, 2, 0.25}, {2, 3, 0.02}, {3, 0, 0.009}}
	l := newLayout(make([]place, 4), set, epochs) // all at one place: nothing moves
	count := make([]int, len(set))
	for e := range epochs {
		was := slices.Clone(l.due)
		l.epoch(e+1, 1)
		for k := range was {
			if l.due[k] != was[k] {
				count[k]++
			}
		}
	}
	if want := []int{100, 50, 25, 2, 0}; !slices.Equal(count, want) {
		t.Errorf("samples %v, want %v", count, want)
	}
}

func BenchmarkUMAP(b *testing.B) {
	x, _ := treeSet(1, 10, 10, 60, 128, 0.1) // 6000×128
	for b.Loop() {
		if _, _, err := UMAP(ctx, x, 128, 0.1, UMAPOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNearest(b *testing.B) {
	x, _ := treeSet(1, 10, 10, 60, 128, 0.1)
	for b.Loop() {
		if _, err := nearest(ctx, x, 128, 15, 0.1, false); err != nil {
			b.Fatal(err)
		}
	}
}

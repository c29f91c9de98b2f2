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

	"gonum.org/v1/gonum/mat"

	"github.com/chestlab/chest/chestlib/poincare"
)

// slowMapped are the rows as measurements see them: n×d.
func slowMapped(x []float32, d int, o DiagnoseOptions) []float64 {
	u := make([]float64, len(x))
	for i := 0; i < len(x); i += d {
		row := u[i : i+d]
		var sq float64
		for k := range row {
			row[k] = float64(x[i+k])
			sq += row[k] * row[k]
		}
		switch {
		case o.Space == Hyperbolic && !o.Flat:
			poincare.LogMap0(row, row, o.Curvature)
		case o.Space == Cosine && sq > 0:
			for k := range row {
				row[k] /= math.Sqrt(sq)
			}
		}
	}
	return u
}

// slowRank has the singular values of the centred rows from their own
// decomposition.
func slowRank(u []float64, d int) float64 {
	n := len(u) / d
	m := mat.NewDense(n, d, slices.Clone(u))
	for k := range d {
		mean := mat.Sum(m.ColView(k)) / float64(n)
		for i := range n {
			m.Set(i, k, m.At(i, k)-mean)
		}
	}
	var svd mat.SVD
	svd.Factorize(m, mat.SVDNone)
	var total, h float64
	for _, s := range svd.Values(nil) {
		total += s
	}
	for _, s := range svd.Values(nil) {
		if s > 0 {
			h -= s / total * math.Log(s/total)
		}
	}
	return math.Exp(h)
}

// slowPairs are the means over all pairs.
func slowPairs(x []float32, label []int, d int, o DiagnoseOptions) (uniformity, alignment float64, all, intra, inter PairDistance) {
	units := slowMapped(x, d, DiagnoseOptions{})
	far := [3][]float64{}
	var same float64
	for i := range label {
		for j := range i {
			var sq float64
			for k := range d {
				sq += math.Pow(units[i*d+k]-units[j*d+k], 2)
			}
			v := math.Sqrt(sq)
			if o.Space == Hyperbolic {
				v = slowValue(x[i*d:(i+1)*d], x[j*d:(j+1)*d], Options{Space: o.Space, Curvature: o.Curvature, Flat: o.Flat})
			}
			kind := 2
			if label[i] == label[j] {
				kind = 1
				same += sq
			}
			far[0], far[kind] = append(far[0], v), append(far[kind], v)
			uniformity += math.Exp(-2 * sq)
		}
	}
	of := func(x []float64) PairDistance {
		mean, std := meanStd(x)
		return PairDistance{Mean: mean, Std: std, Pairs: len(x)}
	}
	return math.Log(uniformity / float64(len(far[0]))), same / float64(len(far[1])), of(far[0]), of(far[1]), of(far[2])
}

func nearly(a, b PairDistance) bool {
	return math.Abs(a.Mean-b.Mean) < 1e-9 && math.Abs(a.Std-b.Std) < 1e-9 && a.Pairs == b.Pairs && a.Sampled == b.Sampled
}

var diagnosed = []DiagnoseOptions{{}, {Space: Hyperbolic, Curvature: 0.4}, {Space: Hyperbolic, Flat: true}}

func TestDiagnoseAgainstSlowTwin(t *testing.T) {
	for _, o := range diagnosed {
		for _, c := range []struct{ n, d, count int }{{90, 5, 6}, {1200, 3, 4}, {12, 20, 3}} {
			rng := rand.New(rand.NewPCG(uint64(c.n), 2))
			x, label := normal(rng, c.n, c.d), classes(rng, c.n, c.count)
			inside(x, c.d, Options{Space: o.Space, Curvature: o.Curvature, Flat: o.Flat})
			clear(x[2*c.d : 3*c.d])
			g, err := Diagnose(ctx, x, label, c.d, o)
			if err != nil {
				t.Fatal(err)
			}
			u := slowMapped(x, c.d, o)
			if want := slowRank(u, c.d); math.Abs(g.Rank-want) > 1e-4 {
				t.Errorf("%v, %v: rank %g, want %g", o.Space, c, g.Rank, want)
			}
			uniformity, alignment, all, intra, inter := slowPairs(x, label, c.d, o)
			if math.Abs(g.Uniformity-uniformity) > 1e-9 || math.Abs(g.Alignment-alignment) > 1e-9 {
				t.Errorf("%v, %v: uniformity %g, alignment %g, want %g, %g", o.Space, c, g.Uniformity, g.Alignment, uniformity, alignment)
			}
			if !nearly(g.All, all) || !nearly(g.Intra, intra) || !nearly(g.Inter, inter) || !almost(g.Ratio(), g.Intra.Mean/g.Inter.Mean) {
				t.Errorf("%v, %v: %+v %+v %+v, want %+v %+v %+v", o.Space, c, g.All, g.Intra, g.Inter, all, intra, inter)
			}
			if o.Space == Cosine {
				u = slowMapped(x, c.d, DiagnoseOptions{Space: Hyperbolic, Flat: true}) // norms are of the rows themselves
			}
			var lengths []float64
			for i := range c.n {
				lengths = append(lengths, mat.Norm(mat.NewVecDense(c.d, u[i*c.d:(i+1)*c.d]), 2))
			}
			mean, std := meanStd(lengths)
			if s := g.Norms; math.Abs(s.Mean-mean) > 1e-9 || math.Abs(s.Std-std) > 1e-9 || math.Abs(s.Min-slices.Min(lengths)) > 1e-9 || math.Abs(s.Max-slices.Max(lengths)) > 1e-9 {
				t.Errorf("%v, %v: norms %v, want %g ± %g", o.Space, c, s, mean, std)
			}
		}
	}
}

// TestDiagnoseSampled: means of drawn pairs are near those of all, and the same
// for any number of processors.
func TestDiagnoseSampled(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const n, d = 700, 6
	rng := rand.New(rand.NewPCG(1, 4))
	x, label := normal(rng, n, d), classes(rng, n, 5)
	inside(x, d, Options{Space: Hyperbolic, Curvature: 0.4})
	for i := range n {
		x[i*d] += float32(label[i]) / 20
	}
	for _, o := range diagnosed {
		inside(x, d, Options{Space: o.Space, Curvature: o.Curvature, Flat: o.Flat})
		exact, err := Diagnose(ctx, x, label, d, o)
		if err != nil {
			t.Fatal(err)
		}
		o.Pairs = 20000
		var want Diagnosis
		for _, procs := range []int{1, 2, 5} {
			runtime.GOMAXPROCS(procs)
			got, err := Diagnose(ctx, x, label, d, o)
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
		for _, c := range []struct {
			name      string
			got, want PairDistance
		}{{"all", want.All, exact.All}, {"intra", want.Intra, exact.Intra}, {"inter", want.Inter, exact.Inter}} {
			if off := math.Abs(c.got.Mean - c.want.Mean); !c.got.Sampled || c.want.Sampled || c.got.Pairs != 20000 || off > 5*c.want.Std/math.Sqrt(20000) || off == 0 {
				t.Errorf("%v, %s: %+v, all pairs %+v", o.Space, c.name, c.got, c.want)
			}
		}
		if math.Abs(want.Uniformity-exact.Uniformity) > 0.05 || math.Abs(want.Alignment-exact.Alignment) > 0.05 || want.Rank != exact.Rank {
			t.Errorf("%v: %v, all pairs %v", o.Space, want, exact)
		}
		o.Seed = 1
		if got, err := Diagnose(ctx, x, label, d, o); err != nil || got.All.Mean == want.All.Mean {
			t.Errorf("%v: another seed, the same pairs (%v)", o.Space, err)
		}
	}
}

// TestPairing: drawn pairs are of their kind, and all equally likely, however
// unequal the classes are.
func TestPairing(t *testing.T) {
	label := []int{1, 7, 1, 3, 1, 7, 1, 1}
	p := newPairing(len(label), label)
	for _, c := range []struct {
		name string
		take func(most int, rng *rand.Rand) ([]pair, bool)
		same bool
		want int // number of pairs: C(5,2)+C(2,2)+0, and 28 less
	}{{"same", p.same, true, 11}, {"different", p.different, false, 17}} {
		every, all := c.take(c.want, nil)
		if !all || len(every) != c.want {
			t.Errorf("%s: %d pairs, all %v, want %d", c.name, len(every), all, c.want)
		}
		const draws = 40000
		_, all = c.take(c.want-1, rand.New(rand.NewPCG(1, 1)))
		if all {
			t.Errorf("%s: all of %d pairs in %d", c.name, c.want, c.want-1)
		}
		counts := make(map[[2]int32]int)
		rng := rand.New(rand.NewPCG(1, 2))
		for range draws / (c.want - 1) {
			drawn, _ := c.take(c.want-1, rng)
			for _, p := range drawn {
				if p.i == p.j || (label[p.i] == label[p.j]) != c.same {
					t.Fatalf("%s: pair %v", c.name, p)
				}
				counts[[2]int32{min(p.i, p.j), max(p.i, p.j)}]++
			}
		}
		total := draws / (c.want - 1) * (c.want - 1)
		for _, p := range every {
			got, want := float64(counts[[2]int32{min(p.i, p.j), max(p.i, p.j)}]), float64(total)/float64(c.want)
			if math.Abs(got-want) > 4.5*math.Sqrt(want) {
				t.Errorf("%s: pair %v drawn %g times, want about %g", c.name, p, got, want)
			}
		}
	}
}

// TestDiagnoseByHand: corners of a square, a line, a clipped ball.
func TestDiagnoseByHand(t *testing.T) {
	x := []float32{3, 0, 0, 1, -2, 0, 0, -4}
	g, err := Diagnose(ctx, x, []int{0, 0, 1, 1}, 2, DiagnoseOptions{Clip: 3, Bins: 3})
	if err != nil {
		t.Fatal(err)
	}
	n := g.Norms
	if n.Min != 1 || n.Max != 4 || n.Mean != 2.5 || !almost(n.Std, math.Sqrt(1.25)) || n.Median != 2.5 || !almost(n.P05, 1.15) || !almost(n.P25, 1.75) || !almost(n.P75, 3.25) || !almost(n.P95, 3.85) {
		t.Errorf("norms %+v", n)
	}
	if !slices.Equal(n.Edges, []float64{1, 2, 3, 4}) || !slices.Equal(n.Counts, []int{1, 1, 2}) || g.Clipped != 0.5 {
		t.Errorf("histogram %v %v, clipped %g", n.Edges, n.Counts, g.Clipped)
	}
	// four pairs at √2, two at 2; both classes at √2
	uniformity := math.Log((4*math.Exp(-4) + 2*math.Exp(-8)) / 6)
	if !almost(g.Rank, 2) || !almost(g.Uniformity, uniformity) || !almost(g.Alignment, 2) || !almost(g.Intra.Mean, math.Sqrt2) || !almost(g.Inter.Mean, (2*math.Sqrt2+4)/4) {
		t.Errorf("%+v, want uniformity %g", g, uniformity)
	}
	// all at the clip radius of a ball: u = 2.3 in directions of a line
	var points []float32
	for _, sign := range []float64{1, -1, 1, 1} {
		p := poincare.ExpMap0(nil, []float64{2.3 * sign, 0}, 0.1)
		points = append(points, float32(p[0]), float32(p[1]))
	}
	g, err = Diagnose(ctx, points, nil, 2, DiagnoseOptions{Space: Hyperbolic, Clip: 2.3})
	if err != nil || g.Clipped != 1 || math.Abs(g.Norms.Mean-2.3) > 1e-6 || math.Abs(g.Rank-1) > 1e-9 || math.Abs(g.All.Mean-9.2/2) > 1e-5 || g.Intra.Pairs != 0 || g.Inter.Pairs != 0 {
		t.Errorf("%+v (%v)", g, err)
	}
}

// TestDiagnoseEdges: one row, equal rows, one class, each its own class.
func TestDiagnoseEdges(t *testing.T) {
	for _, o := range diagnosed {
		for _, x := range [][]float32{{0.1, 0.2}, {0.1, 0.2, 0.1, 0.2, 0.1, 0.2}, {0, 0, 0, 0}} {
			g, err := Diagnose(ctx, x, make([]int, len(x)/2), 2, o)
			if err != nil || g.Rank != 0 || g.Uniformity != 0 || g.Alignment != 0 || g.All.Mean != 0 || g.Inter.Pairs != 0 || g.Ratio() != 0 || g.Norms.Std > 1e-15 || g.Norms.Counts[19] != len(x)/2 {
				t.Errorf("%v, rows %v: %+v (%v)", o.Space, x, g, err)
			}
			if strings.Contains(fmt.Sprint(g), "NaN") {
				t.Errorf("%v", g)
			}
		}
		g, err := Diagnose(ctx, []float32{0.1, 0.2, 0.3, 0.1}, []int{1, 2}, 2, o)
		if err != nil || g.Intra.Pairs != 0 || g.Inter.Pairs != 1 || g.Inter.Mean != g.All.Mean || g.Ratio() != 0 {
			t.Errorf("%v, each its own class: %+v (%v)", o.Space, g, err)
		}
	}
}

// TestDiagnoseLaws: turning changes nothing; lengths do not matter to what is of
// directions.
func TestDiagnoseLaws(t *testing.T) {
	const n, d = 100, 4
	rng := rand.New(rand.NewPCG(7, 3))
	x, label := normal(rng, n, d), classes(rng, n, 5)
	turned := slices.Clone(x)
	for i := range n {
		u, v := float64(x[i*d+1]), float64(x[i*d+2])
		turned[i*d+1], turned[i*d+2] = float32(0.6*u-0.8*v), float32(0.8*u+0.6*v)
	}
	for _, o := range diagnosed {
		a, err := Diagnose(ctx, x, label, d, o)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Diagnose(ctx, turned, label, d, o)
		if err != nil || math.Abs(a.Rank-b.Rank) > 1e-5 || math.Abs(a.Uniformity-b.Uniformity) > 1e-5 || math.Abs(a.Alignment-b.Alignment) > 1e-5 || math.Abs(a.Inter.Mean-b.Inter.Mean) > 1e-5 || math.Abs(a.Norms.Mean-b.Norms.Mean) > 1e-5 {
			t.Errorf("%v: turned %v (%v), was %v", o.Space, b, err, a)
		}
		if a.Rank < 1 || a.Rank > d {
			t.Errorf("rank %g of %d", a.Rank, d)
		}
	}
	a, _ := Diagnose(ctx, x, label, d, DiagnoseOptions{})
	for i := range n {
		for k := range d {
			x[i*d+k] *= float32(int(1) << (i % 6))
		}
	}
	if b, err := Diagnose(ctx, x, label, d, DiagnoseOptions{}); err != nil || math.Abs(a.Rank-b.Rank) > 1e-12 || a.Uniformity != b.Uniformity || a.Intra != b.Intra || a.Norms.Mean >= b.Norms.Mean {
		t.Errorf("lengths: %v (%v), was %v", b, err, a)
	}
}

func TestDiagnoseErrors(t *testing.T) {
	for _, c := range []struct {
		name string
		x    []float32
		o    DiagnoseOptions
		want string
	}{
		{"no rows", nil, DiagnoseOptions{}, "0 rows"},
		{"NaN", []float32{0, 0, float32(math.NaN()), 0}, DiagnoseOptions{}, "row 1, column 0 is NaN"},
		{"off the ball", []float32{0, 0, 9, 0}, DiagnoseOptions{Space: Hyperbolic}, "row 1 is not on the ball"},
		{"bins", []float32{0, 0}, DiagnoseOptions{Bins: -1}, "-1 bins"},
		{"pairs", []float32{0, 0}, DiagnoseOptions{Pairs: -1}, "-1 pairs"},
		{"clip", []float32{0, 0}, DiagnoseOptions{Clip: -2}, "clip radius -2"},
		{"curvature", []float32{0, 0}, DiagnoseOptions{Curvature: -2}, "curvature -2"},
	} {
		if _, err := Diagnose(ctx, c.x, nil, 2, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
	const n = 5000
	x := normal(rand.New(rand.NewPCG(1, 1)), n, 2)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Diagnose(ended, x, nil, 2, DiagnoseOptions{}); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "after 0 of 5000 rows") {
		t.Errorf("ended: %v", err)
	}
	for at, want := range map[int]string{3000: "after 3000 of 5000 rows", n: "diagnosis stopped: "} {
		cell, interrupt := context.WithCancel(ctx)
		seen := &watcher{at: at, then: interrupt}
		if _, err := Diagnose(cell, x, make([]int, n), 2, DiagnoseOptions{Progress: seen}); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), want) || !seen.finished || seen.done != at {
			t.Errorf("ended at %d: %v, %+v", at, err, seen)
		}
	}
	mustPanic(t, "rows", func() { Diagnose(ctx, make([]float32, 3), nil, 2, DiagnoseOptions{}) })
	mustPanic(t, "labels", func() { Diagnose(ctx, make([]float32, 4), []int{1}, 2, DiagnoseOptions{}) })
}

func ExampleDiagnose() {
	x := []float32{1, 0, 1, 0.2, 0, 2, 0.1, 3}
	fmt.Println(Diagnose(context.Background(), x, []int{0, 0, 1, 1}, 2, DiagnoseOptions{}))
	// Output:
	// 4 rows, cosine
	// norms 1.76 ± 0.83 (1 to 3)
	// effective rank 1.3 of 2 · uniformity -1.07 · alignment 0.02
	// distance 0.924 ± 0.58 · within classes 0.115 ± 0.082 · between 1.33 ± 0.075 <nil>
}

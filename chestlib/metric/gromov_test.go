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
)

// slowDelta is the definition, all triples.
func slowDelta(dist []float64, n int) (delta float64) {
	g := func(x, y int) float64 { return (dist[x] + dist[y] - dist[x*n+y]) / 2 }
	for x := range n {
		for y := range n {
			for z := range n {
				delta = max(delta, min(g(x, z), g(z, y))-g(x, y))
			}
		}
	}
	return delta
}

// shortest returns the path lengths of a graph with weights.
func shortest(n int, edges func(add func(a, b int, w float64))) []float64 {
	dist := make([]float64, n*n)
	for at := range dist {
		if at/n != at%n {
			dist[at] = math.Inf(1)
		}
	}
	edges(func(a, b int, w float64) { dist[a*n+b], dist[b*n+a] = w, w })
	for k := range n {
		for i := range n {
			for j := range n {
				dist[i*n+j] = min(dist[i*n+j], dist[i*n+k]+dist[k*n+j])
			}
		}
	}
	return dist
}

func randomDistances(rng *rand.Rand, n int) []float64 {
	dist := make([]float64, n*n)
	for i := range n {
		for j := range i {
			dist[i*n+j] = 1 + rng.Float64()
			dist[j*n+i] = dist[i*n+j]
		}
	}
	return dist
}

// TestGromovAgainstSlowTwin: the same to the last bit as all triples.
func TestGromovAgainstSlowTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 1))
	for _, n := range []int{1, 2, 3, 4, 9, 40} {
		for range 5 {
			whole := randomDistances(rng, n)
			for i := range n { // many ties
				for j := range i {
					whole[i*n+j] = math.Ceil(3 * whole[i*n+j])
					whole[j*n+i] = whole[i*n+j]
				}
			}
			for _, dist := range [][]float64{randomDistances(rng, n), whole} {
				before := slices.Clone(dist)
				h, err := GromovMatrix(ctx, dist, n)
				if err != nil || h.Delta != slowDelta(dist, n) || h.Diameter != slices.Max(dist) {
					t.Fatalf("n %d: %+v (%v), want δ %g", n, h, err, slowDelta(dist, n))
				}
				if !slices.Equal(dist, before) {
					t.Fatal("the distances were changed")
				}
			}
		}
	}
}

// TestGromovKnown: trees, cycles, grids and the plane.
func TestGromovKnown(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	tree := func(add func(a, b int, w float64)) {
		for v := 1; v < 60; v++ {
			add(v, rng.IntN(v), float64(1+rng.IntN(8))/4)
		}
	}
	cycle := func(n int) func(add func(a, b int, w float64)) {
		return func(add func(a, b int, w float64)) {
			for v := range n {
				add(v, (v+1)%n, 1)
			}
		}
	}
	grid := func(side int) func(add func(a, b int, w float64)) {
		return func(add func(a, b int, w float64)) {
			for v := range side * side {
				if v%side+1 < side {
					add(v, v+1, 1)
				}
				if v+side < side*side {
					add(v, v+side, 1)
				}
			}
		}
	}
	complete := func(add func(a, b int, w float64)) {
		for a := range 8 {
			for b := range a {
				add(a, b, 1)
			}
		}
	}
	for _, c := range []struct {
		name  string
		n     int
		edges func(add func(a, b int, w float64))
		delta float64
	}{
		{"tree", 60, tree, 0},
		{"path", 5, func(add func(a, b int, w float64)) {
			for v := range 4 {
				add(v, v+1, 3)
			}
		}, 0},
		{"complete graph", 8, complete, 0},
		{"cycle of 3", 3, cycle(3), 0},
		{"cycle of 4", 4, cycle(4), 1},
		{"cycle of 8", 8, cycle(8), 2},
		{"cycle of 40", 40, cycle(40), 10},
		{"grid 2×2", 4, grid(2), 1},
		{"grid 6×6", 36, grid(6), 5}, // from a corner: opposite corners of one diagonal, seen from the other
	} {
		h, err := GromovMatrix(ctx, shortest(c.n, c.edges), c.n)
		if err != nil || h.Delta != c.delta {
			t.Errorf("%s: δ %g (%v), want %g", c.name, h.Delta, err, c.delta)
		}
		if c.delta == 0 && !math.IsInf(h.Curvature(), 1) {
			t.Errorf("%s: c %g, want +Inf", c.name, h.Curvature())
		}
	}
	square := []float64{0, 1, 1, math.Sqrt2, 1, 0, math.Sqrt2, 1, 1, math.Sqrt2, 0, 1, math.Sqrt2, 1, 1, 0}
	if h, err := GromovMatrix(ctx, square, 4); err != nil || !almost(h.Delta, math.Sqrt2-1) || !almost(h.Relative, 2-math.Sqrt2) {
		t.Errorf("square: %+v (%v), want δ √2-1", h, err)
	}
	if c := CurvatureFromDelta(0.288); !almost(c, 0.25) {
		t.Errorf("c %g of 0.288, want 0.25", c)
	}
}

// TestGromovLaws: units, order of the rows but the first, and bounds.
func TestGromovLaws(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 2))
	const n, d = 70, 4
	x := normal(rng, n, d)
	flat := GromovOptions{Space: Hyperbolic, Flat: true}
	a, err := Gromov(ctx, x, d, flat)
	if err != nil {
		t.Fatal(err)
	}
	if !(a.Relative > 0 && a.Relative < 1) || a.Samples != 1 || a.Sample != n || a.DeltaStd != 0 {
		t.Errorf("%+v", a)
	}
	scaled, turned := slices.Clone(x), slices.Clone(x)
	angle := 0.7
	for i := range n {
		for k := range d {
			scaled[i*d+k] *= 8
		}
		u, v := float64(x[i*d]), float64(x[i*d+1])
		turned[i*d] = float32(math.Cos(angle)*u - math.Sin(angle)*v)
		turned[i*d+1] = float32(math.Sin(angle)*u + math.Cos(angle)*v)
	}
	if b, err := Gromov(ctx, scaled, d, flat); err != nil || !almost(b.Delta, 8*a.Delta) || !almost(b.Relative, a.Relative) {
		t.Errorf("8 times the unit: %+v (%v), was %+v", b, err, a)
	}
	if b, err := Gromov(ctx, turned, d, flat); err != nil || math.Abs(b.Delta-a.Delta) > 1e-6 {
		t.Errorf("turned: %+v (%v), was %+v", b, err, a)
	}
	for _, o := range []GromovOptions{flat, {}, {Space: Hyperbolic, Curvature: 0.3}} {
		dist := make([]float64, n*n)
		for i := range n {
			for j := range n {
				if i == j {
					continue
				}
				v := slowValue(x[i*d:(i+1)*d], x[j*d:(j+1)*d], Options{Space: o.Space, Curvature: o.Curvature, Flat: o.Flat})
				if o.Space == Cosine {
					v = math.Sqrt(2 - 2*v)
				}
				dist[i*n+j] = v
			}
		}
		got, err := Gromov(ctx, x, d, o)
		if want := slowDelta(dist, n); err != nil || math.Abs(got.Delta-want) > 1e-9 || math.Abs(got.Diameter-slices.Max(dist)) > 1e-9 {
			t.Errorf("%v: %+v (%v), want δ %g, diameter %g", o, got, err, want, slices.Max(dist))
		}
	}
	order := rng.Perm(n - 1)
	for i, j := range order {
		copy(turned[(i+1)*d:(i+2)*d], x[(j+1)*d:(j+2)*d])
	}
	copy(turned, x[:d])
	if b, err := Gromov(ctx, turned, d, flat); err != nil || !almost(b.Delta, a.Delta) {
		t.Errorf("rows in another order: %+v (%v), was %+v", b, err, a)
	}
}

// TestGromovSamples: each set is measured on its own; means and deviations are
// theirs, for any number of processors.
func TestGromovSamples(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const n, d = 200, 5
	x := normal(rand.New(rand.NewPCG(4, 4)), n, d)
	o := GromovOptions{Sample: 30, Samples: 4, Seed: 5}
	var want Hyperbolicity
	for _, procs := range []int{1, 2, 5} {
		runtime.GOMAXPROCS(procs)
		got, err := Gromov(ctx, x, d, o)
		if err != nil {
			t.Fatal(err)
		}
		if procs == 1 {
			want = got
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%d processors: %+v, want %+v", procs, got, want)
		}
	}
	var deltas, relatives []float64
	for s := range 4 {
		rows := drawRows(n, 30, 5, s)
		if len(slices.Compact(slices.Sorted(slices.Values(rows)))) != 30 {
			t.Fatalf("sample %d has rows twice: %v", s, rows)
		}
		var part []float32
		for _, i := range rows {
			part = append(part, x[i*d:(i+1)*d]...)
		}
		h, err := Gromov(ctx, part, d, GromovOptions{})
		if err != nil {
			t.Fatal(err)
		}
		deltas, relatives = append(deltas, h.Delta), append(relatives, h.Relative)
	}
	mean, std := meanStd(deltas)
	relative, relativeStd := meanStd(relatives)
	if !almost(want.Delta, mean) || !almost(want.DeltaStd, std) || !almost(want.Relative, relative) || !almost(want.RelativeStd, relativeStd) || std == 0 {
		t.Errorf("%+v, want δ %g ± %g, relative %g ± %g", want, mean, std, relative, relativeStd)
	}
	o.Seed++
	if got, err := Gromov(ctx, x, d, o); err != nil || got.Delta == want.Delta {
		t.Errorf("another seed, the same rows: %+v (%v)", got, err)
	}
	o.Sample = -1
	if got, err := Gromov(ctx, x, d, o); err != nil || got.Sample != n || got.Samples != 1 || got.Delta < want.Delta {
		t.Errorf("all rows: %+v (%v)", got, err)
	}
}

func TestGromovErrors(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		name string
		dist []float64
		want string
	}{
		{"no rows", nil, "no rows"},
		{"negative", []float64{0, -1, -1, 0}, "rows 0 and 1 is -1"},
		{"infinite", []float64{0, 1, inf, 0}, "rows 1 and 0 is +Inf"},
		{"NaN", []float64{math.NaN()}, "rows 0 and 0 is NaN"},
		{"diagonal", []float64{0, 1, 1, 0.5}, "row 1 to itself is 0.5"},
		{"not symmetric", []float64{0, 1, 2, 0}, "rows 0 and 1 is 1 one way and 2 the other"},
	} {
		if _, err := GromovMatrix(ctx, c.dist, int(math.Sqrt(float64(len(c.dist))))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
	for _, c := range []struct {
		name string
		x    []float32
		o    GromovOptions
		want string
	}{
		{"no rows", nil, GromovOptions{}, "no rows"},
		{"NaN", []float32{0, float32(math.NaN())}, GromovOptions{}, "row 0, column 1 is NaN"},
		{"off the ball", []float32{0, 0, 9, 0}, GromovOptions{Space: Hyperbolic}, "row 1 is not on the ball"},
		{"samples", []float32{0, 0}, GromovOptions{Samples: -1}, "-1 samples"},
		{"space", []float32{0, 0}, GromovOptions{Space: 5}, "unknown space 5"},
	} {
		if _, err := Gromov(ctx, c.x, 2, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
	for _, x := range [][]float32{{1, 2}, {1, 2, 1, 2, 1, 2}, {0, 0, 0, 0}} {
		if h, err := Gromov(ctx, x, 2, GromovOptions{}); err != nil || h.Delta != 0 || h.Relative != 0 || h.Diameter != 0 {
			t.Errorf("rows %v: %+v (%v), want 0", x, h, err)
		}
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Gromov(ended, []float32{1, 2}, 2, GromovOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
	if _, err := GromovMatrix(ended, []float64{0}, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("matrix, ended: %v", err)
	}
	cell, interrupt := context.WithCancel(ctx)
	seen := &watcher{at: 250, then: interrupt}
	x := normal(rand.New(rand.NewPCG(1, 1)), 900, 2)
	if _, err := Gromov(cell, x, 2, GromovOptions{Sample: 200, Samples: 3, Progress: seen}); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "sample 2 of 3") || seen.total != 600 || !seen.finished {
		t.Errorf("ended in sample 2: %v, %+v", err, seen)
	}
	mustPanic(t, "matrix", func() { GromovMatrix(ctx, make([]float64, 3), 2) })
	mustPanic(t, "rows", func() { Gromov(ctx, make([]float32, 3), 2, GromovOptions{}) })
}

func ExampleGromovMatrix() {
	// Four corners of a square, seen as a cycle of four steps.
	dist := []float64{
		0, 1, 2, 1,
		1, 0, 1, 2,
		2, 1, 0, 1,
		1, 2, 1, 0,
	}
	h, err := GromovMatrix(context.Background(), dist, 4)
	fmt.Println(h, err)
	// Output: δ 1.000 · 2δ/diameter 1.000 · c 0.021 (4 rows) <nil>
}

func BenchmarkGromov(b *testing.B) {
	const n, d = 1500, 128
	rng := rand.New(rand.NewPCG(1, 1))
	x := normal(rng, n, d)
	clusters := slices.Clone(x)
	for i := range clusters {
		clusters[i] = clusters[i]/4 + x[i/d%50*d+i%d]
	}
	tree := make([]float64, n*n)
	for v := 1; v < n; v++ {
		p := rng.IntN(v)
		for u := range v {
			tree[v*n+u] = tree[p*n+u] + 1
			tree[u*n+v] = tree[v*n+u]
		}
	}
	of := func(x []float32, o GromovOptions) func() (Hyperbolicity, error) {
		o.Sample = -1
		return func() (Hyperbolicity, error) { return Gromov(ctx, x, d, o) }
	}
	for _, c := range []struct {
		name string
		run  func() (Hyperbolicity, error)
	}{
		{"random", of(x, GromovOptions{})},
		{"clusters", of(clusters, GromovOptions{})},
		{"ball", of(clusters, GromovOptions{Space: Hyperbolic, Curvature: 0.01})},
		{"tree", func() (Hyperbolicity, error) { return GromovMatrix(ctx, tree, n) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := c.run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package metric

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/chestlab/chest/kernel/display"
)

var ctx = context.Background()

// Data sets. Coordinates that are few sixteenths make many exact ties.

func normal(rng *rand.Rand, n, d int) []float32 {
	x := make([]float32, n*d)
	for i := range x {
		x[i] = float32(0.3 * rng.NormFloat64())
	}
	return x
}

func grid(rng *rand.Rand, n, d int) []float32 {
	x := make([]float32, n*d)
	for i := range x {
		x[i] = float32(rng.IntN(7)-3) / 16
	}
	return x
}

// twins gives rows that are equal, or differ in the last bits of one entry.
func twins(rng *rand.Rand, n, d int) []float32 {
	x := make([]float32, n*d)
	copy(x, normal(rng, 1, d))
	for i := 1; i < n; i++ {
		copy(x[i*d:], x[:d])
		k := i*d + rng.IntN(d)
		for range rng.IntN(4) {
			x[k] = math.Nextafter32(x[k], 9)
		}
	}
	return x
}

func classes(rng *rand.Rand, n, count int) []int {
	label := make([]int, n)
	for i := range label {
		label[i] = 5 - 3*rng.IntN(count) // any ints will do
	}
	return label
}

func own(_ *rand.Rand, n, _ int) []int {
	label := make([]int, n)
	for i := range label {
		label[i] = i
	}
	return label
}

// dyadic curvature: every score of a grid is exact
var ball = Options{Space: Hyperbolic, Curvature: 0.25}

func TestAgainstSlowTwin(t *testing.T) {
	flat := Options{Space: Hyperbolic, Flat: true}
	farK := Options{Ks: []int{1, 3, 50, 1000}}
	cases := []struct {
		name  string
		data  func(*rand.Rand, int, int) []float32
		label func(*rand.Rand, int, int) []int
		n, d  int
		count int
		o     Options
	}{
		{"random", normal, classes, 70, 5, 6, Options{}},
		{"random, ball", normal, classes, 70, 5, 6, Options{Space: Hyperbolic}},
		{"random, flat", normal, classes, 70, 5, 6, flat},
		{"ties", grid, classes, 70, 2, 6, Options{}},
		{"ties, ball", grid, classes, 70, 2, 6, ball},
		{"ties, flat", grid, classes, 70, 2, 6, flat},
		{"ties in one dimension", grid, classes, 40, 1, 3, Options{}},
		{"ties in one dimension, ball", grid, classes, 40, 1, 3, ball},
		{"one class", grid, classes, 20, 2, 1, Options{}},
		{"few of many classes", grid, classes, 33, 2, 30, Options{}},
		{"every query alone", grid, own, 17, 2, 0, Options{}},
		{"n = 1", grid, classes, 1, 2, 1, Options{}},
		{"n = 2", grid, classes, 2, 2, 1, ball},
		{"K above n", grid, classes, 18, 2, 3, farK},
		{"near-duplicates", twins, classes, 40, 3, 4, Options{}},
		{"near-duplicates, ball", twins, classes, 40, 3, 4, Options{Space: Hyperbolic}},
		{"two classes", normal, classes, 65, 3, 2, farK},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(2) {
				rng := rand.New(rand.NewPCG(seed, 1))
				x, label := c.data(rng, c.n, c.d), c.label(rng, c.n, c.count)
				got, err := Retrieval(ctx, x, label, c.d, c.o)
				if err != nil {
					t.Fatal(err)
				}
				same(t, got, slowMeasure(x, label, x, label, c.d, true, c.o))
				checkNeighbours(t, x, c.d, 5, c.o)

				q, qlabel := c.data(rng, 19, c.d), c.label(rng, 19, max(c.count, 1)+1)
				got, err = QueryGallery(ctx, q, qlabel, x, label, c.d, c.o)
				if err != nil {
					t.Fatal(err)
				}
				same(t, got, slowMeasure(q, qlabel, x, label, c.d, false, c.o))
			}
		})
	}
}

func same(t *testing.T, got, want Result) {
	t.Helper()
	ok := got.Queries == want.Queries && got.Lone == want.Lone && reflect.DeepEqual(got.Ks, want.Ks) &&
		almost(got.RPrecision, want.RPrecision) && almost(got.MAPR, want.MAPR)
	for i := range want.Recall {
		ok = ok && almost(got.Recall[i], want.Recall[i])
	}
	if !ok {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
}

func almost(a, b float64) bool { return math.Abs(a-b) <= 1e-12 }

func checkNeighbours(t *testing.T, x []float32, d, k int, o Options) {
	t.Helper()
	rows, values, err := Neighbours(ctx, x, d, k, o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(x) / d {
		order := slowOrder(x[i*d:(i+1)*d], x, d, i, o)
		for r := range k {
			row, value := rows[i*k+r], values[i*k+r]
			if r >= len(order) {
				if row != -1 || !math.IsNaN(value) {
					t.Fatalf("hit %d of row %d is %d, %g; want none", r, i, row, value)
				}
				continue
			}
			j := order[r]
			want := slowValue(x[i*d:(i+1)*d], x[j*d:(j+1)*d], o)
			if row != j || math.Abs(value-want) > 1e-9 {
				t.Fatalf("hit %d of row %d is %d with %.12g, want %d with %.12g", r, i, row, value, j, want)
			}
		}
	}
}

// slowValue is the cosine or the distance by its textbook formula.
func slowValue(x, y []float32, o Options) float64 {
	var p, a, b, dd float64
	for k := range x {
		u, v := float64(x[k]), float64(y[k])
		p, a, b, dd = p+u*v, a+u*u, b+v*v, dd+(u-v)*(u-v)
	}
	if o.Space == Cosine {
		if a == 0 || b == 0 {
			return 0
		}
		return p / math.Sqrt(a*b)
	}
	c := o.Curvature
	switch {
	case o.Flat:
		return 2 * math.Sqrt(dd)
	case c == 0:
		c = 0.1
	}
	z := c * dd / ((1 - c*a) * (1 - c*b))
	return 2 / math.Sqrt(c) * math.Log(math.Sqrt(z)+math.Sqrt(1+z))
}

// TestLaws: bounds, order in K, and what must not change the result.
func TestLaws(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	x, label := normal(rng, 90, 4), classes(rng, 90, 9)
	ks := []int{1, 2, 5, 20, 89}
	r, err := Retrieval(ctx, x, label, 4, Options{Ks: ks})
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < len(ks); i++ {
		if r.Recall[i] < r.Recall[i-1] {
			t.Errorf("Recall falls with K: %v", r.Recall)
		}
	}
	if !(0 < r.MAPR && r.MAPR <= r.RPrecision && r.RPrecision < 1) || r.Recall[4] != 1 {
		t.Errorf("out of bounds: %v", r)
	}
	scaled, renamed := append([]float32(nil), x...), append([]int(nil), label...)
	for i := range label {
		renamed[i] = 1000 - 7*label[i]
		for k := range 4 {
			scaled[i*4+k] *= float32(int(1) << (i % 5))
		}
	}
	if s, err := Retrieval(ctx, scaled, renamed, 4, Options{Ks: ks}); err != nil || !reflect.DeepEqual(r, s) {
		t.Errorf("scaled rows, renamed classes: %v (%v), want %v", s, err, r)
	}
	for i := range x { // classes far apart
		x[i] *= 1e-3
		if i%4 == 0 {
			x[i] += float32(math.Cos(float64(label[i/4])))
		}
		if i%4 == 1 {
			x[i] += float32(math.Sin(float64(label[i/4])))
		}
	}
	for _, o := range []Options{{}, {Space: Hyperbolic}} {
		if r, err := Retrieval(ctx, x, label, 4, o); err != nil || r.At(1) != 1 || !almost(r.RPrecision, 1) || !almost(r.MAPR, 1) {
			t.Errorf("separate classes, %v: %v (%v), want all 100", o.Space, r, err)
		}
	}
}

// TestSameBits: the result does not depend on the number of processors.
func TestSameBits(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	rng := rand.New(rand.NewPCG(9, 9))
	x, label := normal(rng, 300, 7), classes(rng, 300, 40)
	var want Result
	var wantRows []int
	for _, procs := range []int{1, 2, 3, 8} {
		runtime.GOMAXPROCS(procs)
		got, err := Retrieval(ctx, x, label, 7, Options{Space: Hyperbolic})
		if err != nil {
			t.Fatal(err)
		}
		rows, _, err := Neighbours(ctx, x, 7, 20, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if procs == 1 {
			want, wantRows = got, rows
		}
		if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(rows, wantRows) {
			t.Errorf("%d processors: %+v, want %+v", procs, got, want)
		}
	}
}

// TestStops: an ended context is an error, and one that ends on the way stops
// the work at the next block.
func TestStops(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	const n = 50 * blockRows
	x, label := normal(rng, n, 2), classes(rng, n, 3)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Retrieval(ended, x, label, 2, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("retrieval: error %v, want context canceled", err)
	}
	if _, _, err := Neighbours(ended, x, 2, 3, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("neighbours: error %v, want context canceled", err)
	}

	// the context of a cell that is interrupted, after which another cell runs
	cell, interrupt := context.WithCancel(ctx)
	display.SetContext(cell)
	defer display.SetContext(context.Background())
	seen := &watcher{at: blockRows, then: func() {
		interrupt()
		display.SetContext(ctx)
	}}
	_, err := Retrieval(display.Context(), x, label, 2, Options{Progress: seen})
	if !errors.Is(err, context.Canceled) || seen.done > (1+runtime.GOMAXPROCS(0))*blockRows {
		t.Errorf("interrupted after %d of %d queries: %d done, error %v", blockRows, n, seen.done, err)
	}
	if !seen.finished || seen.total != n {
		t.Errorf("progress: total %d, finished %v", seen.total, seen.finished)
	}
}

// watcher is a Progress that calls then when it is told of at queries.
type watcher struct {
	total, done, at int
	finished        bool
	then            func()
}

func (w *watcher) Start(total int, _ string) { w.total = total }
func (w *watcher) Finish(string)             { w.finished = true }
func (w *watcher) Set(done int, _ string) {
	w.done = done
	if done >= w.at && w.then != nil {
		w.then()
		w.then = nil
	}
}

func TestBadData(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	cases := []struct {
		name string
		x    []float32
		o    Options
		want string
	}{
		{"NaN", []float32{1, 2, 3, nan}, Options{}, "row 1, column 1 is NaN"},
		{"infinite", []float32{1, 2, inf, 0}, Options{}, "row 1, column 0 is -Inf"},
		{"outside the ball", []float32{0, 0, 3, 2}, Options{Space: Hyperbolic}, "row 1 is not on the ball"},
		{"on the boundary", []float32{0, 0, 0, 2}, ball, "row 1 is not on the ball: c‖x‖² = 1"},
		{"no rows", nil, Options{}, "0 queries"},
		{"K = 0", []float32{1, 2}, Options{Ks: []int{1, 0}}, "Recall@0"},
		{"curvature", []float32{1, 2}, Options{Curvature: -1}, "curvature -1"},
		{"NaN curvature", []float32{1, 2}, Options{Curvature: math.NaN()}, "curvature NaN"},
		{"space", []float32{1, 2}, Options{Space: 7}, "unknown space 7"},
	}
	for _, c := range cases {
		label := make([]int, len(c.x)/2)
		if _, err := Retrieval(ctx, c.x, label, 2, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
		if _, err := QueryGallery(ctx, []float32{0, 0}, []int{1}, c.x, label, 2, c.o); err == nil {
			t.Errorf("%s: no error for the gallery", c.name)
		}
		if _, err := QueryGallery(ctx, c.x, label, []float32{0, 0}, []int{1}, 2, c.o); err == nil {
			t.Errorf("%s: no error for the queries", c.name)
		}
	}
	if rows, values, err := Neighbours(ctx, nil, 2, 3, Options{}); err != nil || len(rows)+len(values) != 0 {
		t.Errorf("neighbours of nothing: %v %v %v", rows, values, err)
	}
}

func TestPanics(t *testing.T) {
	cases := []struct {
		name string
		call func()
	}{
		{"short x", func() { Retrieval(ctx, make([]float32, 5), make([]int, 3), 2, Options{}) }},
		{"d = 0", func() { Retrieval(ctx, nil, nil, 0, Options{}) }},
		{"short gallery", func() {
			QueryGallery(ctx, make([]float32, 2), []int{1}, make([]float32, 5), make([]int, 3), 2, Options{})
		}},
		{"ragged rows", func() { Neighbours(ctx, make([]float32, 5), 2, 1, Options{}) }},
		{"no neighbours", func() { Neighbours(ctx, make([]float32, 4), 2, 0, Options{}) }},
		{"At of another K", func() { Result{Ks: []int{1}, Recall: []float64{1}}.At(2) }},
	}
	for _, c := range cases {
		func() {
			defer func() {
				if msg, ok := recover().(string); !ok || !strings.HasPrefix(msg, "metric: ") {
					t.Errorf("%s: panic %q, want one that starts with metric:", c.name, msg)
				}
			}()
			c.call()
		}()
	}
}

func ExampleRetrieval() {
	// Two clear classes, one item on the wrong side, one class of a single item.
	x := []float32{
		1, 0,
		1, 0.1,
		1, 0.2,
		0, 1,
		0.1, 1,
		1, 0.3, // of class 1
		-1, -1, // of class 2
	}
	label := []int{0, 0, 0, 1, 1, 1, 2}
	r, err := Retrieval(context.Background(), x, label, 2, Options{Ks: []int{1, 2, 5}})
	fmt.Println(r, err)
	fmt.Printf("%.3f\n", r.At(5))
	// Output:
	// R@1 57.1 · R@2 71.4 · R@5 85.7 · R-Precision 75.0 · MAP@R 70.8 (7 queries, 1 lone) <nil>
	// 0.857
}

func BenchmarkRetrieval(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	const n, d = 3000, 128
	x, label := normal(rng, n, d), classes(rng, n, 100)
	for i := range x {
		x[i] *= 0.1
	}
	for _, o := range []Options{{}, {Space: Hyperbolic}} {
		b.Run(o.Space.String(), func(b *testing.B) {
			for b.Loop() {
				if _, err := Retrieval(ctx, x, label, d, o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

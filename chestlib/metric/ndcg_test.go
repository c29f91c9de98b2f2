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

// slowNDCG sorts every gallery in full, once by score and once by relevance.
func slowNDCG(q []float32, qlabel []int, g []float32, glabel []int, d int, self bool, o NDCGOptions) NDCGResult {
	r := NDCGResult{Ks: o.Ks, NDCG: make([]float64, len(o.Ks)), Queries: len(qlabel)}
	for i, class := range qlabel {
		skip := -1
		if self {
			skip = i
		}
		var gain []float64
		for _, j := range slowOrder(q[i*d:(i+1)*d], g, d, skip, Options{Space: o.Space, Curvature: o.Curvature, Flat: o.Flat}) {
			rel := 0.0
			if o.Relevance != nil {
				rel = o.Relevance(class, glabel[j])
			} else if glabel[j] == class {
				rel = 1
			}
			gain = append(gain, rel)
		}
		best := slices.Clone(gain)
		slices.Sort(best)
		slices.Reverse(best)
		if len(best) == 0 || best[0] == 0 {
			r.Lone++
			continue
		}
		for t, k := range o.Ks {
			var dcg, idcg float64
			for at := range min(k, len(gain)) {
				dcg += gain[at] / math.Log2(float64(at+2))
				idcg += best[at] / math.Log2(float64(at+2))
			}
			r.NDCG[t] += dcg / idcg
		}
	}
	for t := range r.NDCG {
		if n := r.Queries - r.Lone; n > 0 {
			r.NDCG[t] /= float64(n)
		}
	}
	return r
}

func sameNDCG(t *testing.T, got, want NDCGResult) {
	t.Helper()
	ok := got.Queries == want.Queries && got.Lone == want.Lone && slices.Equal(got.Ks, want.Ks)
	for i := range want.NDCG {
		ok = ok && almost(got.NDCG[i], want.NDCG[i])
	}
	if !ok {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}

func TestNDCGAgainstSlowTwin(t *testing.T) {
	graded := func(a, b int) float64 { return math.Exp2(max(0, 3-math.Abs(float64(a-b))/3)) - 1 } // labels are 3 apart
	for _, c := range []struct {
		name  string
		data  func(*rand.Rand, int, int) []float32
		label func(*rand.Rand, int, int) []int
		n, d  int
		count int
		o     NDCGOptions
	}{
		{"random", normal, classes, 60, 4, 6, NDCGOptions{}},
		{"ball", normal, classes, 60, 4, 6, NDCGOptions{Space: Hyperbolic}},
		{"flat", normal, classes, 60, 4, 6, NDCGOptions{Space: Hyperbolic, Flat: true}},
		{"ties", grid, classes, 60, 2, 6, NDCGOptions{}},
		{"ties, ball", grid, classes, 60, 2, 6, NDCGOptions{Space: Hyperbolic, Curvature: 0.25}},
		{"graded", normal, classes, 60, 4, 9, NDCGOptions{Relevance: graded}},
		{"graded ties", grid, classes, 60, 2, 9, NDCGOptions{Relevance: graded, Space: Hyperbolic, Curvature: 0.25}},
		{"near-duplicates", twins, classes, 40, 3, 4, NDCGOptions{}},
		{"all alone", normal, own, 20, 3, 0, NDCGOptions{}},
		{"some alone", normal, classes, 20, 3, 15, NDCGOptions{}},
		{"one class", normal, classes, 20, 3, 1, NDCGOptions{}},
		{"one item", normal, classes, 1, 3, 1, NDCGOptions{}},
		{"nothing relevant", normal, classes, 9, 3, 2, NDCGOptions{Relevance: func(a, b int) float64 { return 0 }}},
	} {
		t.Run(c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(2, 9))
			x, label := c.data(rng, c.n, c.d), c.label(rng, c.n, c.count)
			c.o.Ks = []int{5, 1, 30, 1000}
			got, err := NDCG(ctx, x, label, c.d, c.o)
			if err != nil {
				t.Fatal(err)
			}
			sameNDCG(t, got, slowNDCG(x, label, x, label, c.d, true, c.o))
			q, qlabel := c.data(rng, 17, c.d), c.label(rng, 17, max(c.count, 1)+1)
			got, err = QueryGalleryNDCG(ctx, q, qlabel, x, label, c.d, c.o)
			if err != nil {
				t.Fatal(err)
			}
			sameNDCG(t, got, slowNDCG(q, qlabel, x, label, c.d, false, c.o))
		})
	}
}

// TestNDCGByHand: on a line, the order can be read off.
func TestNDCGByHand(t *testing.T) {
	x := []float32{0, 1, 2.5, 4.5}
	label := []int{1, 2, 1, 1}
	flat := NDCGOptions{Ks: []int{1, 2, 3}, Space: Hyperbolic, Flat: true}
	// from 0: 2 1 1;  from 1: lone;  from 2.5: 2 1 1;  from 4.5: 1 2 1
	half := 1 / math.Log2(3)
	ideal := 1 + half
	want := []float64{1. / 3, (half + half + 1) / ideal / 3, (2*(half+0.5) + 1.5) / ideal / 3}
	got, err := NDCG(ctx, x, label, 1, flat)
	if err != nil || got.Lone != 1 || !almost(got.At(1), want[0]) || !almost(got.At(2), want[1]) || !almost(got.At(3), want[2]) {
		t.Errorf("%+v (%v), want %v", got, err, want)
	}
	// nDCG@1 with binary relevance is Recall@1 of the queries that are not lone
	r, err := Retrieval(ctx, x, label, 1, Options{Ks: []int{1}, Space: Hyperbolic, Flat: true})
	if err != nil || !almost(got.At(1)*3, r.At(1)*4) {
		t.Errorf("nDCG@1 %g of 3, Recall@1 %g of 4", got.At(1), r.At(1))
	}
	mustPanic(t, "At", func() { got.At(4) })
	mustPanic(t, "shape", func() { NDCG(ctx, x, label, 2, flat) })
}

// TestNDCGTaxonomy: the depth of the common ancestor as relevance.
func TestNDCGTaxonomy(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	const n, d = 50, 3
	x, tree := normal(rng, n, d), randomTaxonomy(t, rng, n)
	o := NDCGOptions{Ks: []int{1, 7}, Relevance: tree.Relevance}
	got, err := NDCG(ctx, x, tree.Finest(), d, o)
	if err != nil {
		t.Fatal(err)
	}
	sameNDCG(t, got, slowNDCG(x, tree.Finest(), x, tree.Finest(), d, true, o))
	flat, err := NDCG(ctx, x, tree.Finest(), d, NDCGOptions{Ks: []int{1, 7}})
	if err != nil || almost(flat.At(7), got.At(7)) {
		t.Errorf("graded and binary are the same: %v, %v (%v)", got, flat, err)
	}
}

func TestNDCGBits(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	rng := rand.New(rand.NewPCG(3, 7))
	x, label := normal(rng, 400, 5), classes(rng, 400, 11)
	var want NDCGResult
	for _, procs := range []int{1, 2, 5} {
		runtime.GOMAXPROCS(procs)
		got, err := NDCG(ctx, x, label, 5, NDCGOptions{Space: Hyperbolic})
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
	if !slices.Equal(want.Ks, []int{1, 10, 100}) {
		t.Errorf("default K %v", want.Ks)
	}
}

func TestNDCGErrors(t *testing.T) {
	x, label := []float32{1, 2, 3, 5}, []int{0, 1, 0, 1}
	tree, err := NewTaxonomy([]int{0, 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		x     []float32
		label []int
		o     NDCGOptions
		want  string
	}{
		{"K = 0", x, label, NDCGOptions{Ks: []int{3, 0}}, "nDCG@0"},
		{"negative", x, label, NDCGOptions{Relevance: func(a, b int) float64 { return -1 }}, "relevance of class 0 to class 0 is -1"},
		{"NaN", x, label, NDCGOptions{Relevance: func(a, b int) float64 { return math.NaN() }}, "is NaN"},
		{"panic", x, []int{0, 1, 2, 0}, NDCGOptions{Relevance: tree.Relevance}, "no item has one of them"},
		{"NaN row", []float32{1, float32(math.NaN())}, []int{1, 1}, NDCGOptions{}, "row 1, column 0 is NaN"},
		{"off the ball", []float32{0, 5}, []int{1, 1}, NDCGOptions{Space: Hyperbolic}, "row 1 is not on the ball"},
		{"no rows", nil, nil, NDCGOptions{}, "0 queries"},
		{"space", x, label, NDCGOptions{Space: 9}, "unknown space"},
	} {
		if _, err := NDCG(ctx, c.x, c.label, 1, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
		if _, err := QueryGalleryNDCG(ctx, []float32{1}, []int{0}, c.x, c.label, 1, c.o); err == nil {
			t.Errorf("%s: no error for the gallery", c.name)
		}
	}
	if r, err := NDCG(ctx, x, label, 1, NDCGOptions{Ks: []int{}}); err != nil || len(r.NDCG) != 0 || r.Lone != 0 {
		t.Errorf("no K: %+v (%v)", r, err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := NDCG(ended, x, label, 1, NDCGOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
}

func ExampleNDCG() {
	x := []float32{1, 0, 1, 0.1, 1, 0.3, 0, 1, 0.1, 1}
	species := []int{0, 1, 0, 2, 2}
	tree, err := NewTaxonomy([]int{0, 0, 0, 1, 1}, species)
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	fmt.Println(NDCG(ctx, x, species, 2, NDCGOptions{Ks: []int{1, 2}}))
	fmt.Println(NDCG(ctx, x, species, 2, NDCGOptions{Ks: []int{1, 2}, Relevance: tree.Relevance}))
	// Output:
	// nDCG@1 50.0 · nDCG@2 81.5 (5 queries, 1 lone) <nil>
	// nDCG@1 80.0 · nDCG@2 94.4 (5 queries) <nil>
}

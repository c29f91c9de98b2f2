package metric

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// randomTaxonomy has three levels, each class of one with up to three below.
func randomTaxonomy(t *testing.T, rng *rand.Rand, n int) *Taxonomy {
	t.Helper()
	top, middle, fine := make([]int, n), make([]int, n), make([]int, n)
	for i := range n {
		top[i] = rng.IntN(3)
		middle[i] = 10*top[i] + rng.IntN(3)
		fine[i] = -(10*middle[i] + rng.IntN(3))
	}
	tree, err := NewTaxonomy(top, middle, fine)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestHierarchyAgainstSlowTwin(t *testing.T) {
	for _, o := range []Options{{}, {Space: Hyperbolic}, {Space: Hyperbolic, Flat: true}} {
		rng := rand.New(rand.NewPCG(5, 2))
		const n, d = 80, 3
		x, tree := normal(rng, n, d), randomTaxonomy(t, rng, n)
		got, err := Hierarchy(ctx, x, tree, d, o)
		if err != nil {
			t.Fatal(err)
		}
		levels, mean, total := make([]float64, 3), 0.0, 0.0
		for i := range n {
			j := slowOrder(x[i*d:(i+1)*d], x, d, i, o)[0]
			depth := 0
			for l, column := range tree.Levels {
				if column[i] == column[j] {
					levels[l]++
					depth++
				}
			}
			mean += float64(depth) / n
		}
		for l := range levels {
			total += got.Recall[l]
			if !almost(got.Recall[l], levels[l]/n) {
				t.Errorf("%v: level %d: %g, want %g", o.Space, l, got.Recall[l], levels[l]/n)
			}
			r, err := Retrieval(ctx, x, tree.Levels[l], d, Options{Ks: []int{1}, Space: o.Space, Flat: o.Flat})
			if err != nil || !almost(r.At(1), got.Recall[l]) || r.Lone != got.Lone[l] {
				t.Errorf("%v: level %d: %g, %d lone; retrieval has %v (%v)", o.Space, l, got.Recall[l], got.Lone[l], r, err)
			}
		}
		if !almost(got.MeanLevel, mean) || !almost(got.MeanLevel, total) || got.Queries != n {
			t.Errorf("%v: mean level %g, want %g, the sum %g", o.Space, got.MeanLevel, mean, total)
		}
	}
}

func TestTaxonomy(t *testing.T) {
	tree, err := NewTaxonomy([]int{0, 0, 0, 1}, []int{5, 5, 6, 7}, []int{1, 2, 3, 4})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][3]int{{1, 1, 3}, {1, 2, 2}, {2, 1, 2}, {1, 3, 1}, {1, 4, 0}, {4, 4, 3}} {
		if got := tree.Depth(c[0], c[1]); got != c[2] || tree.Relevance(c[0], c[1]) != float64(c[2]) {
			t.Errorf("depth of %d and %d is %d, want %d", c[0], c[1], got, c[2])
		}
	}
	mustPanic(t, "unknown class", func() { tree.Depth(1, 9) })
	mustPanic(t, "lengths", func() { NewTaxonomy([]int{1}, []int{1, 2}) })
	if _, err := NewTaxonomy(); err == nil {
		t.Error("no error for no level")
	}
	if _, err := NewTaxonomy([]int{0, 1, 1}, []int{4, 5, 4}); err == nil || !strings.Contains(err.Error(), "class 4 of level 1 is part of class 0 at item 0 and of class 1 at item 2") {
		t.Errorf("two parents: %v", err)
	}
}

func TestHierarchyEdges(t *testing.T) {
	one, err := NewTaxonomy([]int{3}, []int{4})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := Hierarchy(ctx, []float32{1, 2}, one, 2, Options{}); err != nil || !slices.Equal(r.Recall, []float64{0, 0}) || r.MeanLevel != 0 || !slices.Equal(r.Lone, []int{1, 1}) {
		t.Errorf("one item: %+v (%v)", r, err)
	}
	none, err := NewTaxonomy([]int{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Hierarchy(ctx, nil, none, 2, Options{}); err == nil {
		t.Error("no error for no items")
	}
	if _, err := Hierarchy(ctx, []float32{1, float32(math.NaN())}, one, 2, Options{}); err == nil || !strings.Contains(err.Error(), "row 0, column 1 is NaN") {
		t.Errorf("NaN: %v", err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Hierarchy(ended, []float32{1, 2}, one, 2, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
	mustPanic(t, "shape", func() { Hierarchy(ctx, []float32{1}, one, 2, Options{}) })
}

func ExampleHierarchy() {
	order := []int{0, 0, 0, 0, 1, 1}
	species := []int{0, 0, 1, 1, 2, 2}
	tree, err := NewTaxonomy(order, species)
	if err != nil {
		panic(err)
	}
	tree.Names = []string{"order", "species"}
	x := []float32{1, 0, 1, 0.2, 1, 0.1, 1, 0.35, -1, 0, -1, 0.1}
	fmt.Println(Hierarchy(context.Background(), x, tree, 2, Options{}))
	// Output: R@1 order 100.0 · species 33.3 · mean level 1.33 of 2 (6 queries) <nil>
}

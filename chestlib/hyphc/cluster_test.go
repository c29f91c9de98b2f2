package hyphc

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// families are rows in k groups of directions that are far apart.
func families(k, each int) (*Rows, []int) {
	rng := newRand(41)
	var x []float32
	var label []int
	for i := range k * each {
		row := make([]float32, k)
		for j := range row {
			row[j] = float32(0.1 * rng.NormFloat64())
		}
		row[i%k]++
		x, label = append(x, row...), append(label, i%k)
	}
	r, err := Cosine(x, k)
	if err != nil {
		panic(err)
	}
	return r, label
}

// TestClusterFamilies: families come out whole, at no more cost than average
// linkage allows for, and what is returned belongs together.
func TestClusterFamilies(t *testing.T) {
	w, label := families(4, 10)
	for _, d := range []int{2, 3} {
		c, err := Cluster(context.Background(), w, Options{Dim: d, Epochs: 10, AnnealEvery: 2})
		if err != nil {
			t.Fatal(err)
		}
		if p, err := c.Tree.Purity(label); err != nil || p < 0.999 {
			t.Errorf("Dim %d: purity %g, %v", d, p, err)
		}
		if cut := c.Tree.Cut(4); !slices.Equal(cut, label) {
			t.Errorf("Dim %d: clusters %v, want %v", d, cut, label)
		}
		average, err := Linkage(context.Background(), w, Average)
		if err != nil {
			t.Fatal(err)
		}
		if bar, err := average.Cost(context.Background(), w); err != nil || c.Cost > 1.01*bar {
			t.Errorf("Dim %d: cost %g, average linkage %g, %v", d, c.Cost, bar, err)
		}
		if got, err := c.Tree.Cost(context.Background(), w); err != nil || got != c.Cost {
			t.Errorf("Dim %d: the tree costs %g, not %g", d, got, c.Cost)
		}
		again, err := Decode(context.Background(), c.Points, c.Dim)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := again.Cost(context.Background(), w); err != nil || !closeTo(got, c.Cost, 1e-12) {
			t.Errorf("Dim %d: the points decode to cost %g, not %g", d, got, c.Cost)
		}
		if len(c.Loss) != 10 || c.Step < 1 || !closeTo(math.Sqrt(squaredDifference(c.Points[:d], c.Points[:d], 0)), c.Radius, 1e-12) {
			t.Errorf("Dim %d: %d losses, step %d, radius %g", d, len(c.Loss), c.Step, c.Radius)
		}
	}
}

// TestClusterAnyThreads: the same bits for any number of processors, with
// batches of many tasks; another seed gives others.
func TestClusterAnyThreads(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	w := testRows(40, 5)
	o := Options{Epochs: 3, Triplets: 9000, Batch: 3000, Every: 1, Seed: 1}
	first := make(map[string]*Clustering)
	for _, procs := range []int{1, 2, 5} {
		runtime.GOMAXPROCS(procs)
		for name, s := range map[string]Similarities{"rows": w, "pairs": asked{w}} {
			c, err := Cluster(context.Background(), s, o)
			if err != nil {
				t.Fatal(err)
			}
			if procs == 1 {
				first[name] = c
			}
			if one := first[name]; !slices.Equal(c.Points, one.Points) || !slices.Equal(c.Loss, one.Loss) || c.Cost != one.Cost {
				t.Errorf("%s, %d processors: cost %v, losses %v, with one %v, %v", name, procs, c.Cost, c.Loss, one.Cost, one.Loss)
			}
		}
	}
	o.Seed = 2
	other, err := Cluster(context.Background(), w, o)
	if err != nil || slices.Equal(other.Points, first["rows"].Points) {
		t.Errorf("another seed gives the same points: %v", err)
	}
}

// TestClusterLarge: more leaves than are copied, whose similarities are asked for.
func TestClusterLarge(t *testing.T) {
	w := testRows(denseUpTo+1, 4)
	c, err := Cluster(context.Background(), w, Options{Epochs: 1, Triplets: 20000, Every: 3})
	if err != nil || c.Tree.Len() != denseUpTo+1 {
		t.Fatal(err)
	}
	if _, err := Cluster(context.Background(), broken{w}, Options{Epochs: 1, Triplets: 20000}); err == nil || !strings.Contains(err.Error(), "similarity of leaves 7 and 0 is NaN") {
		t.Errorf("NaN among many: %v", err)
	}
}

// broken has no similarities to leaf 7.
type broken struct{ *Rows }

func (b broken) At(i, j int) float64 {
	if i == 7 || j == 7 {
		return math.NaN()
	}
	return b.Rows.At(i, j)
}

func TestClusterFew(t *testing.T) {
	for n := range 4 {
		c, err := Cluster(context.Background(), testRows(n, 3), Options{Epochs: 2})
		if err != nil {
			t.Fatal(err)
		}
		if c.Tree.Len() != n || len(c.Points) != 2*n || (n < 3) != (c.Step == 0) {
			t.Errorf("%d leaves: tree of %d, %d coordinates, step %d", n, c.Tree.Len(), len(c.Points), c.Step)
		}
	}
	// all alike: every tree costs the same
	c, err := Cluster(context.Background(), constantly(0.5), Options{Epochs: 2})
	if want := 0.5 * float64(9*9*9-9) * 2 / 3; err != nil || !closeTo(c.Cost, want, 1e-12) {
		t.Errorf("all alike: %v, cost %g, want %g", err, c.Cost, want)
	}
	// copies of one row
	x := slices.Repeat([]float32{1, 2}, 5)
	w, err := Cosine(x, 2)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = Cluster(context.Background(), w, Options{Epochs: 2}); err != nil || c.Tree.Len() != 5 {
		t.Errorf("copies: %v", err)
	}
}

func TestClusterRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
		w    Similarities
		want string
	}{
		{"Dim", Options{Dim: 1}, constantly(1), "Dim is 1: want at least 2"},
		{"Epochs", Options{Epochs: -1}, constantly(1), "Epochs is -1"},
		{"Triplets", Options{Triplets: -1}, constantly(1), "Triplets is -1"},
		{"Batch", Options{Batch: -1}, constantly(1), "Batch is -1"},
		{"Rate", Options{Rate: math.NaN()}, constantly(1), "Rate is NaN: want a positive number"},
		{"Temperature", Options{Temperature: math.Inf(1)}, constantly(1), "Temperature is +Inf"},
		{"Anneal", Options{Anneal: 2}, constantly(1), "Anneal is 2: want above 0, up to 1"},
		{"Init", Options{Init: 0.8}, constantly(1), "Init is 0.8"},
		{"Every", Options{Every: -1}, constantly(1), "Every is -1"},
		{"NaN", Options{}, constantly(math.NaN()), "similarity of leaves 1 and 0 is NaN: want a finite number"},
		{"large", Options{}, constantly(math.MaxFloat64), "too large"},
	} {
		if _, err := Cluster(context.Background(), c.w, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

// watcher is a Progress that calls then when it is first told of work done.
type watcher struct {
	total, done int
	finished    bool
	then        func()
}

func (w *watcher) Start(total int, _ string) { w.total = total }
func (w *watcher) Finish(string)             { w.finished = true }
func (w *watcher) Set(done int, _ string) {
	w.done = done
	if w.then != nil {
		w.then()
	}
}

func TestClusterStops(t *testing.T) {
	seen := &watcher{}
	if _, err := Cluster(context.Background(), testRows(10, 3), Options{Epochs: 2, Progress: seen}); err != nil || seen.done != seen.total || !seen.finished {
		t.Errorf("%d of %d, finished %v, %v", seen.done, seen.total, seen.finished, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	seen = &watcher{then: cancel}
	_, err := Cluster(ctx, testRows(10, 3), Options{Progress: seen})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "stopped in epoch 1 of 50, step 10, with a tree of cost ") || !seen.finished || seen.done >= seen.total {
		t.Errorf("stopped: %v after %d of %d", err, seen.done, seen.total)
	}
	tree := randomTree(newRand(1), 50, false)
	if _, err := tree.Cost(ctx, asked{testRows(50, 2)}); !errors.Is(err, context.Canceled) {
		t.Errorf("cost: %v", err)
	}
}

func ExampleCluster() {
	names := []string{"sparrow", "eagle", "carp", "trout", "horse"}
	w, err := Standardised([]float64{ // feathers, wings, fins, lives in water, legs
		1, 1, 0, 0, 2,
		1, 1, 0, 0, 2,
		0, 0, 1, 1, 0,
		0, 0, 1, 1, 0,
		0, 0, 0, 0, 4,
	}, 5)
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := Cluster(context.Background(), w, Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, kind := range c.Tree.Cut(3) {
		fmt.Println(kind, names[i])
	}
	purity, _ := c.Tree.Purity([]int{0, 0, 1, 1, 2})
	fmt.Printf("purity %.2f\n", purity)
	// Output:
	// 0 sparrow
	// 0 eagle
	// 1 carp
	// 1 trout
	// 2 horse
	// purity 1.00
}

func ExampleTree_Newick() {
	tree, err := NewTree(3, []Merge{{A: 0, B: 1, Height: 1}, {A: 3, B: 2, Height: 3.5}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(tree.Newick([]string{"ant", "bee", "sea horse"}))
	// Output: ((ant:1,bee:1):2.5,'sea horse':3.5);
}

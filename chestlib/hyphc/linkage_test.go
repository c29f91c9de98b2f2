package hyphc

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

// naive merges the two nearest clusters, by the definition of the distance,
// looking at all pairs of clusters each time.
func naive(n int, distance func(a, b []int) float64) []Merge {
	type cluster struct {
		node   int
		leaves []int
	}
	var left []cluster
	for i := range n {
		left = append(left, cluster{i, []int{i}})
	}
	var merges []Merge
	for len(left) > 1 {
		x, y, far := 0, 0, math.Inf(1)
		for j := range left {
			for i := range j {
				if d := distance(left[i].leaves, left[j].leaves); d < far {
					x, y, far = i, j, d
				}
			}
		}
		merges = append(merges, Merge{left[x].node, left[y].node, far})
		left[x] = cluster{n + len(merges) - 1, append(left[x].leaves, left[y].leaves...)}
		left = slices.Delete(left, y, y+1)
	}
	return merges
}

// definition returns the distance of clusters by definition.
func definition(m Method, far func(i, j int) float64) func(a, b []int) float64 {
	sums := func(a, b []int, f func(d float64) float64) (sum float64) {
		for _, i := range a {
			for _, j := range b {
				sum += f(far(i, j))
			}
		}
		return sum
	}
	return func(a, b []int) float64 {
		na, nb := float64(len(a)), float64(len(b))
		switch m {
		case Average:
			return sums(a, b, func(d float64) float64 { return d }) / (na * nb)
		case Ward:
			square := func(d float64) float64 { return d * d }
			apart := sums(a, b, square)/(na*nb) - sums(a, a, square)/(2*na*na) - sums(b, b, square)/(2*nb*nb)
			return math.Sqrt(max(0, 2*na*nb/(na+nb)*apart))
		}
		least, largest := math.Inf(1), 0.0
		for _, i := range a {
			for _, j := range b {
				least, largest = min(least, far(i, j)), max(largest, far(i, j))
			}
		}
		if m == Single {
			return least
		}
		return largest
	}
}

// sameTree says whether two trees have the same sets of leaves at the same
// heights, to rounding.
func sameTree(got, want *Tree) error {
	nodes := func(t *Tree) (all []string) {
		for node := range t.Nodes() {
			leaves := t.Leaves(node)
			slices.Sort(leaves)
			all = append(all, fmt.Sprintf("%v at %.9f", leaves, t.Height(node)+1e-12))
		}
		slices.Sort(all)
		return all
	}
	a, b := nodes(got), nodes(want)
	for i := range b {
		if a[i] != b[i] {
			return fmt.Errorf("has %s, want %s", a[i], b[i])
		}
	}
	return nil
}

func TestLinkageTwin(t *testing.T) {
	for _, m := range []Method{Single, Average, Complete, Ward} {
		for _, n := range []int{0, 1, 2, 3, 4, 7, 25} {
			rng := rand.New(rand.NewPCG(13, uint64(n)))
			r := &Rows{n: n, d: 3, x: make([]float64, 3*n)}
			for i := range r.x {
				r.x[i] = rng.NormFloat64()
			}
			for name, w := range map[string]Similarities{"rows": r.scaled(), "matrix": randomMatrix(rng, n, false)} {
				if m == Ward && name == "matrix" {
					continue // its recurrence is that of points of flat space
				}
				far := func(i, j int) float64 { return 1 - w.At(i, j) }
				if m == Ward { // distances that are those of points
					rows := w
					far = func(i, j int) float64 { return math.Sqrt(1 - rows.At(i, j)) }
					square := make([]float64, n*n)
					for i := range n {
						for j := range n {
							square[i*n+j] = 1 - far(i, j)
						}
					}
					w = &Matrix{n, square}
				}
				got, err := Linkage(context.Background(), w, m)
				if err != nil {
					t.Fatal(err)
				}
				want, err := NewTree(n, naive(n, definition(m, far)))
				if err != nil {
					t.Fatal(err)
				}
				if err := sameTree(got, want); err != nil {
					t.Errorf("%v of %d %s: %v", m, n, name, err)
				}
			}
		}
	}
}

// TestLinkageTies: with many equal distances, each merge is still of a least
// one, and the tree is the same each time.
func TestLinkageTies(t *testing.T) {
	rng := rand.New(rand.NewPCG(14, 0))
	for _, m := range []Method{Single, Average, Complete} {
		w := randomMatrix(rng, 30, true)
		tree, err := Linkage(context.Background(), w, m)
		if err != nil {
			t.Fatal(err)
		}
		far := definition(m, func(i, j int) float64 { return 1 - w.At(i, j) })
		for k, merge := range tree.Merges() {
			if got := far(tree.Leaves(merge.A), tree.Leaves(merge.B)); m != Single && !closeTo(merge.Height, got, 1e-12) || m == Single && !closeTo(merge.Height, got, 0) {
				t.Errorf("%v: merge %d has height %g, its sides are %g apart", m, k, merge.Height, got)
			}
		}
		again, err := Linkage(context.Background(), asked{w}, m)
		if err != nil || !slices.Equal(again.Merges(), tree.Merges()) {
			t.Errorf("%v: another tree the second time: %v", m, err)
		}
	}
	equal := asked{constantly(0.25)}
	for _, m := range []Method{Single, Average, Complete, Ward} {
		tree, err := Linkage(context.Background(), equal, m)
		if err != nil || tree.Len() != 9 || tree.Height(tree.Len()) != 0.75 {
			t.Errorf("%v of equal similarities: %v", m, err)
		}
	}
}

// constantly is nine leaves that are all alike to the same degree.
type constantly float64

func (constantly) Len() int              { return 9 }
func (c constantly) At(int, int) float64 { return float64(c) }

func TestLinkageRefuses(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context
		w    Similarities
		m    Method
		want string
	}{
		{"method", context.Background(), constantly(1), 4, "unknown linkage 4: use Average"},
		{"NaN", context.Background(), constantly(math.NaN()), Average, "similarity of leaves 1 and 0 is NaN"},
		{"infinite", context.Background(), constantly(math.Inf(-1)), Single, "is -Inf"},
		{"stopped", ctx, randomMatrix(rand.New(rand.NewPCG(1, 1)), 5, false), Ward, "Ward linkage of 5 leaves: stopped"},
		{"stopped single", ctx, randomMatrix(rand.New(rand.NewPCG(1, 1)), 5, false), Single, "single linkage of 5 leaves: stopped"},
	} {
		_, err := Linkage(c.ctx, c.w, c.m)
		if err == nil || !strings.Contains(err.Error(), c.want) || c.ctx == ctx && !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func BenchmarkLinkage(b *testing.B) {
	w := testRows(2000, 32)
	for _, m := range []Method{Single, Average, Complete, Ward} {
		b.Run(m.String(), func(b *testing.B) {
			for b.Loop() {
				if _, err := Linkage(context.Background(), w, m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// testRows is similarities of n random rows.
func testRows(n, d int) *Rows {
	rng := rand.New(rand.NewPCG(15, uint64(n)))
	r := &Rows{n: n, d: d, x: make([]float64, n*d)}
	for i := range r.x {
		r.x[i] = rng.NormFloat64()
	}
	return r.scaled()
}

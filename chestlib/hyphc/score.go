package hyphc

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/internal/parallel"
)

// Cost returns Dasgupta's cost of the tree under similarities w, in the
// convention that counts every pair twice:
//
//	2 Σ_{i<j} w_ij |leaves(lca(i,j))|
//
// It is low where similar leaves part late. Time O(n²) and n numbers of memory;
// for Rows O(nd) and a copy of the rows, because the sum of cosines of two sets
// is the product of their sums. The sum has a fixed order.
//
// It gives an error if ctx ends, or if a similarity is not finite, and panics
// if w is not of as many leaves.
//
// Source: S. Dasgupta, "A cost function for similarity-based hierarchical
// clustering" (2016), whose cost is half of this.
func (t *Tree) Cost(ctx context.Context, w Similarities) (float64, error) {
	if w.Len() != t.n {
		panic(fmt.Sprintf("hyphc: Cost: similarities of %d leaves, the tree has %d", w.Len(), t.n))
	}
	if r, ok := w.(*Rows); ok {
		return t.costOfRows(r), nil
	}
	part := make([]float64, t.n)
	err := parallel.Try(t.n, 8, func(lo, hi int) error {
		for i := lo; i < hi; i++ {
			part[i] = t.costRightOf(i, w)
		}
		return ctx.Err()
	})
	if err != nil {
		return 0, fmt.Errorf("hyphc: Cost of %d leaves: stopped: %w", t.n, err)
	}
	cost := 2 * floats.Sum(part)
	if math.IsNaN(cost) || math.IsInf(cost, 0) {
		if err := checkFinite(ctx, w); err != nil {
			return 0, err
		}
		return 0, fmt.Errorf("hyphc: Cost is %g: the similarities are too large", cost)
	}
	return cost, nil
}

// costRightOf sums w |leaves(lca)| over the pairs of leaf i with a leaf right
// of it: these are the right children of its ancestors that i is left in.
func (t *Tree) costRightOf(i int, w Similarities) float64 {
	var cost float64
	for node := i; t.parent[node] >= 0; node = t.parent[node] {
		up := t.parent[node]
		m := t.merges[up-t.n]
		if m.A != node {
			continue
		}
		var sum float64
		for _, j := range t.below(m.B) {
			sum += w.At(i, j)
		}
		cost += sum * float64(t.size[up])
	}
	return cost
}

// costOfRows is Cost by Σ_{i∈A,j∈B} (1 + xᵢ·xⱼ)/2 = (|A||B| + (Σxᵢ)·(Σxⱼ))/2.
func (t *Tree) costOfRows(r *Rows) float64 {
	sums := append([]float64(nil), r.x...) // of a node's rows, in the place of its first leaf
	at := func(node int) []float64 {
		i := t.order[t.first[node]]
		return sums[i*r.d : (i+1)*r.d]
	}
	var cost float64
	for k, m := range t.merges {
		a, b := at(m.A), at(m.B)
		pairs := float64(t.size[m.A]) * float64(t.size[m.B])
		cost += (pairs + floats.Dot(a, b)) * float64(t.size[t.n+k])
		floats.Add(a, b)
	}
	return cost
}

// Purity returns the dendrogram purity of classes: the mean over all pairs of
// leaves of one class of the class's share among the leaves of their lowest
// common ancestor, in (0,1]. label is the class of each leaf, any number.
//
// It is exact: sums are of whole numbers up to one division a node. Time
// O(n log n) whatever the tree's depth.
//
// It gives an error if no two leaves are of one class, and panics if label is
// not one a leaf.
//
// Source: K. Heller, Z. Ghahramani, "Bayesian hierarchical clustering" (2005).
func (t *Tree) Purity(label []int) (float64, error) {
	if len(label) != t.n {
		panic(fmt.Sprintf("hyphc: Purity: %d labels for %d leaves", len(label), t.n))
	}
	counts := make([]map[int]int, t.Nodes()) // of classes below a node, until it is merged
	for i, c := range label {
		counts[i] = map[int]int{c: 1}
	}
	var pairs int
	var sum float64
	for k, m := range t.merges {
		few, many := counts[m.A], counts[m.B]
		if len(few) > len(many) {
			few, many = many, few
		}
		shared := 0 // Σ over classes of pairs × members
		for c, a := range few {
			b := many[c]
			pairs += a * b
			shared += a * b * (a + b)
			many[c] = a + b
		}
		sum += float64(shared) / float64(t.size[t.n+k])
		counts[m.A], counts[m.B], counts[t.n+k] = nil, nil, many
	}
	if pairs == 0 {
		return 0, fmt.Errorf("hyphc: Purity: no two of %d leaves are of one class, so there is no pair to judge", t.n)
	}
	return sum / float64(pairs), nil
}

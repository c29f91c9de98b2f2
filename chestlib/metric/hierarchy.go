package metric

import (
	"context"
	"fmt"
	"strings"
)

// HierarchyResult is what the nearest neighbours of all items know of a
// taxonomy.
type HierarchyResult struct {
	Levels    []string  // names, the coarsest first
	Recall    []float64 // Recall@1 at each level: share of items whose nearest other item has their class there
	Lone      []int     // items without another one of their class at each level; they are misses
	MeanLevel float64   // mean depth of the common ancestor of an item and its nearest other, 0 to the number of levels
	Queries   int       // number of items
}

// String gives the result on one line, in percent:
//
//	R@1 order 92.0 · family 81.5 · species 60.1 · mean level 2.34 of 3 (5924 queries)
func (r HierarchyResult) String() string {
	var b strings.Builder
	b.WriteString("R@1")
	for l, name := range r.Levels {
		fmt.Fprintf(&b, " %s %.1f ·", name, 100*r.Recall[l])
	}
	fmt.Fprintf(&b, " mean level %.2f of %d (%s)", r.MeanLevel, len(r.Levels), counted(r.Queries))
	return b.String()
}

// Hierarchy measures how far up the nearest neighbour of an item is still
// right: Recall@1 at every level of a taxonomy, and the mean level of the
// neighbour.
//
//	MeanLevel = mean over items of depth(lca(class, class of the nearest other))
//
// It is the sum of the Recall@1 of all levels. A mistake within the family
// costs less than one across: two embeddings of the same Recall@1 may differ
// here. The last level is Recall@1 of Retrieval.
//
// x is n×d, row-major, with the n items of t. Options.Ks is not read. An only
// item has no neighbour: a miss at all levels.
//
// Cost, memory, errors and panics are as for Retrieval.
//
// Source, for the depth of the ancestor as the grade of a mistake: J. Deng,
// A. Berg, K. Li, L. Fei-Fei, What does classifying more than 10,000 image
// categories tell us?, 2010.
func Hierarchy(ctx context.Context, x []float32, t *Taxonomy, d int, o Options) (HierarchyResult, error) {
	n := len(t.Finest())
	mustFit("x", x, n, d)
	if n == 0 {
		return HierarchyResult{}, fmt.Errorf("metric: nothing to retrieve: 0 queries")
	}
	rows, _, err := Neighbours(ctx, x, d, 1, o)
	if err != nil {
		return HierarchyResult{}, err
	}
	r := HierarchyResult{Queries: n}
	for l, column := range t.Levels {
		hits := 0
		for i, j := range rows {
			if j >= 0 && column[j] == column[i] {
				hits++
			}
		}
		r.Levels = append(r.Levels, t.name(l))
		r.Recall = append(r.Recall, float64(hits)/float64(n))
		r.Lone = append(r.Lone, lone(column))
	}
	depth := 0
	for i, j := range rows {
		if j >= 0 {
			depth += t.Depth(t.Finest()[i], t.Finest()[j])
		}
	}
	r.MeanLevel = float64(depth) / float64(n)
	return r, nil
}

// lone counts the rows whose label no other row has.
func lone(label []int) (count int) {
	for _, members := range byClass(label) {
		if len(members) == 1 {
			count++
		}
	}
	return count
}

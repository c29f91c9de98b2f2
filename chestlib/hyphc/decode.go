package hyphc

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// Decode reads the binary tree off leaves x, n×d, row-major, that have one
// common norm in the ball of curvature -1: it merges the two nodes whose
// ancestor LCA is deepest, again and again, that of nodes being the deepest of
// their leaves. This is single linkage by depth. A merge's height is how far
// above the leaves the ancestor is, d(0,x) - LCA.
//
// As depth falls with the angle, the tree depends on directions alone.
// Time O(n log n) in two dimensions, where only neighbours on the circle
// matter, 16 ms for 20,000 leaves; else O(n²d), 0.7 s for 20,000 leaves in
// three. Memory O(nd). Ties are decided by the order of leaves. It gives an error if ctx ends, if a leaf is zero, not finite or
// outside the ball, or if norms differ by more than 1e-6 of the first, and
// panics if x is no whole number of rows.
//
// Source: HypHC, section 4.3.
func Decode(ctx context.Context, x []float64, d int) (*Tree, error) {
	if d < 1 || len(x)%d != 0 {
		panic(fmt.Sprintf("hyphc: Decode: %d entries are no rows of length %d", len(x), d))
	}
	u := append([]float64(nil), x...)
	var rho float64
	for i := range len(x) / d {
		row := u[i*d : (i+1)*d]
		norm := floats.Norm(row, 2)
		if i == 0 {
			rho = norm
		}
		if !(norm > 0 && norm < 1 && math.Abs(norm-rho) <= 1e-6*rho) {
			return nil, fmt.Errorf("hyphc: Decode: leaf %d has norm %g, the first %g: want one norm for all, above 0 and below 1", i, norm, rho)
		}
		floats.Scale(1/norm, row)
	}
	return decode(ctx, u, d, newRing(rho))
}

// decode is Decode of unit vectors.
func decode(ctx context.Context, u []float64, d int, r ring) (*Tree, error) {
	n := len(u) / d
	deepest := r.depth(0)
	if d == 2 {
		return link(n, around(u), func(s float64) float64 { return deepest - r.depth(s) })
	}
	edges, err := spanning(ctx, n, func(i, j int) float64 { return chord(u[i*d:(i+1)*d], u[j*d:(j+1)*d]) })
	if err != nil {
		return nil, fmt.Errorf("hyphc: decoding %d leaves: stopped: %w", n, err)
	}
	return link(n, edges, func(s float64) float64 { return deepest - r.depth(s) })
}

// chord returns ‖u-v‖².
func chord(u, v []float64) float64 {
	var sum float64
	for k, uk := range u {
		sum += (uk - v[k]) * (uk - v[k])
	}
	return sum
}

// bond holds two leaves together.
type bond struct {
	i, j int
	far  float64 // how far apart they are
}

// spanning returns n-1 bonds that give single linkage, in the order in which
// Prim's method reaches the leaves: from leaf 0, always to the nearest one that
// is left, the lower of equal ones. Each bond joins a leaf to the one reached
// before it, at the distance to the nearest one reached, so that clusters of
// every height are runs of this order. It asks for each distance once and keeps
// n of them.
func spanning(ctx context.Context, n int, distance func(i, j int) float64) ([]bond, error) {
	bonds := make([]bond, 0, max(n-1, 0))
	near := make([]float64, n) // distance to those reached
	rest := make([]int, 0, n)  // leaves that are left, in order
	for i := 1; i < n; i++ {
		near[i], rest = math.Inf(1), append(rest, i)
	}
	for last := 0; len(rest) > 0; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		best := 0
		for k, j := range rest {
			near[j] = min(near[j], distance(last, j))
			if near[j] < near[rest[best]] {
				best = k
			}
		}
		next := rest[best]
		bonds = append(bonds, bond{last, next, near[next]})
		rest = slices.Delete(rest, best, best+1)
		last = next
	}
	return bonds, nil
}

// around is spanning for unit vectors of the plane: the bonds of neighbours on
// the circle, without the longest. O(n log n).
func around(u []float64) []bond {
	n := len(u) / 2
	angle, order := make([]float64, n), make([]int, n)
	for i := range n {
		angle[i], order[i] = math.Atan2(u[2*i+1], u[2*i]), i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Or(cmp.Compare(angle[i], angle[j]), cmp.Compare(i, j)) })
	bonds := make([]bond, n)
	longest := 0
	for k, i := range order {
		j := order[(k+1)%n]
		bonds[k] = bond{min(i, j), max(i, j), chord(u[2*i:2*i+2], u[2*j:2*j+2])}
		if bonds[k].far > bonds[longest].far {
			longest = k
		}
	}
	return slices.Delete(bonds, longest, min(longest+1, n))
}

// link merges along bonds from the shortest, ties in their order; a merge's height
// is height of the bond's length, which must not fall as that grows. The side
// of the lower first leaf comes left.
func link(n int, bonds []bond, height func(far float64) float64) (*Tree, error) {
	slices.SortStableFunc(bonds, func(a, b bond) int { return cmp.Compare(a.far, b.far) })
	set := newUnion(n)
	merges := make([]Merge, 0, len(bonds))
	top := 0.0 // neither rounding nor a negative distance may let heights fall
	for _, b := range bonds {
		top = max(top, height(b.far))
		merges = append(merges, set.merge(b.i, b.j, top))
	}
	return NewTree(n, merges)
}

// union finds the node that a leaf belongs to while merges are made.
type union struct {
	up   []int // of each leaf: a leaf of the same node, itself for the leading one
	node []int // of a leading leaf: its node
	next int
}

func newUnion(n int) *union {
	s := &union{up: make([]int, n), node: make([]int, n), next: n}
	for i := range n {
		s.up[i], s.node[i] = i, i
	}
	return s
}

// merge makes a node of those of leaves i and j. The lowest leaf of a node
// leads it.
func (s *union) merge(i, j int, height float64) Merge {
	i, j = s.find(i), s.find(j)
	if i > j {
		i, j = j, i
	}
	m := Merge{s.node[i], s.node[j], height}
	s.up[j], s.node[i] = i, s.next
	s.next++
	return m
}

func (s *union) find(i int) int {
	for s.up[i] != i {
		s.up[i] = s.up[s.up[i]]
		i = s.up[i]
	}
	return i
}

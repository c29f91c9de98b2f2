package hyphc

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// randomTaxonomy is the parents of a tree of n leaves whose nodes have any number
// of children.
func randomTaxonomy(rng *rand.Rand, n int) []int {
	inner := 1 + rng.IntN(n)
	parent := make([]int, n+inner)
	for u := range parent {
		low := max(u+1, n)
		if parent[u] = -1; low < len(parent) {
			parent[u] = low + rng.IntN(len(parent)-low)
		}
	}
	return parent
}

// lastPair is the place of the pair jk, ik or ij of a triplet that has the ancestor of
// fewest leaves; -1 if no pair has it alone.
func lastPair(size func(a, b int) int, i, j, k int) int {
	s := [3]int{size(j, k), size(i, k), size(i, j)}
	for m := range s {
		if s[m] < s[(m+1)%3] && s[m] < s[(m+2)%3] {
			return m
		}
	}
	return -1
}

// TestTriplets compares with all triplets, one after the other.
func TestTriplets(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		n := 3 + rng.IntN(12)
		tree, parent := randomTree(rng, n, rng.IntN(3) == 0), randomTaxonomy(rng, n)
		ancestors := func(i int) (all map[int]bool) {
			all = map[int]bool{}
			for ; i >= 0; i = parent[i] {
				all[i] = true
			}
			return all
		}
		truth := func(a, b int) (leaves int) { // below the lowest common ancestor
			of := ancestors(a)
			u := b
			for !of[u] {
				u = parent[u]
			}
			for i := range n {
				if ancestors(i)[u] {
					leaves++
				}
			}
			return leaves
		}
		found := func(a, b int) int { return len(members(tree, tree.LCA(a, b))) }
		agree, all := 0, 0
		for i := range n {
			for j := range i {
				for k := range j {
					if want := lastPair(truth, i, j, k); want >= 0 {
						all++
						if lastPair(found, i, j, k) == want {
							agree++
						}
					}
				}
			}
		}
		got, err := tree.Triplets(parent)
		if all == 0 {
			if err == nil {
				t.Fatalf("parent %v parts no triplet, and is taken", parent)
			}
			continue
		}
		if want := float64(agree) / float64(all); err != nil || got != want {
			t.Fatalf("parent %v: %g, %v; want %d of %d", parent, got, err, agree, all)
		}
	}
}

func TestTripletsOfItself(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	tree := randomTree(rng, 40, false)
	parent := make([]int, tree.Nodes())
	for u := range parent {
		parent[u] = tree.Parent(u)
	}
	if got, err := tree.Triplets(parent); got != 1 || err != nil {
		t.Error(got, err)
	}
}

func TestTripletsWrong(t *testing.T) {
	tree := randomTree(rand.New(rand.NewPCG(3, 1)), 3, false)
	for want, parent := range map[string][]int{
		"parts no triplet": {3, 3, 3, -1},
		"is the root":      {3, 3, 3, 0},
		"node 1 has":       {3, 0, 3, -1},
		"node 3 has":       {3, 3, 4, 3, -1},
		"below 4":          {4, 3, 3, -1},
		"for 3 leaves":     {-1},
	} {
		if _, err := tree.Triplets(parent); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", parent, err, want)
		}
	}
}

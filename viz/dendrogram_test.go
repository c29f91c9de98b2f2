package viz

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestTreeCut compares with the definition: leaves are together when no node
// that was taken away is above both.
func TestTreeCut(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for n := 2; n < 30; n++ {
		merges := randomMerges(rng, n)
		tr, err := mergeTree(n, merges)
		if err != nil {
			t.Fatal(err)
		}
		k := 1 + rng.IntN(n)
		group, _ := tr.cut(k)
		if got := slices.Max(group) + 1; got != k {
			t.Errorf("%d groups of %d leaves, want %d", got, n, k)
		}
		for i := range n {
			for j := range n {
				if want := lca(tr, i, j) < 2*n-1-(k-1); want != (group[i] == group[j]) {
					t.Errorf("n = %d, k = %d: leaves %d and %d are together: %v", n, k, i, j, !want)
				}
			}
		}
		if order := slices.Sorted(slices.Values(tr.leaves)); len(order) != n || order[0] != 0 || order[n-1] != n-1 {
			t.Errorf("leaves %v", order)
		}
	}
}

// randomMerges is a random tree of n leaves.
func randomMerges(rng *rand.Rand, n int) (merges []Merge) {
	tops := make([]int, n)
	for i := range tops {
		tops[i] = i
	}
	for k := range n - 1 {
		rng.Shuffle(len(tops), func(i, j int) { tops[i], tops[j] = tops[j], tops[i] })
		merges = append(merges, Merge{tops[0], tops[1], float64(k / 3)})
		tops = append(tops[2:], n+k)
	}
	return merges
}

// lca is the lowest node above both.
func lca(t *tree, i, j int) int {
	above := map[int]bool{}
	for ; i >= 0; i = t.parent[i] {
		above[i] = true
	}
	for !above[j] {
		j = t.parent[j]
	}
	return j
}

// TestDendrogramOfManyLeaves draws the largest trees that are promised, one as
// deep as a tree can be.
func TestDendrogramOfManyLeaves(t *testing.T) {
	const n = 5000
	chain, label := make([]Merge, n-1), make([]int, n)
	for k := range chain {
		chain[k] = Merge{n + k - 1, k + 1, float64(k)}
		label[k] = k / 500
	}
	chain[0].A = 0
	o := DendrogramOptions{Label: label}
	deep := Dendrogram(chain, o)
	o.Circular = true
	wide := Dendrogram(randomMerges(rand.New(rand.NewPCG(2, 2)), n), o)
	for name, f := range map[string]Figure{"deep": deep, "wide": wide} {
		option, err := f.Option()
		if err != nil || len(option) > 1<<20 {
			t.Errorf("%s: %d bytes, %v", name, len(option), err)
		}
		if m, _ := pixels(t, f); inked(m, 100, 100, 400, 300) < 10_000 {
			t.Errorf("%s: no branches", name)
		}
	}
}

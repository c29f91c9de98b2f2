package hyphc

import "fmt"

// Triplets returns the share of triplets of leaves on which the tree agrees with
// a true one, in [0,1]: of those of whose three pairs the true tree parts one
// last, the share in which this tree parts the same pair last. The true tree may
// have nodes of many children; a triplet that parts in one node says nothing. Of
// random binary trees the share is about 1/3.
//
// parent is that of each node of the true tree, a higher number; -1 for the
// root, which is last. Nodes 0 to Len()-1 are the leaves, in the same order, as
// a datasets.Tree has them.
//
// It is exact. Time and memory O(nm) for n leaves and m nodes of the true tree.
// It gives an error if parent is no tree over so many leaves, or parts no
// triplet.
func (t *Tree) Triplets(parent []int) (float64, error) {
	size, err := t.sizesIn(parent)
	if err != nil {
		return 0, err
	}
	below := make([][]int, t.Nodes()) // leaves that a node has in common with each true node
	for i := range t.n {
		below[i] = make([]int, len(parent))
		for up := i; up >= 0; up = parent[up] {
			below[i][up] = 1
		}
	}
	var agree, all int
	pairs := make([]int, len(parent)) // of leaves that this merge joins, by their true ancestor
	for k, m := range t.merges {
		a, b := below[m.A], below[m.B]
		for u := range pairs {
			pairs[u] = a[u] * b[u]
		}
		for u, up := range parent {
			if up >= 0 {
				pairs[up] -= a[u] * b[u]
			}
		}
		for u := range a {
			a[u] += b[u]
			all += pairs[u] * (t.n - size[u])
			agree += pairs[u] * (t.n - size[u] - t.size[t.n+k] + a[u]) // thirds below neither node
		}
		below[t.n+k], below[m.A], below[m.B] = a, nil, nil
	}
	if all == 0 {
		return 0, fmt.Errorf("hyphc: Triplets: the true tree parts no triplet of its %d leaves", t.n)
	}
	return float64(agree) / float64(all), nil
}

// sizesIn returns the number of leaves below each node of a true tree.
func (t *Tree) sizesIn(parent []int) ([]int, error) {
	size := make([]int, len(parent))
	for u, up := range parent {
		switch root := u == len(parent)-1; {
		case root && up != -1:
			return nil, fmt.Errorf("hyphc: Triplets: the last node %d has parent %d; it is the root, want -1", u, up)
		case !root && (up <= u || up >= len(parent) || up < t.n):
			return nil, fmt.Errorf("hyphc: Triplets: node %d has parent %d; want an inner node of a higher number, below %d", u, up, len(parent))
		}
		if u < t.n {
			size[u] = 1
		}
		if up >= 0 {
			size[up] += size[u]
		}
	}
	if len(parent) < t.n {
		return nil, fmt.Errorf("hyphc: Triplets: the true tree has %d nodes for %d leaves", len(parent), t.n)
	}
	return size, nil
}

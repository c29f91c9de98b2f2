package hyphc

import (
	"fmt"
	"math"
)

// Merge makes a node of two earlier ones, at a height that is not below
// theirs. Leaves have height 0.
type Merge struct {
	A, B   int
	Height float64
}

// Tree is a binary tree over n leaves. Nodes 0 to n-1 are the leaves; node n+k
// is what merge k made; the last node is the root. A Tree does not change, so
// it may be used from many goroutines.
type Tree struct {
	n      int
	merges []Merge
	parent []int // of each node; -1 for the root
	size   []int // leaves below each node
	first  []int // the place in order where the leaves of each node begin
	order  []int // leaves from left to right
}

// NewTree makes the tree of n leaves and n-1 merges, in which A is left of B.
// It takes O(n). It gives an error unless each node but the last is merged
// once, after it was made, and heights are finite and do not fall. No leaf
// and no merge make the empty tree.
func NewTree(n int, merges []Merge) (*Tree, error) {
	if want := max(n-1, 0); n < 0 || len(merges) != want {
		return nil, fmt.Errorf("hyphc: %d merges of %d leaves: want one less than leaves", len(merges), n)
	}
	t := &Tree{n: n, merges: append([]Merge(nil), merges...)}
	nodes := n + len(merges)
	t.parent, t.size, t.first = make([]int, nodes), make([]int, nodes), make([]int, nodes)
	for i := range nodes {
		t.parent[i] = -1
	}
	for i := range n {
		t.size[i] = 1
	}
	for k, m := range merges {
		if err := t.join(k, m); err != nil {
			return nil, err
		}
	}
	t.place()
	return t, nil
}

// join enters merge k after checking it.
func (t *Tree) join(k int, m Merge) error {
	node := t.n + k
	for _, child := range []int{m.A, m.B} {
		if child < 0 || child >= node {
			return fmt.Errorf("hyphc: merge %d takes node %d: want one of 0 to %d, made before it", k, child, node-1)
		}
		if t.parent[child] >= 0 {
			return fmt.Errorf("hyphc: merge %d takes node %d, which merge %d has taken: want each node once", k, child, t.parent[child]-t.n)
		}
		if below := t.Height(child); !(m.Height >= below) || math.IsInf(m.Height, 1) {
			return fmt.Errorf("hyphc: merge %d has height %g: want a finite one, not below the %g of its node %d", k, m.Height, below, child)
		}
		t.parent[child] = node
		t.size[node] += t.size[child]
	}
	return nil
}

// place lays the leaves out from left to right.
func (t *Tree) place() {
	for k := len(t.merges) - 1; k >= 0; k-- { // parents first
		m := t.merges[k]
		t.first[m.A] = t.first[t.n+k]
		t.first[m.B] = t.first[t.n+k] + t.size[m.A]
	}
	t.order = make([]int, t.n)
	for i := range t.n {
		t.order[t.first[i]] = i
	}
}

// String is one line; Newick is the whole tree.
func (t *Tree) String() string {
	if t.n == 0 {
		return "a tree of no leaves"
	}
	return fmt.Sprintf("a tree of %d leaves, root at height %.4g", t.n, t.Height(len(t.parent)-1))
}

// Len is the number of leaves.
func (t *Tree) Len() int { return t.n }

// Nodes is the number of nodes, leaves included: 2n-1, or 0 for no leaf.
func (t *Tree) Nodes() int { return len(t.parent) }

// Merges is a copy of the merges; merge k made node Len()+k.
func (t *Tree) Merges() []Merge { return append([]Merge(nil), t.merges...) }

// Parent is the node above node; -1 for the root.
func (t *Tree) Parent(node int) int { return t.parent[node] }

// Size is the number of leaves below node; 1 for a leaf.
func (t *Tree) Size(node int) int { return t.size[node] }

// Height is that of the merge which made node; 0 for a leaf.
func (t *Tree) Height(node int) float64 {
	if node < t.n {
		return 0
	}
	return t.merges[node-t.n].Height
}

// Order is the leaves as they stand from left to right when the tree is drawn
// without crossings.
func (t *Tree) Order() []int { return append([]int(nil), t.order...) }

// Leaves is the leaves below node, from left to right.
func (t *Tree) Leaves(node int) []int { return append([]int(nil), t.below(node)...) }

func (t *Tree) below(node int) []int { return t.order[t.first[node] : t.first[node]+t.size[node]] }

// LCA is the lowest common ancestor of nodes i and j; i for i = j. It takes
// as many steps as there are nodes between them, at most n.
func (t *Tree) LCA(i, j int) int {
	for i != j { // a parent has a higher number than its children
		if i < j {
			i = t.parent[i]
		} else {
			j = t.parent[j]
		}
	}
	return i
}

// Cut undoes the last k-1 merges and returns the number of each leaf's
// cluster, 0 to k-1, counted in the order of their first leaves. It panics
// unless k is 1 to the number of leaves; 0 for the empty tree.
func (t *Tree) Cut(k int) []int {
	if k < min(1, t.n) || k > t.n {
		panic(fmt.Sprintf("hyphc: Cut into %d clusters: a tree of %d leaves has 1 to %d", k, t.n, t.n))
	}
	cut := t.Nodes() - k + 1 // nodes from here on are undone
	top := make([]int, t.Nodes())
	for node := t.Nodes() - 1; node >= 0; node-- { // parents first
		top[node] = node
		if p := t.parent[node]; p >= 0 && p < cut {
			top[node] = top[p]
		}
	}
	number := make(map[int]int, k)
	label := make([]int, t.n)
	for i := range label {
		c, ok := number[top[i]]
		if !ok {
			c = len(number)
			number[top[i]] = c
		}
		label[i] = c
	}
	return label
}

package viz

import (
	"cmp"
	"fmt"
	"slices"
)

// Merge makes a node of two earlier ones, at a height: leaves are nodes 0 to
// n-1, and merge k makes node n+k.
type Merge struct {
	A, B   int
	Height float64
}

// tree is a tree that can be drawn: any number of children a node, one root.
type tree struct {
	parent   []int // -1 for the root
	children [][]int
	height   []float64
	order    []int // all nodes, each before its children, in the order of drawing
	leaves   []int // from left to right
	place    []float64
	lo, hi   float64 // least and largest height
}

// mergeTree is the tree of n leaves and their merges.
func mergeTree(n int, merges []Merge) (*tree, error) {
	parent, height := make([]int, n+len(merges)), make([]float64, n+len(merges))
	for i := range parent {
		parent[i] = -1
	}
	t := &tree{parent: parent, height: height, children: make([][]int, len(parent))}
	for k, m := range merges {
		node := n + k
		for _, child := range [2]int{m.A, m.B} {
			if child < 0 || child >= node {
				return nil, fmt.Errorf("viz: dendrogram: merge %d takes node %d, want one from 0 to %d", k, child, node-1)
			}
			if parent[child] >= 0 {
				return nil, fmt.Errorf("viz: dendrogram: merge %d takes node %d, which merge %d took already", k, child, parent[child]-n)
			}
			parent[child] = node
			t.children[node] = append(t.children[node], child)
		}
		height[node] = m.Height
	}
	return t, t.arrange()
}

// parentTree is the tree in which each node knows its parent; without heights,
// that of a node is how many levels are below it.
func parentTree(parent []int, height []float64) (*tree, error) {
	t := &tree{parent: slices.Clone(parent), children: make([][]int, len(parent)), height: slices.Clone(height)}
	for i, p := range parent {
		if p >= len(parent) || p == i {
			return nil, fmt.Errorf("viz: dendrogram: node %d has parent %d, want another of %d nodes, or -1 for the root", i, p, len(parent))
		}
		if p >= 0 {
			t.children[p] = append(t.children[p], i)
		}
	}
	if err := t.arrange(); err != nil {
		return nil, err
	}
	if height == nil {
		t.height = make([]float64, len(parent))
		for _, node := range slices.Backward(t.order) {
			for _, child := range t.children[node] {
				t.height[node] = max(t.height[node], t.height[child]+1)
			}
		}
	}
	return t, nil
}

// arrange walks from the root and sets order, leaves and places. It returns an
// error unless there is one root from which all nodes can be reached.
func (t *tree) arrange() error {
	root := -1
	for i, p := range t.parent {
		if p >= 0 {
			continue
		}
		if root >= 0 {
			return fmt.Errorf("viz: dendrogram: nodes %d and %d have no parent, want one root", root, i)
		}
		root = i
	}
	stack := []int{}
	if root >= 0 {
		stack = append(stack, root)
	}
	t.place = make([]float64, len(t.parent))
	for len(stack) > 0 {
		node := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		t.order = append(t.order, node)
		if len(t.children[node]) == 0 {
			t.place[node] = float64(len(t.leaves))
			t.leaves = append(t.leaves, node)
		}
		for _, child := range slices.Backward(t.children[node]) {
			stack = append(stack, child)
		}
	}
	if len(t.order) < len(t.parent) {
		return fmt.Errorf("viz: dendrogram: %d of %d nodes are below the root, the others are their own ancestors", len(t.order), len(t.parent))
	}
	for _, node := range slices.Backward(t.order) {
		if c := t.children[node]; len(c) > 0 {
			t.place[node] = (t.place[c[0]] + t.place[c[len(c)-1]]) / 2
		}
	}
	return nil
}

// spread gives each inner node the group of the leaves below it, if they are of
// one group; else -1. group holds that of the leaves.
func (t *tree) spread(group []int) {
	for _, node := range slices.Backward(t.order) {
		for k, child := range t.children[node] {
			if k == 0 {
				group[node] = group[child]
			} else if group[node] != group[child] {
				group[node] = -1
			}
		}
	}
}

// cut takes away the k-1 highest nodes, of equals the later ones, and returns
// the group of each node: the number of what is left around it, counted in the
// order of their first leaves; -1 for what was taken away. floor is a height
// between both.
func (t *tree) cut(k int) (group []int, floor float64) {
	var inner []int
	for i := range t.parent {
		if len(t.children[i]) > 0 {
			inner = append(inner, i)
		}
	}
	slices.SortFunc(inner, func(a, b int) int { return cmp.Or(cmp.Compare(t.height[b], t.height[a]), cmp.Compare(b, a)) })
	gone := inner[:min(max(k-1, 0), len(inner))]
	taken := make([]bool, len(t.parent))
	for _, node := range gone {
		taken[node] = true
	}
	floor = t.hi
	if n := len(gone); n > 0 {
		floor = t.height[gone[n-1]]
		if n < len(inner) {
			floor = (floor + t.height[inner[n]]) / 2
		}
	}
	top := make([]int, len(t.parent)) // of what is left around a node
	for _, node := range t.order {
		top[node] = node
		if p := t.parent[node]; p >= 0 && !taken[p] {
			top[node] = top[p]
		}
	}
	return numbered(t, top, gone), floor
}

// numbered turns the tops of groups into numbers.
func numbered(t *tree, top, gone []int) []int {
	group, number := make([]int, len(top)), map[int]int{}
	for i := range top {
		if len(t.children[i]) > 0 {
			continue
		}
		if _, seen := number[top[i]]; !seen {
			number[top[i]] = len(number)
		}
	}
	for i := range top {
		group[i] = number[top[i]]
	}
	for _, i := range gone {
		group[i] = -1
	}
	return group
}

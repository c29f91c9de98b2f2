package viz

import (
	"fmt"
	"math/cmplx"
)

// plant finds the places of the inner nodes of the tree over leaves z.
func (f *DiskFigure) plant(z []complex128) error {
	parent := f.o.Tree
	order, err := upwards(parent)
	if err != nil || f.o.Inner != nil {
		f.inner = complexes(f.o.Inner)
		return err
	}
	n := len(z)
	children := make([][]complex128, len(parent))
	f.inner = make([]complex128, len(parent)-min(n, len(parent)))
	for _, node := range order {
		at := complex128(0)
		switch {
		case node < n:
			at = inside(z[node])
		case len(children[node]) == 0:
			return fmt.Errorf("viz: disk: Tree has inner node %d without children over %d points; leaves come first", node, n)
		default:
			at = meeting(children[node])
			f.inner[node-n] = at
		}
		if p := parent[node]; p >= 0 {
			children[p] = append(children[p], at)
		}
	}
	return nil
}

// meeting is where children meet: the ancestor of two neighbours that is
// nearest to the centre.
func meeting(children []complex128) complex128 {
	at := children[0]
	for k := 1; k < len(children); k++ {
		if a := ancestor(children[k-1], children[k]); k == 1 || cmplx.Abs(a) < cmplx.Abs(at) {
			at = a
		}
	}
	return at
}

// upwards is an order of the nodes in which every node stands before its
// parent; among the rest by number. A parent that is no node, or a circle, is an
// error.
func upwards(parent []int) ([]int, error) {
	waits := make([]int, len(parent)) // children that have not come yet
	for i, p := range parent {
		if p >= len(parent) {
			return nil, fmt.Errorf("viz: disk: Tree says that node %d has parent %d, but there are %d nodes", i, p, len(parent))
		}
		if p >= 0 {
			waits[p]++
		}
	}
	var order []int
	for i := range parent {
		if waits[i] == 0 {
			order = append(order, i)
		}
	}
	for k := 0; k < len(order); k++ {
		if p := parent[order[k]]; p >= 0 {
			if waits[p]--; waits[p] == 0 {
				order = append(order, p)
			}
		}
	}
	if len(order) < len(parent) {
		return nil, fmt.Errorf("viz: disk: Tree has a circle: %d of %d nodes lead to no root (its parent is -1)", len(parent)-len(order), len(parent))
	}
	return order, nil
}

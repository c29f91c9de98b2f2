package loss

import (
	"math/rand/v2"

	"github.com/chestlab/chest/internal/parallel"
)

// reciprocal finds nodes that are among each other's nearest, and draws
// triplets from them: a node, one of its reciprocal neighbours, and one other
// node that is not.
type reciprocal struct {
	n    int
	near []bool // n×n: column j is among the nearest of row i
	list []int  // scratch
}

// find fills near for the distances d, n×n. k is how many are near a node, the
// node itself included. Nodes of the same class come before all others; label
// is nil for nodes without. Ties go to the lower index.
func (r *reciprocal) find(d []float64, n, k int, label []int) {
	r.n, r.near = n, resized(r.near, n*n)
	clear(r.near)
	parallel.For(n, blockRows, func(lo, hi int) {
		best := make([]int, 0, min(k, n))
		for i := lo; i < hi; i++ {
			row := d[i*n : (i+1)*n]
			before := func(a, b int) bool { // a is nearer than b
				if label != nil && (label[a] == label[i]) != (label[b] == label[i]) {
					return label[a] == label[i]
				}
				return row[a] < row[b]
			}
			best = best[:0]
			for j := range n {
				if j != i {
					best = insert(best, j, k-1, before)
				}
			}
			for _, j := range best {
				r.near[i*n+j] = true
			}
		}
	})
}

// insert puts j into the sorted list of the first k.
func insert(list []int, j, k int, before func(a, b int) bool) []int {
	if len(list) < k {
		list = append(list, j)
	} else if k < 1 || !before(j, list[k-1]) {
		return list
	}
	at := len(list) - 1
	for ; at > 0 && before(j, list[at-1]); at-- {
		list[at] = list[at-1]
	}
	list[at] = j
	return list
}

// draw appends count triplets of each node that has a reciprocal neighbour and
// another node, with replacement.
func (r *reciprocal) draw(dst [][3]int, count int, rng *rand.Rand) [][3]int {
	r.list = resized(r.list, r.n)
	for i := range r.n {
		mutual, other := 0, r.n // from the front and from the back of list
		for j := range r.n {
			switch {
			case j == i:
			case r.near[i*r.n+j] && r.near[j*r.n+i]:
				r.list[mutual] = j
				mutual++
			default:
				other--
				r.list[other] = j
			}
		}
		if mutual == 0 || other == r.n {
			continue
		}
		for range count {
			dst = append(dst, [3]int{i, r.list[rng.IntN(mutual)], r.list[other+rng.IntN(r.n-other)]})
		}
	}
	return dst
}

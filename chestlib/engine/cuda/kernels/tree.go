package kernels

import "github.com/chestlab/chest/chestlib/engine/cuda/driver"

// Tree is HypHC on n triplets of points.
type Tree struct {
	Triplets    driver.Memory // 3n leaves
	N           int
	P, Room     driver.Memory // points, 1-c‖p‖²
	D           int
	C           float64
	Like        driver.Memory // rows of DLike that likeness comes from
	DLike       int
	Proxies     int // leaves of a class
	Aware       bool
	Temperature float64
	Scale       float64       // of the gradient: weight/n
	Depth, W    driver.Memory // 3n float64
	Grad        driver.Memory // 12n float64
	Loss        driver.Memory // n float64
}

// TreeLoss queues the loss of each triplet and what TreeScatter needs.
func (s *Set) TreeLoss(t Tree) error {
	err := s.launch("tree_pairs", line(blocks(3*t.N, 4)), 128, t.Triplets, t.N, t.P, t.Room, t.D, t.C, t.Like, t.DLike, t.Proxies, flag(t.Aware), t.Depth, t.W, t.Grad)
	if err != nil {
		return err
	}
	return s.launch("tree_triplets", line(blocks(t.N, 128)), 128, t.N, t.Depth, t.W, t.Temperature, t.Scale, t.Grad, t.Loss)
}

// TreeScatter adds the gradient to that by the points, g. Leaf i of leaves has
// the entries start[i] to start[i+1]; see the kernel.
func (s *Set) TreeScatter(t Tree, leaf, start, entry driver.Memory, leaves int, g driver.Memory) error {
	return s.launch("tree_scatter", line(leaves), 128, leaf, start, entry, t.Triplets, t.P, t.Grad, t.D, g)
}

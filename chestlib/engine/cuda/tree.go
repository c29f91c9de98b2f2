package cuda

import (
	"math/rand/v2"
	"slices"

	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
	"github.com/chestlab/chest/chestlib/loss"
)

// tree is the HypHC term on the proxies of the ball. Triplets are drawn here,
// as the definition draws them, and their ends sorted by leaf, so that the
// device sums each leaf's gradient in one order.
type tree struct {
	def    *loss.HypHC
	weight float64
	h, e   *space // e is nil without the sphere: then likeness is that of h's params

	triplets [][3]int
	ints     []int32 // what is uploaded: triplets, leaves, starts, entries
	leaf     int     // where in ints they begin
	start    int
	entry    int
	leaves   int
	slot     []int32 // of each leaf: its place among the leaves, from 1
	count    []int32 // entries of each of those

	all                  piece
	depth, w, grad, loss piece
	lossSum              int
}

func newTree(def *loss.HypHC, weight float64, h, e *space) *tree {
	return &tree{def: def, weight: weight, h: h, e: e, slot: make([]int32, h.columns())}
}

// draw draws the triplets of a step and sorts their ends.
func (t *tree) draw(label []int, rng *rand.Rand) {
	t.triplets = t.def.Draw(label, nil, rng) // what New lets pass needs no vectors for it
	n := len(t.triplets)
	t.ints = t.ints[:0]
	for _, leaves := range t.triplets {
		for _, l := range leaves {
			t.ints = append(t.ints, int32(l))
		}
	}
	t.leaf = len(t.ints)
	t.count = t.count[:0]
	for _, l := range t.ints[:t.leaf] {
		if t.slot[l] == 0 {
			t.ints = append(t.ints, l)
			t.count = append(t.count, 0)
			t.slot[l] = int32(len(t.count))
		}
		t.count[t.slot[l]-1] += 2 // each leaf of a triplet is in two of its pairs
	}
	for most := min(t.leaf, len(t.slot)); len(t.ints) < t.leaf+most; { // all draws are laid out alike
		t.ints = append(t.ints, 0)
	}
	t.leaves, t.start = len(t.ints)-t.leaf, len(t.ints)
	from := int32(0)
	for i, c := range t.count {
		t.ints = append(t.ints, from)
		t.count[i] = from // from now on: where the next entry goes
		from += c
	}
	for len(t.ints) < t.start+t.leaves+1 { // the places that are not used are empty
		t.ints = append(t.ints, from)
	}
	t.entry = len(t.ints)
	t.ints = slices.Grow(t.ints, 6*n)[:t.entry+6*n]
	for i, leaves := range t.triplets {
		for m, pair := range [3][2]int{{0, 1}, {0, 2}, {1, 2}} {
			for side, at := range pair {
				slot := t.slot[leaves[at]] - 1
				t.ints[t.entry+int(t.count[slot])] = int32((3*i+m)*2 + side)
				t.count[slot]++
			}
		}
	}
	for _, l := range t.ints[:t.leaf] {
		t.slot[l] = 0
	}
}

// upload copies them to the device and makes room for the results.
func (t *tree) upload(set *kernels.Set, m *memory) error {
	n := len(t.triplets)
	if err := m.fits(&t.all, 4*len(t.ints), &t.depth, 24*n, &t.w, 24*n, &t.grad, 96*n, &t.loss, 8*n); err != nil {
		return err
	}
	return set.UploadInts(t.all.at, t.ints)
}

// term describes the term for the kernels.
func (t *tree) term() kernels.Tree {
	s := t.e
	if s == nil {
		s = t.h
	}
	o, n := t.def.Options(), len(t.triplets)
	return kernels.Tree{Triplets: t.all.at, N: n, P: t.h.p.x.at, Room: t.h.p.room.at, D: t.h.d, C: t.h.chart.C, Like: s.t.w.at, DLike: s.d, Proxies: t.h.k,
		Aware: o.LabelAware, Temperature: t.def.Temperature(), Scale: t.weight / float64(max(n, 1)), Depth: t.depth.at, W: t.w.at, Grad: t.grad.at, Loss: t.loss.at}
}

// queue queues the loss of the triplets.
func (t *tree) queue(set *kernels.Set, s *sums) error {
	t.lossSum = s.add(t.loss.at, len(t.triplets))
	return set.TreeLoss(t.term())
}

// scatter queues the addition of the gradient to that by the points.
func (t *tree) scatter(set *kernels.Set, g driver.Memory) error {
	return set.TreeScatter(t.term(), t.all.at.At(4*t.leaf), t.all.at.At(4*t.start), t.all.at.At(4*t.entry), t.leaves, g)
}

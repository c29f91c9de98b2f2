package engine

import (
	"math/rand/v2"

	"github.com/chestlab/chest/chestlib/hyphc"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/internal/vmath"
)

// tree is the HypHC term on the proxies of the ball. The gradient touches the
// proxies of the drawn triplets only, so it is kept as a list of rows.
type tree struct {
	def    *loss.HypHC
	weight float64
	h, e   *space // e is nil without the sphere: then likeness is that of h's params

	triplets [][3]int // proxies c·K+k
	slot     []int32  // of each row of h.p: its place in rows and grad, from 1
	rows     []int    // of h.p
	grad     []float32
	loss     float64
}

func newTree(def *loss.HypHC, weight float64, h, e *space) *tree {
	rows := h.classes * h.k
	most := min(3*def.Options().Triplets, rows)
	return &tree{def: def, weight: weight, h: h, e: e,
		slot: make([]int32, rows), rows: make([]int, 0, most), grad: make([]float32, most*h.d)}
}

// draw draws the triplets of a step.
func (t *tree) draw(label []int, rng *rand.Rand) { t.triplets = t.def.Draw(label, rng) }

// step computes the loss and, to train, the gradient by the points.
func (t *tree) step(train bool) {
	for _, r := range t.rows {
		t.slot[r] = 0
	}
	t.rows = t.rows[:0]
	t.loss = 0
	if len(t.triplets) == 0 {
		return
	}
	scale := t.weight / float64(len(t.triplets))
	for _, triplet := range t.triplets {
		var at [3]int
		for m, leaf := range triplet {
			at[m] = row(t.h.blocks, leaf/t.h.k, leaf%t.h.k, t.h.k)
		}
		var pairs [3]hyphc.Dots
		var depth, likeness [3]float64
		for m, p := range pairsOf {
			pairs[m] = t.dots(at[p[0]], at[p[1]])
			depth[m] = pairs[m].LCA()
			likeness[m] = t.likeness(triplet[p[0]], triplet[p[1]])
		}
		l, g := hyphc.TripletLoss(depth, likeness, t.def.Options().Temperature)
		t.loss += l
		if !train {
			continue
		}
		for m, p := range pairsOf {
			t.pull(pairs[m], at[p[0]], at[p[1]], scale*g[m])
		}
	}
	t.loss /= float64(len(t.triplets))
}

// pairsOf are the pairs of a triplet in the order of hyphc.TripletLoss.
var pairsOf = [3][2]int{{0, 1}, {0, 2}, {1, 2}}

// dots returns what hyphc needs of two rows of h.p.
func (t *tree) dots(i, j int) hyphc.Dots {
	d, p := t.h.d, t.h.p
	a, b := p[i*d:(i+1)*d], p[j*d:(j+1)*d]
	return hyphc.Dots{
		AA: vmath.Dot64(a, a), BB: vmath.Dot64(b, b), AB: vmath.Dot64(a, b), DD: vmath.SquaredDistance64(a, b),
		RoomA: float64(t.h.bq[i]), RoomB: float64(t.h.bq[j]), C: t.h.chart.c,
	}
}

// likeness is w of two leaves c·K+k: (1 + cos)/2, ½ for a zero vector.
func (t *tree) likeness(a, b int) float64 {
	if t.def.Options().LabelAware && a/t.h.k == b/t.h.k {
		return 1
	}
	s := t.e
	if s == nil {
		s = t.h
	}
	x, y := s.proxies.Value[a*s.d:(a+1)*s.d], s.proxies.Value[b*s.d:(b+1)*s.d]
	return hyphc.SimilarityOf(vmath.Dot64(x, x), vmath.Dot64(y, y), vmath.Dot64(x, y))
}

// pull adds g times the gradient of a pair's depth.
func (t *tree) pull(p hyphc.Dots, i, j int, g float64) {
	if g == 0 {
		return
	}
	aa, ab, ba, bb := p.Grad()
	d := t.h.d
	a, b := t.h.p[i*d:(i+1)*d], t.h.p[j*d:(j+1)*d]
	vmath.Combine64(t.at(i), g*aa, a, g*ab, b)
	vmath.Combine64(t.at(j), g*ba, a, g*bb, b)
}

// at returns the gradient by row r of h.p, cleared when it is new.
func (t *tree) at(r int) []float32 {
	d := t.h.d
	if t.slot[r] == 0 {
		t.rows = append(t.rows, r)
		t.slot[r] = int32(len(t.rows))
		clear(t.grad[(len(t.rows)-1)*d : len(t.rows)*d])
	}
	at := int(t.slot[r]) - 1
	return t.grad[at*d : (at+1)*d]
}

// add adds the gradient to that of the rows [from, from+n) of h.p.
func (t *tree) add(gp []float32, from, n, d int) {
	for j, slot := range t.slot[from : from+n] {
		if slot > 0 {
			vmath.Add(gp[j*d:(j+1)*d], gp[j*d:(j+1)*d], t.grad[(int(slot)-1)*d:int(slot)*d])
		}
	}
}

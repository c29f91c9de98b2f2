package engine

import (
	"math/rand/v2"

	"github.com/chestlab/chest/chestlib/ball"
	"github.com/chestlab/chest/chestlib/hyphc"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/internal/vmath"
)

// tree is the HypHC term on the proxies of the ball, or on the means of the
// classes. The gradient touches the leaves of the drawn triplets only, so it is
// kept as a list of rows.
type tree struct {
	def    *loss.HypHC
	weight float64
	h, e   *space // e is nil without the sphere: then likeness is that of h's params
	means  bool   // the leaves are class means

	v        []float32 // C×D, of means: tangent vectors
	p        []float32 // points of the leaves: those of h, or C×D
	room     []float32 // 1-c‖p‖²
	pulls    []pull    // of means
	like     []float32 // vectors of the similarities
	triplets [][3]int  // leaves c·K+k, or c
	slot     []int32   // of each row of p: its place in rows and grad, from 1
	rows     []int     // of p
	grad     []float32
	loss     float64
	length   float64 // Σ G D over the depths D
}

func newTree(def *loss.HypHC, weight float64, h, e *space) *tree {
	t := &tree{def: def, weight: weight, h: h, e: e, means: def.Options().Leaves == loss.MeanLeaves, p: h.p, room: h.bq}
	rows := h.classes * h.k
	if t.means {
		rows = h.classes
		t.v, t.p = make([]float32, rows*h.d), make([]float32, rows*h.d)
		t.room, t.pulls = make([]float32, rows), make([]pull, rows)
	}
	most := min(3*def.Options().Triplets, rows)
	t.slot, t.rows, t.grad = make([]int32, rows), make([]int, 0, most), make([]float32, most*h.d)
	return t
}

// draw draws the triplets of a step.
func (t *tree) draw(label []int, rng *rand.Rand) {
	s := t.h
	if t.e != nil {
		s = t.e
	}
	t.like = t.def.Like(s.proxies.Value, s.k)
	t.triplets = t.def.Draw(label, t.like, rng)
}

// row is where a leaf lies in p.
func (t *tree) row(leaf int) int {
	if t.means {
		return leaf
	}
	return row(t.h.blocks, leaf/t.h.k, leaf%t.h.k, t.h.k)
}

// step computes the loss and, to train, the gradient by the points.
func (t *tree) step(train bool) {
	for _, r := range t.rows {
		t.slot[r] = 0
	}
	t.rows = t.rows[:0]
	t.loss, t.length = 0, 0
	if len(t.triplets) == 0 {
		return
	}
	scale := t.weight / float64(len(t.triplets))
	for _, triplet := range t.triplets {
		var at [3]int
		for m, leaf := range triplet {
			at[m] = t.row(leaf)
		}
		var pairs [3]hyphc.Dots
		var depth, likeness [3]float64
		for m, p := range pairsOf {
			pairs[m] = t.dots(at[p[0]], at[p[1]])
			depth[m] = pairs[m].LCA()
			likeness[m] = t.likeness(triplet[p[0]], triplet[p[1]])
		}
		l, g := hyphc.TripletLoss(depth, likeness, t.def.Temperature())
		t.loss += l
		if !train {
			continue
		}
		for m, p := range pairsOf {
			t.length += scale * g[m] * depth[m]
			t.pull(pairs[m], at[p[0]], at[p[1]], scale*g[m])
		}
	}
	t.loss /= float64(len(t.triplets))
}

// pairsOf are the pairs of a triplet in the order of hyphc.TripletLoss.
var pairsOf = [3][2]int{{0, 1}, {0, 2}, {1, 2}}

// dots returns what hyphc needs of two rows of p.
func (t *tree) dots(i, j int) hyphc.Dots {
	d, p := t.h.d, t.p
	a, b := p[i*d:(i+1)*d], p[j*d:(j+1)*d]
	return hyphc.Dots{
		AA: vmath.Dot64(a, a), BB: vmath.Dot64(b, b), AB: vmath.Dot64(a, b), DD: vmath.SquaredDistance64(a, b),
		RoomA: float64(t.room[i]), RoomB: float64(t.room[j]), C: t.h.chart.c,
	}
}

// likeness is w of two leaves: (1 + cos)/2, ½ for a zero vector.
func (t *tree) likeness(a, b int) float64 {
	if !t.means && t.def.Options().LabelAware && a/t.h.k == b/t.h.k {
		return 1
	}
	d := len(t.like) / len(t.slot)
	x, y := t.like[a*d:(a+1)*d], t.like[b*d:(b+1)*d]
	return hyphc.SimilarityOf(vmath.Dot64(x, x), vmath.Dot64(y, y), vmath.Dot64(x, y))
}

// pull adds g times the gradient of a pair's depth.
func (t *tree) pull(p hyphc.Dots, i, j int, g float64) {
	if g == 0 {
		return
	}
	aa, ab, ba, bb := p.Grad()
	d := t.h.d
	a, b := t.p[i*d:(i+1)*d], t.p[j*d:(j+1)*d]
	vmath.Combine64(t.at(i), g*aa, a, g*ab, b)
	vmath.Combine64(t.at(j), g*ba, a, g*bb, b)
}

// at returns the gradient by row r of p, cleared when it is new.
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

// mapMeans computes the means of a block's classes and their points.
func (t *tree) mapMeans(b block) {
	s, d := t.h, t.h.d
	chart := s.proxyChart()
	for c := b.first; c < b.first+b.n; c++ {
		v, p := t.v[c*d:(c+1)*d], t.p[c*d:(c+1)*d]
		vmath.Scale(v, 1/float32(s.k), s.proxies.Value[c*s.k*d:(c*s.k+1)*d])
		for r := c*s.k + 1; r < (c+1)*s.k; r++ {
			vmath.Axpy(v, 1/float32(s.k), s.proxies.Value[r*d:(r+1)*d])
		}
		pt := chart.at(vmath.Dot64(v, v))
		vmath.Scale(p, float32(pt.f), v)
		t.room[c], t.pulls[c] = float32(pt.room), pt.pull
	}
}

// pullMean writes the gradient by each tangent proxy of a class through the
// class's mean into dst and returns it, or nil if there is none. It adds to sums.
func (t *tree) pullMean(class int, dst []float32, sums *ball.Sums) []float32 {
	if !t.means || t.slot[class] == 0 {
		return nil
	}
	d := t.h.d
	dst = dst[:d]
	clear(dst)
	p := &t.pulls[class]
	sums.Add(p.sums(p.back(dst, t.v[class*d:(class+1)*d], t.at(class))))
	vmath.Scale(dst, 1/float32(t.h.k), dst)
	return dst
}

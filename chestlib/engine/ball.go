package engine

import (
	"math"

	"github.com/chestlab/chest/chestlib/ball"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/internal/vmath"
)

// near is the share of ‖x‖²+‖p‖² below which ‖x-p‖² from dot products has lost
// too many digits; vmath.SquaredFromDots looks for it.
const near = 1e-5

// squared turns the dot products of row i with a block into squared distances.
func (s *space) squared(row []float32, i int, b block) {
	pp := s.pp[b.at : b.at+len(row)]
	if !vmath.SquaredFromDots(row, s.xx[i], pp) {
		return
	}
	x := s.x[i*s.d : (i+1)*s.d]
	for j, sq := range row {
		if sq < near*(s.xx[i]+pp[j]) {
			row[j] = float32(vmath.SquaredDistance64(x, s.p[(b.at+j)*s.d:(b.at+j+1)*s.d]))
		}
	}
}

// similarities returns the similarities of row i to a block, given squared
// distances, and for NegativeSquared the distances; for Exponential, if the ball
// is learned, their negative. They lie in the worker's memory.
func (s *space) similarities(sq []float32, i int, b block, w *worker) (sim, dist []float32) {
	sim = w.sim[:len(sq)]
	s.distances(sim, sq, i, b, s.scale())
	switch s.kind {
	case loss.NegativeSquared:
		dist, sim = sim, w.squares[:len(sq)]
		vmath.Mul(sim, dist, dist)
		vmath.Scale(sim, -1, sim)
		return sim, dist
	case loss.Exponential:
		if s.learns() {
			dist = w.squares[:len(sq)]
			copy(dist, sim)
		}
		vmath.Exp(sim, sim)
	}
	return sim, dist
}

// length returns Σ G D over the distances D of a row to a block, for the
// gradient G by them.
func (s *space) length(G, sim, dist []float32) float64 {
	switch s.kind {
	case loss.NegativeSquared:
		return vmath.Dot64(G, dist)
	case loss.Exponential:
		return -vmath.Dot64(G, dist)
	case loss.Rescaled:
		return -4 * s.chart.r * vmath.Dot64(G, sim)
	}
	return -vmath.Dot64(G, sim)
}

// scale is what distances are multiplied by to begin with.
func (s *space) scale() float64 {
	switch s.kind {
	case loss.NegativeSquared:
		return 1
	case loss.Rescaled:
		return -1 / (4 * s.chart.r)
	}
	return -1
}

// distances writes scale times the distances of row i to a block.
func (s *space) distances(dst, sq []float32, i int, b block, scale float64) {
	if s.chart.c == 0 {
		vmath.Sqrt(dst, sq)
		vmath.Scale(dst, float32(2*scale), dst)
		return
	}
	c := s.chart.c
	vmath.BallDistance(dst, sq, float32(c/float64(s.a[i])), s.inverseB[b.at:b.at+len(sq)], float32(2*scale/math.Sqrt(c)))
}

// slope is the constant factor of ∂similarity/∂distance. NegativeSquared has
// the distance beside it, Exponential the similarity.
func (s *space) slope() float32 {
	switch s.kind {
	case loss.NegativeSquared:
		return -2
	case loss.Rescaled:
		return float32(-1 / (4 * s.chart.r))
	}
	return -1
}

// present takes c and r of the ball as they are now.
func (s *space) present() {
	m := s.def.Map()
	s.chart = chart{c: m.C, r: m.R, soft: m.Soft}
}

// learns says whether c or r are learned.
func (s *space) learns() bool { return s.ball && s.def.Param() != nil }

// addGrad adds the gradient by c and r to the ball's param: what the lanes,
// blocks and tasks of rows have left, in their order, and the tree.
func (s *space) addGrad(t *tree) {
	var all ball.Sums
	for _, length := range s.lengths {
		all.Length += length
	}
	if s.kind == loss.Rescaled { // r ∂s/∂r = -s, and s is a multiple of D
		all.Radius -= all.Length
	}
	for _, merge := range s.merges {
		all.Length += s.weight * merge // R is a sum of distances
	}
	for _, sums := range [2][]ball.Sums{s.blockSums, s.rowSums} {
		for _, b := range sums {
			all.Add(b)
		}
	}
	if t != nil {
		all.Length += t.length
	}
	s.def.AddGrad(all)
}

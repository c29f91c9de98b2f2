package engine

import (
	"math"

	"github.com/chestlab/chest/internal/vmath"
)

// merge returns τR of a block's classes and, to train, adds the gradient to gp.
func (s *space) merge(b block, gp []float32) (r float64) {
	if s.k < 2 || s.tau == 0 {
		return 0
	}
	scale := s.tau / float64(s.classes*s.k*(s.k-1))
	for c := range b.n {
		for k := range s.k {
			for l := range k {
				r += scale * s.mergePair(b, gp, k*b.n+c, l*b.n+c, s.weight*scale)
			}
		}
	}
	return r
}

// mergeEps is ε of R.
const mergeEps = 1e-5

// mergePair returns the term of R of two proxies of a block and adds g times
// its gradient to gp, unless that is nil.
func (s *space) mergePair(b block, gp []float32, j, l int, g float64) float64 {
	d := s.d
	p, q := s.p[(b.at+j)*d:(b.at+j+1)*d], s.p[(b.at+l)*d:(b.at+l+1)*d]
	var gj, gl []float32
	if gp != nil {
		gj, gl = gp[j*d:(j+1)*d], gp[l*d:(l+1)*d]
	}
	sq := vmath.SquaredDistance64(p, q)
	if s.ball {
		return s.mergeBall(b, gj, gl, p, q, j, l, sq, g)
	}
	if dot := vmath.Dot64(p, q); dot < 0.9 { // also where one is the zero vector
		sq = 2 - 2*dot
	}
	root := math.Sqrt(sq + mergeEps)
	if gp != nil {
		vmath.Axpy(gj, float32(-g/root), q)
		vmath.Axpy(gl, float32(-g/root), p)
	}
	return root
}

// mergeBall is mergePair in the ball, where the term is the distance.
func (s *space) mergeBall(b block, gj, gl, p, q []float32, j, l int, sq, g float64) float64 {
	c, roomP, roomQ := s.chart.c, float64(s.bq[b.at+j]), float64(s.bq[b.at+l])
	if gj != nil && sq > 0 {
		w := 2 * g / math.Sqrt((roomP*roomQ+c*sq)*sq)
		v := w * sq
		vmath.Combine64(gj, w+c*v/roomP, p, -w, q)
		vmath.Combine64(gl, w+c*v/roomQ, q, -w, p)
	}
	if c == 0 {
		return 2 * math.Sqrt(sq)
	}
	return 2 / math.Sqrt(c) * math.Asinh(math.Sqrt(c*sq/(roomP*roomQ)))
}

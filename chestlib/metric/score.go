package metric

import (
	"fmt"
	"math"

	"github.com/chestlab/chest/internal/vmath"
)

// near is the share below which a squared difference taken from inner
// products has lost too many digits and is taken from the difference itself.
const near = 1e-5

// table is a checked set of rows. Their products are taken in float64, where
// those of two float32 entries are exact.
type table struct {
	x  []float32 // n×d, the caller's
	sq []float64 // ‖xᵢ‖²
	n  int
	d  int
}

// newTable takes x, or names the first row that cannot be used. kind is the
// word for a row in that message.
func newTable(kind string, x []float32, d int, o Options) (table, error) {
	t := table{x: x, n: len(x) / d, d: d}
	t.sq = make([]float64, t.n)
	for i, v := range x {
		w := float64(v)
		if math.IsNaN(w) || math.IsInf(w, 0) {
			return t, fmt.Errorf("metric: %s row %d, column %d is %g: the embedding has diverged; look at the loss and lower the rate", kind, i/d, i%d, w)
		}
	}
	for i := range t.n {
		t.sq[i] = dot(t.row(i), t.row(i))
		if o.Space == Hyperbolic && o.Curvature*t.sq[i] >= 1 {
			return t, fmt.Errorf("metric: %s row %d is not on the ball: c‖x‖² = %g, must be below 1; map tangent vectors by expmap0 first, or clip or project", kind, i, o.Curvature*t.sq[i])
		}
	}
	return t, nil
}

func (t table) row(i int) []float32 { return t.x[i*t.d : (i+1)*t.d] }

// dot is the inner product. Its order of summation depends on the length
// alone: equal rows get equal scores.
func dot(x, y []float32) float64 { return vmath.Dot64(x, y) }

// scorer compares rows of q with rows of g.
type scorer struct {
	q, g  table
	space Space
	c     float64
}

// score returns the score of query i against gallery row j. A higher score is
// nearer. Scores of one query are comparable with each other and with nothing
// else; value turns one into a similarity or a distance.
func (s *scorer) score(i, j int) float64 {
	p := dot(s.q.row(i), s.g.row(j))
	if s.space == Cosine {
		return s.cosine(p, i, j)
	}
	return s.hyperbolic(p, i, j)
}

// cosine returns an increasing function of the cosine γ of query i and gallery
// row j, from their inner product p:
//
//	γ|γ| = p|p| / (‖x‖²‖y‖²)   if γ² ≤ 1 - near or γ < 0
//	1/(1-γ²) > 1               otherwise; +Inf if x and y are parallel
//
// Without the root, vectors that differ by a factor tie exactly where the
// products are exact, as they are for small whole numbers. The second branch
// tells near-duplicates apart where γ itself rounds to 1.
func (s *scorer) cosine(p float64, i, j int) float64 {
	a, b := s.q.sq[i], s.g.sq[j]
	if a == 0 || b == 0 {
		return 0
	}
	g := p * math.Abs(p) / (a * b)
	if g <= 1-near {
		return g
	}
	return b / residual(s.q.row(i), s.g.row(j), a, p)
}

// residual returns the squared length of the part of y across x, for y nearly
// parallel to x, a = ‖x‖² and p = x·y:
//
//	δ = y - t x,  r = δ - (δ·x/a) x
//
// t is p/a to 24 bits, so that t x is exact for float32 entries, δ is small and
// exact, and r keeps its digits, which y - (p/a) x does not.
func residual(x, y []float32, a, p float64) float64 {
	t := math.Float64frombits((math.Float64bits(p/a) + 1<<28) &^ (1<<29 - 1))
	var dx, dd float64
	for k, v := range x {
		xk := float64(v)
		d := float64(y[k]) - t*xk
		dx += d * xk
		dd += d * d
	}
	var rr float64
	for k, v := range x {
		xk := float64(v)
		r := float64(y[k]) - t*xk - dx/a*xk
		rr += r * r
	}
	if rr <= 1e-28*dd { // only rounding is left: parallel
		return 0
	}
	return rr
}

// hyperbolic returns a decreasing function of the distance of query i and
// gallery row j, from their inner product p:
//
//	-‖x-y‖² / (1 - c‖y‖²)
//
// The distance is (2/√c) arsinh √( c‖x-y‖² / ((1-c‖x‖²)(1-c‖y‖²)) ), and the
// factor of x is the same for the whole gallery.
func (s *scorer) hyperbolic(p float64, i, j int) float64 {
	a, b := s.q.sq[i], s.g.sq[j]
	dd := a + b - 2*p
	if dd < near*(a+b) {
		dd = vmath.SquaredDistance64(s.q.row(i), s.g.row(j))
	}
	return -dd / (1 - s.c*b)
}

// value turns a score of query i into the cosine or the distance.
func (s *scorer) value(score float64, i int) float64 {
	if s.space == Cosine {
		if score > 1 {
			return math.Sqrt(1 - 1/score)
		}
		return math.Copysign(math.Sqrt(math.Abs(score)), score)
	}
	dd := -score / (1 - s.c*s.q.sq[i])
	if s.c == 0 {
		return 2 * math.Sqrt(dd)
	}
	return 2 / math.Sqrt(s.c) * math.Asinh(math.Sqrt(s.c*dd))
}

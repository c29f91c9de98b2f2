package loss

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/chestlib/poincare"
	"github.com/chestlab/chest/internal/parallel"
)

// measure says what a table holds: a₀ + a₁v + a₂v² of the cosine v, or of the
// distance v.
type measure struct {
	cosine     bool
	a0, a1, a2 float64
}

// similarity is x·y on the sphere, -d(x,y) in the ball.
func similarity(g Geometry) measure {
	if g == Ball {
		return measure{a1: -1}
	}
	return measure{cosine: true, a1: 1}
}

// minusSquared is -‖x-y‖² = 2x·y - 2 on the sphere, -d(x,y)² in the ball.
func minusSquared(g Geometry) measure {
	if g == Ball {
		return measure{a2: -1}
	}
	return measure{cosine: true, a0: -2, a1: 2}
}

// table is a measure of all rows of x against all rows of y, and its gradient.
//
// Cost: one matrix product of n·m·d, two for the gradient.
type table struct {
	measure
	pairs poincare.Pairs
	n, m  int
	v     []float64 // n×m: cosines or distances
	s     []float64 // n×m: what measure makes of them
	g     []float64 // n×m: the gradient by s; backward overwrites it
}

// fill computes v and s.
func (t *table) fill(x, y *placed) {
	t.n, t.m = x.rows(), y.rows()
	t.v, t.s = resized(t.v, t.n*t.m), resized(t.s, t.n*t.m)
	scale := 1.0
	switch {
	case t.n == 0 || t.m == 0:
		return
	case t.cosine:
		X, Y := general(x.x, t.n, x.chart.d), general(y.x, t.m, x.chart.d)
		blas64.Gemm(blas.NoTrans, blas.Trans, 1, X, Y, 0, general(t.v, t.n, t.m))
	case x.geometry == Ball:
		t.pairs.Distances(t.v, x.x, y.x, x.chart.d, x.chart.C)
	default: // the flat distance is 2‖x-y‖
		t.pairs.Distances(t.v, x.x, y.x, x.chart.d, 0)
		scale = 0.5
	}
	t.each(func(at int) {
		v := scale * t.v[at]
		t.v[at], t.s[at] = v, t.a0+v*(t.a1+v*t.a2)
	})
}

// backward sets the gradients by x and y, given g by s. x may be y: then it
// gets the sum of both.
func (t *table) backward(x, y *placed) {
	x.g, y.g = zeros(x.g, len(x.x)), zeros(y.g, len(y.x))
	if t.n == 0 || t.m == 0 {
		return
	}
	scale := 1.0
	if !t.cosine && x.geometry != Ball {
		scale = 0.5
	}
	t.each(func(at int) { t.g[at] *= scale * (t.a1 + 2*t.a2*t.v[at]) })
	if !t.cosine {
		t.pairs.Grad(x.g, y.g, t.g)
		return
	}
	G, d := general(t.g, t.n, t.m), x.chart.d
	blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, G, general(y.x, t.m, d), 1, general(x.g, t.n, d))
	blas64.Gemm(blas.Trans, blas.NoTrans, 1, G, general(x.x, t.n, d), 1, general(y.g, t.m, d))
}

// length is Σ g v, after backward: of distances, what a ball that is learned
// wants to know.
func (t *table) length() float64 { return floats.Dot(t.g[:t.n*t.m], t.v) }

// each calls f for every entry, rows in parallel.
func (t *table) each(f func(at int)) {
	parallel.For(t.n, blockRows, func(lo, hi int) {
		for at := lo * t.m; at < hi*t.m; at++ {
			f(at)
		}
	})
}

// row returns row i of an n×m matrix, nil of nil.
func (t *table) row(x []float64, i int) []float64 {
	if x == nil {
		return nil
	}
	return x[i*t.m : (i+1)*t.m]
}

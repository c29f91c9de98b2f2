package hyphc

import (
	"fmt"
	"math"

	"github.com/chestlab/chest/chestlib/poincare"
)

// Points are similarities of points of the Poincaré ball of curvature -c, of any
// norms, in [0,1], taken when they are asked for.
type Points struct {
	d     int
	c     float64
	n     int
	x     []float64 // n×d, row-major
	far   float64   // distance from the origin of the farthest
	depth bool      // by the depth of common ancestors, not by distance
}

// Depths makes the similarities of x, n×d, row-major, by the depth of common
// ancestors:
//
//	At(i,j) = LCA(xᵢ,xⱼ) / max over i of d(0,xᵢ)
//
// The tree that HypHC reads off such points is their single Linkage, which for
// points of one norm is that of Decode. At(i,i) is below 1 for a point that is
// not the farthest, which trees do not ask for. All points at the origin have
// similarity 0.
//
// Time: three products of d a call. It gives an error if c is not positive, or if
// a point is not finite or outside the ball, and panics if x is no whole number
// of rows. x is copied.
func Depths(x []float64, d int, c float64) (*Points, error) {
	return newPoints("Depths", x, d, c)
}

// Distances makes the similarities of x, n×d, row-major, by hyperbolic distance:
//
//	At(i,j) = 1 - d(xᵢ,xⱼ) / (2 max over i of d(0,xᵢ))
//
// Linkage of them merges by distance. Otherwise it is as Depths; all points at
// the origin have similarity 1.
func Distances(x []float64, d int, c float64) (*Points, error) {
	return newPoints("Distances", x, d, c)
}

// newPoints copies x and checks it.
func newPoints(what string, x []float64, d int, c float64) (*Points, error) {
	if d < 1 || len(x)%d != 0 {
		panic(fmt.Sprintf("hyphc: %s: %d entries are no rows of length %d", what, len(x), d))
	}
	if !(c > 0) || math.IsInf(c, 1) {
		return nil, fmt.Errorf("hyphc: %s: c is %g; want minus the curvature of a ball, a positive number", what, c)
	}
	p := &Points{d: d, c: c, n: len(x) / d, x: append([]float64(nil), x...), depth: what == "Depths"}
	for i := range p.n {
		var norm float64
		for _, v := range p.row(i) {
			norm += v * v
		}
		if !(c*norm < 1) {
			return nil, fmt.Errorf("hyphc: %s: row %d has norm %g; want a point of the ball, below %g", what, i, math.Sqrt(norm), 1/math.Sqrt(c))
		}
		p.far = max(p.far, poincare.Distance0(p.row(i), c))
	}
	return p, nil
}

func (p *Points) row(i int) []float64 { return p.x[i*p.d : (i+1)*p.d] }

// Len is the number of points.
func (p *Points) Len() int { return p.n }

// At is the similarity of points i and j.
func (p *Points) At(i, j int) float64 {
	i, j = min(i, j), max(i, j) // so that it is symmetric to the last bit
	switch {
	case p.depth && p.far == 0:
		return 0
	case p.depth:
		return LCA(p.row(i), p.row(j), p.c) / p.far
	case p.far == 0:
		return 1
	}
	return 1 - poincare.Distance(p.row(i), p.row(j), p.c)/(2*p.far)
}

// Package hyphc implements hierarchical clustering, in hyperbolic space and by
// linkage.
//
// A tree is read off leaves in the Poincaré ball: the nearer to the origin the
// geodesic between two leaves passes, the earlier they part from each other.
// LCA measures that, TripletLoss relaxes Dasgupta's cost of the tree, and
// Cluster trains leaves by it:
//
//	w, err := hyphc.Standardised(rows, columns) // or Cosine, of embeddings
//	c, err := hyphc.Cluster(ctx, w, hyphc.Options{})
//	purity, err := c.Tree.Purity(labels)
//	fmt.Println(c.Cost, purity, c.Tree.Cut(7), c.Tree.Newick(names))
//
// Linkage builds the usual trees from the same similarities, to compare with, and
// from points of a ball by Depths and Distances. Purity and Triplets compare a tree
// with what is known.
//
// Source of HypHC: I. Chami, A. Gu, V. Chatziafratis, C. Ré, "From Trees to Continuous
// Embeddings and Back: Hyperbolic Hierarchical Clustering" (2020).
package hyphc

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/chestlib/poincare"
)

// LCA returns the distance from the origin of the lowest common ancestor of a
// and b: the point of the geodesic segment from a to b nearest to the origin.
//
// With s = √c, G = ‖a‖²‖b‖² - (a·b)² and Q = 1 - 2c a·b + c²‖a‖²‖b‖², where the
// nearest point of the whole geodesic lies between a and b,
//
//	sinh(s LCA) = 2s √G / (‖a-b‖ √Q)
//
// and d(0,a) or d(0,b) where it lies beyond a or beyond b; d(0,a) if a = b.
// c = 0 is the limit, twice the height of the triangle 0ab. The original code
// takes the whole geodesic always; the segment is the definition and keeps
// the value continuous.
//
// The closed form comes from the circle that carries the geodesic: its centre M
// and radius R have ‖M‖² = 1/c + R², and sinh(s LCA) = 1/(sR).
//
// LCA panics if the lengths differ.
func LCA(a, b []float64, c float64) float64 {
	p := newPair(a, b, c)
	switch p.foot() {
	case atA:
		return poincare.Distance0(a, c)
	case atB:
		return poincare.Distance0(b, c)
	}
	z := p.height()
	if c == 0 {
		return z
	}
	return math.Asinh(math.Sqrt(c)*z) / math.Sqrt(c)
}

// LCAGrad adds g times the gradients of LCA by a and b to ga and gb, either of
// which may be nil.
//
// Between a and b, with z = sinh(s LCA)/s, k = z/√(1+cz²) and a⊥ the part of a
// that is orthogonal to b,
//
//	∂/∂a = k [ a⊥/‖a⊥‖² - (a-b)/‖a-b‖² - (c²‖b‖² a - c b)/Q ]
//
// Beyond an end it is the gradient of d(0,·) there and 0 for the other point;
// for a = b half of that for each. Where a, b and the origin lie on a line in
// this order, a, 0, b, the value has a kink at 0 and the gradient is taken as 0.
func LCAGrad(ga, gb, a, b []float64, c, g float64) {
	p := newPair(a, b, c)
	switch p.foot() {
	case atA:
		if p.dd == 0 {
			g /= 2
			distance0Grad(gb, b, c, g)
		}
		distance0Grad(ga, a, c, g)
		return
	case atB:
		distance0Grad(gb, b, c, g)
		return
	}
	z := p.height()
	if z == 0 {
		return
	}
	k := g * z / math.Sqrt(1+c*z*z)
	if ga != nil {
		p.lineGrad(ga, k)
	}
	if gb != nil {
		p.swap().lineGrad(gb, k)
	}
}

// distance0Grad is poincare.Distance0Grad for a gradient that may be nil.
func distance0Grad(gx, x []float64, c, g float64) {
	if gx != nil {
		poincare.Distance0Grad(gx, x, c, g)
	}
}

// foot says where on the geodesic the point nearest to the origin is.
type foot int

const (
	between foot = iota
	atA
	atB
)

// pair holds two points and their dot products.
type pair struct {
	a, b       []float64
	c          float64
	aa, bb, ab float64
	dd         float64 // ‖a-b‖²
	q          float64 // 1 - 2c a·b + c²‖a‖²‖b‖²
}

func newPair(a, b []float64, c float64) pair {
	if len(a) != len(b) {
		panic(fmt.Sprintf("hyphc: points with %d and %d coordinates", len(a), len(b)))
	}
	if !(c >= 0) {
		panic(fmt.Sprintf("hyphc: c = %g, want c ≥ 0 (c is minus the curvature)", c))
	}
	p := pair{a: a, b: b, c: c, aa: floats.Dot(a, a), bb: floats.Dot(b, b), ab: floats.Dot(a, b)}
	p.dd = squaredDifference(a, b, 1)
	p.q = (1-c*p.aa)*(1-c*p.bb) + c*p.dd // the same number without cancellation
	return p
}

func (p pair) swap() pair {
	p.a, p.b, p.aa, p.bb = p.b, p.a, p.bb, p.aa
	return p
}

// foot places the point of the geodesic that is nearest to the origin.
func (p pair) foot() foot {
	switch {
	case p.dd == 0, (1+p.c*p.bb)*p.aa < (1+p.c*p.aa)*p.ab:
		return atA
	case (1+p.c*p.aa)*p.bb < (1+p.c*p.bb)*p.ab:
		return atB
	}
	return between
}

// inLine is the squared sine up to which two points count as in line with the
// origin: rounding alone gives about 2⁻¹⁰⁴ = 5e-32.
const inLine = 1e-30

// height returns z = sinh(s d)/s of the whole geodesic's distance d from the
// origin.
func (p pair) height() float64 {
	if p.aa == 0 || p.bb == 0 {
		return 0
	}
	// √G as ‖a‖ ‖b - (a·b/‖a‖²) a‖: the difference of squares would lose half the
	// digits of points nearly in line with the origin.
	perp := squaredDifference(p.b, p.a, p.ab/p.aa)
	if perp <= inLine*p.bb {
		return 0
	}
	return 2 * math.Sqrt(p.aa*perp/(p.dd*p.q))
}

// lineGrad adds k times the bracket of LCAGrad's formula to ga.
func (p pair) lineGrad(ga []float64, k float64) {
	t := p.ab / p.bb
	perp := squaredDifference(p.a, p.b, t)
	if perp == 0 {
		return
	}
	// collected as x a + y b would cancel; a⊥ is formed coordinate by coordinate
	for i, ai := range p.a {
		bi := p.b[i]
		ga[i] += k * ((ai-t*bi)/perp - (ai-bi)/p.dd - p.c*(p.c*p.bb*ai-bi)/p.q)
	}
}

// squaredDifference returns ‖x - t y‖².
func squaredDifference(x, y []float64, t float64) float64 {
	var sum float64
	for i, xi := range x {
		d := xi - t*y[i]
		sum += d * d
	}
	return sum
}

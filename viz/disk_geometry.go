package viz

import (
	"math"
	"math/cmplx"
)

// Points of the disk are complex numbers here: an isometry is then one line.
// The disk is the Poincaré model of curvature -1, d(0, z) = 2 artanh |z|.

// towards moves the disk so that a comes to the centre, without turning it there:
// (-a) ⊕ z in the notation of gyrovectors.
//
//	z ↦ (z - a) / (1 - āz)
//
// |a| < 1. Source: A. A. Ungar, "A Gyrovector Space Approach to Hyperbolic
// Geometry" (2009), chapter 1.
func towards(a, z complex128) complex128 { return (z - a) / (1 - cmplx.Conj(a)*z) }

// inside moves a point on or outside of the boundary just inside.
func inside(z complex128) complex128 {
	if r := cmplx.Abs(z); r > rim {
		return z * complex(rim/r, 0)
	}
	return z
}

// rim is the largest radius that is calculated with: 21 from the centre.
const rim = 1 - 1e-9

// tangent is the vector at the centre that points to z, as long as z is far.
func tangent(z complex128) complex128 {
	z = inside(z)
	r := cmplx.Abs(z)
	if r == 0 {
		return 0
	}
	return z * complex(2*math.Atanh(r)/r, 0)
}

// reach is the point at the end of the vector v at the centre.
func reach(v complex128) complex128 {
	r := cmplx.Abs(v)
	if r == 0 {
		return 0
	}
	return inside(v * complex(math.Tanh(r/2)/r, 0))
}

// frechetMean is the point with the least sum of squared distances to all, 0
// for none. It takes Newton's steps, at most 100, halved while they lead upwards:
// seen from the guess, a point at distance ρ in direction u has the gradient -ρu
// and the Hessian uuᵀ + ρ coth ρ (I - uuᵀ).
//
// Source: H. Karcher, "Riemannian center of mass and mollifier smoothing"
// (1977).
func frechetMean(all []complex128) complex128 {
	m := complex128(0)
	here := gradient{sum: math.Inf(1)}
	for next, step, k := m, complex128(0), 0; k < 100; k++ {
		g := gradientAt(next, all)
		if g.sum > here.sum {
			step /= 2
		} else {
			m, here, step = next, g, g.newton()
		}
		if cmplx.Abs(step) < 1e-10 {
			break
		}
		next = inside(towards(-m, reach(step)))
	}
	return m
}

// gradient is the means of squared distances, of the vectors to the points and
// of their Hessians, a symmetric matrix.
type gradient struct {
	sum        float64
	v          complex128
	xx, xy, yy float64
}

// gradientAt sees all from m.
func gradientAt(m complex128, all []complex128) (g gradient) {
	each := 1 / float64(len(all))
	for _, z := range all {
		v := tangent(towards(m, inside(z)))
		far := cmplx.Abs(v)
		g.sum += each * far * far
		g.v += v * complex(each, 0)
		u, across := complex128(1), 1.0
		if far > 1e-9 {
			u, across = v/complex(far, 0), far/math.Tanh(far)
		}
		x, y := real(u), imag(u)
		g.xx += each * (x*x + across*y*y)
		g.yy += each * (y*y + across*x*x)
		g.xy += each * (1 - across) * x * y
	}
	return g
}

// newton is the step to where the quadratic form of the gradient is least.
func (g gradient) newton() complex128 {
	det := g.xx*g.yy - g.xy*g.xy
	if !(det > 0) {
		return 0 // no points
	}
	x, y := real(g.v), imag(g.v)
	return complex((g.yy*x-g.xy*y)/det, (g.xx*y-g.xy*x)/det)
}

// arc is points along the geodesic from a to b, both ends included: so many
// that the chords between them leave it by less than an eighth of a pixel.
//
// The geodesic is a part of the circle that meets the boundary at right angles,
// or of a diameter.
func arc(a, b complex128) []complex128 {
	const sag = 5e-4
	q, r, straight := carrier(a, b)
	if straight {
		return []complex128{a, b}
	}
	turn := cmplx.Phase((b - q) / (a - q))
	n := int(math.Ceil(math.Abs(turn) / (2 * math.Acos(1-min(sag/r, 1)))))
	n = min(max(n, 1), 64)
	points := make([]complex128, n+1)
	for k := range points {
		points[k] = q + (a-q)*cmplx.Rect(1, turn*float64(k)/float64(n))
	}
	points[n] = b
	return points
}

// carrier is the circle that carries the geodesic through a and b, with centre q
// and radius r, |q|² = 1 + r²; straight means that a line does as well.
//
//	2 a·q = 1 + |a|²,  2 b·q = 1 + |b|²
func carrier(a, b complex128) (q complex128, r float64, straight bool) {
	det := real(a)*imag(b) - imag(a)*real(b)
	p := (1 + real(a)*real(a) + imag(a)*imag(a)) / 2
	s := (1 + real(b)*real(b) + imag(b)*imag(b)) / 2
	q = complex((p*imag(b)-s*imag(a))/det, (real(a)*s-real(b)*p)/det)
	rr := real(q)*real(q) + imag(q)*imag(q) - 1
	if math.Abs(det) < 1e-12 || !(rr > 0) || rr > 1e6 {
		return 0, 0, true
	}
	return q, math.Sqrt(rr), false
}

// ancestor is the lowest common ancestor of a and b in a tree with its root at
// the centre: the point of the geodesic from a to b that is nearest to the
// centre.
//
// Source: I. Chami, A. Gu, V. Chatziafratis, C. Ré, "From Trees to Continuous
// Embeddings and Back: Hyperbolic Hierarchical Clustering" (2020), section 4.2.
func ancestor(a, b complex128) complex128 {
	// Seen from a, the geodesic is a diameter; turned, it is the real axis. In the
	// Klein model, z ↦ 2z/(1+|z|²), the foot of a perpendicular on it is simply
	// the real part.
	o, to := towards(a, 0), towards(a, b)
	far := cmplx.Abs(to)
	if far == 0 {
		return a
	}
	along := to / complex(far, 0)
	o /= along
	klein := 2 * real(o) / (1 + real(o)*real(o) + imag(o)*imag(o))
	foot := klein / (1 + math.Sqrt(max(1-klein*klein, 0)))
	switch {
	case foot <= 0:
		return a
	case foot >= far:
		return b
	}
	return towards(-a, complex(foot, 0)*along)
}

// complexes turns rows of two numbers into points.
func complexes(xy []float64) []complex128 {
	z := make([]complex128, len(xy)/2)
	for i := range z {
		z[i] = complex(xy[2*i], xy[2*i+1])
	}
	return z
}

// rowsOf turns points into rows of two numbers.
func rowsOf(z []complex128) []float64 {
	xy := make([]float64, 0, 2*len(z))
	for _, p := range z {
		xy = append(xy, real(p), imag(p))
	}
	return xy
}

package poincare

import (
	"math"

	"gonum.org/v1/gonum/floats"
)

// MobiusAdd writes the Möbius sum x ⊕ y into dst: the point reached from x by
// the translation that y describes at the origin.
//
//	x⊕y = [(1 + 2c x·y + c‖y‖²) x + (1 - c‖x‖²) y] / (1 + 2c x·y + c²‖x‖²‖y‖²)
//
// It is not commutative; 0⊕y = y, (-x)⊕x = 0, (-x)⊕(x⊕y) = y. For c = 0 it is
// x + y.
func MobiusAdd(dst, x, y []float64, c float64) []float64 {
	checkPair("MobiusAdd", x, y, c)
	return mobiusAdd(into("MobiusAdd", dst, len(x)), x, y, gap(x, c), gap(y, c), c)
}

// mobiusAdd is MobiusAdd with a = 1-c‖x‖² and b = 1-c‖y‖² given. The sums are
// regrouped around n = ‖x+y‖², which loses no digits when x ≈ -y near the
// boundary, where the textbook's terms cancel:
//
//	x⊕y = [a (x+y) + c n x] / (a b + c n)
func mobiusAdd(dst, x, y []float64, a, b, c float64) []float64 {
	n := squaredSum(x, y)
	den := a*b + c*n
	for i, xi := range x {
		dst[i] = (a*(xi+y[i]) + c*n*xi) / den
	}
	return dst
}

// MobiusAddGrad adds the gradients of MobiusAdd by x and y to gx and gy.
func MobiusAddGrad(gx, gy, x, y []float64, c float64, g []float64) {
	checkPair("MobiusAddGrad", x, y, c)
	checkPair("MobiusAddGrad", x, g, c)
	a, b, n := gap(x, c), gap(y, c), squaredSum(x, y)
	den := a*b + c*n
	var gNumZ, gNumX, gSum float64 // gNum·(x+y), gNum·x, g·(x⊕y)
	for i, xi := range x {
		z := xi + y[i]
		gNumZ += g[i] / den * z
		gNumX += g[i] / den * xi
		gSum += g[i] * (a*z + c*n*xi) / den
	}
	gDen := -gSum / den
	gA := gNumZ + gDen*b
	gB := gDen * a
	gN := c*gNumX + c*gDen
	for i, xi := range x {
		gZ := a*g[i]/den + 2*gN*(xi+y[i])
		if gx != nil {
			gx[i] += c*n*g[i]/den - 2*c*gA*xi + gZ
		}
		if gy != nil {
			gy[i] += gZ - 2*c*gB*y[i]
		}
	}
}

// squaredSum returns ‖x+y‖².
func squaredSum(x, y []float64) float64 {
	var sum float64
	for i, xi := range x {
		sum += (xi + y[i]) * (xi + y[i])
	}
	return sum
}

// MobiusScale writes the Möbius multiple t ⊗ x into dst: the point on the ray
// of x at t times its distance from the origin.
//
//	t⊗x = tanh(t artanh(s‖x‖)) x/(s‖x‖)
//
// The result is kept inside the ball in float64. 0 for x = 0; t x for c = 0.
func MobiusScale(dst []float64, t float64, x []float64, c float64) []float64 {
	checkCurvature("MobiusScale", c)
	dst = into("MobiusScale", dst, len(x))
	return scaled(dst, mobiusFactor(t, math.Sqrt(c)*norm(x)), x)
}

// mobiusFactor returns tanh(t artanh z)/z, and its limit t at z = 0.
func mobiusFactor(t, z float64) float64 {
	if z < tiny {
		return t
	}
	return tanh(t*artanh(z)) / z
}

// MobiusScaleGrad writes the gradient of MobiusScale by x into dst.
//
// With z = s‖x‖ and f(z) = tanh(t artanh z)/z:
//
//	dst = f g + c (f'(z)/z) (x·g) x,  f' = (t (1-tanh²)/(1-z²) - f)/z
func MobiusScaleGrad(dst []float64, t float64, x, g []float64, c float64) []float64 {
	checkPair("MobiusScaleGrad", x, g, c)
	dst = into("MobiusScaleGrad", dst, len(x))
	z := math.Sqrt(c) * norm(x)
	return radialGrad(dst, x, g, mobiusFactor(t, z), c*mobiusSlope(t, z))
}

// mobiusSlope returns f'(z)/z for f = mobiusFactor.
func mobiusSlope(t, z float64) float64 {
	if z < 1e-3 {
		return t * (1 - t*t) * 2 / 3 // series: f = t + t(1-t²)z²/3 + …
	}
	f := mobiusFactor(t, z)
	h := f * z
	return (t*(1-h*h)/((1-z)*(1+z)) - f) / (z * z)
}

// Gyration writes gyr[u,v]w, the rotation by which Möbius addition fails to be
// associative, into dst.
//
//	gyr[u,v]w = -(u⊕v) ⊕ (u⊕(v⊕w)) = w + 2(a u + b v)/(1 + 2c u·v + c²‖u‖²‖v‖²)
//	a = -c² (u·w)‖v‖² + c (v·w) + 2c² (u·v)(v·w)
//	b = -c² (v·w)‖u‖² - c (u·w)
//
// It is linear and orthogonal in w, so the gradient by w is gyr[v,u]g. w need
// not lie in the ball.
func Gyration(dst, u, v, w []float64, c float64) []float64 {
	checkPair("Gyration", u, v, c)
	checkPair("Gyration", u, w, c)
	dst = into("Gyration", dst, len(u))
	uu, vv, uv := floats.Dot(u, u), floats.Dot(v, v), floats.Dot(u, v)
	uw, vw := floats.Dot(u, w), floats.Dot(v, w)
	a := -c*c*uw*vv + c*vw + 2*c*c*uv*vw
	b := -c*c*vw*uu - c*uw
	den := (1-c*uu)*(1-c*vv) + c*squaredSum(u, v) // = 1 + 2c u·v + c²‖u‖²‖v‖²
	for i := range dst {
		dst[i] = w[i] + 2*(a*u[i]+b*v[i])/den
	}
	return dst
}

// Transport writes the parallel transport of the tangent vector v from x to y,
// along their geodesic, into dst. It keeps Riemannian lengths: λ_y‖dst‖ = λₓ‖v‖.
//
//	PT(v) = gyr[y,-x]v · λₓ/λ_y
//
// It is linear in v; the gradient by v is (λₓ/λ_y)² times the transport of g
// from y to x.
func Transport(dst, x, y, v []float64, c float64) []float64 {
	checkPair("Transport", x, y, c)
	minus := scaled(make([]float64, len(x)), -1, x)
	ratio := gap(y, c) / gap(x, c)
	dst = Gyration(dst, y, minus, v, c)
	return scaled(dst, ratio, dst)
}

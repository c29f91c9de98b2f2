package poincare

import (
	"math"

	"gonum.org/v1/gonum/floats"
)

// ExpMap0 writes the point reached from the origin along the tangent vector u
// into dst.
//
//	expmap₀(u) = tanh(s‖u‖) u/(s‖u‖),  d(0, expmap₀(u)) = 2‖u‖
//
// u itself for c = 0. The argument of tanh is kept below 15, so the result lies
// inside the ball in float64 for every finite u.
func ExpMap0(dst, u []float64, c float64) []float64 {
	checkCurvature("ExpMap0", c)
	dst = into("ExpMap0", dst, len(u))
	return scaled(dst, tanhc(math.Sqrt(c)*norm(u)), u)
}

// ExpMap0Grad writes the gradient of ExpMap0 by u into dst.
//
// With t = s‖u‖ and f(t) = tanh(t)/t:
//
//	dst = f g + c (f'(t)/t) (u·g) u
func ExpMap0Grad(dst, u, g []float64, c float64) []float64 {
	checkPair("ExpMap0Grad", u, g, c)
	t := math.Sqrt(c) * norm(u)
	return radialGrad(into("ExpMap0Grad", dst, len(u)), u, g, tanhc(t), c*tanhcSlope(t))
}

// LogMap0 writes the tangent vector at the origin that leads to x into dst. It
// is the inverse of ExpMap0.
//
//	logmap₀(x) = artanh(s‖x‖) x/(s‖x‖)
//
// s‖x‖ is taken as at most 1-2⁻⁵³, so the result is finite on the boundary.
func LogMap0(dst, x []float64, c float64) []float64 {
	checkCurvature("LogMap0", c)
	dst = into("LogMap0", dst, len(x))
	return scaled(dst, artanhc(math.Sqrt(c)*norm(x)), x)
}

// LogMap0Grad writes the gradient of LogMap0 by x into dst; as ExpMap0Grad,
// with f(t) = artanh(t)/t.
func LogMap0Grad(dst, x, g []float64, c float64) []float64 {
	checkPair("LogMap0Grad", x, g, c)
	t := math.Sqrt(c) * norm(x)
	return radialGrad(into("LogMap0Grad", dst, len(x)), x, g, artanhc(t), c*artanhcSlope(t))
}

// radialGrad writes the gradient of u ↦ f(s‖u‖) u: f g + q (u·g) u, where q is
// c f'(t)/t.
func radialGrad(dst, u, g []float64, f, q float64) []float64 {
	along := q * floats.Dot(u, g)
	for i, ui := range u {
		dst[i] = f*g[i] + along*ui
	}
	return dst
}

// ExpMap writes the point reached from x along the tangent vector v into dst.
//
//	expmapₓ(v) = x ⊕ ( tanh(s λₓ‖v‖/2) v/(s‖v‖) ),  d(x, expmapₓ(v)) = λₓ‖v‖
//
// x + v for c = 0. With x and v both long the result may round to the boundary:
// use Project.
func ExpMap(dst, x, v []float64, c float64) []float64 {
	checkPair("ExpMap", x, v, c)
	dst = into("ExpMap", dst, len(x))
	a := gap(x, c)
	t := math.Sqrt(c) * norm(v) / a // s λₓ‖v‖/2
	y := scaled(make([]float64, len(v)), tanhc(t)/a, v)
	h := math.Cosh(min(t, largest))
	return mobiusAdd(dst, x, y, a, 1/(h*h), c) // 1 - c‖y‖² = sech² t, carried for its digits
}

// ExpMapGrad adds the gradients of ExpMap by x and v to gx and gv.
func ExpMapGrad(gx, gv, x, v []float64, c float64, g []float64) {
	checkPair("ExpMapGrad", x, v, c)
	checkPair("ExpMapGrad", x, g, c)
	a := gap(x, c)
	t := math.Sqrt(c) * norm(v) / a
	f, slope := tanhc(t), tanhcSlope(t)
	y := scaled(make([]float64, len(v)), f/a, v) // y = f(t) v/a
	gy := make([]float64, len(v))
	MobiusAddGrad(gx, gy, x, y, c, g)
	// through a: ∂(f/a)/∂a = -(f + t f')/a²;  ∂a/∂x = -2c x
	vg := floats.Dot(v, gy)
	add(gx, 2*c*(f+t*t*slope)/(a*a)*vg, x)
	// through v: t depends on ‖v‖
	add(gv, f/a, gy)
	add(gv, c*slope*vg/(a*a*a), v)
}

// LogMap writes the tangent vector at x that leads to y into dst. It is the
// inverse of ExpMap.
//
//	logmapₓ(y) = (2/(s λₓ)) artanh(s‖m‖) m/‖m‖,  m = (-x)⊕y
//
// y - x for c = 0; 0 for x = y.
func LogMap(dst, x, y []float64, c float64) []float64 {
	checkPair("LogMap", x, y, c)
	dst = into("LogMap", dst, len(x))
	sq := squaredDistance(x, y)
	if sq == 0 {
		clear(dst)
		return dst
	}
	a, b := gap(x, c), gap(y, c)
	// m = [a (y-x) - c‖y-x‖² x]/Q and ‖m‖ = ‖x-y‖/√Q, with the length from distance
	k := distance(sq, a, b, math.Sqrt(c)) * a / 2 / math.Sqrt(sq*(a*b+c*sq))
	for i, xi := range x {
		dst[i] = k * (a*(y[i]-xi) - c*sq*xi)
	}
	return dst
}

// LogMapGrad adds the gradients of LogMap by x and y to gx and gy. At x = y it
// takes logmapₓ(y) = y - x, which is exact to first order.
func LogMapGrad(gx, gy, x, y []float64, c float64, g []float64) {
	checkPair("LogMapGrad", x, y, c)
	checkPair("LogMapGrad", x, g, c)
	sq := squaredDistance(x, y)
	if sq == 0 {
		add(gx, -1, g)
		add(gy, 1, g)
		return
	}
	a, b := gap(x, c), gap(y, c)
	minus := scaled(make([]float64, len(x)), -1, x)
	m := mobiusAdd(make([]float64, len(x)), minus, y, a, b, c)
	f, q := logFactor(sq, a, b, c) // logmapₓ(y) = a f m
	mg := floats.Dot(m, g)
	gm := radialGrad(make([]float64, len(x)), m, g, a*f, a*q)
	gMinus := make([]float64, len(x))
	MobiusAddGrad(gMinus, gy, minus, y, c, gm)
	add(gx, -1, gMinus)
	add(gx, -2*c*f*mg, x)
}

// logFactor returns f = artanh(t)/t and q = c f'(t)/t at t = s‖m‖ for points as
// in distance. 1-t² = AB/Q is used as such: near the boundary t has lost it.
func logFactor(sq, a, b, c float64) (f, q float64) {
	mm := sq / (a*b + c*sq) // ‖m‖²
	if c*mm < 1e-4 {
		t := math.Sqrt(c * mm)
		return artanhc(t), c * artanhcSlope(t)
	}
	f = distance(sq, a, b, math.Sqrt(c)) / 2 / math.Sqrt(mm)
	return f, ((a*b+c*sq)/(a*b) - f) / mm
}

// Geodesic writes the point γ(t) of the geodesic from x to y into dst:
// γ(0) = x, γ(1) = y, constant speed; t outside [0,1] goes on beyond the ends.
//
//	γ(t) = x ⊕ ( t ⊗ ((-x)⊕y) )
//
// It is computed on the hyperboloid, where it is a sum without cancellation.
func Geodesic(dst, x, y []float64, t, c float64) []float64 {
	checkPair("Geodesic", x, y, c)
	dst = into("Geodesic", dst, len(x))
	a, b := gap(x, c), gap(y, c)
	delta := math.Sqrt(c) * Distance(x, y, c)
	wx, wy := 1-t, t
	if delta > tiny {
		wx, wy = math.Sinh((1-t)*delta)/math.Sinh(delta), math.Sinh(t*delta)/math.Sinh(delta)
	}
	time := wx*(2-a)/a + wy*(2-b)/b // 2-a = 1 + c‖x‖²
	for i, xi := range x {
		dst[i] = 2 * (wx*xi/a + wy*y[i]/b) / (1 + time)
	}
	return dst
}

// GeodesicGrad adds the gradients of Geodesic by x and y, at fixed t, to gx
// and gy.
func GeodesicGrad(gx, gy, x, y []float64, t, c float64, g []float64) {
	v := LogMap(nil, x, y, c)
	scaled(v, t, v)
	gv := make([]float64, len(v))
	ExpMapGrad(gx, gv, x, v, c, g) // γ(t) = expmapₓ(t logmapₓ(y))
	scaled(gv, t, gv)
	LogMapGrad(gx, gy, x, y, c, gv)
}

// Package poincare implements the geometry of the Poincaré ball of curvature
// -c as pure functions on slices.
//
//	Ball(c) = { x ∈ ℝᵈ : c‖x‖² < 1 },  metric λₓ² I,  λₓ = 2/(1 - c‖x‖²)
//
// Conventions, everywhere in the package:
//   - c ≥ 0 is minus the curvature. c = 0 is the limit: ℝᵈ with all lengths
//     doubled, so d(x,y) = 2‖x-y‖. A negative or NaN c panics.
//   - A vector is a slice; a matrix is n×d, row-major, one point a row.
//   - dst comes first, may be nil (then it is allocated) and is returned. It
//     may be one of the inputs itself, but not overlap one partly.
//   - A function F has its vector-Jacobian product in FGrad, directly under
//     it. g is the gradient of a scalar by F's result. Arguments named gx, gy,
//     … are added to and may be nil; an argument named dst is overwritten.
//   - Wrong lengths panic: that is a bug of the caller. Points outside the ball
//     are not looked for; distances to them are +Inf (see Project).
//
// In the comments s = √c, A = 1-c‖x‖², B = 1-c‖y‖² and
// Q = 1 - 2c x·y + c²‖x‖²‖y‖² = AB + c‖x-y‖².
//
// Sources: A. Ungar, "A Gyrovector Space Approach to Hyperbolic Geometry"
// (2009), for the Möbius operations; O. Ganea, G. Bécigneul, T. Hofmann,
// "Hyperbolic Neural Networks" (2018), section 2, for the maps with curvature.
package poincare

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
)

// largest is the largest argument of tanh in the maps onto the ball. tanh(15)
// is 1 - 1.9e-13: points stay inside in float64, in up to 10⁶ dimensions.
const largest = 15

// Conformal returns the factor λₓ = 2/(1 - c‖x‖²) by which lengths at x are
// stretched; 2 at the origin and for c = 0.
func Conformal(x []float64, c float64) float64 {
	checkCurvature("Conformal", c)
	return 2 / gap(x, c)
}

// Project writes x, moved radially inside the ball where it must be, into dst.
//
//	x  if s‖x‖ ≤ 1-eps,  else  (1-eps) x/(s‖x‖)
//
// Use it after any step that may leave the ball; eps = 1e-5 is usual for
// float64, 4e-3 for points that will be stored as float32.
func Project(dst, x []float64, c, eps float64) []float64 {
	checkCurvature("Project", c)
	dst = into("Project", dst, len(x))
	r := math.Sqrt(c) * norm(x)
	scale := 1.0
	if r > 1-eps {
		scale = (1 - eps) / r
	}
	return scaled(dst, scale, x)
}

// RiemannianGradient writes the Riemannian gradient that belongs to the
// Euclidean gradient g at x into dst.
//
//	dst = (1 - c‖x‖²)²/4 · g
func RiemannianGradient(dst, x, g []float64, c float64) []float64 {
	checkPair("RiemannianGradient", x, g, c)
	a := gap(x, c)
	return scaled(into("RiemannianGradient", dst, len(x)), a*a/4, g)
}

// Clip writes the tangent vector u, shortened to length r if it is longer,
// into dst. It comes before ExpMap0 and keeps points away from the boundary:
// s‖x‖ ≤ tanh(s r).
//
//	u min(1, r/‖u‖)
//
// Source: Y. Guo et al., "Clipped Hyperbolic Classifiers Are Super-Hyperbolic
// Classifiers" (2022).
func Clip(dst, u []float64, r float64) []float64 {
	dst = into("Clip", dst, len(u))
	scale := 1.0
	if n := norm(u); n > r {
		scale = r / n
	}
	return scaled(dst, scale, u)
}

// ClipGrad writes the gradient of Clip by u into dst.
//
//	g  if ‖u‖ ≤ r,  else  (r/‖u‖)(g - (u·g) u/‖u‖²)
func ClipGrad(dst, u, g []float64, r float64) []float64 {
	if len(u) != len(g) {
		panic(fmt.Sprintf("poincare: ClipGrad: lengths %d and %d", len(u), len(g)))
	}
	dst = into("ClipGrad", dst, len(u))
	n := norm(u)
	if n <= r {
		copy(dst, g)
		return dst
	}
	along := floats.Dot(u, g) / (n * n)
	for i, ui := range u {
		dst[i] = r / n * (g[i] - along*ui)
	}
	return dst
}

// SoftClip writes the tangent vector u, shortened smoothly to below length r,
// into dst: hardly where ‖u‖ is far below r, to r itself in the limit of long u.
//
//	r tanh(‖u‖/r) u/‖u‖
//
// It is ExpMap0 of c = 1/r². u itself for r = +Inf.
func SoftClip(dst, u []float64, r float64) []float64 { return ExpMap0(dst, u, 1/(r*r)) }

// SoftClipGrad writes the gradient of SoftClip by u into dst.
func SoftClipGrad(dst, u, g []float64, r float64) []float64 {
	return ExpMap0Grad(dst, u, g, 1/(r*r))
}

// ClipSlope returns k of the derivative of Clip, or for soft of SoftClip, by
// the radius, where u is ‖u‖ long:
//
//	r ∂/∂r = k u,  k = r/‖u‖ if ‖u‖ > r, else 0;  soft: tanh(t)/t - sech² t, t = ‖u‖/r
func ClipSlope(length, r float64, soft bool) float64 {
	switch {
	case soft:
		t := length / r
		return -t * t * tanhcSlope(t)
	case length > r:
		return r / length
	}
	return 0
}

// gap returns 1 - c‖x‖².
func gap(x []float64, c float64) float64 { return 1 - c*floats.Dot(x, x) }

// norm returns ‖x‖.
func norm(x []float64) float64 { return math.Sqrt(floats.Dot(x, x)) }

// squaredDistance returns ‖x-y‖² from the differences, without cancellation.
func squaredDistance(x, y []float64) float64 {
	var sum float64
	for i, xi := range x {
		sum += (xi - y[i]) * (xi - y[i])
	}
	return sum
}

// scaled writes a x into dst.
func scaled(dst []float64, a float64, x []float64) []float64 {
	for i, xi := range x {
		dst[i] = a * xi
	}
	return dst
}

// add adds a x to dst unless dst is nil.
func add(dst []float64, a float64, x []float64) {
	if dst != nil {
		floats.AddScaled(dst, a, x)
	}
}

// into returns dst, or n new zeros for nil.
func into(name string, dst []float64, n int) []float64 {
	if dst == nil {
		return make([]float64, n)
	}
	if len(dst) != n {
		panic(fmt.Sprintf("poincare: %s: dst has %d entries, want %d", name, len(dst), n))
	}
	return dst
}

func checkCurvature(name string, c float64) {
	if !(c >= 0) {
		panic(fmt.Sprintf("poincare: %s: c = %g, want c ≥ 0 (c is minus the curvature)", name, c))
	}
}

func checkPair(name string, x, y []float64, c float64) {
	checkCurvature(name, c)
	if len(x) != len(y) {
		panic(fmt.Sprintf("poincare: %s: lengths %d and %d", name, len(x), len(y)))
	}
}

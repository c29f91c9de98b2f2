// Package vmath computes with rows of float32, at the levels of vector
// instructions of package cpu. A function's comment is the Go loop that it
// replaces.
//
// All slices of a call have the length of the first, except where a comment
// says otherwise; wrong lengths panic. dst may be one of the inputs; other
// overlaps are not allowed. NaN gives NaN. An ulp is
// the distance of the two float32 next to the exact result.
//
// Sums are kept in as many lanes as the level has and folded by halves at
// the end: a result depends on the numbers, their count and the level, not on
// where they lie in memory.
package vmath

import (
	"fmt"
	"math"
)

// Exp computes dst[i] = exp(x[i]).
//
// Error: at most 2 ulp. Infinite above 88.7228, 0 below -103.97; smaller results
// than 2⁻¹²⁶ are denormal numbers.
func Exp(dst, x []float32) {
	check("Exp", len(dst), len(x))
	if t := vector(); t != nil && len(x) > 0 {
		t.exp(len(x), &dst[0], &x[0])
		return
	}
	for i, v := range x {
		dst[i] = float32(math.Exp(float64(v)))
	}
}

// Log1p computes dst[i] = log(1 + x[i]).
//
// Error: at most 2 ulp. log1p(-1) = -Inf, NaN below; zeros keep their sign.
func Log1p(dst, x []float32) {
	check("Log1p", len(dst), len(x))
	if t := vector(); t != nil && len(x) > 0 {
		t.log1p(len(x), &dst[0], &x[0])
		return
	}
	for i, v := range x {
		dst[i] = float32(math.Log1p(float64(v)))
	}
}

// Asinh computes dst[i] = asinh(x[i]).
//
// Error: at most 3 ulp. Odd to the last bit; zeros keep their sign.
func Asinh(dst, x []float32) {
	check("Asinh", len(dst), len(x))
	if t := vector(); t != nil && len(x) > 0 {
		t.asinh(len(x), &dst[0], &x[0])
		return
	}
	for i, v := range x {
		dst[i] = float32(math.Asinh(float64(v)))
	}
}

// Tanh computes dst[i] = tanh(x[i]).
//
// Error: at most 3 ulp. Odd to the last bit; zeros keep their sign.
func Tanh(dst, x []float32) {
	check("Tanh", len(dst), len(x))
	if t := vector(); t != nil && len(x) > 0 {
		t.tanh(len(x), &dst[0], &x[0])
		return
	}
	for i, v := range x {
		dst[i] = float32(math.Tanh(float64(v)))
	}
}

// Erf computes dst[i] = erf(x[i]).
//
// Error: at most 3 ulp. Odd to the last bit; zeros keep their sign.
func Erf(dst, x []float32) {
	check("Erf", len(dst), len(x))
	if t := vector(); t != nil && len(x) > 0 {
		t.erf(len(x), &dst[0], &x[0])
		return
	}
	for i, v := range x {
		dst[i] = float32(math.Erf(float64(v)))
	}
}

// Sqrt computes dst[i] = √x[i].
//
// Rounded correctly.
func Sqrt(dst, x []float32) {
	check("Sqrt", len(dst), len(x))
	if t := vector(); t != nil && len(x) > 0 {
		t.sqrt(len(x), &dst[0], &x[0])
		return
	}
	for i, v := range x {
		dst[i] = float32(math.Sqrt(float64(v)))
	}
}

// Gelu computes dst[i] = x[i]·½(1 + erf(x[i]/√2)).
//
// Error: at most 3 ulp of the result for x ≥ 0, and 1e-6 below.
//
// Source: D. Hendrycks, K. Gimpel, "Gaussian Error Linear Units" (2016).
func Gelu(dst, x []float32) {
	check("Gelu", len(dst), len(x))
	if t := vector(); t != nil && len(x) > 0 {
		t.gelu(len(x), &dst[0], &x[0])
		return
	}
	for i, v := range x {
		dst[i] = float32(float64(v) / 2 * (1 + math.Erf(float64(v)/math.Sqrt2)))
	}
}

// GeluGrad computes the gradient of Gelu by x, given that by its result, g:
//
//	dst[i] = g[i] (½(1 + erf(x[i]/√2)) + x[i] exp(-x[i]²/2)/√(2π))
func GeluGrad(dst, x, g []float32) {
	check("GeluGrad", len(dst), len(x), len(g))
	if t := vector(); t != nil && len(x) > 0 {
		t.geluGrad(len(x), &dst[0], &x[0], &g[0])
		return
	}
	for i, v := range x {
		u := float64(v)
		dst[i] = float32(float64(g[i]) * ((1+math.Erf(u/math.Sqrt2))/2 + u*math.Exp(-u*u/2)/math.Sqrt(2*math.Pi)))
	}
}

func check(name string, want int, lengths ...int) {
	for _, n := range lengths {
		if n != want {
			panic(fmt.Sprintf("vmath: %s: lengths %d and %d", name, want, n))
		}
	}
}

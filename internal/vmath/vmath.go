// Package vmath computes with rows of float32. Each function's comment is the
// Go loop that it replaces.
//
// All slices of a call have the length of the first, except where a comment
// says otherwise; wrong lengths panic. dst may be one of the inputs; other
// overlaps are not allowed.
package vmath

import (
	"fmt"
	"math"
)

// Exp computes dst[i] = exp(x[i]).
func Exp(dst, x []float32) { apply("Exp", dst, x, math.Exp) }

// Log1p computes dst[i] = log(1 + x[i]).
func Log1p(dst, x []float32) { apply("Log1p", dst, x, math.Log1p) }

// Asinh computes dst[i] = asinh(x[i]).
func Asinh(dst, x []float32) { apply("Asinh", dst, x, math.Asinh) }

// Tanh computes dst[i] = tanh(x[i]).
func Tanh(dst, x []float32) { apply("Tanh", dst, x, math.Tanh) }

// Erf computes dst[i] = erf(x[i]).
func Erf(dst, x []float32) { apply("Erf", dst, x, math.Erf) }

// Sqrt computes dst[i] = √x[i].
func Sqrt(dst, x []float32) { apply("Sqrt", dst, x, math.Sqrt) }

func apply(name string, dst, x []float32, f func(float64) float64) {
	check(name, len(dst), len(x))
	for i, v := range x {
		dst[i] = float32(f(float64(v)))
	}
}

// Max returns the largest x[i], -Inf for none. NaN if there is one.
func Max(x []float32) float32 {
	top := float32(math.Inf(-1))
	for _, v := range x {
		top = max(top, v)
	}
	return top
}

// Sum returns Σ x[i].
func Sum(x []float32) float32 {
	var s float32
	for _, v := range x {
		s += v
	}
	return s
}

// Dot returns Σ x[i] y[i].
func Dot(x, y []float32) float32 {
	check("Dot", len(x), len(y))
	var s float32
	for i, v := range x {
		s += v * y[i]
	}
	return s
}

// Dot64 returns Σ x[i] y[i], computed in float64: products are exact.
func Dot64(x, y []float32) float64 {
	check("Dot64", len(x), len(y))
	var s float64
	for i, v := range x {
		s += float64(v) * float64(y[i])
	}
	return s
}

// SquaredDistance64 returns Σ (x[i]-y[i])², computed in float64.
func SquaredDistance64(x, y []float32) float64 {
	check("SquaredDistance64", len(x), len(y))
	var s float64
	for i, v := range x {
		d := float64(v) - float64(y[i])
		s += d * d
	}
	return s
}

// Axpy computes y[i] += a x[i].
func Axpy(y []float32, a float32, x []float32) {
	check("Axpy", len(y), len(x))
	for i, v := range x {
		y[i] += a * v
	}
}

// Combine64 computes dst[i] += a x[i] + b y[i], the right-hand side and the sum in float64,
// for sums that cancel.
func Combine64(dst []float32, a float64, x []float32, b float64, y []float32) {
	check("Combine64", len(dst), len(x), len(y))
	for i, v := range x {
		dst[i] = float32(float64(dst[i]) + a*float64(v) + b*float64(y[i]))
	}
}

// Scale computes dst[i] = a x[i].
func Scale(dst []float32, a float32, x []float32) {
	check("Scale", len(dst), len(x))
	for i, v := range x {
		dst[i] = a * v
	}
}

// Add computes dst[i] = x[i] + y[i].
func Add(dst, x, y []float32) {
	check("Add", len(dst), len(x), len(y))
	for i, v := range x {
		dst[i] = v + y[i]
	}
}

// Mul computes dst[i] = x[i] y[i].
func Mul(dst, x, y []float32) {
	check("Mul", len(dst), len(x), len(y))
	for i, v := range x {
		dst[i] = v * y[i]
	}
}

// LogSumExp returns log Σ exp(x[i]), with the maximum subtracted first; -Inf
// for no x.
func LogSumExp(x []float32) float32 {
	top := Max(x)
	if math.IsInf(float64(top), 0) {
		return top
	}
	var s float64
	for _, v := range x {
		s += float64(float32(math.Exp(float64(v - top))))
	}
	return top + float32(math.Log(s))
}

// Softmax computes dst[i] = exp(x[i]-m) / Σ exp(x[j]-m), m the largest x, and
// returns log Σ exp(x[j]).
func Softmax(dst, x []float32) float32 {
	check("Softmax", len(dst), len(x))
	top := Max(x)
	var s float64
	for i, v := range x {
		dst[i] = float32(math.Exp(float64(v - top)))
		s += float64(dst[i])
	}
	Scale(dst, float32(1/s), dst)
	return top + float32(math.Log(s))
}

func check(name string, want int, lengths ...int) {
	for _, n := range lengths {
		if n != want {
			panic(fmt.Sprintf("vmath: %s: lengths %d and %d", name, want, n))
		}
	}
}

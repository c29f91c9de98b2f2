package vmath

import "math"

// Max returns the largest x[i], -Inf for none, NaN if one is NaN.
func Max(x []float32) float32 {
	if t := vector(); t != nil && len(x) > 0 {
		return t.max(len(x), &x[0])
	}
	top := float32(math.Inf(-1))
	for _, v := range x {
		top = max(top, v)
	}
	return top
}

// Sum returns Σ x[i].
func Sum(x []float32) float32 {
	if t := vector(); t != nil && len(x) > 0 {
		return t.sum(len(x), &x[0])
	}
	var s float32
	for _, v := range x {
		s += v
	}
	return s
}

// Sum64 returns Σ x[i], added in float64.
func Sum64(x []float32) float64 {
	if t := vector(); t != nil && len(x) > 0 {
		return t.sum64(len(x), &x[0])
	}
	var s float64
	for _, v := range x {
		s += float64(v)
	}
	return s
}

// Dot returns Σ x[i] y[i].
func Dot(x, y []float32) float32 {
	check("Dot", len(x), len(y))
	if t := vector(); t != nil && len(x) > 0 {
		return t.dot(len(x), &x[0], &y[0])
	}
	var s float32
	for i, v := range x {
		s += v * y[i]
	}
	return s
}

// Dot64 returns Σ x[i] y[i], added in float64: products are exact.
func Dot64(x, y []float32) float64 {
	check("Dot64", len(x), len(y))
	if t := vector(); t != nil && len(x) > 0 {
		return t.dot64(len(x), &x[0], &y[0])
	}
	var s float64
	for i, v := range x {
		s += float64(v) * float64(y[i])
	}
	return s
}

// SquaredDistance64 returns Σ (x[i]-y[i])², computed in float64: differences are exact.
func SquaredDistance64(x, y []float32) float64 {
	check("SquaredDistance64", len(x), len(y))
	if t := vector(); t != nil && len(x) > 0 {
		return t.squaredDistance64(len(x), &x[0], &y[0])
	}
	var s float64
	for i, v := range x {
		d := float64(v) - float64(y[i])
		s += d * d
	}
	return s
}

// LogSumExp returns log Σ exp(x[i]), with the maximum subtracted first; -Inf
// for no x.
//
// Error: 4 ulp of the largest |x[i]| or of 1, whichever is more.
func LogSumExp(x []float32) float32 {
	top := Max(x)
	if math.IsInf(float64(top), 0) {
		return top
	}
	return float32(float64(top) + math.Log(expSum(nil, x, top)))
}

// Softmax computes dst[i] = exp(x[i]-m) / Σ exp(x[j]-m), m the largest x, and
// returns log Σ exp(x[j]). Sums are float64.
//
// Error: 4 ulp of dst[i], for exact differences x[i]-m.
func Softmax(dst, x []float32) float32 {
	check("Softmax", len(dst), len(x))
	if len(x) == 0 {
		return float32(math.Inf(-1))
	}
	top := Max(x)
	sum := expSum(dst, x, top)
	Scale(dst, float32(1/sum), dst)
	return float32(float64(top) + math.Log(sum))
}

// SoftmaxGrad computes the gradient of Softmax by x, given its result p and the
// gradient g by that:
//
//	dst[i] = p[i] (g[i] - Σ_j p[j] g[j])
func SoftmaxGrad(dst, p, g []float32) {
	check("SoftmaxGrad", len(dst), len(p), len(g))
	mean := Dot(p, g)
	Affine(dst, 1, g, -mean)
	Mul(dst, dst, p)
}

// expSum writes exp(x[i]-shift) into dst, unless that is nil, and returns the
// sum.
func expSum(dst, x []float32, shift float32) float64 {
	if t := vector(); t != nil && len(x) > 0 {
		if dst == nil {
			return t.expSumOnly(len(x), &x[0], shift)
		}
		return t.expSum(len(x), &dst[0], &x[0], shift)
	}
	var s float64
	for i, v := range x {
		e := float32(math.Exp(float64(v - shift)))
		if dst != nil {
			dst[i] = e
		}
		s += float64(e)
	}
	return s
}

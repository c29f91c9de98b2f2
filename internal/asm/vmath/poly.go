package main

import (
	"math"
	"math/big"
)

// fit returns the coefficients of the polynomial of degree n that equals f at
// the n+1 Chebyshev nodes of [lo, hi], lowest first. Its error is at most a small factor above the
// least possible one.
func fit(f func(float64) float64, lo, hi float64, n int) []float64 {
	const precision = 200
	num := func(v float64) *big.Float { return new(big.Float).SetPrec(precision).SetFloat64(v) }
	// Newton's divided differences, then multiplied out
	x, c := make([]*big.Float, n+1), make([]*big.Float, n+1)
	for i := range x {
		v := (lo+hi)/2 + (hi-lo)/2*math.Cos(math.Pi*(float64(i)+0.5)/float64(n+1))
		x[i], c[i] = num(v), num(f(v))
	}
	for j := 1; j <= n; j++ {
		for i := n; i >= j; i-- {
			d := new(big.Float).Sub(x[i], x[i-j])
			c[i].Quo(c[i].Sub(c[i], c[i-1]), d)
		}
	}
	p := make([]*big.Float, n+1)
	for i := range p {
		p[i] = num(0)
	}
	for j := n; j >= 0; j-- { // p = p (t - x[j]) + c[j]
		for i := n; i >= 0; i-- {
			t := new(big.Float).Mul(p[i], x[j])
			p[i].Neg(t)
			if i > 0 {
				p[i].Add(p[i], p[i-1])
			}
		}
		p[0].Add(p[0], c[j])
	}
	out := make([]float64, n+1)
	for i := range p {
		out[i], _ = p[i].Float64()
	}
	return out
}

// quotient is f(x)/g(x), with its limit near 0, where it would cancel.
func quotient(f func(float64) float64, limit func(float64) float64, border float64) func(float64) float64 {
	return func(x float64) float64 {
		if math.Abs(x) < border {
			return limit(x)
		}
		return f(x)
	}
}

var (
	// exp(r) = 1 + r + r² expPoly(r), |r| ≤ ln2/2
	expPoly = fit(quotient(func(r float64) float64 { return (math.Expm1(r) - r) / (r * r) },
		func(r float64) float64 { return 1./2 + r/6 + r*r/24 + r*r*r/120 }, 1e-3), -0.3476, 0.3476, 4)
	// log(1+f) = f - f²/2 + f³ logPoly(f), √½ ≤ 1+f ≤ √2
	logPoly = fit(quotient(func(f float64) float64 { return (math.Log1p(f) - f + f*f/2) / (f * f * f) },
		func(f float64) float64 { return 1./3 - f/4 + f*f/5 - f*f*f/6 + f*f*f*f/7 }, 4e-3), -0.2934, 0.4147, 8)
	// tanh(x) = x + x³ tanhPoly(x²), |x| ≤ 0.625
	tanhPoly = fit(quotient(func(u float64) float64 { x := math.Sqrt(u); return (math.Tanh(x) - x) / (x * u) },
		func(u float64) float64 { return -1./3 + 2*u/15 - 17*u*u/315 + 62*u*u*u/2835 }, 1e-3), 0, 0.3907, 5)
	// erf(x) = x erfPoly(x²), |x| ≤ 1
	erfPoly = fit(quotient(func(u float64) float64 { x := math.Sqrt(u); return math.Erf(x) / x },
		func(u float64) float64 { return 2 / math.Sqrt(math.Pi) * (1 - u/3 + u*u/10) }, 1e-6), 0, 1.001, 8)
	// erf(x) = 1 - exp(-erfcPoly(x)), 1 ≤ x ≤ 4
	erfcPoly = fit(func(x float64) float64 { return -math.Log(math.Erfc(x)) }, 0.999, 4.01, 9)
)

package poincare

import "math"

// tiny is where quotients such as tanh(t)/t are replaced by their limits: the
// next term of their series, t²/3, is then below the rounding of 1.
const tiny = 1e-9

// tanh is math.Tanh, kept below 1 so that points stay in the ball.
func tanh(t float64) float64 { return math.Tanh(min(max(t, -largest), largest)) }

// artanh is math.Atanh with its argument kept below 1: finite on the boundary.
func artanh(z float64) float64 { return math.Atanh(min(z, 1-0x1p-53)) }

// tanhc returns tanh(t)/t, for t ≥ 0.
func tanhc(t float64) float64 {
	if t < tiny {
		return 1
	}
	return tanh(t) / t
}

// tanhcSlope returns f'(t)/t for f(t) = tanh(t)/t.
func tanhcSlope(t float64) float64 {
	if t < 0.01 {
		t2 := t * t // series: DLMF 4.33.3, differentiated
		return -2./3 + t2*(8./15-t2*34./105)
	}
	h := tanh(t)
	return ((1-h)*(1+h)/t - h/(t*t)) / t
}

// artanhc returns artanh(t)/t, for 0 ≤ t ≤ 1.
func artanhc(t float64) float64 {
	if t < tiny {
		return 1
	}
	return artanh(t) / t
}

// artanhcSlope returns f'(t)/t for f(t) = artanh(t)/t.
func artanhcSlope(t float64) float64 {
	if t < 0.01 {
		t2 := t * t // series: DLMF 4.38.5, differentiated
		return 2./3 + t2*(4./5+t2*6./7)
	}
	t = min(t, 1-0x1p-53)
	return (1/((1-t)*(1+t)) - artanh(t)/t) / (t * t)
}

// arsinhOver returns arsinh(s z)/s, and z for s = 0.
func arsinhOver(z, s float64) float64 {
	if s*z < tiny {
		return z
	}
	return math.Asinh(s*z) / s
}

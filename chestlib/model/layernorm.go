package model

import (
	"math"

	"github.com/chestlab/chest/chestlib/optim"
)

// normEps is added to variances before the root.
const normEps = 1e-5

// LayerNorm brings each item to mean 0 and variance 1 over its entries, and
// then scales and shifts each entry by a learnt gain and bias.
//
//	x̂ = (x - mean)/√(var + 1e-5),  y = gain x̂ + bias
//
// Source: J. L. Ba et al., "Layer Normalization" (2016).
type LayerNorm struct {
	d          int
	gain, bias *optim.Param
	x          []float32
	mean, root []float64 // by item; root is 1/√(var + ε)
	y, gx      []float32
}

// NewLayerNorm makes a LayerNorm of vectors of d entries, with gain 1 and bias
// 0. Its params are name.gain and name.bias.
func NewLayerNorm(name, group string, d int) *LayerNorm {
	return &LayerNorm{d: d, gain: plain(name+".gain", group, 1, d), bias: plain(name+".bias", group, 0, d)}
}

// Forward implements Layer.
func (l *LayerNorm) Forward(x []float32, n int, training bool) []float32 {
	checkItems("LayerNorm", x, n, l.d)
	l.x, l.y = x, resized(l.y, len(x))
	l.mean, l.root = resized(l.mean, n), resized(l.root, n)
	gain, bias := l.gain.Value, l.bias.Value
	for i := range n {
		row, y := x[i*l.d:(i+1)*l.d], l.y[i*l.d:(i+1)*l.d]
		mean, root := standard(row)
		l.mean[i], l.root[i] = mean, root
		m, r := float32(mean), float32(root)
		for j, v := range row {
			y[j] = gain[j]*(v-m)*r + bias[j]
		}
	}
	return l.y
}

// Backward implements Layer. With h = gain ∂y and means over the d entries,
//
//	∂gain = Σ ∂y x̂,  ∂bias = Σ ∂y,  ∂x = (h - mean(h) - x̂ mean(h x̂))/√(var + ε)
func (l *LayerNorm) Backward(gy []float32, n int) []float32 {
	checkItems("LayerNorm", gy, n, l.d)
	l.gx = resized(l.gx, len(gy))
	gain, gGain, gBias := l.gain.Value, l.gain.Grad, l.bias.Grad
	for i := range n {
		x, g, gx := l.x[i*l.d:(i+1)*l.d], gy[i*l.d:(i+1)*l.d], l.gx[i*l.d:(i+1)*l.d]
		m, r := float32(l.mean[i]), float32(l.root[i])
		var h, hx float64
		for j, v := range x {
			hat := (v - m) * r
			gGain[j] += g[j] * hat
			gBias[j] += g[j]
			gx[j] = gain[j] * g[j]
			h += float64(gx[j])
			hx += float64(gx[j] * hat)
		}
		h0, h1 := float32(h/float64(l.d)), float32(hx/float64(l.d))
		for j, v := range x {
			gx[j] = (gx[j] - h0 - (v-m)*r*h1) * r
		}
	}
	return l.gx
}

// Params implements Layer.
func (l *LayerNorm) Params() []*optim.Param { return []*optim.Param{l.gain, l.bias} }

// Out implements Layer.
func (l *LayerNorm) Out() Shape { return Shape{l.d, 1, 1} }

// standard returns the mean of x and 1/√(var + ε).
func standard(x []float32) (mean, root float64) {
	mean = total(x) / float64(len(x))
	var s0, s1 float64 // two sums, since one waits for itself
	for i, v := range x {
		d := float64(v) - mean
		if i&1 == 0 {
			s0 += d * d
		} else {
			s1 += d * d
		}
	}
	return mean, 1 / math.Sqrt((s0+s1)/float64(len(x))+normEps)
}

// total is the sum of x. It keeps four sums, since one alone would wait for
// itself at every entry.
func total(x []float32) float64 {
	var s0, s1, s2, s3 float64
	for ; len(x) >= 4; x = x[4:] {
		s0 += float64(x[0])
		s1 += float64(x[1])
		s2 += float64(x[2])
		s3 += float64(x[3])
	}
	for _, v := range x {
		s0 += float64(v)
	}
	return (s0 + s1) + (s2 + s3)
}

// product is the inner product of x and y, with sums as in total.
func product(x, y []float32) float64 {
	var s0, s1, s2, s3 float64
	for ; len(x) >= 4 && len(y) >= 4; x, y = x[4:], y[4:] {
		s0 += float64(x[0]) * float64(y[0])
		s1 += float64(x[1]) * float64(y[1])
		s2 += float64(x[2]) * float64(y[2])
		s3 += float64(x[3]) * float64(y[3])
	}
	for i, v := range x {
		s0 += float64(v) * float64(y[i])
	}
	return (s0 + s1) + (s2 + s3)
}

package model

import (
	"cmp"
	"math"

	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/internal/parallel"
	"github.com/chestlab/chest/internal/vmath"
)

// normEps is added to variances before the root.
const normEps = 1e-5

// LayerNorm brings each item to mean 0 and variance 1 over its entries, and
// then scales and shifts each entry by a learnt gain and bias.
//
//	x̂ = (x - mean)/√(var + ε),  y = gain x̂ + bias,  ε = 1e-5 unless Eps says otherwise
//
// Source: J. L. Ba et al., "Layer Normalization" (2016).
type LayerNorm struct {
	// Eps is added to the variance before the root; 0 means 1e-5.
	Eps float64

	d          int
	gain, bias *optim.Param
	x          []float32
	mean, root []float64 // by item; root is 1/√(var + ε)
	y, gx      []float32
	parts      lanes     // gain, then bias
	hat        []float32 // a row for each lane
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
	parallel.For(n, 64, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			row, y := x[i*l.d:(i+1)*l.d], l.y[i*l.d:(i+1)*l.d]
			l.mean[i], l.root[i] = standard(row, cmp.Or(l.Eps, normEps))
			l.normal(y, i)
			vmath.Mul(y, y, l.gain.Value)
			vmath.Add(y, y, l.bias.Value)
		}
	})
	return l.y
}

// normal writes x̂ of item i.
func (l *LayerNorm) normal(hat []float32, i int) {
	vmath.Affine(hat, float32(l.root[i]), l.x[i*l.d:(i+1)*l.d], float32(-l.mean[i]*l.root[i]))
}

// Backward implements Layer. With h = gain ∂y and means over the d entries,
//
//	∂gain = Σ ∂y x̂,  ∂bias = Σ ∂y,  ∂x = (h - mean(h) - x̂ mean(h x̂))/√(var + ε)
func (l *LayerNorm) Backward(gy []float32, n int) []float32 {
	checkItems("LayerNorm", gy, n, l.d)
	l.gx = resized(l.gx, len(gy))
	l.parts = l.parts.reset(n, 2*l.d)
	l.hat = resized(l.hat, len(l.parts)*l.d)
	parallel.Tasks(parallel.Workers(len(l.parts)), len(l.parts), func(lane, _ int) {
		lo, hi := l.parts.share(lane, n)
		gGain, gBias := l.parts[lane][:l.d], l.parts[lane][l.d:]
		hat := l.hat[lane*l.d : (lane+1)*l.d]
		for i := lo; i < hi; i++ {
			g, gx := gy[i*l.d:(i+1)*l.d], l.gx[i*l.d:(i+1)*l.d]
			l.normal(hat, i)
			vmath.Mul(gx, g, hat)
			vmath.Add(gGain, gGain, gx)
			vmath.Add(gBias, gBias, g)
			vmath.Mul(gx, g, l.gain.Value) // h
			d, r := float64(l.d), l.root[i]
			h, hx := vmath.Sum64(gx)/d, vmath.Dot64(gx, hat)/d
			vmath.Affine(gx, float32(r), gx, float32(-r*h))
			vmath.Axpy(gx, float32(-r*hx), hat)
		}
	})
	l.parts.addTo(l.gain, l.bias)
	return l.gx
}

// Params implements Layer.
func (l *LayerNorm) Params() []*optim.Param { return []*optim.Param{l.gain, l.bias} }

// Out implements Layer.
func (l *LayerNorm) Out() Shape { return Shape{l.d, 1, 1} }

// standard returns the mean of x and 1/√(var + ε).
func standard(x []float32, eps float64) (mean, root float64) {
	d := float64(len(x))
	mean = vmath.Sum64(x) / d
	// float64 sums of float32 squares: nothing to lose unless mean² > 1e9 var
	return mean, 1 / math.Sqrt(max(vmath.Dot64(x, x)/d-mean*mean, 0)+eps)
}

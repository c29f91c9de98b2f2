package model

import (
	"math"

	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/internal/parallel"
	"github.com/chestlab/chest/internal/vmath"
)

// BatchNorm brings each channel to mean 0 and variance 1 over all items and
// pixels of the batch, and then scales and shifts it by a learnt gain and bias.
//
//	x̂ = (x - mean)/√(var + 1e-5),  y = gain x̂ + bias
//
// Outside of training it takes running averages instead, which each training
// batch moves by a tenth; their variance is that of n-1. They are its State.
//
// Source: S. Ioffe and C. Szegedy, "Batch Normalization" (2015).
type BatchNorm struct {
	shape      Shape
	gain, bias *optim.Param
	running    [2]State // mean, variance
	x          []float32
	mean, root []float64 // by channel; root is 1/√(var + ε)
	y, gx      []float32
	training   bool
}

// batchMomentum is the share of a batch in the running averages.
const batchMomentum = 0.1

// NewBatchNorm makes a BatchNorm with gain 1, bias 0 and running averages 0 and
// 1. Its params are name.gain and name.bias, its state name.mean and
// name.variance.
func NewBatchNorm(name, group string, s Shape) *BatchNorm {
	l := &BatchNorm{shape: s, gain: plain(name+".gain", group, 1, s.C), bias: plain(name+".bias", group, 0, s.C)}
	l.running = [2]State{{name + ".mean", make([]float32, s.C)}, {name + ".variance", make([]float32, s.C)}}
	fill(l.running[1].Value, 1)
	l.mean, l.root = make([]float64, s.C), make([]float64, s.C)
	return l
}

// Forward implements Layer.
func (l *BatchNorm) Forward(x []float32, n int, training bool) []float32 {
	checkItems("BatchNorm", x, n, l.shape.Size())
	l.x, l.y, l.training = x, resized(l.y, len(x)), training
	pixels := l.shape.H * l.shape.W
	parallel.For(l.shape.C, 1, func(c, _ int) {
		if training && n > 0 {
			l.measure(c, n)
		} else {
			l.mean[c], l.root[c] = float64(l.running[0].Value[c]), 1/math.Sqrt(float64(l.running[1].Value[c])+normEps)
		}
		a := float64(l.gain.Value[c]) * l.root[c]
		shift := float32(float64(l.bias.Value[c]) - a*l.mean[c])
		for i := range n {
			at := (i*l.shape.C + c) * pixels
			vmath.Affine(l.y[at:at+pixels], float32(a), x[at:at+pixels], shift)
		}
	})
	return l.y
}

// measure takes mean and variance of channel c over the batch.
func (l *BatchNorm) measure(c, n int) {
	pixels := l.shape.H * l.shape.W
	count := float64(n * pixels)
	var sum, squares float64
	for i := range n {
		row := l.x[(i*l.shape.C+c)*pixels:][:pixels]
		sum += vmath.Sum64(row)
		squares += vmath.Dot64(row, row)
	}
	mean := sum / count
	// float64 sums of float32 squares: nothing to lose unless mean² > 1e9 var
	variance := max(squares/count-mean*mean, 0)
	l.mean[c], l.root[c] = mean, 1/math.Sqrt(variance+normEps)
	m, v := &l.running[0].Value[c], &l.running[1].Value[c]
	*m += float32(batchMomentum * (mean - float64(*m)))
	*v += float32(batchMomentum * (variance*count/max(count-1, 1) - float64(*v)))
}

// Backward implements Layer. With h = gain ∂y and means over a channel of the
// batch,
//
//	∂gain = Σ ∂y x̂,  ∂bias = Σ ∂y,  ∂x = (h - mean(h) - x̂ mean(h x̂))/√(var + ε)
//
// and ∂x = h/√(var + ε) where the running averages were taken.
func (l *BatchNorm) Backward(gy []float32, n int) []float32 {
	checkItems("BatchNorm", gy, n, l.shape.Size())
	l.gx = resized(l.gx, len(gy))
	pixels := l.shape.H * l.shape.W
	parallel.For(l.shape.C, 1, func(c, _ int) {
		var s, sx float64
		for i := range n {
			at := (i*l.shape.C + c) * pixels
			s += vmath.Sum64(gy[at : at+pixels])
			sx += vmath.Dot64(gy[at:at+pixels], l.x[at:at+pixels])
		}
		mean, root := l.mean[c], l.root[c]
		sx = root * (sx - mean*s)
		l.gain.Grad[c] += float32(sx)
		l.bias.Grad[c] += float32(s)
		a := root * float64(l.gain.Value[c])
		var b, d float64 // ∂x = a ∂y + b x + d
		if l.training {
			count := float64(n * pixels)
			b = -a * root * sx / count
			d = -a*s/count - b*mean
		}
		for i := range n {
			at := (i*l.shape.C + c) * pixels
			gx := l.gx[at : at+pixels]
			vmath.Affine(gx, float32(a), gy[at:at+pixels], float32(d))
			if b != 0 {
				vmath.Axpy(gx, float32(b), l.x[at:at+pixels])
			}
		}
	})
	return l.gx
}

// Params implements Layer.
func (l *BatchNorm) Params() []*optim.Param { return []*optim.Param{l.gain, l.bias} }

// State implements Stateful.
func (l *BatchNorm) State() []State { return l.running[:] }

// Out implements Layer.
func (l *BatchNorm) Out() Shape { return l.shape }

// State is what a layer has learnt without a gradient.
type State struct {
	Name  string // unique in a model
	Value []float32
}

// Stateful is a layer with State.
type Stateful interface{ State() []State }

// stateOf is the state of a layer, if it has one.
func stateOf(l Layer) []State {
	if s, ok := l.(Stateful); ok {
		return s.State()
	}
	return nil
}

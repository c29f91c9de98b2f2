package model

import (
	"fmt"
	"math"

	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/internal/parallel"
	"github.com/chestlab/chest/internal/vmath"
)

// GroupNorm cuts the channels of each item into groups and brings each group to
// mean 0 and variance 1, then scales and shifts each channel by a learnt gain
// and bias. It looks at one item at a time: training and evaluation agree, and
// so do batches of any size.
//
//	x̂ = (x - mean)/√(var + 1e-5),  y = gain x̂ + bias
//
// Source: Y. Wu and K. He, "Group Normalization" (2018).
type GroupNorm struct {
	shape      Shape
	groups     int
	gain, bias *optim.Param
	x          []float32
	mean, root []float64 // n×groups; root is 1/√(var + ε)
	y, gx      []float32
	parts      lanes // gain, then bias
}

// NewGroupNorm makes a GroupNorm with gain 1 and bias 0. Its params are
// name.gain and name.bias. It panics if groups does not divide the channels.
func NewGroupNorm(name, group string, s Shape, groups int) *GroupNorm {
	if groups < 1 || s.C%groups != 0 {
		panic(fmt.Sprintf("model: GroupNorm: %d channels do not make %d groups", s.C, groups))
	}
	return &GroupNorm{shape: s, groups: groups, gain: plain(name+".gain", group, 1, s.C), bias: plain(name+".bias", group, 0, s.C)}
}

// Forward implements Layer.
func (l *GroupNorm) Forward(x []float32, n int, training bool) []float32 {
	checkItems("GroupNorm", x, n, l.shape.Size())
	l.x, l.y = x, resized(l.y, len(x))
	l.mean, l.root = resized(l.mean, n*l.groups), resized(l.root, n*l.groups)
	parallel.Tasks(parallel.Workers(n), n, func(i, _ int) {
		for g := range l.groups {
			l.forward(i, g)
		}
	})
	return l.y
}

// span is where the channels of group g of item i lie.
func (l *GroupNorm) span(i, g int) (lo, hi int) {
	size := l.shape.Size() / l.groups
	lo = i*l.shape.Size() + g*size
	return lo, lo + size
}

// forward computes group g of item i.
func (l *GroupNorm) forward(i, g int) {
	lo, hi := l.span(i, g)
	x := l.x[lo:hi]
	count := float64(len(x))
	mean := vmath.Sum64(x) / count
	// float64 sums of float32 squares: nothing to lose unless mean² > 1e9 var
	variance := max(vmath.Dot64(x, x)/count-mean*mean, 0)
	root := 1 / math.Sqrt(variance+normEps)
	l.mean[i*l.groups+g], l.root[i*l.groups+g] = mean, root
	pixels, channels := l.shape.H*l.shape.W, l.shape.C/l.groups
	for c := range channels {
		a := float64(l.gain.Value[g*channels+c]) * root
		scale, shift := float32(a), float32(float64(l.bias.Value[g*channels+c])-a*mean)
		vmath.Affine(l.y[lo+c*pixels:lo+(c+1)*pixels], scale, x[c*pixels:(c+1)*pixels], shift)
	}
}

// Backward implements Layer. With h = gain ∂y and means over a group,
//
//	∂gain = Σ ∂y x̂,  ∂bias = Σ ∂y,  ∂x = (h - mean(h) - x̂ mean(h x̂))/√(var + ε)
func (l *GroupNorm) Backward(gy []float32, n int) []float32 {
	checkItems("GroupNorm", gy, n, l.shape.Size())
	l.gx = resized(l.gx, len(gy))
	l.parts = l.parts.reset(n, 2*l.shape.C)
	parallel.Tasks(parallel.Workers(len(l.parts)), len(l.parts), func(lane, _ int) {
		first, end := l.parts.share(lane, n)
		for i := first; i < end; i++ {
			for g := range l.groups {
				l.backward(gy, i, g, l.parts[lane])
			}
		}
	})
	l.parts.addTo(l.gain, l.bias)
	return l.gx
}

// backward computes group g of item i and adds to part. In terms of x instead
// of x̂, ∂x is a ∂y + b x + d with a per channel and b, d per group.
func (l *GroupNorm) backward(gy []float32, i, g int, part []float32) {
	lo, hi := l.span(i, g)
	mean, root := l.mean[i*l.groups+g], l.root[i*l.groups+g]
	pixels, channels := l.shape.H*l.shape.W, l.shape.C/l.groups
	var h, hx float64
	for c := range channels {
		from, to := lo+c*pixels, lo+(c+1)*pixels
		s := vmath.Sum64(gy[from:to])
		sx := root * (vmath.Dot64(gy[from:to], l.x[from:to]) - mean*s)
		k := g*channels + c
		part[k] += float32(sx)
		part[l.shape.C+k] += float32(s)
		h += float64(l.gain.Value[k]) * s
		hx += float64(l.gain.Value[k]) * sx
	}
	h, hx = h/float64(hi-lo), hx/float64(hi-lo)
	b, d := float32(-root*root*hx), float32(root*root*hx*mean-root*h)
	for c := range channels {
		from, to := lo+c*pixels, lo+(c+1)*pixels
		a := float32(root * float64(l.gain.Value[g*channels+c]))
		vmath.Affine(l.gx[from:to], a, gy[from:to], d)
		vmath.Axpy(l.gx[from:to], b, l.x[from:to])
	}
}

// Params implements Layer.
func (l *GroupNorm) Params() []*optim.Param { return []*optim.Param{l.gain, l.bias} }

// Out implements Layer.
func (l *GroupNorm) Out() Shape { return l.shape }

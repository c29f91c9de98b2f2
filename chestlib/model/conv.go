package model

import (
	"fmt"
	"math/rand/v2"

	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/internal/parallel"
	"github.com/chestlab/chest/internal/sgemm"
)

// Conv2d is a 3×3 convolution with a border of one zero pixel, in steps of
// stride pixels: H becomes ⌈H/stride⌉.
//
//	y[o,i,j] = b[o] + Σ W[o,c,k,l] x[c, stride·i+k-1, stride·j+l-1]
//
// All three products, forward, by the weights and by x, are matrix products of
// rows with rows, which is what sgemm does best: forward the weights with
// patches of x (a row for each pixel), for the gradient by x the turned weights
// with patches of ∂y, and for the gradient by the weights ∂y with the columns
// of those patches of x. Images are computed in parallel, each by one goroutine.
type Conv2d struct {
	// First says that nothing below needs the gradient by x: Backward returns
	// nil and saves its cost.
	First bool

	in, out Shape
	stride  int
	w, b    *optim.Param // w is out.C × in.C·9
	x       []float32
	y, gx   []float32
	turned  []float32     // in.C × out.C·9: w with channels exchanged and turned by 180°
	parts   lanes         // w, then b
	scratch []convScratch // by worker
}

// convScratch is the memory of one worker.
type convScratch struct {
	x, gy   []float32 // an item with its border
	patches []float32 // pixels × channels·9
	columns []float32 // in.C·9 × pixels of some items
	gys     []float32 // out.C × pixels of some items
}

// NewConv2d makes a convolution to channels channels, with normal weights of
// deviation std and bias 0. Its params are name.weight and name.bias. It panics
// unless stride is 1 or 2.
func NewConv2d(name, group string, in Shape, channels, stride int, std float64, rng *rand.Rand) *Conv2d {
	if stride != 1 && stride != 2 {
		panic(fmt.Sprintf("model: Conv2d: stride %d; it must be 1 or 2", stride))
	}
	return &Conv2d{
		in: in, out: Shape{channels, (in.H + stride - 1) / stride, (in.W + stride - 1) / stride}, stride: stride,
		w: normal(name+".weight", group, std, rng, channels, in.C*9), b: plain(name+".bias", group, 0, channels),
	}
}

// Forward implements Layer.
func (l *Conv2d) Forward(x []float32, n int, training bool) []float32 {
	checkItems("Conv2d", x, n, l.in.Size())
	l.x, l.y = x, resized(l.y, n*l.out.Size())
	parallel.Tasks(l.workers(n), n, func(i, worker int) { l.forward(i, &l.scratch[worker]) })
	return l.y
}

// workers is the number of workers for so many tasks, each with its scratch.
func (l *Conv2d) workers(tasks int) int {
	n := parallel.Workers(tasks)
	for len(l.scratch) < n {
		l.scratch = append(l.scratch, convScratch{})
	}
	return n
}

// forward computes item i.
func (l *Conv2d) forward(i int, s *convScratch) {
	pixels, k := l.out.H*l.out.W, l.in.C*9
	s.patches = resized(s.patches, pixels*k)
	s.x = bordered(s.x, item(l.x, i, l.in), l.in, 1, l.in.H, l.in.W)
	patches(s.patches, s.x, l.in, l.out, l.stride)
	y := item(l.y, i, l.out)
	for o, b := range l.b.Value {
		fill(y[o*pixels:(o+1)*pixels], b)
	}
	sgemm.SerialNT(y, l.w.Value, s.patches, l.out.C, pixels, k, 1)
}

// Backward implements Layer. Stride 2 costs as much as stride 1 here: ∂y is
// spread out with zeros between its pixels.
func (l *Conv2d) Backward(gy []float32, n int) []float32 {
	checkItems("Conv2d", gy, n, l.out.Size())
	l.parts = l.parts.reset(n, len(l.w.Value)+len(l.b.Value))
	if !l.First {
		l.gx = resized(l.gx, n*l.in.Size())
		l.turn()
	}
	parallel.Tasks(l.workers(len(l.parts)), len(l.parts), func(lane, worker int) {
		l.backward(gy, lane, n, &l.scratch[worker])
	})
	l.parts.addTo(l.w, l.b)
	if l.First {
		return nil
	}
	return l.gx
}

// backward computes the items of a lane, as many together as make long rows
// for the product by the weights.
func (l *Conv2d) backward(gy []float32, lane, n int, s *convScratch) {
	const length = 192
	pixels := l.out.H * l.out.W
	together := (length + pixels - 1) / pixels
	first, end := l.parts.share(lane, n)
	for i := first; i < end; i += together {
		l.byWeights(gy, i, min(together, end-i), l.parts[lane], s)
	}
	if l.First {
		return
	}
	for i := first; i < end; i++ {
		l.byInput(item(gy, i, l.out), i, s)
	}
}

// byWeights adds the gradient by weights and bias of items i to i+m-1 to part.
//
//	∂W = ∂y columnsᵀ,  ∂b = Σ ∂y
func (l *Conv2d) byWeights(gy []float32, i, m int, part []float32, s *convScratch) {
	pixels, k := l.out.H*l.out.W, l.in.C*9
	s.columns, s.gys = resized(s.columns, k*m*pixels), resized(s.gys, l.out.C*m*pixels)
	for j := range m {
		s.x = bordered(s.x, item(l.x, i+j, l.in), l.in, 1, l.in.H, l.in.W)
		columns(s.columns[j*pixels:], m*pixels, s.x, l.in, l.out, l.stride)
		for o := range l.out.C {
			copy(s.gys[(o*m+j)*pixels:(o*m+j+1)*pixels], item(gy, i+j, l.out)[o*pixels:])
		}
	}
	gw, gb := part[:len(l.w.Value)], part[len(l.w.Value):]
	sgemm.SerialNT(gw, s.gys, s.columns, l.out.C, k, m*pixels, 1)
	for o := range gb {
		gb[o] += float32(total(s.gys[o*m*pixels : (o+1)*m*pixels]))
	}
}

// byInput computes the gradient by item i: a convolution of ∂y, spread out to
// the size of x, with the turned weights.
func (l *Conv2d) byInput(gy []float32, i int, s *convScratch) {
	pixels, k := l.in.H*l.in.W, l.out.C*9
	s.patches = resized(s.patches, pixels*k)
	s.gy = bordered(s.gy, gy, l.out, l.stride, l.in.H, l.in.W)
	patches(s.patches, s.gy, Shape{l.out.C, l.in.H, l.in.W}, l.in, 1)
	sgemm.SerialNT(item(l.gx, i, l.in), l.turned, s.patches, l.in.C, pixels, k, 0)
}

// turn fills turned.
func (l *Conv2d) turn() {
	l.turned = resized(l.turned, len(l.w.Value))
	for o := range l.out.C {
		for c := range l.in.C {
			from, to := l.w.Value[(o*l.in.C+c)*9:][:9], l.turned[(c*l.out.C+o)*9:][:9]
			for j, v := range from {
				to[8-j] = v
			}
		}
	}
}

// Params implements Layer.
func (l *Conv2d) Params() []*optim.Param { return []*optim.Param{l.w, l.b} }

// Out implements Layer.
func (l *Conv2d) Out() Shape { return l.out }

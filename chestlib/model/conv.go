package model

import (
	"fmt"
	"math/rand/v2"

	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/internal/parallel"
	"github.com/chestlab/chest/internal/sgemm"
	"github.com/chestlab/chest/internal/vmath"
)

// Conv2d is a 3×3 convolution with a border of one zero pixel, in steps of
// stride pixels: H becomes ⌈H/stride⌉.
//
//	y[o,i,j] = b[o] + Σ W[o,c,k,l] x[c, stride·i+k-1, stride·j+l-1]
//
// All three passes are matrix products with columns: a row for each channel
// and place (k, l), an entry for each pixel. Forward the weights times columns
// of x, for the gradient by x the turned weights times columns of ∂y, for that
// by the weights ∂y times the transposed columns of x. Columns are made for a
// strip at a time, some items or some rows of pixels of one, which stays in
// cache: memory does not grow with the batch.
type Conv2d struct {
	// First says that nothing below needs the gradient by x: Backward returns
	// nil and saves its cost.
	First bool

	in, out Shape
	stride  int
	w, b    *optim.Param // w is out.C × in.C·9
	x       []float32
	y, gx   []float32
	turned  []float32 // in.C × out.C·9: w with channels exchanged and turned by 180°
	parts   lanes     // w, then b
	workers []convWorker
}

// convWorker is the memory of one worker.
type convWorker struct {
	gemm    sgemm.Workspace
	columns []float32 // channels·9 × pixels of a strip
	rows    []float32 // channels × pixels of a strip of several items
	spread  []float32 // ∂y of an item with zeros between its pixels
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
	all := cutStrips(0, n, l.in.C, l.out)
	parallel.Tasks(l.crew(all.count()), all.count(), func(i, worker int) { l.forward(all.at(i), &l.workers[worker]) })
	return l.y
}

// crew is the number of workers for so many tasks, each with its memory.
func (l *Conv2d) crew(tasks int) int {
	n := parallel.Workers(tasks)
	for len(l.workers) < n {
		l.workers = append(l.workers, convWorker{})
	}
	return n
}

// forward computes a strip of y.
func (l *Conv2d) forward(s strip, w *convWorker) {
	w.columns = s.columns(w.columns, l.x, l.in, l.out, l.stride)
	dst := s.view(&w.rows, l.y, l.out)
	for o, b := range l.b.Value {
		fill(dst.Data[o*dst.Stride:o*dst.Stride+dst.Cols], b)
	}
	w.gemm.Mul(dst, sgemm.Dense(l.w.Value, l.out.C, l.in.C*9), false, sgemm.Dense(w.columns, l.in.C*9, dst.Cols), false, 1, 1)
	s.put(l.y, l.out, dst)
}

// Backward implements Layer. For the gradient by x stride 2 costs as much as
// stride 1: ∂y is spread out with zeros between its pixels.
func (l *Conv2d) Backward(gy []float32, n int) []float32 {
	checkItems("Conv2d", gy, n, l.out.Size())
	l.parts = l.parts.reset(n, len(l.w.Value)+len(l.b.Value))
	if !l.First {
		l.gx = resized(l.gx, n*l.in.Size())
		l.turn()
	}
	parallel.Tasks(l.crew(len(l.parts)), len(l.parts), func(lane, worker int) {
		l.backward(gy, lane, n, &l.workers[worker])
	})
	l.parts.addTo(l.w, l.b)
	if l.First {
		return nil
	}
	return l.gx
}

// backward computes the items of a lane.
func (l *Conv2d) backward(gy []float32, lane, n int, w *convWorker) {
	first, end := l.parts.share(lane, n)
	part := l.parts[lane]
	gw, gb := sgemm.Dense(part[:len(l.w.Value)], l.out.C, l.in.C*9), part[len(l.w.Value):]
	all := cutStrips(first, end, l.in.C, l.out)
	for i := range all.count() { // ∂W = ∂y columnsᵀ, ∂b = Σ ∂y
		s := all.at(i)
		w.columns = s.columns(w.columns, l.x, l.in, l.out, l.stride)
		g := s.view(&w.rows, gy, l.out)
		s.get(gy, l.out, g)
		w.gemm.Mul(gw, g, false, sgemm.Dense(w.columns, l.in.C*9, g.Cols), true, 1, 1)
		for o := range gb {
			gb[o] += float32(vmath.Sum64(g.Data[o*g.Stride : o*g.Stride+g.Cols]))
		}
	}
	if l.First {
		return
	}
	from := Shape{l.out.C, l.in.H, l.in.W} // of ∂y, spread out
	all = cutStrips(first, end, l.out.C, l.in)
	for i := range all.count() {
		s := all.at(i)
		if l.stride == 1 {
			w.columns = s.columns(w.columns, gy, from, l.in, 1)
		} else {
			w.spread = spreadOut(w.spread, gy[s.item*l.out.Size():(s.item+s.items)*l.out.Size()], l.out, l.in)
			w.columns = strip{0, s.items, s.row, s.rows}.columns(w.columns, w.spread, from, l.in, 1)
		}
		dst := s.view(&w.rows, l.gx, l.in)
		w.gemm.Mul(dst, sgemm.Dense(l.turned, l.in.C, l.out.C*9), false, sgemm.Dense(w.columns, l.out.C*9, dst.Cols), false, 1, 0)
		s.put(l.gx, l.in, dst)
	}
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

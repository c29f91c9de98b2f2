package model

import (
	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/internal/parallel"
	"github.com/chestlab/chest/internal/vmath"
)

// MaxPool takes the largest entry of each 2×2 window, window beside window. At
// an odd edge the windows are cut off, so no pixel is lost: H becomes ⌈H/2⌉.
type MaxPool struct {
	in, out Shape
	from    []int32 // where in its item each entry of y came from
	y, gx   []float32
}

// NewMaxPool makes a MaxPool of items of shape in.
func NewMaxPool(in Shape) *MaxPool {
	return &MaxPool{in: in, out: Shape{in.C, (in.H + 1) / 2, (in.W + 1) / 2}}
}

// Forward implements Layer.
func (l *MaxPool) Forward(x []float32, n int, training bool) []float32 {
	checkItems("MaxPool", x, n, l.in.Size())
	size := n * l.out.Size()
	l.y, l.from = resized(l.y, size), resized(l.from, size)
	parallel.Tasks(parallel.Workers(n), n, func(i, _ int) { l.forward(x, i) })
	return l.y
}

// forward computes item i.
func (l *MaxPool) forward(x []float32, i int) {
	item := x[i*l.in.Size() : (i+1)*l.in.Size()]
	at, w := i*l.out.Size(), l.in.W
	for c := range l.in.C {
		for top := 0; top < l.in.H; top += 2 {
			row := (c*l.in.H + top) * w
			below := row
			if top+1 < l.in.H {
				below += w
			}
			for left := 0; left < w; left += 2 {
				right := min(left+1, w-1)
				v, from := item[row+left], row+left
				if u := item[row+right]; u > v {
					v, from = u, row+right
				}
				if u := item[below+left]; u > v {
					v, from = u, below+left
				}
				if u := item[below+right]; u > v {
					v, from = u, below+right
				}
				l.y[at], l.from[at] = v, int32(from)
				at++
			}
		}
	}
}

// Backward implements Layer: the gradient goes to the entry that was taken, the
// first in row order among equal ones.
func (l *MaxPool) Backward(gy []float32, n int) []float32 {
	checkItems("MaxPool", gy, n, l.out.Size())
	l.gx = resized(l.gx, n*l.in.Size())
	parallel.Tasks(parallel.Workers(n), n, func(i, _ int) {
		gx := l.gx[i*l.in.Size() : (i+1)*l.in.Size()]
		clear(gx)
		lo, hi := i*l.out.Size(), (i+1)*l.out.Size()
		for j, from := range l.from[lo:hi] {
			gx[from] += gy[lo+j]
		}
	})
	return l.gx
}

// Params implements Layer.
func (l *MaxPool) Params() []*optim.Param { return nil }

// Out implements Layer.
func (l *MaxPool) Out() Shape { return l.out }

// GlobalAverage takes the mean of each channel.
type GlobalAverage struct {
	in    Shape
	y, gx []float32
}

// NewGlobalAverage makes a GlobalAverage of items of shape in.
func NewGlobalAverage(in Shape) *GlobalAverage { return &GlobalAverage{in: in} }

// Forward implements Layer.
func (l *GlobalAverage) Forward(x []float32, n int, training bool) []float32 {
	checkItems("GlobalAverage", x, n, l.in.Size())
	l.y = resized(l.y, n*l.in.C)
	pixels := l.in.H * l.in.W
	for i := range l.y {
		l.y[i] = float32(vmath.Sum64(x[i*pixels:(i+1)*pixels]) / float64(pixels))
	}
	return l.y
}

// Backward implements Layer: each pixel gets an equal share of the gradient.
func (l *GlobalAverage) Backward(gy []float32, n int) []float32 {
	checkItems("GlobalAverage", gy, n, l.in.C)
	l.gx = resized(l.gx, n*l.in.Size())
	pixels := l.in.H * l.in.W
	for i, g := range gy {
		share := g / float32(pixels)
		for j := i * pixels; j < (i+1)*pixels; j++ {
			l.gx[j] = share
		}
	}
	return l.gx
}

// Params implements Layer.
func (l *GlobalAverage) Params() []*optim.Param { return nil }

// Out implements Layer.
func (l *GlobalAverage) Out() Shape { return Shape{l.in.C, 1, 1} }

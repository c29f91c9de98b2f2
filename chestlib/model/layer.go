package model

import (
	"fmt"

	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/internal/parallel"
	"github.com/chestlab/chest/internal/vmath"
)

// Shape is the shape of one item: channels, height, width. Items are C×H×W
// float32, row-major; a vector of d numbers is {d, 1, 1}.
type Shape struct{ C, H, W int }

// Size is the number of entries of an item.
func (s Shape) Size() int { return s.C * s.H * s.W }

// String is the shape as text: "1×28×28".
func (s Shape) String() string { return fmt.Sprintf("%d×%d×%d", s.C, s.H, s.W) }

// Layer is a function of items with weights. A step is one Forward and then at
// most one Backward of the same n.
//
// Layers keep x, not a copy: it must stay as it is until Backward has
// returned. The slices they return are theirs and are overwritten by the next
// call; a later call of no larger n allocates none anew. A layer is used by one
// goroutine at a time and runs on all processors itself, with results that do
// not depend on their number.
type Layer interface {
	// Forward maps the n items of x to n items of shape Out. training says
	// that Backward may follow. It panics if x does not have n items.
	Forward(x []float32, n int, training bool) []float32
	// Backward takes the gradient by the result of the last Forward, adds the
	// gradients by the weights to the Params' Grad, and returns the gradient
	// by x.
	Backward(gy []float32, n int) []float32
	Params() []*optim.Param
	Out() Shape
}

// Sequence applies its layers one after the other. An empty sequence is the
// identity; its Out is the zero Shape.
type Sequence []Layer

// Forward implements Layer.
func (s Sequence) Forward(x []float32, n int, training bool) []float32 {
	for _, l := range s {
		x = l.Forward(x, n, training)
	}
	return x
}

// Backward implements Layer.
func (s Sequence) Backward(gy []float32, n int) []float32 {
	for i := len(s) - 1; i >= 0; i-- {
		gy = s[i].Backward(gy, n)
	}
	return gy
}

// Params implements Layer.
func (s Sequence) Params() (p []*optim.Param) {
	for _, l := range s {
		p = append(p, l.Params()...)
	}
	return p
}

// State implements Stateful.
func (s Sequence) State() (state []State) {
	for _, l := range s {
		state = append(state, stateOf(l)...)
	}
	return state
}

// Out implements Layer.
func (s Sequence) Out() Shape {
	if len(s) == 0 {
		return Shape{}
	}
	return s[len(s)-1].Out()
}

// Residual is y = x + f(x). f must keep the size of items.
type Residual struct {
	f     Layer
	y, gx []float32
}

// NewResidual makes a residual block of f.
func NewResidual(f Layer) *Residual { return &Residual{f: f} }

// Forward implements Layer.
func (r *Residual) Forward(x []float32, n int, training bool) []float32 {
	r.y = sum(r.y, x, r.f.Forward(x, n, training))
	return r.y
}

// Backward implements Layer.
//
//	∂x = ∂y + (∂f/∂x)ᵀ ∂y
func (r *Residual) Backward(gy []float32, n int) []float32 {
	r.gx = sum(r.gx, gy, r.f.Backward(gy, n))
	return r.gx
}

// sum writes a + b into dst, resized.
func sum(dst, a, b []float32) []float32 {
	if len(a) != len(b) {
		panic(fmt.Sprintf("model: a sum of %d and %d entries", len(a), len(b)))
	}
	dst = resized(dst, len(a))
	parallel.For(len(a), piece, func(lo, hi int) { vmath.Add(dst[lo:hi], a[lo:hi], b[lo:hi]) })
	return dst
}

// Params implements Layer.
func (r *Residual) Params() []*optim.Param { return r.f.Params() }

// State implements Stateful.
func (r *Residual) State() []State { return stateOf(r.f) }

// Out implements Layer.
func (r *Residual) Out() Shape { return r.f.Out() }

// checkItems panics unless x is n items of size entries.
func checkItems(layer string, x []float32, n, size int) {
	if n < 0 || len(x) != n*size {
		panic(fmt.Sprintf("model: %s: %d entries are not %d items of %d", layer, len(x), n, size))
	}
}

// resized is x with length n, newly allocated only if x is too small. The
// content is any.
func resized[T any](x []T, n int) []T {
	if cap(x) < n {
		return make([]T, n)
	}
	return x[:n]
}

// item is item i of x.
func item(x []float32, i int, s Shape) []float32 { return x[i*s.Size() : (i+1)*s.Size()] }

package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/chestlab/chest/internal/sgemm"
	"github.com/chestlab/chest/internal/vmath"
)

// Linear is y = x wᵀ + b for x n×in, w out×in and b of out; y is n×out. A nil b is
// none. Weights have the layout of model.Linear.
//
//	∂x = ∂y w,  ∂w = ∂yᵀ x,  ∂b = Σ ∂y
//
// It multiplies by chest's products, whatever BLAS Gorgonia uses, and allocates
// nothing after the first run. The gradient by x is computed only if something
// below x asks for it.
func Linear(x, w, b *gorgonia.Node) (*gorgonia.Node, error) {
	if x == nil || w == nil || x.Dims() != 2 || w.Dims() != 2 || x.Shape()[1] != w.Shape()[1] {
		return nil, fmt.Errorf("graph: Linear: x is %s and w %s, want n×in and out×in", shape(x), shape(w))
	}
	n, in, out := x.Shape()[0], x.Shape()[1], w.Shape()[0]
	inputs := gorgonia.Nodes{x, w}
	k := kernel{forward: func(y []float32, x [][]float32) error {
		var beta float32
		for i := 0; len(x) > 2 && i < n; i++ {
			copy(y[i*out:], x[2])
			beta = 1
		}
		sgemm.NT(y, x[0], x[1], n, out, in, beta)
		return nil
	}}
	k.backward = append(k.backward,
		func(gx []float32, x [][]float32, _, gy []float32) error {
			sgemm.NN(gx, gy, x[1], n, in, out, 0)
			return nil
		},
		func(gw []float32, x [][]float32, _, gy []float32) error {
			sgemm.TN(gw, gy, x[0], out, in, n, 0)
			return nil
		})
	if b != nil {
		if err := shapeIs("Linear", "b", b, out); err != nil {
			return nil, err
		}
		inputs = append(inputs, b)
		k.backward = append(k.backward, func(gb []float32, _ [][]float32, _, gy []float32) error {
			sumRows(gb, gy)
			return nil
		})
	}
	_, y, err := apply("Linear", k, []int{n, out}, inputs...)
	return y, err
}

// shape is the shape of a node as text, also of none.
func shape(n *gorgonia.Node) string {
	if n == nil {
		return "nil"
	}
	return fmt.Sprint(n.Shape())
}

// Reshape is x with other axes over the same numbers, copied. gorgonia.Reshape
// shares memory with x, and a stock node that then works in place writes into
// values of x that gradients still need.
func Reshape(x *gorgonia.Node, axes ...int) (*gorgonia.Node, error) {
	if x == nil || len(axes) == 0 || tensor.Shape(axes).TotalSize() != x.Shape().TotalSize() {
		return nil, fmt.Errorf("graph: Reshape: x is %s, which has not the size of %v", shape(x), axes)
	}
	k := kernel{forward: func(y []float32, x [][]float32) error {
		copy(y, x[0])
		return nil
	}}
	k.backward = append(k.backward, pass)
	_, y, err := apply("Reshape", k, append([]int(nil), axes...), x)
	return y, err
}

// pass is the backward of what only passes on.
func pass(gx []float32, _ [][]float32, _, gy []float32) error {
	copy(gx, gy)
	return nil
}

// plus is a + b for a residual connection; stock Add would allocate it in each
// run.
func plus(a, b *gorgonia.Node) (*gorgonia.Node, error) {
	k := kernel{forward: func(y []float32, x [][]float32) error {
		vmath.Add(y, x[0], x[1])
		return nil
	}}
	k.backward = append(k.backward, pass, pass)
	_, y, err := apply("Plus", k, a.Shape(), a, b)
	return y, err
}

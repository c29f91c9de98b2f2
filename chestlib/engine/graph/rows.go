package graph

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/chestlab/chest/chestlib/ball"
	"github.com/chestlab/chest/internal/parallel"
	"github.com/chestlab/chest/internal/vmath"
)

// rowGrain is how many rows one parallel task takes.
const rowGrain = 16

// lastAxis is the length d of the rows along the last axis of x, and their number.
func lastAxis(name string, x *gorgonia.Node) (rows, d int, err error) {
	if x == nil {
		return 0, 0, fmt.Errorf("graph: %s: x is nil", name)
	}
	s := x.Shape()
	if len(s) == 0 || s.TotalSize() == 0 {
		return 0, 0, fmt.Errorf("graph: %s: %s has shape %v; want rows", name, x.Name(), s)
	}
	d = s[len(s)-1]
	return s.TotalSize() / d, d, nil
}

// rowOp makes the node of a function of single rows along the last axis.
// backward writes the gradient by a row, given the row, its result and the
// gradient by that.
func rowOp(name string, x *gorgonia.Node, forward func(y, x []float32), backward func(gx, x, y, gy []float32)) (*gorgonia.Node, error) {
	n, d, err := lastAxis(name, x)
	if err != nil {
		return nil, err
	}
	k := kernel{forward: func(y []float32, x [][]float32) error {
		parallel.For(n, rowGrain, func(lo, hi int) {
			for i := lo * d; i < hi*d; i += d {
				forward(y[i:i+d], x[0][i:i+d])
			}
		})
		return nil
	}}
	k.backward = append(k.backward, func(gx []float32, x [][]float32, y, gy []float32) error {
		parallel.For(n, rowGrain, func(lo, hi int) {
			for i := lo * d; i < hi*d; i += d {
				backward(gx[i:i+d], x[0][i:i+d], y[i:i+d], gy[i:i+d])
			}
		})
		return nil
	})
	_, node, err := apply(name, k, x.Shape(), x)
	return node, err
}

// shortest is the length below which a row counts as zero: 1/‖x‖ would be no
// float32.
const shortest = 1e-30

// L2Normalize scales the rows of x, along its last axis, to length 1.
//
//	y = x/‖x‖,  ∂x = (∂y - (y·∂y) y)/‖x‖
//
// A zero row stays zero and has no gradient, where gorgonia.Norm gives NaN.
func L2Normalize(x *gorgonia.Node) (*gorgonia.Node, error) {
	inverse := func(x []float32) float64 {
		if norm := math.Sqrt(vmath.Dot64(x, x)); !(norm < shortest) {
			return 1 / norm
		}
		return 0
	}
	return rowOp("L2Normalize", x,
		func(y, x []float32) { vmath.Scale(y, float32(inverse(x)), x) },
		func(gx, x, y, gy []float32) {
			f := inverse(x)
			clear(gx)
			vmath.Combine64(gx, f, gy, -f*vmath.Dot64(y, gy), y)
		})
}

// ExpMap0 carries the rows of x, tangent vectors at the origin, onto the Poincaré
// ball of curvature -c, clipped to length r first.
//
//	y = tanh(√c‖u‖) u/(√c‖u‖),  u = x min(1, r/‖x‖)
//
// c = 0 is flat, y = u; r ≤ 0 means no clip, as Clip in model.Options. The gradient
// is that of ball.Map: a row at the clip has none along itself.
func ExpMap0(x *gorgonia.Node, c, r float64) (*gorgonia.Node, error) {
	if !(c >= 0) || math.IsInf(c, 0) || math.IsNaN(r) {
		return nil, fmt.Errorf("graph: ExpMap0: c is %g and r %g; give c ≥ 0, minus the curvature, and a radius, negative for none", c, r)
	}
	m := ball.Map{C: c, R: r}
	if r <= 0 {
		m.R = math.Inf(1)
	}
	return rowOp("ExpMap0", x,
		func(y, x []float32) { narrow(y, m.Point(nil, wide(x))) },
		func(gx, x, y, gy []float32) {
			g := make([]float64, len(x))
			m.Pull(g, wide(x), wide(gy))
			narrow(gx, g)
		})
}

func wide(x []float32) []float64 {
	w := make([]float64, len(x))
	for i, v := range x {
		w[i] = float64(v)
	}
	return w
}

func narrow(dst []float32, x []float64) {
	for i, v := range x {
		dst[i] = float32(v)
	}
}

// Softmax is the softmax of the rows of x, along its last axis.
//
//	y = exp(x - max x)/Σ exp(x - max x),  ∂x = y (∂y - y·∂y)
//
// gorgonia.SoftMax subtracts the first entry of the whole tensor instead of the
// row's maximum: rows that are 88 below it come out as NaN.
func Softmax(x *gorgonia.Node) (*gorgonia.Node, error) {
	return rowOp("Softmax", x,
		func(y, x []float32) { vmath.Softmax(y, x) },
		func(gx, x, y, gy []float32) { vmath.SoftmaxGrad(gx, y, gy) })
}

// LogSoftmax is the logarithm of Softmax, without loss for small ones.
//
//	y = x - log Σ exp(x),  ∂x = ∂y - exp(y) Σ ∂y
func LogSoftmax(x *gorgonia.Node) (*gorgonia.Node, error) {
	return rowOp("LogSoftmax", x,
		func(y, x []float32) { vmath.Affine(y, 1, x, -vmath.LogSumExp(x)) },
		func(gx, x, y, gy []float32) {
			vmath.Exp(gx, y)
			vmath.Scale(gx, float32(-vmath.Sum64(gy)), gx)
			vmath.Add(gx, gx, gy)
		})
}

// GELU is y = x Φ(x), entry by entry, with Φ the normal distribution function,
// as the GELU layer of chestlib/model.
//
//	∂x = ∂y (Φ(x) + x φ(x))
//
// Source: D. Hendrycks and K. Gimpel, "Gaussian Error Linear Units" (2016).
func GELU(x *gorgonia.Node) (*gorgonia.Node, error) {
	return rowOp("GELU", x,
		func(y, x []float32) { vmath.Gelu(y, x) },
		func(gx, x, y, gy []float32) { vmath.GeluGrad(gx, x, gy) })
}

// shapeIs finds a node of another shape than is wanted.
func shapeIs(name, what string, n *gorgonia.Node, want ...int) error {
	if n == nil {
		return fmt.Errorf("graph: %s: %s is nil", name, what)
	}
	if !n.Shape().Eq(tensor.Shape(want)) || n.Dims() != len(want) {
		return fmt.Errorf("graph: %s: %s has shape %v, want %v", name, what, n.Shape(), tensor.Shape(want))
	}
	return nil
}

package stock

import (
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// tiny keeps roots of zero rows from NaN.
const tiny = 1e-12

// norms is ‖x‖ of each row, n×1. Reshape comes before Sqrt: its result shares
// memory with its argument, and a node that works in place on the one would change
// the other, which the gradient of Sqrt needs.
func norms(x *gorgonia.Node) *gorgonia.Node {
	return must(gorgonia.Sqrt(add(constant(tiny), squares(x, x.Shape()[0], 1))))
}

// squares is ‖x‖² of each row, in that shape.
func squares(x *gorgonia.Node, shape ...int) *gorgonia.Node {
	return must(gorgonia.Reshape(must(gorgonia.Sum(must(gorgonia.Square(x)), 1)), tensor.Shape(shape)))
}

// unit is x/‖x‖ by rows.
func unit(x *gorgonia.Node) *gorgonia.Node {
	return must(gorgonia.BroadcastHadamardDiv(x, norms(x), nil, []byte{1}))
}

// ballPoints is expmap₀ of the clipped rows of u:
//
//	tanh(√c min(‖u‖, r)) u/(√c ‖u‖)
func ballPoints(u *gorgonia.Node, c, r float64) *gorgonia.Node {
	n := norms(u)
	clipped := must(gorgonia.Sub(constant(r), must(gorgonia.Rectify(must(gorgonia.Sub(constant(r), n))))))
	tanh := must(gorgonia.Tanh(times(math.Sqrt(c), clipped)))
	return must(gorgonia.BroadcastHadamardProd(u, must(gorgonia.HadamardDiv(tanh, times(math.Sqrt(c), n))), nil, []byte{1}))
}

// least is the smallest argument of acosh(1 + t), whose slope is not finite at 0.
const least = 1e-6

// ballDistances is d of the rows of x, n×1, to those of p:
//
//	t = 2c‖x-p‖²/((1-c‖x‖²)(1-c‖p‖²)),  d = log1p(t + √(t(t+2)))/√c
func ballDistances(x, p *gorgonia.Node, c float64) *gorgonia.Node {
	xx, pp := squares(x, x.Shape()[0], 1), squares(p, 1, p.Shape()[0])
	dots := must(gorgonia.Mul(x, must(gorgonia.Transpose(p, 1, 0))))
	sq := must(gorgonia.BroadcastAdd(times(-2, dots), xx, nil, []byte{1}))
	sq = must(gorgonia.BroadcastAdd(sq, pp, nil, []byte{0}))
	room := func(xx *gorgonia.Node) *gorgonia.Node { return must(gorgonia.Sub(constant(1), times(c, xx))) }
	t := must(gorgonia.BroadcastHadamardDiv(times(2*c, sq), room(xx), nil, []byte{1}))
	t = must(gorgonia.BroadcastHadamardDiv(t, room(pp), nil, []byte{0}))
	t = add(constant(least), must(gorgonia.Rectify(must(gorgonia.Sub(t, constant(least))))))
	root := must(gorgonia.Sqrt(product(t, add(constant(2), t))))
	return times(1/math.Sqrt(c), must(gorgonia.Log1p(add(t, root))))
}

// array is an input of g with the numbers of x.
func array(g *gorgonia.ExprGraph, name string, x []float32, shape ...int) *gorgonia.Node {
	return gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithName(name), gorgonia.WithShape(shape...),
		gorgonia.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(x))))
}

func must(n *gorgonia.Node, err error) *gorgonia.Node { return gorgonia.Must(n, err) }

func constant(v float64) *gorgonia.Node { return gorgonia.NewConstant(float32(v)) }

func times(a float64, n *gorgonia.Node) *gorgonia.Node {
	return must(gorgonia.HadamardProd(constant(a), n))
}

func product(a, b *gorgonia.Node) *gorgonia.Node { return must(gorgonia.HadamardProd(a, b)) }

func add(first *gorgonia.Node, more ...*gorgonia.Node) *gorgonia.Node {
	for _, n := range more {
		first = must(gorgonia.Add(first, n))
	}
	return first
}

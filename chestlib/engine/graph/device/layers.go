package device

import (
	"errors"
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/chestlab/chest/chestlib/engine/cuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
)

// Linear is y = x wᵀ + b for x n×in, w out×in and b of out: see graph.Linear.
//
//	∂x = ∂y w,  ∂w = ∂yᵀ x,  ∂b = Σ ∂y
func (n *Net) Linear(x, w, b *gorgonia.Node) (*gorgonia.Node, error) {
	for _, v := range []*gorgonia.Node{x, w, b} {
		if err := n.owns(v); err != nil {
			return nil, fmt.Errorf("device: Linear: an input %w", err)
		}
	}
	if x.Dims() != 2 || w.Dims() != 2 || x.Shape()[1] != w.Shape()[1] || !b.Shape().Eq(tensor.Shape{w.Shape()[0]}) {
		return nil, fmt.Errorf("device: Linear: x is %v, w %v and b %v; want n×in, out×in and out", x.Shape(), w.Shape(), b.Shape())
	}
	rows, in, out := x.Shape()[0], x.Shape()[1], w.Shape()[0]
	k := kernel{forward: func(y *Value, x []*Value) error {
		p := kernels.Product{Form: kernels.NT, A: x[0].at, B: x[1].at, C: y.at, M: rows, N: out, K: in, Alpha: 1}
		return errors.Join(n.set.Gemm(p), n.set.AddBias(y.at, x[2].at, rows, out))
	}}
	k.backward = append(k.backward,
		func(gx *Value, x []*Value, _, gy *Value, _ *scratch) error {
			return n.set.Gemm(kernels.Product{Form: kernels.NN, A: gy.at, B: x[1].at, C: gx.at, M: rows, N: in, K: out, Alpha: 1})
		},
		func(gw *Value, x []*Value, _, gy *Value, s *scratch) error {
			splits := n.set.Splits(out, in, rows)
			if err := n.room(&s.v, tensor.Shape{splits, out, in}); err != nil {
				return err
			}
			p := kernels.Product{Form: kernels.TN, A: gy.at, B: x[0].at, C: s.v.at, M: out, N: in, K: rows, Alpha: 1, Splits: splits}
			return errors.Join(n.set.Gemm(p), n.set.SumSplits(gw.at, s.v.at, splits, out*in))
		},
		func(gb *Value, _ []*Value, _, gy *Value, _ *scratch) error {
			return n.set.ColumnSums(gb.at, gy.at, rows, out)
		})
	return n.apply("Linear", k, tensor.Shape{rows, out}, x, w, b)
}

// LayerNorm is y = gain (x - mean) / √(variance + eps) + bias for each row of x, n×d.
func (n *Net) LayerNorm(x, gain, bias *gorgonia.Node, eps float64) (*gorgonia.Node, error) {
	for _, v := range []*gorgonia.Node{x, gain, bias} {
		if err := n.owns(v); err != nil {
			return nil, fmt.Errorf("device: LayerNorm: an input %w", err)
		}
	}
	if x.Dims() != 2 || !gain.Shape().Eq(tensor.Shape{x.Shape()[1]}) || !bias.Shape().Eq(gain.Shape()) {
		return nil, fmt.Errorf("device: LayerNorm: x is %v, gain %v and bias %v; want n×d, d and d", x.Shape(), gain.Shape(), bias.Shape())
	}
	rows, d := x.Shape()[0], x.Shape()[1]
	var kept *Value // mean and root of each row, float64
	norm := func(x []*Value) kernels.Norm {
		return kernels.Norm{X: x[0].at, Gain: x[1].at, Bias: x[2].at, N: rows, D: d, Eps: eps, Mean: kept.at, Root: kept.at.At(8 * rows)}
	}
	k := kernel{forward: func(y *Value, x []*Value) error {
		if err := n.room(&kept, tensor.Shape{4, rows}); err != nil {
			return err
		}
		return n.set.LayerNorm(norm(x), y.at)
	}}
	columns := func(first bool) func(*Value, []*Value, *Value, *Value, *scratch) error {
		return func(g *Value, x []*Value, _, gy *Value, s *scratch) error { // one kernel writes both
			if err := n.room(&s.v, tensor.Shape{d}); err != nil {
				return err
			}
			if first {
				return n.set.LayerNormColumns(norm(x), g.at, s.v.at, gy.at)
			}
			return n.set.LayerNormColumns(norm(x), s.v.at, g.at, gy.at)
		}
	}
	k.backward = append(k.backward, func(gx *Value, x []*Value, _, gy *Value, _ *scratch) error {
		return n.set.LayerNormRows(norm(x), gx.at, false, gy.at)
	}, columns(true), columns(false))
	return n.apply("LayerNorm", k, x.Shape().Clone(), x, gain, bias)
}

// GELU is y = x Φ(x) for each number.
func (n *Net) GELU(x *gorgonia.Node) (*gorgonia.Node, error) {
	k := kernel{forward: func(y *Value, x []*Value) error { return n.set.GELU(y.at, x[0].at, y.Size()) }}
	k.backward = append(k.backward, func(gx *Value, x []*Value, _, gy *Value, _ *scratch) error {
		return n.set.GELURows(gx.at, false, x[0].at, gy.at, gx.Size())
	})
	if err := n.owns(x); err != nil {
		return nil, fmt.Errorf("device: GELU: the input %w", err)
	}
	return n.apply("GELU", k, x.Shape().Clone(), x)
}

// Plus is a + b, of one shape: a residual connection.
func (n *Net) Plus(a, b *gorgonia.Node) (*gorgonia.Node, error) {
	if err := errors.Join(n.owns(a), n.owns(b)); err != nil {
		return nil, fmt.Errorf("device: Plus: an input %w", err)
	}
	if !a.Shape().Eq(b.Shape()) {
		return nil, fmt.Errorf("device: Plus: %v and %v", a.Shape(), b.Shape())
	}
	pass := func(gx *Value, _ []*Value, _, gy *Value, _ *scratch) error {
		return n.set.Copy(gx.at, gy.at, 4*gx.Size())
	}
	k := kernel{forward: func(y *Value, x []*Value) error { return n.add(y, x[0], x[1]) }}
	k.backward = append(k.backward, pass, pass)
	return n.apply("Plus", k, a.Shape().Clone(), a, b)
}

// Trunk puts layers on x, with their weights as Params: the trunks "linear" and "mlp"
// of chestlib/model, as train.Trainer gives them to cuda.NewHeadTrainer.
func (n *Net) Trunk(x *gorgonia.Node, layers []cuda.Layer) (*gorgonia.Node, error) {
	inputs := gorgonia.Nodes{}
	for i, l := range layers {
		inputs = append(inputs, x)
		var err error
		if x, err = n.layer(x, l); err == nil && l.Residual > 0 {
			if l.Residual > i+1 {
				return nil, fmt.Errorf("device: Trunk: layer %d cannot add the input of %d layers", i, l.Residual)
			}
			x, err = n.Plus(inputs[i+1-l.Residual], x)
		}
		if err != nil {
			return nil, fmt.Errorf("layer %d: %w", i, err)
		}
	}
	return x, nil
}

// layer puts one layer on x.
func (n *Net) layer(x *gorgonia.Node, l cuda.Layer) (*gorgonia.Node, error) {
	if l.Kind == cuda.GELULayer {
		return n.GELU(x)
	}
	if l.Weight == nil || l.Bias == nil {
		return nil, errors.New("device: Trunk: it has no weight or bias")
	}
	w, err := n.Params(l.Weight, l.Bias)
	if err != nil {
		return nil, err
	}
	if l.Kind == cuda.NormLayer {
		return n.LayerNorm(x, w[0], w[1], l.Eps)
	}
	return n.Linear(x, w[0], w[1])
}

// Head puts a linear map on x, with its weights as Params.
func (n *Net) Head(x *gorgonia.Node, h cuda.Head) (*gorgonia.Node, error) {
	return n.layer(x, cuda.Layer{Kind: cuda.LinearLayer, Weight: h.Weight, Bias: h.Bias})
}

// none is no memory.
var none driver.Memory

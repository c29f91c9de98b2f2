package cuda

import (
	"errors"
	"fmt"

	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
	"github.com/chestlab/chest/chestlib/optim"
)

// LayerKind is what a Layer computes.
type LayerKind int

// Kinds of layers.
const (
	LinearLayer LayerKind = iota // y = W x + b
	NormLayer                    // LayerNorm: y = gain x̂ + bias
	GELULayer                    // y = x Φ(x)
)

// Layer is one layer of a trunk between the features and the heads.
type Layer struct {
	Kind   LayerKind
	Weight *optim.Param // out×in of LinearLayer, the gain of NormLayer
	Bias   *optim.Param // of both
	Eps    float64      // of NormLayer: added to the variance
	// Residual k of a LinearLayer adds the input of a block of k layers, of which
	// this is the last: y = W x + b + input. 0 means none.
	Residual int
}

// layer is one of them on the device.
type layer struct {
	kind         LayerKind
	in, out      int
	eps          float64
	residual     int
	until        int // the residual layer that adds this one's input; 0 for none
	weight, bias *tensor
	parts        piece // of the product for the gradient
	wNorm, bNorm piece
	y, g         piece // the result, and the gradient by it
	mean, root   piece
}

// newTrunk makes the layers for features of d, whose tensors follow each other
// in own, and says how wide the last is.
func newTrunk(all []Layer, d int, own []*tensor) (trunk []*layer, width int, err error) {
	for i, l := range all {
		k := &layer{kind: l.Kind, in: d, out: d, eps: l.Eps, residual: l.Residual}
		want := [2]int{}
		switch l.Kind {
		case LinearLayer:
			k.out = len(l.Bias.Value)
			want = [2]int{k.out * d, k.out}
		case NormLayer:
			want = [2]int{d, d}
		case GELULayer:
		default:
			return nil, 0, fmt.Errorf("cuda: HeadTrainer: layer %d is of kind %d, which there is not", i, l.Kind)
		}
		if l.Kind != GELULayer {
			k.weight, k.bias, own = own[0], own[1], own[2:]
			if k.weight.size() != want[0] || k.bias.size() != want[1] {
				return nil, 0, fmt.Errorf("cuda: HeadTrainer: layer %d has %d weights and %d biases, want %d and %d", i, k.weight.size(), k.bias.size(), want[0], want[1])
			}
		}
		trunk = append(trunk, k)
		if from := i + 1 - l.Residual; l.Residual != 0 {
			if l.Kind != LinearLayer || from < 0 || from > i || trunk[from].in != k.out || trunk[from].until != 0 {
				return nil, 0, fmt.Errorf("cuda: HeadTrainer: layer %d cannot add the input of %d layers", i, l.Residual)
			}
			trunk[from].until = i
		}
		d = k.out
	}
	return trunk, d, nil
}

// trunkParams are the weights of all layers, in order.
func trunkParams(all []Layer) (params []*optim.Param, err error) {
	for i, l := range all {
		if l.Kind == GELULayer {
			continue
		}
		if l.Weight == nil || l.Bias == nil {
			return nil, fmt.Errorf("cuda: HeadTrainer: layer %d has no weight or bias", i)
		}
		params = append(params, l.Weight, l.Bias)
	}
	return params, nil
}

// fit makes room for n rows.
func (l *layer) fit(set *kernels.Set, m *memory, n int) error {
	if err := m.fits(&l.y, 4*n*l.out, &l.g, 4*n*l.out); err != nil {
		return err
	}
	if l.kind == NormLayer {
		if err := m.fits(&l.mean, 8*n, &l.root, 8*n); err != nil {
			return err
		}
	}
	if l.weight == nil {
		return nil
	}
	if l.kind == LinearLayer {
		if err := m.fit(&l.parts, 4*set.Splits(l.out, l.in, n)*l.weight.size()); err != nil {
			return err
		}
	}
	return m.fits(&l.wNorm, 8*min(kernels.MostBlocks, l.weight.size()), &l.bNorm, 8*min(kernels.MostBlocks, l.bias.size()))
}

// input is what layer i of the trunk sees.
func (t *HeadTrainer) input(i int) *piece {
	if i == 0 {
		return &t.f
	}
	return &t.trunk[i-1].y
}

// through queues the trunk.
func (t *HeadTrainer) through(set *kernels.Set) error {
	for i, l := range t.trunk {
		if err := t.layer(set, i, l, t.e.rows); err != nil {
			return err
		}
	}
	return nil
}

func (t *HeadTrainer) layer(set *kernels.Set, i int, l *layer, n int) error {
	x := t.input(i).at
	switch l.kind {
	case NormLayer:
		return set.LayerNorm(l.norm(x, n), l.y.at)
	case GELULayer:
		return set.GELU(l.y.at, x, n*l.out)
	}
	p := kernels.Product{Form: kernels.NT, A: x, B: l.weight.w.at, C: l.y.at, M: n, N: l.out, K: l.in, Alpha: 1}
	if l.residual > 0 {
		p.Beta = 1
		if err := set.Copy(l.y.at, t.input(i+1-l.residual).at, 4*n*l.out); err != nil {
			return err
		}
	}
	return errors.Join(set.Gemm(p), set.AddBias(l.y.at, l.bias.w.at, n, l.out))
}

func (l *layer) norm(x driver.Memory, n int) kernels.Norm {
	return kernels.Norm{X: x, Gain: l.weight.w.at, Bias: l.bias.w.at, N: n, D: l.in, Eps: l.eps, Mean: l.mean.at, Root: l.root.at}
}

// back queues the gradients by the trunk, given that by its result.
//
//	∂W = ∂yᵀ x,  ∂b = Σ ∂y,  ∂x = ∂y W  [+ the gradient by the layer that adds x]
func (t *HeadTrainer) back(set *kernels.Set) error {
	for i := len(t.trunk) - 1; i >= 0; i-- {
		l := t.trunk[i]
		if err := t.byWeights(set, i, l, t.e.rows); err != nil {
			return err
		}
		if i == 0 {
			continue
		}
		if err := t.byInput(set, i, l, t.e.rows); err != nil {
			return err
		}
	}
	return nil
}

// byWeights queues the gradients by a layer's weights and their norms.
func (t *HeadTrainer) byWeights(set *kernels.Set, i int, l *layer, n int) error {
	x := t.input(i).at
	var err error
	switch l.kind {
	case GELULayer:
		return nil
	case NormLayer:
		err = set.LayerNormColumns(l.norm(x, n), l.weight.grad.at, l.bias.grad.at, l.g.at)
	case LinearLayer:
		err = linearGradients(set, l.weight, l.bias, l.parts, l.g.at, x, n, l.out, l.in)
	}
	return errors.Join(err, t.addNorms(set, l.weight, l.bias, &l.wNorm, &l.bNorm))
}

// byInput queues the gradient by a layer's input: the result of the one before.
func (t *HeadTrainer) byInput(set *kernels.Set, i int, l *layer, n int) error {
	dst, x, add := t.trunk[i-1].g.at, t.input(i).at, l.until > 0
	if add {
		if err := set.Copy(dst, t.trunk[l.until].g.at, 4*n*l.in); err != nil {
			return err
		}
	}
	switch l.kind {
	case NormLayer:
		return set.LayerNormRows(l.norm(x, n), dst, add, l.g.at)
	case GELULayer:
		return set.GELURows(dst, add, x, l.g.at, n*l.in)
	}
	p := kernels.Product{Form: kernels.NN, A: l.g.at, B: l.weight.w.at, C: dst, M: n, N: l.in, K: l.out, Alpha: 1}
	if add {
		p.Beta = 1
	}
	return set.Gemm(p)
}

// byFeatures queues the gradient of the heads by what the trunk gives them.
func (t *HeadTrainer) byFeatures(set *kernels.Set) error {
	g := t.trunk[len(t.trunk)-1].g.at
	for i, h := range t.heads {
		p := kernels.Product{Form: kernels.NN, A: h.s.gu.at, B: h.weight.w.at, C: g, M: t.e.rows, N: t.width, K: h.s.d, Alpha: 1}
		if i > 0 {
			p.Beta = 1
		}
		if err := set.Gemm(p); err != nil {
			return err
		}
	}
	return nil
}

package graph

import (
	"math"

	"gorgonia.org/gorgonia"

	"github.com/chestlab/chest/internal/parallel"
	"github.com/chestlab/chest/internal/vmath"
)

// normEps is added to variances before the root.
const normEps = 1e-5

// LayerNorm brings the rows of x, along its last axis, to mean 0 and variance 1 and
// scales and shifts their d entries by gain and bias, vectors of d.
//
//	x̂ = (x - mean)/√(var + 1e-5),  y = gain x̂ + bias
//
// With h = gain ∂y and means over the d entries,
//
//	∂gain = Σ ∂y x̂,  ∂bias = Σ ∂y,  ∂x = (h - mean(h) - x̂ mean(h x̂))/√(var + 1e-5)
//
// It is the layer of chestlib/model.
//
// Source: J. L. Ba et al., "Layer Normalization" (2016).
func LayerNorm(x, gain, bias *gorgonia.Node) (*gorgonia.Node, error) {
	n, d, err := lastAxis("LayerNorm", x)
	if err != nil {
		return nil, err
	}
	if err := shapeIs("LayerNorm", "gain", gain, d); err != nil {
		return nil, err
	}
	if err := shapeIs("LayerNorm", "bias", bias, d); err != nil {
		return nil, err
	}
	l := &layerNorm{n: n, d: d}
	k := kernel{forward: l.forward}
	k.backward = append(k.backward, l.byX, l.byGain, func(gb []float32, _ [][]float32, _, gy []float32) error {
		sumRows(gb, gy)
		return nil
	})
	_, y, err := apply("LayerNorm", k, x.Shape(), x, gain, bias)
	return y, err
}

type layerNorm struct{ n, d int }

func (l *layerNorm) row(x []float32, i int) []float32 { return x[i*l.d : (i+1)*l.d] }

// hat writes x̂ of a row and returns 1/√(var + ε).
func (l *layerNorm) hat(dst, x []float32) (root float64) {
	d := float64(l.d)
	mean := vmath.Sum64(x) / d
	root = 1 / math.Sqrt(max(vmath.Dot64(x, x)/d-mean*mean, 0)+normEps)
	vmath.Affine(dst, float32(root), x, float32(-mean*root))
	return root
}

func (l *layerNorm) forward(y []float32, x [][]float32) error {
	parallel.For(l.n, rowGrain, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			y := l.row(y, i)
			l.hat(y, l.row(x[0], i))
			vmath.Mul(y, y, x[1])
			vmath.Add(y, y, x[2])
		}
	})
	return nil
}

func (l *layerNorm) byX(gx []float32, x [][]float32, _, gy []float32) error {
	parallel.For(l.n, rowGrain, func(lo, hi int) {
		hat := make([]float32, l.d)
		for i := lo; i < hi; i++ {
			h := l.row(gx, i)
			r, d := l.hat(hat, l.row(x[0], i)), float64(l.d)
			vmath.Mul(h, l.row(gy, i), x[1])
			mean, along := vmath.Sum64(h)/d, vmath.Dot64(h, hat)/d
			vmath.Affine(h, float32(r), h, float32(-r*mean))
			vmath.Axpy(h, float32(-r*along), hat)
		}
	})
	return nil
}

func (l *layerNorm) byGain(gg []float32, x [][]float32, _, gy []float32) error {
	clear(gg)
	hat := make([]float32, l.d)
	for i := range l.n {
		l.hat(hat, l.row(x[0], i))
		vmath.Mul(hat, hat, l.row(gy, i))
		vmath.Add(gg, gg, hat)
	}
	return nil
}

// sumRows writes the sum of the rows of x into dst.
func sumRows(dst, x []float32) {
	clear(dst)
	for i := 0; i < len(x); i += len(dst) {
		vmath.Add(dst, dst, x[i:i+len(dst)])
	}
}

package selftest

import (
	"fmt"
	"math"

	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
)

func trunkCases() (all []Case) {
	for _, size := range [][2]int{{1, 1}, {5, 31}, {33, 33}, {130, 7}, {2, 257}} {
		for _, add := range []bool{false, true} {
			all = append(all, Case{
				Name:  fmt.Sprintf("layer norm, %d×%d, add %v", size[0], size[1], add),
				Quick: size[0] == 5 && add,
				run:   func(b *bed) { layerNorm(b, size[0], size[1], add) },
			})
		}
	}
	return append(all, Case{Name: "gelu", Quick: true, run: func(b *bed) { gelu(b, false) }}, Case{Name: "gelu, add", run: func(b *bed) { gelu(b, true) }})
}

// layerNorm compares rows, and gradients by rows, gain and bias.
func layerNorm(b *bed, n, d int, add bool) {
	const eps = 1e-5
	x, gain, bias, gy, before := b.random(n*d, 3), b.random(d, 1), b.random(d, 1), b.random(n*d, 1), b.random(n*d, 1)
	l := kernels.Norm{X: b.floats(x), Gain: b.floats(gain), Bias: b.floats(bias), N: n, D: d, Eps: eps, Mean: b.room(8 * n), Root: b.room(8 * n)}
	y, dGY, dst, byGain, byBias := b.room(4*n*d), b.floats(gy), b.floats(before), b.room(4*d), b.room(4*d)
	b.do(b.s.LayerNorm(l, y))
	b.do(b.s.LayerNormRows(l, dst, add, dGY))
	b.do(b.s.LayerNormColumns(l, byGain, byBias, dGY))
	wantY, wantX, wantGain, wantBias := make([]float64, n*d), make([]float64, n*d), make([]float64, d), make([]float64, d)
	for i := range n {
		var mean, square, h, hx float64
		row, g := x[i*d:(i+1)*d], gy[i*d:(i+1)*d]
		for _, v := range row {
			mean += float64(v) / float64(d)
		}
		for _, v := range row {
			square += (float64(v) - mean) * (float64(v) - mean) / float64(d)
		}
		root := 1 / math.Sqrt(square+eps)
		hat := func(j int) float64 { return (float64(row[j]) - mean) * root }
		for j := range d {
			wantY[i*d+j] = float64(gain[j])*hat(j) + float64(bias[j])
			wantGain[j] += float64(g[j]) * hat(j)
			wantBias[j] += float64(g[j])
			h += float64(gain[j]) * float64(g[j]) / float64(d)
			hx += float64(gain[j]) * float64(g[j]) * hat(j) / float64(d)
		}
		for j := range d {
			wantX[i*d+j] = root * (float64(gain[j])*float64(g[j]) - h - hat(j)*hx)
			if add {
				wantX[i*d+j] += float64(before[i*d+j])
			}
		}
	}
	b.near("rows", b.getFloats(y, n*d), wantY, 1e-6)
	b.nearAbout("gradient by rows", widened(b.getFloats(dst, n*d)), wantX, 1, 1e-6)
	b.nearAbout("gradient by gains", widened(b.getFloats(byGain, d)), wantGain, 1, 1e-6)
	b.near("gradient by biases", b.getFloats(byBias, d), wantBias, 1e-6)
}

// gelu compares x Φ(x) and its gradient, also far from 0 and where the two ways to
// Φ meet.
func gelu(b *bed, add bool) {
	x := append(b.random(300, 2), 0, 2*math.Sqrt2, -2*math.Sqrt2, 2.8284, -2.8284, 6, -6, 20, -20, 200, -200)
	n := len(x)
	gy, before := b.random(n, 1), b.random(n, 1)
	dX, dGY, y, dst := b.floats(x), b.floats(gy), b.room(4*n), b.floats(before)
	b.do(b.s.GELU(y, dX, n))
	b.do(b.s.GELURows(dst, add, dX, dGY, n))
	got, grad := b.getFloats(y, n), b.getFloats(dst, n)
	for i, v := range x {
		z := float64(v)
		phi := math.Erfc(-z/math.Sqrt2) / 2
		b.nearAbout(fmt.Sprintf("gelu(%g)", z), []float64{float64(got[i])}, []float64{z * phi}, 1e-30, 1e-6)
		want := float64(gy[i]) * (phi + z*math.Exp(-z*z/2)/math.Sqrt(2*math.Pi))
		if add {
			want += float64(before[i])
		}
		b.nearAbout(fmt.Sprintf("gradient at %g", z), []float64{float64(grad[i])}, []float64{want}, 1, 1e-6)
	}
}

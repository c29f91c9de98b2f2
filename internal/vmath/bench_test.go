package vmath

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/chestlab/chest/internal/cpu"
)

// Benchmark measures each function at each level; the generic one, which is the
// loop over package math for most, is what the others are to be compared with.
func Benchmark(b *testing.B) {
	const n = 1000
	rng := rand.New(rand.NewPCG(1, 2))
	x, y, z, dst := positive(rng, n), positive(rng, n), positive(rng, n), make([]float32, n)
	cases := []struct {
		name string
		f    func()
	}{
		{"Exp", func() { Exp(dst, x) }}, {"Log1p", func() { Log1p(dst, x) }}, {"Asinh", func() { Asinh(dst, x) }},
		{"Tanh", func() { Tanh(dst, x) }}, {"Erf", func() { Erf(dst, x) }}, {"Gelu", func() { Gelu(dst, x) }}, {"GeluGrad", func() { GeluGrad(dst, x, y) }},
		{"Softmax", func() { Softmax(dst, x) }}, {"LogSumExp", func() { LogSumExp(x) }},
		{"Dot", func() { Dot(x, y) }}, {"Dot64", func() { Dot64(x, y) }}, {"Axpy", func() { Axpy(dst, 1e-9, x) }}, {"Combine64", func() { Combine64(dst, 1e-9, x, 1e-9, y) }},
		{"Assign", func() { Assign(dst, z[:n/10], x, 10, n/10, 10) }}, {"AssignGrad", func() { copy(dst, x); AssignGrad(dst, x, z[:n/10], y[:n/10], 10, n/10, 10) }},
		{"BallDistance", func() { BallDistance(dst, x, 0.1, y, 2) }}, {"BallDistanceGrad", func() { BallDistanceGrad(dst, dst, dst, x, 0.5, y, 0.1) }},
		{"AdamW", func() { AdamW(dst, dst, dst, y, Adam{1, 0.9, 0.999, 1, 1e-9, 1, 1e-8}) }},
	}
	for _, c := range cases {
		for _, level := range cpu.Levels() {
			b.Run(c.name+"/"+level.String(), func(b *testing.B) {
				defer cpu.Set(level)()
				for b.Loop() {
					c.f()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/entry")
				for i := range dst {
					if math.IsNaN(float64(dst[i])) {
						dst[i] = 0
					}
				}
			})
		}
	}
}

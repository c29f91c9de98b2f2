package model

import (
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/chestlab/chest/internal/cpu"
	"github.com/chestlab/chest/internal/gradcheck"
)

// trunkCases are small models of the larger trunks.
func trunkCases() map[string]Options {
	return map[string]Options{
		"convnet4":     {Trunk: "convnet4", Width: 6, Depth: 3, DE: 5, DH: 4, Seed: 1},
		"two convnet4": {Trunk: "convnet4", Width: 6, Depth: 3, DE: 5, DH: 4, Seed: 1, Separate: true},
		"vit":          {Trunk: "vit", Width: 12, Depth: 2, Heads: 3, Patch: 4, DE: 5, DH: 4, Seed: 1},
	}
}

// TestTrunks checks whole models by directional differences of their own
// forward pass, at every level.
func TestTrunks(t *testing.T) {
	for _, level := range cpu.Levels() {
		for name, o := range trunkCases() {
			t.Run(level.String()+"/"+name, func(t *testing.T) {
				defer cpu.Set(level)()
				const n = 6
				in := Shape{2, 12, 8}
				m := mustNew(t, in, o)
				rng := rand.New(rand.NewPCG(3, 4))
				for _, p := range m.Params() { // weights of 0.02 would hide the attention
					for i := range p.Value {
						p.Value[i] += float32(0.2 * rng.NormFloat64())
					}
				}
				x := gaussian(rng, n*in.Size())
				gE, gH := gaussian(rng, n*5), gaussian(rng, n*4)
				value := func() (s float64) {
					uE, uH := m.Forward(x, n, true)
					for i, u := range uE {
						s += float64(u) * float64(gE[i])
					}
					for i, u := range uH {
						s += float64(u) * float64(gH[i])
					}
					return s
				}
				value()
				m.Backward(gE, gH, n)
				for _, p := range m.Params() {
					if strings.HasSuffix(p.Name, ".conv.bias") {
						continue // BatchNorm takes it away again: the gradient is rounding
					}
					// kinks of ReLU and of the pool lie on the way, hence the small step
					if err := gradcheck.Directional(value, p.Value, p.Grad, 1e-3, 0.03, 2, rng); err != nil {
						t.Errorf("%s: %v", p.Name, err)
					}
				}
			})
		}
	}
}

// TestTrunksProcessors: the bits do not depend on the number of processors.
func TestTrunksProcessors(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for name, o := range trunkCases() {
		var want []float32
		for _, procs := range []int{1, 2, 5} {
			runtime.GOMAXPROCS(procs)
			in := Shape{2, 12, 8}
			m := mustNew(t, in, o)
			rng := rand.New(rand.NewPCG(3, 4))
			x := gaussian(rng, 40*in.Size())
			uE, uH := m.Forward(x, 40, true)
			m.Backward(uE, uH, 40)
			var got []float32
			for _, p := range m.Params() {
				got = append(got, p.Grad...)
			}
			for _, s := range m.State() {
				got = append(got, s.Value...)
			}
			if want == nil {
				want = got
			}
			sameBits(t, name, got, want)
		}
	}
}

// TestBatchNormOutsideTraining: running averages come near those of the data
// and are taken where nothing is trained, item by item.
func TestBatchNormOutsideTraining(t *testing.T) {
	s := Shape{2, 3, 3}
	l := NewBatchNorm("b", "trunk", s)
	rng := rand.New(rand.NewPCG(1, 2))
	const n = 50
	var x []float32
	for range 100 {
		x = gaussian(rng, n*s.Size())
		for i := range x {
			x[i] = 3 + 2*x[i]
		}
		l.Forward(x, n, true)
	}
	state := l.State()
	for c := range 2 {
		if m, v := state[0].Value[c], state[1].Value[c]; math.Abs(float64(m-3)) > 0.1 || math.Abs(float64(v-4)) > 0.3 {
			t.Errorf("channel %d: running mean %g, variance %g; want 3 and 4", c, m, v)
		}
	}
	all := append([]float32(nil), l.Forward(x, n, false)...)
	for i := range n {
		sameBits(t, "alone", l.Forward(item(x, i, s), 1, false), item(all, i, s))
	}
	gy := gaussian(rng, s.Size())
	for i, g := range l.Backward(gy, 1) { // a linear map then
		want := float64(gy[i]) / math.Sqrt(float64(state[1].Value[i/9])+normEps)
		if math.Abs(float64(g)-want) > 1e-6 {
			t.Errorf("gradient %d is %g, want %g", i, g, want)
		}
	}
	if names := state[0].Name + " " + state[1].Name; names != "b.mean b.variance" {
		t.Error(names)
	}
}

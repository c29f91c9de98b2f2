package vmath

import (
	"flag"
	"math"
	"os"
	"sync"
	"testing"

	"github.com/chestlab/chest/internal/cpu"
)

// every is the stride through all bit patterns of float32. An exhaustive run:
//
//	go test ./internal/vmath -run ULP -args -every 1
var every = flag.Int("every", 0, "test each so many-th float32; 0 means 251, or 61 with CHEST_FULL")

// functions are those of one variable, with their stated bounds in ulp.
var functions = []struct {
	name  string
	f     func(dst, x []float32)
	exact func(float64) float64
	bound float64
}{
	{"Exp", Exp, math.Exp, 2},
	{"Log1p", Log1p, math.Log1p, 2},
	{"Asinh", Asinh, math.Asinh, 3},
	{"Tanh", Tanh, math.Tanh, 3},
	{"Erf", Erf, math.Erf, 3},
	{"Sqrt", Sqrt, math.Sqrt, 0.5},
}

// ulps is the distance of got from the exact result in units of the spacing of
// float32 there, 0 where both are the same infinity or NaN.
func ulps(got float32, exact float64) float64 {
	g := float64(got)
	switch {
	case math.IsNaN(exact) || math.IsNaN(g):
		if math.IsNaN(exact) && math.IsNaN(g) {
			return 0
		}
		return math.Inf(1)
	case math.Abs(exact) > math.MaxFloat32*(1+0x1p-24): // rounds to infinity
		if math.IsInf(g, int(math.Copysign(1, exact))) {
			return 0
		}
		return math.Inf(1)
	case math.IsInf(g, 0):
		if math.Abs(exact) > math.MaxFloat32*(1-0x1p-23) {
			return 1
		}
		return math.Inf(1)
	}
	_, e := math.Frexp(exact)
	return math.Abs(g-exact) / math.Ldexp(1, max(e-24, -149))
}

// TestULP holds each function to its bound over the whole range of float32.
func TestULP(t *testing.T) {
	stride := *every
	if stride == 0 {
		stride = 251
		if os.Getenv("CHEST_FULL") != "" {
			stride = 61
		}
	}
	const piece = 1 << 12
	for _, f := range functions {
		var mu sync.Mutex
		worst, at := map[cpu.Level]float64{}, map[cpu.Level]float32{}
		var wg sync.WaitGroup
		starts := make(chan uint64)
		for range 2 {
			wg.Go(func() {
				x, got, exact := make([]float32, piece), make([]float32, piece), make([]float64, piece)
				for from := range starts {
					for i := range x {
						x[i] = math.Float32frombits(uint32(min(from+uint64(i*stride), math.MaxUint32)))
						exact[i] = f.exact(float64(x[i]))
					}
					for _, level := range cpu.Levels() {
						runAt(level, func() { f.f(got, x) })
						far, where := 0.0, float32(0)
						for i, g := range got {
							if u := ulps(g, exact[i]); u > far {
								far, where = u, x[i]
							}
						}
						mu.Lock()
						if far > worst[level] {
							worst[level], at[level] = far, where
						}
						mu.Unlock()
					}
				}
			})
		}
		for from := uint64(0); from <= math.MaxUint32; from += uint64(piece * stride) {
			starts <- from
		}
		close(starts)
		wg.Wait()
		for _, level := range cpu.Levels() {
			t.Logf("%s at %s: %.3f ulp at %g", f.name, level, worst[level], at[level])
			if worst[level] > f.bound {
				t.Errorf("%s at %s: %g ulp at %g (%#x), stated bound %g", f.name, level, worst[level], at[level], math.Float32bits(at[level]), f.bound)
			}
		}
	}
}

var levels sync.RWMutex

// runAt runs f at a level, beside others that run at the same one only.
func runAt(level cpu.Level, f func()) {
	levels.Lock()
	defer levels.Unlock()
	defer cpu.Set(level)()
	f()
}

// TestSigns: zeros keep their sign, and odd functions are odd to the last bit.
func TestSigns(t *testing.T) {
	negative := float32(math.Copysign(0, -1))
	for _, level := range cpu.Levels() {
		defer cpu.Set(level)()
		for _, f := range functions[1:] {
			got := make([]float32, 2)
			f.f(got, []float32{0, negative})
			if got[0] != 0 || got[1] != 0 || math.Signbit(float64(got[0])) || !math.Signbit(float64(got[1])) {
				t.Errorf("%s at %s: zeros became %g", f.name, level, got)
			}
		}
		for _, f := range functions[2:5] {
			var x, minus []float32
			for v := float32(1e-30); v < 1e30; v *= 1.37 {
				x, minus = append(x, v), append(minus, -v)
			}
			f.f(x, x)
			f.f(minus, minus)
			for i := range x {
				if x[i] != -minus[i] {
					t.Fatalf("%s at %s is not odd: %g and %g", f.name, level, x[i], minus[i])
				}
			}
		}
	}
}

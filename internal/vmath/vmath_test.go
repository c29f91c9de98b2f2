package vmath

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/chestlab/chest/internal/cpu"
)

// rows are rows of one length between guards of NaN, which must neither change
// nor get into a result.
type rows struct {
	t    *testing.T
	all  [][]float32
	name string
}

const guard = 70

// row makes a guarded row.
func (r *rows) row(values []float32) []float32 {
	x := make([]float32, len(values)+2*guard)
	for i := range x {
		x[i] = float32(math.NaN())
	}
	copy(x[guard:], values)
	r.all = append(r.all, x)
	return x[guard : guard+len(values) : guard+len(values)]
}

// check fails if a guard was written.
func (r *rows) check() {
	r.t.Helper()
	for at, x := range r.all {
		for i, v := range x {
			if (i < guard || i >= len(x)-guard) && v == v {
				r.t.Errorf("%s: operand %d: entry %d was written, %d from the row", r.name, at, i-guard, i-len(x)+guard)
				return
			}
		}
	}
}

// near fails unless got is want to within tolerance, relative to the larger of
// want and 1.
func near(t *testing.T, what string, got float32, want, tolerance float64) {
	t.Helper()
	if d := math.Abs(float64(got) - want); !(d <= tolerance*max(1, math.Abs(want))) {
		t.Fatalf("%s: got %g, want %g", what, got, want)
	}
}

func normal(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

func positive(rng *rand.Rand, n int) []float32 {
	x := normal(rng, n)
	for i := range x {
		x[i] = x[i]*x[i] + 0.01
	}
	return x
}

// everywhere runs f for each level and length.
func everywhere(t *testing.T, f func(t *testing.T, rng *rand.Rand, n int)) {
	for _, level := range cpu.Levels() {
		t.Run(level.String(), func(t *testing.T) {
			defer cpu.Set(level)()
			for _, n := range lengths() {
				f(t, rand.New(rand.NewPCG(uint64(n), 1)), n)
			}
		})
	}
}

func lengths() []int {
	var l []int
	for n := range 71 {
		l = append(l, n)
	}
	return append(l, 127, 1000, 1003)
}

func TestUnary(t *testing.T) {
	more := append(functions[:len(functions):len(functions)], struct {
		name  string
		f     func(dst, x []float32)
		exact func(float64) float64
		bound float64
	}{"Gelu", Gelu, func(x float64) float64 { return x / 2 * (1 + math.Erf(x/math.Sqrt2)) }, 0},
		struct {
			name  string
			f     func(dst, x []float32)
			exact func(float64) float64
			bound float64
		}{"Relu", Relu, func(x float64) float64 { return max(x, 0) }, 0})
	for _, f := range more {
		t.Run(f.name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, rng *rand.Rand, n int) {
				x := positive(rng, n)
				if f.name == "Gelu" || f.name == "Relu" {
					x = normal(rng, n)
				}
				r := &rows{t: t, name: fmt.Sprint(n)}
				in, out := r.row(x), r.row(x)
				f.f(out, in)
				for i, v := range x {
					near(t, fmt.Sprintf("n %d, entry %d", n, i), out[i], f.exact(float64(v)), 1e-6)
				}
				want := append([]float32(nil), out...)
				f.f(in, in) // in place
				for i := range in {
					if in[i] != want[i] {
						t.Fatalf("n %d: in place, entry %d is %g, want %g", n, i, in[i], want[i])
					}
				}
				r.check()
			})
		})
	}
}

func TestRows(t *testing.T) {
	everywhere(t, func(t *testing.T, rng *rand.Rand, n int) {
		x, y, z := normal(rng, n), normal(rng, n), normal(rng, n)
		const a, b = 0.7, -1.3
		for _, c := range []struct {
			name string
			f    func(dst, x, y []float32)
			want func(z, x, y float64) float64
		}{
			{"Axpy", func(dst, x, _ []float32) { Axpy(dst, a, x) }, func(z, x, _ float64) float64 { return z + a*x }},
			{"Scale", func(dst, x, _ []float32) { Scale(dst, a, x) }, func(_, x, _ float64) float64 { return a * x }},
			{"Affine", func(dst, x, _ []float32) { Affine(dst, a, x, b) }, func(_, x, _ float64) float64 { return a*x + b }},
			{"Add", Add, func(_, x, y float64) float64 { return x + y }},
			{"Mul", Mul, func(_, x, y float64) float64 { return x * y }},
			{"Combine64", func(dst, x, y []float32) { Combine64(dst, a, x, b, y) }, func(z, x, y float64) float64 { return z + a*x + b*y }},
			{"ReluGrad", ReluGrad, func(_, x, y float64) float64 {
				if x > 0 {
					return y
				}
				return 0
			}},
			{"GeluGrad", GeluGrad, func(_, x, y float64) float64 {
				return y * ((1+math.Erf(x/math.Sqrt2))/2 + x*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi))
			}},
		} {
			r := &rows{t: t, name: c.name}
			dst, p, q := r.row(z), r.row(x), r.row(y)
			c.f(dst, p, q)
			for i := range dst {
				near(t, fmt.Sprintf("%s: n %d, entry %d", c.name, n, i), dst[i], c.want(float64(z[i]), float64(x[i]), float64(y[i])), 1e-6)
			}
			r.check()
		}
	})
}

// TestCombineCancels: what cancels is computed in float64.
func TestCombineCancels(t *testing.T) {
	for _, level := range cpu.Levels() {
		defer cpu.Set(level)()
		dst, x, y := make([]float32, 20), make([]float32, 20), make([]float32, 20)
		for i := range x {
			x[i], y[i] = 1.2345678+float32(i), 1.2345679+float32(i)
		}
		Combine64(dst, 1e6, x, -1e6, y)
		for i := range dst {
			if want := float32(1e6 * (float64(x[i]) - float64(y[i]))); dst[i] != want {
				t.Errorf("%s: entry %d is %g, want %g", level, i, dst[i], want)
			}
		}
	}
}

func TestReductions(t *testing.T) {
	everywhere(t, func(t *testing.T, rng *rand.Rand, n int) {
		x, y := normal(rng, n), normal(rng, n)
		r := &rows{t: t, name: "reductions"}
		p, q := r.row(x), r.row(y)
		var sum, dot, dist, exps float64
		top := math.Inf(-1)
		for i := range x {
			u, v := float64(x[i]), float64(y[i])
			sum += u
			dot += u * v
			dist += (u - v) * (u - v)
			exps += math.Exp(u)
			top = max(top, u)
		}
		what := fmt.Sprintf("n %d", n)
		near(t, what+" Sum", Sum(p), sum, 1e-5)
		near(t, what+" Dot", Dot(p, q), dot, 1e-5)
		if got := Sum64(p); math.Abs(got-sum) > 1e-12*float64(n+1) {
			t.Fatalf("%s: Sum64 %g, want %g", what, got, sum)
		}
		if got := Dot64(p, q); math.Abs(got-dot) > 1e-12*float64(n+1) {
			t.Fatalf("%s: Dot64 %g, want %g", what, got, dot)
		}
		if got := SquaredDistance64(p, q); math.Abs(got-dist) > 1e-12*float64(n+1) {
			t.Fatalf("%s: SquaredDistance64 %g, want %g", what, got, dist)
		}
		if got := Max(p); float64(got) != top {
			t.Fatalf("%s: Max %g, want %g", what, got, top)
		}
		if n == 0 {
			if got := LogSumExp(p); !math.IsInf(float64(got), -1) {
				t.Fatalf("LogSumExp of nothing: %g", got)
			}
			return
		}
		near(t, what+" LogSumExp", LogSumExp(p), math.Log(exps), 1e-6)
		out := r.row(make([]float32, n))
		near(t, what+" Softmax", Softmax(out, p), math.Log(exps), 1e-6)
		var mean float64
		for i := range x {
			near(t, what+" Softmax entry", out[i], math.Exp(float64(x[i]))/exps, 1e-6)
			mean += float64(out[i]) * float64(y[i])
		}
		grad := r.row(make([]float32, n))
		SoftmaxGrad(grad, out, q)
		for i := range x {
			near(t, what+" SoftmaxGrad", grad[i], float64(out[i])*(float64(y[i])-mean), 1e-5)
		}
		Softmax(p, p)
		for i := range p {
			if p[i] != out[i] {
				t.Fatalf("%s: Softmax in place differs at %d", what, i)
			}
		}
		r.check()
	})
}

// TestExtremes: reductions of what has no ordinary answer.
func TestExtremes(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, level := range cpu.Levels() {
		t.Run(level.String(), func(t *testing.T) {
			defer cpu.Set(level)()
			for at := range 40 {
				x := make([]float32, 40)
				x[at] = nan
				if m := Max(x); m == m {
					t.Errorf("Max with a NaN at %d is %g", at, m)
				}
				x[at] = -inf
				if got := LogSumExp(x); math.Abs(float64(got)-math.Log(39)) > 1e-6 {
					t.Errorf("LogSumExp with exp(-Inf) at %d is %g", at, got)
				}
				x[at] = 1000
				if got := Softmax(x, x); got != 1000 || x[at] != 1 || x[(at+1)%40] != 0 {
					t.Errorf("Softmax with one large: %g, %g, %g", got, x[at], x[(at+1)%40])
				}
			}
		})
	}
}

func TestWrongLengthsPanic(t *testing.T) {
	two, three := make([]float32, 2), make([]float32, 3)
	for i, f := range []func(){
		func() { Exp(two, three) }, func() { Axpy(two, 1, three) }, func() { Dot(two, three) }, func() { Dot64(two, three) },
		func() { Add(two, two, three) }, func() { Combine64(two, 1, two, 1, three) }, func() { Softmax(two, three) },
		func() { AdamW(two, two, two, three, Adam{}) }, func() { Assign(nil, two, three, 1, 2, 1) },
		func() { Assign(three, two, two, 1, 2, 1) }, func() { Assign(nil, two, two, 0, 2, 1) },
		func() { AssignGrad(two, two, two, three, 1, 2, 1) },
		func() { SquaredFromDots(two, 1, three) }, func() { BallDistance(two, two, 1, three, 1) },
		func() { BallDistanceGrad(two, two, two, three, 1, two, 1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("call %d did not panic", i)
				}
			}()
			f()
		}()
	}
}

func TestNoAllocation(t *testing.T) {
	x, y := make([]float32, 100), make([]float32, 100)
	for _, level := range cpu.Levels() {
		defer cpu.Set(level)()
		if n := testing.AllocsPerRun(10, func() {
			Exp(x, y)
			Softmax(x, y)
			Combine64(x, 1, y, 2, y)
			BallDistanceGrad(x, x, x, y, 1, y, 1)
		}); n != 0 {
			t.Errorf("%s: %g allocations", level, n)
		}
	}
}

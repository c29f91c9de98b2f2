package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/chestlab/chest/internal/gradcheck"
)

// layerCase is a layer with its slow twin: the forward pass of one batch by
// plain loops in float64. p are the params in the order of Params.
type layerCase struct {
	name string
	in   Shape
	n    int
	make func(rng *rand.Rand) Layer
	twin func(x []float64, n int, p [][]float64) []float64
}

// layerCases hold odd sizes, single items, H ≠ W, items of one pixel, more
// items than lanes.
func layerCases() []layerCase {
	var cases []layerCase
	for _, s := range [][3]int{{1, 5, 3}, {4, 1, 1}, {19, 30, 7}} {
		n, in, out := s[0], s[1], s[2]
		cases = append(cases, layerCase{fmt.Sprintf("Linear/%d/%d-%d", n, in, out), Shape{in, 1, 1}, n,
			func(rng *rand.Rand) Layer { return NewLinear("l", "trunk", in, out, 0.5, rng) }, linearTwin(in, out)})
	}
	for _, s := range []Shape{{7, 1, 1}, {2, 3, 5}} {
		cases = append(cases, layerCase{"GELU/" + s.String(), s, 3,
			func(*rand.Rand) Layer { return NewGELU(s) }, geluTwin})
	}
	for _, s := range [][2]int{{1, 6}, {5, 3}, {20, 17}} {
		cases = append(cases, layerCase{fmt.Sprintf("LayerNorm/%d/%d", s[0], s[1]), Shape{s[1], 1, 1}, s[0],
			func(*rand.Rand) Layer { return NewLayerNorm("l", "trunk", s[1]) }, normTwin(Shape{s[1], 1, 1}, 1)})
	}
	for _, s := range []struct {
		n, groups int
		in        Shape
	}{{1, 1, Shape{1, 3, 2}}, {3, 2, Shape{4, 5, 3}}, {18, 3, Shape{3, 1, 7}}, {2, 1, Shape{6, 2, 2}}} {
		cases = append(cases, layerCase{fmt.Sprintf("GroupNorm/%d/%v/%d", s.n, s.in, s.groups), s.in, s.n,
			func(*rand.Rand) Layer { return NewGroupNorm("l", "trunk", s.in, s.groups) }, normTwin(s.in, s.groups)})
	}
	for _, s := range []struct {
		n, out, stride int
		in             Shape
	}{{1, 2, 1, Shape{1, 4, 4}}, {2, 3, 1, Shape{2, 5, 3}}, {1, 2, 2, Shape{3, 5, 4}}, {2, 2, 2, Shape{1, 4, 7}},
		{1, 1, 1, Shape{1, 36, 40}}, {2, 1, 2, Shape{1, 50, 49}}, {3, 2, 1, Shape{2, 1, 1}}, {2, 2, 2, Shape{2, 1, 3}}, {19, 3, 1, Shape{3, 3, 2}}} {
		cases = append(cases, layerCase{fmt.Sprintf("Conv2d/%d/%v-%d/%d", s.n, s.in, s.out, s.stride), s.in, s.n,
			func(rng *rand.Rand) Layer { return NewConv2d("l", "trunk", s.in, s.out, s.stride, 0.3, rng) },
			convTwin(s.in, s.out, s.stride)})
	}
	for _, s := range []Shape{{1, 4, 4}, {2, 5, 3}, {3, 1, 1}, {1, 2, 7}} {
		cases = append(cases,
			layerCase{"MaxPool/" + s.String(), s, 2, func(*rand.Rand) Layer { return NewMaxPool(s) }, maxPoolTwin(s)},
			layerCase{"GlobalAverage/" + s.String(), s, 2, func(*rand.Rand) Layer { return NewGlobalAverage(s) }, averageTwin(s)})
	}
	for _, s := range []struct {
		n  int
		in Shape
	}{{1, Shape{2, 3, 2}}, {4, Shape{3, 1, 1}}, {18, Shape{2, 5, 3}}} {
		cases = append(cases, layerCase{fmt.Sprintf("BatchNorm/%d/%v", s.n, s.in), s.in, s.n,
			func(*rand.Rand) Layer { return NewBatchNorm("l", "trunk", s.in) }, batchNormTwin(s.in)})
	}
	cases = append(cases, layerCase{"ReLU", Shape{3, 2, 5}, 3, func(*rand.Rand) Layer { return NewReLU(Shape{3, 2, 5}) }, reluTwin})
	for _, s := range [][4]int{{1, 1, 2, 1}, {2, 3, 4, 2}, {3, 5, 6, 3}, {1, 17, 4, 1}} { // n, tokens, d, heads
		cases = append(cases, layerCase{fmt.Sprintf("Attention/%v", s), Shape{s[1] * s[2], 1, 1}, s[0],
			func(rng *rand.Rand) Layer { return NewAttention("l", "trunk", s[1], s[2], s[3], 0.5, rng) }, attentionTwin(s[1], s[2], s[3])})
	}
	cases = append(cases,
		layerCase{"PatchEmbed", Shape{2, 6, 4}, 3, func(rng *rand.Rand) Layer { return NewPatchEmbed("l", "trunk", Shape{2, 6, 4}, 2, 5, rng) }, patchTwin(Shape{2, 6, 4}, 2, 5)},
		layerCase{"FirstToken", Shape{12, 1, 1}, 3, func(*rand.Rand) Layer { return NewFirstToken(4, 3) }, func(x []float64, n int, _ [][]float64) (y []float64) {
			for i := range n {
				y = append(y, x[i*12:i*12+3]...)
			}
			return y
		}},
		layerCase{"Tokens", Shape{12, 1, 1}, 2, func(rng *rand.Rand) Layer { return NewTokens(4, NewLinear("l", "trunk", 3, 2, 0.5, rng)) },
			func(x []float64, n int, p [][]float64) []float64 { return linearTwin(3, 2)(x, 4*n, p) }})
	return append(cases, layerCase{"Residual", Shape{4, 1, 1}, 3, func(rng *rand.Rand) Layer {
		return NewResidual(Sequence{NewLinear("a", "trunk", 4, 6, 0.5, rng), NewGELU(Shape{6, 1, 1}), NewLinear("b", "trunk", 6, 4, 0.5, rng)})
	}, residualTwin})
}

// fixture is a layer with random weights, input and output gradient.
type fixture struct {
	l     Layer
	x, gy []float32
}

func (c layerCase) fixture() fixture {
	rng := rand.New(rand.NewPCG(7, 8))
	l := c.make(rng)
	for _, p := range l.Params() { // gains of 1 and biases of 0 hide mistakes
		if p.Plain {
			for i := range p.Value {
				p.Value[i] += float32(0.5 * rng.NormFloat64())
			}
		}
	}
	return fixture{l, gaussian(rng, c.n*c.in.Size()), gaussian(rng, c.n*l.Out().Size())}
}

func gaussian(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

func wide(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// TestLayersTwin compares results with the twin, and every entry of every
// gradient with finite differences of the twin, which are sharp.
func TestLayersTwin(t *testing.T) {
	for _, c := range layerCases() {
		t.Run(c.name, func(t *testing.T) {
			f := c.fixture()
			x, gy := wide(f.x), wide(f.gy)
			var p [][]float64
			for _, q := range f.l.Params() {
				p = append(p, wide(q.Value))
				q.Grad[0] = 2 // gradients are added
			}
			compare(t, "y", f.l.Forward(f.x, c.n, true), c.twin(x, c.n, p))
			value := func() (s float64) {
				for i, y := range c.twin(x, c.n, p) {
					s += gy[i] * y
				}
				return s
			}
			if gx := f.l.Backward(f.gy, c.n); gx != nil || !firstOnly(f.l) {
				compare(t, "gradient by x", gx, differences(value, x))
			}
			for k, q := range f.l.Params() {
				want := differences(value, p[k])
				want[0] += 2
				compare(t, "gradient by "+q.Name, q.Grad, want)
			}
		})
	}
}

// firstOnly tells whether a layer never has a gradient by x.
func firstOnly(l Layer) bool { _, ok := l.(*PatchEmbed); return ok }

// differences is the gradient of f by all entries of x.
func differences(f func() float64, x []float64) []float64 {
	const h = 1e-5
	g := make([]float64, len(x))
	for i, at := range x {
		x[i] = at + h
		up := f()
		x[i] = at - h
		g[i] = (up - f()) / (2 * h)
		x[i] = at
	}
	return g
}

func compare(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d entries, want %d", what, len(got), len(want))
	}
	for i, w := range want {
		if d := math.Abs(float64(got[i]) - w); !(d <= 1e-4*max(1, math.Abs(w))) {
			t.Fatalf("%s: entry %d is %g, want %g", what, i, got[i], w)
		}
	}
}

// TestLayersDirectional checks the gradients against the layer's own forward
// pass.
func TestLayersDirectional(t *testing.T) {
	for _, c := range layerCases() {
		t.Run(c.name, func(t *testing.T) {
			f := c.fixture()
			rng := rand.New(rand.NewPCG(9, 10))
			value := func() (s float64) {
				for i, y := range f.l.Forward(f.x, c.n, true) {
					s += float64(f.gy[i]) * float64(y)
				}
				return s
			}
			value()
			gx := append([]float32(nil), f.l.Backward(f.gy, c.n)...)
			if !firstOnly(f.l) {
				if err := gradcheck.Directional(value, f.x, gx, 5e-3, 2e-3, 3, rng); err != nil {
					t.Errorf("x: %v", err)
				}
			}
			for _, p := range f.l.Params() {
				if err := gradcheck.Directional(value, p.Value, p.Grad, 1e-2, 2e-3, 3, rng); err != nil {
					t.Errorf("%s: %v", p.Name, err)
				}
			}
		})
	}
}

// TestBatchIsSum: a batch gives each item what it gets alone, and the params
// the sum of what its items give. The last case has lanes of several images
// that are too large to go through one product together.
func TestBatchIsSum(t *testing.T) {
	image := Shape{2, 14, 15}
	for _, c := range append(layerCases(), layerCase{name: "Conv2d/40", in: image, n: 40, make: func(rng *rand.Rand) Layer {
		return NewConv2d("l", "trunk", image, 3, 1, 0.3, rng)
	}}) {
		f := c.fixture()
		if _, ok := f.l.(*BatchNorm); ok { // an item is not alone in its batch
			continue
		}
		y := append([]float32(nil), f.l.Forward(f.x, c.n, true)...)
		gx := append([]float32(nil), f.l.Backward(f.gy, c.n)...)
		var want [][]float64
		for _, p := range f.l.Params() {
			want = append(want, wide(p.Grad))
			p.ZeroGrad()
		}
		for i := range c.n {
			compare(t, c.name+": y", f.l.Forward(item(f.x, i, c.in), 1, true), wide(item(y, i, f.l.Out())))
			if g := f.l.Backward(item(f.gy, i, f.l.Out()), 1); !firstOnly(f.l) {
				compare(t, c.name+": gradient by x", g, wide(item(gx, i, c.in)))
			}
		}
		for k, p := range f.l.Params() {
			compare(t, c.name+": gradient by "+p.Name, p.Grad, want[k])
		}
	}
}

// everything is a sequence with all kinds of layers, with gradients down to x.
func everything() (Sequence, Shape) {
	rng := rand.New(rand.NewPCG(11, 12))
	in := Shape{2, 13, 10}
	s := conv("trunk", in, 16, 3, rng)
	s[0].(*Conv2d).First = false
	m := mlp("trunk", 32, 32, 1, rng)
	m[0].(*Linear).First = false
	s = append(append(s[:len(s):len(s)], m...), NewBatchNorm("b", "trunk", Shape{32, 1, 1}), NewReLU(Shape{32, 1, 1}))
	return append(s, NewAttention("a", "trunk", 4, 8, 2, 0.5, rng), NewTokens(4, NewLayerNorm("n", "trunk", 8))), in
}

// TestProcessors: results and gradients are the same bits for any number of
// processors.
func TestProcessors(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var want [][]float32
	for _, procs := range []int{1, 2, 3} {
		runtime.GOMAXPROCS(procs)
		s, in := everything()
		rng := rand.New(rand.NewPCG(19, 20))
		n := 300
		x, gy := gaussian(rng, n*in.Size()), gaussian(rng, n*s.Out().Size())
		got := [][]float32{s.Forward(x, n, true), s.Backward(gy, n)}
		for _, p := range s.Params() {
			got = append(got, p.Grad)
		}
		if want == nil {
			want = got
		}
		for k := range got {
			sameBits(t, fmt.Sprintf("array %d on %d processors", k, procs), got[k], want[k])
		}
	}
}

func sameBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d entries, want %d", what, len(got), len(want))
	}
	for i := range got {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: entry %d is %g, was %g", what, i, got[i], want[i])
		}
	}
}

// TestReuse: batches of other sizes in between leave no trace.
func TestReuse(t *testing.T) {
	for _, c := range layerCases() {
		f := c.fixture()
		want := append([]float32(nil), f.l.Forward(f.x, c.n, true)...)
		wantX := append([]float32(nil), f.l.Backward(f.gy, c.n)...)
		rng := rand.New(rand.NewPCG(13, 14))
		for _, n := range []int{c.n + 20, 0, 1} {
			f.l.Forward(gaussian(rng, n*c.in.Size()), n, true)
			f.l.Backward(gaussian(rng, n*f.l.Out().Size()), n)
		}
		sameBits(t, c.name+": y", f.l.Forward(f.x, c.n, true), want)
		sameBits(t, c.name+": gradient", f.l.Backward(f.gy, c.n), wantX)
	}
}

// TestNoAllocation: after the first step, the arrays are there. One processor
// and no collection, so that no goroutine finds its scratch memory late.
func TestNoAllocation(t *testing.T) {
	skipUnderRace(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	s, in := everything()
	rng := rand.New(rand.NewPCG(15, 16))
	const n = 40
	x, gy := gaussian(rng, n*in.Size()), gaussian(rng, n*s.Out().Size())
	step := func() { s.Forward(x, n, true); s.Backward(gy, n) }
	step()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 10 {
		step()
	}
	runtime.ReadMemStats(&after)
	// closures are small; the smallest array of a step has 5 kB
	if bytes := (after.TotalAlloc - before.TotalAlloc) / 10; bytes > 4_000 {
		t.Errorf("%d bytes allocated a step", bytes)
	}
}

// skipUnderRace skips t under the race detector, where a sync.Pool forgets at
// random.
func skipUnderRace(t *testing.T) {
	info, _ := debug.ReadBuildInfo()
	for _, s := range info.Settings {
		if s.Key == "-race" && s.Value == "true" {
			t.Skip("not under the race detector")
		}
	}
}

// TestFirst: a first layer saves the gradient by x and nothing else.
func TestFirst(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 18))
	conv := NewConv2d("l", "trunk", Shape{2, 5, 4}, 3, 1, 1, rng)
	linear := NewLinear("l", "trunk", 40, 3, 1, rng)
	x := gaussian(rng, 3*40)
	for _, l := range []Layer{conv, linear} {
		gy := gaussian(rng, 3*l.Out().Size())
		var want [][]float32
		for _, first := range []bool{false, true} {
			conv.First, linear.First = first, first
			l.Forward(x, 3, true)
			if gx := l.Backward(gy, 3); (gx == nil) != first {
				t.Errorf("%T: First %v, gradient by x has %d entries", l, first, len(gx))
			}
			for k, p := range l.Params() {
				if !first {
					want = append(want, append([]float32(nil), p.Grad...))
				} else {
					sameBits(t, p.Name, p.Grad, want[k])
				}
				p.ZeroGrad()
			}
		}
	}
}

func TestWrongShapesPanic(t *testing.T) {
	for _, c := range layerCases() {
		for what, call := range map[string]func(f fixture){
			"Forward":  func(f fixture) { f.l.Forward(f.x[1:], c.n, true) },
			"Backward": func(f fixture) { f.l.Forward(f.x, c.n, true); f.l.Backward(f.gy[1:], c.n) },
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s: %s took a batch with an entry missing", c.name, what)
					}
				}()
				call(c.fixture())
			}()
		}
	}
	for name, f := range map[string]func(){
		"stride 3":        func() { NewConv2d("l", "", Shape{1, 4, 4}, 1, 3, 1, rand.New(rand.NewPCG(1, 1))) },
		"4 in 3 groups":   func() { NewGroupNorm("l", "", Shape{4, 1, 1}, 3) },
		"4 in no groups":  func() { NewGroupNorm("l", "", Shape{4, 1, 1}, 0) },
		"unequal summand": func() { NewResidual(NewMaxPool(Shape{1, 2, 2})).Forward(make([]float32, 4), 1, true) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

// TestMaxPoolTies: among equal entries the first takes the whole gradient.
func TestMaxPoolTies(t *testing.T) {
	l := NewMaxPool(Shape{1, 2, 3})
	l.Forward(make([]float32, 6), 1, true)
	got := l.Backward([]float32{5, 7}, 1)
	sameBits(t, "gradient", got, []float32{5, 0, 7, 0, 0, 0})
}

package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/internal/gradcheck"
	"github.com/chestlab/chest/internal/vmath"
)

// models are one of each trunk, small.
var models = []struct {
	name string
	in   Shape
	o    Options
}{
	{"mlp", Shape{1, 3, 4}, Options{Width: 20, DE: 5, DH: 3, Seed: 1}},
	{"conv", Shape{2, 9, 12}, Options{Trunk: "conv", Width: 6, DE: 4, DH: 7, Seed: 2}},
	{"identity", Shape{6, 1, 1}, Options{Trunk: "identity", DE: 4, DH: 2, Seed: 3}},
	{"linear", Shape{6, 1, 1}, Options{Trunk: "linear", Width: 5, DE: 4, DH: 2, Seed: 3}},
	{"two mlps", Shape{1, 3, 4}, Options{Width: 20, DE: 5, DH: 3, Seed: 4, Separate: true}},
	{"two convs", Shape{2, 9, 12}, Options{Trunk: "conv", Width: 6, DE: 4, DH: 7, Seed: 5, Separate: true}},
}

func mustNew(t testing.TB, in Shape, o Options) *Model {
	t.Helper()
	m, err := New(in, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestModelGradient checks the gradient of a random linear function of both
// outputs by every param, and that a nil gradient counts as zeros. The function
// is the twin's: float64 allows steps so small that no maximum changes place.
func TestModelGradient(t *testing.T) {
	for _, c := range models {
		t.Run(c.name, func(t *testing.T) {
			m := mustNew(t, c.in, c.o)
			rng := rand.New(rand.NewPCG(1, 2))
			const n = 3
			x, gE, gH := gaussian(rng, n*c.in.Size()), gaussian(rng, n*c.o.DE), gaussian(rng, n*c.o.DH)
			var p [][]float64
			for _, q := range m.Params() {
				p = append(p, wide(q.Value))
			}
			for _, use := range []struct{ e, h float64 }{{1, 1}, {1, 0}, {0, 1}} {
				value := func() (s float64) {
					uE, uH := modelTwin(m, wide(x), n, p)
					for i, u := range uE {
						s += use.e * float64(gE[i]) * u
					}
					for i, u := range uH {
						s += use.h * float64(gH[i]) * u
					}
					return s
				}
				uE, uH := m.Forward(x, n, true)
				wantE, wantH := modelTwin(m, wide(x), n, p)
				compare(t, "uE", uE, wantE)
				compare(t, "uH", uH, wantH)
				m.Backward(nilUnless(use.e == 1, gE), nilUnless(use.h == 1, gH), n)
				for k, q := range m.Params() {
					if err := gradcheck.Directional(value, p[k], wide(q.Grad), 1e-6, 1e-4, 4, rng); err != nil {
						t.Errorf("%+v: %s: %v", use, q.Name, err)
					}
					q.ZeroGrad()
				}
			}
			m.Backward(nil, nil, n)
			for _, p := range m.Params() {
				sameBits(t, p.Name, p.Grad, make([]float32, len(p.Grad)))
			}
		})
	}
}

func nilUnless(use bool, g []float32) []float32 {
	if use {
		return g
	}
	return nil
}

// TestSeed: weights are a function of the seed, and the trunk and head E do
// not change with the size of head H.
func TestSeed(t *testing.T) {
	for _, c := range models {
		a, b := mustNew(t, c.in, c.o), mustNew(t, c.in, c.o)
		other := c.o
		other.Seed++
		d := mustNew(t, c.in, other)
		wider := c.o
		wider.DH++
		w := mustNew(t, c.in, wider)
		same := true
		for k, p := range a.Params() {
			sameBits(t, p.Name, b.Params()[k].Value, p.Value)
			same = same && fmt.Sprint(p.Value) == fmt.Sprint(d.Params()[k].Value)
			if !strings.HasPrefix(p.Name, "head.H") {
				sameBits(t, p.Name, w.Params()[k].Value, p.Value)
			}
		}
		if same {
			t.Errorf("%s: another seed, the same weights", c.name)
		}
	}
}

// TestParams: names are unique, groups are known, biases and gains are plain
// and matrices are not, Count counts.
func TestParams(t *testing.T) {
	for _, c := range models {
		c.o.LearnCurvature = c.name != "identity"
		m := mustNew(t, c.in, c.o)
		names, count := map[string]bool{}, 0
		for _, p := range m.Params() {
			if names[p.Name] {
				t.Errorf("%s: two params %q", c.name, p.Name)
			}
			names[p.Name] = true
			count += len(p.Value)
			if want := strings.TrimRight(strings.SplitN(p.Name, ".", 2)[0], "EH"); p.Group != want {
				t.Errorf("%s: %s is in group %q", c.name, p.Name, p.Group)
			}
			if p.Plain == strings.HasSuffix(p.Name, ".weight") {
				t.Errorf("%s: %s has Plain %v", c.name, p.Name, p.Plain)
			}
		}
		if m.Count() != count || m.In() != c.in {
			t.Errorf("%s: Count %d, want %d; In %v", c.name, m.Count(), count, m.In())
		}
	}
}

// TestCount: the sizes of the default models, by hand.
func TestCount(t *testing.T) {
	const heads = 2 * (256*128 + 128)
	mlp := 784*256 + 256 + 2*(2*256+2*(256*256+256)) + 2*256 + heads
	conv := func(c ...int) (n int) {
		for i := 1; i < len(c); i++ {
			n += 9*c[i-1]*c[i] + 3*c[i]
		}
		last := c[len(c)-1]
		return n + 2*last + 2*(last*128+128)
	}
	for _, c := range []struct {
		name string
		in   Shape
		o    Options
		want int
	}{
		{"mlp", Shape{1, 28, 28}, Options{}, mlp},
		{"conv", Shape{1, 28, 28}, Options{Trunk: "conv"}, conv(1, 32, 32, 64, 64)},
		{"small conv", Shape{3, 15, 40}, Options{Trunk: "conv"}, conv(3, 32, 32, 64)},
		{"identity", Shape{10, 1, 1}, Options{Trunk: "identity"}, 2 * (10*128 + 128)},
		{"linear", Shape{10, 1, 1}, Options{Trunk: "linear", Width: 7}, 10*7 + 7 + 2*(7*128+128)},
	} {
		if got := mustNew(t, c.in, c.o).Count(); got != c.want {
			t.Errorf("%s: %d weights, want %d", c.name, got, c.want)
		}
	}
}

// TestStart: untrained, uE has variance 1 or so, and uH is well inside clip and
// ball, but not at the origin.
func TestStart(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want float64 // ‖uH‖
	}{
		{Options{}, 1.15},
		{Options{Trunk: "conv"}, 1.15},
		{Options{Trunk: "identity"}, 1.15},
		{Options{Curvature: 4, DH: 16}, 0.25},
		{Options{Flat: true, Clip: 1}, 0.5},
		{Options{Clip: -1, Curvature: 1e-3}, 1.15},
	} {
		in := Shape{1, 20, 20}
		m := mustNew(t, in, c.o)
		const n = 32
		uE, uH := m.Forward(gaussian(rand.New(rand.NewPCG(3, 4)), n*in.Size()), n, false)
		variance := vmath.Dot64(uE, uE) / float64(len(uE))
		norm := math.Sqrt(vmath.Dot64(uH, uH) / n)
		if variance < 0.6 || variance > 1.5 || norm < 0.7*c.want || norm > 1.4*c.want {
			t.Errorf("%+v: variance of uE %.3g, norm of uH %.3g, want %.3g", c.o, variance, norm, c.want)
		}
	}
}

// TestOptions: defaults, and that filled options make the same model again.
func TestOptions(t *testing.T) {
	for _, c := range []struct {
		name string
		in   Shape
		o    Options
		want Options
	}{
		{"zero", Shape{1, 28, 28}, Options{}, Options{Trunk: "mlp", Width: 256, Depth: 2, DE: 128, DH: 128, Curvature: 0.1, Clip: 2.3}},
		{"conv", Shape{1, 28, 28}, Options{Trunk: "conv"}, Options{Trunk: "conv", Width: 32, Depth: 4, DE: 128, DH: 128, Curvature: 0.1, Clip: 2.3}},
		{"small conv", Shape{1, 28, 15}, Options{Trunk: "conv"}, Options{Trunk: "conv", Width: 32, Depth: 3, DE: 128, DH: 128, Curvature: 0.1, Clip: 2.3}},
		{"flat", Shape{9, 1, 1}, Options{Trunk: "identity", Flat: true, Clip: -1}, Options{Trunk: "identity", Width: 9, Depth: 0, DE: 128, DH: 128, Flat: true, Clip: -1}},
	} {
		m := mustNew(t, c.in, c.o)
		if m.Options() != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, m.Options(), c.want)
		}
		if again := mustNew(t, c.in, m.Options()); again.Options() != c.want {
			t.Errorf("%s: filled options changed to %+v", c.name, again.Options())
		}
	}
}

func TestBadOptions(t *testing.T) {
	image := Shape{1, 28, 28}
	for _, c := range []struct {
		in   Shape
		o    Options
		want string // in the message
	}{
		{image, Options{Trunk: "resnet"}, `"resnet"; there are "mlp"`},
		{image, Options{Trunk: "vit"}, "set Patch to a divisor"},
		{image, Options{Trunk: "vit", Patch: 7, Heads: 5}, "Width 384 is not a multiple of Heads 5"},
		{image, Options{Trunk: "vit", Patch: -7}, "Patch -7"},
		{image, Options{Trunk: "vit", Patch: 7, NormEps: -1}, "NormEps -1"},
		{Shape{1, 5, 5}, Options{Trunk: "convnet4"}, "set Depth to at most 3"},
		{Shape{784, 1, 1}, Options{Trunk: "conv"}, `Trunk to "mlp"`},
		{Shape{1, 8, 8}, Options{Trunk: "conv", Depth: 4}, "Depth to at most 3"},
		{Shape{0, 28, 28}, Options{}, "0×28×28"},
		{image, Options{DE: -1}, "DE -1"},
		{image, Options{Depth: -1}, "Depth -1"},
		{image, Options{Curvature: -0.1}, "-0.1"},
		{image, Options{Curvature: math.NaN()}, "NaN"},
		{image, Options{Curvature: 1, Flat: true}, "exclude"},
		{image, Options{Clip: math.Inf(1)}, "Clip"},
		{image, Options{Flat: true, LearnCurvature: true}, "curvature 0 cannot be learned"},
		{image, Options{Clip: -1, LearnClip: true}, "give a positive radius"},
		{image, Options{Trunk: "identity", Separate: true}, "Separate"},
	} {
		if _, err := New(c.in, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v for %v: error %v, want one with %q", c.o, c.in, err, c.want)
		}
	}
}

// TestDescent: AdamW on least squares brings both heads to random targets.
func TestDescent(t *testing.T) {
	for _, c := range models {
		t.Run(c.name, func(t *testing.T) {
			m := mustNew(t, c.in, c.o)
			rng := rand.New(rand.NewPCG(5, 6))
			n := 8
			if c.name == "identity" || c.name == "linear" {
				n = 4 // no more items than entries: they can be fitted
			}
			x, tE, tH := gaussian(rng, n*c.in.Size()), gaussian(rng, n*c.o.DE), gaussian(rng, n*c.o.DH)
			adam := optim.NewAdamW(m.Params(), optim.AdamWOptions{Decay: -1})
			var first, last float64
			for step := range 300 {
				uE, uH := m.Forward(x, n, true)
				gE, gH := residuals(uE, tE), residuals(uH, tH)
				last = vmath.Dot64(gE, gE) + vmath.Dot64(gH, gH)
				if step == 0 {
					first = last
				}
				m.Backward(gE, gH, n)
				optim.ClipNorm(m.Params(), 10)
				adam.Move(optim.Move{Rate: 0.02 * (1 - float64(step)/300), Scale: 1})
			}
			if !(last < 1e-3*first) {
				t.Errorf("least squares went from %.3g to %.3g", first, last)
			}
		})
	}
}

// TestSeparate: the trunk and head of E begin as in a model with one trunk, and
// a gradient by one output does not reach the trunk of the other.
func TestSeparate(t *testing.T) {
	in := Shape{2, 9, 12}
	for _, o := range []Options{{Width: 20}, {Trunk: "conv", Width: 6}, {Trunk: "convnet4", Width: 6, Depth: 3}} {
		o.DE, o.DH, o.Seed = 5, 4, 7
		one := mustNew(t, in, o)
		o.Separate = true
		two := mustNew(t, in, o)
		x := gaussian(rand.New(rand.NewPCG(1, 2)), 3*in.Size())
		uE, _ := one.Forward(x, 3, true)
		vE, vH := two.Forward(x, 3, true)
		sameBits(t, "uE", vE, uE)
		touched := func() (text string) {
			for _, p := range two.Params() {
				if vmath.Dot64(p.Grad, p.Grad) > 0 && !strings.Contains(text, p.Name[:6]) {
					text += p.Name[:6] + " "
				}
				p.ZeroGrad()
			}
			return text
		}
		for _, k := range []struct {
			gE, gH []float32
			want   string
		}{{vE, nil, "trunkE head.E "}, {nil, vH, "trunkH head.H "}, {vE, vH, "trunkE trunkH head.E head.H "}, {nil, nil, ""}} {
			two.Backward(k.gE, k.gH, 3)
			if got := touched(); got != k.want {
				t.Errorf("%s: gradients reach %q, want %q", o.Trunk, got, k.want)
			}
		}
		heads := 0
		for _, p := range one.headE.Params() {
			heads += len(p.Value)
		}
		for _, p := range one.headH.Params() {
			heads += len(p.Value)
		}
		if got, want := two.Count(), 2*one.Count()-heads; got != want {
			t.Errorf("%s: %d weights, want %d", o.Trunk, got, want)
		}
		if got, want := len(two.State()), 2*len(one.State()); got != want || o.Trunk == "convnet4" && want != 12 {
			t.Errorf("%s: %d states, want %d", o.Trunk, got, want)
		}
		names := map[string]bool{}
		for _, s := range two.State() {
			names[s.Name] = true
		}
		if len(names) != len(two.State()) {
			t.Errorf("%s: names of states are not unique: %v", o.Trunk, names)
		}
	}
}

// TestBall: what is learned is a weight, String and Embed follow it, and a
// model in which it is not learned has none.
func TestBall(t *testing.T) {
	in := Shape{6, 1, 1}
	for _, c := range []struct {
		o    Options
		want string // after the numbers have moved by 1
		n    int    // weights beside those of the heads
	}{
		{Options{}, "identity trunk 6×1×1, E 4, H 3 on the ball (c 0.1, clip 2.3), 49 weights", 0},
		{Options{Flat: true, SoftClip: true}, "identity trunk 6×1×1, E 4, H 3 flat (c 0, soft clip 2.3), 49 weights", 0},
		{Options{Clip: -1}, "identity trunk 6×1×1, E 4, H 3 on the ball (c 0.1), 49 weights", 0},
		{Options{LearnCurvature: true}, "identity trunk 6×1×1, E 4, H 3 on the ball (c 0.272*, clip 2.3), 50 weights", 1},
		{Options{LearnCurvature: true, LearnClip: true, SoftClip: true}, "identity trunk 6×1×1, E 4, H 3 on the ball (c 0.272*, soft clip 6.25*), 51 weights", 2},
		{Options{Flat: true, LearnClip: true}, "identity trunk 6×1×1, E 4, H 3 flat (c 0, clip 6.25*), 50 weights", 1},
	} {
		c.o.Trunk, c.o.DE, c.o.DH = "identity", 4, 3
		m := mustNew(t, in, c.o)
		p := m.Params()
		last := p[len(p)-1]
		if (last.Group == "ball") != (c.n > 0) || c.n > 0 && (last != m.Ball().Param() || len(last.Value) != c.n) {
			t.Errorf("%+v: last param %s", c.o, last.Name)
		}
		if c.n > 0 {
			for i := range last.Value {
				last.Value[i] = 1
			}
		}
		if got := m.String(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if got := mustNew(t, Shape{1, 3, 4}, Options{Width: 4, Depth: 1, DE: 2, DH: 2, Separate: true}).String(); !strings.HasPrefix(got, "two mlp trunks 1×3×4, E 2") {
		t.Error(got)
	}
}

func residuals(u, target []float32) []float32 {
	g := make([]float32, len(u))
	for i := range g {
		g[i] = u[i] - target[i]
	}
	return g
}

// BenchmarkEpoch trains an epoch of 2,700 images of 28×28 in batches of 128:
// forward, backward and AdamW, without a loss.
func BenchmarkEpoch(b *testing.B) {
	for _, trunk := range []string{"conv", "mlp"} {
		b.Run(trunk, func(b *testing.B) {
			in := Shape{1, 28, 28}
			m := mustNew(b, in, Options{Trunk: trunk})
			rng := rand.New(rand.NewPCG(1, 1))
			const n, items = 128, 2700
			x, gE, gH := gaussian(rng, n*in.Size()), gaussian(rng, n*128), gaussian(rng, n*128)
			adam := optim.NewAdamW(m.Params(), optim.AdamWOptions{})
			b.ReportAllocs()
			for b.Loop() {
				for range (items + n - 1) / n {
					m.Forward(x, n, true)
					m.Backward(gE, gH, n)
					adam.Move(optim.Move{Rate: 1e-3, Scale: 1})
				}
			}
		})
	}
}

package ball

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/chestlib/poincare"
	"github.com/chestlab/chest/internal/gradcheck"
)

func made(t *testing.T, o Options) *Ball {
	t.Helper()
	b, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func row(rng *rand.Rand, d int, length float64) []float64 {
	u := make([]float64, d)
	for i := range u {
		u[i] = rng.NormFloat64()
	}
	floats.Scale(length/floats.Norm(u, 2), u)
	return u
}

// TestMap: points are the formula's, their gradient is that of finite
// differences, and the shares of Along and Radius are what they say.
func TestMap(t *testing.T) {
	const d = 4
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range []float64{0, 1e-6, 0.1, 3} {
		for _, r := range []float64{0.7, 2.3, math.Inf(1)} {
			for _, soft := range []bool{false, true} {
				for _, length := range []float64{1e-9, 0.3, 0.9, 4} {
					m := Map{c, r, soft}
					name := fmt.Sprintf("%+v, length %g", m, length)
					u, g := row(rng, d, length), row(rng, d, 1)
					want := min(length, r)
					if soft && !math.IsInf(r, 1) {
						want = r * math.Tanh(length/r)
					}
					if c > 0 {
						want = math.Tanh(math.Sqrt(c)*want) / math.Sqrt(c)
					}
					x := m.Point(nil, u)
					if got := floats.Norm(x, 2); math.Abs(got-want) > 1e-12*want {
						t.Errorf("%s: norm %g, want %g", name, got, want)
					}
					grad := make([]float64, d)
					s := m.Pull(grad, u, g)
					if err := gradcheck.Directional(func() float64 { return floats.Dot(g, m.Point(nil, u)) }, u, grad, 1e-6*length, 1e-6, 4, rng); err != nil {
						t.Errorf("%s: %v", name, err)
					}
					// Along is the derivative by a common factor of u', at 1
					short := m.Clipped(nil, u)
					one, along := []float64{1}, []float64{s.Along}
					f := func() float64 {
						return floats.Dot(g, poincare.ExpMap0(nil, floats.ScaleTo(make([]float64, d), one[0], short), c))
					}
					if err := gradcheck.Directional(f, one, along, 1e-5, 1e-6, 1, rng); err != nil {
						t.Errorf("%s: along: %v", name, err)
					}
					logR, radius := []float64{0}, []float64{s.Radius}
					f = func() float64 { return floats.Dot(g, Map{c, r * math.Exp(logR[0]), soft}.Point(nil, u)) }
					if err := gradcheck.Directional(f, logR, radius, 1e-5, 1e-6, 1, rng); err != nil && math.Abs(s.Radius) > 1e-12 {
						t.Errorf("%s: radius: %v", name, err)
					}
				}
			}
		}
	}
	if s := (Map{0.1, 1, true}).Pull(make([]float64, 2), []float64{0, 0}, []float64{1, 2}); s != (Sums{}) {
		t.Errorf("sums of a zero row are %+v", s)
	}
}

// TestSums: the gradient by c and r of a sum of distances, by finite
// differences of what the params hold.
func TestSums(t *testing.T) {
	const n, d = 5, 3
	for _, o := range []Options{
		{Curvature: 0.1, Clip: 2.3}, {Curvature: 0.1, Clip: 1, Soft: true}, {Curvature: 1e-5, Clip: 1}, {Curvature: 8, Clip: 0.7}, {Curvature: 1, Clip: 0.1}, {Curvature: 1, Clip: 50},
	} {
		o.LearnCurvature, o.LearnClip = true, true
		b := made(t, o)
		rng := rand.New(rand.NewPCG(3, 4))
		var u [][]float64
		for i := range n {
			u = append(u, row(rng, d, 0.4*float64(i+1)))
		}
		weight := func(i, j int) float64 { return float64(i*i-3*j) / 4 }

		pairs := func(m Map, f func(i, j int, x, y []float64)) {
			for i := range n {
				for j := range i {
					f(i, j, m.Point(nil, u[i]), m.Point(nil, u[j]))
				}
			}
		}
		value := func() (sum float64) {
			m := b.Map()
			pairs(m, func(i, j int, x, y []float64) { sum += weight(i, j) * poincare.Distance(x, y, m.C) })
			return sum
		}
		m, grads := b.Map(), make([][]float64, n)
		for i := range grads {
			grads[i] = make([]float64, d)
		}
		var s Sums
		pairs(m, func(i, j int, x, y []float64) {
			s.Length += weight(i, j) * poincare.Distance(x, y, m.C)
			poincare.DistanceGrad(grads[i], grads[j], x, y, m.C, weight(i, j))
		})
		for i, g := range grads {
			s.Add(m.Pull(make([]float64, d), u[i], g))
		}
		b.AddGrad(s)
		for at, name := range []string{"c", "r"} {
			p := b.Param()
			x, g := p.Value[at:at+1], p.Grad[at:at+1]
			// float32 rounds the gradient; and the flat limit of c has none
			if err := gradcheck.Directional(value, x, g, 1e-3, 1e-5, 1, rng); err != nil && math.Abs(float64(g[0])) > 1e-4 {
				t.Errorf("%+v: %s: %v", o, name, err)
			}
		}
		if g := float64(b.Param().Grad[0]); o.Curvature >= 0.1 && o.Clip > 0.5 && math.Abs(g) < 1e-3 {
			t.Errorf("%+v: gradient by c is %g: the test says nothing", o, g)
		}
	}
}

// TestBounds: values beyond the bounds count as at them, and descent comes back
// from there but goes no further.
func TestBounds(t *testing.T) {
	b := made(t, Options{Curvature: 0.1, Clip: 2, LearnCurvature: true, LearnClip: true})
	if b.Curvature() != 0.1 || b.Clip() != 2 {
		t.Errorf("begins at c %g, r %g", b.Curvature(), b.Clip())
	}
	p := b.Param()
	for _, sign := range []float32{1, -1} {
		p.Value[0], p.Value[1] = 50*sign, 50*sign
		if got, want := b.Curvature(), 0.1*math.Pow(10, float64(sign)); math.Abs(got-want) > 1e-12 {
			t.Errorf("c %g, want %g", got, want)
		}
		if got, want := b.Clip(), 2*math.Pow(4, float64(sign)); math.Abs(got-want) > 1e-12 {
			t.Errorf("r %g, want %g", got, want)
		}
		p.ZeroGrad()
		b.AddGrad(Sums{Along: -2 * float64(sign), Radius: -float64(sign)}) // descent would lead out
		if p.Grad[0] != 0 || p.Grad[1] != 0 {
			t.Errorf("gradient %v leads out", p.Grad)
		}
		b.AddGrad(Sums{Along: 2 * float64(sign), Radius: 3 * float64(sign)})
		if p.Grad[0] != sign || p.Grad[1] != 3*sign {
			t.Errorf("gradient %v does not lead back", p.Grad)
		}
	}
}

// TestParam: only what is learned has an entry, and the others do not move.
func TestParam(t *testing.T) {
	for _, k := range []struct {
		o    Options
		want string
	}{
		{Options{Curvature: 0.1, Clip: 2.3}, "c 0.1, clip 2.3"},
		{Options{Clip: -1, Soft: true}, "c 0"},
		{Options{Curvature: 0.1, Clip: 2.3, Soft: true, LearnCurvature: true}, "c 0.272*, soft clip 2.3"},
		{Options{Curvature: 0.1, Clip: 2, LearnClip: true}, "c 0.1, clip 5.44*"},
		{Options{Clip: 2, LearnClip: true}, "c 0, clip 5.44*"},
		{Options{Curvature: 0.1, Clip: -1, LearnCurvature: true}, "c 0.272*"},
		{Options{Curvature: 0.1, Clip: 2, LearnCurvature: true, LearnClip: true}, "c 0.272*, clip 5.44*"},
	} {
		b := made(t, k.o)
		b.AddGrad(Sums{Along: -2, Radius: -1})
		if p := b.Param(); p != nil {
			if p.Name != "ball" || p.Group != "ball" || !p.Plain {
				t.Errorf("%+v: param %+v", k.o, p)
			}
			for i, g := range p.Grad {
				p.Value[i] -= g
			}
		} else if k.o.LearnCurvature || k.o.LearnClip {
			t.Errorf("%+v: no param", k.o)
		}
		if got := b.String(); got != k.want {
			t.Errorf("%+v: %q, want %q", k.o, got, k.want)
		}
		if b.Options() != k.o {
			t.Errorf("%+v became %+v", k.o, b.Options())
		}
	}
}

func TestErrors(t *testing.T) {
	for _, k := range []struct {
		o    Options
		want string
	}{
		{Options{Curvature: -1, Clip: 1}, "Curvature is -1"},
		{Options{Curvature: math.NaN(), Clip: 1}, "NaN"},
		{Options{Curvature: math.Inf(1), Clip: 1}, "+Inf"},
		{Options{Curvature: 1}, "Clip is 0"},
		{Options{Curvature: 1, Clip: math.Inf(1)}, "Clip is +Inf"},
		{Options{Clip: 1, LearnCurvature: true}, "flat space, cannot be learned"},
		{Options{Curvature: 1, Clip: -1, LearnClip: true}, "there is no clip"},
	} {
		if _, err := New(k.o); err == nil || !strings.HasPrefix(err.Error(), "ball: ") || !strings.Contains(err.Error(), k.want) {
			t.Errorf("%+v: error %v, want one with %q", k.o, err, k.want)
		}
	}
}

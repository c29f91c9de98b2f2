package optim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/chestlab/chest/chestlib/poincare"
)

// TestBallOperations compares the scalars of a row's step with package poincare,
// from the middle to the margin, for short steps, long ones and those that the
// projection cuts, from c near 0 on. Steps from side to side lose digits of z,
// and 1-c‖z‖² those of z once more.
func TestBallOperations(t *testing.T) {
	for _, c := range []float64{1e-12, 1e-3, 0.1, 1, 10} {
		rng := rand.New(rand.NewPCG(3, math.Float64bits(c)))
		on := ball{c, 0.01}
		unit := 1 / math.Sqrt(c)
		for range 2000 {
			d := 1 + rng.IntN(5)
			x := random(rng, d, 0.99*unit*math.Sqrt(rng.Float64()))
			u := random(rng, d, unit*math.Exp(-12+14*rng.Float64()))
			v := random(rng, d, 1)
			p, q, az := on.exp(dot(x, x), dot(x, u), dot(u, u))
			z := added(added(x, p, x), q, u)
			want := poincare.Project(nil, poincare.ExpMap(nil, x, u, c), c, on.margin)
			if off := norm(added(z, -1, want)); !(off <= 1e-11*unit) {
				t.Fatalf("c %g: from %v along %v: %v, want %v, apart by %g", c, x, u, z, want, off)
			}
			ratio, alpha, beta := on.transport(dot(x, x), dot(x, u), dot(u, u), dot(x, v), dot(u, v), p, q, az)
			got, want := scaled(ratio, added(added(v, alpha, z), -beta, x)), poincare.Transport(nil, x, z, v, c)
			if off := norm(added(got, -1, want)); !(off <= 1e-9*norm(want)) {
				t.Fatalf("c %g: %v from %v to %v: %v, want %v, apart by %g", c, v, x, z, got, want, off)
			}
		}
	}
}

// random returns a vector of that length in a random direction.
func random(rng *rand.Rand, d int, length float64) []float64 {
	v := make([]float64, d)
	for i := range v {
		v[i] = rng.NormFloat64()
	}
	return scaled(length/norm(v), v)
}

func dot(x, y []float64) (sum float64) {
	for i := range x {
		sum += x[i] * y[i]
	}
	return sum
}

// TestStaysInside: whatever the gradients and rates, points are where Margin
// lets them be, up to the rounding of float32; so are points that began outside.
func TestStaysInside(t *testing.T) {
	for _, r := range all() {
		if !balls(r) {
			continue
		}
		for _, c := range []float64{1e-3, 1, 100} {
			p := NewParam("x", "", 20, 3)
			p.Ball = c
			rng := rand.New(rand.NewPCG(5, math.Float64bits(c)))
			for i := range p.Value {
				p.Value[i] = float32(rng.NormFloat64() / math.Sqrt(c))
			}
			o := made(t, r, []*Param{p}, 1)
			for step := range 60 {
				for i := range p.Grad {
					p.Grad[i] = float32(rng.NormFloat64() * math.Pow(10, float64(step%9-2)))
				}
				o.Move(Move{Rate: math.Pow(10, float64(step%5-2)), Scale: 1})
				for row := range 20 {
					if s := math.Sqrt(c) * norm(floats(p.Value[row*3:row*3+3])); !(s <= (1-marginOf(r))*(1+3e-7)) {
						t.Fatalf("%T%+v, c %g, step %d: √c‖x‖ is %.9g", r, r, c, step, s)
					}
				}
			}
		}
	}
}

func marginOf(r Recipe) float64 {
	switch o := r.(type) {
	case RiemannianSGDOptions:
		if o.Margin != 0 {
			return o.Margin
		}
	case RiemannianAdamOptions:
		if o.Margin != 0 {
			return o.Margin
		}
	}
	return defaultMargin
}

// TestFrechetMean: the recipes find the point with the least sum of squared
// distances to others, which package poincare knows.
func TestFrechetMean(t *testing.T) {
	const n, d, steps = 30, 5, 1000
	for _, c := range []float64{0.1, 1} {
		rng := rand.New(rand.NewPCG(6, math.Float64bits(c)))
		points := make([]float64, 0, n*d)
		for range n {
			points = append(points, random(rng, d, 0.9*rng.Float64()/math.Sqrt(c))...)
		}
		mean := poincare.FrechetMean(points, d, c)
		for _, r := range []Recipe{
			RiemannianSGDOptions{}, RiemannianSGDOptions{Momentum: 0.9},
			RiemannianSGDOptions{Momentum: 0.9, Nesterov: true}, RiemannianAdamOptions{},
		} {
			p := NewParam("m", "", d)
			p.Ball = c
			copy(p.Value, []float32{float32(-0.8 / math.Sqrt(c)), 0, 0, 0.3, 0})
			o := made(t, r, []*Param{p}, 1)
			for step := range steps {
				m, g := floats(p.Value), make([]float64, d)
				for i := range n {
					row := points[i*d : (i+1)*d]
					poincare.DistanceGrad(g, nil, m, row, c, 2*poincare.Distance(m, row, c)/n)
				}
				for i := range g {
					p.Grad[i] = float32(g[i])
				}
				o.Move(Move{Rate: 0.1 * Cosine{}.Factor(step, steps, 1), Scale: 1})
			}
			if off := poincare.Distance(floats(p.Value), mean, c); !(off <= 1e-4) {
				t.Errorf("%T%+v, c %g: %g from the mean", r, r, c, off)
			}
		}
	}
}

// TestFlatLimit: for c → 0 the Riemannian recipes are the plain ones with
// lengths doubled. SGD's rate is a quarter. Adam's too, of a gradient in units of
// half its length: rows of one number are compared, where both have the same v.
func TestFlatLimit(t *testing.T) {
	for _, c := range []struct {
		flat, curved Recipe
		d            int
		factor       float64 // of the flat rate
	}{
		{SGDOptions{Momentum: 0.9, Decay: 0.1}, RiemannianSGDOptions{Momentum: 0.9, Decay: 0.1}, 3, 0.25},
		{SGDOptions{Momentum: 0.9, Nesterov: true}, RiemannianSGDOptions{Momentum: 0.9, Nesterov: true}, 3, 0.25},
		{AdamOptions{Decay: 0.1}, RiemannianAdamOptions{Decay: 0.1}, 1, 0.5},
	} {
		a, b := NewParam("a", "", 20, c.d), NewParam("b", "", 20, c.d)
		b.Ball = 1e-9
		rng := rand.New(rand.NewPCG(9, 9))
		for i := range a.Value {
			a.Value[i] = rng.Float32()
			b.Value[i] = a.Value[i]
		}
		flat, curved := made(t, c.flat, []*Param{a}, 1), made(t, c.curved, []*Param{b}, 1)
		for range 30 {
			for i := range a.Grad {
				a.Grad[i] = rng.Float32()
				b.Grad[i] = a.Grad[i]
			}
			flat.Move(Move{Rate: 0.01 * c.factor, Scale: 1})
			curved.Move(Move{Rate: 0.01, Scale: 1})
		}
		for i, got := range b.Value {
			if math.Abs(float64(got-a.Value[i])) > 3e-6 {
				t.Fatalf("%T%+v: %g, flat %g", c.curved, c.curved, got, a.Value[i])
			}
		}
	}
}

// TestOneStep: the first step of RiemannianAdam is η long in the ball's own
// length, for all points and gradients; the counter advances once a step however
// many params there are.
func TestOneStep(t *testing.T) {
	const rate = 0.05
	var params []*Param
	var before [][]float64
	for i, c := range []float64{0.01, 0.1, 1, 5} {
		p := NewParam(fmt.Sprint(c), "", 2, 2)
		p.Ball = c
		copy(p.Value, []float32{float32(0.9 / math.Sqrt(c)), 0, 0, float32(0.1 / math.Sqrt(c))})
		copy(p.Grad, []float32{1, float32(i) + 1, -3, 100})
		params, before = append(params, p), append(before, floats(p.Value))
	}
	o := made(t, RiemannianAdamOptions{}, params, 1)
	o.Move(Move{Rate: rate, Scale: 1})
	for k, p := range params {
		for row := range 2 {
			at := func(x []float64) []float64 { return x[row*2 : row*2+2] }
			if got := poincare.Distance(at(before[k]), at(floats(p.Value)), p.Ball); math.Abs(got-rate) > 1e-5 {
				t.Errorf("c %g, row %d: a step of %g, want %g", p.Ball, row, got, rate)
			}
		}
	}
	if o.Steps() != 1 {
		t.Errorf("%d steps after one", o.Steps())
	}
}

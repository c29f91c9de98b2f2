package hyphc

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/chestlib/poincare"
	"github.com/chestlab/chest/internal/gradcheck"
)

// training returns a trainer of 12 leaves whose radius is well within its bounds.
func training(t testing.TB, d, batch int) *trainer {
	t.Helper()
	o, err := Options{Dim: d, Batch: batch, Seed: 3, Temperature: 0.3}.filled(testRows(12, 3))
	if err != nil {
		t.Fatal(err)
	}
	tr, err := newTrainer(context.Background(), testRows(12, 3), o)
	if err != nil {
		t.Fatal(err)
	}
	tr.scale.x = 0.7
	tr.ring = newRing(tr.radius())
	return tr
}

// slowLoss is the mean triplet loss of the trainer's next size triplets, by
// LCA and TripletLoss, one after the other.
func slowLoss(tr *trainer, size int) float64 {
	leaf := func(i int) []float64 {
		u := append([]float64(nil), tr.x[i*tr.d:(i+1)*tr.d]...)
		floats.Scale(tr.radius()/floats.Norm(u, 2), u)
		return u
	}
	var sum float64
	for k := range size {
		a, b, c := tr.deal.at(tr.dealt + uint64(k))
		x, y, z := leaf(a), leaf(b), leaf(c)
		loss, _ := TripletLoss([3]float64{LCA(x, y, 1), LCA(x, z, 1), LCA(y, z, 1)},
			[3]float64{tr.at(a, b), tr.at(a, c), tr.at(b, c)}, tr.temperature)
		sum += loss
	}
	return sum / float64(size)
}

// TestGradient: the fused loss is the slow one, and its gradients by points
// and scale are those of finite differences.
func TestGradient(t *testing.T) {
	for _, d := range []int{2, 5} {
		tr := training(t, d, 50)
		loss, byScale := tr.gradient(50)
		if got, want := loss/50, slowLoss(tr, 50); !closeTo(got, want, 1e-12) {
			t.Fatalf("d = %d: loss %.15g, want %.15g", d, got, want)
		}
		grad := append([]float64(nil), tr.g...)
		for i := range tr.n {
			tr.byPoint(i, grad[i*d:(i+1)*d])
		}
		f := func() float64 { return slowLoss(tr, 50) }
		if err := gradcheck.Directional(f, tr.x, grad, 1e-7, 1e-5, 5, newRand(31)); err != nil {
			t.Errorf("d = %d, points: %v", d, err)
		}
		scale := []float64{tr.scale.x}
		f = func() float64 { tr.scale.x = scale[0]; return slowLoss(tr, 50) }
		if err := gradcheck.Directional(f, scale, []float64{byScale}, 1e-6, 1e-6, 1, newRand(32)); err != nil {
			t.Errorf("d = %d, scale: %v", d, err)
		}
	}
}

// TestGradientAtLimits: opposite and equal leaves, a cold softmax, a clamped
// scale: finite, and 0 where it must be.
func TestGradientAtLimits(t *testing.T) {
	tr := training(t, 2, 100)
	for i := range tr.n {
		copy(tr.x[2*i:], []float64{0.1 * float64(1-2*(i%2)), 0})
		tr.direct(i)
	}
	for _, temperature := range []float64{1, 1e-9} {
		tr.temperature = temperature
		loss, byScale := tr.gradient(100)
		for _, g := range append(tr.g, loss, byScale) {
			if math.IsNaN(g) || math.IsInf(g, 0) {
				t.Fatalf("T = %g: loss %g, by scale %g, gradient %v", temperature, loss, byScale, tr.g)
			}
		}
		if got, want := loss/100, slowLoss(tr, 100); !closeTo(got, want, 1e-9) {
			t.Errorf("T = %g: loss %g, want %g", temperature, got, want)
		}
		clear(tr.g)
	}
	tr = training(t, 2, 100)
	tr.scale.x = 1.5
	tr.ring = newRing(tr.radius())
	if _, byScale := tr.gradient(100); byScale != 0 || tr.radius() != most {
		t.Errorf("scale beyond its bound: gradient %g at radius %g", byScale, tr.radius())
	}
}

// TestLeafTwin: Riemannian Adam of one leaf is its formulas by package
// poincare.
func TestLeafTwin(t *testing.T) {
	for _, d := range []int{2, 5} {
		rng := rand.New(rand.NewPCG(33, uint64(d)))
		x, mean, square := point(rng, d, 1, 0.5), make([]float64, d), 0.0
		l := leaf{append([]float64(nil), x...), make([]float64, d), new(float64)}
		for step := 1; step <= 50; step++ {
			g := point(rng, d, 1, math.Exp(rng.NormFloat64()))
			r := poincare.RiemannianGradient(nil, x, g, 1)
			lambda := poincare.Conformal(x, 1)
			square = beta2*square + (1-beta2)*lambda*lambda*floats.Dot(r, r)
			floats.Scale(beta1, mean)
			floats.AddScaled(mean, 1-beta1, r)
			v := append([]float64(nil), mean...)
			root := math.Sqrt(square / (1 - math.Pow(beta2, float64(step))))
			floats.Scale(-0.2/(1-math.Pow(beta1, float64(step)))/(root+eps), v)
			to := poincare.Project(nil, poincare.ExpMap(nil, x, v, 1), 1, 1e-5)
			mean = poincare.Transport(nil, x, to, mean, 1)
			x = to
			l.move(newStep(0.2, step), append([]float64(nil), g...), make([]float64, d))
			if apart(l.x, x) > 1e-9 || apart(l.m, mean) > 1e-9 || !closeTo(*l.v, square, 1e-9) {
				t.Fatalf("d = %d, step %d: %v, %v, %g, want %v, %v, %g", d, step, l.x, l.m, *l.v, x, mean, square)
			}
		}
		if n := floats.Norm(x, 2); n < 0.6 {
			t.Errorf("d = %d: the leaf stayed at %g, the test saw little of the ball", d, n)
		}
	}
}

func TestStepAllocatesNothing(t *testing.T) {
	tr := training(t, 2, 700)
	if a := testing.AllocsPerRun(50, func() { tr.step(700) }); a != 0 {
		t.Errorf("%g allocations a step", a)
	}
}

func BenchmarkStep(b *testing.B) {
	for _, n := range []int{100, 2000} {
		b.Run(map[int]string{100: "100 leaves, 256 triplets", 2000: "2000 leaves, 2000 triplets"}[n], func(b *testing.B) {
			w := testRows(n, 16)
			o, err := Options{}.filled(w)
			if err != nil {
				b.Fatal(err)
			}
			tr, err := newTrainer(context.Background(), w, o)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				tr.step(o.Batch)
			}
		})
	}
}

func BenchmarkCost(b *testing.B) {
	w := testRows(2000, 32)
	tree := randomTree(newRand(34), 2000, false)
	for _, k := range []struct {
		name string
		w    Similarities
	}{{"rows", w}, {"pairs", asked{w}}} {
		b.Run(k.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := tree.Cost(context.Background(), k.w); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

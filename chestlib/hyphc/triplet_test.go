package hyphc

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/chestlab/chest/internal/gradcheck"
)

func TestTripletLossLaws(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 0))
	for range 500 {
		var depth, w [3]float64
		for m := range depth {
			depth[m], w[m] = 10*rng.Float64(), rng.Float64()
		}
		temperature := math.Pow(10, 2*rng.Float64()-1)
		loss, grad := TripletLoss(depth, w, temperature)
		sum := w[0] + w[1] + w[2]
		least := sum - max(w[0], w[1], w[2])
		if loss < least-1e-12 || loss > sum-min(w[0], w[1], w[2])+1e-12 {
			t.Fatalf("loss %g is outside [%g, …] for w=%v", loss, least, w)
		}
		if g := grad[0] + grad[1] + grad[2]; math.Abs(g) > 1e-12/temperature {
			t.Fatalf("gradient %v does not sum to 0: a common depth has no effect", grad)
		}
		f := func() float64 { l, _ := TripletLoss(depth, w, temperature); return l }
		if err := gradcheck.Directional(f, depth[:], grad[:], 1e-5*temperature, 1e-6, 3, rng); err != nil && math.Hypot(grad[0], grad[1]) > 1e-4 {
			t.Fatalf("depth=%v w=%v T=%g: %v", depth, w, temperature, err)
		}
		// a cold softmax picks the deepest pair
		cold, _ := TripletLoss(depth, w, 1e-9)
		deepest := 0
		for m := range depth {
			if depth[m] > depth[deepest] {
				deepest = m
			}
		}
		if !closeTo(cold, sum-w[deepest], 1e-12) {
			t.Fatalf("T → 0: %g, want %g", cold, sum-w[deepest])
		}
	}
	if loss, grad := TripletLoss([3]float64{1, 1, 1}, [3]float64{0.5, 0.5, 0.5}, 0.1); !closeTo(loss, 1, 1e-15) || apart(grad[:], []float64{0, 0, 0}) > 1e-14 {
		t.Errorf("all equal: %g, %v", loss, grad)
	}
	if loss, _ := TripletLoss([3]float64{1e300, 0, 0}, [3]float64{1, 0, 0}, 1e-300); loss != 0 {
		t.Errorf("huge depth: %g, want 0", loss)
	}
}

func TestSimilarity(t *testing.T) {
	for _, k := range []struct {
		name string
		x, y []float64
		want float64
	}{
		{"equal", []float64{1, 2}, []float64{2, 4}, 1},
		{"opposite", []float64{1, 2}, []float64{-1, -2}, 0},
		{"orthogonal", []float64{1, 2}, []float64{-2, 1}, 0.5},
		{"zero", []float64{0, 0}, []float64{1, 1}, 0.5},
	} {
		if got := Similarity(k.x, k.y); !closeTo(got, k.want, 1e-15) {
			t.Errorf("%s: got %g, want %g", k.name, got, k.want)
		}
	}
}

func TestPanics(t *testing.T) {
	for _, k := range []struct {
		name string
		f    func()
	}{
		{"lengths", func() { LCA([]float64{1}, []float64{1, 2}, 1) }},
		{"curvature", func() { LCA([]float64{1}, []float64{1}, -1) }},
		{"temperature", func() { TripletLoss([3]float64{}, [3]float64{}, 0) }},
		{"similarity", func() { Similarity([]float64{1}, nil) }},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", k.name)
				}
			}()
			k.f()
		}()
	}
}

func ExampleLCA() {
	a, b := []float64{0.6, 0.2}, []float64{0.6, -0.2}
	cousin := []float64{-0.6, 0.2}
	fmt.Printf("siblings part at %.2f, cousins at %.2f\n", LCA(a, b, 1), LCA(a, cousin, 1))
	// Output: siblings part at 1.28, cousins at 0.29
}

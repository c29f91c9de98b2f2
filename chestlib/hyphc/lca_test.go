package hyphc

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/chestlab/chest/chestlib/poincare"
	"github.com/chestlab/chest/internal/gradcheck"
)

// point returns a point in a random direction with s‖x‖ = r.
func point(rng *rand.Rand, d int, c, r float64) []float64 {
	x, n := make([]float64, d), 0.0
	for i := range x {
		x[i] = rng.NormFloat64()
		n += x[i] * x[i]
	}
	for i := range x {
		x[i] *= r / math.Sqrt(n*max(c, 0.01))
	}
	return x
}

func closeTo(got, want, tol float64) bool { return math.Abs(got-want) <= tol*max(1, math.Abs(want)) }

// apart returns ‖got-want‖ / max(1, ‖want‖).
func apart(got, want []float64) float64 {
	var size float64
	for _, w := range want {
		size += w * w
	}
	return math.Sqrt(squaredDifference(got, want, 1)) / max(1, math.Sqrt(size))
}

// slowLCA is the definition: the least distance over the geodesic segment, by
// golden section, which a segment's one minimum allows.
func slowLCA(a, b []float64, c float64) float64 {
	f := func(t float64) float64 { return poincare.Distance0(poincare.Geodesic(nil, a, b, t, c), c) }
	ratio := (math.Sqrt(5) - 1) / 2
	lo, hi := 0.0, 1.0
	for range 80 {
		if p, q := hi-ratio*(hi-lo), lo+ratio*(hi-lo); f(p) < f(q) {
			hi = q
		} else {
			lo = p
		}
	}
	return min(f(0), f(1), f((lo+hi)/2))
}

func TestLCATwin(t *testing.T) {
	for _, c := range []float64{0, 1e-3, 0.1, 1, 10} {
		rng := rand.New(rand.NewPCG(1, math.Float64bits(c)))
		ends := 0
		for range 300 {
			a, b := point(rng, 3, c, rng.Float64()), point(rng, 3, c, rng.Float64())
			if newPair(a, b, c).foot() != between {
				ends++
			}
			// the twin's minimum is found to the root of rounding only where it is
			// a kink at the origin, hence 1e-7
			if got, want := LCA(a, b, c), slowLCA(a, b, c); !closeTo(got, want, 1e-7) {
				t.Fatalf("c=%g a=%v b=%v: got %.12g, want %.12g", c, a, b, got, want)
			}
		}
		if ends < 10 || ends > 290 {
			t.Errorf("c=%g: %d of 300 pairs end at a leaf, the test does not see both cases", c, ends)
		}
	}
}

func TestLCALaws(t *testing.T) {
	for _, c := range []float64{1e-3, 0.1, 1, 10} {
		rng := rand.New(rand.NewPCG(2, math.Float64bits(c)))
		s := math.Sqrt(c)
		for range 500 {
			a, b := point(rng, 4, c, rng.Float64()), point(rng, 4, c, 1-math.Pow(10, -6*rng.Float64()))
			ab := LCA(a, b, c)
			if ba := LCA(b, a, c); !closeTo(ab, ba, 1e-12) {
				t.Fatalf("c=%g: LCA(a,b) = %g, LCA(b,a) = %g", c, ab, ba)
			}
			if da, db := poincare.Distance0(a, c), poincare.Distance0(b, c); ab > min(da, db)*(1+1e-12) {
				t.Fatalf("c=%g: the ancestor at %g is deeper than its leaves at %g and %g", c, ab, da, db)
			}
			unitA, unitB := make([]float64, 4), make([]float64, 4)
			for i := range a {
				unitA[i], unitB[i] = s*a[i], s*b[i]
			}
			// scaling to curvature -1; 1-‖x‖² loses digits at the boundary
			if one := LCA(unitA, unitB, 1) / s; !closeTo(ab, one, 1e-8) {
				t.Fatalf("c=%g: LCA = %.12g, from the unit ball %.12g", c, ab, one)
			}
			// by the triangle inequality the Gromov product is below every point of the segment
			gromov := (poincare.Distance0(a, c) + poincare.Distance0(b, c) - poincare.Distance(a, b, c)) / 2
			if gromov > ab*(1+1e-7)+1e-7 {
				t.Fatalf("c=%g: Gromov product %g above LCA %g", c, gromov, ab)
			}
		}
	}
}

func TestLCALimits(t *testing.T) {
	a, far, opposite, zero := []float64{0.2, 0}, []float64{0.6, 0}, []float64{-0.5, 0}, []float64{0, 0}
	for _, k := range []struct {
		name   string
		a, b   []float64
		want   float64
		ga, gb []float64
	}{
		{"equal", a, a, math.Log(1.2 / 0.8), []float64{1 / 0.96, 0}, []float64{1 / 0.96, 0}},
		{"behind", a, far, math.Log(1.2 / 0.8), []float64{2 / 0.96, 0}, zero},
		{"before", far, a, math.Log(1.2 / 0.8), zero, []float64{2 / 0.96, 0}},
		{"opposite", a, opposite, 0, zero, zero},
		{"origin", zero, a, 0, zero, zero},
		{"origin twice", zero, zero, 0, zero, zero},
	} {
		ga, gb := []float64{0, 0}, []float64{0, 0}
		LCAGrad(ga, gb, k.a, k.b, 1, 1)
		if got := LCA(k.a, k.b, 1); !closeTo(got, k.want, 1e-14) || apart(ga, k.ga) > 1e-14 || apart(gb, k.gb) > 1e-14 {
			t.Errorf("%s: got %g, %v, %v, want %g, %v, %v", k.name, got, ga, gb, k.want, k.ga, k.gb)
		}
		LCAGrad(nil, nil, k.a, k.b, 1, 1)
	}
	// twice the height of the triangle (0,0), (3,0), (0,4)
	if got := LCA([]float64{3, 0}, []float64{0, 4}, 0); !closeTo(got, 2*12./5, 1e-14) {
		t.Errorf("flat: %g, want 4.8", got)
	}
	if got, want := LCA([]float64{3, 1}, []float64{0, 4}, 1e-14), LCA([]float64{3, 1}, []float64{0, 4}, 0); !closeTo(got, want, 1e-10) {
		t.Errorf("nearly flat: %g, want %g", got, want)
	}
}

func TestLCAGrad(t *testing.T) {
	for _, c := range []float64{0, 1e-3, 0.1, 1, 10} {
		rng := rand.New(rand.NewPCG(3, math.Float64bits(c)))
		for range 50 {
			const d = 4
			both := append(point(rng, d, c, 0.95*rng.Float64()), point(rng, d, c, 0.95*rng.Float64())...)
			grad := make([]float64, 2*d)
			LCAGrad(grad[:d], grad[d:], both[:d], both[d:], c, 1.5)
			f := func() float64 { return 1.5 * LCA(both[:d], both[d:], c) }
			if err := gradcheck.Directional(f, both, grad, 1e-6/math.Sqrt(max(c, 1)), 1e-5, 3, rng); err != nil {
				t.Errorf("c=%g, points %v: %v", c, both, err)
			}
		}
	}
}

// TestReference compares with testdata/reference.json, made by reference.py.
func TestReference(t *testing.T) {
	data, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		LCA []struct {
			C, LCA float64
			A, B   []float64
			Foot   string
			GradA  []float64 `json:"grad_a"`
			GradB  []float64 `json:"grad_b"`
		}
		Triplets []struct {
			Depth, W, Grad    [3]float64
			Temperature, Loss float64
		}
	}
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.LCA) == 0 || len(r.Triplets) == 0 {
		t.Fatal("reference.json is empty")
	}
	for _, k := range r.LCA {
		ga, gb := make([]float64, len(k.A)), make([]float64, len(k.A))
		LCAGrad(ga, gb, k.A, k.B, k.C, 1)
		if got := LCA(k.A, k.B, k.C); !closeTo(got, k.LCA, 1e-9) {
			t.Errorf("c=%g a=%v b=%v (%s): LCA %.15g, want %.15g", k.C, k.A, k.B, k.Foot, got, k.LCA)
		}
		if ea, eb := apart(ga, k.GradA), apart(gb, k.GradB); !(ea <= 1e-9 && eb <= 1e-9) {
			t.Errorf("c=%g a=%v b=%v (%s): gradients apart by %.2g and %.2g", k.C, k.A, k.B, k.Foot, ea, eb)
		}
	}
	for _, k := range r.Triplets {
		loss, grad := TripletLoss(k.Depth, k.W, k.Temperature)
		if !closeTo(loss, k.Loss, 1e-9) || apart(grad[:], k.Grad[:]) > 1e-9 {
			t.Errorf("depth=%v w=%v T=%g: got %g %v, want %g %v", k.Depth, k.W, k.Temperature, loss, grad, k.Loss, k.Grad)
		}
	}
}

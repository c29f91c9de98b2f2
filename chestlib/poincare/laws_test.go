package poincare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/floats"
)

var curvatures = []float64{1e-3, 0.1, 1, 10}

// point returns a point in a random direction whose s‖x‖ is uniform in [0, 1)
// or, for each other point, 1-10^-a with a uniform in [0, 6].
func point(rng *rand.Rand, d int, c float64) []float64 {
	r := rng.Float64()
	if rng.IntN(2) == 0 {
		r = 1 - math.Pow(10, -6*rng.Float64())
	}
	x := tangent(rng, d, 1)
	return scaled(x, r/math.Sqrt(c)/norm(x), x)
}

// tangent returns a normal vector of the given scale.
func tangent(rng *rand.Rand, d int, scale float64) []float64 {
	x := make([]float64, d)
	for i := range x {
		x[i] = scale * rng.NormFloat64()
	}
	return x
}

func negative(x []float64) []float64 { return scaled(make([]float64, len(x)), -1, x) }

func closeTo(got, want, tol float64) bool { return math.Abs(got-want) <= tol*max(1, math.Abs(want)) }

// TestLaws runs each law on 500 random triples per curvature. What a law's two
// sides lose is bounded by rounding times the conformal factors of its points,
// so the tolerance is 1e-13 of their largest; that is 5e-8 at 1-1e-6.
func TestLaws(t *testing.T) {
	laws := []struct {
		name string
		// got and want must agree
		sides func(x, y, z []float64, t, c float64) (got, want []float64)
	}{
		{"d(x,y) = d(y,x)", func(x, y, z []float64, t, c float64) (got, want []float64) {
			return []float64{Distance(x, y, c)}, []float64{Distance(y, x, c)}
		}},
		{"d(x,x) = 0", func(x, y, z []float64, t, c float64) (got, want []float64) {
			return []float64{Distance(x, x, c)}, []float64{0}
		}},
		{"d(0,x) = Distance0", func(x, y, z []float64, t, c float64) (got, want []float64) {
			return []float64{Distance0(x, c)}, []float64{Distance(make([]float64, len(x)), x, c)}
		}},
		{"d = arcosh form", func(x, y, z []float64, t, c float64) (got, want []float64) {
			arg := 1 + 2*c*squaredDistance(x, y)/(gap(x, c)*gap(y, c))
			return []float64{Distance(x, y, c)}, []float64{math.Acosh(arg) / math.Sqrt(c)}
		}},
		{"0⊕x = x", func(x, y, z []float64, t, c float64) (got, want []float64) {
			return MobiusAdd(nil, make([]float64, len(x)), x, c), x
		}},
		{"-x⊕x = 0", func(x, y, z []float64, t, c float64) (got, want []float64) {
			return MobiusAdd(nil, negative(x), x, c), make([]float64, len(x))
		}},
		{"-x⊕(x⊕y) = y", func(x, y, z []float64, t, c float64) (got, want []float64) {
			y = scaled(y, 0.5, y)
			return MobiusAdd(nil, negative(x), MobiusAdd(nil, x, y, c), c), y
		}},
		{"x⊕y as in the textbook", func(x, y, z []float64, t, c float64) (got, want []float64) {
			return MobiusAdd(nil, x, y, c), textbookAdd(x, y, c)
		}},
		{"x⊕y = gyr[x,y](y⊕x)", func(x, y, z []float64, t, c float64) (got, want []float64) {
			return MobiusAdd(nil, x, y, c), Gyration(nil, x, y, MobiusAdd(nil, y, x, c), c)
		}},
		{"gyr[x,y] gyr[y,x] = 1", func(x, y, z []float64, t, c float64) (got, want []float64) {
			return Gyration(nil, x, y, Gyration(nil, y, x, z, c), c), z
		}},
		{"s⊗(t⊗x) = st⊗x", func(x, y, z []float64, t, c float64) (got, want []float64) {
			return MobiusScale(nil, 0.7, MobiusScale(nil, t, x, c), c), MobiusScale(nil, 0.7*t, x, c)
		}},
		{"2⊗x = x⊕x", func(x, y, z []float64, t, c float64) (got, want []float64) {
			return MobiusScale(nil, 2, x, c), MobiusAdd(nil, x, x, c)
		}},
		{"log₀ exp₀ = 1", func(x, y, z []float64, t, c float64) (got, want []float64) {
			return ExpMap0(nil, LogMap0(nil, x, c), c), x
		}},
		{"exp₀ = exp at 0", func(x, y, z []float64, t, c float64) (got, want []float64) {
			return ExpMap(nil, make([]float64, len(x)), z, c), ExpMap0(nil, z, c)
		}},
		{"d(x, expₓ v) = λₓ‖v‖", func(x, y, z []float64, t, c float64) (got, want []float64) {
			z = scaled(z, 0.3*gap(x, c)/math.Sqrt(c), z)
			return []float64{Distance(x, ExpMap(nil, x, z, c), c)}, []float64{Conformal(x, c) * norm(z)}
		}},
		{"λₓ‖logₓ y‖ = d(x,y)", func(x, y, z []float64, t, c float64) (got, want []float64) {
			return []float64{Conformal(x, c) * norm(LogMap(nil, x, y, c))}, []float64{Distance(x, y, c)}
		}},
		{"expₓ logₓ y = y", func(x, y, z []float64, t, c float64) (got, want []float64) {
			return ExpMap(nil, x, LogMap(nil, x, y, c), c), y
		}},
		{"γ(0) = x", func(x, y, z []float64, t, c float64) (got, want []float64) {
			return Geodesic(nil, x, y, 0, c), x
		}},
		{"γ(1) = y", func(x, y, z []float64, t, c float64) (got, want []float64) {
			return Geodesic(nil, x, y, 1, c), y
		}},
		{"d(x,γ(t)) = t d(x,y)", func(x, y, z []float64, t, c float64) (got, want []float64) {
			return []float64{Distance(x, Geodesic(nil, x, y, t, c), c)}, []float64{t * Distance(x, y, c)}
		}},
		{"γ(t) = exp(t log)", func(x, y, z []float64, t, c float64) (got, want []float64) {
			v := LogMap(nil, x, y, c)
			return Geodesic(nil, x, y, t, c), ExpMap(nil, x, scaled(v, t, v), c)
		}},
		{"transport keeps λ‖v‖", func(x, y, z []float64, t, c float64) (got, want []float64) {
			return []float64{Conformal(y, c) / Conformal(x, c) * norm(Transport(nil, x, y, z, c))}, []float64{norm(z)}
		}},
		{"midpoint of two = γ(½)", func(x, y, z []float64, t, c float64) (got, want []float64) {
			return Midpoint(append(append([]float64(nil), x...), y...), len(x), c), Geodesic(nil, x, y, 0.5, c)
		}},
	}
	for _, law := range laws {
		for _, c := range curvatures {
			t.Run(fmt.Sprintf("%s/c=%g", law.name, c), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(1, math.Float64bits(c)))
				for range 500 {
					x, y, z, s := point(rng, 4, c), point(rng, 4, c), tangent(rng, 4, 1), rng.Float64()
					tol := 1e-13 * max(Conformal(x, c), Conformal(y, c))
					got, want := law.sides(x, y, z, s, c)
					if e := apart(got, want); !(e <= tol) {
						t.Fatalf("x=%v y=%v z=%v t=%g: got %v, want %v, apart by %.2g, allowed %.2g", x, y, z, s, got, want, e, tol)
					}
				}
			})
		}
	}
}

// textbookAdd is the slow twin of MobiusAdd.
func textbookAdd(x, y []float64, c float64) []float64 {
	xx, yy, xy := floats.Dot(x, x), floats.Dot(y, y), floats.Dot(x, y)
	sum := make([]float64, len(x))
	for i := range x {
		sum[i] = ((1+2*c*xy+c*yy)*x[i] + (1-c*xx)*y[i]) / (1 + 2*c*xy + c*c*xx*yy)
	}
	return sum
}

func TestTriangleInequality(t *testing.T) {
	for _, c := range curvatures {
		rng := rand.New(rand.NewPCG(2, math.Float64bits(c)))
		for range 1000 {
			x, y, z := point(rng, 3, c), point(rng, 3, c), point(rng, 3, c)
			if xy, xz, zy := Distance(x, y, c), Distance(x, z, c), Distance(z, y, c); xy > (xz+zy)*(1+1e-9) {
				t.Fatalf("c=%g: d(x,y) = %g > %g + %g", c, xy, xz, zy)
			}
		}
	}
}

// TestTranslationIsIsometry: d(z⊕x, z⊕y) = d(x,y), away from the boundary where
// the translated points keep enough digits.
func TestTranslationIsIsometry(t *testing.T) {
	for _, c := range curvatures {
		rng := rand.New(rand.NewPCG(3, math.Float64bits(c)))
		for range 500 {
			u := func() []float64 { return ExpMap0(nil, tangent(rng, 3, 0.8/math.Sqrt(c)), c) }
			x, y, z := u(), u(), u()
			got, want := Distance(MobiusAdd(nil, z, x, c), MobiusAdd(nil, z, y, c), c), Distance(x, y, c)
			if !closeTo(got, want, 1e-9) {
				t.Fatalf("c=%g: %g, want %g", c, got, want)
			}
		}
	}
}

// TestFlatLimit: c = 0 is ℝᵈ with doubled lengths, and c = 1e-14 is near it.
func TestFlatLimit(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 0))
	x, y, v := tangent(rng, 5, 1), tangent(rng, 5, 1), tangent(rng, 5, 1)
	zero := make([]float64, 5)
	sum, diff, third := make([]float64, 5), make([]float64, 5), make([]float64, 5)
	floats.AddTo(sum, x, v)
	floats.SubTo(diff, y, x)
	for i := range third {
		third[i] = 0.7*x[i] + 0.3*y[i]
	}
	for _, c := range []float64{0, 1e-14} {
		for _, k := range []struct {
			name      string
			got, want []float64
		}{
			{"MobiusAdd", MobiusAdd(nil, x, v, c), sum},
			{"MobiusScale", MobiusScale(nil, 0.3, x, c), scaled(make([]float64, 5), 0.3, x)},
			{"Distance", []float64{Distance(x, y, c)}, []float64{2 * norm(diff)}},
			{"Distances", Distances(nil, x, y, 5, c), []float64{2 * norm(diff)}},
			{"Distance0", []float64{Distance0(x, c)}, []float64{2 * norm(x)}},
			{"ExpMap0", ExpMap0(nil, v, c), v},
			{"LogMap0", LogMap0(nil, v, c), v},
			{"ExpMap", ExpMap(nil, x, v, c), sum},
			{"LogMap", LogMap(nil, x, y, c), diff},
			{"Geodesic", Geodesic(nil, x, y, 0.3, c), third},
			{"Gyration", Gyration(nil, x, y, v, c), v},
			{"Transport", Transport(nil, x, y, v, c), v},
			{"Conformal", []float64{Conformal(x, c)}, []float64{2}},
			{"Project", Project(nil, x, c, 1e-5), x},
			{"Midpoint", Midpoint(append(append([]float64(nil), x...), zero...), 5, c), scaled(make([]float64, 5), 0.5, x)},
			{"FrechetMean", FrechetMean(append(append([]float64(nil), x...), zero...), 5, c), scaled(make([]float64, 5), 0.5, x)},
		} {
			if e := apart(k.got, k.want); !(e < 1e-12) {
				t.Errorf("%s, c=%g: got %v, want %v", k.name, c, k.got, k.want)
			}
		}
	}
}

// TestFrechetMeanIsStationary: the logarithms at the mean sum to zero.
func TestFrechetMeanIsStationary(t *testing.T) {
	for _, c := range curvatures {
		rng := rand.New(rand.NewPCG(5, math.Float64bits(c)))
		for n := 1; n < 12; n++ {
			var x []float64
			for range n {
				x = append(x, point(rng, 3, c)...)
			}
			m := FrechetMean(x, 3, c)
			step, _, sum := pullMean(m, x, n, c)
			rounding := 1e-15 * norm(m) * Conformal(m, c) // of the mean's own coordinates
			if g := norm(step) * Conformal(m, c); !(g <= 1e-12*math.Sqrt(sum)+rounding) {
				t.Errorf("c=%g n=%d: gradient %g at the mean %v, mean squared distance %g", c, n, g, m, sum)
			}
		}
	}
}

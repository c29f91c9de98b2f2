package viz

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"
)

// distance is that of the disk.
func distance(a, b complex128) float64 {
	d := a - b
	room := (1 - real(a*cmplx.Conj(a))) * (1 - real(b*cmplx.Conj(b)))
	return 2 * math.Asinh(cmplx.Abs(d)/math.Sqrt(room))
}

// somewhere is a random point of the disk, up to 12 from the centre.
func somewhere(rng *rand.Rand) complex128 {
	return reach(cmplx.Rect(12*math.Pow(rng.Float64(), 2), 2*math.Pi*rng.Float64()))
}

func TestTowards(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 1000 {
		a, x, y := somewhere(rng), somewhere(rng), somewhere(rng)
		if towards(a, a) != 0 {
			t.Fatalf("a = %v comes to %v", a, towards(a, a))
		}
		if d, moved := distance(x, y), distance(towards(a, x), towards(a, y)); math.Abs(d-moved) > 1e-3*(1+d) && cmplx.Abs(a) < 0.999 {
			t.Fatalf("a = %v: the distance of %v and %v became %g, was %g", a, x, y, moved, d)
		}
		if back := towards(-a, towards(a, x)); cmplx.Abs(back-x) > 1e-6 {
			t.Fatalf("a = %v: %v came back as %v", a, x, back)
		}
	}
}

func TestTangent(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	for range 1000 {
		z := somewhere(rng)
		if v := tangent(z); math.Abs(cmplx.Abs(v)-distance(0, z)) > 1e-9*(1+cmplx.Abs(v)) || cmplx.Abs(reach(v)-z) > 1e-12 {
			t.Fatalf("%v: vector %v, back %v", z, v, reach(v))
		}
	}
	for _, z := range []complex128{0, 1, -1i, 1.0000005} {
		if v := tangent(z); cmplx.IsNaN(v) || cmplx.IsInf(v) || cmplx.Abs(v) > 22 {
			t.Errorf("%v: vector %v", z, v)
		}
	}
}

func TestFrechetMean(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	sum := func(m complex128, all []complex128) (s float64) {
		for _, z := range all {
			s += math.Pow(distance(m, z), 2)
		}
		return s
	}
	for range 20 {
		all := make([]complex128, 1+rng.IntN(20))
		for i := range all {
			all[i] = somewhere(rng)
		}
		m := frechetMean(all)
		for k := range 8 {
			other := towards(-m, cmplx.Rect(1e-3, math.Pi*float64(k)/4))
			if a, b := sum(m, all), sum(other, all); a > b {
				t.Fatalf("%d points: the sum is %g at the mean %v and %g at %v", len(all), a, m, b, other)
			}
		}
	}
	if m := frechetMean(nil); m != 0 {
		t.Errorf("the mean of nothing is %v", m)
	}
	if m := frechetMean([]complex128{1, 1i, -1, -1i}); cmplx.Abs(m) > 1e-9 {
		t.Errorf("the mean of a cross on the boundary is %v", m)
	}
}

// TestArc follows geodesics: all points are between the ends, and no chord
// leaves the true line by more than is allowed.
func TestArc(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 1))
	for range 500 {
		a, b := somewhere(rng), somewhere(rng)
		points := arc(a, b)
		if points[0] != a && cmplx.Abs(points[0]-a) > 1e-9 || points[len(points)-1] != b || len(points) > 65 {
			t.Fatalf("from %v to %v: %d points, ends %v and %v", a, b, len(points), points[0], points[len(points)-1])
		}
		for k := 1; k < len(points); k++ {
			mid := (points[k-1] + points[k]) / 2
			if s := offLine(mid, a, b); s > 5.2e-4 && len(points) < 65 {
				t.Fatalf("from %v to %v: chord %d of %d is %g off", a, b, k, len(points)-1, s)
			}
		}
	}
	for _, ends := range [][2]complex128{{0, 0}, {0, 0.5}, {-0.5i, 0.7i}, {0.3, 0.3}, {1, -1}, {0.2 + 0.1i, 0.4 + 0.2i}} {
		if p := arc(ends[0], ends[1]); len(p) != 2 || p[0] != ends[0] || p[1] != ends[1] {
			t.Errorf("%v on a diameter: %v", ends, p)
		}
	}
	if n := len(arc(0.9, 0.9i)); n < 8 {
		t.Errorf("a quarter turn has %d points", n)
	}
}

// offLine is the Euclidean distance of p to the geodesic through a and b, for p
// near it: the hyperbolic distance, by the metric at p.
func offLine(p, a, b complex128) float64 {
	q := towards(a, p) / towards(a, b)
	q *= complex(cmplx.Abs(towards(a, b)), 0) // the line is the real axis
	d := math.Asinh(2 * math.Abs(imag(q)) / (1 - real(q*cmplx.Conj(q))))
	return d * (1 - real(p*cmplx.Conj(p))) / 2
}

// TestAncestor compares with a walk along the geodesic.
func TestAncestor(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	check := func(a, b complex128) {
		t.Helper()
		v, least := tangent(towards(a, b)), math.Inf(1)
		for k := range 4001 {
			least = min(least, cmplx.Abs(towards(-a, reach(v*complex(float64(k)/4000, 0)))))
		}
		got := ancestor(a, b)
		if r := cmplx.Abs(got); cmplx.IsNaN(got) || r > least+1e-9 || least-r > 1e-4 {
			t.Fatalf("the ancestor of %v and %v is %v at radius %.9g, nearest on the way %.9g", a, b, got, r, least)
		}
		if back := ancestor(b, a); cmplx.Abs(back-got) > 1e-6 {
			t.Fatalf("the ancestor of %v and %v is %v one way, %v the other", a, b, got, back)
		}
	}
	for range 300 {
		check(inside(somewhere(rng)*0.99), inside(somewhere(rng)*0.99))
	}
	for _, p := range [][2]complex128{{0.5, 0.5}, {0, 0.5}, {0, 0}, {0.5, -0.5}, {0.3, 0.6}, {0.9i, 0.9}} {
		check(p[0], p[1])
	}
}

func TestFine(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 1))
	for range 1000 {
		z := somewhere(rng)
		q := fine(z)
		if room := 1 - cmplx.Abs(z); cmplx.Abs(z-complex(q[0], q[1])) > 2e-4*room+1e-9 && room > 1e-6 {
			t.Fatalf("%v is written %v, room %g", z, q, room)
		}
	}
	if q := fine(complex(0.123456789, math.Copysign(0, -1))); q != [2]float64{0.1235, 0} && q != [2]float64{0.12346, 0} || math.Signbit(q[1]) {
		t.Errorf("got %v", q)
	}
}

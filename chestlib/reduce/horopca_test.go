package reduce

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/chestlib/poincare"
	"github.com/chestlab/chest/internal/gradcheck"
)

// horoOf is a horo of random points, and two ideal points.
func horoOf(rng *rand.Rand, n, d int, c float64) (h *horo, x, p, q []float64) {
	x = moved(rng, cloudOf(rng, n, d, c), d, d, somewhere(rng, d, c), c)
	pairs := newPairs(n, mostPairs, 0)
	f := orthonormal(rng, 2, d)
	p, q = f[0], f[1]
	a := 0.5 + 2*rng.Float64()
	for k := range q {
		q[k] = math.Cos(a)*p[k] + math.Sin(a)*q[k]
	}
	return newHoro(x, d, c, pairs), x, p, q
}

// busemann is that of the ideal point p, from the centre.
func busemann(p, x []float64) float64 {
	return 2*math.Log(floats.Distance(p, x, 2)) - math.Log(1-floats.Dot(x, x))
}

// TestHoroProjection: the projection keeps both Busemann functions and lets no
// distance grow.
func TestHoroProjection(t *testing.T) {
	const n, d = 40, 6
	for _, c := range []float64{0.1, 1, 4} {
		rng := rand.New(rand.NewPCG(1, math.Float64bits(c)))
		h, x, p, q := horoOf(rng, n, d, c)
		xy := h.disk(p, q)
		m := poincare.FrechetMean(x, d, c)
		floats.Scale(-1, m)
		a := math.Acos(floats.Dot(p, q))
		for i := range n {
			moved := poincare.MobiusAdd(nil, m, x[i*d:(i+1)*d], c)
			floats.Scale(math.Sqrt(c), moved)
			for k, ideal := range [][]float64{p, q} {
				// p is at the right; q at their angle, up or down
				want := busemann(ideal, moved)
				up := busemann([]float64{math.Cos(a * float64(k)), math.Sin(a * float64(k))}, xy[2*i:2*i+2])
				down := busemann([]float64{math.Cos(a * float64(k)), -math.Sin(a * float64(k))}, xy[2*i:2*i+2])
				if math.Abs(down-want) > 1e-9 && math.Abs(up-want) > 1e-9 {
					t.Fatalf("c = %g, point %d, ideal point %d: Busemann function %.12g or %.12g, want %.12g", c, i, k, up, down, want)
				}
			}
			for j := range i {
				was := math.Sqrt(c) * poincare.Distance(x[i*d:(i+1)*d], x[j*d:(j+1)*d], c)
				if is := poincare.Distance(xy[2*i:2*i+2], xy[2*j:2*j+2], 1); is > was+1e-9 {
					t.Fatalf("c = %g: points %d and %d: distance %g grew to %g", c, j, i, was, is)
				}
			}
		}
	}
}

// TestHoroVariance: the objective is the variance in the picture, its gradients
// are those of finite differences.
func TestHoroVariance(t *testing.T) {
	const n, d = 25, 5
	for _, c := range []float64{0.1, 2} {
		rng := rand.New(rand.NewPCG(2, math.Float64bits(c)))
		h, _, p, q := horoOf(rng, n, d, c)
		xy := h.disk(p, q)
		want := 0.0
		for i := range n {
			for j := range n {
				l := poincare.Distance(xy[2*i:2*i+2], xy[2*j:2*j+2], 1)
				want += l * l / 2 / (n * (n - 1))
			}
		}
		gp, gq := make([]float64, d), make([]float64, d)
		if got := h.planeVariance(gp, gq, p, q); math.Abs(got-want) > 1e-9*want {
			t.Errorf("c = %g: variance %.12g, want %.12g", c, got, want)
		}
		// As functions of free vectors: both are smooth around the sphere.
		plane := func() float64 { return h.planeVariance(nil, nil, p, q) }
		if err := gradcheck.Directional(plane, p, gp, 1e-6, 1e-5, 10, rng); err != nil {
			t.Errorf("c = %g, by p: %v", c, err)
		}
		if err := gradcheck.Directional(plane, q, gq, 1e-6, 1e-5, 10, rng); err != nil {
			t.Errorf("c = %g, by q: %v", c, err)
		}
		line := func() float64 { return h.lineVariance(nil, p) }
		got := h.lineVariance(gp, p)
		if err := gradcheck.Directional(line, p, gp, 1e-6, 1e-5, 10, rng); err != nil {
			t.Errorf("c = %g, line: %v", c, err)
		}
		slow, mean := 0.0, 0.0
		for i := range n {
			mean += math.Log(h.time[i]-floats.Dot(h.space[i*d:(i+1)*d], p)) / n
		}
		for i := range n {
			e := math.Log(h.time[i]-floats.Dot(h.space[i*d:(i+1)*d], p)) - mean
			slow += e * e / n
		}
		if math.Abs(got-slow) > 1e-9*slow {
			t.Errorf("c = %g: line variance %.12g, want %.12g", c, got, slow)
		}
	}
}

// TestHoroPCA: no other ideal point in reach has a larger variance, the plane
// holds the share that the quality says, and stress is that of the picture.
func TestHoroPCA(t *testing.T) {
	const d, c = 16, 0.1
	x, label := treeSet(3, 3, 3, 12, d, c)
	xy, q, err := HoroPCA(ctx, x, d, c, HoroPCAOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if want := slowStress(xy, x, d, c); math.Abs(q.Stress-want) > 1e-6 {
		t.Errorf("stress %g, want %g", q.Stress, want)
	}
	p := newPairs(len(label), mostPairs, 0)
	p.measure(wide(x), d, c)
	kept := newPairs(len(label), mostPairs, 0)
	kept.measure(xy, 2, 1)
	if want := floats.Dot(kept.far, kept.far) / floats.Dot(p.far, p.far); math.Abs(q.Explained-want) > 1e-6 || !(want > 0.2) {
		t.Errorf("explained %g, want %g", q.Explained, want)
	}
	h := newHoro(wide(x), d, c, p)
	first, second, f, err := h.ideals(newReport(ctx, nil, "HoroPCA", 3000), 1000)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(5, 5))
	line := h.lineVariance(nil, first)
	for range 50 {
		v := orthonormal(rng, 1, d)[0]
		a, b := make([]float64, d), make([]float64, d)
		for k := range v {
			a[k], b[k] = first[k]+0.02*v[k], second[k]+0.02*v[k]
		}
		floats.Scale(1/math.Sqrt(dot(a, a)), a)
		floats.Scale(1/math.Sqrt(dot(b, b)), b)
		if l := h.lineVariance(nil, a); l > line*(1+1e-6) {
			t.Errorf("a neighbour of the first ideal point has variance %g above %g", l, line)
		}
		if l := h.planeVariance(nil, nil, first, b); l > f*(1+1e-6) {
			t.Errorf("a neighbour of the second ideal point has variance %g above %g", l, f)
		}
	}
}

func BenchmarkHoroPCA(b *testing.B) {
	x, _ := treeSet(1, 10, 10, 60, 128, 0.1)
	for b.Loop() {
		if _, _, err := HoroPCA(ctx, x, 128, 0.1, HoroPCAOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

package reduce

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/chestlab/chest/chestlib/poincare"
	"github.com/chestlab/chest/internal/gradcheck"
)

// slowStress is the stress of a picture, over all pairs one after the other.
func slowStress(xy []float64, x []float32, d int, c float64) float64 {
	var off, whole float64
	w := wide(x)
	for i := range len(x) / d {
		for j := range i {
			far := math.Sqrt(c) * poincare.Distance(w[i*d:(i+1)*d], w[j*d:(j+1)*d], c)
			e := poincare.Distance(xy[2*i:2*i+2], xy[2*j:2*j+2], 1) - far
			off, whole = off+e*e, whole+far*far
		}
	}
	return math.Sqrt(off / whole)
}

// TestHMDSStress: on trees the stress is no worse than that of tangent PCA, and
// the descent takes it farther down. The quality says the stress that there is.
func TestHMDSStress(t *testing.T) {
	for _, k := range []struct {
		supers, classes, per, d int
		c                       float64
	}{{4, 5, 10, 16, 0.1}, {3, 3, 40, 32, 1}, {10, 10, 5, 128, 0.1}, {2, 2, 3, 3, 5}} {
		x, _ := treeSet(3, k.supers, k.classes, k.per, k.d, k.c)
		_, tangent, err := TangentPCA(x, k.d, k.c)
		if err != nil {
			t.Fatal(err)
		}
		xy, q, err := HMDS(ctx, x, k.d, k.c, HMDSOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if !(q.Stress <= tangent.Stress) || q.Stress == 0 {
			t.Errorf("%+v: stress %g, of tangent PCA %g", k, q.Stress, tangent.Stress)
		}
		if want := slowStress(xy, x, k.d, k.c); math.Abs(q.Stress-want) > 1e-6 {
			t.Errorf("%+v: stress %g, want %g", k, q.Stress, want)
		}
		down, p, err := HMDS(ctx, x, k.d, k.c, HMDSOptions{Steps: 30})
		if err != nil || !(p.Stress < 0.95*q.Stress) {
			t.Errorf("%+v: stress %g after the descent, %g before (%v)", k, p.Stress, q.Stress, err)
		}
		for _, y := range [][]float64{xy, down} {
			if m := poincare.FrechetMean(y, 2, 1); math.Hypot(m[0], m[1]) > 1e-9 {
				t.Errorf("%+v: mean at %v, want the centre", k, m)
			}
		}
	}
}

// TestHMDSPromise: also where the strain's picture is worse than tangent PCA,
// the default is not.
func TestHMDSPromise(t *testing.T) {
	worse := 0
	for seed := range uint64(100) {
		rng := rand.New(rand.NewPCG(seed, 3))
		n, d := 3+rng.IntN(20), 3+rng.IntN(3)
		x := narrow(cloudOf(rng, n, d, 1))
		_, tangent, err := TangentPCA(x, d, 1)
		if err != nil {
			t.Fatal(err)
		}
		_, plain, err := HMDS(ctx, x, d, 1, HMDSOptions{Steps: -1})
		if err != nil {
			t.Fatal(err)
		}
		if plain.Stress > 1.01*tangent.Stress {
			worse++
		}
		_, q, err := HMDS(ctx, x, d, 1, HMDSOptions{})
		if err != nil || q.Stress > tangent.Stress {
			t.Errorf("seed %d: stress %g, of tangent PCA %g, of the strain's picture %g (%v)", seed, q.Stress, tangent.Stress, plain.Stress, err)
		}
	}
	if worse == 0 {
		t.Error("no picture of least strain was worse than tangent PCA: nothing was tried")
	}
}

// TestHMDSAboveTheSample: of more points than all pairs are compared of, the
// stress is that of all pairs to a percent, and the promise holds.
func TestHMDSAboveTheSample(t *testing.T) {
	x, _ := treeSet(4, 5, 5, 36, 8, 1)
	_, tangent, err := TangentPCA(x, 8, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, steps := range []int{0, 5} {
		xy, q, err := HMDS(ctx, x, 8, 1, HMDSOptions{Steps: steps})
		if err != nil || !(q.Stress <= tangent.Stress) {
			t.Errorf("%d steps: stress %g, of tangent PCA %g (%v)", steps, q.Stress, tangent.Stress, err)
		}
		if want := slowStress(xy, x, 8, 1); math.Abs(q.Stress-want) > 0.01*want {
			t.Errorf("%d steps: stress %g on the sample, %g on all pairs", steps, q.Stress, want)
		}
	}
}

// TestHMDSPlane: points of a geodesic plane keep all their distances.
func TestHMDSPlane(t *testing.T) {
	const n, d = 30, 10
	for _, c := range []float64{0.1, 1} {
		rng := rand.New(rand.NewPCG(1, math.Float64bits(c)))
		x := moved(rng, cloudOf(rng, n, 2, c), 2, d, somewhere(rng, d, c), c)
		y, err := strain(x, d, c)
		if err != nil {
			t.Fatal(err)
		}
		p := newPairs(n, mostPairs, 0)
		p.measure(x, d, c)
		if _, stress, _ := p.compare(y, hyperbolicLengths); stress > 1e-6 {
			t.Errorf("c = %g: stress %g, want 0", c, stress)
		}
	}
}

// TestStrainAgainstAllPairs: the picture from the small matrix is that from the
// eigenvectors of the n×n matrix of cosh.
func TestStrainAgainstAllPairs(t *testing.T) {
	const n, d, c = 25, 4, 0.5
	rng := rand.New(rand.NewPCG(9, 9))
	x := moved(rng, cloudOf(rng, n, d, c), d, d, somewhere(rng, d, c), c)
	a := mat.NewSymDense(n, nil)
	for i := range n {
		for j := range n {
			a.SetSym(i, j, math.Cosh(math.Sqrt(c)*poincare.Distance(x[i*d:(i+1)*d], x[j*d:(j+1)*d], c)))
		}
	}
	var eig mat.EigenSym
	if !eig.Factorize(a, true) {
		t.Fatal("no eigenvectors")
	}
	values := eig.Values(nil)
	var v mat.Dense
	eig.VectorsTo(&v)
	want := make([]float64, 2*n)
	time := mat.Col(nil, n-1, &v)
	for axis := range 2 {
		for i := range n {
			want[2*i+axis] = math.Sqrt(-values[axis]) * v.At(i, axis)
		}
	}
	intoRadii(want, time, math.Copysign(math.Sqrt(values[n-1]), time[0]))
	got, err := strain(x, d, c)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		for j := range i {
			a := poincare.Distance(got[2*i:2*i+2], got[2*j:2*j+2], 1)
			b := poincare.Distance(want[2*i:2*i+2], want[2*j:2*j+2], 1)
			if math.Abs(a-b) > 1e-8*(1+b) {
				t.Fatalf("points %d and %d: distance %.12g, want %.12g", i, j, a, b)
			}
		}
	}
}

// TestSpringGradient: the gradient that a Newton step is made of is that of the
// energy.
func TestSpringGradient(t *testing.T) {
	const n = 9
	rng := rand.New(rand.NewPCG(6, 1))
	y := cloudOf(rng, n, 2, 1)
	p := newPairs(n, mostPairs, 0)
	for range p.a {
		p.far = append(p.far, 3*rng.Float64())
	}
	s := newSpring(p, y)
	g := make([]float64, 2*n)
	for i := range n {
		_, h := s.point(y, i)
		stretch := 2 / (1 - dot(y[2*i:2*i+2], y[2*i:2*i+2])) // of coordinates in the frame
		g[2*i], g[2*i+1] = stretch*h.gx, stretch*h.gy
	}
	move := make([]float64, 2*n)
	energy := func() float64 { return s.look(y, move) }
	if err := gradcheck.Directional(energy, y, g, 1e-6, 1e-6, 20, rng); err != nil {
		t.Error(err)
	}
}

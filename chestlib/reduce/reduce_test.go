package reduce

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/poincare"
)

// cloudOf gives n points of the ball of curvature -c, around the origin, with
// different spreads along the axes.
func cloudOf(rng *rand.Rand, n, d int, c float64) []float64 {
	x := make([]float64, n*d)
	for i := range n {
		u := x[i*d : (i+1)*d]
		for k := range u {
			u[k] = rng.NormFloat64() / float64(k+1) / math.Sqrt(c)
		}
		poincare.ExpMap0(u, u, c)
	}
	return x
}

// moved turns every point by a random frame into dimension e, then translates
// it by p.
func moved(rng *rand.Rand, x []float64, d, e int, p []float64, c float64) []float64 {
	frame := orthonormal(rng, d, e)
	y := make([]float64, len(x)/d*e)
	for i := range len(x) / d {
		row := y[i*e : (i+1)*e]
		for k, v := range x[i*d : (i+1)*d] {
			for j := range row {
				row[j] += v * frame[k][j]
			}
		}
		copy(row, poincare.MobiusAdd(nil, p, row, c))
	}
	return y
}

// orthonormal returns d orthonormal vectors of dimension e.
func orthonormal(rng *rand.Rand, d, e int) [][]float64 {
	frame := make([][]float64, d)
	for k := range frame {
		v := make([]float64, e)
		for j := range v {
			v[j] = rng.NormFloat64()
		}
		for range 2 {
			for _, w := range frame[:k] {
				p := dot(v, w)
				for j := range v {
					v[j] -= p * w[j]
				}
			}
		}
		s := math.Sqrt(dot(v, v))
		for j := range v {
			v[j] /= s
		}
		frame[k] = v
	}
	return frame
}

func dot(x, y []float64) (s float64) {
	for k := range x {
		s += x[k] * y[k]
	}
	return s
}

// somewhere is a point at hyperbolic radius 2/√c.
func somewhere(rng *rand.Rand, d int, c float64) []float64 {
	v := orthonormal(rng, 1, d)[0]
	for k := range v {
		v[k] /= math.Sqrt(c)
	}
	return poincare.ExpMap0(v, v, c)
}

func narrow(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}

// TestPlaneIsKept: points of a geodesic plane anywhere in a ball of ten
// dimensions keep all their distances, up to the factor √c of the unit disk.
// With float32 coordinates they lie on a plane to 1e-7 only.
func TestPlaneIsKept(t *testing.T) {
	const n, d = 30, 10
	for _, c := range []float64{0.1, 1, 5} {
		rng := rand.New(rand.NewPCG(1, math.Float64bits(c)))
		x := moved(rng, cloudOf(rng, n, 2, c), 2, d, somewhere(rng, d, c), c)
		exact, q, err := tangentPCA(x, d, c)
		if err != nil {
			t.Fatal(err)
		}
		rounded, _, err := TangentPCA(narrow(x), d, c)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(q.Explained-1) > 1e-12 {
			t.Errorf("c = %g: explained %.15g, want 1", c, q.Explained)
		}
		for i := range n {
			for j := range i {
				want := math.Sqrt(c) * poincare.Distance(x[i*d:(i+1)*d], x[j*d:(j+1)*d], c)
				got := poincare.Distance(exact[2*i:2*i+2], exact[2*j:2*j+2], 1)
				if math.Abs(got-want) > 1e-10*(1+want) {
					t.Fatalf("c = %g: points %d and %d: distance %.12g, want %.12g", c, i, j, got, want)
				}
				got = poincare.Distance(rounded[2*i:2*i+2], rounded[2*j:2*j+2], 1)
				if math.Abs(got-want) > 1e-4*(1+want) {
					t.Fatalf("c = %g, float32: points %d and %d: distance %.8g, want %.8g", c, i, j, got, want)
				}
			}
		}
	}
}

// TestCentre: the Fréchet mean is at the centre, no point goes farther from it
// than it was, and Explained is the kept share of the squared distances.
func TestCentre(t *testing.T) {
	const n, d = 60, 6
	for _, c := range []float64{0.1, 1} {
		rng := rand.New(rand.NewPCG(2, math.Float64bits(c)))
		x := moved(rng, cloudOf(rng, n, d, c), d, d, somewhere(rng, d, c), c)
		xy, q, err := tangentPCA(x, d, c)
		if err != nil {
			t.Fatal(err)
		}
		m := poincare.FrechetMean(x, d, c)
		var kept, whole, sumX, sumY float64
		for i := range n {
			y := xy[2*i : 2*i+2]
			was, is := math.Sqrt(c)*poincare.Distance(m, x[i*d:(i+1)*d], c), poincare.Distance0(y, 1)
			if is > was+1e-12 {
				t.Errorf("c = %g: point %d went from %g to %g", c, i, was, is)
			}
			kept, whole = kept+is*is, whole+was*was
			v := poincare.LogMap0(nil, y, 1)
			sumX, sumY = sumX+v[0], sumY+v[1]
		}
		if math.Abs(kept/whole-q.Explained) > 1e-10 || !(0.5 < q.Explained && q.Explained < 0.99) {
			t.Errorf("c = %g: explained %g, want %g", c, q.Explained, kept/whole)
		}
		if math.Hypot(sumX, sumY) > 1e-8*n {
			t.Errorf("c = %g: the tangent vectors add up to (%g, %g), want 0", c, sumX, sumY)
		}
	}
}

// TestIsometriesDoNotMatter: turned and translated points give the same
// picture up to the signs of the axes.
func TestIsometriesDoNotMatter(t *testing.T) {
	const n, d, c = 40, 5, 0.5
	rng := rand.New(rand.NewPCG(3, 3))
	x := cloudOf(rng, n, d, c)
	a, _, err := tangentPCA(x, d, c)
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := tangentPCA(moved(rng, x, d, d, somewhere(rng, d, c), c), d, c)
	if err != nil {
		t.Fatal(err)
	}
	for axis := range 2 {
		sign := math.Copysign(1, a[axis]*b[axis])
		for i := axis; i < len(a); i += 2 {
			if math.Abs(a[i]-sign*b[i]) > 1e-8 {
				t.Fatalf("point %d, axis %d: %g, moved %g", i/2, axis, a[i], b[i])
			}
		}
	}
}

// TestBoundary: points as near the boundary as float32 allows stay inside.
func TestBoundary(t *testing.T) {
	const near = 1 - 0x1p-24
	x := []float32{near, 0, 0, -near, 0, 0, 0, near, 0, 0, -near, 0, 0, 0, 0.5, near, 0, 0}
	xy, q, err := TangentPCA(x, 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(xy); i += 2 {
		if r := math.Hypot(xy[i], xy[i+1]); !(r < 1) {
			t.Errorf("point %d at radius %g", i/2, r)
		}
	}
	if !(q.Explained > 0.9) {
		t.Errorf("explained %g", q.Explained)
	}
	far := []float64{1e9, 0, 3, 4, 0, 0}
	intoDisk(far, 1)
	if far[0] != rim || far[1] != 0 || math.Abs(far[2]-0.6*math.Tanh(5)) > 1e-15 || far[4] != 0 {
		t.Errorf("intoDisk: %v", far)
	}
}

// TestFlat: c = 0 is PCA, scaled to the radius 0.95; a small c comes near to it.
func TestFlat(t *testing.T) {
	const n, d = 25, 4
	rng := rand.New(rand.NewPCG(4, 4))
	x := narrow(moved(rng, cloudOf(rng, n, d, 1), d, d, make([]float64, d), 0))
	plain, p, err := PCA(x, d)
	if err != nil {
		t.Fatal(err)
	}
	flat, q, err := TangentPCA(x, d, 0)
	if err != nil {
		t.Fatal(err)
	}
	const c = 1e-8
	small, _, err := TangentPCA(x, d, c)
	if err != nil {
		t.Fatal(err)
	}
	var far float64
	for i := range n {
		far = max(far, math.Hypot(plain[2*i], plain[2*i+1]))
	}
	for i := range plain {
		if math.Abs(flat[i]-plain[i]*0.95/far) > 1e-12 {
			t.Fatalf("entry %d: %g, want %g", i, flat[i], plain[i]*0.95/far)
		}
		if math.Abs(small[i]/math.Sqrt(c)-plain[i]) > 1e-6 {
			t.Fatalf("entry %d, c = %g: %g, want %g", i, c, small[i]/math.Sqrt(c), plain[i])
		}
	}
	if math.Abs(p.Explained-q.Explained) > 1e-12 {
		t.Errorf("explained %g and %g", p.Explained, q.Explained)
	}
}

func TestSpecialCases(t *testing.T) {
	cases := []struct {
		name string
		x    []float32
		d    int
	}{
		{"one point", []float32{0.3, 0.4, 0.5}, 3},
		{"equal points", slices.Repeat([]float32{0.1, -0.7, 0.3}, 20), 3},
		{"equal points near the boundary", slices.Repeat([]float32{0.61, -0.37, 0.7}, 7), 3},
		{"the origin", make([]float32, 12), 4},
		{"one point, d = 1", []float32{0.9}, 1},
	}
	for _, k := range cases {
		for _, c := range []float64{0, 0.1, 1} {
			xy, q, err := TangentPCA(k.x, k.d, c)
			if want := make([]float64, 2*len(k.x)/k.d); err != nil || !reflect.DeepEqual(xy, want) || q.Explained != 1 {
				t.Errorf("%s, c = %g: %v, %v, %v; want all at the centre, explained 1", k.name, c, xy, q, err)
			}
		}
		if xy, q, err := PCA(k.x, k.d); err != nil || xy[0] != 0 || q.Explained != 1 {
			t.Errorf("%s, PCA: %v, %v, %v", k.name, xy, q, err)
		}
	}
	xy, q, err := TangentPCA([]float32{-0.5, 0.5}, 1, 1)
	if want := []float64{-0.5, 0, 0.5, 0}; err != nil || q.Explained != 1 || math.Abs(xy[0]-want[0]) > 1e-9 || xy[1] != 0 || math.Abs(xy[2]-want[2]) > 1e-9 {
		t.Errorf("d = 1: %v, %v, %v; want %v", xy, q, err, want)
	}
}

// TestSameBits: the picture does not depend on the number of processors.
func TestSameBits(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	rng := rand.New(rand.NewPCG(6, 6))
	x := narrow(cloudOf(rng, 200, 140, 0.1))
	want, _, err := TangentPCA(x, 140, 0.1)
	if err != nil {
		t.Fatal(err)
	}
	for _, procs := range []int{2, 5} {
		runtime.GOMAXPROCS(procs)
		if got, _, err := TangentPCA(x, 140, 0.1); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%d processors: another picture (%v)", procs, err)
		}
	}
}

func TestBadData(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	cases := []struct {
		name string
		x    []float32
		c    float64
		want string
	}{
		{"NaN", []float32{0, 0, 0, nan}, 1, "row 1, column 1 is NaN"},
		{"infinite, flat", []float32{0, 0, inf, 0}, 0, "row 1, column 0 is +Inf"},
		{"outside", []float32{0, 0, 2, 3}, 0.1, "row 1 is not on the ball: c‖x‖² = 1.3"},
		{"boundary", []float32{0, 1}, 1, "row 0 is not on the ball"},
		{"no points", nil, 1, "no points"},
		{"negative c", []float32{0, 0}, -1, "curvature -1"},
		{"NaN c", []float32{0, 0}, math.NaN(), "curvature NaN"},
	}
	for _, c := range cases {
		if _, _, err := TangentPCA(c.x, 2, c.c); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
	if _, _, err := PCA([]float32{1, nan}, 1); err == nil || !strings.Contains(err.Error(), "row 1") {
		t.Errorf("PCA of NaN: error %v", err)
	}
}

func TestPanics(t *testing.T) {
	cases := []struct {
		name string
		call func()
	}{
		{"ragged rows", func() { TangentPCA(make([]float32, 5), 2, 1) }},
		{"d = 0", func() { PCA(nil, 0) }},
		{"k = 0", func() { Agreement(ctx, make([]float64, 4), []int{1, 2}, 0, 1) }},
		{"labels do not fit", func() { Agreement(ctx, make([]float64, 5), []int{1, 2}, 1, 1) }},
		{"points without labels", func() { Agreement(ctx, make([]float64, 5), nil, 1, 1) }},
		{"labels without points", func() { Agreement(ctx, nil, []int{1, 2}, 1, 1) }},
		{"WithLabels", func() { Quality{}.WithLabels(ctx, make([]float64, 4), make([]float32, 5), []int{1, 2}, 2, 1) }},
	}
	for _, c := range cases {
		func() {
			defer func() {
				if msg, ok := recover().(string); !ok || !strings.HasPrefix(msg, "reduce: ") {
					t.Errorf("%s: panic %q, want one that starts with reduce:", c.name, msg)
				}
			}()
			c.call()
		}()
	}
}

func ExampleTangentPCA() {
	// A geodesic in three dimensions: the picture is a diameter.
	x := []float32{0.2, 0.2, 0.1, 0.4, 0.4, 0.2, 0, 0, 0, -0.2, -0.2, -0.1, -0.4, -0.4, -0.2}
	xy, q, err := TangentPCA(x, 3, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := 0; i < len(xy); i += 2 {
		fmt.Printf("%.2f %.2f\n", xy[i], math.Abs(xy[i+1]))
	}
	fmt.Println(q)
	// Output:
	// 0.30 0.00
	// 0.60 0.00
	// 0.00 0.00
	// -0.30 0.00
	// -0.60 0.00
	// 100 % of the variance, stress 0.00, distortion 0.00
}

func BenchmarkTangentPCA(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	x := narrow(cloudOf(rng, 3000, 128, 0.1))
	for b.Loop() {
		if _, _, err := TangentPCA(x, 128, 0.1); err != nil {
			b.Fatal(err)
		}
	}
}

package poincare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/internal/gradcheck"
)

// TestGradients compares every gradient with finite differences, at points up
// to s‖x‖ = 0.95 (TestReference goes on to 1-1e-6).
func TestGradients(t *testing.T) {
	const d = 4
	for _, c := range []float64{0, 1e-3, 0.1, 1, 10} {
		rng := rand.New(rand.NewPCG(6, math.Float64bits(c)))
		radius := 0.95 / math.Sqrt(max(c, 1e-2))
		in := func() []float64 {
			x := tangent(rng, d, 1)
			return scaled(x, radius*rng.Float64()/norm(x), x)
		}
		x, y, g := in(), in(), tangent(rng, d, 1)
		v, r := tangent(rng, d, 0.1*radius), norm(x)
		radii, half := []float64{r}, []float64{r / 2}
		slope := func(u, g []float64, r float64, soft bool) []float64 {
			return []float64{ClipSlope(norm(u), r, soft) * floats.Dot(u, g) / r}
		}
		up := func(f func() []float64) func() float64 { return func() float64 { return floats.Dot(g, f()) } }
		both := func(f func(gx, gy []float64)) (gx, gy []float64) {
			gx, gy = make([]float64, d), make([]float64, d)
			f(gx, gy)
			return gx, gy
		}
		dx, dy := both(func(gx, gy []float64) { DistanceGrad(gx, gy, x, y, c, 1) })
		d0, _ := both(func(gx, _ []float64) { Distance0Grad(gx, x, c, 1) })
		ax, ay := both(func(gx, gy []float64) { MobiusAddGrad(gx, gy, x, y, c, g) })
		ex, ev := both(func(gx, gy []float64) { ExpMapGrad(gx, gy, x, v, c, g) })
		lx, ly := both(func(gx, gy []float64) { LogMapGrad(gx, gy, x, y, c, g) })
		ox, oy := both(func(gx, gy []float64) { GeodesicGrad(gx, gy, x, y, 0.3, c, g) })
		for _, k := range []struct {
			name string
			f    func() float64
			at   []float64
			grad []float64
		}{
			{"Distance x", func() float64 { return Distance(x, y, c) }, x, dx},
			{"Distance y", func() float64 { return Distance(x, y, c) }, y, dy},
			{"Distance0", func() float64 { return Distance0(x, c) }, x, d0},
			{"MobiusAdd x", up(func() []float64 { return MobiusAdd(nil, x, y, c) }), x, ax},
			{"MobiusAdd y", up(func() []float64 { return MobiusAdd(nil, x, y, c) }), y, ay},
			{"MobiusScale", up(func() []float64 { return MobiusScale(nil, 1.7, x, c) }), x, MobiusScaleGrad(nil, 1.7, x, g, c)},
			{"ExpMap0", up(func() []float64 { return ExpMap0(nil, x, c) }), x, ExpMap0Grad(nil, x, g, c)},
			{"LogMap0", up(func() []float64 { return LogMap0(nil, x, c) }), x, LogMap0Grad(nil, x, g, c)},
			{"ExpMap x", up(func() []float64 { return ExpMap(nil, x, v, c) }), x, ex},
			{"ExpMap v", up(func() []float64 { return ExpMap(nil, x, v, c) }), v, ev},
			{"LogMap x", up(func() []float64 { return LogMap(nil, x, y, c) }), x, lx},
			{"LogMap y", up(func() []float64 { return LogMap(nil, x, y, c) }), y, ly},
			{"Geodesic x", up(func() []float64 { return Geodesic(nil, x, y, 0.3, c) }), x, ox},
			{"Geodesic y", up(func() []float64 { return Geodesic(nil, x, y, 0.3, c) }), y, oy},
			{"Gyration w", up(func() []float64 { return Gyration(nil, x, y, v, c) }), v, Gyration(nil, y, x, g, c)},
			{"Clip, long", up(func() []float64 { return Clip(nil, x, r/2) }), x, ClipGrad(nil, x, g, r/2)},
			{"SoftClip, long", up(func() []float64 { return SoftClip(nil, x, r/2) }), x, SoftClipGrad(nil, x, g, r/2)},
			{"SoftClip, short", up(func() []float64 { return SoftClip(nil, x, r*2) }), x, SoftClipGrad(nil, x, g, r*2)},
			{"SoftClip r", up(func() []float64 { return SoftClip(nil, x, radii[0]) }), radii, slope(x, g, r, true)},
			{"Clip r", up(func() []float64 { return Clip(nil, x, half[0]) }), half, slope(x, g, r/2, false)},
			{"Clip, short", up(func() []float64 { return Clip(nil, x, r*2) }), x, ClipGrad(nil, x, g, r*2)},
		} {
			if err := gradcheck.Directional(k.f, k.at, k.grad, 1e-6*norm(k.at), 2e-7, 5, rng); err != nil {
				t.Errorf("%s, c=%g, x=%v, y=%v: %v", k.name, c, x, y, err)
			}
		}
	}
}

// TestGradientsAtLimits: points where formulas divide by zero take the values
// that the doc comments promise.
func TestGradientsAtLimits(t *testing.T) {
	g, zero, x := []float64{1, -2}, []float64{0, 0}, []float64{0.3, 0.4}
	gx, gy := []float64{0, 0}, []float64{0, 0}
	DistanceGrad(gx, gy, x, x, 1, 1)
	Distance0Grad(gx, zero, 1, 1)
	DistancesGrad(gx, gy, []float64{1}, x, x, 2, 1)
	for _, k := range []struct {
		name      string
		got, want []float64
	}{
		{"distances at x = y", append(gx, gy...), []float64{0, 0, 0, 0}},
		{"ExpMap0 at 0", ExpMap0(nil, zero, 1), zero},
		{"ExpMap0Grad at 0", ExpMap0Grad(nil, zero, g, 1), g},
		{"LogMap0Grad at 0", LogMap0Grad(nil, zero, g, 1), g},
		{"MobiusScaleGrad at 0", MobiusScaleGrad(nil, 3, zero, g, 1), []float64{3, -6}},
		{"LogMap at x = y", LogMap(nil, x, x, 1), zero},
		{"Clip at ‖u‖ = r", ClipGrad(nil, []float64{3, 4}, g, 5), g},
		{"SoftClip of 0", SoftClip(nil, zero, 1), zero},
		{"SoftClip without r", SoftClip(nil, x, math.Inf(1)), x},
		{"SoftClipGrad at 0", SoftClipGrad(nil, zero, g, 1), g},
		{"ClipSlope at 0 and at r", []float64{ClipSlope(0, 1, true), ClipSlope(0, 1, false), ClipSlope(1, 1, false)}, []float64{0, 0, 0}},
		{"Clip of 0", Clip(nil, zero, 1), zero},
		{"Geodesic at x = y", Geodesic(nil, x, x, 0.3, 1), x},
	} {
		if apart(k.got, k.want) > 1e-15 {
			t.Errorf("%s: got %v, want %v", k.name, k.got, k.want)
		}
	}
	for _, k := range []struct {
		name    string
		f       func(float64) float64
		at, tol float64 // where series and closed form meet, and how well they do
	}{
		{"tanhcSlope", tanhcSlope, 0.01, 3e-11},
		{"artanhcSlope", artanhcSlope, 0.01, 3e-11},
		{"mobiusSlope", func(z float64) float64 { return mobiusSlope(1.7, z) }, 1e-3, 1e-5},
	} {
		if below, above := k.f(k.at*(1-1e-9)), k.f(k.at*(1+1e-9)); !closeTo(below, above, k.tol) {
			t.Errorf("%s: series %.15g, closed form %.15g", k.name, below, above)
		}
	}
}

// TestStaysInside: maps onto the ball give points inside for any finite vector.
func TestStaysInside(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 0))
	for _, c := range curvatures {
		for _, scale := range []float64{1, 1e3, 1e100} {
			for _, d := range []int{1, 2, 512} {
				x := ExpMap0(nil, tangent(rng, d, scale), c)
				if !(gap(x, c) > 0) || math.IsInf(Distance0(x, c), 0) || !(gap(MobiusScale(nil, 1e6, x, c), c) > 0) {
					t.Errorf("c=%g, d=%d, scale %g: 1-c‖x‖² = %g, d(0,x) = %g", c, d, scale, gap(x, c), Distance0(x, c))
				}
			}
		}
		out := []float64{3 / math.Sqrt(c), 4 / math.Sqrt(c)}
		if x := Project(nil, out, c, 1e-5); !closeTo(math.Sqrt(c)*norm(x), 1-1e-5, 1e-12) {
			t.Errorf("Project: %v to %v", out, x)
		}
		if !math.IsInf(Distance(out, []float64{0, 0}, c), 1) {
			t.Errorf("distance to a point outside is %g", Distance(out, []float64{0, 0}, c))
		}
		x, g := point(rng, 3, c), tangent(rng, 3, 1)
		r := RiemannianGradient(nil, x, g, c)
		// ⟨grad, v⟩ₓ = g·v defines it
		if l := Conformal(x, c); !closeTo(l*l*floats.Dot(r, g), floats.Dot(g, g), 1e-12) {
			t.Errorf("RiemannianGradient(%v, %v) = %v", x, g, r)
		}
	}
}

// TestDistancesTwin compares the matrix form and its gradient with one pair
// after the other, with rows that coincide and rows that nearly do.
func TestDistancesTwin(t *testing.T) {
	for _, c := range []float64{0, 1e-3, 0.1, 1, 10} {
		for _, size := range [][3]int{{1, 1, 1}, {3, 5, 2}, {40, 21, 7}, {0, 3, 2}, {3, 0, 2}} {
			n, m, d := size[0], size[1], size[2]
			rng := rand.New(rand.NewPCG(8, uint64(n)))
			var x, y []float64
			for range n {
				x = append(x, point(rng, d, max(c, 0.01))...)
			}
			for range m {
				y = append(y, point(rng, d, max(c, 0.01))...)
			}
			if n > 2 && m > 2 {
				copy(y[d:2*d], x[:d])
				copy(y[2*d:3*d], x[2*d:3*d])
				floats.Scale(1-1e-7, y[2*d:3*d])
			}
			got, g := Distances(nil, x, y, d, c), tangent(rng, n*m, 1)
			gx, gy := tangent(rng, n*d, 1), tangent(rng, m*d, 1)
			wantX, wantY := slices.Clone(gx), slices.Clone(gy)
			DistancesGrad(gx, gy, g, x, y, d, c)
			for i := range n {
				for j := range m {
					xi, yj := x[i*d:(i+1)*d], y[j*d:(j+1)*d]
					if want := Distance(xi, yj, c); !closeTo(got[i*m+j], want, 1e-9) {
						t.Errorf("c=%g %d×%d: distance %d,%d is %g, want %g", c, n, m, i, j, got[i*m+j], want)
					}
					DistanceGrad(wantX[i*d:(i+1)*d], wantY[j*d:(j+1)*d], xi, yj, c, g[i*m+j])
				}
			}
			if apart(gx, wantX) > 1e-8 || apart(gy, wantY) > 1e-8 {
				t.Errorf("c=%g %d×%d: gradients apart by %g and %g", c, n, m, apart(gx, wantX), apart(gy, wantY))
			}
		}
	}
}

// TestDistancesDeterministic: the same bits on any number of processors.
func TestDistancesDeterministic(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	rng := rand.New(rand.NewPCG(9, 0))
	const n, m, d = 150, 90, 33
	x, y, g := tangent(rng, n*d, 0.1), tangent(rng, m*d, 0.1), tangent(rng, n*m, 1)
	var first []float64
	for _, procs := range []int{1, 2, 5} {
		runtime.GOMAXPROCS(procs)
		all := Distances(nil, x, y, d, 0.1)
		gx, gy := make([]float64, n*d), make([]float64, m*d)
		DistancesGrad(gx, gy, g, x, y, d, 0.1)
		all = append(append(all, gx...), gy...)
		if first == nil {
			first = all
		}
		if !slices.Equal(first, all) {
			t.Errorf("%d processors give other bits", procs)
		}
	}
}

func TestPanics(t *testing.T) {
	for _, k := range []struct {
		name string
		f    func()
	}{
		{"lengths", func() { Distance([]float64{1}, []float64{1, 2}, 1) }},
		{"curvature", func() { ExpMap0(nil, []float64{1}, -1) }},
		{"NaN curvature", func() { ExpMap0(nil, []float64{1}, math.NaN()) }},
		{"dst", func() { MobiusAdd(make([]float64, 1), []float64{0, 0}, []float64{0, 0}, 1) }},
		{"rows", func() { Distances(nil, []float64{0, 0, 0}, []float64{0, 0}, 2, 1) }},
		{"g", func() { DistancesGrad(nil, nil, nil, []float64{0}, []float64{0}, 1, 1) }},
		{"mean of nothing", func() { FrechetMean(nil, 2, 1) }},
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

func ExampleDistances() {
	fmt.Printf("%.4f\n", Distances(nil, []float64{0, 0}, []float64{0.5, 0, 0, 0.9}, 2, 1))
	// Output: [1.0986 2.9444]
}

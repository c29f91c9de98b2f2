package reduce

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/poincare"
	"github.com/chestlab/chest/internal/gradcheck"
)

// TestCOSNE: classes stay together, deep ones stay deeper, and the default does
// not press a picture onto the rim.
func TestCOSNE(t *testing.T) {
	const d, c = 16, 0.1
	x, label := treeSet(8, 3, 3, 18, d, c)
	rng := rand.New(rand.NewPCG(3, 3))
	for class := range 2 { // two classes near the root
		v := away(rng, make([]float64, d), 1, c)
		for range 18 {
			x, label = append(x, narrow(away(rng, v, 0.5, c))...), append(label, 9+class)
		}
	}
	for _, norm := range []float64{0, -1} {
		xy, q, err := COSNE(ctx, x, d, c, COSNEOptions{Norm: norm, Steps: 300})
		if err != nil {
			t.Fatal(err)
		}
		if q, err = q.WithLabels(ctx, xy, x, label, d, c); err != nil || !(q.AgreementDisk >= 0.9) {
			t.Errorf("norm %g: %s (%v)", norm, q.Line(), err)
		}
		var radius []float64
		for i := 0; i < len(xy); i += 2 {
			radius = append(radius, math.Hypot(xy[i], xy[i+1]))
		}
		deep, high := slices.Sorted(slices.Values(radius[:9*18])), slices.Sorted(slices.Values(radius[9*18:]))
		if m := deep[len(deep)/2]; !(m > 0.3 && deep[len(deep)-1] < 0.99) || !(m > high[len(high)/2]) {
			t.Errorf("norm %g: median radius %g, at most %g; near the root %g", norm, m, deep[len(deep)-1], high[len(high)/2])
		}
	}
	far, _, err := COSNE(ctx, x, d, c, COSNEOptions{Norm: 1000, Steps: 300})
	if err != nil {
		t.Fatal(err)
	}
	if h := newTails(nil, squaredRadii(wide(x), d, c), 1).held(far); !(h < 1e-3) { // the norms come first
		t.Errorf("mean square of ‖y‖² - c‖x‖² %g", h)
	}
}

// TestAffinitiesAgainstSlowTwin searches σ over a fine grid.
func TestAffinitiesAgainstSlowTwin(t *testing.T) {
	const n, d, c, perplexity = 30, 3, 0.5, 6
	x := cloudOf(rand.New(rand.NewPCG(8, 1)), n, d, c)
	copy(x[d:2*d], x[:d])
	got, err := affinities(ctx, x, d, c, perplexity)
	if err != nil {
		t.Fatal(err)
	}
	var one [n][n]float64
	for i := range n {
		best := math.Inf(1)
		for sigma := 0.01; sigma < 10; sigma *= 1.001 {
			var w [n]float64
			sum, entropy := 0.0, 0.0
			for j := range n {
				if j != i {
					l := length(x[i*d:(i+1)*d], x[j*d:(j+1)*d], c)
					w[j] = math.Exp(-l * l / (2 * sigma * sigma))
					sum += w[j]
				}
			}
			for j := range n {
				if w[j] /= sum; w[j] > 0 {
					entropy -= w[j] * math.Log2(w[j])
				}
			}
			if off := math.Abs(math.Exp2(entropy) - perplexity); off < best {
				best, one[i] = off, w
			}
		}
	}
	whole := 0.0
	for i := range n {
		for j := range n {
			want := (one[i][j] + one[j][i]) / (2 * n)
			whole += got[i*n+j]
			if math.Abs(got[i*n+j]-want) > 1e-5 {
				t.Errorf("p(%d,%d) = %g, want %g", i, j, got[i*n+j], want)
			}
		}
	}
	if math.Abs(whole-1) > 1e-12 {
		t.Errorf("all add up to %g, want 1", whole)
	}
}

// slowTails is the objective, one number after the other.
func slowTails(p, y, norm []float64, gamma, lambda float64) (sum float64) {
	n := len(norm)
	w := func(i, j int) float64 {
		d := poincare.Distance(y[2*i:2*i+2], y[2*j:2*j+2], 1)
		return 1 / (1 + d*d/gamma/gamma)
	}
	whole := 0.0
	for i := range n {
		for j := range n {
			if i != j {
				whole += w(i, j)
			}
		}
	}
	for i := range n {
		for j := range n {
			if i != j {
				sum += p[i*n+j] * math.Log(whole/w(i, j))
			}
		}
		r := dot(y[2*i:2*i+2], y[2*i:2*i+2])
		sum += lambda / float64(n) * (r - norm[i]) * (r - norm[i])
	}
	return sum
}

// TestTailsGradient: value against the slow twin, gradient against its finite
// differences.
func TestTailsGradient(t *testing.T) {
	const n = 14
	for _, gamma := range []float64{0.1, 0.5, 2} {
		rng := rand.New(rand.NewPCG(9, math.Float64bits(gamma)))
		p, err := affinities(ctx, cloudOf(rng, n, 4, 1), 4, 1, 4)
		if err != nil {
			t.Fatal(err)
		}
		y, norm := cloudOf(rng, n, 2, 1), make([]float64, n)
		for i := range norm {
			norm[i] = rng.Float64()
		}
		s := newTails(p, norm, gamma)
		for _, lambda := range []float64{0, 3} {
			want := slowTails(p, y, norm, gamma, lambda)
			if got := s.divergence(y) + lambda*s.held(y); math.Abs(got-want) > 1e-10*want {
				t.Errorf("γ = %g: objective %.12g, want %.12g", gamma, got, want)
			}
			g := make([]float64, 2*n)
			s.gradient(g, y, 1)
			s.heldGradient(g, y, lambda)
			for i := range n { // from the frames to the coordinates
				stretch := 2 / (1 - dot(y[2*i:2*i+2], y[2*i:2*i+2]))
				g[2*i], g[2*i+1] = stretch*g[2*i], stretch*g[2*i+1]
			}
			f := func() float64 { return slowTails(p, y, norm, gamma, lambda) }
			if err := gradcheck.Directional(f, y, g, 1e-6, 1e-5, 20, rng); err != nil {
				t.Errorf("γ = %g, λ = %g: %v", gamma, lambda, err)
			}
		}
	}
}

// TestExaggeration: the attraction alone grows.
func TestExaggeration(t *testing.T) {
	const n = 8
	rng := rand.New(rand.NewPCG(2, 2))
	p, err := affinities(ctx, cloudOf(rng, n, 4, 1), 4, 1, 3)
	if err != nil {
		t.Fatal(err)
	}
	y := cloudOf(rng, n, 2, 1)
	s := newTails(p, make([]float64, n), 0.3)
	one, two, four := make([]float64, 2*n), make([]float64, 2*n), make([]float64, 2*n)
	s.gradient(one, y, 1)
	s.gradient(two, y, 2)
	s.gradient(four, y, 4)
	for k := range one {
		if math.Abs((four[k]-two[k])-2*(two[k]-one[k])) > 1e-12 || two[k] == one[k] {
			t.Errorf("entry %d: %g, %g, %g", k, one[k], two[k], four[k])
		}
	}
}

// TestSteps: steps and transport in the frames of the disk are those of the
// ball.
func TestSteps(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 7))
	for range 200 {
		x, v, w := cloudOf(rng, 1, 2, 1), []float64{rng.NormFloat64(), rng.NormFloat64()}, []float64{rng.NormFloat64(), rng.NormFloat64()}
		at := 1 / poincare.Conformal(x, 1)
		y := poincare.ExpMap(nil, x, []float64{at * v[0], at * v[1]}, 1)
		gx, gy := step(x[0], x[1], v[0], v[1])
		if math.Hypot(gx-y[0], gy-y[1]) > 1e-12 {
			t.Fatalf("from %v by %v: (%g, %g), want %v", x, v, gx, gy, y)
		}
		to := poincare.Transport(nil, x, y, []float64{at * w[0], at * w[1]}, 1)
		there := poincare.Conformal(y, 1)
		tx, ty := turned([2]float64{x[0], x[1]}, y, w[0], w[1])
		if math.Hypot(tx-there*to[0], ty-there*to[1]) > 1e-9 {
			t.Fatalf("%v along %v from %v: (%g, %g), want %v times %g", w, v, x, tx, ty, to, there)
		}
	}
	if x, y := step(0.9, 0, 80, 0); !(x < 1) || y != 0 {
		t.Errorf("a step of 80 leads to (%g, %g)", x, y)
	}
}

func TestCOSNELimit(t *testing.T) {
	x, label := treeSet(8, 2, 2, 10, 3, 1)
	_, _, err := COSNE(ctx, x, 3, 1, COSNEOptions{Most: 30})
	if err == nil || !strings.Contains(err.Error(), "the number of points is 40: want at most 30") {
		t.Errorf("error %v", err)
	}
	if _, _, err = COSNE(ctx, x, 3, 0, COSNEOptions{}); err == nil || !strings.Contains(err.Error(), "c is 0") {
		t.Errorf("c = 0: error %v", err)
	}
	some, someLabel, rows := Sample(x, label, 3, 30, 1)
	if len(rows) != 30 || len(some) != 90 || len(someLabel) != 30 || !slices.IsSorted(rows) || len(slices.Compact(slices.Clone(rows))) != 30 {
		t.Fatalf("sample %v", rows)
	}
	for at, i := range rows {
		if !slices.Equal(some[3*at:3*at+3], x[3*i:3*i+3]) || someLabel[at] != label[i] {
			t.Errorf("row %d of the sample is not row %d", at, i)
		}
	}
	if _, _, again := Sample(x, nil, 3, 30, 1); !slices.Equal(again, rows) {
		t.Error("another sample of the same seed")
	}
	if _, none, all := Sample(x, nil, 3, 50, 1); len(all) != 40 || none != nil {
		t.Errorf("%d rows of 40, labels %v", len(all), none)
	}
	if _, _, err = COSNE(ctx, some, 3, 1, COSNEOptions{Most: 30, Steps: 1}); err != nil {
		t.Error(err)
	}
}

func BenchmarkCOSNEStep(b *testing.B) {
	const n = 1000
	rng := rand.New(rand.NewPCG(1, 1))
	p, err := affinities(ctx, cloudOf(rng, n, 8, 1), 8, 1, 30)
	if err != nil {
		b.Fatal(err)
	}
	y, g := cloudOf(rng, n, 2, 1), make([]float64, 2*n)
	s := newTails(p, make([]float64, n), 0.1)
	for b.Loop() {
		s.gradient(g, y, 1)
	}
}

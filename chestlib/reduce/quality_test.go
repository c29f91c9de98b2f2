package reduce

import (
	"cmp"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/poincare"
)

var ctx = context.Background()

// slowAgreement sorts all distances.
func slowAgreement(x []float64, label []int, k int, c float64) float64 {
	n := len(label)
	d := len(x) / n
	same := 0
	for i := range n {
		dist := poincare.Distances(nil, x[i*d:(i+1)*d], x, d, c)
		var order []int
		for j := range n {
			if j != i {
				order = append(order, j)
			}
		}
		slices.SortFunc(order, func(a, b int) int {
			return cmp.Or(cmp.Compare(dist[a], dist[b]), cmp.Compare(a, b))
		})
		for _, j := range order[:min(k, n-1)] {
			if label[j] == label[i] {
				same++
			}
		}
	}
	return float64(same) / float64(n*min(k, n-1))
}

func TestAgreementAgainstSlowTwin(t *testing.T) {
	grid := func(rng *rand.Rand, n, d int, _ float64) []float64 { // exact ties at c = 0
		x := make([]float64, n*d)
		for i := range x {
			x[i] = float64(rng.IntN(4))
		}
		return x
	}
	copies := func(rng *rand.Rand, n, d int, c float64) []float64 {
		x := cloudOf(rng, n, d, c)
		for i := 3; i < n; i++ {
			copy(x[i*d:(i+1)*d], x[i%3*d:])
		}
		return x
	}
	around := func(rng *rand.Rand, n, d int, c float64) []float64 { return cloudOf(rng, n, d, max(c, 0.1)) }
	cases := []struct {
		name    string
		data    func(*rand.Rand, int, int, float64) []float64
		n, d, k int
		c       float64
	}{
		{"random", around, 90, 3, 7, 1},
		{"wide", around, 60, 50, 5, 0.1},
		{"flat", around, 60, 3, 5, 0},
		{"ties", grid, 80, 2, 5, 0},
		{"wide ties", grid, 40, 33, 5, 0},
		{"copies", copies, 40, 4, 6, 1},
		{"k above n", around, 6, 2, 15, 1},
		{"n = 2", around, 2, 2, 1, 1},
	}
	for _, k := range cases {
		for seed := range uint64(5) {
			rng := rand.New(rand.NewPCG(seed, 2))
			x := k.data(rng, k.n, k.d, k.c)
			label := make([]int, k.n)
			for i := range label {
				label[i] = rng.IntN(3)
			}
			got, err := Agreement(ctx, x, label, k.k, k.c)
			if want := slowAgreement(x, label, k.k, k.c); err != nil || math.Abs(got-want) > 1e-15 {
				t.Errorf("%s, seed %d: %g (%v), want %g", k.name, seed, got, err, want)
			}
		}
	}
}

// TestClusters: clusters of a wide ball stay apart in the disk, and both
// agreements say so; with mixed labels both fall to the share of a class.
func TestClusters(t *testing.T) {
	const per, d, c = 20, 16, 0.1
	rng := rand.New(rand.NewPCG(8, 8))
	var x []float64
	var label, mixed []int
	for class := range 3 {
		x = append(x, moved(rng, cloudOf(rng, per, d, 40), d, d, somewhere(rng, d, c), c)...)
		for i := range per {
			label, mixed = append(label, class), append(mixed, i%3)
		}
	}
	xy, q, err := TangentPCA(narrow(x), d, c)
	if err != nil {
		t.Fatal(err)
	}
	q, err = q.WithLabels(ctx, xy, narrow(x), label, d, c)
	if err != nil || q.KNN != 15 || q.AgreementDisk != 1 || q.AgreementBall != 1 {
		t.Errorf("clusters: %+v (%v), want agreement 1", q, err)
	}
	if want := "15-NN agreement 1.00 in the plane, 1.00 before"; !strings.HasSuffix(q.String(), want) {
		t.Errorf("%q does not end in %q", q, want)
	}
	q.KNN = 4
	q, err = q.WithLabels(ctx, xy, narrow(x), mixed, d, c)
	if err != nil || q.KNN != 4 || math.Abs(q.AgreementDisk-0.33) > 0.15 || math.Abs(q.AgreementBall-0.33) > 0.15 {
		t.Errorf("mixed labels: %+v (%v), want agreement near 1/3", q, err)
	}
	few := Quality{}
	if few, err = few.WithLabels(ctx, xy[:6], narrow(x[:3*d]), label[:3], d, c); err != nil || few.KNN != 2 {
		t.Errorf("three points: %+v (%v), want 2 neighbours", few, err)
	}
	plane, p, err := PCA(narrow(x), d)
	if err != nil {
		t.Fatal(err)
	}
	if p, err = p.WithLabels(ctx, plane, narrow(x), label, d, 0); err != nil || p.AgreementDisk != 1 {
		t.Errorf("PCA: %+v (%v), want agreement 1", p, err)
	}
}

// TestAgreementBefore: the fast way to neighbours agrees with Agreement.
func TestAgreementBefore(t *testing.T) {
	for _, c := range []float64{0, 0.1, 2} {
		for _, d := range []int{2, 40} {
			rng := rand.New(rand.NewPCG(3, uint64(d)))
			x, label := narrow(cloudOf(rng, 150, d, max(c, 0.1))), make([]int, 150)
			for i := range label {
				label[i] = rng.IntN(3)
			}
			copy(x[:10*d], x[10*d:20*d]) // ties
			q, err := Quality{KNN: 7}.WithLabels(ctx, make([]float64, 300), x, label, d, c)
			want, err2 := Agreement(ctx, wide(x), label, 7, c)
			if err != nil || err2 != nil || math.Abs(q.AgreementBall-want) > 1e-15 {
				t.Errorf("c = %g, d = %d: %g (%v), want %g (%v)", c, d, q.AgreementBall, err, want, err2)
			}
		}
	}
	if _, err := (Quality{}).WithLabels(ctx, make([]float64, 4), []float32{0, 0, 2, 0}, []int{1, 2}, 2, 1); err == nil || !strings.Contains(err.Error(), "row 1 is not on the ball") {
		t.Errorf("outside the ball: error %v", err)
	}
	if _, err := (Quality{}).WithLabels(ctx, make([]float64, 4), []float32{0, 0, 2, 0}, []int{1, 2}, 2, math.NaN()); err == nil || !strings.Contains(err.Error(), "curvature NaN") {
		t.Errorf("NaN c: error %v", err)
	}
}

func TestAgreementSpecialCases(t *testing.T) {
	for _, n := range []int{0, 1} {
		if a, err := Agreement(ctx, make([]float64, 2*n), make([]int, n), 3, 1); a != 1 || err != nil {
			t.Errorf("n = %d: %g (%v), want 1", n, a, err)
		}
	}
	if _, err := Agreement(ctx, []float64{0, 0, 1, 1}, []int{1, 1}, 1, 1); err == nil || !strings.Contains(err.Error(), "row 1 is not on the ball") {
		t.Errorf("outside the disk: error %v", err)
	}
	if _, err := Agreement(ctx, []float64{0, 0, 1, 1}, []int{1, 1}, 1, -1); err == nil || !strings.Contains(err.Error(), "curvature -1") {
		t.Errorf("negative c: error %v", err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Agreement(ended, make([]float64, 8), make([]int, 4), 1, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: error %v", err)
	}
}

func TestAgreementOfAnyProcessors(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	rng := rand.New(rand.NewPCG(9, 9))
	x, label := cloudOf(rng, 300, 3, 1), make([]int, 300)
	for i := range label {
		label[i] = rng.IntN(4)
	}
	want, _ := Agreement(ctx, x, label, 15, 1)
	for _, procs := range []int{2, 6} {
		runtime.GOMAXPROCS(procs)
		if got, err := Agreement(ctx, x, label, 15, 1); err != nil || got != want {
			t.Errorf("%d processors: %g (%v), want %g", procs, got, err, want)
		}
	}
}

func BenchmarkAgreement(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	x, label := cloudOf(rng, 3000, 128, 0.1), make([]int, 3000)
	for b.Loop() {
		if _, err := Agreement(ctx, x, label, 15, 0.1); err != nil {
			b.Fatal(err)
		}
	}
}

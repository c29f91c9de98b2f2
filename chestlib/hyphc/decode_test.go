package hyphc

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/poincare"
)

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// directions are n points of norm rho in random directions.
func directions(rng *rand.Rand, n, d int, rho float64) []float64 {
	var x []float64
	for range n {
		x = append(x, point(rng, d, 1, rho)...)
	}
	return x
}

// TestRing: the short form of LCA at one norm is LCA, to the boundary.
func TestRing(t *testing.T) {
	for _, rho := range []float64{least, 0.3, 0.9, most} {
		r, rng := newRing(rho), newRand(21)
		for range 200 {
			a, b := point(rng, 3, 1, rho), point(rng, 3, 1, rho)
			if rng.IntN(2) == 0 { // neighbours
				for j := range b {
					b[j] = a[j] + 1e-3*b[j]
				}
				scale := rho / math.Sqrt(squaredDifference(b, a, 0))
				for j := range b {
					b[j] *= scale
				}
			}
			s := squaredDifference(a, b, 1) / (rho * rho)
			if got, want := r.depth(s), LCA(a, b, 1); !closeTo(got, want, 1e-9) {
				t.Fatalf("ρ = %g, a = %v, b = %v: depth %.12g, want %.12g", rho, a, b, got, want)
			}
		}
		if got, want := r.depth(0), poincare.Distance0([]float64{rho, 0}, 1); !closeTo(got, want, 1e-12) {
			t.Errorf("ρ = %g: a leaf is at %g, want %g", rho, got, want)
		}
		if got := r.depth(4); got > 1e-12 {
			t.Errorf("ρ = %g: opposite leaves part at %g, want 0", rho, got)
		}
	}
}

// TestDecodeTwin: all pairs, deepest first, each of which joins two nodes
// unless it lies within one.
func TestDecodeTwin(t *testing.T) {
	for _, d := range []int{2, 3, 5} {
		for _, n := range []int{0, 1, 2, 3, 8, 40} {
			const rho = 0.95
			x := directions(rand.New(rand.NewPCG(22, uint64(n))), n, d, rho)
			top := poincare.Distance0(slices.Concat([]float64{rho}, make([]float64, d-1)), 1)
			want, err := NewTree(n, naive(n, definition(Single, func(i, j int) float64 {
				return top - LCA(x[i*d:(i+1)*d], x[j*d:(j+1)*d], 1)
			})))
			if err != nil {
				t.Fatal(err)
			}
			got, err := Decode(context.Background(), x, d)
			if err != nil {
				t.Fatal(err)
			}
			if err := sameTree(got, want); err != nil {
				t.Errorf("%d leaves in %d dimensions: %v", n, d, err)
			}
		}
	}
}

// TestDecodeCircle: neighbours on the circle give what Prim's method gives,
// and equal directions meet at height 0.
func TestDecodeCircle(t *testing.T) {
	for n := range 30 {
		u := directions(rand.New(rand.NewPCG(23, uint64(n))), n, 2, 1)
		for i := 3; i < n; i += 3 {
			copy(u[2*i:2*i+2], u[2*i-4:])
		}
		bonds, err := spanning(context.Background(), n, func(i, j int) float64 { return chord(u[2*i:2*i+2], u[2*j:2*j+2]) })
		if err != nil {
			t.Fatal(err)
		}
		want, err := link(n, bonds, math.Sqrt)
		if err != nil {
			t.Fatal(err)
		}
		got, err := link(n, around(u), math.Sqrt)
		if err != nil {
			t.Fatal(err)
		}
		for i := 3; i < n; i += 3 {
			if h := got.Height(got.LCA(i, i-2)); h != 0 {
				t.Errorf("equal leaves %d and %d meet at %g", i, i-2, h)
			}
		}
		for i := range n {
			for j := range i {
				if a, b := got.Height(got.LCA(i, j)), want.Height(want.LCA(i, j)); !closeTo(a, b, 1e-12) {
					t.Errorf("%d leaves: %d and %d meet at %g, want %g", n, i, j, a, b)
				}
			}
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context
		x    []float64
		want string
	}{
		{"zero", context.Background(), []float64{0.5, 0, 0, 0, 0, 0}, "leaf 1 has norm 0, the first 0.5"},
		{"norms", context.Background(), []float64{0.5, 0, 0, 0, 0.6, 0}, "leaf 1 has norm 0.6, the first 0.5: want one norm"},
		{"outside", context.Background(), []float64{1, 0, 0, 0, 1, 0}, "leaf 0 has norm 1"},
		{"NaN", context.Background(), []float64{0.5, 0, 0, 0, math.NaN(), 0}, "leaf 1 has norm NaN"},
		{"stopped", ctx, []float64{0.5, 0, 0, 0, 0.5, 0}, "decoding 2 leaves: stopped"},
	} {
		_, err := Decode(c.ctx, c.x, 3)
		if err == nil || !strings.Contains(err.Error(), c.want) || c.ctx == ctx && !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

package hyphc

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/poincare"
)

// ballPoints are n random points of the ball of curvature -c, at one norm or any.
func ballPoints(rng *rand.Rand, n, d int, c float64, one bool) []float64 {
	x := make([]float64, n*d)
	for i := range n {
		row, norm := x[i*d:(i+1)*d], 0.0
		for j := range row {
			row[j] = rng.NormFloat64()
			norm += row[j] * row[j]
		}
		length := 0.7
		if !one {
			length = rng.Float64()
		}
		for j := range row {
			row[j] *= length / math.Sqrt(c*norm)
		}
	}
	return x
}

// clades are the sets of leaves of all nodes, as text.
func clades(t *Tree) (all []string) {
	for node := range t.Nodes() {
		leaves := slices.Clone(t.Leaves(node))
		slices.Sort(leaves)
		all = append(all, fmt.Sprint(leaves))
	}
	slices.Sort(all)
	return all
}

// TestDepthsAsDecode: single linkage of depths is how Decode reads a tree.
func TestDepthsAsDecode(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, d := range []int{2, 5} {
		x := ballPoints(rng, 60, d, 1, true)
		want, err := Decode(t.Context(), x, d)
		if err != nil {
			t.Fatal(err)
		}
		w, err := Depths(x, d, 1)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Linkage(t.Context(), w, Single)
		if err != nil || !slices.Equal(clades(got), clades(want)) {
			t.Errorf("d = %d: %v; the trees differ", d, err)
		}
	}
}

func TestPoints(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for _, c := range []float64{0.1, 1, 4} {
		const n, d = 20, 3
		x := ballPoints(rng, n, d, c, false)
		row := func(i int) []float64 { return x[i*d : (i+1)*d] }
		far := 0.0
		for i := range n {
			far = max(far, poincare.Distance0(row(i), c))
		}
		depths, err := Depths(x, d, c)
		if err != nil {
			t.Fatal(err)
		}
		distances, err := Distances(x, d, c)
		if err != nil {
			t.Fatal(err)
		}
		if depths.Len() != n || distances.Len() != n {
			t.Fatal(depths.Len(), distances.Len())
		}
		for i := range n {
			for j := range n {
				for _, of := range []struct {
					p    *Points
					want float64
				}{{depths, LCA(row(i), row(j), c) / far}, {distances, 1 - poincare.Distance(row(i), row(j), c)/(2*far)}} {
					got := of.p.At(i, j)
					if math.Abs(got-of.want) > 1e-12 || got != of.p.At(j, i) || got < 0 || got > 1 {
						t.Fatalf("c = %g, %d %d: %g, want %g", c, i, j, got, of.want)
					}
				}
			}
		}
	}
}

func TestPointsEdge(t *testing.T) {
	for want, f := range map[float64]func([]float64, int, float64) (*Points, error){0: Depths, 1: Distances} {
		p, err := f(make([]float64, 6), 2, 1)
		if err != nil || p.At(0, 1) != want {
			t.Errorf("points at the origin: %v, %v, want %g", p.At(0, 1), err, want)
		}
		if p, err := f(nil, 2, 1); err != nil || p.Len() != 0 {
			t.Error("no points:", err)
		}
		for say, bad := range map[string][]float64{"row 1 has norm 1.1": {0, 0, 1.1, 0}, "row 0 has norm NaN": {math.NaN(), 0}} {
			if _, err := f(bad, 2, 1); err == nil || !strings.Contains(err.Error(), say) {
				t.Errorf("%v: %v, want %q", bad, err, say)
			}
		}
		if _, err := f(nil, 2, 0); err == nil || !strings.Contains(err.Error(), "c is 0") {
			t.Error(err)
		}
	}
}

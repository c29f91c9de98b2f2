package viz

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestHistogram(t *testing.T) {
	x := bell(1000, 0, 1, 5)
	edges := evenEdges(slices.Min(x), slices.Max(x), 7)
	counts := counted(x, edges)
	for k, c := range counts {
		want := 0
		for _, v := range x {
			if v >= edges[k] && (v < edges[k+1] || k == 6 && v <= edges[7]) {
				want++
			}
		}
		if c != want {
			t.Errorf("bin %d holds %d, want %d", k, c, want)
		}
	}
	area := 0.0
	for k, h := range density(counts, edges) {
		area += h * (edges[k+1] - edges[k])
	}
	if math.Abs(area-1) > 1e-12 {
		t.Errorf("area %g", area)
	}
}

func TestPairsOverlap(t *testing.T) {
	for _, c := range []struct {
		name               string
		positive, negative []float64
		want               float64
	}{
		{"equal", []float64{0, 1, 2}, []float64{0, 1, 2}, 1},
		{"apart", []float64{3, 4}, []float64{0, 1}, 0},
		{"half", []float64{0, 4}, []float64{0, 1, 0, 1}, 0.5},
		{"none", nil, []float64{1, 2}, 0},
	} {
		f := Pairs([]PairSet{{"", c.positive, c.negative}}, PairsOptions{Bins: 4})
		if got := f.sets[0].overlap; math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: overlap %g, want %g", c.name, got, c.want)
		}
	}
}

func TestNormsClipped(t *testing.T) {
	f := Norms([]float64{1, 2, 2.2997, 2.3 * (1 - 5e-5), 2.3, 2.5}, NormsOptions{Clip: 2.3})
	if f.o.Clipped != 0.5 || !strings.Contains(f.Alt(), "clip radius 2.3, 50 % at it") {
		t.Errorf("share %g, %s", f.o.Clipped, f.Alt())
	}
}

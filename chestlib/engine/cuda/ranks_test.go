package cuda_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/engine/cuda"
	"github.com/chestlab/chest/chestlib/poincare"
)

// items is n rows of d in the ball of curvature -1, of few labels; the last label
// occurs once.
func items(rng *rand.Rand, n, d int) cuda.Items {
	x := cuda.Items{X: make([]float32, n*d)}
	for i := range x.X {
		x.X[i] = float32(rng.NormFloat64() * 0.5 / math.Sqrt(float64(d)))
	}
	for range n {
		x.Label = append(x.Label, rng.IntN(5))
	}
	x.Label[n-1] = 99
	return x
}

// ranked is the obvious way: sort by score.
func ranked(q, g cuda.Items, self bool, o cuda.RankOptions) (ranks []int) {
	wide := func(x cuda.Items, i int) []float64 {
		row := make([]float64, o.D)
		for j, v := range x.X[i*o.D : (i+1)*o.D] {
			row[j] = float64(v)
		}
		return row
	}
	for i := range q.Label {
		var order []int
		score := make([]float64, len(g.Label))
		x := wide(q, i)
		for j := range g.Label {
			y := wide(g, j)
			var xx, yy, xy float64
			for t := range x {
				xx, yy, xy = xx+x[t]*x[t], yy+y[t]*y[t], xy+x[t]*y[t]
			}
			score[j] = xy / math.Sqrt(xx*yy)
			if o.Ball {
				score[j] = -poincare.Distance(x, y, o.Curvature)
			}
			if !(self && i == j) {
				order = append(order, j)
			}
		}
		slices.SortStableFunc(order, func(a, b int) int {
			if score[a] > score[b] {
				return -1
			}
			if score[a] < score[b] {
				return 1
			}
			return 0
		})
		ranks = append(ranks, 1+slices.IndexFunc(order, func(j int) bool { return g.Label[j] == q.Label[i] }))
	}
	return ranks
}

// TestRanks compares with sorting, in both spaces, with and without a gallery, in tiles.
func TestRanks(t *testing.T) {
	d := open(t)
	rng := rand.New(rand.NewPCG(1, 2))
	q, g := items(rng, 60, 7), items(rng, 300, 7)
	for _, o := range []cuda.RankOptions{{D: 7}, {D: 7, Ball: true, Curvature: 1}, {D: 7, Tile: 10000}} {
		for _, gallery := range []*cuda.Items{nil, &g} {
			got, err := d.Ranks(context.Background(), q, gallery, o)
			if err != nil {
				t.Fatal(err)
			}
			all, self := g, false
			if gallery == nil {
				all, self = q, true
			}
			if want := ranked(q, all, self, o); !slices.Equal(got, want) {
				t.Errorf("%+v, self %v: ranks\n%v, want\n%v", o, self, got, want)
			}
			if self && got[59] != 0 {
				t.Errorf("the query whose label is its own has rank %d", got[59])
			}
		}
	}
}

func TestRanksErrors(t *testing.T) {
	d := open(t)
	q := items(rand.New(rand.NewPCG(1, 2)), 6, 3)
	far := cuda.Items{X: []float32{1, 1, 1}, Label: []int{0}}
	for _, c := range []struct {
		q    cuda.Items
		g    *cuda.Items
		o    cuda.RankOptions
		says string
	}{
		{q, nil, cuda.RankOptions{D: 4}, "queries have 18 entries for 6 labels, want 6×4"},
		{q, &far, cuda.RankOptions{D: 3, Ball: true}, "Curvature is 0"},
		{q, &far, cuda.RankOptions{D: 3, Ball: true, Curvature: 1}, "row 0 is not in the ball: c‖x‖² is 3"},
		{q, &cuda.Items{X: q.X}, cuda.RankOptions{D: 3}, "gallery have 18 entries for 0 labels"},
	} {
		if _, err := d.Ranks(context.Background(), c.q, c.g, c.o); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("error %v, want one that says %q", err, c.says)
		}
	}
	if r, err := d.Ranks(context.Background(), cuda.Items{}, nil, cuda.RankOptions{D: 3}); err != nil || len(r) != 0 {
		t.Errorf("no queries: %v, %v", r, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := d.Ranks(ctx, q, nil, cuda.RankOptions{D: 3}); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "stopped after 0") {
		t.Errorf("cancelled: %v", err)
	}
}

package metric

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/chestlab/chest/internal/cpu"
)

// sorted measures by the scorer alone: every pair in float64, every gallery
// sorted in full.
func sorted(s *scorer, qlabel, glabel []int, self bool, ks []int) Result {
	out := make([]outcome, s.q.n)
	for i := range out {
		var all []hit
		relevant := 0
		for j := range s.g.n {
			if self && i == j {
				continue
			}
			all = append(all, hit{j, s.score(i, j)})
			if glabel[j] == qlabel[i] {
				relevant++
			}
		}
		slices.SortFunc(all, hit.compare)
		var ranks []int
		for at, h := range all {
			if glabel[h.row] == qlabel[i] {
				ranks = append(ranks, at+1)
			}
		}
		out[i] = judge(ranks, relevant)
	}
	return average(out, ks)
}

// sets are data of more than one block and tile, and all kinds of trouble.
var sets = []struct {
	name string
	make func(rng *rand.Rand, n, d int) []float32
}{
	{"normal", normal},
	{"grid", grid},
	{"twins", twins},
	{"clusters", func(rng *rand.Rand, n, d int) []float32 {
		x, centres := normal(rng, n, d), normal(rng, 40, d)
		for i := range x {
			x[i] = x[i]/5 + centres[i/d%40*d+i%d]
		}
		return x
	}},
	{"copies, nearly", func(rng *rand.Rand, n, d int) []float32 {
		x, centres := normal(rng, n, d), normal(rng, 40, d)
		for i := range x {
			x[i] = x[i]*1e-6 + centres[i/d%40*d+i%d]
		}
		return x
	}},
	{"all sizes", func(rng *rand.Rand, n, d int) []float32 {
		x := normal(rng, n, d)
		for i := range n {
			f := float32(math.Pow(10, -12*rng.Float64()))
			for k := range d {
				x[i*d+k] *= f
			}
		}
		return x
	}},
	{"zeros", func(rng *rand.Rand, n, d int) []float32 {
		x := normal(rng, n, d)
		for i := 0; i < n; i += 3 {
			clear(x[i*d : (i+1)*d])
		}
		return x
	}},
}

// TestFilter: with the filter everything is as without it, at every level.
func TestFilter(t *testing.T) {
	const n, d = 560, 24
	for _, level := range cpu.Levels() {
		defer cpu.Set(level)()
		for _, set := range sets {
			for _, o := range []Options{{}, {Space: Hyperbolic}, {Space: Hyperbolic, Curvature: 1}, {Space: Hyperbolic, Flat: true}} {
				for _, count := range []int{3, 60} {
					t.Run(fmt.Sprintf("%s/%s/%s c %g flat %v/%d classes", level, set.name, o.Space, o.Curvature, o.Flat, count), func(t *testing.T) {
						rng := rand.New(rand.NewPCG(4, 5))
						x, label := set.make(rng, n, d), classes(rng, n, count)
						inside(x, d, o)
						o.Ks = []int{1, 5, 100}
						filled, err := o.filled()
						if err != nil {
							t.Fatal(err)
						}
						tab, err := newTable("embedding", x, d, filled)
						if err != nil {
							t.Fatal(err)
						}
						s := &scorer{q: tab, g: tab, space: o.Space, c: filled.Curvature}
						got, err := Retrieval(ctx, x, label, d, o)
						if err != nil {
							t.Fatal(err)
						}
						if want := sorted(s, label, label, true, o.Ks); !reflect.DeepEqual(got, want) {
							t.Errorf("retrieval %+v, want %+v", got, want)
						}
						const k = 11
						rows, values, err := Neighbours(ctx, x, d, k, o)
						if err != nil {
							t.Fatal(err)
						}
						for i := 0; i < n; i += 23 {
							exactNeighbours(t, s, i, rows[i*k:(i+1)*k], values[i*k:(i+1)*k])
						}
						if level == cpu.Best() {
							q := 150 * d
							got, err := QueryGallery(ctx, x[:q], label[:150], x[q:], label[150:], d, o)
							if err != nil {
								t.Fatal(err)
							}
							a, _ := newTable("query", x[:q], d, filled)
							b, _ := newTable("gallery", x[q:], d, filled)
							if want := sorted(&scorer{q: a, g: b, space: o.Space, c: filled.Curvature}, label[:150], label[150:], false, o.Ks); !reflect.DeepEqual(got, want) {
								t.Errorf("query and gallery %+v, want %+v", got, want)
							}
						}
					})
				}
			}
		}
	}
}

// inside moves rows into the ball, some close to its boundary.
func inside(x []float32, d int, o Options) {
	if o.Space != Hyperbolic || o.Flat {
		return
	}
	c := o.Curvature
	if c == 0 {
		c = 0.1
	}
	for i := 0; i < len(x); i += d {
		row := x[i : i+d]
		limit := (1 - 1e-3) / c
		if i/d%5 == 0 {
			limit = (1 - 1e-6) / c
		}
		if sq := dot(row, row); sq > limit {
			f := float32(math.Sqrt(limit / sq))
			for k := range row {
				row[k] *= f
			}
		}
	}
}

func exactNeighbours(t *testing.T, s *scorer, i int, rows []int, values []float64) {
	t.Helper()
	var all []hit
	for j := range s.g.n {
		if j != i {
			all = append(all, hit{j, s.score(i, j)})
		}
	}
	slices.SortFunc(all, hit.compare)
	for r, row := range rows {
		if row != all[r].row || values[r] != s.value(all[r].score, i) {
			t.Fatalf("neighbour %d of %d is %d (%g), want %d (%g)", r, i, row, values[r], all[r].row, s.value(all[r].score, i))
		}
	}
}

// TestFilterOutOfRange: lengths that float32 products cannot hold.
func TestFilterOutOfRange(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 7))
	const n, d = 60, 5
	for _, f := range []float32{1e-25, 1e25} {
		for _, o := range []Options{{}, {Space: Hyperbolic, Flat: true}} {
			x, label := normal(rng, n, d), classes(rng, n, 6)
			for i := range x {
				x[i] *= f
			}
			got, err := Retrieval(ctx, x, label, d, o)
			if err != nil {
				t.Fatal(err)
			}
			filled, _ := o.filled()
			tab, _ := newTable("embedding", x, d, filled)
			if want := sorted(&scorer{q: tab, g: tab, space: o.Space, c: filled.Curvature}, label, label, true, filled.Ks); !reflect.DeepEqual(got, want) {
				t.Errorf("rows of length %g, %v: %+v, want %+v", f, o.Space, got, want)
			}
		}
	}
}

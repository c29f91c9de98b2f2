package metric

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/chestlab/chest/internal/cpu"
)

// slowNearest compares a row with every centre.
func slowNearest(p *points, i int, c *centres) (label int, sq float64) {
	label, sq = -1, math.Inf(1)
	for j := range c.k {
		if far := p.squared(i, c.row(j)); far < sq {
			label, sq = j, far
		}
	}
	return label, sq
}

// TestAssign: products and contenders decide as comparing all pairs does, and
// so do the distances that seeds are drawn by.
func TestAssign(t *testing.T) {
	const n, d, k = 300, 17, 150
	for _, level := range cpu.Levels() {
		defer cpu.Set(level)()
		for _, set := range sets {
			for _, o := range spaces {
				t.Run(fmt.Sprintf("%s/%s/%s flat %v", level, set.name, o.Space, o.Flat), func(t *testing.T) {
					rng := rand.New(rand.NewPCG(4, 6))
					x := set.make(rng, n, d)
					inside(x, d, Options{Space: o.Space, Curvature: o.Curvature, Flat: o.Flat})
					p := newLloyd(t, x, d, o).p
					c := p.pick(rng.Perm(n)[:k])
					for j := range k / 2 { // some centres between rows
						for a := range d {
							c.row(j)[a] = (c.row(j)[a] + c.row(j + 1)[a]) / 2
						}
					}
					c.pack()
					label, sq, near := make([]int, n), make([]float64, n), make([]float64, n)
					for i := range near {
						near[i] = math.Inf(1)
					}
					if err := p.assign(ctx, c, label, sq); err != nil {
						t.Fatal(err)
					}
					for lo := 0; lo < k; lo += 50 {
						part := newCentres(50, d)
						copy(part.x, c.x[lo*(d+1):(lo+50)*(d+1)])
						part.pack()
						if err := p.closer(ctx, part, near); err != nil {
							t.Fatal(err)
						}
					}
					for i := range n {
						if j, far := slowNearest(p, i, c); label[i] != j || sq[i] != far || near[i] != far {
							t.Fatalf("row %d: centre %d at %g, by seeds %g; want %d at %g", i, label[i], sq[i], near[i], j, far)
						}
					}
				})
			}
		}
	}
}

// TestAssignManyTiles: more centres than a tile holds, each twice.
func TestAssignManyTiles(t *testing.T) {
	const n, d = 700, 3
	p := newLloyd(t, normal(rand.New(rand.NewPCG(1, 2)), n, d), d, KMeansOptions{}).p
	rows := make([]int, 2*n)
	for j := range rows {
		rows[j] = (n - 1) - j%n
	}
	c := p.pick(rows)
	label, sq := make([]int, n), make([]float64, n)
	if err := p.assign(ctx, c, label, sq); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if label[i] != n-1-i || sq[i] != 0 {
			t.Fatalf("row %d went to centre %d at %g, want %d at 0", i, label[i], sq[i], n-1-i)
		}
	}
}

// TestPropose: accepted proposals have the distribution of seeds that are drawn
// one after the other.
func TestPropose(t *testing.T) {
	x := []float32{0, 1, 1.5, 4, 6, 6.25, -3}
	l := newLloyd(t, x, 1, KMeansOptions{Space: Hyperbolic, Flat: true})
	l.sq = make([]float64, len(x))
	var total float64
	for i := range x {
		l.sq[i] = l.p.squared(i, l.p.row(0))
		total += l.sq[i]
	}
	up := make([]float64, len(x))
	accumulate(up, l.sq)
	counts, trials := make(map[[2]int]int), 20000
	for range trials {
		got := l.propose(up, 500)
		if len(got) < 2 {
			t.Fatalf("%d of 500 proposals accepted", len(got))
		}
		counts[[2]int{got[0], got[1]}]++
	}
	for a := range x {
		after := make([]float64, len(x))
		for i := range x {
			after[i] = min(l.sq[i], l.p.squared(i, l.p.row(a)))
		}
		for b := range x {
			p := l.sq[a] / total * after[b] / sum(after)
			want, got := p*float64(trials), float64(counts[[2]int{a, b}])
			if math.Abs(got-want) > 4.5*math.Sqrt(want*(1-p))+1e-9 {
				t.Errorf("seeds %d, %d: %g times of %d, want about %.0f", a, b, got, trials, want)
			}
		}
	}
}

// TestRefill: a cluster without rows takes the farthest row of a cluster with
// others, the lower row of equals.
func TestRefill(t *testing.T) {
	x := []float32{0, 1, -1, 50, 8, -8, 9}
	l := newLloyd(t, x, 1, KMeansOptions{Space: Hyperbolic, Flat: true})
	l.p.scale = 1
	for i, v := range x {
		l.p.row(i)[0] = v
		l.p.sq[i] = float64(v) * float64(v)
	}
	l.c = newCentres(5, 1)
	for j, v := range []float32{0, 1000, 40, 2000, 3000} {
		l.c.row(j)[0] = v
	}
	l.c.pack()
	l.label, l.sq, l.size = make([]int, len(x)), make([]float64, len(x)), make([]int, 5)
	if _, err := l.assign(ctx); err != nil {
		t.Fatal(err)
	}
	if want := []int{6, 0, 1, 0, 0}; !slices.Equal(l.size, want) {
		t.Fatalf("sizes %v, want %v", l.size, want)
	}
	before := sum(l.sq)
	// 50 is farthest, but alone in its cluster; then 9, then 8 and -8 at equal distances
	if got, want := l.refill(), []int{0, 0, 0, 2, 3, 4, 1}; got != 3 || !slices.Equal(l.label, want) || !slices.Equal(l.size, []int{3, 1, 1, 1, 1}) {
		t.Errorf("%d reseeded: %v, sizes %v; want %v", got, l.label, l.size, want)
	}
	l.p.means(l.c, l.label)
	if _, err := l.assign(ctx); err != nil || l.empty() != 0 || sum(l.sq) >= before {
		t.Errorf("after: sizes %v, inertia %g, before %g (%v)", l.size, sum(l.sq), before, err)
	}
}

// TestLosesAllRows: a run does not end with a cluster that lost its rows on the
// way, but when steps run out.
func TestLosesAllRows(t *testing.T) {
	x := []float32{2.375, 2.375, 2.625, 3.625, 3.875, 3.875} // the outer centres move in and take the middle ones
	for steps, want := range map[int][]int{1: {2, 2, 2}, 2: {3, 0, 3}, 9: {2, 1, 3}} {
		l := newLloyd(t, x, 1, KMeansOptions{Space: Hyperbolic, Flat: true, Tolerance: 0.999, Iterations: steps})
		l.c, l.sq = newCentres(3, 1), make([]float64, len(x))
		for j, v := range []float64{1.9, 3.1, 4.3} {
			l.c.row(j)[0] = float32(v * l.p.scale)
		}
		l.c.pack()
		got, err := l.iterate(ctx)
		if err != nil || !slices.Equal(got.Size, want) || got.Converged != (steps == 9) || (got.Reseeded == 1) != (steps == 9) {
			t.Errorf("%d steps: %+v (%v), want sizes %v", steps, got, err, want)
		}
	}
}

// TestFewDifferentRows: no more clusters than different rows, each exact.
func TestFewDifferentRows(t *testing.T) {
	for _, o := range spaces {
		x := make([]float32, 40*2)
		for i := range 40 {
			x[2*i], x[2*i+1] = float32(i%4)/8, float32(i%4-2)/16
		}
		for _, k := range []int{4, 5, 40} {
			got, err := KMeans(ctx, x, 2, k, o)
			if err != nil {
				t.Fatal(err)
			}
			if got.K != 4 || got.Inertia != 0 || !got.Converged || slices.Min(got.Size) != 10 {
				t.Errorf("%v, k %d: %+v, want 4 clusters of 10", o.Space, k, got)
			}
		}
		for _, equal := range []float32{0, 0.25} {
			same := slices.Repeat([]float32{equal, equal}, 9)
			if got, err := KMeans(ctx, same, 2, 3, o); err != nil || got.K != 1 || got.Inertia != 0 || got.Size[0] != 9 {
				t.Errorf("%v: equal rows %g: %+v (%v)", o.Space, equal, got, err)
			}
		}
		if got, err := KMeans(ctx, x[:2], 2, 1, o); err != nil || got.K != 1 || got.Label[0] != 0 {
			t.Errorf("one row: %+v (%v)", got, err)
		}
	}
}

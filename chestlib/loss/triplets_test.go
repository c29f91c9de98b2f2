package loss

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/chestlab/chest/chestlib/hyphc"
	"github.com/chestlab/chest/chestlib/poincare"
)

// TestNear: triplets are of distinct leaves, the second is the most similar of
// the candidates, the third is uniform, and the draws are a function of rng.
func TestNear(t *testing.T) {
	const classes, k, e = 40, 2, 5
	like := normal(rand.New(rand.NewPCG(1, 1)), classes*k*e, 1)
	wide := func(leaf int) []float64 { return widen(make([]float64, e), like[leaf*e:(leaf+1)*e]) }
	nearest := func(i int) (at int) {
		top := -1.0
		for j := range classes * k {
			if w := hyphc.Similarity(wide(i), wide(j)); j != i && w > top {
				at, top = j, w
			}
		}
		return at
	}
	mean := map[int]float64{}
	for _, candidates := range []int{1, 8, 3000} {
		l := NewHypHC(classes, k, HypHCOptions{Sampling: NearTriplets, Candidates: candidates, Triplets: 400})
		draw := func() [][3]int { return slices.Clone(l.Draw(nil, like, rand.New(rand.NewPCG(2, 2)))) }
		triplets := draw()
		if !slices.Equal(triplets, draw()) || len(triplets) != 400 {
			t.Errorf("%d candidates: %d triplets, the same draws differ", candidates, len(triplets))
		}
		var thirds float64
		for _, x := range triplets {
			i, j, m := x[0], x[1], x[2]
			if i == j || i == m || j == m || min(i, j, m) < 0 || max(i, j, m) >= classes*k {
				t.Fatalf("triplet %v", x)
			}
			mean[candidates] += hyphc.Similarity(wide(i), wide(j)) / 400
			thirds += hyphc.Similarity(wide(i), wide(m)) / 400
			if candidates == 3000 && j != nearest(i) { // all leaves but e^-38 are candidates
				t.Fatalf("triplet %v: the nearest to %d is %d", x, i, nearest(i))
			}
		}
		if math.Abs(thirds-0.5) > 0.05 { // deviation 0.22/√400
			t.Errorf("%d candidates: mean similarity of the third %g, want 0.5", candidates, thirds)
		}
	}
	if !(mean[1] < 0.56 && mean[8] > 0.7 && mean[3000] > mean[8]) {
		t.Errorf("mean similarities of pairs, by candidates: %v", mean)
	}
	// few leaves: each triplet once, as in any sampling
	few := NewHypHC(4, 1, HypHCOptions{Sampling: NearTriplets}).Draw(nil, like, rand.New(rand.NewPCG(2, 2)))
	if len(few) != 4 {
		t.Errorf("%d triplets of 4 leaves", len(few))
	}
	// a similarity that is not a number must not stop the draw
	bad := slices.Clone(like)
	for i := range bad {
		bad[i] = float32(math.NaN())
	}
	NewHypHC(classes, k, HypHCOptions{Sampling: NearTriplets}).Draw(nil, bad, rand.New(rand.NewPCG(2, 2)))
	// class-mates count as alike
	aware := NewHypHC(classes, k, HypHCOptions{Sampling: NearTriplets, Candidates: 3000, Triplets: 50, LabelAware: true})
	for _, x := range aware.Draw(nil, like, rand.New(rand.NewPCG(2, 2))) {
		if x[0]/k != x[1]/k {
			t.Fatalf("triplet %v: not of one class", x)
		}
	}
}

// TestMeanLeaves: points and similarities of class means against the formulas,
// with a zero proxy, and with other K in the two spaces.
func TestMeanLeaves(t *testing.T) {
	const classes, kE, kH, dE, dH = 5, 3, 2, 4, 3
	l := NewCHEST(classes, dE, dH, CHESTOptions{
		E: SoftTripleOptions{Proxies: kE}, H: HyperSoftTripleOptions{Proxies: kH, Clip: 0.8}, Tree: HypHCOptions{Leaves: MeanLeaves},
	})
	rng := rand.New(rand.NewPCG(1, 3))
	for i := range l.h.proxies.Value {
		l.h.proxies.Value[i] *= 3 * rng.Float32()
	}
	clear(l.e.proxies.Value[:dE])
	points, like := make([]float64, 0, classes*dH), make([]float32, 0, classes*dE)
	for c := range classes {
		u, e := make([]float64, dH), make([]float64, dE)
		for k := range kH {
			for i := range u {
				u[i] += float64(l.h.proxies.Value[(c*kH+k)*dH+i]) / kH
			}
		}
		for k := range kE {
			row := widen(make([]float64, dE), l.e.proxies.Value[(c*kE+k)*dE:][:dE])
			var n float64
			for _, v := range row {
				n += v * v
			}
			for i, v := range row {
				if n > 0 {
					e[i] += v / math.Sqrt(n) / kE
				}
			}
		}
		points = append(points, poincare.ExpMap0(nil, poincare.Clip(nil, u, 0.8), 0.1)...)
		for _, v := range e {
			like = append(like, float32(v))
		}
	}
	uE, uH := normal(rng, 2*dE, 1), normal(rng, 2*dH, 1)
	got := l.Step(uE, uH, []int{0, 1}, nil, nil, nil).Tree
	if want := slowTree(l.tree, points, like, 0.1); !closeTo(got, want, 1e-6) || len(l.tree.triplets) != 10 {
		t.Errorf("%g over %d triplets, want %g over 10", got, len(l.tree.triplets), want)
	}
	for i, v := range l.tree.Like(l.e.proxies.Value, kE) {
		if !closeTo(float64(v), float64(like[i]), 1e-6) {
			t.Fatalf("like[%d] is %g, want %g", i, v, like[i])
		}
	}
	if err := (CHESTOptions{E: SoftTripleOptions{Proxies: 2}, H: HyperSoftTripleOptions{Proxies: 3}}).Check(); err == nil {
		t.Error("proxies as leaves with two K are no error")
	}
}

// TestAnneal: T falls by the factor at the epochs that it should, and the loss
// is that of a loss with this T.
func TestAnneal(t *testing.T) {
	o := CHESTOptions{E: SoftTripleOptions{Proxies: 2}, Tree: HypHCOptions{Temperature: 0.4, Anneal: 0.5, AnnealEvery: 3}}
	l := NewCHEST(4, 3, 3, o)
	var s Scheduled = l
	u := normal(rand.New(rand.NewPCG(1, 4)), 6, 1)
	for _, k := range []struct {
		done int
		want float64
	}{{0, 0.4}, {2, 0.4}, {3, 0.2}, {8, 0.1}, {9, 0.05}, {1000, 0.4e-3}, {4, 0.2}} {
		s.BeginEpoch(k.done, 20)
		if got := l.tree.Temperature(); !closeTo(got, k.want, 1e-12) {
			t.Errorf("after %d epochs T is %g, want %g", k.done, got, k.want)
		}
		o.Tree.Temperature, o.Tree.Anneal = k.want, 0
		fixed := NewCHEST(4, 3, 3, o)
		fixed.BeginEpoch(k.done, 20)
		if got, want := l.Step(u, u, []int{0, 1}, nil, nil, nil), fixed.Step(u, u, []int{0, 1}, nil, nil, nil); !closeTo(got.Tree, want.Tree, 1e-12) {
			t.Errorf("after %d epochs the tree's loss is %g, want %g", k.done, got.Tree, want.Tree)
		}
	}
	NewCHEST(4, 3, 3, CHESTOptions{Space: OnlyE}).BeginEpoch(1, 2)
	for _, name := range []fmt.Stringer{Leaves(7), Sampling(-1), MeanLeaves, NearTriplets} {
		if name.String() == "" {
			t.Errorf("%d has no name", name)
		}
	}
}

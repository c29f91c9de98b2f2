package loss

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"github.com/chestlab/chest/chestlib/ball"
)

// baseline is a loss of the table with its slow twin. soft is a setting that bends
// slowly enough for finite differences, cold one whose exponents are huge.
type baseline struct {
	name              string
	usual, soft, cold Recipe
	slow              func(r Recipe) slowLoss
}

func baselines(g Geometry) []baseline {
	all := []baseline{
		{"proxy-nca++", ProxyNCAOptions{Geometry: g}, ProxyNCAOptions{Geometry: g, Temperature: 2}, ProxyNCAOptions{Geometry: g, Temperature: 1e-6}, slowProxyNCA},
		{"proxy-nca", ProxyNCAOptions{Geometry: g, Classic: true}, ProxyNCAOptions{Geometry: g, Classic: true, Temperature: 3}, ProxyNCAOptions{Geometry: g, Classic: true, Temperature: 1e-6}, slowProxyNCA},
		{"proxy-anchor", ProxyAnchorOptions{Geometry: g}, ProxyAnchorOptions{Geometry: g, Alpha: 1.5, Delta: 0.3}, ProxyAnchorOptions{Geometry: g, Alpha: 1e6}, slowProxyAnchor},
		{"multi-similarity", MultiSimilarityOptions{Geometry: g}, MultiSimilarityOptions{Geometry: g, Alpha: 1, Beta: 2, Epsilon: 0.4}, MultiSimilarityOptions{Geometry: g, Alpha: 1e6, Beta: 1e7}, slowMultiSimilarity},
		{"multi-similarity, all", MultiSimilarityOptions{Geometry: g, NoMining: true, ZeroBase: true}, MultiSimilarityOptions{Geometry: g, NoMining: true, Beta: 3, Base: -0.5}, MultiSimilarityOptions{Geometry: g, NoMining: true, Alpha: 1e6, Beta: 1e7}, slowMultiSimilarity},
		{"pair cross-entropy", PairCrossEntropyOptions{Geometry: g}, PairCrossEntropyOptions{Geometry: g, Temperature: 0.9}, PairCrossEntropyOptions{Geometry: g, Temperature: 1e-6}, slowPairCrossEntropy},
		{"pair cross-entropy, all", PairCrossEntropyOptions{Geometry: g, AllViews: true}, PairCrossEntropyOptions{Geometry: g, AllViews: true, Temperature: 0.9}, PairCrossEntropyOptions{Geometry: g, AllViews: true, Temperature: 1e-6}, slowPairCrossEntropy},
		{"supcon", SupConOptions{Geometry: g}, SupConOptions{Geometry: g, Temperature: 0.9}, SupConOptions{Geometry: g, Temperature: 1e-6}, slowSupCon},
	}
	for _, m := range []Miner{AllTriplets, SemiHard, Hard, DistanceWeighted} {
		for _, d := range []Distance{PlainDistance, SquaredDistance, CosineDistance} {
			if g == Ball && (m == DistanceWeighted || d == CosineDistance) {
				continue
			}
			t, c := TripletOptions{Geometry: g, Miner: m, Distance: d}, ContrastiveOptions{Geometry: g, Miner: m, Distance: d}
			wide, far := t, c
			wide.Margin, far.Margin = 1e6, 1e6
			soft := t
			soft.Margin = 30 // nothing is near a kink
			all = append(all, baseline{fmt.Sprintf("triplet %v %v", m, d), t, soft, wide, slowTriplet},
				baseline{fmt.Sprintf("contrastive %v %v", m, d), c, c, far, slowContrastive})
		}
	}
	return all
}

var geometries = []Geometry{Sphere, Ball, Angle}

// made makes a loss or fails.
func made(t *testing.T, r Recipe, s Setting) Loss {
	t.Helper()
	l, err := r.Make(s)
	if err != nil {
		t.Fatalf("%s %+v: %v", r.Name(), r, err)
	}
	return l
}

// random is a batch with places for gradients.
func random(rng *rand.Rand, s Setting, n int) Batch {
	return Batch{E: normal(rng, n*s.DE, 1), H: normal(rng, n*s.DH, 0.7), Label: labels(rng, n, s.Classes),
		GE: make([]float32, n*s.DE), GH: make([]float32, n*s.DH)}
}

// inUse returns the features and the gradient that l works with.
func inUse(l Loss, b Batch) (u, g []float32) {
	if l.Uses() == OnlyE {
		return b.E, b.GE
	}
	return b.H, b.GH
}

// without is b for values only.
func without(b Batch) Batch {
	b.GE, b.GH = nil, nil
	return b
}

func TestBaselineTwin(t *testing.T) {
	for _, g := range geometries {
		for _, c := range []float64{0, 0.1, 1} {
			for _, n := range []int{1, 2, 9, 40} {
				s := Setting{Classes: 5, DE: 6, DH: 4, Curvature: c, Clip: 1.5, Seed: 3}
				b := random(rand.New(rand.NewPCG(20, uint64(n))), s, n)
				for _, k := range baselines(g) {
					for _, r := range []Recipe{k.usual, k.soft} {
						if k.slow(r) == nil {
							continue
						}
						l := made(t, r, s)
						u, _ := inUse(l, b)
						got, want := l.Add(without(b), 1), slowValue(l.(*single), s, k.slow(r), u, b.Label)
						if !closeTo(got.Total, want, 1e-10) {
							t.Errorf("%s %v, c = %g, %d rows: got %.15g, want %.15g", k.name, g, c, n, got.Total, want)
						}
						if with := l.Add(b, 1); !reflect.DeepEqual(with, got) {
							t.Errorf("%s %v: terms %+v with the gradient, %+v without", k.name, g, with, got)
						}
					}
				}
			}
		}
	}
}

func TestBaselineGradient(t *testing.T) {
	for _, g := range geometries {
		for _, c := range []float64{0, 0.1, 1} {
			s := Setting{Classes: 4, DE: 5, DH: 5, Curvature: c, Clip: 2.5}
			for _, k := range baselines(g) {
				l := made(t, k.soft, s)
				b := random(rand.New(rand.NewPCG(22, 0)), s, 14)
				u, gu := inUse(l, b)
				l.Add(b, 1.5)
				f := func() float64 { return 1.5 * l.Add(without(b), 1).Total }
				name := fmt.Sprintf("%s %v, c = %g", k.name, g, c)
				checkGradient(t, name, f, u, gu)
				for _, p := range l.Params() {
					checkGradient(t, name+" proxies", f, p.Value, p.Grad)
				}
			}
		}
	}
}

// TestBaselineAdds: Add adds to the gradients in proportion to weight, and only
// to those of its own space.
func TestBaselineAdds(t *testing.T) {
	s := Setting{Classes: 4, DE: 5, DH: 3, Curvature: 0.1, Clip: 2.3}
	for _, r := range append(Recipes(), ProxyAnchorOptions{Geometry: Angle}, PairCrossEntropyOptions{Geometry: Sphere}, TripletOptions{Geometry: Ball},
		TripletOptions{Miner: DistanceWeighted}, Sum(2, SupConOptions{}, 0.5, PairCrossEntropyOptions{})) {
		l := made(t, r, s)
		b := random(rand.New(rand.NewPCG(25, 0)), s, 10)
		first := l.Add(b, 1)
		once := slices.Concat(b.GE, b.GH, grads(l))
		if l.Add(b, 2); first.Total == 0 {
			t.Errorf("%s: the loss is 0: this tests nothing", r.Name())
		}
		for i, v := range slices.Concat(b.GE, b.GH, grads(l)) {
			if !closeTo(float64(v), 3*float64(once[i]), 2e-6) {
				t.Fatalf("%s: entry %d is %g, want 3 times %g", r.Name(), i, v, once[i])
			}
		}
		for space, g := range map[Space][]float32{OnlyE: b.GH, OnlyH: b.GE} {
			if unused := slices.ContainsFunc(g, func(v float32) bool { return v != 0 }); l.Uses() == space && unused {
				t.Errorf("%s uses %v, but has gradients in the other space", r.Name(), space)
			}
		}
		before := grads(l)
		if l.Add(without(b), 1); !slices.Equal(before, grads(l)) {
			t.Errorf("%s: a step for values changed the gradient", r.Name())
		}
	}
}

// grads are the gradients of the params of l, copied.
func grads(l Loss) (all []float32) {
	for _, p := range l.Params() {
		all = append(all, p.Grad...)
	}
	return all
}

// TestBaselineSpaces: values are where the space has them, and clipped counts
// the rows beyond r.
func TestBaselineSpaces(t *testing.T) {
	s := Setting{Classes: 2, DE: 2, DH: 2, Curvature: 0.1, Clip: 1}
	b := Batch{E: []float32{3, 0, 0, 3, 3, 3, 1, 2}, H: []float32{3, 0, 0, 0.5, 0.6, 0.8, 1, 2}, Label: []int{0, 0, 1, 1}}
	for g, clipped := range map[Geometry]float64{Sphere: 0, Ball: 0.75, Angle: 0.75} {
		for _, k := range baselines(g) {
			got := made(t, k.usual, s).Add(b, 1)
			value := map[bool]float64{true: got.E, false: got.H}[g == Sphere]
			if want := (Terms{Total: value, E: got.E, H: got.H, Clipped: clipped}); !reflect.DeepEqual(got, want) || got.E*got.H != 0 {
				t.Errorf("%s %v: %+v, want the value in one space and %g clipped", k.name, g, got, clipped)
			}
		}
	}
	if got := made(t, HIEROptions{Ancestors: 8, Neighbours: 3}, s).Add(b, 1); got.Clipped != 0.75 || got.H != got.Total || got.Total == 0 {
		t.Errorf("hier: %+v", got)
	}
}

// TestAngleIsTheBallsDirection: of the points of the ball, Angle takes the
// cosines.
func TestAngleIsTheBallsDirection(t *testing.T) {
	s := Setting{Classes: 3, DE: 4, DH: 4, Curvature: 0.5, Clip: 1}
	b := random(rand.New(rand.NewPCG(26, 0)), s, 9)
	angle, sphere := made(t, SupConOptions{Geometry: Angle}, s), made(t, SupConOptions{}, s)
	points := make([]float64, len(b.H))
	chart{4, ball.Map{C: 0.5, R: 1}}.points(points, b.H)
	onBall := make([]float32, len(points))
	for i, v := range points {
		onBall[i] = float32(v)
	}
	got, want := angle.Add(b, 1).Total, sphere.Add(Batch{E: onBall, Label: b.Label}, 1).Total
	if !closeTo(got, want, 1e-6) {
		t.Errorf("angle %g, cosines of the ball's points %g", got, want)
	}
}

// TestFlatLimit: the value goes to that of c = 0 with c.
func TestFlatLimit(t *testing.T) {
	s := Setting{Classes: 3, DE: 4, DH: 4, Clip: 2.3}
	b := random(rand.New(rand.NewPCG(27, 0)), s, 12)
	near := s
	near.Curvature = 1e-9
	recipes := []Recipe{HIEROptions{Ancestors: 12, Neighbours: 4}}
	for _, k := range baselines(Ball) {
		recipes = append(recipes, k.usual)
	}
	for _, r := range recipes {
		if a, b := made(t, r, s).Add(b, 1).Total, made(t, r, near).Add(b, 1).Total; !closeTo(a, b, 1e-6) || a == 0 {
			t.Errorf("%s %+v: %g for c = 0, %g for 1e-9", r.Name(), r, a, b)
		}
	}
}

// TestBaselineDeterminism: same bits on any number of processors.
func TestBaselineDeterminism(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	s := Setting{Classes: 30, DE: 24, DH: 16, Curvature: 0.1, Clip: 2.3, Seed: 7}
	recipes := []Recipe{HIEROptions{Ancestors: 50, Triplets: 20}, Sum(1, ProxyAnchorOptions{}, 0.5, HIEROptions{Ancestors: 30})}
	for _, g := range geometries {
		for _, k := range baselines(g) {
			recipes = append(recipes, k.usual)
		}
	}
	for _, r := range recipes {
		var first []float32
		var terms Terms
		for _, procs := range []int{1, 2, 7} {
			runtime.GOMAXPROCS(procs)
			l, rng := made(t, r, s), rand.New(rand.NewPCG(29, 0))
			b := random(rng, s, 70)
			b.Rand = rng
			got := l.Add(b, 1)
			all := slices.Concat(b.GE, b.GH, grads(l))
			if first == nil {
				first, terms = all, got
			}
			if !reflect.DeepEqual(got, terms) || !slices.Equal(all, first) {
				t.Errorf("%s %+v: other bits on %d processors", r.Name(), r, procs)
			}
		}
	}
}

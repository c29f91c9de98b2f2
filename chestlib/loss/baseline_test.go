package loss

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"github.com/chestlab/chest/chestlib/ball"
	"github.com/chestlab/chest/chestlib/poincare"
)

// slowLoss is a loss as its formula reads: s and d are similarity and distance
// of row i and row or proxy j, of which there are m.
type slowLoss func(s, d func(i, j int) float64, m int, label []int) float64

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

func slowProxyNCA(r Recipe) slowLoss {
	o := r.(ProxyNCAOptions).withDefaults()
	return func(_, d func(i, j int) float64, m int, label []int) (sum float64) {
		for i, y := range label {
			own, den := math.Exp(-d(i, y)*d(i, y)/o.Temperature), 0.0
			for c := range m {
				if c != y || !o.Classic {
					den += math.Exp(-d(i, c) * d(i, c) / o.Temperature)
				}
			}
			sum -= math.Log(own/den) / float64(len(label))
		}
		return sum
	}
}

func slowProxyAnchor(r Recipe) slowLoss {
	o := r.(ProxyAnchorOptions).withDefaults()
	return func(s, _ func(i, j int) float64, m int, label []int) float64 {
		var pull, push, with float64
		for c := range m {
			own, other := 0.0, 0.0
			for i, y := range label {
				if y == c {
					own += math.Exp(-o.Alpha * (s(i, c) - o.Delta))
				} else {
					other += math.Exp(o.Alpha * (s(i, c) + o.Delta))
				}
			}
			if slices.Contains(label, c) {
				with++
			}
			pull += math.Log(1 + own)
			push += math.Log(1 + other)
		}
		return pull/with + push/float64(m)
	}
}

func slowMultiSimilarity(r Recipe) slowLoss {
	o := r.(MultiSimilarityOptions).withDefaults()
	return func(s, _ func(i, j int) float64, m int, label []int) (sum float64) {
		for i := range label {
			var pos, neg []float64
			for j := range label {
				if label[j] != label[i] {
					neg = append(neg, s(i, j))
				} else if j != i {
					pos = append(pos, s(i, j))
				}
			}
			if !o.NoMining && (len(pos) == 0 || len(neg) == 0) {
				continue
			}
			pull, push := 0.0, 0.0
			for _, v := range pos {
				if o.NoMining || v-o.Epsilon < slices.Max(neg) {
					pull += math.Exp(-o.Alpha * (v - o.Base))
				}
			}
			for _, v := range neg {
				if o.NoMining || v+o.Epsilon > slices.Min(pos) {
					push += math.Exp(o.Beta * (v - o.Base))
				}
			}
			sum += (math.Log(1+pull)/o.Alpha + math.Log(1+push)/o.Beta) / float64(len(label))
		}
		return sum
	}
}

func slowPairCrossEntropy(r Recipe) slowLoss {
	o := r.(PairCrossEntropyOptions).withDefaults()
	return func(s, _ func(i, j int) float64, m int, label []int) (sum float64) {
		view := func(i int) (v int) {
			for _, y := range label[:i] {
				if y == label[i] {
					v++
				}
			}
			return v
		}
		pairs := 0.0
		for i := range label {
			for j := range label {
				if i == j || label[i] != label[j] {
					continue
				}
				own := math.Exp(s(i, j) / o.Temperature)
				den := own
				for k := range label {
					if label[k] != label[i] && (o.AllViews || view(k) == view(i) || view(k) == view(j)) {
						den += math.Exp(s(i, k) / o.Temperature)
					}
				}
				sum -= math.Log(own / den)
				pairs++
			}
		}
		return sum / max(pairs, 1)
	}
}

func slowSupCon(r Recipe) slowLoss {
	o := r.(SupConOptions).withDefaults()
	return func(s, _ func(i, j int) float64, m int, label []int) (sum float64) {
		rows := 0.0
		for i := range label {
			den, positives, row := 0.0, 0.0, 0.0
			for a := range label {
				if a != i {
					den += math.Exp(s(i, a) / o.Temperature)
				}
			}
			for p := range label {
				if p != i && label[p] == label[i] {
					row -= math.Log(math.Exp(s(i, p)/o.Temperature) / den)
					positives++
				}
			}
			if positives > 0 {
				sum += row / positives
				rows++
			}
		}
		return sum / max(rows, 1)
	}
}

// slowTriplets lists the triplets of a miner that draws nothing.
func slowTriplets(m Miner, d func(i, j int) float64, label []int) (list [][3]int) {
	for a := range label {
		var pos, neg []int
		for j := range label {
			if label[j] != label[a] {
				neg = append(neg, j)
			} else if j != a {
				pos = append(pos, j)
			}
		}
		if len(pos) == 0 || len(neg) == 0 {
			continue
		}
		near := func(x, y int) int { return int(math.Copysign(1, d(a, x)-d(a, y))) }
		slices.SortStableFunc(neg, near)
		if m == Hard {
			list = append(list, [3]int{a, slices.MaxFunc(pos, near), neg[0]})
			continue
		}
		for _, p := range pos {
			for at, n := range neg {
				if m == AllTriplets || d(a, n) > d(a, p) || at == len(neg)-1 {
					list = append(list, [3]int{a, p, n})
				}
				if m == SemiHard && d(a, n) > d(a, p) {
					break
				}
			}
		}
	}
	return list
}

// slowDistance is what o makes of a distance.
func slowDistance(o Distance, d float64) float64 {
	return map[Distance]float64{PlainDistance: d, SquaredDistance: d * d, CosineDistance: d * d / 2}[o]
}

// slowTriplet is nil for the miner that draws.
func slowTriplet(r Recipe) slowLoss {
	o := r.(TripletOptions).withDefaults()
	if o.Miner == DistanceWeighted {
		return nil
	}
	return func(_, d func(i, j int) float64, m int, label []int) (sum float64) {
		list := slowTriplets(o.Miner, d, label)
		for _, t := range list {
			sum += max(slowDistance(o.Distance, d(t[0], t[1]))-slowDistance(o.Distance, d(t[0], t[2]))+o.Margin, 0)
		}
		return sum / max(float64(len(list)), 1)
	}
}

func slowContrastive(r Recipe) slowLoss {
	o := r.(ContrastiveOptions).withDefaults()
	if o.Miner == DistanceWeighted {
		return nil
	}
	return func(_, d func(i, j int) float64, m int, label []int) float64 {
		var pos, neg [][2]int
		for _, t := range slowTriplets(o.Miner, d, label) {
			pos, neg = append(pos, [2]int{t[0], t[1]}), append(neg, [2]int{t[0], t[2]})
		}
		if o.Miner == AllTriplets {
			pos, neg = nil, nil
			for i := range label {
				for j := range label {
					if label[i] != label[j] {
						neg = append(neg, [2]int{i, j})
					} else if i != j {
						pos = append(pos, [2]int{i, j})
					}
				}
			}
		}
		var pull, push float64
		for _, p := range pos {
			pull += math.Pow(slowDistance(o.Distance, d(p[0], p[1])), 2) / 2 / float64(len(pos))
		}
		for _, p := range neg {
			push += math.Pow(max(o.Margin-slowDistance(o.Distance, d(p[0], p[1])), 0), 2) / 2 / float64(len(neg))
		}
		return pull + push
	}
}

// slowPlace places row i of u.
func slowPlace(g Geometry, s Setting, u []float32, i int) []float64 {
	d := map[bool]int{true: s.DE, false: s.DH}[g == Sphere]
	row := widen(make([]float64, d), u[i*d:(i+1)*d])
	if g == Ball {
		return poincare.ExpMap0(nil, poincare.Clip(nil, row, s.radius()), s.Curvature)
	}
	norm := 0.0
	for _, v := range row {
		norm += v * v
	}
	for j := range row {
		row[j] /= math.Sqrt(norm)
	}
	return row
}

// slowValue is the value of l by its slow twin.
func slowValue(l *single, s Setting, slow slowLoss, u []float32, label []int) float64 {
	m, y := len(label), u
	if l.proxies != nil {
		m, y = s.Classes, l.proxies.Value
	}
	distance := func(i, j int) float64 {
		a, b := slowPlace(l.geometry, s, u, i), slowPlace(l.geometry, s, y, j)
		if l.geometry == Ball {
			return poincare.Distance(a, b, s.Curvature)
		}
		sum := 0.0
		for k := range a {
			sum += (a[k] - b[k]) * (a[k] - b[k])
		}
		return math.Sqrt(sum)
	}
	similarity := func(i, j int) float64 {
		if d := distance(i, j); l.geometry == Ball {
			return -d
		} else {
			return 1 - d*d/2
		}
	}
	return slow(similarity, distance, m, label)
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

// TestBaselineEdges: terms and gradients are numbers where formulas divide by
// zero or leave float64.
func TestBaselineEdges(t *testing.T) {
	fill := func(x []float32, v float32) {
		for i := range x {
			x[i] = v
		}
	}
	plain := Setting{Classes: 3, DE: 4, DH: 4, Curvature: 0.1, Clip: 2.3}
	for _, e := range []struct {
		name   string
		s      Setting
		label  []int
		change func(l Loss, u []float32)
	}{
		{"plain", plain, []int{0, 1, 2, 0, 1}, nil},
		{"one class in the batch", plain, []int{1, 1, 1}, nil},
		{"one row a class", plain, []int{2, 0, 1}, nil},
		{"one class of all", Setting{Classes: 1, DE: 4, DH: 4, Clip: 2.3, Curvature: 0.1}, []int{0, 0}, nil},
		{"classes that are absent", Setting{Classes: 500, DE: 4, DH: 4, Clip: 2.3, Curvature: 0.1}, []int{499, 3, 499}, nil},
		{"no rows", plain, nil, nil},
		{"one row", plain, []int{1}, nil},
		{"one dimension", Setting{Classes: 3, DE: 1, DH: 1, Curvature: 0.1, Clip: 2.3}, []int{0, 0, 1, 2}, nil},
		{"two dimensions", Setting{Classes: 3, DE: 2, DH: 2, Curvature: 0.1, Clip: 2.3}, []int{0, 0, 1, 2}, nil},
		{"coincident", plain, []int{0, 0, 1, 1}, func(l Loss, u []float32) {
			fill(u, 0.5)
			for _, p := range l.Params() {
				fill(p.Value, 0.5)
			}
		}},
		{"opposite", plain, []int{0, 0, 1, 1}, func(l Loss, u []float32) {
			fill(u[:8], 0.5)
			fill(u[8:], -0.5)
		}},
		{"zero features", plain, []int{0, 0, 1, 1}, func(_ Loss, u []float32) { fill(u, 0) }},
		{"zero proxies", plain, []int{0, 0, 1, 1}, func(l Loss, _ []float32) {
			for _, p := range l.Params() {
				fill(p.Value, 0)
			}
		}},
		{"all at the clip radius", plain, []int{0, 0, 1, 1}, func(l Loss, u []float32) {
			for i := range u {
				u[i] *= 1e6
			}
			for _, p := range l.Params() {
				for i := range p.Value {
					p.Value[i] *= 1e6
				}
			}
		}},
		{"no clip, huge", Setting{Classes: 3, DE: 4, DH: 4, Curvature: 1, Clip: -1}, []int{0, 0, 1, 1}, func(_ Loss, u []float32) { fill(u, 1e18) }},
		{"no clip, to the boundary", Setting{Classes: 3, DE: 4, DH: 4, Curvature: 1, Clip: -1}, []int{0, 0, 1, 1}, func(_ Loss, u []float32) {
			for i := range u {
				u[i] *= 1e6
			}
		}},
		{"tiny", plain, []int{0, 0, 1, 1}, func(_ Loss, u []float32) { fill(u, 1e-20) }},
		{"flat", Setting{Classes: 3, DE: 4, DH: 4, Clip: 2.3}, []int{0, 0, 1, 1}, nil},
		{"almost flat", Setting{Classes: 3, DE: 4, DH: 4, Clip: 2.3, Curvature: 1e-300}, []int{0, 0, 1, 1}, nil},
	} {
		recipes := []Recipe{HIEROptions{Ancestors: 9, Triplets: 3, Neighbours: 2}, HIEROptions{Ancestors: 1}, HIEROptions{Ancestors: 40, Temperature: 1e-9, Margin: 1e6}}
		for _, g := range geometries {
			for _, k := range baselines(g) {
				recipes = append(recipes, k.usual, k.cold)
			}
		}
		for _, r := range recipes {
			l := made(t, r, e.s)
			b := random(rand.New(rand.NewPCG(23, 0)), e.s, len(e.label))
			b.Label = e.label
			u, gu := inUse(l, b)
			if e.change != nil {
				e.change(l, u)
			}
			got := l.Add(b, 1)
			if math.IsNaN(got.Total) || math.IsInf(got.Total, 0) || math.IsNaN(got.Clipped) {
				t.Errorf("%s: %s %+v: %+v", e.name, r.Name(), r, got)
			}
			all := slices.Clone(gu)
			for _, p := range l.Params() {
				all = append(all, p.Grad...)
			}
			if !finite(all) {
				t.Errorf("%s: %s %+v: gradients %v", e.name, r.Name(), r, all)
			}
		}
	}
}

// TestNoPairs: a batch without any pair, triplet or, where both kinds are
// needed, without one of them, has loss 0 and no gradient.
func TestNoPairs(t *testing.T) {
	s := Setting{Classes: 4, DE: 3, DH: 3, Curvature: 0.1, Clip: 2.3}
	for _, g := range geometries {
		for _, k := range []struct {
			r      Recipe
			labels [][]int
		}{
			{MultiSimilarityOptions{Geometry: g}, [][]int{nil, {1}, {2, 2, 2}, {0, 1, 2}}},
			{PairCrossEntropyOptions{Geometry: g}, [][]int{nil, {1}, {2, 2, 2}, {0, 1, 2}}},
			{SupConOptions{Geometry: g}, [][]int{nil, {1}, {2, 2}, {0, 1, 2}}},
			{TripletOptions{Geometry: g}, [][]int{nil, {1}, {2, 2, 2}, {0, 1, 2}}},
			{TripletOptions{Geometry: g, Miner: Hard}, [][]int{nil, {1}, {2, 2, 2}, {0, 1, 2}}},
			{ContrastiveOptions{Geometry: g}, [][]int{nil, {1}}},
			{ContrastiveOptions{Geometry: g, Miner: SemiHard}, [][]int{nil, {1}, {2, 2, 2}, {0, 1, 2}}},
			{ProxyNCAOptions{Geometry: g}, [][]int{nil}},
			{ProxyAnchorOptions{Geometry: g}, [][]int{nil}},
			{HIEROptions{Ancestors: 1}, [][]int{nil, {1}, {2, 2, 2}}},
		} {
			for _, label := range k.labels {
				l := made(t, k.r, s)
				b := random(rand.New(rand.NewPCG(24, 0)), s, len(label))
				b.Label = label
				_, gu := inUse(l, b)
				if got := l.Add(b, 1); got.Total != 0 {
					t.Errorf("%s of %v: %+v, want 0", k.r.Name(), label, got)
				}
				for _, p := range l.Params() {
					gu = slices.Concat(gu, p.Grad)
				}
				if slices.ContainsFunc(gu, func(v float32) bool { return v != 0 }) {
					t.Errorf("%s of %v: gradient %v, want 0", k.r.Name(), label, gu)
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

// TestBaselineNaN: a feature that is not a number shows in the terms instead
// of panicking.
func TestBaselineNaN(t *testing.T) {
	s := Setting{Classes: 2, DE: 2, DH: 2, Curvature: 0.1, Clip: 2.3}
	recipes := []Recipe{HIEROptions{Ancestors: 6, Neighbours: 3}}
	for _, g := range geometries {
		for _, k := range baselines(g) {
			recipes = append(recipes, k.usual)
		}
	}
	for _, r := range recipes {
		b := random(rand.New(rand.NewPCG(28, 0)), s, 5)
		b.Label = []int{0, 0, 1, 1, 1}
		nan := float32(math.NaN())
		for i := range b.E {
			b.E[i], b.H[i] = nan, nan
		}
		if got := made(t, r, s).Add(b, 1); !math.IsNaN(got.Total) {
			t.Errorf("%s %+v: terms %+v of NaN features", r.Name(), r, got)
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

package loss

import (
	"math"
	"slices"

	"github.com/chestlab/chest/chestlib/poincare"
)

// slowLoss is a loss as its formula reads: s and d are similarity and distance
// of row i and row or proxy j, of which there are m.
type slowLoss func(s, d func(i, j int) float64, m int, label []int) float64

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

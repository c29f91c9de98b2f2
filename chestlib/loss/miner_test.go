package loss

import (
	"math"
	"math/rand/v2"
	"testing"
)

// selected lists the triplets of row 0 with these distances to the others.
func selected(m Miner, d []float64, label []int, dim int) (list [][2]int) {
	a := anchor{dim: dim, rng: rand.New(rand.NewPCG(1, 2))}
	a.take(0, d, label)
	m.triplets(&a, func(p, n int) { list = append(list, [2]int{p, n}) })
	return list
}

// TestMiners: the triplets of one anchor, by hand.
func TestMiners(t *testing.T) {
	label := []int{0, 0, 0, 1, 1, 2}
	d := []float64{0, 0.5, 1.2, 0.4, 0.8, 1}
	for m, want := range map[Miner][][2]int{
		AllTriplets: {{1, 3}, {1, 4}, {1, 5}, {2, 3}, {2, 4}, {2, 5}},
		SemiHard:    {{1, 4}, {2, 5}}, // nearest beyond 0.5; none beyond 1.2, so the farthest
		Hard:        {{2, 3}},
	} {
		got := selected(m, d, label, 8)
		if len(got) != len(want) {
			t.Errorf("%v: %v, want %v", m, got, want)
			continue
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%v: %v, want %v", m, got, want)
			}
		}
	}
}

// TestDistanceWeighted: negatives are drawn as 1/q says, those nearer than 0.5
// as if at 0.5, those beyond 1.4 not at all unless all are.
func TestDistanceWeighted(t *testing.T) {
	const dim, draws = 6, 40000
	label := []int{0, 0, 1, 1, 1, 1}
	for _, d := range [][]float64{{0, 1, 0.3, 0.7, 1.1, 1.5}, {0, 1, 1.5, 1.6, 1.9, 2}} {
		q := func(d float64) float64 { return math.Pow(d, dim-2) * math.Pow(1-d*d/4, (dim-3)/2.0) }
		var want [6]float64
		sum := 0.0
		for j := 2; j < 6; j++ {
			want[j] = 1 / q(max(d[j], 0.5))
			if d[j] >= 1.4 {
				want[j] = 0
			}
			sum += want[j]
		}
		for j := 2; j < 6; j++ {
			if sum == 0 {
				want[j] = 0.25
			} else {
				want[j] /= sum
			}
		}
		var got [6]float64
		a := anchor{dim: dim, rng: rand.New(rand.NewPCG(1, 2))}
		a.take(0, d, label)
		for range draws {
			DistanceWeighted.triplets(&a, func(p, n int) { got[n] += 1.0 / draws })
		}
		for j := range want {
			if math.Abs(got[j]-want[j]) > 5*math.Sqrt(want[j]*(1-want[j])/draws) {
				t.Errorf("distances %v: row %d was drawn with %.4f, want %.4f", d, j, got[j], want[j])
			}
		}
	}
	if l := selected(DistanceWeighted, []float64{0, 1, 2, 2}, []int{0, 0, 1, 1}, 512); len(l) != 1 {
		t.Errorf("antipodal negatives in 512 dimensions: %v", l)
	}
}

// TestDistanceWeightedDraws: the choices follow Batch.Rand; without one they
// are the same in every step.
func TestDistanceWeightedDraws(t *testing.T) {
	s := Setting{Classes: 5, DE: 8, DH: 8}
	l := made(t, TripletOptions{Miner: DistanceWeighted}, s)
	b := without(random(rand.New(rand.NewPCG(34, 0)), s, 40))
	if one, two := l.Add(b, 1), l.Add(b, 1); one.Total != two.Total {
		t.Errorf("without Rand: %g and %g", one.Total, two.Total)
	}
	b.Rand = rand.New(rand.NewPCG(1, 1))
	if one, two := l.Add(b, 1), l.Add(b, 1); one.Total == two.Total {
		t.Errorf("two steps of one Rand drew the same: %g", one.Total)
	}
}

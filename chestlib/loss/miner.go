package loss

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/chestlab/chest/internal/parallel"
)

// Miner says which triplets of a batch a loss of triplets or of pairs looks at.
// It only selects: no gradient goes through the choice. A triplet is an anchor
// a, a positive p (another row of its class) and a negative n (a row of another class).
type Miner int

// Miners. d is the distance in the loss's geometry.
const (
	UsualMiner Miner = iota // SemiHard for triplet, AllTriplets for contrastive

	// AllTriplets are all of them: B·P·N for P positives and N negatives a row.
	AllTriplets

	// SemiHard has for each a and p the nearest n with d(a,n) > d(a,p), and where
	// all are nearer the farthest one (Schroff et al. 2015).
	SemiHard

	// Hard has for each a its farthest p and its nearest n: one triplet a row
	// (A. Hermans, L. Beyer, B. Leibe, "In Defense of the Triplet Loss for Person
	// Re-Identification", 2017).
	Hard

	// DistanceWeighted draws for each a and p one n, with a probability in
	// proportion to 1/q(d), where q(d) ∝ d^(D-2) (1-d²/4)^((D-3)/2) is how often the
	// distance d occurs between random points of the unit sphere. d counts as 0.5 if it is
	// shorter, and rows farther than 1.4 are not drawn unless there are no
	// others: then all are equally likely. Not for the ball, where q is another
	// (C.-Y. Wu, R. Manmatha, A. Smola, P. Krähenbühl, "Sampling Matters in Deep
	// Embedding Learning", 2017; the two bounds are those of its code).
	DistanceWeighted
)

// String returns the name of the constant in small letters.
func (m Miner) String() string {
	names := [...]string{"usual", "all", "semi-hard", "hard", "distance-weighted"}
	if m < 0 || int(m) >= len(names) {
		return fmt.Sprintf("Miner(%d)", int(m))
	}
	return names[m]
}

// check finds out whether m is one of the constants and fits the geometry.
func (m Miner) check(name string, g Geometry) error {
	if m < UsualMiner || m > DistanceWeighted {
		return fmt.Errorf("loss: %s: %v is not a miner", name, m)
	}
	if m == DistanceWeighted && g == Ball {
		return fmt.Errorf("loss: %s: DistanceWeighted knows distances on a sphere only; set Geometry to Sphere or Angle, or another Miner", name)
	}
	return nil
}

// anchor is a row of a batch with the distances to all rows.
type anchor struct {
	d        []float64
	dim      int // of the space
	pos, neg []int
	weight   []float64  // scratch of DistanceWeighted: sums of 1/q up to each negative
	rng      *rand.Rand // of the anchor, for DistanceWeighted
}

// take makes a the anchor of row i.
func (a *anchor) take(i int, d []float64, label []int) {
	a.d, a.pos, a.neg = d, a.pos[:0], a.neg[:0]
	for j, c := range label {
		switch {
		case j == i:
		case c == label[i]:
			a.pos = append(a.pos, j)
		default:
			a.neg = append(a.neg, j)
		}
	}
}

// triplets calls f for each triplet of a that m selects, in a fixed order.
func (m Miner) triplets(a *anchor, f func(p, n int)) {
	if len(a.pos) == 0 || len(a.neg) == 0 {
		return
	}
	switch m {
	case Hard:
		f(a.farthest(a.pos), a.nearest(math.Inf(-1)))
		return
	case DistanceWeighted:
		a.weigh()
	}
	for _, p := range a.pos {
		switch m {
		case SemiHard:
			f(p, a.nearest(a.d[p]))
		case DistanceWeighted:
			f(p, a.draw())
		default:
			for _, n := range a.neg {
				f(p, n)
			}
		}
	}
}

// farthest returns the row of the list with the largest distance.
func (a *anchor) farthest(rows []int) int {
	best := rows[0]
	for _, j := range rows[1:] {
		if a.d[j] > a.d[best] {
			best = j
		}
	}
	return best
}

// nearest returns the nearest negative that is farther than d, the farthest if
// there is none.
func (a *anchor) nearest(d float64) int {
	best := -1
	for _, j := range a.neg {
		if a.d[j] > d && (best < 0 || a.d[j] < a.d[best]) {
			best = j
		}
	}
	if best < 0 {
		return a.farthest(a.neg)
	}
	return best
}

// Bounds of DistanceWeighted.
const (
	shortest = 0.5
	longest  = 1.4
)

// weigh fills weight with the sums of 1/q.
func (a *anchor) weigh() {
	a.weight = resized(a.weight, len(a.neg))
	top := math.Inf(-1) // of log 1/q: (1-d²/4) to a large power leaves float64
	for k, j := range a.neg {
		d := max(a.d[j], shortest)
		a.weight[k] = math.Inf(-1)
		if d < longest {
			a.weight[k] = float64(2-a.dim)*math.Log(d) - float64(a.dim-3)/2*math.Log1p(-d*d/4)
		}
		top = max(top, a.weight[k])
	}
	var sum float64
	for k, log := range a.weight {
		w := 1.0 // all are too far
		if !math.IsInf(top, -1) {
			w = math.Exp(log - top)
		}
		sum += w
		a.weight[k] = sum
	}
}

// draw returns a random negative.
func (a *anchor) draw() int {
	u := a.rng.Float64() * a.weight[len(a.weight)-1]
	for k, sum := range a.weight {
		if u < sum {
			return a.neg[k]
		}
	}
	return a.neg[len(a.neg)-1]
}

// eachAnchor calls f for each row of the table, in parallel. Random choices of
// a row depend on seed and the row alone.
func eachAnchor(t *table, label []int, dim int, seed uint64, f func(i int, a *anchor)) {
	parallel.For(t.n, blockRows, func(lo, hi int) {
		source := rand.NewPCG(0, 0)
		a := anchor{dim: dim, rng: rand.New(source)}
		for i := lo; i < hi; i++ {
			source.Seed(seed, uint64(i))
			a.take(i, t.row(t.v, i), label)
			f(i, &a)
		}
	})
}

// seed draws what the choices of a step depend on, if m makes any.
func (m Miner) seed(rng *rand.Rand) uint64 {
	if m != DistanceWeighted {
		return 0
	}
	return rng.Uint64()
}

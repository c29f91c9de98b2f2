package loss

import (
	"cmp"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
)

// ContrastiveOptions controls the contrastive loss: pairs of one class are
// pulled together, pairs of two pushed apart up to a margin.
//
// With D the distance of unit vectors or in the ball, and over the pairs (i,j)
// in the triplets that the miner selects:
//
//	L = mean over positives ½ D² + mean over negatives ½ [ m - D ]₊²
//
//	∂L/∂D = D/|positives|,  ∂L/∂D = -[ m - D ]₊/|negatives|
//
// A pair counts as often as it is selected. With AllTriplets each ordered pair
// of the batch counts once, and a row without a positive or without a
// negative counts too. The paper adds up all pairs; the two means, ours, keep
// the balance when a batch has many more negatives than positives. Without any
// pair the loss is 0.
//
// The paper trains a small convolutional network on given pairs; there is no
// recipe of it for metric learning of today.
//
// Source: R. Hadsell, S. Chopra, Y. LeCun, "Dimensionality Reduction by Learning
// an Invariant Mapping" (2006), equation 4.
type ContrastiveOptions struct {
	Margin   float64  // m, in units of D; 0 means 1, in the ball 4 (both ours); negative means none
	Distance Distance // 0 is PlainDistance
	Miner    Miner    // 0 is AllTriplets
	Geometry Geometry // 0 is Sphere
}

func (o ContrastiveOptions) withDefaults() ContrastiveOptions {
	o.Geometry = cmp.Or(o.Geometry, Sphere)
	o.Miner = cmp.Or(o.Miner, AllTriplets)
	o.Distance = cmp.Or(o.Distance, PlainDistance)
	if o.Geometry == Ball {
		o.Margin = cmp.Or(o.Margin, 4)
	}
	o.Margin = cmp.Or(o.Margin, 1)
	return o
}

// Name implements Recipe: "contrastive".
func (o ContrastiveOptions) Name() string { return "contrastive" + o.Geometry.suffix(Sphere) }

// Make implements Recipe.
func (o ContrastiveOptions) Make(s Setting) (Loss, error) {
	const name = "contrastive"
	o = o.withDefaults()
	if err := first(o.Geometry.check(name), s.check(name, o.Geometry), o.Distance.check(name, o.Geometry),
		o.Miner.check(name, o.Geometry), margin(name, "Margin", o.Margin)); err != nil {
		return nil, err
	}
	l := newSingle(name, s, o.Geometry, o.Distance.measure(), nil)
	l.criterion = &contrastive{miner: o.Miner, margin: max(o.Margin, 0), dim: l.x.chart.d}
	return l, nil
}

// contrastive is the criterion on distances of pairs.
type contrastive struct {
	miner                Miner
	margin               float64
	dim                  int
	pull, push           []float64 // sums of each row
	positives, negatives []int     // pairs of each row
}

func (l *contrastive) step(t *table, label []int, g []float64, weight float64, rng *rand.Rand) float64 {
	l.pull, l.push = zeros(l.pull, t.n), zeros(l.push, t.n)
	l.positives, l.negatives = resized(l.positives, t.n), resized(l.negatives, t.n)
	clear(l.positives)
	clear(l.negatives)
	eachAnchor(t, label, l.dim, l.miner.seed(rng), func(i int, a *anchor) {
		s, gs := t.row(t.s, i), t.row(g, i)
		l.pairs(a, func(p int) {
			l.positives[i]++
			l.pull[i] += s[p] * s[p] / 2
			if gs != nil {
				gs[p] += weight * s[p]
			}
		}, func(n int) {
			l.negatives[i]++
			gap := max(l.margin-s[n], 0)
			l.push[i] += gap * gap / 2
			if gs != nil {
				gs[n] -= weight * gap
			}
		})
	})
	pull, push := over(l.positives), over(l.negatives)
	for i := range label {
		for j := range t.row(g, i) {
			if label[j] == label[i] {
				g[i*t.m+j] *= pull
			} else {
				g[i*t.m+j] *= push
			}
		}
	}
	return pull*floats.Sum(l.pull) + push*floats.Sum(l.push)
}

// pairs calls the functions for the pairs of an anchor.
func (l *contrastive) pairs(a *anchor, positive, negative func(j int)) {
	if l.miner != AllTriplets {
		l.miner.triplets(a, func(p, n int) { positive(p); negative(n) })
		return
	}
	for _, p := range a.pos { // not once for every triplet
		positive(p)
	}
	for _, n := range a.neg {
		negative(n)
	}
}

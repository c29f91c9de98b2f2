package loss

import (
	"cmp"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
)

// TripletOptions controls the triplet loss: a row's positive has to be nearer
// than its negative, by a margin. The zero value is FaceNet's.
//
// With D the distance of unit vectors, squared, plain or of cosines, or that in
// the ball, and T the triplets (a,p,n) that the miner selects:
//
//	L = 1/|T| Σ_{(a,p,n) ∈ T} [ D(a,p) - D(a,n) + m ]₊
//
//	∂L/∂D(a,p) = 1/|T|,  ∂L/∂D(a,n) = -1/|T|   where the bracket is above 0
//
// The mean is over the selected triplets, of loss 0 too. Without any the loss is 0.
//
// FaceNet is trained with AdaGrad, rate 0.05, batches of about 1800 faces with some 40
// of each person, 128 dimensions. Semi-hard mining needs several rows a class.
//
// Source: F. Schroff, D. Kalenichenko, J. Philbin, "FaceNet: A Unified Embedding
// for Face Recognition and Clustering" (2015).
type TripletOptions struct {
	Margin   float64  // m, in units of D; 0 means 0.2, in the ball 1 (ours); negative means none
	Distance Distance // 0 is SquaredDistance, in the ball PlainDistance
	Miner    Miner    // 0 is SemiHard
	Geometry Geometry // 0 is Sphere
}

func (o TripletOptions) withDefaults() TripletOptions {
	o.Geometry = cmp.Or(o.Geometry, Sphere)
	o.Miner = cmp.Or(o.Miner, SemiHard)
	if o.Geometry == Ball {
		o.Distance = cmp.Or(o.Distance, PlainDistance)
		o.Margin = cmp.Or(o.Margin, 1)
	}
	o.Distance = cmp.Or(o.Distance, SquaredDistance)
	o.Margin = cmp.Or(o.Margin, 0.2)
	return o
}

// Name implements Recipe: "triplet".
func (o TripletOptions) Name() string { return "triplet" + o.Geometry.suffix(Sphere) }

// Make implements Recipe.
func (o TripletOptions) Make(s Setting) (Loss, error) {
	const name = "triplet"
	o = o.withDefaults()
	if err := first(o.Geometry.check(name), s.check(name, o.Geometry), o.Distance.check(name, o.Geometry),
		o.Miner.check(name, o.Geometry), margin(name, "Margin", o.Margin)); err != nil {
		return nil, err
	}
	l := newSingle(name, s, o.Geometry, o.Distance.measure(), nil)
	l.criterion = &triplet{miner: o.Miner, margin: max(o.Margin, 0), dim: l.x.chart.d}
	return l, nil
}

// triplet is the criterion on distances of pairs.
type triplet struct {
	miner   Miner
	margin  float64
	dim     int
	rowLoss []float64
	count   []int // triplets of each row
}

func (l *triplet) step(t *table, label []int, g []float64, weight float64, rng *rand.Rand) float64 {
	l.rowLoss, l.count = zeros(l.rowLoss, t.n), resized(l.count, t.n)
	clear(l.count)
	eachAnchor(t, label, l.dim, l.miner.seed(rng), func(i int, a *anchor) {
		s, gs := t.row(t.s, i), t.row(g, i)
		l.miner.triplets(a, func(p, n int) {
			l.count[i]++
			excess := s[p] - s[n] + l.margin
			if excess <= 0 {
				return
			}
			l.rowLoss[i] += excess
			if gs != nil {
				gs[p] += weight
				gs[n] -= weight
			}
		})
	})
	scale := over(l.count)
	floats.Scale(scale, g)
	return scale * floats.Sum(l.rowLoss)
}

// over is 1 over the sum of the counts, 0 over nothing.
func over(count []int) float64 {
	sum := 0
	for _, n := range count {
		sum += n
	}
	if sum == 0 {
		return 0
	}
	return 1 / float64(sum)
}

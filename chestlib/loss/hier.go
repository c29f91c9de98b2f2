package loss

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/chestlib/poincare"
)

// HIEROptions controls HIER, a regulariser in the ball: learnable ancestors
// become a hierarchy above the features. It is made to be added to a loss that
// classifies; see Sum for the method of the paper.
//
// Ancestors ρ are trained tangent vectors, placed like features: ρ =
// expmap₀(clip_r(v)). Nodes are the rows of the batch, and in a second, equal
// sum the ancestors themselves. A triplet (i,j,k) is a node, one of its
// reciprocal nearest neighbours and a node that is not one: 50 of each node,
// drawn with replacement; rows of one class are nearest whatever their
// distance. Where all nodes are near each other, as in a batch of no more rows
// than Neighbours, there are no triplets, and their sum is 0. With Gumbel noise
// g a triplet chooses two common ancestors,
//
//	ρ_ij  = argmax over ρ of -max{ d(i,ρ), d(j,ρ) }/τ + g
//	ρ_ijk = argmax over ρ of -max{ d(i,ρ), d(j,ρ), d(k,ρ) }/τ + g'
//	L_ijk = [ d(i,ρ_ij) - d(i,ρ_ijk) + m ]₊ + [ d(j,ρ_ij) - d(j,ρ_ijk) + m ]₊
//	      + [ d(k,ρ_ijk) - d(k,ρ_ij) + m ]₊,   0 if ρ_ij = ρ_ijk
//	L     = mean of L_ijk over triplets of rows + the same over triplets of ancestors
//
// i and j are drawn to the ancestor that is theirs alone, k away from it. The
// gradient by distances to the chosen ancestors is that of the hinges. The choice
// itself is straight-through: as if d(·,ρ_ij) were Σ_ρ p_ρ d(·,ρ) with p the
// softmax of what argmax takes, so the others learn too. NoStraightThrough
// leaves that out; then the gradient is the derivative of the value.
//
// Unlike here, the authors' code may draw the node itself as k, leaves out nodes
// with a single reciprocal neighbour, and rescales gradients at points of the
// ball to Riemannian ones before they go on to the tangent vectors.
//
// The ancestors are in the group "proxies" of the optimiser, and get its rate.
// The authors have two: 50 times the model's for ancestors, 10⁴ times for
// proxies. They train with AdamW, rate 1e-5 (DINO 5e-6; ResNet-50 1e-4 to 6e-4)
// times batch/180, decay 1e-2 (CUB, Cars) or 1e-4, gradients cut to ±10,
// batches of 180 with 2 rows a class, 128 dimensions.
//
// Cost: besides the distances 2·Ancestors random numbers for each of
// Triplets·(B + Ancestors) triplets. At the defaults and B = 180 these are 35
// million, about half a second on one core. A matrix of B×Ancestors and one of
// Ancestors×Ancestors is kept for each of 8 lanes.
//
// Source: S. Kim, B. Jeong, S. Kwak, "HIER: Metric Learning Beyond Class Labels
// via Hierarchical Regularization" (2023).
type HIEROptions struct {
	Ancestors         int     // 0 means 512
	Margin            float64 // m, a distance; 0 means 0.1, negative means none
	Temperature       float64 // τ, a distance; 0 means 0.1
	Neighbours        int     // nearest nodes of a node, itself included; 0 means 20
	Triplets          int     // of each node; 0 means 50
	NoStraightThrough bool    // no gradient through the choice of ancestors
	Seed              uint64  // of the first ancestors; 0 means the setting's
}

func (o HIEROptions) withDefaults() HIEROptions {
	o.Ancestors = cmp.Or(o.Ancestors, 512)
	o.Margin = cmp.Or(o.Margin, 0.1)
	o.Temperature = cmp.Or(o.Temperature, 0.1)
	o.Neighbours = cmp.Or(o.Neighbours, 20)
	o.Triplets = cmp.Or(o.Triplets, 50)
	return o
}

// check finds options, with their defaults, that make no sense.
func (o HIEROptions) check() error {
	for _, v := range []struct {
		name string
		n    int
	}{{"Ancestors", o.Ancestors}, {"Neighbours", o.Neighbours}, {"Triplets", o.Triplets}} {
		if v.n < 1 {
			return fmt.Errorf("loss: HIER: %s is %d; want a positive number (0 means its default)", v.name, v.n)
		}
	}
	return first(positive("HIER", "Temperature", o.Temperature), margin("HIER", "Margin", o.Margin))
}

// Name implements Recipe: "hier".
func (o HIEROptions) Name() string { return "hier" }

// Make implements Recipe.
func (o HIEROptions) Make(s Setting) (Loss, error) {
	o = o.withDefaults()
	if err := first(o.check(), s.check("HIER", Ball)); err != nil {
		return nil, err
	}
	o.Margin, o.Seed = max(o.Margin, 0), cmp.Or(o.Seed, s.Seed)
	l := &hier{o: o, classes: s.Classes, x: newPlaced(Ball, s), a: newPlaced(Ball, s)}
	length := 0.9 * s.radius() // the authors'; 0.9 · 2.3 without a clip
	if math.IsInf(length, 1) {
		length = 0.9 * 2.3
	}
	l.ancestors = newProxies("ancestors.H", o.Ancestors, s.DH, length, rand.New(rand.NewPCG(o.Seed, 'A')))
	return l, nil
}

// hier is the loss of HIEROptions.
type hier struct {
	o         HIEROptions
	classes   int
	ancestors *optim.Param
	x, a      placed

	rows, among level // of the batch's rows, of the ancestors
	pairs       poincare.Pairs
	between     []float64 // B×B: distances of the rows
}

// Params implements Loss.
func (l *hier) Params() []*optim.Param { return []*optim.Param{l.ancestors} }

// Uses implements Loss.
func (l *hier) Uses() Space { return OnlyH }

// Add implements Loss.
func (l *hier) Add(b Batch, weight float64) Terms {
	u, gu := b.of(OnlyH)
	checkBatch("HIER", u, gu, b.Label, l.x.chart.d, l.classes)
	l.x.put(u)
	l.a.put(l.ancestors.Value)
	n, d, c := len(b.Label), l.x.chart.d, l.x.chart.C
	rng := cmp.Or(b.Rand, rand.New(rand.NewPCG(l.o.Seed, 'G')))
	l.between = l.pairs.Distances(resized(l.between, n*n), l.x.x, l.x.x, d, c)
	l.rows.distances(&l.x, &l.a)
	l.among.distances(&l.a, &l.a)
	l.rows.draw(l.o, l.between, b.Label, rng)
	l.among.draw(l.o, l.among.d, nil, rng)
	value := l.rows.step(l.o, gu != nil, weight) + l.among.step(l.o, gu != nil, weight)
	if gu != nil {
		l.x.g, l.a.g = zeros(l.x.g, n*d), zeros(l.a.g, len(l.a.x))
		l.rows.pairs.Grad(l.x.g, l.a.g, l.rows.g)
		l.among.pairs.Grad(l.a.g, l.a.g, l.among.g)
		sums := l.x.pull(gu, u)
		sums.Add(l.a.pull(l.ancestors.Grad, l.ancestors.Value))
		sums.Length = floats.Dot(l.rows.g, l.rows.d) + floats.Dot(l.among.g, l.among.d)
		l.x.addGrad(sums)
	}
	return Terms{Total: value, H: value, Clipped: share(l.x.clipped, n)}
}

package loss

import (
	"cmp"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/internal/parallel"
)

// PairCrossEntropyOptions controls the pairwise cross-entropy of Hyp-ViT: each
// row has to find its partner among the rows of other classes.
//
// Rows are numbered within their class in the order of the batch: the first of
// each class are its view 0, the next its view 1, and so on. With s_ij = -d(x_i,
// x_j) in the ball, or the cosine, and z = s/τ, the loss is the mean over all
// ordered pairs (i,j) of one class, i ≠ j, of
//
//	L_ij = log( exp z_ij + Σ_k exp z_ik ) - z_ij
//
// where k goes over the rows of other classes of the view of i or of j.
//
// A balanced batch, V rows of each class, is the paper's: for two views a ≠ b of
// N classes its code takes the cross-entropy of row i of view a with the
// logits of view b (the partner and N-1 others) and of view a (its own masked,
// so N-1 others): the same denominator. It does so for both directions of all
// V(V-1) pairs of views and adds these up; here it is the mean, which differs
// by that factor only. In a batch that is not balanced, a class with fewer views is missing
// from the denominators of the others, and a class counts by its number of
// ordered pairs; a row alone in its class is only a negative. AllViews takes k
// over all rows of other classes: the same for V = 2, more negatives for more views,
// and no dependence on the order within the batch.
//
// With p_ik = exp z_ik / (exp z_ij + Σ exp z) and P the number of pairs,
//
//	∂L_ij/∂s_ik = ( p_ik - [k = j] ) / (τP)
//
// The authors train with AdamW (default decay 1e-2), rate 3e-5 (DINO 1e-5),
// batches of 900 (Cars 882) with 9 rows a class (SOP and In-Shop 2),
// gradients clipped to norm 3, c = 0.1, r = 2.3, 128 dimensions, patch embedding
// frozen. Where that clipping acts, their sum over pairs of views and this
// mean are not the same.
//
// Source: A. Ermolov, L. Mirvakhabova, V. Khrulkov, N. Sebe, I. Oseledets,
// "Hyperbolic Vision Transformers: Combining Improvements in Metric Learning"
// (2022).
type PairCrossEntropyOptions struct {
	Temperature float64  // τ; 0 means 0.2 in the ball, 0.1 on the sphere
	AllViews    bool     // negatives of all views, not only those of the pair
	Geometry    Geometry // 0 is Ball
}

func (o PairCrossEntropyOptions) withDefaults() PairCrossEntropyOptions {
	o.Geometry = cmp.Or(o.Geometry, Ball)
	if o.Geometry != Ball {
		o.Temperature = cmp.Or(o.Temperature, 0.1)
	}
	o.Temperature = cmp.Or(o.Temperature, 0.2)
	return o
}

// Name implements Recipe: "pair-cross-entropy", "pair-cross-entropy/sphere".
func (o PairCrossEntropyOptions) Name() string { return "pair-cross-entropy" + o.Geometry.suffix(Ball) }

// Make implements Recipe.
func (o PairCrossEntropyOptions) Make(s Setting) (Loss, error) {
	const name = "pair cross-entropy"
	o = o.withDefaults()
	if err := first(o.Geometry.check(name), s.check(name, o.Geometry), positive(name, "Temperature", o.Temperature)); err != nil {
		return nil, err
	}
	return newSingle(name, s, o.Geometry, similarity(o.Geometry), &pairCrossEntropy{o: o}), nil
}

// pairCrossEntropy is the criterion on similarities of pairs.
type pairCrossEntropy struct {
	o       PairCrossEntropyOptions
	view    []int // of each row; all 0 for AllViews
	count   []int // rows of each class so far
	rowLoss []float64
}

func (l *pairCrossEntropy) step(t *table, label []int, g []float64, weight float64, _ *rand.Rand) float64 {
	views, pairs := l.number(label)
	if pairs == 0 {
		return 0
	}
	l.rowLoss = resized(l.rowLoss, t.n)
	parallel.For(t.n, blockRows, func(lo, hi int) {
		other, mass := make([]logSum, views), make([]float64, views)
		for i := lo; i < hi; i++ {
			l.rowLoss[i] = l.row(i, t.row(t.s, i), label, other, mass, t.row(g, i), weight/float64(pairs))
		}
	})
	return floats.Sum(l.rowLoss) / float64(pairs)
}

// number gives each row its view and returns how many views and how many
// ordered pairs of one class there are.
func (l *pairCrossEntropy) number(label []int) (views, pairs int) {
	l.view = resized(l.view, len(label))
	clear(l.count)
	for i, c := range label {
		for len(l.count) <= c {
			l.count = append(l.count, 0)
		}
		l.view[i] = l.count[c]
		pairs += 2 * l.count[c] // with each of the class before it, both ways
		l.count[c]++
		views = max(views, l.count[c])
	}
	if l.o.AllViews {
		clear(l.view)
		views = min(views, 1)
	}
	return views, pairs
}

// row is the sum of L_ij over j, and adds weight times its gradient to g.
// other and mass are scratch, one a view.
func (l *pairCrossEntropy) row(i int, s []float64, label []int, other []logSum, mass, g []float64, weight float64) float64 {
	for v := range other {
		other[v] = noTerms()
	}
	clear(mass)
	for k, v := range s {
		if label[k] != label[i] {
			other[l.view[k]].add(v / l.o.Temperature)
		}
	}
	var loss float64
	for j, v := range s {
		if j == i || label[j] != label[i] {
			continue
		}
		a, b, z := l.view[i], l.view[j], v/l.o.Temperature
		all := noTerms()
		all.add(z)
		all.add(other[a].value())
		if a != b {
			all.add(other[b].value())
		}
		log := all.value()
		loss += log - z
		if g == nil {
			continue
		}
		g[j] += weight / l.o.Temperature * (math.Exp(z-log) - 1)
		mass[a] += math.Exp(other[a].value() - log)
		if a != b {
			mass[b] += math.Exp(other[b].value() - log)
		}
	}
	if g != nil {
		l.spread(i, s, label, other, mass, g, weight/l.o.Temperature)
	}
	return loss
}

// spread gives the rows of other classes their shares of the mass of their view.
func (l *pairCrossEntropy) spread(i int, s []float64, label []int, other []logSum, mass, g []float64, weight float64) {
	for k, v := range s {
		if at := l.view[k]; label[k] != label[i] && mass[at] > 0 {
			g[k] += weight * mass[at] * math.Exp(v/l.o.Temperature-other[at].value())
		}
	}
}

package loss

import (
	"cmp"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/internal/parallel"
)

// MultiSimilarityOptions controls the multi-similarity loss: pairs of a batch,
// weighted by their own similarity and by those of the row's other pairs.
//
// With s_ij = x_i·x_j of unit vectors, and for each row i the mined positives P_i
// (same class, not i itself) and negatives N_i:
//
//	L = 1/B Σ_i { 1/α log( 1 + Σ_{j ∈ P_i} exp(-α(s_ij-λ)) )
//	            + 1/β log( 1 + Σ_{j ∈ N_i} exp( β(s_ij-λ)) ) }
//	P_i = { j positive: s_ij < max over negatives of s_i + ε }
//	N_i = { j negative: s_ij > min over positives of s_i - ε }
//
//	∂L/∂s_ij = -exp(-α(s_ij-λ)) / (1+Σ) / B,  j ∈ P_i
//	∂L/∂s_ij =  exp( β(s_ij-λ)) / (1+Σ) / B,  j ∈ N_i
//
// Mining only selects: no gradient goes through the bounds. A row without any
// positive or without any negative gives nothing if mined. With NoMining P_i
// and N_i are all pairs, and such a row still gives its other half. The
// authors' code also leaves out positives of cosine above 1 - 1e-5, so as to
// drop the row itself; here the row alone is left out.
//
// α = 2, β = 50, λ = 0.5, ε = 0.1 are what the comparison in Proxy-Anchor's code
// uses (HIER's too, without mining). The authors' own code has the same α, λ and ε,
// and β = 40 unless configured. In the ball s is -d(x_i, x_j), our extension: λ
// then wants to be about -4.
//
// The authors (their code, CUB) train with Adam of decay 5e-4, rate 3e-5, a
// tenth of it after 1200 and 2400 of 3000 steps, batches of 80 from 16 classes,
// 512 dimensions.
//
// Source: X. Wang, X. Han, W. Huang, D. Dong, M. Scott, "Multi-Similarity Loss
// with General Pair Weighting for Deep Metric Learning" (2019).
type MultiSimilarityOptions struct {
	Alpha    float64  // α, of the positives; 0 means 2
	Beta     float64  // β, of the negatives; 0 means 50
	Base     float64  // λ, a similarity; 0 means 0.5
	ZeroBase bool     // λ = 0, whatever Base is
	Epsilon  float64  // ε, margin of the mining; 0 means 0.1, negative means none
	NoMining bool     // all pairs, whatever Epsilon is
	Geometry Geometry // 0 is Sphere
}

func (o MultiSimilarityOptions) withDefaults() MultiSimilarityOptions {
	o.Alpha = cmp.Or(o.Alpha, 2)
	o.Beta = cmp.Or(o.Beta, 50)
	o.Base = cmp.Or(o.Base, 0.5)
	o.Epsilon = cmp.Or(o.Epsilon, 0.1)
	o.Geometry = cmp.Or(o.Geometry, Sphere)
	if o.ZeroBase {
		o.Base = 0
	}
	return o
}

// Name implements Recipe: "multi-similarity".
func (o MultiSimilarityOptions) Name() string { return "multi-similarity" + o.Geometry.suffix(Sphere) }

// Make implements Recipe.
func (o MultiSimilarityOptions) Make(s Setting) (Loss, error) {
	const name = "Multi-Similarity"
	o = o.withDefaults()
	if err := first(o.Geometry.check(name), s.check(name, o.Geometry), positive(name, "Alpha", o.Alpha), positive(name, "Beta", o.Beta),
		margin(name, "Base", o.Base), margin(name, "Epsilon", o.Epsilon)); err != nil {
		return nil, err
	}
	o.Epsilon = max(o.Epsilon, 0)
	return newSingle(name, s, o.Geometry, similarity(o.Geometry), &multiSimilarity{o: o}), nil
}

// multiSimilarity is the criterion on similarities of pairs.
type multiSimilarity struct {
	o       MultiSimilarityOptions
	rowLoss []float64
}

func (l *multiSimilarity) step(t *table, label []int, g []float64, weight float64, _ *rand.Rand) float64 {
	if t.n == 0 {
		return 0
	}
	l.rowLoss = resized(l.rowLoss, t.n)
	parallel.For(t.n, blockRows, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			l.rowLoss[i] = l.row(i, t.row(t.s, i), label, t.row(g, i), weight/float64(t.n))
		}
	})
	return floats.Sum(l.rowLoss) / float64(t.n)
}

// row is the loss of row i, and adds weight times its gradient to g.
func (l *multiSimilarity) row(i int, s []float64, label []int, g []float64, weight float64) float64 {
	below, above := l.bounds(i, s, label)
	pull, push := noTerms(), noTerms()
	pull.add(0) // the 1 in log(1+Σ)
	push.add(0)
	each := func(positive, negative func(j int)) {
		for j, v := range s {
			switch {
			case j == i:
			case label[j] == label[i] && !(v >= below): // NaN counts, and shows
				positive(j)
			case label[j] != label[i] && !(v <= above):
				negative(j)
			}
		}
	}
	each(func(j int) { pull.add(-l.o.Alpha * (s[j] - l.o.Base)) }, func(j int) { push.add(l.o.Beta * (s[j] - l.o.Base)) })
	a, b := pull.value(), push.value()
	if g != nil {
		each(func(j int) { g[j] -= weight * math.Exp(-l.o.Alpha*(s[j]-l.o.Base)-a) },
			func(j int) { g[j] += weight * math.Exp(l.o.Beta*(s[j]-l.o.Base)-b) })
	}
	return a/l.o.Alpha + b/l.o.Beta
}

// bounds returns what positives of row i must be below and negatives above.
// Without a positive or without a negative none are.
func (l *multiSimilarity) bounds(i int, s []float64, label []int) (below, above float64) {
	if l.o.NoMining {
		return math.Inf(1), math.Inf(-1)
	}
	hardest, nearest := math.Inf(1), math.Inf(-1)
	for j, v := range s {
		switch {
		case j == i:
		case label[j] == label[i]:
			hardest = min(hardest, v)
		default:
			nearest = max(nearest, v)
		}
	}
	return nearest + l.o.Epsilon, hardest - l.o.Epsilon
}

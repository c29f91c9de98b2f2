package loss

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/chestlib/hyphc"
	"github.com/chestlab/chest/internal/parallel"
)

// HypHCOptions controls HypHC. All defaults are ours.
type HypHCOptions struct {
	Triplets     int     // triplets a step, or each one once if there are no more; 0 means 1000
	Temperature  float64 // T of the softmax over depths, a distance; 0 means 0.1
	LabelAware   bool    // similarity 1 within a class, else the cosine's
	BatchClasses bool    // triplets among the batch's classes and as many random others only
}

func (o HypHCOptions) withDefaults() HypHCOptions {
	o.Triplets = cmp.Or(o.Triplets, 1000)
	o.Temperature = cmp.Or(o.Temperature, 0.1)
	return o
}

// HypHC is the hierarchical clustering of proxies in the ball: it moves them so
// that similar ones have deep common ancestors.
//
// For a triplet of distinct proxies a, b, c with the depths d and similarities
// w of its pairs ab, ac, bc:
//
//	d_ab = distance from the origin of the common ancestor of p_a and p_b
//	w_ab = (1 + cos(e_a, e_b))/2,  e the proxies of the other space; no gradient
//	loss = w_ab + w_ac + w_bc - Σ w softmax(d/T),  mean over random triplets
//
// Without another space, for CHEST's OnlyH, e are the ball's own proxies as
// tangent vectors: the tree then sharpens the likeness that the angles between
// them have already.
//
// That the proxies are the leaves and that w comes from the other space is our
// reading of "HypHC as a regulariser".
type HypHC struct {
	classes, proxies int
	o                HypHCOptions

	every    []int        // all classes
	some     []int        // those of a batch and others
	taken    []bool       // of each class: it is in some
	like     []float64    // proxies of the other space, widened
	triplets [][3]int     // rows of the points
	rowLoss  []float64    // of each triplet
	gDepth   [][3]float64 // gradient by its depths
}

// NewHypHC makes the loss for classes·proxies leaves. It panics if one of the
// two is below 1, an option is negative or the temperature is not finite.
func NewHypHC(classes, proxies int, o HypHCOptions) *HypHC {
	o = o.withDefaults()
	checkSizes("HypHC", classes, 1, proxies)
	must(o.check())
	l := &HypHC{classes: classes, proxies: proxies, o: o}
	for c := range classes {
		l.every = append(l.every, c)
	}
	return l
}

// Options returns the options with the defaults filled in.
func (l *HypHC) Options() HypHCOptions { return l.o }

// Step returns the mean loss over triplets and adds weight times its
// gradient by the points to gp, or none if gp is nil.
//
// points is C·K×D, inside the ball of curvature -c; like is C·K×E, for any E,
// and gives the similarities. label is used for BatchClasses only and may be
// nil otherwise. rng draws the triplets. With fewer than three leaves the loss
// is 0. Cost: 3·Triplets dot products of D and of E, about ten times that for
// the gradient.
func (l *HypHC) Step(points []float64, like []float32, c float64, label []int, gp []float64, weight float64, rng *rand.Rand) float64 {
	leaves := l.classes * l.proxies
	if len(points)%leaves != 0 || len(like)%leaves != 0 || len(points) == 0 || len(like) == 0 {
		panic(fmt.Sprintf("loss: HypHC: %d coordinates and %d similarities' for %d leaves", len(points), len(like), leaves))
	}
	if gp != nil && len(gp) != len(points) {
		panic(fmt.Sprintf("loss: HypHC: the gradient has %d entries, the points %d", len(gp), len(points)))
	}
	if leaves < 3 {
		return 0
	}
	l.Draw(label, rng)
	l.like = widen(resized(l.like, len(like)), like)
	l.forward(points, c)
	n := float64(len(l.triplets))
	if gp != nil {
		l.backward(gp, points, c, weight/n)
	}
	return floats.Sum(l.rowLoss) / n
}

// Draw returns the triplets of a step, of distinct leaves c·K+k: all triplets
// if Triplets allows, else random ones; none with fewer than three leaves. They
// are valid until the next Draw or Step.
func (l *HypHC) Draw(label []int, rng *rand.Rand) [][3]int {
	classes := l.among(label, rng)
	n := len(classes) * l.proxies
	leaf := func(i int) int { return classes[i/l.proxies]*l.proxies + i%l.proxies }
	l.triplets = l.triplets[:0]
	if all := float64(n) * float64(n-1) * float64(n-2) / 6; all <= float64(l.o.Triplets) {
		for i := range n {
			for j := range i {
				for k := range j {
					l.triplets = append(l.triplets, [3]int{leaf(k), leaf(j), leaf(i)})
				}
			}
		}
		return l.triplets
	}
	for range l.o.Triplets {
		i, j, k := distinct(n, rng)
		l.triplets = append(l.triplets, [3]int{leaf(i), leaf(j), leaf(k)})
	}
	return l.triplets
}

// distinct returns three different numbers below n, uniformly.
func distinct(n int, rng *rand.Rand) (i, j, k int) {
	i, j, k = rng.IntN(n), rng.IntN(n-1), rng.IntN(n-2)
	// j and k are ranks among what is left; move them past what is taken
	if j >= i {
		j++
	}
	if k >= min(i, j) {
		k++
	}
	if k >= max(i, j) {
		k++
	}
	return i, j, k
}

// among returns the classes to draw leaves from: all, or those of the batch and
// as many others.
func (l *HypHC) among(label []int, rng *rand.Rand) []int {
	if !l.o.BatchClasses {
		return l.every
	}
	l.taken = resized(l.taken, l.classes)
	clear(l.taken)
	l.some = append(l.some[:0], label...)
	slices.Sort(l.some)
	l.some = slices.Compact(l.some)
	want := 2 * len(l.some)
	if want >= l.classes || want*l.proxies < 3 {
		return l.every
	}
	for _, c := range l.some {
		l.taken[c] = true
	}
	for len(l.some) < want { // ends: want < classes, so some are always left
		if c := rng.IntN(l.classes); !l.taken[c] {
			l.taken[c] = true
			l.some = append(l.some, c)
		}
	}
	return l.some
}

// forward computes the loss of each triplet and its gradient by the depths.
func (l *HypHC) forward(points []float64, c float64) {
	l.rowLoss = resized(l.rowLoss, len(l.triplets))
	l.gDepth = resized(l.gDepth, len(l.triplets))
	d := len(points) / (l.classes * l.proxies)
	parallel.For(len(l.triplets), blockRows, func(lo, hi int) {
		for t := lo; t < hi; t++ {
			var depth, w [3]float64
			for m, pair := range pairsOf(l.triplets[t]) {
				a, b := pair[0], pair[1]
				depth[m] = hyphc.LCA(points[a*d:(a+1)*d], points[b*d:(b+1)*d], c)
				w[m] = l.similarity(a, b)
			}
			l.rowLoss[t], l.gDepth[t] = hyphc.TripletLoss(depth, w, l.o.Temperature)
		}
	})
}

// backward adds weight times the gradient of the sum over triplets to gp, one
// triplet after the other: they share leaves.
func (l *HypHC) backward(gp, points []float64, c, weight float64) {
	d := len(points) / (l.classes * l.proxies)
	for t, triplet := range l.triplets {
		for m, pair := range pairsOf(triplet) {
			a, b := pair[0]*d, pair[1]*d
			hyphc.LCAGrad(gp[a:a+d], gp[b:b+d], points[a:a+d], points[b:b+d], c, weight*l.gDepth[t][m])
		}
	}
}

// pairsOf returns the pairs of a triplet in the order of hyphc.TripletLoss.
func pairsOf(t [3]int) [3][2]int {
	return [3][2]int{{t[0], t[1]}, {t[0], t[2]}, {t[1], t[2]}}
}

// similarity returns w of two leaves.
func (l *HypHC) similarity(a, b int) float64 {
	if l.o.LabelAware && a/l.proxies == b/l.proxies {
		return 1
	}
	e := len(l.like) / (l.classes * l.proxies)
	return hyphc.Similarity(l.like[a*e:(a+1)*e], l.like[b*e:(b+1)*e])
}

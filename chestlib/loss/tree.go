package loss

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/chestlib/hyphc"
	"github.com/chestlab/chest/internal/parallel"
)

// HypHCOptions controls HypHC. All defaults are ours.
type HypHCOptions struct {
	Triplets   int      // triplets a step, or each one once if there are no more; 0 means 1000
	LabelAware bool     // similarity 1 within a class, else the cosine's; of no effect on MeanLeaves
	Leaves     Leaves   // 0 is ProxyLeaves
	Sampling   Sampling // 0 is UniformTriplets
	Candidates int      // for NearTriplets; 0 means 8

	// T of the softmax over depths, a distance: at first Temperature, then
	// multiplied by Anneal after every AnnealEvery epochs, down to a thousandth.
	Temperature float64 // 0 means 0.1
	Anneal      float64 // 0 means 1: T stays
	AnnealEvery int     // 0 means 1
}

func (o HypHCOptions) withDefaults() HypHCOptions {
	o.Triplets = cmp.Or(o.Triplets, 1000)
	o.Candidates = cmp.Or(o.Candidates, 8)
	o.Temperature = cmp.Or(o.Temperature, 0.1)
	o.Anneal = cmp.Or(o.Anneal, 1)
	o.AnnealEvery = cmp.Or(o.AnnealEvery, 1)
	return o
}

// HypHC is the hierarchical clustering of proxies in the ball: it moves them so
// that similar ones have deep common ancestors.
//
// For a triplet of distinct leaves a, b, c, which are proxies, with the depths d
// and similarities w of its pairs ab, ac, bc:
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
// reading of "HypHC as a regulariser"; Leaves has another.
type HypHC struct {
	classes, proxies int // proxies: leaves of a class
	o                HypHCOptions
	temperature      float64

	every    []int        // all classes
	some     []int        // those of a batch and others
	taken    []bool       // of each class: it is in some
	mean     []float32    // Like of MeanLeaves
	sum      []float64    // one row of it
	like     []float64    // vectors of the similarities, widened
	squares  []float64    // squared lengths of the vectors, for NearTriplets
	triplets [][3]int     // rows of the points
	rowLoss  []float64    // of each triplet
	depth    [][3]float64 // of its pairs
	gDepth   [][3]float64 // gradient by them
	length   float64      // Σ depth times the gradient by it, for the gradient by the ball
}

// NewHypHC makes the loss for classes·proxies leaves, or one a class for
// MeanLeaves. It panics if one of the two is below 1, an option is negative or
// no constant of its kind, or the temperature is not finite.
func NewHypHC(classes, proxies int, o HypHCOptions) *HypHC {
	o = o.withDefaults()
	checkSizes("HypHC", classes, 1, proxies)
	must(o.check())
	if o.Leaves == MeanLeaves {
		proxies = 1
	}
	l := &HypHC{classes: classes, proxies: proxies, o: o, temperature: o.Temperature}
	for c := range classes {
		l.every = append(l.every, c)
	}
	return l
}

// coldest is the share of the first temperature that annealing ends at.
const coldest = 1e-3

// BeginEpoch anneals the temperature: T = Temperature · Anneal^⌊done/AnnealEvery⌋.
// It implements what CHEST needs for Scheduled; of is not used.
func (l *HypHC) BeginEpoch(done, of int) {
	l.temperature = l.o.Temperature * max(math.Pow(l.o.Anneal, float64(done/l.o.AnnealEvery)), coldest)
}

// Temperature is T of the present epoch.
func (l *HypHC) Temperature() float64 { return l.temperature }

// Options returns the options with the defaults filled in.
func (l *HypHC) Options() HypHCOptions { return l.o }

// Step returns the mean loss over triplets and adds weight times its
// gradient by the points to gp, or none if gp is nil.
//
// points is leaves×D, inside the ball of curvature -c; like is leaves×E, for any
// E, and gives the similarities, see Like. label is used for BatchTriplets only
// and may be nil otherwise. rng draws the triplets. With fewer than three leaves the loss
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
	l.length = 0
	if leaves < 3 {
		return 0
	}
	l.Draw(label, like, rng)
	l.like = widen(resized(l.like, len(like)), like)
	l.forward(points, c)
	n := float64(len(l.triplets))
	if gp != nil {
		l.backward(gp, points, c, weight/n)
	}
	return floats.Sum(l.rowLoss) / n
}

// forward computes the loss of each triplet and its gradient by the depths.
func (l *HypHC) forward(points []float64, c float64) {
	l.rowLoss = resized(l.rowLoss, len(l.triplets))
	l.depth = resized(l.depth, len(l.triplets))
	l.gDepth = resized(l.gDepth, len(l.triplets))
	d := len(points) / (l.classes * l.proxies)
	parallel.For(len(l.triplets), blockRows, func(lo, hi int) {
		for t := lo; t < hi; t++ {
			var w [3]float64
			for m, pair := range pairsOf(l.triplets[t]) {
				a, b := pair[0], pair[1]
				l.depth[t][m] = hyphc.LCA(points[a*d:(a+1)*d], points[b*d:(b+1)*d], c)
				w[m] = l.similarity(a, b)
			}
			l.rowLoss[t], l.gDepth[t] = hyphc.TripletLoss(l.depth[t], w, l.temperature)
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
			l.length += weight * l.gDepth[t][m] * l.depth[t][m]
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

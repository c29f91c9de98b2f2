package loss

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/chestlib/hyphc"
)

// HypHCOptions controls HypHC. All defaults are ours.
type HypHCOptions struct {
	Triplets     int     // triplets a step; 0 means 1000
	Temperature  float64 // T of the softmax over depths, a distance; 0 means 0.1
	LabelAware   bool    // similarity 1 within a class, else the cosine's
	BatchClasses bool    // triplets among the batch's classes and as many random others only
}

func (o HypHCOptions) withDefaults() HypHCOptions {
	o.Triplets = orCount(o.Triplets, 1000)
	o.Temperature = or(o.Temperature, 0.1)
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
// That the proxies are the leaves and that w comes from the other space is our
// reading of "HypHC as a regulariser".
type HypHC struct {
	classes, proxies int
	o                HypHCOptions

	like     []float64    // proxies of the other space, widened
	triplets [][3]int     // rows of the points
	rowLoss  []float64    // of each triplet
	gDepth   [][3]float64 // gradient by its depths
}

// NewHypHC makes the loss for classes·proxies leaves. It panics if one of the
// two is below 1 or an option is negative.
func NewHypHC(classes, proxies int, o HypHCOptions) *HypHC {
	o = o.withDefaults()
	checkSizes("HypHC", classes, 1, proxies)
	if o.Triplets < 0 || !(o.Temperature > 0) {
		panic(fmt.Sprintf("loss: HypHC: %d triplets at temperature %g, want both above 0", o.Triplets, o.Temperature))
	}
	return &HypHC{classes: classes, proxies: proxies, o: o}
}

// Options returns the options with the defaults filled in.
func (l *HypHC) Options() HypHCOptions { return l.o }

// Step returns the mean loss of random triplets and adds weight times its
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
	l.draw(label, rng)
	l.like = widen(resized(l.like, len(like)), like)
	l.forward(points, c)
	n := float64(len(l.triplets))
	if gp != nil {
		l.backward(gp, points, c, weight/n)
	}
	return floats.Sum(l.rowLoss) / n
}

// draw fills triplets with distinct leaves.
func (l *HypHC) draw(label []int, rng *rand.Rand) {
	l.triplets = resized(l.triplets, l.o.Triplets)
	classes := l.among(label, rng)
	n := l.classes * l.proxies
	if classes != nil {
		n = len(classes) * l.proxies
	}
	leaf := func(i int) int {
		if classes == nil {
			return i
		}
		return classes[i/l.proxies]*l.proxies + i%l.proxies
	}
	for t := range l.triplets {
		i, j, k := rng.IntN(n), rng.IntN(n-1), rng.IntN(n-2)
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
		l.triplets[t] = [3]int{leaf(i), leaf(j), leaf(k)}
	}
}

// among returns the classes to draw leaves from, nil for all: those of the
// batch and as many others.
func (l *HypHC) among(label []int, rng *rand.Rand) []int {
	if !l.o.BatchClasses {
		return nil
	}
	classes := slices.Clone(label)
	slices.Sort(classes)
	classes = slices.Compact(classes)
	if len(classes) == 0 || 2*len(classes) >= l.classes || 2*len(classes)*l.proxies < 3 {
		return nil
	}
	seen := make(map[int]bool, 2*len(classes))
	for _, c := range classes {
		seen[c] = true
	}
	for want := 2 * len(classes); len(classes) < want; {
		if c := rng.IntN(l.classes); !seen[c] { // at least half of the draws succeed
			seen[c] = true
			classes = append(classes, c)
		}
	}
	return classes
}

// forward computes the loss of each triplet and its gradient by the depths.
func (l *HypHC) forward(points []float64, c float64) {
	l.rowLoss = resized(l.rowLoss, len(l.triplets))
	l.gDepth = resized(l.gDepth, len(l.triplets))
	d := len(points) / (l.classes * l.proxies)
	blocks(len(l.triplets), func(lo, hi int) {
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

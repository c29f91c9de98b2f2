package loss

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/chestlab/chest/chestlib/hyphc"
	"github.com/chestlab/chest/internal/vmath"
)

// Sampling says how HypHC draws its triplets.
type Sampling int

// Ways to draw triplets, of distinct leaves all of them.
const (
	// UniformTriplets are uniform among all.
	UniformTriplets Sampling = iota
	// BatchTriplets are uniform among the leaves of the batch's classes and of as
	// many random other classes: more often those that a step moves anyway.
	BatchTriplets
	// NearTriplets have a pair to keep together: a uniform leaf; then, of
	// Candidates uniform other leaves, the one most similar to it; then a uniform
	// third. Uniform triplets of many leaves are mostly of three that have nothing to
	// do with each other.
	NearTriplets
)

// String returns the name of the constant.
func (s Sampling) String() string {
	names := [...]string{"UniformTriplets", "BatchTriplets", "NearTriplets"}
	if s < 0 || int(s) >= len(names) {
		return fmt.Sprintf("Sampling(%d)", int(s))
	}
	return names[s]
}

// Draw returns the triplets of a step, of distinct leaves c·K+k: all triplets
// if Triplets allows, else random ones; none with fewer than three leaves. They
// are valid until the next Draw or Step.
//
// label is read for BatchTriplets, like, which is Like's result, for
// NearTriplets; either may be nil otherwise. Cost of NearTriplets: a dot product
// a leaf, and Candidates of them a triplet.
func (l *HypHC) Draw(label []int, like []float32, rng *rand.Rand) [][3]int {
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
	if l.o.Sampling == NearTriplets {
		l.measure(n, like)
	}
	for range l.o.Triplets {
		var i, j, k int
		if l.o.Sampling == NearTriplets {
			i, j, k = l.near(n, like, rng)
		} else {
			i, j, k = distinct(n, rng)
		}
		l.triplets = append(l.triplets, [3]int{leaf(i), leaf(j), leaf(k)})
	}
	return l.triplets
}

// distinct returns three different numbers below n, uniformly.
func distinct(n int, rng *rand.Rand) (i, j, k int) {
	i = rng.IntN(n)
	j = other(n, i, rng)
	return i, j, third(n, i, j, rng)
}

// other returns a number below n that is not i, uniformly.
func other(n, i int, rng *rand.Rand) int {
	j := rng.IntN(n - 1)
	if j >= i { // j is a rank among what is left; move it past what is taken
		j++
	}
	return j
}

// third returns a number below n that is neither i nor j, uniformly.
func third(n, i, j int, rng *rand.Rand) int {
	k := rng.IntN(n - 2)
	if k >= min(i, j) {
		k++
	}
	if k >= max(i, j) {
		k++
	}
	return k
}

// measure computes the squared lengths of n rows of like, for near.
func (l *HypHC) measure(n int, like []float32) {
	e := len(like) / n
	l.squares = resized(l.squares, n)
	for i := range l.squares {
		row := like[i*e : (i+1)*e]
		l.squares[i] = vmath.Dot64(row, row)
	}
}

// near returns a triplet of NearTriplets. Of candidates alike, the first wins.
func (l *HypHC) near(n int, like []float32, rng *rand.Rand) (i, j, k int) {
	e := len(like) / n
	row := func(leaf int) []float32 { return like[leaf*e : (leaf+1)*e] }
	i = rng.IntN(n)
	x, top := row(i), -1.0
	for c := range l.o.Candidates {
		at := other(n, i, rng)
		w := hyphc.SimilarityOf(l.squares[i], l.squares[at], vmath.Dot64(x, row(at)))
		if l.o.LabelAware && i/l.proxies == at/l.proxies {
			w = 1
		}
		if c == 0 || w > top {
			j, top = at, w
		}
	}
	return i, j, third(n, i, j, rng)
}

// among returns the classes to draw leaves from: all, or those of the batch and
// as many others.
func (l *HypHC) among(label []int, rng *rand.Rand) []int {
	if l.o.Sampling != BatchTriplets {
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

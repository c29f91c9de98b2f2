package viz

import (
	"fmt"
	"math"
	"slices"
)

// PairSet is what one model says of pairs.
type PairSet struct {
	Name     string    // of the model: "hyperbolic only"; "" means none
	Positive []float64 // similarities, or distances, to the own class
	Negative []float64 // to other classes
}

// PairsOptions says how Pairs draws. The zero value draws a panel for each set.
type PairsOptions struct {
	Title   string // above the picture; "" means none
	Caption string // one line under the title; "" means the numbers of pairs
	X       string // name of the horizontal axis; "" means "similarity"
	Bins    int    // of each histogram; 0 means 60
	Overlay bool   // all sets in one panel
}

// PairsFigure is a picture of similarities of positive and negative pairs.
type PairsFigure struct {
	forms
	o     PairsOptions
	edges []float64
	sets  []pairDensity
	err   error // about the values
}

// pairDensity is the two histograms of a set, each of area 1.
type pairDensity struct {
	name               string
	positive, negative []float64
	pairs              [2]int
	overlap            float64
}

// Pairs draws how similar items are to their own class and to others: two
// histograms of area 1 for each set, over common bins. The less they overlap,
// the better a threshold tells the two apart; the picture says how much:
//
//	overlap = Σ over bins of width · min(positive, negative),  0 to 1
//
// Panels have equal axes, so that models can be compared. Values may be
// distances as well: then say so in X.
//
// Pairs of a test set can be hundreds of millions: draw a sample. Pairs keeps
// only the histograms. A value that is not finite is an error of the picture's
// forms, which names series and row. Pairs panics if there is no set or if Bins
// is negative.
func Pairs(sets []PairSet, o PairsOptions) *PairsFigure {
	if len(sets) == 0 || o.Bins < 0 {
		panic(fmt.Sprintf("viz: pairs: %d sets and %d bins, want at least one set, and Bins of 0 or more", len(sets), o.Bins))
	}
	if o.Bins == 0 {
		o.Bins = 60
	}
	if o.X == "" {
		o.X = "similarity"
	}
	f := &PairsFigure{o: o}
	f.forms = forms{f}
	if f.err = checkPairs(sets); f.err != nil {
		return f
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, s := range sets {
		for _, v := range slices.Concat(s.Positive, s.Negative) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	f.edges = evenEdges(lo, hi, o.Bins)
	for i, s := range sets {
		f.add(s, i)
	}
	return f
}

// checkPairs returns the first value that cannot be drawn as an error.
func checkPairs(sets []PairSet) error {
	for _, s := range sets {
		if err := firstBad("pairs", join(", ", s.Name, "positive"), s.Positive); err != nil {
			return err
		}
		if err := firstBad("pairs", join(", ", s.Name, "negative"), s.Negative); err != nil {
			return err
		}
	}
	return nil
}

// add counts set i.
func (f *PairsFigure) add(s PairSet, i int) {
	d := pairDensity{name: s.Name, pairs: [2]int{len(s.Positive), len(s.Negative)}}
	d.positive = density(counted(s.Positive, f.edges), f.edges)
	d.negative = density(counted(s.Negative, f.edges), f.edges)
	for k, p := range d.positive {
		d.overlap += min(p, d.negative[k]) * (f.edges[k+1] - f.edges[k])
	}
	if d.name == "" && f.o.Overlay {
		d.name = fmt.Sprintf("set %d", i+1)
	}
	f.sets = append(f.sets, d)
}

// caption is that of the options, or how many pairs were counted.
func (f *PairsFigure) caption() string {
	if f.o.Caption != "" || f.err != nil {
		return f.o.Caption
	}
	var n [2]int
	same := true
	for _, s := range f.sets {
		n[0], n[1] = n[0]+s.pairs[0], n[1]+s.pairs[1]
		same = same && s.pairs == f.sets[0].pairs
	}
	each := ""
	if len(f.sets) > 1 && same {
		n, each = f.sets[0].pairs, " each"
	}
	return count(n[0], "positive pair") + ", " + count(n[1], "negative pair") + each
}

// label is the name of a set with its overlap.
func (d pairDensity) label() string {
	return join(" · ", d.name, fmt.Sprintf("overlap %.3g", d.overlap))
}

// Alt says in one line what the picture shows.
func (f *PairsFigure) Alt() string {
	what := "Positive and negative pairs"
	if f.o.Title != "" {
		what += ": " + f.o.Title
	}
	parts := []string{what}
	for _, s := range f.sets {
		parts = append(parts, s.label())
	}
	return join("; ", append(parts, f.caption())...)
}

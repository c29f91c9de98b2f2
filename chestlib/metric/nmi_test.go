package metric

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// slowNMI follows the definition with probabilities, over all pairs of names.
func slowNMI(a, b []int) float64 {
	share := func(holds func(i int) bool) float64 {
		count := 0.0
		for i := range a {
			if holds(i) {
				count++
			}
		}
		return count / float64(len(a))
	}
	names := func(x []int) []int { return slices.Compact(slices.Sorted(slices.Values(x))) }
	var info, ha, hb float64
	for _, u := range names(a) {
		pu := share(func(i int) bool { return a[i] == u })
		ha -= pu * math.Log(pu)
		for _, v := range names(b) {
			pv := share(func(i int) bool { return b[i] == v })
			if p := share(func(i int) bool { return a[i] == u && b[i] == v }); p > 0 {
				info += p * math.Log(p/(pu*pv))
			}
		}
	}
	for _, v := range names(b) {
		pv := share(func(i int) bool { return b[i] == v })
		hb -= pv * math.Log(pv)
	}
	return 2 * info / (ha + hb)
}

// slowF1 counts pairs.
func slowF1(a, b []int) float64 {
	var both, inA, inB float64
	for i := range a {
		for j := range i {
			if a[i] == a[j] {
				inA++
			}
			if b[i] == b[j] {
				inB++
			}
			if a[i] == a[j] && b[i] == b[j] {
				both++
			}
		}
	}
	p, r := both/inB, both/inA
	return 2 * p * r / (p + r)
}

// permutations calls f with every order of x.
func permutations(x []int, at int, f func()) {
	if at == len(x) {
		f()
		return
	}
	for i := at; i < len(x); i++ {
		x[at], x[i] = x[i], x[at]
		permutations(x, at+1, f)
		x[at], x[i] = x[i], x[at]
	}
}

// TestScoresAgainstSlowTwins: NMI and F1 by their definitions, and AMI with the
// mean over all orders of the clusters.
func TestScoresAgainstSlowTwins(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 3))
		n := 20 + rng.IntN(60)
		a, b := classes(rng, n, 2+rng.IntN(6)), classes(rng, n, 2+rng.IntN(9))
		s := CompareClusters(a, b)
		if want := slowNMI(a, b); !almost(s.NMI, want) || !almost(NMI(a, b), want) {
			t.Errorf("NMI %g, want %g", s.NMI, want)
		}
		if want := slowF1(a, b); !almost(s.F1, want) {
			t.Errorf("F1 %g, want %g", s.F1, want)
		}
	}
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 4))
		a, b := classes(rng, 7, 3), classes(rng, 7, 3)
		a[0], a[1], b[0], b[2] = 100, 101, 100, 101 // at least two parts
		got := CompareClusters(a, b).AMI
		table := crossed(a, b)
		info, count, mean := table.mutual(), 0.0, 0.0
		shuffled := slices.Clone(b)
		permutations(shuffled, 0, func() { mean += crossed(a, shuffled).mutual(); count++ })
		mean /= count
		if want := (info - mean) / ((table.entropy(table.a)+table.entropy(table.b))/2 - mean); !table.equal() && math.Abs(got-want) > 1e-11 {
			t.Errorf("AMI of %v and %v: %g, want %g", a, b, got, want)
		}
	}
}

// TestScoresByHand: values that can be written down.
func TestScoresByHand(t *testing.T) {
	// Classes of 3 and 1, clusters of 2 and 2: cells 2, 1, 1.
	a, b := []int{0, 0, 0, 1}, []int{5, 5, 6, 6}
	ln := math.Log
	info := 2./4*ln(4*2/(3*2.)) + 1./4*ln(4*1/(3*2.)) + 1./4*ln(4*1/(1*2.))
	ha, hb := -3./4*ln(3./4)-1./4*ln(1./4), ln(2)
	// E: the single item of class 1 is always in a cluster of 2, so I is always the same
	if s := CompareClusters(a, b); !almost(s.NMI, 2*info/(ha+hb)) || !almost(s.AMI, 0) || !almost(s.F1, 2*(1./2)*(1./3)/(1./2+1./3)) {
		t.Errorf("%+v, NMI wanted %g", s, 2*info/(ha+hb))
	}
	for _, c := range []struct {
		name         string
		a, b         []int
		nmi, ami, f1 float64
	}{
		{"equal", []int{1, 1, 2, 2, 3}, []int{1, 1, 2, 2, 3}, 1, 1, 1},
		{"renamed", []int{1, 1, 2, 2, 3}, []int{9, 9, -4, -4, 0}, 1, 1, 1},
		{"independent", []int{0, 0, 1, 1, 0, 0, 1, 1}, []int{0, 1, 0, 1, 0, 1, 0, 1}, 0, math.NaN(), 2 * (4. / 12) * (4. / 12) / (8. / 12)},
		{"one part and one part", []int{3, 3, 3}, []int{4, 4, 4}, 1, 1, 1},
		{"one part and some", []int{3, 3, 3, 3}, []int{0, 0, 1, 1}, 0, 0, 2 * 1 * (2. / 6) / (8. / 6)},
		{"each its own, twice", []int{1, 2, 3}, []int{4, 5, 6}, 1, 1, 1},
		{"each its own", []int{1, 1, 2, 2}, []int{4, 5, 6, 7}, 2 * ln(2) / (ln(2) + ln(4)), 0, 0},
		{"no rows", nil, nil, 1, 1, 1},
		{"one row", []int{4}, []int{2}, 1, 1, 1},
	} {
		s := CompareClusters(c.a, c.b)
		if !almost(s.NMI, c.nmi) || !math.IsNaN(c.ami) && !almost(s.AMI, c.ami) || !almost(s.F1, c.f1) {
			t.Errorf("%s: %+v, want %g, %g, %g", c.name, s, c.nmi, c.ami, c.f1)
		}
	}
	mustPanic(t, "lengths", func() { NMI([]int{1}, nil) })
}

// TestScoresLaws: names and places do not matter; NMI is high and AMI near 0
// for many clusters at random.
func TestScoresLaws(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 8))
	const n = 2000
	a, b := classes(rng, n, 300), classes(rng, n, 300)
	s, back := CompareClusters(a, b), CompareClusters(b, a)
	if s.NMI < 0.5 || math.Abs(s.AMI) > 0.02 {
		t.Errorf("at random: %+v", s)
	}
	if !almost(s.NMI, back.NMI) || math.Abs(s.AMI-back.AMI) > 1e-9 || !almost(s.F1, back.F1) {
		t.Errorf("changed places: %+v, want %+v", back, s)
	}
	renamed := make([]int, n)
	for i, l := range b {
		renamed[i] = 7 - 1000*l
	}
	if r := CompareClusters(a, renamed); r.NMI != s.NMI || r.AMI != s.AMI || r.F1 != s.F1 {
		t.Errorf("renamed: %+v, want %+v", r, s)
	}
	order := rng.Perm(n)
	pa, pb := make([]int, n), make([]int, n)
	for i, j := range order {
		pa[i], pb[i] = a[j], b[j]
	}
	if r := CompareClusters(pa, pb); !almost(r.NMI, s.NMI) || math.Abs(r.AMI-s.AMI) > 1e-9 {
		t.Errorf("rows in another order: %+v, want %+v", r, s)
	}
}

// TestClusterNMI: classes that are far apart are found in every space, and the
// clustering is that of KMeans.
func TestClusterNMI(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	rng := rand.New(rand.NewPCG(6, 6))
	const n, d, count = 240, 8, 6
	x, label := normal(rng, n, d), make([]int, n)
	for i := range label {
		label[i] = 40 - 3*(i%count)
		for k := range d {
			x[i*d+k] *= 0.05
		}
		x[i*d+i%count] += 0.7
	}
	for _, o := range spaces {
		o.Restarts = 12
		var want ClusterScores
		for _, procs := range []int{1, 2, 5} {
			runtime.GOMAXPROCS(procs)
			s, err := ClusterNMI(ctx, x, label, d, o)
			if err != nil || s.NMI != 1 || s.AMI != 1 || s.F1 != 1 || s.Clusters != count || s.KMeans.K != count {
				t.Errorf("%v: %v (%v)", o.Space, s, err)
			}
			if procs == 1 {
				want = s
			}
			if !slices.Equal(s.KMeans.Label, want.KMeans.Label) {
				t.Errorf("%v: other clusters with %d processors", o.Space, procs)
			}
		}
	}
	if s, err := ClusterNMI(ctx, x, make([]int, n), d, KMeansOptions{}); err != nil || s.NMI != 1 || s.Clusters != 1 {
		t.Errorf("one class: %v (%v)", s, err)
	}
	if _, err := ClusterNMI(ctx, nil, nil, d, KMeansOptions{}); err == nil {
		t.Error("no error for no rows")
	}
	x[5*d] = float32(math.Inf(1))
	if _, err := ClusterNMI(ctx, x, label, d, KMeansOptions{}); err == nil {
		t.Error("no error for an infinite row")
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := ClusterNMI(ended, x[:5*d], label[:5], d, KMeansOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
}

func ExampleCompareClusters() {
	label := []int{0, 0, 0, 1, 1, 1}
	fmt.Println(CompareClusters(label, []int{7, 7, 7, 5, 5, 5}))
	fmt.Println(CompareClusters(label, []int{7, 7, 5, 5, 5, 5}))
	// Output:
	// NMI 100.0 · AMI 100.0 · F1 100.0 (6 rows, 2 classes, 2 clusters)
	// NMI 47.9 · AMI 35.5 · F1 61.5 (6 rows, 2 classes, 2 clusters)
}

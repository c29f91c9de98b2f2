package loss

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/chestlab/chest/chestlib/poincare"
)

// slowLevel is one of the two sums of HIER as the formula reads, of nodes and
// ancestors in the ball, for given triplets and noise. first are the softmaxes
// that the choice was made with; with them it is the surrogate whose
// derivative the gradient is: the choice is fixed, and the weight of an ancestor in
// the place of ρ is 1 or 0 by that choice, plus its softmax, minus that of first.
func slowLevel(o HIEROptions, nodes, ancestors [][]float64, c float64, triplets [][3]int, seed uint64, first [][2][]float64) (value float64, soft [][2][]float64) {
	for t, nodesOf := range triplets {
		rng := rand.New(rand.NewPCG(seed, uint64(t)))
		d := func(node, a int) float64 { return poincare.Distance(nodes[nodesOf[node]], ancestors[a], c) }
		var p, base [2][]float64
		var chosen [2]int
		for which := range 2 {
			z := make([]float64, len(ancestors))
			for a := range z {
				z[a] = math.Max(d(0, a), d(1, a))
				if which == 1 {
					z[a] = math.Max(z[a], d(2, a))
				}
				z[a] = -z[a]/o.Temperature - math.Log(rng.ExpFloat64())
			}
			den := 0.0
			for a := range z {
				den += math.Exp(z[a] - slices.Max(z)) // a cold choice is below exp(-745)
			}
			for a := range z {
				p[which] = append(p[which], math.Exp(z[a]-slices.Max(z))/den)
			}
			base[which] = p[which]
			if first != nil {
				base[which] = first[t][which]
			}
			chosen[which] = slices.Index(base[which], slices.Max(base[which]))
		}
		soft = append(soft, p)
		if chosen[0] == chosen[1] {
			continue
		}
		mean := func(node, which int) (sum float64) { // d to the ancestor in the place of ρ
			sum = d(node, chosen[which])
			if !o.NoStraightThrough {
				for a := range ancestors {
					sum += d(node, a) * (p[which][a] - base[which][a])
				}
			}
			return sum
		}
		for node, sign := range []float64{1, 1, -1} {
			value += math.Max(sign*(mean(node, 0)-mean(node, 1))+o.Margin, 0) / float64(len(triplets))
		}
	}
	return value, soft
}

// slowHIER is slowLevel of both sums, for what l drew last.
func slowHIER(l *hier, s Setting, u []float32, first [2][][2][]float64) (value float64, soft [2][][2][]float64) {
	var x, a [][]float64
	for i := range len(u) / s.DH {
		x = append(x, slowPlace(Ball, s, u, i))
	}
	for i := range l.o.Ancestors {
		a = append(a, slowPlace(Ball, s, l.ancestors.Value, i))
	}
	v0, p0 := slowLevel(l.o, x, a, s.Curvature, l.rows.triplets, l.rows.seed, first[0])
	v1, p1 := slowLevel(l.o, a, a, s.Curvature, l.among.triplets, l.among.seed, first[1])
	return v0 + v1, [2][][2][]float64{p0, p1}
}

func TestHIERTwinAndGradient(t *testing.T) {
	for _, c := range []float64{0, 0.1, 1} {
		for _, o := range []HIEROptions{
			{Ancestors: 7, Neighbours: 4, Triplets: 3, Temperature: 0.5, Margin: 2},
			{Ancestors: 7, Neighbours: 4, Triplets: 3, Temperature: 0.5, Margin: 2, NoStraightThrough: true},
			{Ancestors: 12, Neighbours: 5, Triplets: 2},
			{Ancestors: 12, Neighbours: 5, Triplets: 2, Temperature: 1e-4},
			{Ancestors: 12, Neighbours: 5, Triplets: 2, NoStraightThrough: true, Margin: -1},
		} {
			s := Setting{Classes: 3, DH: 4, Curvature: c, Clip: 2, Seed: 4}
			l := made(t, o, s).(*hier)
			b := random(rand.New(rand.NewPCG(31, 0)), s, 11)
			got := l.Add(b, 1.5)
			if len(l.rows.triplets) == 0 || len(l.among.triplets) == 0 || got.Total == 0 {
				t.Fatalf("%+v: no triplets: this tests nothing", o)
			}
			want, soft := slowHIER(l, s, b.H, [2][][2][]float64{})
			if !closeTo(got.Total, want, 1e-11) {
				t.Errorf("c = %g, %+v: got %.15g, want %.15g", c, o, got.Total, want)
			}
			if cold := o.Temperature > 0 && o.Temperature*farthest < 1; cold != (l.rows.near == nil) || cold != (l.among.near == nil) {
				t.Errorf("c = %g, %+v: exp(-d/τ) in use %v, want %v", c, o, !cold, cold)
			}
			if o.Temperature < 0.5 {
				continue // bends too fast for differences
			}
			f := func() float64 { v, _ := slowHIER(l, s, b.H, soft); return 1.5 * v }
			name := fmt.Sprintf("c = %g, %+v", c, o)
			checkGradient(t, name+" features", f, b.H, b.GH)
			checkGradient(t, name+" ancestors", f, l.ancestors.Value, l.ancestors.Grad)
		}
	}
}

// TestHIERDescent: following the gradient of features and ancestors lowers the
// loss, in the mean over the noise of many steps.
func TestHIERDescent(t *testing.T) {
	s := Setting{Classes: 4, DH: 3, Curvature: 0.1, Clip: 2.3}
	l := made(t, HIEROptions{Ancestors: 12, Neighbours: 5, Triplets: 10}, s)
	rng := rand.New(rand.NewPCG(32, 0))
	b := random(rng, s, 24)
	b.Rand = rng
	var before, after float64
	const steps = 400
	for step := range steps {
		got := l.Add(b, 1)
		switch {
		case step < 40:
			before += got.Total / 40
		case step >= steps-40:
			after += got.Total / 40
		}
		for _, x := range [][2][]float32{{b.H, b.GH}, {l.Params()[0].Value, l.Params()[0].Grad}} {
			for i, g := range x[1] {
				x[0][i] -= 0.3 * g
			}
			clear(x[1])
		}
	}
	if after > 0.8*before {
		t.Errorf("loss %g at first, %g at last", before, after)
	}
}

// TestReciprocal: the triplets are those of the definition, each node has its
// number of them, and all that may be drawn are drawn.
func TestReciprocal(t *testing.T) {
	const n, k = 12, 4
	rng := rand.New(rand.NewPCG(33, 0))
	x := make([]float64, n*2)
	for i := range x {
		x[i] = 0.3 * rng.NormFloat64()
	}
	d := poincare.Distances(nil, x, x, 2, 1)
	for _, label := range [][]int{nil, {0, 1, 0, 1, 2, 2, 3, 3, 4, 5, 6, 7}} {
		near := func(i, j int) bool { // j is one of the k-1 nearest of i
			before := 0
			for m := range n {
				same, its := label != nil && label[m] == label[i], label != nil && label[j] == label[i]
				if m != i && m != j && (same && !its || same == its && d[i*n+m] < d[i*n+j]) {
					before++
				}
			}
			return i != j && before < k-1
		}
		var r reciprocal
		r.find(d, n, k, label)
		seen := make(map[[3]int]bool)
		count := make(map[int]int)
		for _, tr := range r.draw(nil, 300, rng) {
			seen[tr] = true
			count[tr[0]]++
		}
		for i := range n {
			mutual := false
			for j := range n {
				for o := range n {
					ok := near(i, j) && near(j, i) && o != i && !(near(i, o) && near(o, i))
					if mutual = mutual || ok; ok != seen[[3]int{i, j, o}] {
						t.Errorf("label %v: triplet %d %d %d: drawn %v, want %v", label, i, j, o, !ok, ok)
					}
				}
			}
			if want := map[bool]int{true: 300}[mutual]; count[i] != want {
				t.Errorf("label %v: %d triplets of node %d, want %d", label, count[i], i, want)
			}
		}
	}
}

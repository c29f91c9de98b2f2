package loss

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/hyphc"
	"github.com/chestlab/chest/chestlib/poincare"
)

// finite reports whether all entries are numbers.
func finite(x []float32) bool {
	for _, v := range x {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return false
		}
	}
	return true
}

// TestEdges: losses and gradients stay finite where formulas divide by zero or
// leave float64.
func TestEdges(t *testing.T) {
	const d = 4
	fill := func(x []float32, v float32) {
		for i := range x {
			x[i] = v
		}
	}
	for _, k := range []struct {
		name             string
		classes, proxies int
		o                CHESTOptions
		change           func(l *CHEST, uE, uH []float32)
	}{
		{"plain", 3, 2, CHESTOptions{}, func(*CHEST, []float32, []float32) {}},
		{"one class", 1, 3, CHESTOptions{}, func(*CHEST, []float32, []float32) {}},
		{"one proxy", 3, 1, CHESTOptions{}, func(*CHEST, []float32, []float32) {}},
		{"one of both", 1, 1, CHESTOptions{}, func(*CHEST, []float32, []float32) {}},
		{"two leaves", 2, 1, CHESTOptions{}, func(*CHEST, []float32, []float32) {}},
		{"zero features", 3, 2, CHESTOptions{}, func(_ *CHEST, uE, uH []float32) { fill(uE, 0); fill(uH, 0) }},
		{"zero proxies", 3, 2, CHESTOptions{}, func(l *CHEST, _, _ []float32) {
			fill(l.e.proxies.Value, 0)
			fill(l.h.proxies.Value, 0)
		}},
		{"coincident proxies", 3, 2, CHESTOptions{H: HyperSoftTripleOptions{Tau: 1}}, func(l *CHEST, _, _ []float32) {
			fill(l.e.proxies.Value, 0.5)
			fill(l.h.proxies.Value, 0.5)
		}},
		{"feature at its proxy", 3, 2, CHESTOptions{}, func(l *CHEST, uE, uH []float32) {
			copy(uE, l.e.proxies.Value[:d])
			copy(uH, l.h.proxies.Value[:d])
		}},
		{"all at the clip radius", 3, 2, CHESTOptions{}, func(l *CHEST, _, uH []float32) {
			for i := range uH {
				uH[i] *= 1e6
			}
			for i := range l.h.proxies.Value {
				l.h.proxies.Value[i] *= 1e6
			}
		}},
		{"huge, no clip", 3, 2, CHESTOptions{H: HyperSoftTripleOptions{Clip: -1}}, func(_ *CHEST, uE, uH []float32) { fill(uE, 1e18); fill(uH, 1e18) }},
		{"tiny", 3, 2, CHESTOptions{}, func(_ *CHEST, uE, uH []float32) { fill(uE, 1e-30); fill(uH, 1e-30) }},
		{"cold", 3, 2, CHESTOptions{E: SoftTripleOptions{Lambda: 1e6, Gamma: 1e-6}, H: HyperSoftTripleOptions{Lambda: 1e6, Gamma: 1e-6}, Tree: HypHCOptions{Temperature: 1e-6}},
			func(*CHEST, []float32, []float32) {}},
		{"flat", 3, 2, CHESTOptions{H: HyperSoftTripleOptions{Flat: true}}, func(*CHEST, []float32, []float32) {}},
		{"class means", 3, 2, CHESTOptions{Tree: HypHCOptions{Leaves: MeanLeaves}}, func(*CHEST, []float32, []float32) {}},
		{"one class's mean", 1, 2, CHESTOptions{Tree: HypHCOptions{Leaves: MeanLeaves}}, func(*CHEST, []float32, []float32) {}},
		{"proxies with mean zero", 3, 2, CHESTOptions{Tree: HypHCOptions{Leaves: MeanLeaves}}, func(l *CHEST, _, _ []float32) {
			for i := range d {
				l.h.proxies.Value[d+i], l.e.proxies.Value[d+i] = -l.h.proxies.Value[i], -l.e.proxies.Value[i]
			}
		}},
		{"near", 30, 2, CHESTOptions{Tree: HypHCOptions{Sampling: NearTriplets}}, func(l *CHEST, _, _ []float32) { fill(l.e.proxies.Value[:40], 0) }},
	} {
		rng := rand.New(rand.NewPCG(1, 1))
		k.o.E.Proxies = k.proxies
		l := NewCHEST(k.classes, d, d, k.o)
		const n = 5
		uE, uH, gE, gH := normal(rng, n*d, 1), normal(rng, n*d, 1), make([]float32, n*d), make([]float32, n*d)
		k.change(l, uE, uH)
		got := l.Step(uE, uH, labels(rng, n, k.classes), gE, gH, rng)
		if math.IsNaN(got.Total) || math.IsInf(got.Total, 0) || got.E < 0 || got.H < 0 || got.Tree < 0 {
			t.Errorf("%s: %+v", k.name, got)
		}
		if !finite(gE) || !finite(gH) || !finite(l.e.proxies.Grad) || !finite(l.h.proxies.Grad) {
			t.Errorf("%s: gradients %v %v %v %v", k.name, gE, gH, l.e.proxies.Grad, l.h.proxies.Grad)
		}
	}
}

// TestNaN: a feature that is not a number shows in the terms instead of
// panicking.
func TestNaN(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	l := NewCHEST(3, 2, 2, CHESTOptions{})
	bad := []float32{float32(math.NaN()), 1, 2, 3}
	got := l.Step(bad, bad, []int{0, 2}, make([]float32, 4), make([]float32, 4), rng)
	if !math.IsNaN(got.E) || !math.IsNaN(got.H) || !math.IsNaN(got.Total) {
		t.Errorf("terms %+v of NaN features", got)
	}
}

// TestKnownValues: cases whose value needs no computation.
func TestKnownValues(t *testing.T) {
	x, label := []float32{1, 2, -3, 1}, []int{0, 0}
	if cls, _ := NewSoftTriple(1, 2, SoftTripleOptions{}).Step(x, label, nil, 0); !closeTo(cls, 0, 1e-12) {
		t.Errorf("one class: E = %g, want 0", cls)
	}
	// equal proxies everywhere: the classes cannot be told apart
	l := NewHyperSoftTriple(7, 2, HyperSoftTripleOptions{Delta: -1, Proxies: 3})
	for i := range l.proxies.Value {
		l.proxies.Value[i] = 0.25
	}
	if cls, _, _ := l.Step(x, label, nil, 0); !closeTo(cls, math.Log(7), 1e-12) {
		t.Errorf("equal proxies: H = %g, want log 7", cls)
	}
	none := NewCHEST(3, 2, 2, CHESTOptions{}).Step(nil, nil, nil, []float32{}, []float32{}, nil)
	if none.E != 0 || none.H != 0 || none.Clipped != 0 || math.IsNaN(none.Total) {
		t.Errorf("empty batch: %+v", none)
	}
	// all at the clip radius: distances are a function of the angle, see HyperSoftTriple
	h := NewHyperSoftTriple(2, 2, HyperSoftTripleOptions{Clip: 0.5})
	if _, _, clipped := h.Step(x, label, nil, 0); clipped != 1 {
		t.Errorf("clipped %g, want 1", clipped)
	}
	for _, p := range [][]float64{h.Points()[:2], h.Points()[2:4]} {
		if got := poincare.Distance0(p, 0.1); !closeTo(got, 2*0.25, 1e-6) {
			t.Errorf("a first proxy is at %g from the origin, want r = 0.5", got)
		}
	}
}

// TestDeterminism: same seed, same bits, on any number of processors.
func TestDeterminism(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	const n, classes, d = 70, 20, 24
	var first []float32
	var terms Terms
	for _, procs := range []int{1, 2, 7} {
		runtime.GOMAXPROCS(procs)
		rng := rand.New(rand.NewPCG(2, 1))
		l := NewCHEST(classes, d, d, CHESTOptions{E: SoftTripleOptions{Proxies: 4}, H: HyperSoftTripleOptions{Tau: 0.1}, Seed: 5})
		uE, uH, gE, gH := normal(rng, n*d, 1), normal(rng, n*d, 1), make([]float32, n*d), make([]float32, n*d)
		got := l.Step(uE, uH, labels(rng, n, classes), gE, gH, rng)
		all := slices.Concat(gE, gH, l.e.proxies.Grad, l.h.proxies.Grad)
		if first == nil {
			first, terms = all, got
		}
		if !reflect.DeepEqual(got, terms) || !slices.Equal(all, first) {
			t.Errorf("%d processors: other bits", procs)
		}
	}
	if a, b := NewSoftTriple(3, 4, SoftTripleOptions{Seed: 1}), NewSoftTriple(3, 4, SoftTripleOptions{Seed: 2}); slices.Equal(a.proxies.Value, b.proxies.Value) {
		t.Error("two seeds give the same proxies")
	}
}

// TestDescent: following the gradient of features and proxies separates the
// classes.
func TestDescent(t *testing.T) {
	const n, classes, d = 24, 4, 3
	rng := rand.New(rand.NewPCG(3, 1))
	l := NewCHEST(classes, d, d, CHESTOptions{E: SoftTripleOptions{Proxies: 2}})
	uE, uH, label := normal(rng, n*d, 1), normal(rng, n*d, 1), labels(rng, n, classes)
	gE, gH := make([]float32, n*d), make([]float32, n*d)
	descend := func(x, g []float32, rate float32) {
		for i := range x {
			x[i] -= rate * g[i]
		}
		clear(g)
	}
	before := l.Step(uE, uH, label, nil, nil, rng)
	for range 300 {
		l.Step(uE, uH, label, gE, gH, rng)
		descend(uE, gE, 0.2)
		descend(uH, gH, 0.2)
		descend(l.e.proxies.Value, l.e.proxies.Grad, 0.05)
		descend(l.h.proxies.Value, l.h.proxies.Grad, 0.05)
	}
	after := l.Step(uE, uH, label, nil, nil, rng)
	if after.E > 0.05 || after.H > 0.05 || after.Total > before.Total/2 {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

// TestHypHCDescent: leaves that are alike come to part deeper than others.
func TestHypHCDescent(t *testing.T) {
	l := NewHypHC(6, 1, HypHCOptions{Temperature: 0.3})
	h := NewHyperSoftTriple(6, 2, HyperSoftTripleOptions{Proxies: 1, Seed: 3})
	like := []float32{1, 0, 1, 0.1, 1, -0.1, -1, 0, -1, 0.1, -1, -0.1} // two groups of three
	var losses []float64
	for range 400 {
		points, g := h.Points(), make([]float64, 12)
		losses = append(losses, l.Step(points, like, 0.1, nil, g, 1, nil))
		clear(h.proxies.Grad)
		h.pullProxies(g)
		for i, v := range h.proxies.Grad {
			h.proxies.Value[i] -= 0.3 * v
		}
	}
	p, least, most := h.Points(), math.Inf(1), 0.0
	for a := range 6 {
		for b := range a {
			depth := hyphc.LCA(p[2*a:2*a+2], p[2*b:2*b+2], 0.1)
			if a/3 == b/3 {
				least = min(least, depth)
			} else {
				most = max(most, depth)
			}
		}
	}
	if last := losses[len(losses)-1]; last > losses[0] || least < most {
		t.Errorf("loss %g to %g; least depth in a group %g, largest between groups %g", losses[0], last, least, most)
	}
}

func TestDraw(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 1))
	count := make(map[[3]int]int)
	for range 60000 {
		i, j, k := distinct(5, rng)
		if i == j || i == k || j == k {
			t.Fatalf("triplet %d %d %d", i, j, k)
		}
		count[[3]int{i, j, k}]++
	}
	for triplet, n := range count { // 60 ordered triplets, 1000 each, deviation 31
		if n < 850 || n > 1150 || len(count) != 60 {
			t.Errorf("triplet %v was drawn %d times, want about 1000; %d kinds", triplet, n, len(count))
		}
	}
	l := NewHypHC(50, 2, HypHCOptions{Sampling: BatchTriplets, Triplets: 500})
	l.Draw([]int{7, 7, 9}, nil, rng)
	seen := make(map[int]bool)
	for _, triplet := range l.triplets {
		for _, leaf := range triplet {
			seen[leaf/2] = true
		}
	}
	if len(seen) != 4 || !seen[7] || !seen[9] {
		t.Errorf("classes %v, want 7, 9 and two others", seen)
	}
}

func TestOptions(t *testing.T) {
	o := NewCHEST(2, 2, 2, CHESTOptions{H: HyperSoftTripleOptions{Proxies: 3}, Seed: 9}).Options()
	if o.E.Proxies != 3 || o.H.Proxies != 3 || o.E.Seed != 9 || o.E.Lambda != 20 || o.E.Tau != 0.2 || o.H.Clip != 2.3 ||
		o.H.Curvature != 0.1 || o.Tree.Triplets != 1000 || o.WeightTree != 0.5 || o.WeightE != 1 {
		t.Errorf("defaults %+v", o)
	}
	if again := NewCHEST(2, 2, 2, o).Options(); again != o {
		t.Errorf("filled options change when used again: %+v, %+v", o, again)
	}
	for space, want := range map[Space]string{Both: "proxies.E proxies.H ", OnlyE: "proxies.E ", OnlyH: "proxies.H "} {
		var names string
		for _, p := range NewCHEST(2, 2, 2, CHESTOptions{Space: space}).Params() {
			names += p.Name + " "
			if p.Group != "proxies" || !p.Plain {
				t.Errorf("%s: group %q, plain %v", p.Name, p.Group, p.Plain)
			}
		}
		if names != want {
			t.Errorf("%v: params %s, want %s", space, names, want)
		}
	}
}

func TestPanics(t *testing.T) {
	l := NewCHEST(2, 3, 3, CHESTOptions{})
	x, g := make([]float32, 3), make([]float32, 3)
	for _, k := range []struct {
		name string
		f    func()
	}{
		{"label too large", func() { l.Step(x, x, []int{2}, nil, nil, nil) }},
		{"label negative", func() { l.Step(x, x, []int{-1}, nil, nil, nil) }},
		{"features", func() { l.Step(x[:2], x, []int{0}, nil, nil, nil) }},
		{"gradient missing", func() { l.Step(x, x, []int{0}, g, nil, nil) }},
		{"gradient short", func() { l.Step(x, x, []int{0}, g, g[:2], nil) }},
		{"no classes", func() { NewCHEST(0, 3, 3, CHESTOptions{}) }},
		{"proxies differ", func() {
			NewCHEST(2, 3, 3, CHESTOptions{E: SoftTripleOptions{Proxies: 2}, H: HyperSoftTripleOptions{Proxies: 3}})
		}},
		{"space", func() { NewCHEST(2, 3, 3, CHESTOptions{Space: 7}) }},
		{"curvature", func() { NewHyperSoftTriple(2, 3, HyperSoftTripleOptions{Curvature: -1}) }},
		{"rescaled without r", func() { NewHyperSoftTriple(2, 3, HyperSoftTripleOptions{Similarity: Rescaled, Clip: -1}) }},
		{"similarity", func() { NewHyperSoftTriple(2, 3, HyperSoftTripleOptions{Similarity: 9}) }},
		{"temperature", func() { NewHypHC(2, 2, HypHCOptions{Temperature: -1}) }},
		{"leaves", func() { NewHypHC(2, 2, HypHCOptions{Leaves: 2}) }},
		{"sampling", func() { NewHypHC(2, 2, HypHCOptions{Sampling: -1}) }},
		{"candidates", func() { NewHypHC(2, 2, HypHCOptions{Candidates: -1}) }},
		{"anneal", func() { NewHypHC(2, 2, HypHCOptions{Anneal: -0.5}) }},
		{"anneal every", func() { NewHypHC(2, 2, HypHCOptions{AnnealEvery: -1}) }},
		{"triplets", func() { NewHypHC(2, 2, HypHCOptions{Triplets: -1}) }},
		{"infinite temperature", func() { NewHypHC(2, 2, HypHCOptions{Temperature: math.Inf(1)}) }},
		{"lambda", func() { NewSoftTriple(2, 3, SoftTripleOptions{Lambda: -1}) }},
		{"NaN gamma", func() { NewSoftTriple(2, 3, SoftTripleOptions{Gamma: math.NaN()}) }},
		{"infinite delta", func() { NewSoftTriple(2, 3, SoftTripleOptions{Delta: math.Inf(1)}) }},
		{"tau", func() { NewSoftTriple(2, 3, SoftTripleOptions{Tau: -1}) }},
		{"ball's lambda", func() { NewHyperSoftTriple(2, 3, HyperSoftTripleOptions{Lambda: math.Inf(1)}) }},
		{"ball's gamma", func() { NewHyperSoftTriple(2, 3, HyperSoftTripleOptions{Gamma: -1}) }},
		{"ball's tau", func() { NewHyperSoftTriple(2, 3, HyperSoftTripleOptions{Tau: math.NaN()}) }},
		{"infinite curvature", func() { NewHyperSoftTriple(2, 3, HyperSoftTripleOptions{Curvature: math.Inf(1)}) }},
		{"NaN clip", func() { NewHyperSoftTriple(2, 3, HyperSoftTripleOptions{Clip: math.NaN()}) }},
		{"weight", func() { NewCHEST(2, 3, 3, CHESTOptions{WeightH: -1}) }},
		{"NaN weight", func() { NewCHEST(2, 3, 3, CHESTOptions{WeightTree: math.NaN()}) }},
	} {
		func() {
			defer func() {
				if s, ok := recover().(string); !ok || !strings.HasPrefix(s, "loss: ") {
					t.Errorf("%s: no panic with a message, but %q", k.name, s)
				}
			}()
			k.f()
		}()
	}
}

// Two items of two classes that begin at the same place, moved against the
// gradient by hand: both spaces come to tell them apart.
func ExampleCHEST() {
	l := NewCHEST(2, 3, 2, CHESTOptions{E: SoftTripleOptions{Proxies: 2}, NoTree: true})
	uE, uH := []float32{1, 0, 0, 1, 0, 0}, []float32{0.5, 0, 0.5, 0}
	gE, gH := make([]float32, 6), make([]float32, 4)
	for step := range 21 {
		terms := l.Step(uE, uH, []int{0, 1}, gE, gH, nil)
		if step%10 == 0 {
			fmt.Printf("step %2d: E %.2f, H %.2f\n", step, terms.E, terms.H)
		}
		for i, g := range gE {
			uE[i] -= 0.01 * g
		}
		for i, g := range gH {
			uH[i] -= 0.01 * g
		}
	}
	// Output:
	// step  0: E 2.76, H 1.14
	// step 10: E 0.01, H 0.59
	// step 20: E 0.01, H 0.30
}

// BenchmarkCHEST is one step with gradients; 1000 triplets.
func BenchmarkCHEST(b *testing.B) {
	const n, classes, proxies, d = 128, 60, 5, 64
	rng := rand.New(rand.NewPCG(5, 1))
	uE, uH, label := normal(rng, n*d, 1), normal(rng, n*d, 0.1), labels(rng, n, classes)
	gE, gH := make([]float32, n*d), make([]float32, n*d)
	for _, k := range []struct {
		name string
		o    CHESTOptions
	}{{"both", CHESTOptions{}}, {"notree", CHESTOptions{NoTree: true}}, {"E", CHESTOptions{Space: OnlyE}}, {"H", CHESTOptions{Space: OnlyH, NoTree: true}}} {
		b.Run(k.name, func(b *testing.B) {
			k.o.E.Proxies = proxies
			l := NewCHEST(classes, d, d, k.o)
			for b.Loop() {
				l.Step(uE, uH, label, gE, gH, rng)
			}
		})
	}
}

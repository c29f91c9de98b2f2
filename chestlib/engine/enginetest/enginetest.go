// Package enginetest is the suite that every engine of the CHEST step passes. It
// compares with the definition in chestlib/loss, which computes in float64.
package enginetest

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
)

// Maker makes the engine under test for a loss.
type Maker func(t *testing.T, l *loss.CHEST, adam optim.AdamWOptions) engine.Engine

const (
	lossTolerance = 1e-5 // of a term, relative to the larger of it and 1
	gradTolerance = 1e-3 // of a gradient, relative to its largest entry
)

// problem is one configuration and batch.
type problem struct {
	name          string
	rows, classes int
	dE, dH        int
	o             loss.CHESTOptions
	length        float64 // of features before the heads' maps; 0 means 1.5
	stretch       float32 // of the first proxies; 0 means 1
	twins         bool    // features and proxies nearly coincide
	parallel      bool    // some proxies are parallel, some zero
}

// problems cover every option and the limits of blocks, chunks and lanes.
func problems() []problem {
	k := func(n int) loss.CHESTOptions {
		return loss.CHESTOptions{E: loss.SoftTripleOptions{Proxies: n}, H: loss.HyperSoftTripleOptions{Proxies: n}}
	}
	with := func(n int, f func(o *loss.CHESTOptions)) loss.CHESTOptions { o := k(n); f(&o); return o }
	list := []problem{
		{name: "defaults", rows: 32, classes: 20, dE: 16, dH: 16, o: k(3)},
		{name: "one class", rows: 3, classes: 1, dE: 5, dH: 4, o: k(3)},
		{name: "one row", rows: 1, classes: 7, dE: 3, dH: 2, o: k(1)},
		{name: "one proxy", rows: 9, classes: 30, dE: 17, dH: 33, o: k(1)},
		{name: "one dimension", rows: 9, classes: 4, dE: 1, dH: 1, o: k(2)},
		{name: "no rows", rows: 0, classes: 4, dE: 3, dH: 3, o: k(2)},
		{name: "many rows", rows: 300, classes: 5, dE: 8, dH: 12, o: k(2)},
		{name: "many classes", rows: 20, classes: 1203, dE: 24, dH: 20, o: k(2)},
		{name: "many proxies", rows: 10, classes: 17, dE: 24, dH: 20, o: k(50)},
		{name: "more blocks than lanes", rows: 5, classes: 290, dE: 6, dH: 7, o: k(33)},
		{name: "only E", rows: 12, classes: 40, dE: 16, dH: 8, o: with(2, func(o *loss.CHESTOptions) { o.Space = loss.OnlyE })},
		{name: "only H", rows: 12, classes: 40, dE: 16, dH: 8, o: with(2, func(o *loss.CHESTOptions) { o.Space = loss.OnlyH })},
		{name: "no tree", rows: 12, classes: 40, dE: 16, dH: 8, o: with(2, func(o *loss.CHESTOptions) { o.NoTree = true })},
		{name: "no margin or merging", rows: 12, classes: 9, dE: 16, dH: 8, o: with(2, func(o *loss.CHESTOptions) { o.E.Delta, o.H.Delta, o.E.NoMerge = -1, -1, true })},
		{name: "merging in the ball", rows: 12, classes: 9, dE: 16, dH: 8, o: with(4, func(o *loss.CHESTOptions) { o.H.Tau = 0.3 })},
		{name: "weights", rows: 12, classes: 9, dE: 16, dH: 8, o: with(4, func(o *loss.CHESTOptions) { o.WeightE, o.WeightH, o.WeightTree = 0.5, 2, 3 })},
		{name: "batch classes", rows: 12, classes: 60, dE: 16, dH: 8, o: with(2, func(o *loss.CHESTOptions) { o.Tree.BatchClasses, o.Tree.Triplets = true, 50 })},
		{name: "label aware", rows: 12, classes: 6, dE: 16, dH: 8, o: with(2, func(o *loss.CHESTOptions) { o.Tree.LabelAware = true })},
		{name: "different K", rows: 12, classes: 6, dE: 16, dH: 8, o: loss.CHESTOptions{NoTree: true, E: loss.SoftTripleOptions{Proxies: 3}, H: loss.HyperSoftTripleOptions{Proxies: 5}}},
		{name: "flat", rows: 12, classes: 9, dE: 16, dH: 8, o: with(3, func(o *loss.CHESTOptions) { o.H.Flat = true })},
		{name: "curved", rows: 12, classes: 9, dE: 16, dH: 8, o: with(3, func(o *loss.CHESTOptions) { o.H.Curvature, o.H.Clip = 1, 1 })},
		{name: "free proxies", rows: 12, classes: 9, dE: 16, dH: 8, stretch: 4, o: with(3, func(o *loss.CHESTOptions) { o.H.FreeProxies = true })},
		{name: "clipped proxies", rows: 12, classes: 9, dE: 16, dH: 8, stretch: 2, o: k(3)},
		{name: "clipped", rows: 12, classes: 9, dE: 16, dH: 8, length: 6, o: k(3)},
		{name: "no clip, towards the boundary", rows: 12, classes: 9, dE: 16, dH: 8, length: 12, o: with(3, func(o *loss.CHESTOptions) { o.H.Clip = -1 })},
		{name: "near-duplicates", rows: 12, classes: 9, dE: 8, dH: 8, twins: true, o: k(3)},
		{name: "parallel and zero", rows: 12, classes: 9, dE: 8, dH: 8, parallel: true, o: k(3)},
	}
	for _, s := range []loss.Similarity{loss.NegativeSquared, loss.Exponential, loss.Rescaled} {
		list = append(list, problem{name: "similarity " + s.String(), rows: 12, classes: 9, dE: 16, dH: 8, o: with(3, func(o *loss.CHESTOptions) { o.H.Similarity = s })},
			problem{name: "flat similarity " + s.String(), rows: 12, classes: 9, dE: 16, dH: 8, o: with(3, func(o *loss.CHESTOptions) { o.H.Similarity, o.H.Flat = s, true })})
	}
	return list
}

// batch makes the loss and the batch of a problem, the same in each call.
func (p problem) batch() (l *loss.CHEST, uE, uH []float32, label []int) {
	p.o.Seed = 7
	l = loss.NewCHEST(p.classes, p.dE, p.dH, p.o)
	rng := rand.New(rand.NewPCG(1, 2))
	length := cmp.Or(p.length, 1.5)
	features := func(d int) []float32 {
		u := make([]float32, p.rows*d)
		for i := range u {
			u[i] = float32(rng.NormFloat64() * length / math.Sqrt(float64(d)))
		}
		return u
	}
	uE, uH = features(p.dE), features(p.dH)
	for range p.rows {
		label = append(label, rng.IntN(p.classes))
	}
	stretch := cmp.Or(p.stretch, 1)
	for _, q := range l.Params() {
		d := q.Shape[1]
		for i := range q.Value {
			q.Value[i] *= stretch * (0.5 + rng.Float32())
		}
		if p.parallel {
			clear(q.Value[:d])
			copy(q.Value[d:2*d], q.Value[2*d:3*d])
			for i := range d {
				q.Value[4*d+i] = -2 * q.Value[3*d+i]
			}
		}
	}
	if p.twins { // rows at, or nearly at, their proxies
		e, h := l.Euclidean().Proxies(), l.Hyperbolic().Proxies()
		for i := range p.rows {
			copy(uE[i*p.dE:(i+1)*p.dE], e.Value[i*p.dE:])
			copy(uH[i*p.dH:(i+1)*p.dH], h.Value[i*p.dH:])
			if i%2 == 0 {
				uH[i*p.dH] += 1e-4
			}
		}
	}
	return l, uE, uH, label
}

func draws() *rand.Rand { return rand.New(rand.NewPCG(3, 4)) }

// Run runs the suite.
func Run(t *testing.T, make Maker) {
	for _, p := range problems() {
		t.Run(p.name, func(t *testing.T) {
			t.Run("values and gradients", func(t *testing.T) { gradients(t, p, make) })
			t.Run("moves", func(t *testing.T) { moves(t, p, make) })
		})
	}
	t.Run("bad input", func(t *testing.T) { badInput(t, make) })
}

// gradients compares one step with the definition.
func gradients(t *testing.T, p problem, maker Maker) {
	def, uE, uH, label := p.batch()
	wantE, wantH := make([]float32, len(uE)), make([]float32, len(uH))
	want := def.Step(uE, uH, label, wantE, wantH, draws())

	l, _, _, _ := p.batch()
	e := maker(t, l, optim.AdamWOptions{})
	gE, gH := make([]float32, len(uE)), make([]float32, len(uH))
	for i := range gE { // overwritten, not added to
		gE[i] = 9
	}
	got, err := e.Loss(loss.Batch{E: uE, H: uH, Label: label, GE: gE, GH: gH, Rand: draws()}, false)
	if err != nil {
		t.Fatal(err)
	}
	compareTerms(t, got, want)
	compare(t, "gE", gE, wantE)
	compare(t, "gH", gH, wantH)
	var norm float64
	for i, q := range def.Params() {
		compare(t, q.Name, e.Params()[i].Grad, q.Grad)
		for _, g := range q.Grad {
			norm += float64(g) * float64(g)
		}
	}
	if got, want := e.Norm(), math.Sqrt(norm); math.Abs(got-want) > gradTolerance*want {
		t.Errorf("norm %g, want %g", got, want)
	}
	if _, err := e.Loss(loss.Batch{E: uE, H: uH, Label: label, GE: gE, GH: gH, Rand: draws()}, true); err != nil {
		t.Fatal(err)
	}
	compare(t, "gE of a second batch", gE, wantE)
	for i, q := range def.Params() {
		for j := range q.Grad {
			q.Grad[j] *= 2
		}
		compare(t, q.Name+" of two batches", e.Params()[i].Grad, q.Grad)
	}
	if got, want := e.Norm(), 2*math.Sqrt(norm); math.Abs(got-want) > gradTolerance*want {
		t.Errorf("norm of two batches %g, want %g", got, want)
	}
	again, err := e.Loss(loss.Batch{E: uE, H: uH, Label: label, Rand: draws()}, false)
	if err != nil {
		t.Fatal(err)
	}
	compareTerms(t, again, want)
}

// moves trains both for a few steps and compares the proxies.
func moves(t *testing.T, p problem, maker Maker) {
	def, uE, uH, label := p.batch()
	adam := optim.AdamWOptions{Groups: map[string]optim.Group{"proxies": {Rate: 2}}}
	slow := optim.NewAdamW(def.Params(), adam)
	l, _, _, _ := p.batch()
	e := maker(t, l, adam)
	gE, gH := make([]float32, len(uE)), make([]float32, len(uH))
	rng, same := draws(), draws()
	for step := range 3 {
		def.Step(uE, uH, label, gE, gH, rng)
		optim.ClipNorm(def.Params(), 0.5)
		slow.Move(optim.Move{Rate: 1e-3, Scale: 1})
		if _, err := e.Loss(loss.Batch{E: uE, H: uH, Label: label, GE: gE, GH: gH, Rand: same}, false); err != nil {
			t.Fatal(err)
		}
		if err := e.Update(optim.Move{Rate: 1e-3, Scale: min(1, 0.5/e.Norm())}); err != nil {
			t.Fatal(err)
		}
		if err := e.Sync(); err != nil {
			t.Fatal(err)
		}
		for i, q := range def.Params() {
			// Adam moves by about the rate whatever the gradient, so only entries
			// whose gradient is all rounding may differ by that much
			far := 0
			for j, v := range q.Value {
				if d := math.Abs(float64(e.Params()[i].Value[j] - v)); d > 2e-5 {
					far++
				}
			}
			if far > len(q.Value)/100+4 && !p.parallel && !p.twins {
				t.Errorf("step %d: %d of %d entries of %s are more than 2e-5 off", step, far, len(q.Value), q.Name)
			}
		}
	}
}

func compareTerms(t *testing.T, got, want loss.Terms) {
	t.Helper()
	for _, v := range []struct {
		name      string
		got, want float64
	}{{"Total", got.Total, want.Total}, {"E", got.E, want.E}, {"Merge", got.Merge, want.Merge}, {"H", got.H, want.H},
		{"Tree", got.Tree, want.Tree}, {"Clipped", got.Clipped, want.Clipped}} {
		if d := math.Abs(v.got - v.want); !(d <= lossTolerance*max(1, math.Abs(v.want))) {
			t.Errorf("%s is %.8g, want %.8g", v.name, v.got, v.want)
		}
	}
}

// compare reports the worst entry, if it is too far off.
func compare(t *testing.T, name string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s has %d entries, want %d", name, len(got), len(want))
	}
	var top, worst float64
	at := 0
	for i, w := range want {
		top = max(top, math.Abs(float64(w)))
		if d := math.Abs(float64(got[i]) - float64(w)); !(d <= worst) {
			worst, at = d, i
		}
	}
	if !(worst <= gradTolerance*top+1e-9) {
		t.Errorf("%s[%d] is %g, want %g (largest entry %g)", name, at, got[at], want[at], top)
	}
}

func badInput(t *testing.T, maker Maker) {
	l := loss.NewCHEST(4, 3, 2, loss.CHESTOptions{E: loss.SoftTripleOptions{Proxies: 2}})
	e := maker(t, l, optim.AdamWOptions{})
	f := func(n int) []float32 { return make([]float32, n) }
	for _, c := range []struct {
		uE, uH []float32
		label  []int
		gE, gH []float32
		says   string
	}{
		{f(5), f(4), []int{0, 1}, f(6), f(4), "uE has 5 entries"},
		{f(6), f(5), []int{0, 1}, f(6), f(4), "uH has 5 entries"},
		{f(6), f(4), []int{0, 4}, f(6), f(4), "label 4 of row 1"},
		{f(6), f(4), []int{0, -1}, f(6), f(4), "label -1 of row 1"},
		{f(6), f(4), []int{0, 1}, f(7), f(4), "gE has 7 entries"},
		{f(6), f(4), []int{0, 1}, f(6), nil, "gH has 0 entries"},
	} {
		if _, err := e.Loss(loss.Batch{E: c.uE, H: c.uH, Label: c.label, GE: c.gE, GH: c.gH, Rand: draws()}, false); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("error %v, want one that says %q", err, c.says)
		}
	}
	if _, err := e.Loss(loss.Batch{E: f(6), H: f(4), Label: []int{0, 1}, GE: f(6), GH: f(4), Rand: draws()}, false); err != nil {
		t.Error(fmt.Errorf("after bad input: %w", err))
	}
}

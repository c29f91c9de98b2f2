// Package enginetest is the suite that every engine of the CHEST step passes. It
// compares with the definition in chestlib/loss, which computes in float64.
package enginetest

import (
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

func draws() *rand.Rand { return rand.New(rand.NewPCG(3, 4)) }

// Run runs the suite.
func Run(t *testing.T, make Maker) { RunWithout(t, make, math.MaxInt, nil) }

// RunWithout runs it without the problems of more than so many proxies in a
// space, for engines that are run by something slow, and of those whose loss the
// engine refuses: refused, if it is not nil, looks whether it does and should.
func RunWithout(t *testing.T, make Maker, proxies int, refused func(t *testing.T, l *loss.CHEST) bool) {
	for _, p := range problems() {
		if p.classes*max(p.o.E.Proxies, p.o.H.Proxies) > proxies {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			if refused != nil && refused(t, p.make()) {
				return
			}
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
	sync(t, e)
	var norm float64
	for i, q := range def.Params() {
		compare(t, q.Name, e.Params()[i].Grad, q.Grad)
		for _, g := range q.Grad {
			norm += float64(g) * float64(g)
		}
	}
	balls, wantBalls := ballParams(l), ballParams(def)
	for i, q := range wantBalls {
		compareBall(t, "ball", balls[i].Grad, q.Grad)
	}
	if got, want := e.Norm(), math.Sqrt(norm); math.Abs(got-want) > gradTolerance*want {
		t.Errorf("norm %g, want %g", got, want)
	}
	if _, err := e.Loss(loss.Batch{E: uE, H: uH, Label: label, GE: gE, GH: gH, Rand: draws()}, true); err != nil {
		t.Fatal(err)
	}
	compare(t, "gE of a second batch", gE, wantE)
	sync(t, e)
	for i, q := range def.Params() {
		for j := range q.Grad {
			q.Grad[j] *= 2
		}
		compare(t, q.Name+" of two batches", e.Params()[i].Grad, q.Grad)
	}
	for i, q := range wantBalls {
		for j := range q.Grad {
			q.Grad[j] *= 2
		}
		compareBall(t, "ball of two batches", balls[i].Grad, q.Grad)
	}
	if got, want := e.Norm(), 2*math.Sqrt(norm); math.Abs(got-want) > gradTolerance*want {
		t.Errorf("norm of two batches %g, want %g", got, want)
	}
	again, err := e.Loss(loss.Batch{E: uE, H: uH, Label: label, Rand: draws()}, false)
	if err != nil {
		t.Fatal(err)
	}
	compareTerms(t, again, want)
	for i, q := range wantBalls { // terms only: nothing was added
		compareBall(t, "ball after terms", balls[i].Grad, q.Grad)
	}
}

// ballTolerance is of a gradient by the ball, beside gradTolerance: it is a
// difference of sums that nearly agree, see ball.Sums.
const ballTolerance = 1e-5

// compareBall compares gradients by numbers of the ball, one by one: they may be
// of different size.
func compareBall(t *testing.T, name string, got, want []float32) {
	t.Helper()
	for i, w := range want {
		if d := math.Abs(float64(got[i]) - float64(w)); !(d <= gradTolerance*math.Abs(float64(w))+ballTolerance) {
			t.Errorf("%s[%d] is %g, want %g", name, i, got[i], w)
		}
	}
}

// sync brings the gradients of an engine that keeps them elsewhere.
func sync(t *testing.T, e engine.Engine) {
	t.Helper()
	if err := e.Sync(); err != nil {
		t.Fatal(err)
	}
}

// moves trains both for a few steps and compares the proxies.
func moves(t *testing.T, p problem, maker Maker) {
	def, uE, uH, label := p.batch()
	adam := optim.AdamWOptions{Groups: map[string]optim.Group{"proxies": {Rate: 2}}}
	slow := optim.NewAdamW(def.Params(), adam)
	l, _, _, _ := p.batch()
	e := maker(t, l, adam)
	slowBall := optim.NewAdamW(ballParams(def), optim.AdamWOptions{})
	fastBall := optim.NewAdamW(ballParams(l), optim.AdamWOptions{})
	gE, gH := make([]float32, len(uE)), make([]float32, len(uH))
	rng, same := draws(), draws()
	for step := range 3 {
		def.BeginEpoch(p.epoch+step, 10)
		l.BeginEpoch(p.epoch+step, 10)
		def.Step(uE, uH, label, gE, gH, rng)
		optim.ClipNorm(def.Params(), 0.5)
		slow.Move(optim.Move{Rate: 1e-3, Scale: 1})
		var ballGrad []float32
		for _, q := range ballParams(def) {
			ballGrad = append(ballGrad, q.Grad...)
		}
		slowBall.Move(optim.Move{Rate: 1e-2, Scale: 1})
		if _, err := e.Loss(loss.Batch{E: uE, H: uH, Label: label, GE: gE, GH: gH, Rand: same}, false); err != nil {
			t.Fatal(err)
		}
		if err := e.Update(optim.Move{Rate: 1e-3, Scale: min(1, 0.5/e.Norm())}); err != nil {
			t.Fatal(err)
		}
		if err := e.Sync(); err != nil {
			t.Fatal(err)
		}
		fastBall.Move(optim.Move{Rate: 1e-2, Scale: 1})
		for i, q := range ballParams(def) {
			for j, v := range q.Value {
				if d := math.Abs(float64(ballParams(l)[i].Value[j] - v)); d > 2e-4 && math.Abs(float64(ballGrad[j])) > 10*ballTolerance {
					t.Errorf("step %d: number %d of the ball is %g, want %g", step, j, ballParams(l)[i].Value[j], v)
				}
			}
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

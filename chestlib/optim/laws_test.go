package optim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// all are the recipes of settings, and every one with its defaults.
func all() []Recipe { return append(Recipes(), settings...) }

// balls says whether r moves points of a ball.
func balls(r Recipe) bool { return strings.HasPrefix(r.Name(), "riemannian") }

// large returns params of several pieces, also of a ball, with rows that do not
// divide a piece and rows that are longer than one.
func large(r Recipe, seed uint64) []*Param {
	rng := rand.New(rand.NewPCG(seed, 0))
	params := []*Param{NewParam("a", "head", pieceSize+100, 2), NewParam("b", "free", 3)}
	if balls(r) {
		params = append(params, NewParam("c", "head", pieceSize/10, 37), NewParam("d", "", 3, pieceSize+5))
		params[2].Ball, params[3].Ball = 0.1, 1
	}
	for _, p := range params {
		for i := range p.Value {
			p.Value[i] = float32(rng.NormFloat64() / math.Sqrt(float64(p.row())))
		}
	}
	return params
}

// train moves params by random gradients from step number from on.
func train(o Optimizer, params []*Param, from, to int) {
	for step := from; step < to; step++ {
		rng := rand.New(rand.NewPCG(7, uint64(step)))
		for _, p := range params {
			for i := range p.Grad {
				p.Grad[i] = rng.Float32() - 0.4
			}
		}
		o.Move(Move{Rate: 0.05, Scale: 0.9, Limit: 0.4})
	}
}

func made(t *testing.T, r Recipe, params []*Param, threads int) Optimizer {
	t.Helper()
	o, err := r.Make(params, Common{Groups: groups, Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// same finds the first param whose bits differ.
func same(t *testing.T, what string, got, want []*Param) {
	t.Helper()
	for k, p := range got {
		if !slices.Equal(p.Value, want[k].Value) {
			t.Errorf("%s: param %s has other bits", what, p.Name)
		}
	}
}

// TestThreads: the bits do not depend on the number of threads.
func TestThreads(t *testing.T) {
	for _, r := range all() {
		want := large(r, 1)
		train(made(t, r, want, 1), want, 0, 3)
		for _, threads := range []int{2, 5} {
			got := large(r, 1)
			train(made(t, r, got, threads), got, 0, 3)
			same(t, fmt.Sprintf("%T%+v, %d threads", r, r, threads), got, want)
		}
	}
}

// TestResume: an optimiser with the values, State and Steps of another goes on
// as that does, bit for bit.
func TestResume(t *testing.T) {
	for _, r := range all() {
		what := fmt.Sprintf("%T%+v", r, r)
		params := large(r, 1)
		o := made(t, r, params, 2)
		train(o, params, 0, 3)
		later := large(r, 2)
		resumed := made(t, r, later, 1)
		names := map[string]bool{}
		for i, s := range resumed.State() {
			old := o.State()[i]
			if s.Name != old.Name || names[s.Name] {
				t.Errorf("%s: state %d is %q, then %q", what, i, old.Name, s.Name)
			}
			names[s.Name] = true
			copy(s.Value, old.Value)
		}
		resumed.SetSteps(o.Steps())
		for k, p := range later {
			copy(p.Value, params[k].Value)
		}
		train(o, params, 3, 6)
		train(resumed, later, 3, 6)
		same(t, what, later, params)
		for i, s := range resumed.State() {
			if !slices.Equal(s.Value, o.State()[i].Value) {
				t.Errorf("%s: state %s has other bits", what, s.Name)
			}
		}
	}
}

// TestNoAllocations: a step allocates nothing.
func TestNoAllocations(t *testing.T) {
	for _, r := range all() {
		params := large(r, 1)
		o := made(t, r, params, 2)
		if n := testing.AllocsPerRun(5, func() { o.Move(Move{Rate: 0.1, Scale: 0.5, Limit: 1}) }); n != 0 {
			t.Errorf("%T%+v: %g allocations a step", r, r, n)
		}
	}
}

// TestScaleThenLimit: gradients are scaled, then cut, and both before anything
// else: a step by Scale and Limit is the plain step by the gradients that are
// clipped by hand. The numbers are exact in float32.
func TestScaleThenLimit(t *testing.T) {
	for _, r := range all() {
		clipped, plain := large(r, 1), large(r, 1)
		a, b := made(t, r, clipped, 1), made(t, r, plain, 1)
		for step := range 3 {
			for k, p := range clipped {
				for i := range p.Grad {
					v := float32((i+step)%7-3) / 4 // up to ±0.75, halved to 0.375, cut at 0.25
					p.Grad[i], plain[k].Grad[i] = v, min(max(v/2, -0.25), 0.25)
				}
			}
			a.Move(Move{Rate: 0.1, Scale: 0.5, Limit: 0.25})
			b.Move(Move{Rate: 0.1, Scale: 1})
		}
		same(t, fmt.Sprintf("%T%+v", r, r), clipped, plain)
	}
}

// TestRateZero: nothing moves, and the next step knows of the gradients.
func TestRateZero(t *testing.T) {
	for _, r := range all() {
		params, before := large(r, 1), large(r, 1)
		o := made(t, r, params, 1)
		train(o, params, 0, 1) // points outside of the margin are inside now
		for k, p := range params {
			copy(before[k].Value, p.Value)
			for i := range p.Grad {
				p.Grad[i] = 1
			}
		}
		o.Move(Move{Rate: 0, Scale: 1})
		same(t, fmt.Sprintf("%T%+v", r, r), params, before)
	}
}

// TestBadOptions: what has no meaning is an error that says what, where and how
// to do it right.
func TestBadOptions(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	p, ball, wrong := NewParam("p", "", 2), NewParam("x", "", 3, 2), NewParam("y", "", 2)
	ball.Ball, wrong.Ball = 1, -1
	flat := []*Param{p}
	for _, c := range []struct {
		r      Recipe
		params []*Param
		c      Common
		want   string
	}{
		{AdamWOptions{Beta1: 1}, flat, Common{}, "adamw: Beta1 is 1; "},
		{AdamWOptions{Eps: -1}, flat, Common{}, "adamw: Eps is -1; "},
		{AdamWOptions{Decay: inf}, flat, Common{}, "adamw: Decay is +Inf; "},
		{AdamOptions{Beta2: nan}, flat, Common{}, "adam: Beta2 is NaN; "},
		{AdamOptions{Beta1: -0.1}, flat, Common{}, "adam: Beta1 is -0.1; "},
		{SGDOptions{Momentum: 1}, flat, Common{}, "sgd: Momentum is 1; "},
		{SGDOptions{Nesterov: true}, flat, Common{}, "sgd: Nesterov without Momentum; "},
		{SGDOptions{Decay: nan}, flat, Common{}, "sgd: Decay is NaN; "},
		{RiemannianSGDOptions{Momentum: -1}, flat, Common{}, "riemannian-sgd: Momentum is -1; "},
		{RiemannianSGDOptions{Margin: 1}, flat, Common{}, "riemannian-sgd: Margin is 1; "},
		{RiemannianAdamOptions{Margin: -0.1}, flat, Common{}, "riemannian-adam: Margin is -0.1; "},
		{RiemannianAdamOptions{Eps: inf}, flat, Common{}, "riemannian-adam: Eps is +Inf; "},
		{AdamWOptions{}, []*Param{p, ball}, Common{}, `adamw: the rows of param "x" are points of a ball (c = 1)`},
		{SGDOptions{}, []*Param{ball}, Common{}, "use riemannian-adam or riemannian-sgd"},
		{RiemannianAdamOptions{}, []*Param{wrong}, Common{}, `riemannian-adam: Ball of param "y" is -1; `},
		{AdamOptions{}, flat, Common{Threads: -1}, "adam: Threads is -1; "},
		{SGDOptions{}, flat, Common{Groups: map[string]Group{"head": {Rate: -1}}}, `sgd: the Rate of group "head" is -1; `},
		{AdamWOptions{}, flat, Common{Groups: map[string]Group{"head": {Decay: nan}}}, `adamw: the Decay of group "head" is NaN; `},
	} {
		o, err := c.r.Make(c.params, c.c)
		if err == nil || o != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%T%+v: optimiser %v, error %v, want none and %q", c.r, c.r, o, err, c.want)
		}
	}
}

// TestBadParams: arrays that would be trained wrongly without a sign panic, in
// every recipe.
func TestBadParams(t *testing.T) {
	p := NewParam("p", "", 2)
	tied := &Param{Name: "tied", Value: p.Value, Grad: make([]float32, 2)}
	short := &Param{Name: "short", Value: make([]float32, 2), Grad: make([]float32, 1)}
	odd := NewParam("odd", "", 4)
	odd.Ball, odd.Shape = 1, []int{2, 3}
	bare := NewParam("bare", "", 4)
	bare.Ball, bare.Shape = 1, nil
	for _, r := range Recipes() {
		for name, params := range map[string][]*Param{"twice": {p, p}, "tied": {p, tied}, "lengths": {short}, "rows": {odd}, "no shape": {bare}} {
			if v := caught(func() { r.Make(params, Common{}) }); v == nil || !strings.HasPrefix(fmt.Sprint(v), "optim: "+r.Name()) {
				t.Errorf("%s, %s: panic %v", r.Name(), name, v)
			}
		}
		if _, err := r.Make([]*Param{NewParam("empty", "", 0, 3), NewParam("none", "", 0)}, Common{}); err != nil {
			t.Errorf("%s: empty params: %v", r.Name(), err)
		}
	}
	if v := caught(func() { NewAdamW([]*Param{p}, AdamWOptions{Beta1: 2}) }); v == nil {
		t.Error("NewAdamW took Beta1 2")
	}
}

// caught returns what f panics with.
func caught(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}

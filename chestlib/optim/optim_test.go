package optim

import (
	"math"
	"math/rand/v2"
	"testing"
)

func filled(name, group string, plain bool, rng *rand.Rand) *Param {
	p := NewParam(name, group, 3, 4)
	p.Plain = plain
	for i := range p.Value {
		p.Value[i] = float32(rng.NormFloat64())
	}
	return p
}

// TestAdamWDefaults: the first step without decay is η·sign(g); with the default
// decay a weight shrinks by ηλ beside it.
func TestAdamWDefaults(t *testing.T) {
	p, q := NewParam("p", "", 1), NewParam("q", "", 1)
	q.Plain = true
	p.Value[0], q.Value[0] = 2, 2
	p.Grad[0], q.Grad[0] = -3, 4
	a := NewAdamW([]*Param{p, q}, AdamWOptions{})
	a.Move(Move{Rate: 1e-3, Scale: 1})
	if d := float64(p.Value[0]) - (2 - 1e-3*1e-2*2 + 1e-3); math.Abs(d) > 2e-7 {
		t.Errorf("decayed weight %.8f, off by %g", p.Value[0], d)
	}
	if d := float64(q.Value[0]) - (2 - 1e-3); math.Abs(d) > 2e-7 {
		t.Errorf("plain weight %.8f, off by %g", q.Value[0], d)
	}
	p.Grad[0] = 1
	if before := p.Value[0]; func() bool { a.Move(Move{Scale: 1}); return p.Value[0] != before }() {
		t.Error("rate 0 moved a weight")
	}
}

// TestAdamWConverges on a badly scaled quadratic whose minimum is known.
func TestAdamWConverges(t *testing.T) {
	p := NewParam("x", "", 3)
	scale, minimum := []float64{100, 1, 0.01}, []float64{1, -2, 3}
	a := NewAdamW([]*Param{p}, AdamWOptions{Decay: -1})
	for step := range 2000 {
		for i := range p.Grad {
			p.Grad[i] = float32(scale[i] * (float64(p.Value[i]) - minimum[i]))
		}
		a.Move(Move{Rate: 0.05 * (1 - float64(step)/2000), Scale: 1})
	}
	for i, x := range p.Value {
		if math.Abs(float64(x)-minimum[i]) > 1e-3 {
			t.Errorf("entry %d: %g, want %g", i, x, minimum[i])
		}
	}
}

func TestClipNorm(t *testing.T) {
	for _, c := range []struct {
		name      string
		a, b      float32
		max, norm float64
		wantA     float32
	}{
		{"inside", 3, 4, 6, 5, 3},
		{"on the bound", 3, 4, 5, 5, 3},
		{"outside", 3, 4, 2.5, 5, 1.5},
		{"zero", 0, 0, 1, 0, 0},
		{"infinite", float32(math.Inf(1)), 1, 1, math.Inf(1), float32(math.Inf(1))},
	} {
		p, q := NewParam("p", "", 1), NewParam("q", "", 1)
		p.Grad[0], q.Grad[0] = c.a, c.b
		if got := ClipNorm([]*Param{p, q}, c.max); got != c.norm || p.Grad[0] != c.wantA {
			t.Errorf("%s: norm %g, gradient %g; want %g, %g", c.name, got, p.Grad[0], c.norm, c.wantA)
		}
	}
	p := NewParam("p", "", 1)
	p.Grad[0] = float32(math.NaN())
	if got := ClipNorm([]*Param{p}, 1); !math.IsNaN(got) {
		t.Errorf("norm of NaN is %g", got)
	}
}

func TestBadCallsPanic(t *testing.T) {
	p := NewParam("p", "", 2)
	short := &Param{Name: "short", Value: make([]float32, 2), Grad: make([]float32, 1)}
	for name, f := range map[string]func(){
		"twice":    func() { NewAdamW([]*Param{p, p}, AdamWOptions{}) },
		"lengths":  func() { NewAdamW([]*Param{short}, AdamWOptions{}) },
		"max 0":    func() { ClipNorm([]*Param{p}, 0) },
		"max NaN ": func() { ClipNorm([]*Param{p}, math.NaN()) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

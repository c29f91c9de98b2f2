package optim

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func newEMA(t *testing.T, params []*Param, o EMAOptions) *EMA {
	t.Helper()
	e, err := NewEMA(params, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// wander sets params to new values.
func wander(params []*Param, step int) {
	rng := rand.New(rand.NewPCG(11, uint64(step)))
	for _, p := range params {
		for i := range p.Value {
			p.Value[i] = rng.Float32()
		}
	}
}

// TestEMATwin compares with the weighted mean as it is defined, over all values
// that the params had.
func TestEMATwin(t *testing.T) {
	for _, beta := range []float64{0.5, 0.9, 0.999} {
		params := []*Param{NewParam("a", "", 3, 2), NewParam("b", "", 5)}
		e := newEMA(t, params, EMAOptions{Decay: beta})
		var past [][]float64
		for step := 1; step <= 40; step++ {
			wander(params, step)
			past = append(past, append(floats(params[0].Value), floats(params[1].Value)...))
			e.Update()
			e.Swap()
			got := append(floats(params[0].Value), floats(params[1].Value)...)
			e.Swap()
			for i := range got {
				var sum, weights float64
				for k, w := range past {
					b := math.Pow(beta, float64(step-1-k))
					sum, weights = sum+b*w[i], weights+b
				}
				if math.Abs(got[i]-sum/weights) > 1e-6 {
					t.Fatalf("β %g, %d steps, entry %d: %g, want %g", beta, step, i, got[i], sum/weights)
				}
			}
		}
	}
}

// TestEMASwap: two swaps change nothing; before the first Update one neither.
func TestEMASwap(t *testing.T) {
	p := NewParam("p", "", 2)
	p.Value[0] = 3
	e := newEMA(t, []*Param{p}, EMAOptions{Decay: 0.5})
	if e.Swap(); p.Value[0] != 3 || !e.Swapped() {
		t.Errorf("before the first update the average is %g, swapped %v", p.Value[0], e.Swapped())
	}
	e.Swap()
	e.Update()
	p.Value[0] = 6
	e.Update()
	if e.Swap(); p.Value[0] != 5 { // (3/2 + 6)/(1/2 + 1)
		t.Errorf("average %g, want 5", p.Value[0])
	}
	if caught(e.Update) == nil || caught(func() { e.State() }) == nil {
		t.Error("updated or saved with the averages swapped in")
	}
	if e.Swap(); p.Value[0] != 6 || e.Swapped() {
		t.Errorf("swapped back to %g, swapped %v", p.Value[0], e.Swapped())
	}
}

// TestEMALaws: a resumed average has the bits of the uninterrupted one, for any
// number of threads; neither call allocates; points stay in their ball.
func TestEMALaws(t *testing.T) {
	r := RiemannianSGDOptions{}
	params, later := large(r, 1), large(r, 1)
	a, b := newEMA(t, params, EMAOptions{Threads: 1}), newEMA(t, later, EMAOptions{Threads: 5})
	for step := range 6 {
		if step == 3 {
			b = newEMA(t, later, EMAOptions{Threads: 2})
			for i, s := range a.State() {
				if b.State()[i].Name != s.Name {
					t.Errorf("state %q, then %q", s.Name, b.State()[i].Name)
				}
				copy(b.State()[i].Value, s.Value)
			}
			b.SetSteps(a.Steps())
		}
		wander(params, step)
		wander(later, step)
		a.Update()
		b.Update()
	}
	for i, s := range a.State() {
		if !slices.Equal(s.Value, b.State()[i].Value) {
			t.Errorf("%s has other bits", s.Name)
		}
	}
	if n := testing.AllocsPerRun(5, func() { b.Update(); b.Swap(); b.Swap() }); n != 0 {
		t.Errorf("%g allocations", n)
	}
	p := NewParam("x", "", 2, 2)
	p.Ball = 1
	e := newEMA(t, []*Param{p}, EMAOptions{})
	for step := range 50 {
		angle := float64(step)
		copy(p.Value, []float32{float32(0.99 * math.Cos(angle)), float32(0.99 * math.Sin(angle)), 0.99, 0})
		e.Update()
	}
	for _, row := range [][]float32{e.State()[0].Value[:2], e.State()[0].Value[2:]} {
		if norm(floats(row)) > 0.99+1e-6 {
			t.Errorf("average %v of points of norm 0.99", row)
		}
	}
}

func TestBadEMA(t *testing.T) {
	p := NewParam("p", "", 2)
	for _, o := range []EMAOptions{{Decay: 1}, {Decay: -0.5}, {Decay: math.NaN()}, {Threads: -1}} {
		if e, err := NewEMA([]*Param{p}, o); e != nil || err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	if caught(func() { NewEMA([]*Param{p, p}, EMAOptions{}) }) == nil {
		t.Error("a param twice")
	}
}

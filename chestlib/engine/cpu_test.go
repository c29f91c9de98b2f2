package engine_test

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/ball"
	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/engine/enginetest"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/internal/cpu"
)

// TestCPU runs the suite at every level of the machine.
func TestCPU(t *testing.T) {
	for _, level := range cpu.Levels() {
		t.Run(level.String(), func(t *testing.T) {
			defer cpu.Set(level)()
			enginetest.Run(t, func(_ *testing.T, l *loss.CHEST, adam optim.AdamWOptions) engine.Engine {
				return made(engine.New(l, engine.Options{Optim: adam, Common: optim.Common{Threads: 2}}))
			})
		})
	}
}

// TestPlain: the definition itself is an engine.
func TestPlain(t *testing.T) {
	enginetest.Run(t, func(t *testing.T, l *loss.CHEST, adam optim.AdamWOptions) engine.Engine {
		var s loss.Setting
		if e := l.Euclidean(); e != nil {
			s.Classes, s.DE = e.Proxies().Shape[0]/e.Options().Proxies, e.Proxies().Shape[1]
		}
		if h := l.Hyperbolic(); h != nil {
			s.Classes, s.DH = h.Proxies().Shape[0]/h.Options().Proxies, h.Proxies().Shape[1]
		}
		e, err := engine.NewPlain(l, s, engine.Options{Optim: adam})
		if err != nil {
			t.Fatal(err)
		}
		return e
	})
}

// made is the engine, which no option here can spoil.
func made(e *engine.CPU, err error) *engine.CPU {
	if err != nil {
		panic(err)
	}
	return e
}

// settings are steps that take different paths: what is fixed, and all that can
// be learned with the other options of clip and tree.
var settings = map[string]struct {
	o    loss.CHESTOptions
	ball ball.Options
}{
	"defaults": {},
	"learned, soft, near means": {
		loss.CHESTOptions{Tree: loss.HypHCOptions{Leaves: loss.MeanLeaves, Sampling: loss.NearTriplets, Triplets: 300}},
		ball.Options{Curvature: 0.1, Clip: 2.3, Soft: true, LearnCurvature: true, LearnClip: true},
	},
	"soft":  {ball: ball.Options{Curvature: 0.1, Clip: 2.3, Soft: true}},
	"learn": {ball: ball.Options{Curvature: 0.1, Clip: 2.3, LearnCurvature: true, LearnClip: true}},
	"near":  {o: loss.CHESTOptions{Tree: loss.HypHCOptions{Sampling: loss.NearTriplets}}},
	"means": {o: loss.CHESTOptions{Tree: loss.HypHCOptions{Leaves: loss.MeanLeaves}}},
	"learned, hard, near": {
		loss.CHESTOptions{Tree: loss.HypHCOptions{Sampling: loss.NearTriplets}, H: loss.HyperSoftTripleOptions{Similarity: loss.Exponential, Tau: 0.1}},
		ball.Options{Curvature: 0.1, Clip: 1, LearnCurvature: true, LearnClip: true},
	},
}

// batch makes a loss with a batch for it.
func batch(rows, classes, k, d int, setting string) (l *loss.CHEST, uE, uH []float32, label []int) {
	set := settings[setting]
	set.o.E.Proxies, set.o.Seed = k, 5
	if set.ball == (ball.Options{}) {
		l = loss.NewCHEST(classes, d, d, set.o)
	} else {
		b, err := ball.New(set.ball)
		if err != nil {
			panic(err)
		}
		made, err := set.o.Make(loss.Setting{Classes: classes, DE: d, DH: d, Curvature: b.Curvature(), Clip: b.Clip(), Ball: b})
		if err != nil {
			panic(err)
		}
		l = made.(*loss.CHEST)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	features := func() []float32 {
		u := make([]float32, rows*d)
		for i := range u {
			u[i] = float32(rng.NormFloat64() / 4)
		}
		return u
	}
	for range rows {
		label = append(label, rng.IntN(classes))
	}
	return l, features(), features(), label
}

// train runs steps and returns the bits of everything that came out.
func train(t *testing.T, threads, steps int, setting string) []uint32 {
	l, uE, uH, label := batch(70, 700, 3, 24, setting)
	e := made(engine.New(l, engine.Options{Common: optim.Common{Threads: threads}}))
	var model []*optim.Param
	if p := l.Hyperbolic().Ball().Param(); p != nil {
		model = append(model, p)
	}
	moved := optim.NewAdamW(model, optim.AdamWOptions{Threads: 1})
	gE, gH := make([]float32, len(uE)), make([]float32, len(uH))
	rng := rand.New(rand.NewPCG(3, 4))
	var bits []uint32
	for range steps {
		terms, err := e.Loss(loss.Batch{E: uE, H: uH, Label: label, GE: gE, GH: gH, Rand: rng}, false)
		if err != nil {
			t.Fatal(err)
		}
		bits = append(bits, math.Float32bits(float32(terms.Total)))
		if err := e.Update(optim.Move{Rate: 1e-2, Scale: 1}); err != nil {
			t.Fatal(err)
		}
		moved.Move(optim.Move{Rate: 1e-2, Scale: 1})
	}
	values := [][]float32{gE, gH, l.Params()[0].Value, l.Params()[1].Value}
	for _, p := range model {
		values = append(values, p.Value)
	}
	for _, x := range values {
		for _, v := range x {
			bits = append(bits, math.Float32bits(v))
		}
	}
	return bits
}

// TestThreads: the bits do not depend on the number of threads.
func TestThreads(t *testing.T) {
	for _, level := range cpu.Levels() {
		for setting := range settings {
			t.Run(level.String()+"/"+setting, func(t *testing.T) {
				defer cpu.Set(level)()
				want := train(t, 1, 4, setting)
				for _, threads := range []int{1, 2, 5} {
					for i, b := range train(t, threads, 4, setting) {
						if b != want[i] {
							t.Fatalf("%d threads: number %d of %d differs", threads, i, len(want))
						}
					}
				}
			})
		}
	}
}

// TestNoAllocation: a step allocates nothing, with any options.
func TestNoAllocation(t *testing.T) {
	for setting := range settings {
		l, uE, uH, label := batch(64, 100, 5, 32, setting)
		e := made(engine.New(l, engine.Options{Common: optim.Common{Threads: 2}}))
		gE, gH := make([]float32, len(uE)), make([]float32, len(uH))
		rng := rand.New(rand.NewPCG(3, 4))
		step := func() {
			if _, err := e.Loss(loss.Batch{E: uE, H: uH, Label: label, GE: gE, GH: gH, Rand: rng}, false); err != nil {
				t.Fatal(err)
			}
			if err := e.Update(optim.Move{Rate: 1e-3, Scale: 0.5}); err != nil {
				t.Fatal(err)
			}
		}
		step()
		if n := testing.AllocsPerRun(20, step); n != 0 {
			t.Errorf("%s: %g allocations per step", setting, n)
		}
	}
}

func TestName(t *testing.T) {
	l, _, _, _ := batch(1, 2, 2, 2, "defaults")
	if got := made(engine.New(l, engine.Options{Common: optim.Common{Threads: 2}})).Name(); !strings.HasSuffix(got, ", 2 threads") || !strings.HasPrefix(got, "cpu ") {
		t.Error(got)
	}
}

// BenchmarkStep is a step without the heads, on one thread, of each setting.
func BenchmarkStep(b *testing.B) {
	for _, setting := range slices.Sorted(maps.Keys(settings)) {
		b.Run(setting, func(b *testing.B) {
			l, uE, uH, label := batch(256, 100, 10, 128, setting)
			e := made(engine.New(l, engine.Options{Common: optim.Common{Threads: 1}}))
			gE, gH := make([]float32, len(uE)), make([]float32, len(uH))
			rng := rand.New(rand.NewPCG(3, 4))
			for b.Loop() {
				if _, err := e.Loss(loss.Batch{E: uE, H: uH, Label: label, GE: gE, GH: gH, Rand: rng}, false); err != nil {
					b.Fatal(err)
				}
				if err := e.Update(optim.Move{Rate: 1e-4, Scale: 1}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

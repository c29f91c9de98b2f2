package graph_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/engine/enginetest"
	"github.com/chestlab/chest/chestlib/engine/graph"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
)

// must is v, unless there is an error.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestEngine runs the suite of all engines.
func TestEngine(t *testing.T) {
	enginetest.Run(t, func(_ *testing.T, l *loss.CHEST, adam optim.AdamWOptions) engine.Engine {
		return must(graph.New(l, engine.Options{Optim: adam, Common: optim.Common{Threads: 2}}))
	})
}

// normal is n normal numbers of deviation std.
func normal(rng *rand.Rand, n int, std float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(std * rng.NormFloat64())
	}
	return x
}

func labels(rng *rand.Rand, n, classes int) []int {
	l := make([]int, n)
	for i := range l {
		l[i] = rng.IntN(classes)
	}
	return l
}

func sameBits(t *testing.T, name string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", name, len(got), len(want))
	}
	for i, w := range want {
		if math.Float32bits(got[i]) != math.Float32bits(w) {
			t.Fatalf("%s[%d] is %g, want %g, to the bit", name, i, got[i], w)
		}
	}
}

// TestEngineBits: the graph changes no bit of what the engines behind it
// compute, for CHEST and for other losses, when batches change in size, with
// batches that add up, and when only values are wanted.
func TestEngineBits(t *testing.T) {
	const classes, d = 6, 8
	s := loss.Setting{Classes: classes, DE: d, DH: d, Curvature: 0.1, Clip: 2.3, Seed: 3}
	for _, recipe := range loss.Recipes() {
		t.Run(recipe.Name(), func(t *testing.T) {
			plain := must(engine.For(must(recipe.Make(s)), s, engine.Options{}))
			graphed := must(graph.For(must(recipe.Make(s)), s, engine.Options{}))
			rng := rand.New(rand.NewPCG(1, 2))
			a, b := rand.New(rand.NewPCG(3, 4)), rand.New(rand.NewPCG(3, 4))
			for step, n := range []int{24, 24, 12, 24, 30, 30} {
				uE, uH, label := normal(rng, n*d, 0.5), normal(rng, n*d, 0.5), labels(rng, n, classes)
				more, values := step == 3, step == 5
				batch := func(r *rand.Rand) loss.Batch {
					out := loss.Batch{E: uE, H: uH, Label: label, Rand: r}
					if !values {
						out.GE, out.GH = make([]float32, n*d), make([]float32, n*d)
					}
					return out
				}
				want, got := batch(a), batch(b)
				wantTerms, gotTerms := must(plain.Loss(want, more)), must(graphed.Loss(got, more))
				if wantTerms.Total != gotTerms.Total || wantTerms.Tree != gotTerms.Tree {
					t.Fatalf("step %d: %+v, want %+v", step, gotTerms, wantTerms)
				}
				sameBits(t, "gE", got.GE, want.GE)
				sameBits(t, "gH", got.GH, want.GH)
				if plain.Norm() != graphed.Norm() {
					t.Errorf("step %d: norm %g, want %g", step, graphed.Norm(), plain.Norm())
				}
				if step == 2 { // the next batch adds to this one
					continue
				}
				move := optim.Move{Rate: 1e-2, Scale: 0.5}
				if err := plain.Update(move); err != nil {
					t.Fatal(err)
				}
				if err := graphed.Update(move); err != nil {
					t.Fatal(err)
				}
				for i, p := range plain.Params() {
					sameBits(t, p.Name, graphed.Params()[i].Value, p.Value)
				}
			}
		})
	}
}

// TestEngineName: records say that it was the graph, and what computed.
func TestEngineName(t *testing.T) {
	e := must(graph.New(loss.NewCHEST(3, 2, 2, loss.CHESTOptions{}), engine.Options{Common: optim.Common{Threads: 1}}))
	if n := e.Name(); !strings.HasPrefix(n, "graph, cpu ") || !strings.HasSuffix(n, "1 thread") {
		t.Error(n)
	}
}

// TestEngineNotFinite: a loss that is not finite is no error of the engine, as
// with others; the trainer looks at it.
func TestEngineNotFinite(t *testing.T) {
	e := must(graph.New(loss.NewCHEST(3, 2, 2, loss.CHESTOptions{}), engine.Options{}))
	u := []float32{1, float32(math.NaN())}
	terms, err := e.Loss(loss.Batch{E: u, H: u, Label: []int{0}, GE: make([]float32, 2), GH: make([]float32, 2)}, false)
	if err != nil || !math.IsNaN(terms.Total) {
		t.Errorf("terms %+v, error %v", terms, err)
	}
}

// TestEngineAllocates: a step allocates nothing of the size of the features, far
// less of the batch times the proxies.
func TestEngineAllocates(t *testing.T) {
	const n, d, classes, k, steps = 64, 64, 500, 4, 50
	l := loss.NewCHEST(classes, d, d, loss.CHESTOptions{E: loss.SoftTripleOptions{Proxies: k}})
	e := must(graph.New(l, engine.Options{}))
	rng := rand.New(rand.NewPCG(1, 2))
	b := loss.Batch{E: normal(rng, n*d, 0.5), H: normal(rng, n*d, 0.5), Label: labels(rng, n, classes), GE: make([]float32, n*d), GH: make([]float32, n*d), Rand: rng}
	must(e.Loss(b, false))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range steps {
		must(e.Loss(b, false))
	}
	runtime.ReadMemStats(&after)
	if per := (after.TotalAlloc - before.TotalAlloc) / steps; per > 4*n*d {
		t.Errorf("%d bytes a step; the features have %d, the similarities %d", per, 4*n*d, 4*n*classes*k)
	}
}

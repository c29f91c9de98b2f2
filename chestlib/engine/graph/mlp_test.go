package graph_test

import (
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"

	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/engine/graph"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/chestlib/optim"
)

// whole is a model of chestlib/model as a graph: trunk and both heads.
func whole(x *G.Node, o model.Options) (uE, uH *G.Node, weights G.Nodes) {
	f, weights, err := graph.MLP(x, graph.MLPOptions{Width: o.Width, Depth: o.Depth, Seed: 9})
	if err != nil {
		panic(err)
	}
	rng := rand.New(rand.NewPCG(8, 8))
	head := func(name string, d int) *G.Node {
		u, w, err := graph.NewLinear(f, name, d, 0, rng)
		if err != nil {
			panic(err)
		}
		weights = append(weights, w...)
		return u
	}
	return head("head.E", o.DE), head("head.H", o.DH), weights
}

// TestModel: a model and the graph that mirrors it compute the same with the
// same weights, forward, backward, and when both have been trained; weights go
// over in both directions.
func TestModel(t *testing.T) {
	const n, in, classes = 20, 12, 6
	for _, o := range []model.Options{{Trunk: "mlp", Seed: 1}, {Trunk: "mlp", Width: 24, Depth: 1, DE: 8, DH: 4, Seed: 2}} {
		m := must(model.New(model.Shape{C: in, H: 1, W: 1}, o))
		o = m.Options()
		rng := rand.New(rand.NewPCG(1, 2))
		x, label := normal(rng, n*in, 1), labels(rng, n, classes)
		chest := func() *loss.CHEST {
			return loss.NewCHEST(classes, o.DE, o.DH, loss.CHESTOptions{E: loss.SoftTripleOptions{Proxies: 2}})
		}

		g := G.NewGraph()
		uE, uH, weights := whole(matrix(g, "x", x, n), o)
		if err := graph.Load(weights, m.Params()); err != nil {
			t.Fatal(err)
		}
		if len(weights) != len(m.Params()) {
			t.Fatalf("%d weights in the graph, %d in the model", len(weights), len(m.Params()))
		}
		term := must(graph.Loss(uE, uH, chest(), loss.Setting{}, engine.Options{}))
		must(G.Grad(term.Node, weights...))
		vm := G.NewTapeMachine(g)
		group := map[string]bool{}
		for _, p := range m.Params() {
			group[p.Name] = p.Plain
		}
		solver := graph.NewSolver(graph.SolverOptions{Group: func(name string) (string, bool) { return "", group[name] }})

		e := must(engine.New(chest(), engine.Options{}))
		adam := optim.NewAdamW(m.Params(), optim.AdamWOptions{})
		gE, gH := make([]float32, n*o.DE), make([]float32, n*o.DH)
		move := optim.Move{Rate: 1e-3, Scale: 1}
		for step := range 3 {
			wantE, wantH := m.Forward(x, n, true)
			must(e.Loss(loss.Batch{E: wantE, H: wantH, Label: label, GE: gE, GH: gH}, false))
			m.Backward(gE, gH, n)
			term.Batch(label, nil)
			if err := vm.RunAll(); err != nil {
				t.Fatal(err)
			}
			near(t, "uE", data(uE.Value()), wantE, 1e-5)
			near(t, "uH", data(uH.Value()), wantH, 1e-5)
			for i, p := range m.Params() {
				near(t, p.Name, data(must(weights[i].Grad())), p.Grad, 1e-3)
			}
			adam.Move(move)
			if err := e.Update(move); err != nil {
				t.Fatal(err)
			}
			if err := solver.Step(G.NodesToValueGrads(weights)); err != nil {
				t.Fatal(err)
			}
			if err := term.Update(move); err != nil {
				t.Fatal(err)
			}
			vm.Reset()
			if step == 0 { // from here on both have the graph's weights
				if err := graph.Store(m.Params(), weights); err != nil {
					t.Fatal(err)
				}
			}
		}
		vm.Close()
	}
}

// TestModelThreads: the bits of a graph do not depend on the number of threads.
func TestModelThreads(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var want []float32
	for _, threads := range []int{1, 2, 5} {
		runtime.GOMAXPROCS(threads)
		rng := rand.New(rand.NewPCG(1, 2))
		g := G.NewGraph()
		uE, uH, weights := whole(matrix(g, "x", normal(rng, 70*12, 1), 70), model.Options{Width: 40, Depth: 2, DE: 8, DH: 8})
		term := must(graph.Loss(uE, uH, loss.NewCHEST(30, 8, 8, loss.CHESTOptions{}), loss.Setting{}, engine.Options{}))
		term.Batch(labels(rng, 70, 30), rng)
		must(G.Grad(term.Node, weights...))
		run(t, g)
		var got []float32
		for _, w := range weights {
			got = append(got, data(must(w.Grad()))...)
		}
		if want == nil {
			want = got
		}
		sameBits(t, "gradient", got, want)
	}
}

// TestLoadRefuses: weights that are not there or of another shape.
func TestLoadRefuses(t *testing.T) {
	g := G.NewGraph()
	w := matrix(g, "w", []float32{1, 2, 3, 4}, 2)
	for says, p := range map[string]*optim.Param{
		`no param "w"`:        optim.NewParam("v", "", 2, 2),
		"(2, 2) in the graph": optim.NewParam("w", "", 4),
	} {
		if err := graph.Load(G.Nodes{w}, []*optim.Param{p}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want %q", err, says)
		}
	}
	near(t, "w", data(w.Value()), []float32{1, 2, 3, 4}, 0)
	if _, _, err := graph.NewLinear(w, "w", 0, 0, nil); err == nil {
		t.Error("a layer without outputs")
	}
	if _, _, err := graph.MLP(vector(g, "x", make([]float32, 3)), graph.MLPOptions{}); err == nil || !strings.Contains(err.Error(), "trunk.stem") {
		t.Errorf("error %v", err)
	}
}

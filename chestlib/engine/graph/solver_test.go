package graph_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/chestlab/chest/chestlib/engine/graph"
	"github.com/chestlab/chest/chestlib/optim"
)

// problem is a graph with learnables of all kinds and the gradients that its
// cost has by them: w is a matrix, b a vector, s a scalar. Those by b and by its
// sum with t are one node.
func problem() (g *G.ExprGraph, learn G.Nodes) {
	rng := rand.New(rand.NewPCG(1, 2))
	g = G.NewGraph()
	x := matrix(g, "x", normal(rng, 12, 1), 4)
	w, b, t := matrix(g, "w", normal(rng, 15, 1), 5), vector(g, "b", normal(rng, 5, 1)), vector(g, "t", normal(rng, 5, 1))
	s := G.NewScalar(g, tensor.Float32, G.WithName("s"), G.WithValue(float32(0.7)))
	y := must(graph.Linear(x, w, G.Must(G.Add(b, t))))
	cost := G.Must(G.Sum(G.Must(G.Tanh(G.Must(G.HadamardProd(s, y))))))
	learn = G.Nodes{w, b, t, s}
	must(G.Grad(cost, learn...))
	return g, learn
}

// TestSolver: every optimiser moves learnables by the same bits as chestlib's,
// on a machine that adds gradients up and on one that does not.
func TestSolver(t *testing.T) {
	for _, recipe := range []optim.Recipe{optim.AdamWOptions{}, optim.AdamOptions{}, optim.SGDOptions{}} {
		for _, bind := range []bool{true, false} {
			g, learn := problem()
			var o []G.VMOpt
			if bind {
				o = append(o, G.BindDualValues(learn...))
			}
			vm := G.NewTapeMachine(g, o...)
			common := optim.Common{Groups: map[string]optim.Group{"slow": {Rate: 0.1}}}
			move := func(done int) optim.Move { return optim.Move{Rate: 0.05 / float64(done+1), Scale: 0.5, Limit: 0.4} }
			solver := graph.NewSolver(graph.SolverOptions{Optim: recipe, Common: common, Move: move, Group: func(name string) (string, bool) {
				if name == "b" {
					return "slow", true
				}
				return "", name != "w"
			}})
			var params []*optim.Param
			for _, n := range learn {
				p := optim.NewParam(n.Name(), "", n.Shape()...)
				copy(p.Value, data(n.Value()))
				p.Plain = n.Name() != "w"
				params = append(params, p)
			}
			params[1].Group = "slow"
			want := must(recipe.Make(params, common))
			for step := range 5 {
				if err := vm.RunAll(); err != nil {
					t.Fatal(err)
				}
				for i, n := range learn {
					copy(params[i].Grad, data(must(n.Grad())))
				}
				want.Move(move(step))
				if err := solver.Step(G.NodesToValueGrads(learn)); err != nil {
					t.Fatal(err)
				}
				for i, n := range learn {
					sameBits(t, recipe.Name()+" "+n.Name(), data(n.Value()), params[i].Value)
				}
				vm.Reset()
			}
			if solver.Optimizer().Steps() != 5 {
				t.Errorf("%d steps", solver.Optimizer().Steps())
			}
			vm.Close()
		}
	}
}

// TestSolverDefaults: the default is AdamW with a rate of 1e-3, without decay of
// vectors.
func TestSolverDefaults(t *testing.T) {
	g, learn := problem()
	run(t, g)
	w, b := optim.NewParam("w", "", 5, 3), optim.NewParam("b", "", 5)
	b.Plain = true
	for p, n := range map[*optim.Param]*G.Node{w: learn[0], b: learn[1]} {
		copy(p.Value, data(n.Value()))
		copy(p.Grad, data(must(n.Grad())))
	}
	optim.NewAdamW([]*optim.Param{w, b}, optim.AdamWOptions{}).Move(optim.Move{Rate: 1e-3, Scale: 1})
	if err := graph.NewSolver(graph.SolverOptions{}).Step(G.NodesToValueGrads(learn)); err != nil {
		t.Fatal(err)
	}
	sameBits(t, "w", data(learn[0].Value()), w.Value)
	sameBits(t, "b", data(learn[1].Value()), b.Value)
}

// TestSolverRefuses: what it cannot move is an error.
func TestSolverRefuses(t *testing.T) {
	step := func(nodes G.Nodes, o graph.SolverOptions) string {
		if err := graph.NewSolver(o).Step(G.NodesToValueGrads(nodes)); err != nil {
			return err.Error()
		}
		return "no error"
	}
	_, fresh := problem()
	g, learn := problem()
	run(t, g)
	wide := G.NewVector(g, tensor.Float64, G.WithName("wide"), G.WithShape(2), G.WithValue(tensor.New(tensor.WithBacking([]float64{1, 2}))))
	for says, got := range map[string]string{
		"run the graph first":       step(fresh, graph.SolverOptions{}),
		"want float32":              step(G.Nodes{wide}, graph.SolverOptions{}),
		"Beta1":                     step(learn, graph.SolverOptions{Optim: optim.AdamWOptions{Beta1: 2}}),
		"x has no gradient":         step(G.Nodes{g.ByName("x")[0]}, graph.SolverOptions{}),
		"Rate of group \"a\" is -1": step(learn, graph.SolverOptions{Common: optim.Common{Groups: map[string]optim.Group{"a": {Rate: -1}}}}),
	} {
		if !strings.Contains(got, says) {
			t.Errorf("%q, want %q", got, says)
		}
	}
	s := graph.NewSolver(graph.SolverOptions{})
	if err := s.Step(G.NodesToValueGrads(learn)); err != nil {
		t.Fatal(err)
	}
	if err := s.Step(G.NodesToValueGrads(learn[:2])); err == nil || !strings.Contains(err.Error(), "2 learnables after 4") {
		t.Errorf("error %v", err)
	}
}

// TestUseBLAS: stock products are chest's, to the bit, and go back to what they
// were.
func TestUseBLAS(t *testing.T) {
	before := G.WhichBLAS()
	restore := graph.UseBLAS()
	rng := rand.New(rand.NewPCG(1, 2))
	g := G.NewGraph()
	x, w := normal(rng, 50*70, 1), normal(rng, 40*70, 1)
	nx, nw := matrix(g, "x", x, 50), matrix(g, "w", w, 40)
	stock := G.Must(G.Mul(nx, G.Must(G.Transpose(nw, 1, 0))))
	ours := must(graph.Linear(nx, nw, nil))
	run(t, g)
	restore()
	if G.WhichBLAS() != before {
		t.Error("not restored")
	}
	near(t, "product", data(stock.Value()), data(ours.Value()), 1e-6)
}

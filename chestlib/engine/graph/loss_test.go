package graph_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/chestlab/chest/chestlib/ball"
	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/engine/graph"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/internal/gradcheck"
)

// matrix is a node of g with the numbers of x.
func matrix(g *G.ExprGraph, name string, x []float32, rows int) *G.Node {
	return G.NewMatrix(g, tensor.Float32, G.WithName(name), G.WithShape(rows, len(x)/rows),
		G.WithValue(tensor.New(tensor.WithShape(rows, len(x)/rows), tensor.WithBacking(x))))
}

// run runs a graph once.
func run(t *testing.T, g *G.ExprGraph, o ...G.VMOpt) {
	t.Helper()
	vm := G.NewTapeMachine(g, o...)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
}

// data is the numbers of a value.
func data(v G.Value) []float32 {
	if s, ok := v.Data().(float32); ok {
		return []float32{s}
	}
	return append([]float32(nil), v.Data().([]float32)...)
}

const (
	rows, classes, dim = 10, 5, 6
)

// learning is a ball that learns both its numbers.
func learning() *ball.Ball {
	return must(ball.New(ball.Options{Curvature: 0.5, Clip: 1.5, LearnCurvature: true, LearnClip: true}))
}

// setting is for a loss on the ball b.
func setting(b *ball.Ball) loss.Setting {
	return loss.Setting{Classes: classes, DE: dim, DH: dim, Curvature: b.Curvature(), Clip: b.Clip(), Ball: b, Seed: 3}
}

// TestLossWeight: a term times w in a sum has w times the gradients, by the
// features, by the loss's own params and by the ball; for CHEST and for a loss
// by its definition.
func TestLossWeight(t *testing.T) {
	for _, recipe := range []loss.Recipe{loss.CHESTOptions{E: loss.SoftTripleOptions{Proxies: 2}}, loss.ContrastiveOptions{Geometry: loss.Ball}, loss.ProxyAnchorOptions{}} {
		for _, w := range []float32{1, 0.5, 3} {
			b := learning()
			s := setting(b)
			rng := rand.New(rand.NewPCG(1, 2))
			uE, uH, label := normal(rng, rows*dim, 1), normal(rng, rows*dim, 1), labels(rng, rows, classes)

			def := must(recipe.Make(s))
			gE, gH := make([]float32, rows*dim), make([]float32, rows*dim)
			if p := b.Param(); p != nil {
				p.Grad[0] = 7 // as if another loss had added to it
			}
			want := def.Add(loss.Batch{E: uE, H: uH, Label: label, GE: gE, GH: gH, Rand: rand.New(rand.NewPCG(3, 4))}, float64(w))
			wantBall := append([]float32(nil), b.Param().Grad...)
			b.Param().ZeroGrad()
			b.Param().Grad[0] = 7

			g := G.NewGraph()
			nE, nH := matrix(g, "uE", uE, rows), matrix(g, "uH", uH, rows)
			term := must(graph.Loss(nE, nH, must(recipe.Make(s)), s, engine.Options{}))
			term.Batch(label, rand.New(rand.NewPCG(3, 4)))
			total := G.Must(G.Add(G.Must(G.Mul(G.NewConstant(w), term.Node)), G.Must(G.Sum(G.Must(G.Square(nE))))))
			wrt := []*G.Node{nE, nH}
			if def.Uses() == loss.OnlyE {
				wrt = wrt[:1]
			}
			must(G.Grad(total, wrt...))
			run(t, g)

			if d := math.Abs(term.Terms().Total - want.Total); d > 1e-5*math.Abs(want.Total) {
				t.Errorf("%s: %g, want %g", recipe.Name(), term.Terms().Total, want.Total)
			}
			for i := range gE {
				gE[i] += 2 * uE[i] // of the square
			}
			near(t, recipe.Name()+" gE", data(must(nE.Grad())), gE, 1e-4)
			if len(wrt) > 1 {
				near(t, recipe.Name()+" gH", data(must(nH.Grad())), gH, 1e-4)
			}
			near(t, recipe.Name()+" ball", b.Param().Grad, wantBall, 1e-4)
			if got, want := term.Norm(), optim.Norm(def.Params()); math.Abs(got-want) > 1e-4*want {
				t.Errorf("%s: norm %g, want %g", recipe.Name(), got, want)
			}
			sgd := must(optim.SGDOptions{}.Make(def.Params(), optim.Common{}))
			sgd.Move(optim.Move{Rate: 0.1, Scale: 1})
			term = again(t, recipe, s, uE, uH, label, w)
			for i, p := range def.Params() {
				near(t, p.Name, term.Params()[i].Value, p.Value, 1e-5)
			}
		}
	}
}

// again makes the term of TestLossWeight once more, moved by plain descent.
func again(t *testing.T, recipe loss.Recipe, s loss.Setting, uE, uH []float32, label []int, w float32) *graph.Term {
	t.Helper()
	g := G.NewGraph()
	nE, nH := matrix(g, "uE", uE, rows), matrix(g, "uH", uH, rows)
	l := must(recipe.Make(s))
	term := must(graph.Loss(nE, nH, l, s, engine.Options{Optim: optim.SGDOptions{}}))
	term.Batch(label, rand.New(rand.NewPCG(3, 4)))
	must(G.Grad(G.Must(G.Mul(term.Node, G.NewConstant(w))), used(l, nE, nH)...))
	run(t, g)
	if err := term.Update(optim.Move{Rate: 0.1, Scale: 1}); err != nil {
		t.Fatal(err)
	}
	return term
}

// used are the nodes that l reads.
func used(l loss.Loss, nE, nH *G.Node) []*G.Node {
	switch l.Uses() {
	case loss.OnlyE:
		return []*G.Node{nE}
	case loss.OnlyH:
		return []*G.Node{nH}
	}
	return []*G.Node{nE, nH}
}

// near compares numbers up to tolerance times the largest one.
func near(t *testing.T, name string, got, want []float32, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", name, len(got), len(want))
	}
	var top float64
	for _, w := range want {
		top = max(top, math.Abs(float64(w)))
	}
	for i, w := range want {
		if d := math.Abs(float64(got[i]) - float64(w)); !(d <= tolerance*top+1e-9) {
			t.Fatalf("%s[%d] is %g, want %g (largest %g)", name, i, got[i], w, top)
		}
	}
}

// TestLossOfProxies: the gradients by the params are nodes, their values the
// loss's memory, and stock solvers and own terms see them.
func TestLossOfProxies(t *testing.T) {
	for _, recipe := range []loss.Recipe{loss.CHESTOptions{E: loss.SoftTripleOptions{Proxies: 2}}, loss.ProxyAnchorOptions{}} {
		s := loss.Setting{Classes: classes, DE: dim, DH: dim, Curvature: 0.1, Clip: 2.3, Seed: 3}
		rng := rand.New(rand.NewPCG(1, 2))
		uE, uH, label := normal(rng, rows*dim, 1), normal(rng, rows*dim, 1), labels(rng, rows, classes)
		def, l := must(recipe.Make(s)), must(recipe.Make(s))
		const w = 0.5
		def.Add(loss.Batch{E: uE, H: uH, Label: label, GE: make([]float32, len(uE)), GH: make([]float32, len(uH)), Rand: rand.New(rand.NewPCG(3, 4))}, w)

		g := G.NewGraph()
		nE, nH := matrix(g, "uE", uE, rows), matrix(g, "uH", uH, rows)
		term := must(graph.LossOfProxies(nE, nH, l, s, 1))
		term.Batch(label, rand.New(rand.NewPCG(3, 4)))
		first := term.Proxies[0]
		total := G.Must(G.Add(G.Must(G.Mul(G.NewConstant(float32(w)), term.Node)), G.Must(G.Sum(first))))
		must(G.Grad(total, term.Proxies...))
		run(t, g, G.BindDualValues(term.Proxies...))
		for i := range def.Params()[0].Grad {
			def.Params()[0].Grad[i]++ // of the sum
		}
		for i, p := range def.Params() {
			near(t, p.Name, data(must(term.Proxies[i].Grad())), p.Grad, 1e-4)
		}
		if err := term.Update(optim.Move{Rate: 1, Scale: 1}); err == nil {
			t.Error("Update moved params that belong to a solver")
		}
		at := append([]float32(nil), l.Params()[0].Value...)
		if err := G.NewVanillaSolver(G.WithLearnRate(0.1)).Step(G.NodesToValueGrads(term.Proxies)); err != nil {
			t.Fatal(err)
		}
		for i, v := range l.Params()[0].Value {
			if want := at[i] - 0.1*def.Params()[0].Grad[i]; math.Abs(float64(v-want)) > 1e-4 {
				t.Fatalf("entry %d of the loss's proxies is %g, want %g", i, v, want)
			}
		}
	}
}

// TestLossOfProxiesTakesOtherValues: a value that somebody binds to the node is
// what the loss is computed from.
func TestLossOfProxiesTakesOtherValues(t *testing.T) {
	l := must(loss.ProxyNCAOptions{}.Make(loss.Setting{Classes: 2, DE: 2, DH: 2}))
	g := G.NewGraph()
	nE := matrix(g, "uE", []float32{1, 0, 0, 1}, 2)
	term := must(graph.LossOfProxies(nE, nil, l, loss.Setting{Classes: 2, DE: 2, DH: 2}, 1))
	term.Batch([]int{0, 1}, nil)
	if err := G.Let(term.Proxies[0], tensor.New(tensor.WithShape(2, 2), tensor.WithBacking([]float32{0, 2, 2, 0}))); err != nil {
		t.Fatal(err)
	}
	run(t, g)
	if p := l.Params()[0].Value; p[1] != 2 || p[0] != 0 {
		t.Errorf("the loss has proxies %v", p)
	}
}

// TestLossGradient compares the gradients of a sum of CHEST and an own term, by
// the weights of a trunk of stock nodes, with finite differences.
func TestLossGradient(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	x, label := normal(rng, rows*4, 1), labels(rng, rows, classes)
	w := normal(rng, 4*dim, 0.7)
	l := loss.NewCHEST(classes, dim, dim, loss.CHESTOptions{E: loss.SoftTripleOptions{Proxies: 2}})
	g := G.NewGraph()
	nx, nw := matrix(g, "x", x, rows), matrix(g, "w", w, 4)
	u := G.Must(G.Tanh(G.Must(G.Mul(nx, nw))))
	term := must(graph.Loss(u, u, l, loss.Setting{}, engine.Options{})) // one embedding for both spaces
	total := G.Must(G.Add(term.Node, G.Must(G.Mean(G.Must(G.Square(u))))))
	grads := must(G.Grad(total, nw))
	vm := G.NewTapeMachine(g)
	defer vm.Close()
	value := func() float64 {
		defer vm.Reset()
		term.Batch(label, rand.New(rand.NewPCG(3, 4)))
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		return term.Terms().Total + float64(data(total.Value())[0]-data(term.Node.Value())[0])
	}
	value()
	if err := gradcheck.Directional(value, w, data(grads[0].Value()), 1e-3, 2e-3, 10, rng); err != nil {
		t.Error(err)
	}
}

// mine is a loss of somebody's own: half the squared length of the features.
type mine struct{ uses loss.Space }

func (m mine) Params() []*optim.Param { return nil }
func (m mine) Uses() loss.Space       { return m.uses }
func (m mine) Add(b loss.Batch, weight float64) (t loss.Terms) {
	for i, v := range b.E {
		t.Total += float64(v*v) / 2
		if b.GE != nil {
			b.GE[i] += float32(weight) * v
		}
	}
	return t
}

// TestOwnLoss: any loss.Loss is a node.
func TestOwnLoss(t *testing.T) {
	g := G.NewGraph()
	nE := matrix(g, "uE", []float32{1, 2, 3, 4}, 2)
	term := must(graph.Loss(nE, nil, mine{loss.OnlyE}, loss.Setting{Classes: 2, DE: 2}, engine.Options{}))
	term.Batch([]int{0, 1}, nil)
	must(G.Grad(term.Node, nE))
	run(t, g)
	if got := data(term.Node.Value())[0]; got != 15 {
		t.Errorf("value %g, want 15", got)
	}
	near(t, "gradient", data(must(nE.Grad())), []float32{1, 2, 3, 4}, 0)
}

// broken is a loss with a mistake.
type broken struct{ mine }

func (broken) Add(b loss.Batch, weight float64) loss.Terms {
	return loss.Terms{Total: float64(b.E[99])}
}

// TestOwnLossPanics: a mistake in a loss of one's own is an error of the run that
// says where it is.
func TestOwnLossPanics(t *testing.T) {
	g := G.NewGraph()
	term := must(graph.Loss(matrix(g, "uE", []float32{1, 2, 3, 4}, 2), nil, broken{mine{loss.OnlyE}}, loss.Setting{Classes: 2, DE: 2}, engine.Options{}))
	term.Batch([]int{0, 1}, nil)
	vm := G.NewTapeMachine(g)
	defer vm.Close()
	if err := vm.RunAll(); err == nil || !strings.Contains(err.Error(), "index out of range [99]") || !strings.Contains(err.Error(), "loss_test.go") {
		t.Errorf("error %v", err)
	}
}

// TestTwoLosses: Gorgonia does not take two terms of equal inputs for one.
func TestTwoLosses(t *testing.T) {
	g := G.NewGraph()
	s := loss.Setting{Classes: 2, DE: 2}
	nE := matrix(g, "uE", []float32{1, 2, 3, 4}, 2)
	a := must(graph.Loss(nE, nil, mine{loss.OnlyE}, s, engine.Options{}))
	b := must(graph.Loss(nE, nil, mine{loss.OnlyE}, s, engine.Options{}))
	a.Batch([]int{0, 1}, nil)
	b.Batch([]int{1, 1}, nil)
	must(G.Grad(G.Must(G.Add(a.Node, b.Node)), nE))
	run(t, g)
	if a.Node == b.Node {
		t.Error("one node for two losses")
	}
	near(t, "gradient", data(must(nE.Grad())), []float32{2, 4, 6, 8}, 0)
}

// TestValuesOnly: without a derivative in the graph the engine computes none, and
// the ball's gradient stays.
func TestValuesOnly(t *testing.T) {
	b := learning()
	s := setting(b)
	rng := rand.New(rand.NewPCG(1, 2))
	g := G.NewGraph()
	term := must(graph.Loss(matrix(g, "uE", normal(rng, rows*dim, 1), rows), matrix(g, "uH", normal(rng, rows*dim, 1), rows),
		must(loss.CHESTOptions{}.Make(s)), s, engine.Options{}))
	term.Batch(labels(rng, rows, classes), nil)
	run(t, g)
	for i, v := range b.Param().Grad {
		if v != 0 {
			t.Errorf("gradient %d of the ball is %g", i, v)
		}
	}
	if term.Norm() != 0 {
		t.Errorf("norm %g", term.Norm())
	}
}

// TestLossViews: slices and transposes are read in their order.
func TestLossViews(t *testing.T) {
	l := mine{loss.OnlyE}
	for name, f := range map[string]func(x *G.Node) *G.Node{
		"columns":   func(x *G.Node) *G.Node { return G.Must(G.Slice(x, nil, G.S(1, 3))) },
		"transpose": func(x *G.Node) *G.Node { return G.Must(G.Transpose(G.Must(G.Slice(x, nil, G.S(1, 3))), 1, 0)) },
		"reshaped": func(x *G.Node) *G.Node {
			return G.Must(G.Reshape(G.Must(G.Slice(x, nil, G.S(1, 3))), tensor.Shape{4, 1}))
		},
	} {
		g := G.NewGraph()
		x := matrix(g, "x", []float32{1, 2, 3, 4, 5, 6, 7, 8}, 2)
		u := f(x)
		term := must(graph.Loss(u, nil, l, loss.Setting{Classes: 9, DE: u.Shape()[1]}, engine.Options{}))
		term.Batch(make([]int, u.Shape()[0]), nil)
		must(G.Grad(term.Node, x))
		run(t, g)
		if got := data(term.Node.Value())[0]; got != (4+9+36+49)/2. {
			t.Errorf("%s: value %g", name, got)
		}
		near(t, name, data(must(x.Grad())), []float32{0, 2, 3, 0, 0, 6, 7, 0}, 0)
	}
}

// TestLossErrors: what does not fit is an error that says so, not a panic, and
// the graph works again after it.
func TestLossErrors(t *testing.T) {
	s := loss.Setting{Classes: classes, DE: dim, DH: dim, Curvature: 0.1, Clip: 2.3}
	chest := func() loss.Loss { return must(loss.CHESTOptions{}.Make(s)) }
	g := G.NewGraph()
	rng := rand.New(rand.NewPCG(1, 2))
	ok := matrix(g, "ok", normal(rng, rows*dim, 1), rows)
	for says, in := range map[string][2]*G.Node{
		"uE is nil":            {nil, ok},
		"uH is nil":            {ok, nil},
		"want the same rows":   {ok, matrix(g, "short", make([]float32, 2*dim), 2)},
		"tensor.Float32":       {G.NewMatrix(g, tensor.Float64, G.WithName("wide"), G.WithShape(rows, dim)), ok},
		"want a matrix":        {G.NewVector(g, tensor.Float32, G.WithName("v"), G.WithShape(dim)), ok},
		"Not all children":     {matrix(G.NewGraph(), "far", make([]float32, rows*dim), rows), ok},
		"label 9 of row 0":     {ok, ok},
		"2 labels for 10 rows": {ok, ok},
		"the loss is NaN":      {ok, ok},
		"uE has 7 columns":     {matrix(g, "broad", make([]float32, rows*(dim+1)), rows), ok},
	} {
		term, err := graph.Loss(in[0], in[1], chest(), s, engine.Options{})
		if err == nil {
			switch label := make([]int, rows); says {
			case "label 9 of row 0":
				label[0] = 9
				term.Batch(label, nil)
			case "2 labels for 10 rows":
				term.Batch(label[:2], nil)
			case "the loss is NaN":
				term.Params()[0].Value[0] = float32(math.NaN())
				term.Batch(label, nil)
			default:
				term.Batch(label, nil)
			}
			vm := G.NewTapeMachine(must(subgraph(g, term.Node)))
			err = vm.RunAll()
		}
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want one that says %q", err, says)
		}
	}
}

// subgraph is what n needs.
func subgraph(g *G.ExprGraph, n *G.Node) (*G.ExprGraph, error) { return g.SubgraphRoots(n), nil }

// TestMore: runs that add up move the params by the sum, and must have one weight.
func TestMore(t *testing.T) {
	s := loss.Setting{Classes: classes, DE: dim, DH: dim, Curvature: 0.1, Clip: 2.3, Seed: 3}
	rng := rand.New(rand.NewPCG(1, 2))
	uE, label := normal(rng, rows*dim, 1), labels(rng, rows, classes)
	def, l := must(loss.ProxyAnchorOptions{}.Make(s)), must(loss.ProxyAnchorOptions{}.Make(s))
	g := G.NewGraph()
	nE := matrix(g, "uE", uE, rows)
	w := G.NewScalar(g, tensor.Float32, G.WithName("weight"), G.WithValue(float32(0.5)))
	term := must(graph.Loss(nE, nil, l, s, engine.Options{Optim: optim.SGDOptions{}}))
	must(G.Grad(G.Must(G.Mul(term.Node, w)), nE))
	vm := G.NewTapeMachine(g)
	defer vm.Close()
	step := func(f func([]int, *rand.Rand)) error {
		defer vm.Reset()
		f(label, nil)
		return vm.RunAll()
	}
	for i, f := range []func([]int, *rand.Rand){term.Batch, term.More, term.More} {
		if err := step(f); err != nil {
			t.Fatalf("run %d: %v", i, err)
		}
		def.Add(loss.Batch{E: uE, Label: label, GE: make([]float32, len(uE))}, 0.5)
	}
	must(optim.SGDOptions{}.Make(def.Params(), optim.Common{})).Move(optim.Move{Rate: 0.1, Scale: 1})
	if err := term.Update(optim.Move{Rate: 0.1, Scale: 1}); err != nil {
		t.Fatal(err)
	}
	near(t, "proxies", l.Params()[0].Value, def.Params()[0].Value, 1e-5)

	if err := step(term.Batch); err != nil {
		t.Fatal(err)
	}
	if err := G.Let(w, float32(0.25)); err != nil {
		t.Fatal(err)
	}
	if err := step(term.More); err == nil || !strings.Contains(err.Error(), "weight 0.25 after 0.5") {
		t.Errorf("error %v for another weight", err)
	}
	if err := step(term.Batch); err != nil {
		t.Errorf("after the error: %v", err)
	}
}

// TestNamesAreUnique: Gorgonia would take two learnables of one name for one.
func TestNamesAreUnique(t *testing.T) {
	g := G.NewGraph()
	s := loss.Setting{Classes: 2, DE: 2, DH: 2}
	nE := matrix(g, "uE", []float32{1, 2, 3, 4}, 2)
	must(graph.LossOfProxies(nE, nil, must(loss.ProxyNCAOptions{}.Make(s)), s, 1))
	if _, err := graph.LossOfProxies(nE, nil, must(loss.ProxyNCAOptions{}.Make(s)), s, 1); err == nil || !strings.Contains(err.Error(), "has a node") {
		t.Errorf("error %v", err)
	}
}

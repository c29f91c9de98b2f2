package graph_test

import (
	"fmt"
	"math/rand/v2"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/engine/cuda"
	"github.com/chestlab/chest/chestlib/engine/graph"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/chestlib/optim"
)

// blobs is a batch of 32 vectors of 8 numbers in 4 classes.
func blobs(rng *rand.Rand) (x *tensor.Dense, label []int) {
	v := make([]float32, 32*8)
	for i := range 32 {
		label = append(label, i%4)
		for j := range 8 {
			v[i*8+j] = float32(rng.NormFloat64() / 4)
		}
		v[i*8+i%4]++
	}
	return tensor.New(tensor.WithShape(32, 8), tensor.WithBacking(v)), label
}

// A trunk and a term of one's own, of stock nodes, with CHEST beside them.
func ExampleLoss() {
	rng := rand.New(rand.NewPCG(1, 2))
	g := G.NewGraph()
	x := G.NewMatrix(g, tensor.Float32, G.WithShape(32, 8), G.WithName("x"))
	start := tensor.New(tensor.WithShape(8, 6), tensor.WithBacking(normal(rng, 8*6, 0.3)))
	w := G.NewMatrix(g, tensor.Float32, G.WithShape(8, 6), G.WithName("w"), G.WithValue(start))
	u := G.Must(G.Tanh(G.Must(G.Mul(x, w)))) // the trunk: both spaces see the same 6 numbers

	l := loss.NewCHEST(4, 6, 6, loss.CHESTOptions{E: loss.SoftTripleOptions{Proxies: 2}})
	chest, err := graph.Loss(u, u, l, loss.Setting{}, engine.Options{})
	if err != nil {
		panic(err)
	}
	own := G.Must(G.Mean(G.Must(G.Square(u)))) // the term
	total := G.Must(G.Add(chest.Node, G.Must(G.Mul(G.NewConstant(float32(0.1)), own))))
	if _, err := G.Grad(total, w); err != nil {
		panic(err)
	}
	vm := G.NewTapeMachine(g)
	defer vm.Close()
	solver := graph.NewSolver(graph.SolverOptions{Rate: 1e-2})

	var first, last float64
	for step := range 50 {
		batch, label := blobs(rng)
		if err := G.Let(x, batch); err != nil {
			panic(err)
		}
		chest.Batch(label, rng)
		if err := vm.RunAll(); err != nil {
			panic(err)
		}
		if err := solver.Step(G.NodesToValueGrads(G.Nodes{w})); err != nil {
			panic(err)
		}
		if err := chest.Update(optim.Move{Rate: 1e-2, Scale: 1}); err != nil { // the proxies
			panic(err)
		}
		if last = chest.Terms().Total; step == 0 {
			first = last
		}
		vm.Reset()
	}
	fmt.Println("falls by half:", last < first/2)
	// Output: falls by half: true
}

// The same term computed on a GPU, if one works.
func ExampleLossBy() {
	g := G.NewGraph()
	u := G.NewMatrix(g, tensor.Float32, G.WithShape(8, 6), G.WithName("u"))
	l := loss.NewCHEST(4, 6, 6, loss.CHESTOptions{})

	device, _, err := cuda.Choose("auto") // nil: no GPU works
	if err != nil {
		panic(err)
	}
	var by engine.Engine
	if device != nil {
		defer device.Close()
		by, err = cuda.New(l, engine.Options{}, device)
	} else {
		by, err = engine.New(l, engine.Options{})
	}
	if err != nil {
		panic(err)
	}
	chest, err := graph.LossBy(u, u, by, l, loss.Setting{})
	if err != nil {
		panic(err)
	}
	fmt.Println(chest.Node.IsScalar())
	// Output: true
}

// norms is a loss of one's own: the mean of ½‖u‖² over the rows of uE.
type norms struct{}

func (norms) Params() []*optim.Param { return nil }
func (norms) Uses() loss.Space       { return loss.OnlyE }
func (norms) Add(b loss.Batch, weight float64) (t loss.Terms) {
	n := float64(len(b.Label))
	for i, u := range b.E {
		t.E += float64(u) * float64(u) / 2 / n
		if b.GE != nil {
			b.GE[i] += float32(weight * float64(u) / n)
		}
	}
	t.Total = t.E
	return t
}

// A loss of one's own, with a gradient written by hand, in place of CHEST.
func ExampleLoss_own() {
	g := G.NewGraph()
	uE := G.NewMatrix(g, tensor.Float32, G.WithName("uE"), G.WithShape(2, 2),
		G.WithValue(tensor.New(tensor.WithShape(2, 2), tensor.WithBacking([]float32{3, 4, 0, 1}))))
	term, err := graph.Loss(uE, nil, norms{}, loss.Setting{Classes: 2, DE: 2}, engine.Options{})
	if err != nil {
		panic(err)
	}
	if _, err := G.Grad(term.Node, uE); err != nil {
		panic(err)
	}
	term.Batch([]int{0, 1}, nil)
	if err := G.NewTapeMachine(g).RunAll(); err != nil {
		panic(err)
	}
	by, _ := uE.Grad()
	fmt.Println(term.Node.Value(), by.Data())
	// Output: 6.5 [1.5 2 0 0.5]
}

// Proxies as nodes: a term on them, and a solver of Gorgonia's that moves them.
func ExampleLossOfProxies() {
	rng := rand.New(rand.NewPCG(1, 2))
	batch, label := blobs(rng)
	g := G.NewGraph()
	u := G.NewMatrix(g, tensor.Float32, G.WithName("u"), G.WithShape(32, 8), G.WithValue(batch))
	l := loss.NewCHEST(4, 8, 8, loss.CHESTOptions{E: loss.SoftTripleOptions{Proxies: 2}})
	chest, err := graph.LossOfProxies(u, u, l, loss.Setting{}, 0)
	if err != nil {
		panic(err)
	}
	inBall := chest.Proxies[1] // tangent vectors, one a row
	own := G.Must(G.Mean(G.Must(G.Square(inBall))))
	if _, err := G.Grad(G.Must(G.Add(chest.Node, own)), chest.Proxies...); err != nil {
		panic(err)
	}
	vm := G.NewTapeMachine(g, G.BindDualValues(chest.Proxies...))
	defer vm.Close()
	solver := G.NewAdamSolver(G.WithLearnRate(0.01))
	before := optim.Norm([]*optim.Param{{Grad: l.Params()[1].Value}})
	for range 20 {
		chest.Batch(label, rng)
		if err := vm.RunAll(); err != nil {
			panic(err)
		}
		if err := solver.Step(G.NodesToValueGrads(chest.Proxies)); err != nil {
			panic(err)
		}
		vm.Reset()
	}
	after := optim.Norm([]*optim.Param{{Grad: l.Params()[1].Value}})
	fmt.Println("moved:", before != after)
	// Output: moved: true
}

// The weights of a model in a graph, and back.
func ExampleMLP() {
	m, err := model.New(model.Shape{C: 8, H: 1, W: 1}, model.Options{Width: 16, DE: 4, DH: 4})
	if err != nil {
		panic(err)
	}
	g := G.NewGraph()
	x := G.NewMatrix(g, tensor.Float32, G.WithShape(32, 8), G.WithName("x"))
	f, weights, err := graph.MLP(x, graph.MLPOptions{Width: 16})
	if err != nil {
		panic(err)
	}
	uE, head, err := graph.NewLinear(f, "head.E", 4, 0, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		panic(err)
	}
	weights = append(weights, head...)
	if err := graph.Load(weights, m.Params()); err != nil { // start where the model is
		panic(err)
	}
	// … train …
	if err := graph.Store(m.Params(), weights); err != nil { // evaluate with the model
		panic(err)
	}
	fmt.Println(uE.Shape(), len(weights), weights[0].Name())
	// Output: (32, 4) 18 trunk.stem.weight
}

// A cosine schedule with a warm-up, and heads that go ten times as fast.
func ExampleSolver() {
	schedule := optim.Cosine{Warmup: optim.Warmup{Steps: 10}}
	solver := graph.NewSolver(graph.SolverOptions{
		Optim:  optim.AdamWOptions{Decay: 1e-4},
		Common: optim.Common{Groups: map[string]optim.Group{"head": {Rate: 10}}},
		Move: func(done int) optim.Move {
			return optim.Move{Rate: 1e-3 * schedule.Factor(done, 100, 5), Scale: 1}
		},
		Group: func(name string) (group string, plain bool) {
			return map[bool]string{true: "head"}[name == "head.E.weight"], name != "head.E.weight"
		},
	})
	var _ G.Solver = solver
	// Output:
}

// The engine of a trainer, by a graph: the same bits as engine.New.
func ExampleNew() {
	rng := rand.New(rand.NewPCG(1, 2))
	batch, label := blobs(rng)
	u := batch.Data().([]float32)
	var totals []float64
	for _, name := range []string{"fused", "graph"} {
		var e engine.Engine
		var err error
		l := loss.NewCHEST(4, 8, 8, loss.CHESTOptions{})
		if name == "fused" {
			e, err = engine.New(l, engine.Options{})
		} else {
			e, err = graph.New(l, engine.Options{})
		}
		if err != nil {
			panic(err)
		}
		terms, err := e.Loss(loss.Batch{E: u, H: u, Label: label}, false)
		if err != nil {
			panic(err)
		}
		totals = append(totals, terms.Total)
	}
	fmt.Println(totals[0] == totals[1])
	// Output: true
}

// Rows far below the first one, where gorgonia.SoftMax gives NaN.
func ExampleSoftmax() {
	g := G.NewGraph()
	x := G.NewMatrix(g, tensor.Float32, G.WithName("x"), G.WithShape(2, 2),
		G.WithValue(tensor.New(tensor.WithShape(2, 2), tensor.WithBacking([]float32{0, 0, -200, -200}))))
	ours, err := graph.Softmax(x)
	if err != nil {
		panic(err)
	}
	stock := G.Must(G.SoftMax(x, 1))
	if err := G.NewTapeMachine(g).RunAll(); err != nil {
		panic(err)
	}
	fmt.Println(ours.Value().Data(), stock.Value().Data())
	// Output: [0.5 0.5 0.5 0.5] [0.5 0.5 NaN NaN]
}

// Stock products by chest's, as long as the function runs.
func ExampleUseBLAS() {
	defer graph.UseBLAS()()
	g := G.NewGraph()
	x := G.NewMatrix(g, tensor.Float32, G.WithName("x"), G.WithShape(2, 2),
		G.WithValue(tensor.New(tensor.WithShape(2, 2), tensor.WithBacking([]float32{1, 2, 3, 4}))))
	square := G.Must(G.Mul(x, x))
	if err := G.NewTapeMachine(g).RunAll(); err != nil {
		panic(err)
	}
	fmt.Println(square.Value().Data())
	// Output: [7 10 15 22]
}

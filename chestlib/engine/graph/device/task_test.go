package device_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/engine/cuda"
	"github.com/chestlab/chest/chestlib/engine/graph"
	"github.com/chestlab/chest/chestlib/engine/graph/device"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
)

// task is a model, its loss and features: the same ones in each call.
type task struct {
	trunk []cuda.Layer
	e, h  cuda.Head
	l     *loss.CHEST
	x     cuda.Features
}

func newTask(trunk string, space loss.Space) task {
	rng := rand.New(rand.NewPCG(1, 2))
	param := func(name string, std, mean float64, shape ...int) *optim.Param {
		p := optim.NewParam(name, "", shape...)
		p.Plain = len(shape) < 2
		for i := range p.Value {
			p.Value[i] = float32(mean + std*rng.NormFloat64())
		}
		return p
	}
	linear := func(name string, out, in int) (w, b *optim.Param) {
		return param(name+".weight", 1/math.Sqrt(float64(in)), 0, out, in), param(name+".bias", 0.1, 0, out)
	}
	k := task{x: cuda.Features{D: in}}
	layer := func(name string, out, in, residual int) {
		w, b := linear(name, out, in)
		k.trunk = append(k.trunk, cuda.Layer{Kind: cuda.LinearLayer, Weight: w, Bias: b, Residual: residual})
	}
	norm := func(name string) {
		k.trunk = append(k.trunk, cuda.Layer{Kind: cuda.NormLayer, Weight: param(name+".gain", 0.1, 1, width), Bias: param(name+".bias", 0.1, 0, width), Eps: 1e-5})
	}
	seen := in
	if trunk != "identity" {
		layer("trunk", width, in, 0)
		seen = width
	}
	if trunk == "mlp" {
		for b := range 2 {
			name := fmt.Sprint("block", b)
			norm(name + ".norm")
			layer(name+".up", width, width, 0)
			k.trunk = append(k.trunk, cuda.Layer{Kind: cuda.GELULayer})
			layer(name+".down", width, width, 4)
		}
		norm("norm")
	}
	k.e.Weight, k.e.Bias = linear("E", d, seen)
	k.h.Weight, k.h.Bias = linear("H", d, seen)
	k.l = loss.NewCHEST(classes, d, d, loss.CHESTOptions{Space: space, E: loss.SoftTripleOptions{Proxies: 2}, H: loss.HyperSoftTripleOptions{Proxies: 2},
		Tree: loss.HypHCOptions{Triplets: triplets}, Seed: 3})
	for i := range items {
		k.x.Label = append(k.x.Label, i%classes)
		for range in {
			k.x.X = append(k.x.X, float32(rng.NormFloat64()))
		}
	}
	return k
}

// batch is the rows of a step, and what its triplets are drawn from.
func batch(step int) ([]int, *rand.Rand) {
	rng := rand.New(rand.NewPCG(4, uint64(step)))
	return rng.Perm(items)[:rows], rng
}

// params are all weights below the proxies that learn.
func (k task) params() (all []*optim.Param) {
	for _, l := range k.trunk {
		if l.Weight != nil {
			all = append(all, l.Weight, l.Bias)
		}
	}
	if k.l.Euclidean() != nil {
		all = append(all, k.e.Weight, k.e.Bias)
	}
	if k.l.Hyperbolic() != nil {
		all = append(all, k.h.Weight, k.h.Bias)
	}
	return all
}

// own is a term of somebody's own: the mean square of u, times 0.3, beside 0.5 times
// CHEST.
func own(chest, u *G.Node) *G.Node {
	half := G.Must(G.Mul(G.NewConstant(float32(0.5)), chest))
	return G.Must(G.Add(half, G.Must(G.Mul(G.NewConstant(float32(0.3)), G.Must(G.Mean(G.Must(G.Square(u))))))))
}

// onCPU trains k by a graph on the processor with the fused engine, calls each
// between gradients and moves, and returns the losses.
func (k task) onCPU(t *testing.T, steps int, term bool, each func(weights G.Nodes)) (losses []float64) {
	t.Helper()
	g := G.NewGraph()
	x := G.NewMatrix(g, tensor.Float32, G.WithShape(rows, in), G.WithName("x"))
	var leaves G.Nodes
	leaf := func(p *optim.Param) *G.Node {
		v := tensor.New(tensor.WithShape(p.Shape...), tensor.WithBacking(p.Value))
		n := G.NewTensor(g, tensor.Float32, len(p.Shape), G.WithName(p.Name), G.WithShape(p.Shape...), G.WithValue(v))
		leaves = append(leaves, n)
		return n
	}
	at, before := x, G.Nodes{}
	for i, l := range k.trunk {
		before = append(before, at)
		switch l.Kind {
		case cuda.GELULayer:
			at = must(graph.GELU(at))
		case cuda.NormLayer:
			at = must(graph.LayerNorm(at, leaf(l.Weight), leaf(l.Bias)))
		default:
			at = must(graph.Linear(at, leaf(l.Weight), leaf(l.Bias)))
		}
		if l.Residual > 0 {
			at = G.Must(G.Add(before[i+1-l.Residual], at))
		}
	}
	var uE, uH *G.Node
	if k.l.Euclidean() != nil {
		uE = must(graph.Linear(at, leaf(k.e.Weight), leaf(k.e.Bias)))
	}
	if k.l.Hyperbolic() != nil {
		uH = must(graph.Linear(at, leaf(k.h.Weight), leaf(k.h.Bias)))
	}
	chest := must(graph.Loss(uE, uH, k.l, loss.Setting{}, engine.Options{}))
	total := chest.Node
	if term {
		total = own(chest.Node, uE)
	}
	must(G.Grad(total, leaves...))
	vm := G.NewTapeMachine(g, G.BindDualValues(leaves...))
	defer vm.Close()
	solver := graph.NewSolver(graph.SolverOptions{Rate: rate})
	for step := range steps {
		pick, rng := batch(step)
		var numbers []float32
		var label []int
		for _, row := range pick {
			numbers, label = append(numbers, k.x.X[row*in:(row+1)*in]...), append(label, k.x.Label[row])
		}
		if err := G.Let(x, tensor.New(tensor.WithShape(rows, in), tensor.WithBacking(numbers))); err != nil {
			t.Fatal(err)
		}
		chest.Batch(label, rng)
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		each(leaves)
		if err := errors.Join(solver.Step(G.NodesToValueGrads(leaves)), chest.Update(optim.Move{Rate: rate, Scale: 1})); err != nil {
			t.Fatal(err)
		}
		losses = append(losses, chest.Terms().Total)
		vm.Reset()
	}
	return losses
}

// net is k as a graph on the GPU.
type net struct {
	*device.Net
	g     *G.ExprGraph
	uE    *G.Node
	chest *G.Node
}

func (k task) net(d *cuda.Device) net {
	n := net{g: G.NewGraph()}
	n.Net = device.New(n.g, d)
	at := must(n.Trunk(must(n.Features(k.x, rows)), k.trunk))
	var uH *G.Node
	if k.l.Euclidean() != nil {
		n.uE = must(n.Head(at, k.e))
	}
	if k.l.Hyperbolic() != nil {
		uH = must(n.Head(at, k.h))
	}
	n.chest = must(n.Loss(n.uE, uH, k.l, engine.Options{}))
	return n
}

// run trains so many steps and returns the losses.
func (n net) run(t *testing.T, steps int, total *G.Node, each func()) (losses []float64) {
	t.Helper()
	if err := n.Grad(total); err != nil {
		t.Fatal(err)
	}
	vm, err := n.Machine()
	if err != nil {
		t.Fatal(err)
	}
	defer vm.Close()
	for step := range steps {
		n.Batch(batch(step))
		if err := vm.RunAll(); err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
		if err := n.Update(optim.Move{Rate: rate, Scale: 1}); err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
		losses = append(losses, n.Terms().Total)
		vm.Reset()
		each()
	}
	return losses
}

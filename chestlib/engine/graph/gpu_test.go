package graph_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/engine/cuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/fakecuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
	"github.com/chestlab/chest/chestlib/engine/graph"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
)

// fakeGPU opens a GPU of the fake driver, which checks the parameters of each
// kernel against the PTX.
func fakeGPU(t *testing.T) (d *cuda.Device, path string) {
	t.Helper()
	path = fakecuda.Use(t, kernels.Sources, "")
	return must(cuda.Open(0)), path
}

// The sizes of the graph below.
const (
	gpuRows, gpuIn, gpuWidth, gpuD, gpuClasses, gpuTriplets = 24, 10, 12, 6, 5, 30
)

// graphed is a trunk and two heads of nodes with CHEST behind them.
type graphed struct {
	x      *G.Node
	term   *graph.Term
	vm     G.VM
	leaves G.Nodes
	solver *graph.Solver
}

// newGraphed makes it with the loss computed by what engineOf returns.
func newGraphed(engineOf func(*loss.CHEST) (engine.Engine, error)) graphed {
	rng := rand.New(rand.NewPCG(1, 2))
	g := G.NewGraph()
	weight := func(name string, out, in int) *G.Node {
		v := tensor.New(tensor.WithShape(out, in), tensor.WithBacking(normal(rng, out*in, 1/math.Sqrt(float64(in)))))
		return G.NewMatrix(g, tensor.Float32, G.WithShape(out, in), G.WithName(name), G.WithValue(v))
	}
	k := graphed{x: G.NewMatrix(g, tensor.Float32, G.WithShape(gpuRows, gpuIn), G.WithName("x")), solver: graph.NewSolver(graph.SolverOptions{Rate: 3e-3})}
	k.leaves = G.Nodes{weight("trunk", gpuWidth, gpuIn), weight("E", gpuD, gpuWidth), weight("H", gpuD, gpuWidth)}
	f := must(graph.GELU(must(graph.Linear(k.x, k.leaves[0], nil))))
	uE, uH := must(graph.Linear(f, k.leaves[1], nil)), must(graph.Linear(f, k.leaves[2], nil))
	l := loss.NewCHEST(gpuClasses, gpuD, gpuD, loss.CHESTOptions{E: loss.SoftTripleOptions{Proxies: 2}, H: loss.HyperSoftTripleOptions{Proxies: 2}, Tree: loss.HypHCOptions{Triplets: gpuTriplets}, Seed: 3})
	k.term = must(graph.LossBy(uE, uH, must(engineOf(l)), l, loss.Setting{}))
	must(G.Grad(k.term.Node, k.leaves...))
	k.vm = G.NewTapeMachine(g, G.BindDualValues(k.leaves...))
	return k
}

// train runs so many steps.
func (k graphed) train(t *testing.T, steps int, each func()) {
	t.Helper()
	for step := range steps {
		rng := rand.New(rand.NewPCG(4, uint64(step)))
		x := tensor.New(tensor.WithShape(gpuRows, gpuIn), tensor.WithBacking(normal(rng, gpuRows*gpuIn, 1)))
		for _, err := range []error{G.Let(k.x, x), func() error { k.term.Batch(labels(rng, gpuRows, gpuClasses), rng); return k.vm.RunAll() }(),
			k.solver.Step(G.NodesToValueGrads(k.leaves)), k.term.Update(optim.Move{Rate: 3e-3, Scale: 1})} {
			if err != nil {
				t.Fatalf("step %d: %v", step, err)
			}
		}
		k.vm.Reset()
		each()
	}
}

// TestGraphOnGPU: from the graph through the tape machine, the node of the loss, the
// GPU's engine and the driver to the kernels, 60 steps end within 1e-5 of those of
// the processor's fused engine. A step uploads features, labels and triplets, the
// eight numbers of the move for each tensor, and downloads gradients and terms.
func TestGraphOnGPU(t *testing.T) {
	d, path := fakeGPU(t)
	var gpu *cuda.Engine
	onCPU := newGraphed(func(l *loss.CHEST) (engine.Engine, error) { return engine.New(l, engine.Options{}) })
	onGPU := newGraphed(func(l *loss.CHEST) (engine.Engine, error) {
		var err error
		gpu, err = cuda.New(l, engine.Options{}, d)
		return gpu, err
	})
	onCPU.train(t, 60, func() {})
	var counts []fakecuda.Counts
	onGPU.train(t, 60, func() { counts = append(counts, must(fakecuda.Count(path))) })
	if err := gpu.Sync(); err != nil {
		t.Fatal(err)
	}
	near := func(name string, got, want []float32) {
		t.Helper()
		for i, w := range want {
			if !(math.Abs(float64(got[i]-w)) <= 1e-5) {
				t.Fatalf("%s[%d] is %g, want %g", name, i, got[i], w)
			}
		}
	}
	for i, n := range onCPU.leaves {
		near(n.Name(), onGPU.leaves[i].Value().Data().([]float32), n.Value().Data().([]float32))
	}
	for i, p := range onCPU.term.Params() {
		near(p.Name, onGPU.term.Params()[i].Value, p.Value)
	}
	if a, b := onCPU.term.Terms().Total, onGPU.term.Terms().Total; math.Abs(a-b) > 1e-5*a {
		t.Errorf("loss %g, want %g", b, a)
	}
	const leaves, tensors = 3 * gpuTriplets, 2
	upMost := int64(4*(2*gpuRows*gpuD+gpuRows+leaves+2*leaves+1+6*gpuTriplets) + 32*tensors)
	downMost := int64(4*2*gpuRows*gpuD + 8*16)
	for i := 2; i < len(counts); i++ {
		a, b := counts[i-1], counts[i]
		if up, down := b.UpBytes-a.UpBytes, b.DownBytes-a.DownBytes; up > upMost || down > downMost || b.Uploads-a.Uploads > 5 || b.Downloads-a.Downloads > 3 || b.Allocations != a.Allocations {
			t.Fatalf("step %d: %d uploads of %d bytes, want at most %d; %d downloads of %d, want at most %d; %d allocations",
				i, b.Uploads-a.Uploads, up, upMost, b.Downloads-a.Downloads, down, downMost, b.Allocations-a.Allocations)
		}
	}
	onCPU.vm.Close()
	onGPU.vm.Close()
	if err := errors.Join(gpu.Close(), d.Close()); err != nil {
		t.Fatal(err)
	}
	if c := must(fakecuda.Count(path)); c.Live != 0 || c.Pieces != 0 {
		t.Errorf("left on the GPU: %+v", c)
	}
}

// TestLostInGraph: a context that is lost is an error of the run, not a panic.
func TestLostInGraph(t *testing.T) {
	d, path := fakeGPU(t)
	k := newGraphed(func(l *loss.CHEST) (engine.Engine, error) { return cuda.New(l, engine.Options{}, d) })
	k.train(t, 2, func() {})
	if err := fakecuda.Set(path, "cuLaunchKernel:1:719"); err != nil {
		t.Fatal(err)
	}
	k.term.Batch(make([]int, gpuRows), rand.New(rand.NewPCG(1, 1)))
	if err := k.vm.RunAll(); err == nil {
		t.Error("no error")
	}
	if err := d.Close(); err == nil {
		t.Error("Close of a lost GPU has no error")
	}
	if err := fakecuda.Reset(path, ""); err != nil {
		t.Fatal(err)
	}
}

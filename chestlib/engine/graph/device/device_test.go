package device_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/engine/cuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/fakecuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
	"github.com/chestlab/chest/chestlib/engine/graph"
	"github.com/chestlab/chest/chestlib/engine/graph/device"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// fakeGPU opens a GPU of the fake driver, which checks the parameters of each kernel
// against the PTX.
func fakeGPU(t *testing.T) (d *cuda.Device, path string) {
	t.Helper()
	path, err := fakecuda.Path(kernels.Sources)
	if errors.Is(err, fakecuda.ErrNoCompiler) && os.Getenv("CHEST_FULL") != "1" {
		t.Skip("SKIPPED: ", err)
	}
	if err == nil {
		err = fakecuda.Reset(path, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("CHEST_CUDA_DRIVER", path)
	t.Setenv("CHEST_CUDA_EXACT", "1")
	return must(cuda.Open(0)), path
}

const (
	items, in, width, d, classes, rows, triplets = 60, 10, 12, 6, 5, 24, 30
	rate                                         = 3e-3
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

// near fails unless all params of the two tasks agree within 1e-5.
func near(t *testing.T, got, want task) {
	t.Helper()
	a, b := append(got.params(), got.l.Params()...), append(want.params(), want.l.Params()...)
	for i, p := range b {
		for j, w := range p.Value {
			if v := a[i].Value[j]; !(math.Abs(float64(v-w)) <= 1e-5) {
				t.Fatalf("%s[%d] is %g, want %g", p.Name, j, v, w)
			}
		}
	}
}

// TestStepsAgree: 60 steps of the graph on the GPU, from features to AdamW, end within
// 1e-5 of the graph on the processor with the fused engine, for each trunk and space. A
// step uploads the indices of its batch, the triplets and eight numbers of the
// move for each tensor, and downloads the terms; it allocates nothing, and nothing is
// left in the end.
func TestStepsAgree(t *testing.T) {
	for _, c := range []struct {
		trunk string
		space loss.Space
	}{{"identity", loss.Both}, {"linear", loss.Both}, {"mlp", loss.Both}, {"linear", loss.OnlyE}, {"mlp", loss.OnlyH}} {
		t.Run(fmt.Sprint(c.trunk, " ", c.space), func(t *testing.T) {
			gpu, path := fakeGPU(t)
			want, got := newTask(c.trunk, c.space), newTask(c.trunk, c.space)
			losses := want.onCPU(t, 60, false, func(G.Nodes) {})
			n := got.net(gpu)
			var counts []fakecuda.Counts
			found := n.run(t, 60, n.chest, func() { counts = append(counts, must(fakecuda.Count(path))) })
			if err := n.Sync(); err != nil {
				t.Fatal(err)
			}
			near(t, got, want)
			for i, w := range losses {
				if math.Abs(found[i]-w) > 1e-5*math.Max(w, 1) {
					t.Fatalf("step %d: the loss is %g, want %g", i, found[i], w)
				}
			}
			tensors := len(got.params()) + len(got.l.Params())
			upMost, downMost := int64(4*rows+4*(3*triplets+2*3*triplets+1+6*triplets)+32*tensors), int64(8*16)
			for i := 2; i < len(counts); i++ {
				a, b := counts[i-1], counts[i]
				if up, down := b.UpBytes-a.UpBytes, b.DownBytes-a.DownBytes; up > upMost || down > downMost || b.Uploads-a.Uploads > 3 || b.Downloads-a.Downloads != 1 || b.Allocations != a.Allocations {
					t.Fatalf("step %d: %d uploads of %d bytes, want at most 3 of %d; %d downloads of %d, want 1 of at most %d; %d allocations",
						i, b.Uploads-a.Uploads, up, upMost, b.Downloads-a.Downloads, down, downMost, b.Allocations-a.Allocations)
				}
			}
			closed(t, n, gpu, path)
		})
	}
}

// TestGradients: the gradients by all weights of the first step are those of the
// processor within 1e-5 of the largest of a weight, those by the proxies as well.
func TestGradients(t *testing.T) {
	for _, trunk := range []string{"identity", "linear", "mlp"} {
		gpu, path := fakeGPU(t)
		want, got := newTask(trunk, loss.Both), newTask(trunk, loss.Both)
		var grads [][]float32
		want.onCPU(t, 1, false, func(weights G.Nodes) {
			for _, w := range weights {
				grads = append(grads, append([]float32(nil), must(w.Grad()).Data().([]float32)...))
			}
			for _, p := range want.l.Params() {
				grads = append(grads, append([]float32(nil), p.Grad...))
			}
		})
		n := got.net(gpu)
		if err := n.Grad(n.chest); err != nil {
			t.Fatal(err)
		}
		vm := must(n.Machine())
		n.Batch(batch(0))
		if err := errors.Join(vm.RunAll(), n.More(), n.Sync()); err != nil {
			t.Fatal(err)
		}
		all := append(got.params(), got.l.Params()...)
		if len(all) != len(grads) {
			t.Fatalf("%d gradients, want %d", len(all), len(grads))
		}
		for i, p := range all {
			most := 0.0
			for _, g := range grads[i] {
				most = math.Max(most, math.Abs(float64(g)))
			}
			for j, g := range grads[i] {
				if most == 0 || !(math.Abs(float64(p.Grad[j]-g)) <= 1e-5*math.Max(most, 1)) {
					t.Fatalf("%s: the gradient by %s[%d] is %g, want %g", trunk, p.Name, j, p.Grad[j], g)
				}
			}
		}
		vm.Close()
		closed(t, n, gpu, path)
	}
}

// closed closes everything and fails if something is left on the GPU.
func closed(t *testing.T, n net, gpu *cuda.Device, path string) {
	t.Helper()
	if err := errors.Join(n.Close(), gpu.Close()); err != nil {
		t.Error(err)
	}
	if c := must(fakecuda.Count(path)); c.Live != 0 || c.Pieces != 0 {
		t.Errorf("left on the GPU: %+v", c)
	}
}

// TestOwnTerm: a term of stock nodes behind Download, with weights of its own and of CHEST's, is
// trained as on the processor.
func TestOwnTerm(t *testing.T) {
	gpu, path := fakeGPU(t)
	want, got := newTask("mlp", loss.Both), newTask("mlp", loss.Both)
	want.onCPU(t, 60, true, func(G.Nodes) {})
	n := got.net(gpu)
	n.run(t, 60, own(n.chest, must(n.Download(n.uE))), func() {})
	if err := n.Sync(); err != nil {
		t.Fatal(err)
	}
	near(t, got, want)
	closed(t, n, gpu, path)
}

// TestStockNodes: a stock node that is given a value on the GPU is an error before
// anything runs, and a node in Go's memory is no input here.
func TestStockNodes(t *testing.T) {
	gpu, path := fakeGPU(t)
	for _, stock := range []func(u, host *G.Node) *G.Node{
		func(u, _ *G.Node) *G.Node { return G.Must(G.Mean(G.Must(G.Square(u)))) },
		func(u, _ *G.Node) *G.Node { return G.Must(G.Sum(u)) },
		func(u, host *G.Node) *G.Node { return G.Must(G.Mean(G.Must(G.Add(u, host)))) },
	} {
		n := newTask("linear", loss.Both).net(gpu)
		host := G.NewMatrix(n.g, tensor.Float32, G.WithShape(rows, d), G.WithName("host"), G.WithInit(G.Zeroes()))
		total := G.Must(G.Add(n.chest, stock(n.uE, host)))
		err := n.Grad(total)
		if err == nil {
			_, err = n.Machine()
		}
		if err == nil || !strings.Contains(err.Error(), "put Download between") {
			t.Errorf("error %v", err)
		}
		if _, err := n.GELU(host); err == nil || !strings.Contains(err.Error(), "host, whose value is in Go's memory") {
			t.Errorf("error %v", err)
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := gpu.Close(); err != nil {
		t.Error(err)
	}
	if c := must(fakecuda.Count(path)); c.Live != 0 {
		t.Errorf("left on the GPU: %+v", c)
	}
}

// set sets the fake driver up while it is in use.
func set(t *testing.T, path, settings string) {
	t.Helper()
	if err := fakecuda.Set(path, settings); err != nil {
		t.Fatal(err)
	}
}

// TestMisuse: what does not fit is an error that says so.
func TestMisuse(t *testing.T) {
	gpu, path := fakeGPU(t)
	k := newTask("linear", loss.Both)
	n := k.net(gpu)
	says := func(err error, words string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("error %v, want one that says %q", err, words)
		}
	}
	_, err := n.Loss(n.uE, n.uE, k.l, engine.Options{})
	says(err, "there is one in this Net already")
	_, err = n.Params(optim.NewParam("late", "", 3))
	says(err, "Params after Loss")
	_, err = n.Features(k.x, rows)
	says(err, "want them once")
	_, err = n.Upload(n.uE)
	says(err, "not a float32 tensor in Go's memory")
	_, err = n.Plus(n.uE, nil)
	says(err, "is nil")
	says(n.Update(optim.Move{}), "call Grad before Machine")
	if err := n.Grad(n.chest); err != nil {
		t.Fatal(err)
	}
	vm := must(n.Machine())
	for _, c := range []struct {
		rows []int
		says string
	}{{nil, "call Batch"}, {[]int{1, 2}, "a batch of 2 rows, want 24"}, {append(make([]int, rows-1), items), "row 60 in the batch"}} {
		n.Batch(c.rows, nil)
		says(vm.RunAll(), c.says)
		vm.Reset()
	}
	n.Batch(batch(0))
	if err := vm.RunAll(); err != nil {
		t.Error(err)
	}
	other := device.New(G.NewGraph(), gpu)
	says(other.Grad(n.chest), "Grad before Loss")
	x := must(other.Features(cuda.Features{X: make([]float32, 6), Label: []int{0, 1, 2}, D: 2}, 2))
	_, err = other.Trunk(x, []cuda.Layer{{Kind: cuda.LinearLayer}})
	says(err, "layer 0: device: Trunk: it has no weight or bias")
	_, err = other.Head(x, cuda.Head{Weight: optim.NewParam("w", "", 3, 3), Bias: optim.NewParam("b", "", 3)})
	says(err, "want n×in, out×in and out")
	_, err = other.Loss(x, x, k.l, engine.Options{})
	says(err, "uE is (2, 2), want (2, 6)")
	if err := other.Close(); err != nil {
		t.Error(err)
	}
	closed(t, n, gpu, path)
}

// TestMore: two halves of a batch move what the whole moves.
func TestMore(t *testing.T) {
	gpu, path := fakeGPU(t)
	whole, halves := newTask("mlp", loss.OnlyE), newTask("mlp", loss.OnlyE)
	a, b := whole.net(gpu), halves.net(gpu)
	a.run(t, 1, a.chest, func() {})
	pick, rng := batch(0)
	half := G.Must(G.Mul(G.NewConstant(float32(0.5)), b.chest))
	if err := b.Grad(half); err != nil {
		t.Fatal(err)
	}
	vm := must(b.Machine())
	for i := range 2 { // the same rows twice, by half each
		if i > 0 {
			if err := b.More(); err != nil {
				t.Fatal(err)
			}
		}
		b.Batch(pick, rng)
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		vm.Reset()
	}
	if err := errors.Join(b.Update(optim.Move{Rate: rate, Scale: 1}), a.Sync(), b.Sync()); err != nil {
		t.Fatal(err)
	}
	near(t, halves, whole)
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	closed(t, b, gpu, path)
}

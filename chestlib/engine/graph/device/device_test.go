package device_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/engine/cuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/fakecuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
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
	path = fakecuda.Use(t, kernels.Sources, "")
	return must(cuda.Open(0)), path
}

const (
	items, in, width, d, classes, rows, triplets = 60, 10, 12, 6, 5, 24, 30
	rate                                         = 3e-3
)

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

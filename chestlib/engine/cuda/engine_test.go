package cuda_test

import (
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/engine/cuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/fakecuda"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
)

// problem makes a loss with a batch for it.
func problem(rows, classes, k, d int) (l *loss.CHEST, b loss.Batch) {
	l = loss.NewCHEST(classes, d, d, loss.CHESTOptions{E: loss.SoftTripleOptions{Proxies: k}, Tree: loss.HypHCOptions{Triplets: 40}, Seed: 5})
	rng := rand.New(rand.NewPCG(1, 2))
	features := func() []float32 {
		u := make([]float32, rows*d)
		for i := range u {
			u[i] = float32(rng.NormFloat64() / 4)
		}
		return u
	}
	b = loss.Batch{E: features(), H: features(), GE: make([]float32, rows*d), GH: make([]float32, rows*d)}
	for range rows {
		b.Label = append(b.Label, rng.IntN(classes))
	}
	return l, b
}

// steps trains and returns the bits of everything that came out. From step back
// on it goes on with a new engine that takes over params and state.
func steps(t *testing.T, d *cuda.Device, n, back int) []uint32 {
	t.Helper()
	l, b := problem(20, 30, 3, 17)
	e := made(t, l, engine.Options{}, d)
	b.Rand = rand.New(rand.NewPCG(3, 4))
	var bits []uint32
	for step := range n {
		if step == back {
			if err := e.Sync(); err != nil {
				t.Fatal(err)
			}
			fresh, _ := problem(20, 30, 3, 17)
			for i, p := range l.Params() {
				copy(fresh.Params()[i].Value, p.Value)
			}
			old := e
			e = made(t, fresh, engine.Options{}, d)
			for i, s := range old.Optimizer().State() {
				copy(e.Optimizer().State()[i].Value, s.Value)
			}
			e.Optimizer().SetSteps(old.Optimizer().Steps())
			l = fresh
		}
		terms, err := e.Loss(b, false)
		if err != nil {
			t.Fatal(err)
		}
		bits = append(bits, math.Float32bits(float32(terms.Total)))
		if err := e.Update(optim.Move{Rate: 1e-2, Scale: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Sync(); err != nil {
		t.Fatal(err)
	}
	for _, x := range [][]float32{b.GE, b.GH, l.Params()[0].Value, l.Params()[1].Value, e.Optimizer().State()[3].Value} {
		for _, v := range x {
			bits = append(bits, math.Float32bits(v))
		}
	}
	return bits
}

// TestSameBits: a run repeats bit by bit, also through a checkpoint.
func TestSameBits(t *testing.T) {
	d := open(t)
	want := steps(t, d, 4, -1)
	for _, back := range []int{-1, 2} {
		for i, b := range steps(t, d, 4, back) {
			if b != want[i] {
				t.Fatalf("new engine at step %d: number %d of %d differs", back, i, len(want))
			}
		}
	}
}

// TestTraffic: a step copies the batch and its gradients, nothing else of size,
// and waits once.
func TestTraffic(t *testing.T) {
	d := open(t)
	l, b := problem(20, 200, 2, 24)
	e := made(t, l, engine.Options{}, d)
	step := func() {
		if _, err := e.Loss(b, false); err != nil {
			t.Fatal(err)
		}
		if err := e.Update(optim.Move{Rate: 1e-3, Scale: 1}); err != nil {
			t.Fatal(err)
		}
	}
	step()
	before := d.Counters()
	step()
	after := d.Counters()
	features, triplets, tables := 2*4*20*24, 40*(3+3+3+6)*4, 500
	if up := after.UpBytes - before.UpBytes; up < features || up > features+triplets+tables {
		t.Errorf("%d bytes up, want %d and a little for the tree", up, features)
	}
	if down := after.DownBytes - before.DownBytes; down < features || down > features+tables {
		t.Errorf("%d bytes down, want %d and some sums", down, features)
	}
	if n := after.Waits - before.Waits; n != 1 {
		t.Errorf("%d waits, want 1", n)
	}
	if n := after.Launches - before.Launches; n > 30 {
		t.Errorf("%d launches in a step", n)
	}
}

// TestUpdateTwice: the second of two updates has no gradient, and a batch that is
// added after an update begins anew, as for the CPU engine.
func TestUpdateTwice(t *testing.T) {
	d := open(t)
	l, b := problem(6, 9, 2, 5)
	m, _ := problem(6, 9, 2, 5)
	gpu := made(t, l, engine.Options{}, d)
	cpu, err := engine.New(m, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []engine.Engine{gpu, cpu} {
		for range 2 {
			if _, err := e.Loss(b, true); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := e.Update(optim.Move{Rate: 1e-2, Scale: 1, Limit: 0.1}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := e.Sync(); err != nil {
			t.Fatal(err)
		}
	}
	for i, p := range l.Params() {
		for j, v := range p.Value {
			if w := m.Params()[i].Value[j]; math.Abs(float64(v-w)) > 1e-4 {
				t.Fatalf("%s[%d] is %g, on the processor %g", p.Name, j, v, w)
			}
		}
	}
}

type otherRecipe struct{ optim.AdamWOptions }

func (otherRecipe) Name() string { return "other" }

func TestRefused(t *testing.T) {
	d := open(t)
	l, _ := problem(6, 9, 2, 5)
	if _, err := cuda.New(l, engine.Options{Optim: otherRecipe{}}, d); err == nil || !strings.Contains(err.Error(), "the optimiser other is not there on the GPU; use adamw") {
		t.Error(err)
	}
	if _, err := cuda.New(l, engine.Options{}, nil); err == nil || !strings.Contains(err.Error(), "needs a device") {
		t.Error(err)
	}
	if name := made(t, l, engine.Options{}, d).Name(); !strings.HasPrefix(name, "cuda ") {
		t.Error(name)
	}
}

// TestKnownOptions fails when an option is added that the GPU does not have and
// New does not refuse: do one or the other, then list it here.
func TestKnownOptions(t *testing.T) {
	for _, c := range []struct {
		options any
		known   string
	}{
		{loss.CHESTOptions{}, "E H Tree WeightE WeightH WeightTree Space NoTree Seed"},
		{loss.SoftTripleOptions{}, "Lambda Gamma Delta Tau Proxies NoMerge Seed"},
		{loss.HyperSoftTripleOptions{}, "Lambda Gamma Delta Tau Proxies Curvature Flat Clip SoftClip FreeProxies Similarity Seed"},
		{loss.HypHCOptions{}, "Triplets LabelAware Leaves Sampling Candidates Temperature Anneal AnnealEvery"},
		{loss.Batch{}, "E H Label GE GH Rand"},
		{loss.Terms{}, "Total E Merge H Tree Clipped Parts"},
		{optim.AdamWOptions{}, "Beta1 Beta2 Eps Decay Groups Threads"},
		{optim.Group{}, "Rate Decay"},
		{optim.Common{}, "Groups Threads"},
		{optim.Move{}, "Rate Scale Limit"},
	} {
		var names []string
		for _, f := range reflect.VisibleFields(reflect.TypeOf(c.options)) {
			names = append(names, f.Name)
		}
		if got := strings.Join(names, " "); got != c.known {
			t.Errorf("%T has the fields %s; the GPU's engine knows %s", c.options, got, c.known)
		}
	}
}

// fake skips tests that need failures on demand.
func fake(t *testing.T, settings string) {
	t.Helper()
	if os.Getenv("CHEST_GPU") == "1" {
		t.Skip("a GPU does not fail on demand")
	}
	if err := fakecuda.Reset(os.Getenv("CHEST_CUDA_DRIVER"), settings); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := fakecuda.Reset(os.Getenv("CHEST_CUDA_DRIVER"), ""); err != nil {
			t.Error(err)
		}
	})
}

// TestFails: a device that fails in a step is an error that says where, and the
// params are as they were.
func TestFails(t *testing.T) {
	fake(t, "")
	d, err := cuda.Open(0)
	if err != nil {
		t.Fatal(err)
	}
	l, b := problem(6, 9, 2, 5)
	e, err := cuda.New(l, engine.Options{}, d)
	if err != nil {
		t.Fatal(err)
	}
	before := append([]float32{}, l.Params()[0].Value...)
	if err := fakecuda.Set(os.Getenv("CHEST_CUDA_DRIVER"), "cuLaunchKernel:7:719"); err != nil {
		t.Fatal(err)
	}
	_, err = e.Loss(b, false)
	if err == nil || !strings.Contains(err.Error(), "cuda: Loss of 6 rows:") || !strings.Contains(err.Error(), "context is lost") {
		t.Errorf("error %v", err)
	}
	if err := e.Update(optim.Move{Rate: 1, Scale: 1}); err == nil || !strings.Contains(err.Error(), "context is lost") {
		t.Errorf("Update after a lost context: %v", err)
	}
	for i, v := range l.Params()[0].Value {
		if v != before[i] {
			t.Fatal("the params have changed")
		}
	}
	_ = e.Close() // lost
	_ = d.Close()
}

// TestTooSmall: a device without memory enough says how much is needed.
func TestTooSmall(t *testing.T) {
	fake(t, "megabytes=4")
	d, err := cuda.Open(0)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	l, _ := problem(1, 3000, 2, 100)
	if _, err := cuda.New(l, engine.Options{}, d); err == nil || !strings.Contains(err.Error(), "MB needed") {
		t.Errorf("error %v", err)
	}
	if u := d.Usage(); u.Live != 0 {
		t.Errorf("memory is left after the failure: %+v", u)
	}
}

func TestChoose(t *testing.T) {
	fake(t, "devices=0")
	for _, c := range []struct{ policy, says, err string }{
		{"cpu", "running on the processor", ""},
		{"auto", "running on the processor: cuda: The driver sees no GPU.", ""},
		{"cuda", "", "The driver sees no GPU."},
		{"gpu", "", "want auto, cpu, cuda or cuda:n"},
	} {
		d, says, err := cuda.Choose(c.policy)
		if d != nil || !strings.HasPrefix(says, c.says) || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v, %q, %v", c.policy, d, says, err)
		}
	}
	fake(t, "")
	d, says, err := cuda.Choose("auto")
	if err != nil || d == nil || says != "running on Fake GPU 0, sm_90, 4 SMs, 1.0 GiB" {
		t.Fatalf("%v, %q, %v", d, says, err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

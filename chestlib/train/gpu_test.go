package train

import (
	"context"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/engine/cuda/fakecuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/chestlib/optim"
)

// nothingLeft fails if memory of the GPU was not given back.
func nothingLeft(t *testing.T, path string) {
	t.Helper()
	c, err := fakecuda.Count(path)
	if err != nil {
		t.Fatal(err)
	}
	if c.Live != 0 || c.Pieces != 0 {
		t.Errorf("left on the GPU: %+v", c)
	}
}

// onGPU is a trainer of a small run with that trunk.
func onGPU(t *testing.T, trunk string, o Options) *Trainer {
	t.Helper()
	src := newClusters(8, 8, 12, 1)
	m, err := model.New(model.Shape{C: 12, H: 1, W: 1}, model.Options{Trunk: trunk, Width: 16, Depth: 1, DE: 8, DH: 8, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	tr, err := New(m, src, o)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// ways are the ways in which a GPU takes part: all of the step on some trunks, and
// the loss alone, since no kernel cuts entries or averages.
var ways = []way{{name: "heads", trunk: "identity"}, {name: "linear", trunk: "linear"}, {name: "MLP", trunk: "mlp"},
	{name: "loss alone", trunk: "mlp", entry: 5}, {name: "average", trunk: "mlp", average: 0.9}}

type way struct {
	name, trunk    string
	entry, average float64
}

// options are small with those of the way.
func (w way) options(epochs int) Options {
	o := small(epochs)
	o.MaxEntry, o.Average = w.entry, w.average
	return o
}

// whole says that the GPU does the whole step.
func (w way) whole() bool { return w.entry == 0 && w.average == 0 }

// far is the largest difference between the weights of two trainers, proxies
// included, and where it is.
func far(a, b *Trainer) (most float64, name string) {
	x, y := a.weights(), b.weights()
	for i := range x {
		for j, v := range x[i].F32 {
			if d := math.Abs(float64(v - y[i].F32[j])); d > most {
				most, name = d, x[i].Name
			}
		}
	}
	return most, name
}

// TestFitOnGPU: the epochs on the GPU are those of the processor: the whole step
// there, or the loss alone.
func TestFitOnGPU(t *testing.T) {
	averaged, frozen, flat, cut := small(3), small(3), small(3), small(3)
	averaged.Average, frozen.Frozen, cut.MaxEntry = 0.9, 1, 0.5
	flat.Loss = loss.CHESTOptions{Space: loss.OnlyE}
	for _, c := range []struct {
		name, trunk string
		o           Options
	}{{"whole step", "identity", small(3)}, {"linear trunk", "linear", small(3)}, {"MLP", "mlp", small(3)}, {"loss alone", "mlp", cut}, {"average", "identity", averaged}, {"frozen", "mlp", frozen}, {"one space", "identity", flat}} {
		t.Run(c.name, func(t *testing.T) {
			path := fakecuda.Use(t, kernels.Sources, "")
			want, got := onGPU(t, c.trunk, c.o), onGPU(t, c.trunk, c.o)
			if _, err := want.Fit(context.Background()); err != nil {
				t.Fatal(err)
			}
			history, err := got.Fit(context.Background(), On("cuda"))
			if err != nil {
				t.Fatal(err)
			}
			for i, e := range want.History() {
				if d := math.Abs(history[i].Loss.Total - e.Loss.Total); d > 1e-4*e.Loss.Total || history[i].Rate != e.Rate {
					t.Errorf("%v on the GPU, want %v", history[i], e)
				}
			}
			if d, name := far(want, got); d > 1e-5 {
				t.Errorf("%s is off by %g", name, d)
			}
			if got.engine.Optimizer().Steps() != want.steps || got.rest.Steps() != want.steps {
				t.Errorf("%d and %d steps are counted, want %d", got.engine.Optimizer().Steps(), got.rest.Steps(), want.steps)
			}
			nothingLeft(t, path)
		})
	}
}

// TestStepsAgree: 60 steps on the GPU end within 1e-5 of the processor's.
func TestStepsAgree(t *testing.T) {
	for _, way := range ways {
		path := fakecuda.Use(t, kernels.Sources, "")
		o := way.options(15)
		want, got := onGPU(t, way.trunk, o), onGPU(t, way.trunk, o)
		if _, err := want.Fit(context.Background()); err != nil {
			t.Fatal(err)
		}
		if _, err := got.Fit(context.Background(), On("cuda")); err != nil {
			t.Fatal(err)
		}
		if got.steps != 60 {
			t.Fatalf("%d steps, want 60", got.steps)
		}
		if d, name := far(want, got); d > 1e-5 {
			t.Errorf("%s: %s is off by %g", way.name, name, d)
		}
		nothingLeft(t, path)
	}
}

// TestCheckpointsGoBetween: a run that changes between processor and GPU at each
// checkpoint is that of either.
func TestCheckpointsGoBetween(t *testing.T) {
	for _, way := range ways {
		fakecuda.Use(t, kernels.Sources, "")
		want := onGPU(t, way.trunk, way.options(3))
		if _, err := want.Fit(context.Background()); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "run.safetensors")
		var last *Trainer
		for epoch, device := range []string{"cpu", "cuda", "cpu"} {
			tr := onGPU(t, way.trunk, way.options(3))
			if epoch > 0 {
				if err := tr.Load(path); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := tr.Epoch(context.Background(), On(device)); err != nil {
				t.Fatal(err)
			}
			if tr.EpochsDone() != epoch+1 || tr.rest.Steps() != tr.steps || tr.engine.Optimizer().Steps() != tr.steps {
				t.Errorf("%d epochs done; %d steps, of the optimisers %d and %d", tr.EpochsDone(), tr.steps, tr.rest.Steps(), tr.engine.Optimizer().Steps())
			}
			if err := tr.Save(path); err != nil {
				t.Fatal(err)
			}
			last = tr
		}
		if d, name := far(want, last); d > 1e-5 {
			t.Errorf("%s: %s is off by %g", way.name, name, d)
		}
	}
}

// TestPolicies: cuda never becomes the processor, auto says why it did.
func TestPolicies(t *testing.T) {
	other, sgd, soft := small(1), small(1), small(1)
	other.Loss, sgd.Optim = loss.Recipes()[1], optim.SGDOptions{}
	soft.Loss = loss.CHESTOptions{Tree: loss.HypHCOptions{Leaves: loss.MeanLeaves}}
	for _, c := range []struct {
		name, settings string
		o              Options
		says           string
	}{
		{"no GPU", "devices=0", small(1), "The driver sees no GPU."},
		{"hidden", "cuInit:1:100", small(1), "CUDA_VISIBLE_DEVICES"},
		{"mismatch", "cuInit:1:803", small(1), "different versions"},
		{"links", "cuInit:1:802", small(1), "nvidia-fabricmanager"},
		{"stub", "cuInit:1:34", small(1), "a stub for linking"},
		{"unknown", "cuInit:1:999", small(1), "nvidia-uvm"},
		{"exclusive", "cuDevicePrimaryCtxRetain:1:46", small(1), "exclusive mode"},
		{"old driver", "version=10020", small(1), "too old for the kernels"},
		{"old GPU", "capability=75", small(1), "do not run on this GPU"},
		{"no image", "cuModuleLoadDataEx:1:209", small(1), "compute capability 8.0"},
		{"no compiler", "cuModuleLoadDataEx:1:221", small(1), "libnvidia-ptxjitcompiler"},
		{"cannot compile", "cuModuleLoadDataEx:1:218", small(1), "cannot compile the kernels"},
		{"full", "megabytes=0", small(1), "out of memory"},
		{"loss", "", other, "is not there on the GPU"},
		{"optimiser", "", sgd, "the optimiser sgd is not there on the GPU"},
		{"tree", "", soft, "a tree of class means is not there on the GPU"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fakecuda.Use(t, kernels.Sources, c.settings)
			strict := onGPU(t, "identity", c.o)
			if _, err := strict.Fit(context.Background(), On("cuda")); err == nil || !strings.Contains(err.Error(), c.says) || strict.steps != 0 {
				t.Errorf("cuda: %d steps, error %v, want one that says %q", strict.steps, err, c.says)
			}
			fakecuda.Use(t, kernels.Sources, c.settings)
			var said []string
			c.o.OnWarn = func(text string) { said = append(said, text) }
			lax, plain := onGPU(t, "identity", c.o), onGPU(t, "identity", c.o)
			if _, err := lax.Fit(context.Background(), On("auto")); err != nil {
				t.Fatal(err)
			}
			if len(said) != 1 || !strings.Contains(said[0], c.says) || !strings.Contains(said[0], "training on the processor") {
				t.Errorf("auto says %q, want %q", said, c.says)
			}
			if _, err := plain.Fit(context.Background()); err != nil {
				t.Fatal(err)
			}
			if d, name := far(lax, plain); d != 0 {
				t.Errorf("auto on the processor changes %s", name)
			}
		})
	}
	fakecuda.Use(t, kernels.Sources, "")
	tr := onGPU(t, "identity", small(1))
	for _, c := range []struct{ device, says string }{{"gpu", "want auto, cpu, cuda or cuda:n"}, {"cuda:3", "no GPU of this number"}} {
		if _, err := tr.Epoch(context.Background(), On(c.device)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.device, err)
		}
	}
	t.Setenv("CHEST_CUDA_DRIVER", filepath.Join(t.TempDir(), "libcuda.so.1"))
	if _, err := tr.Fit(context.Background(), On("cuda")); err == nil || !strings.Contains(err.Error(), "No NVIDIA driver found.") {
		t.Errorf("no driver: %v", err)
	}
}

// TestTransfers: with the whole step on the GPU no step uploads or downloads
// anything but indices, triplets, rates and what it found: all of an epoch at once.
func TestTransfers(t *testing.T) {
	for _, trunk := range []string{"identity", "linear", "mlp"} {
		path := fakecuda.Use(t, kernels.Sources, "")
		var counts []fakecuda.Counts
		o := small(4)
		o.OnEpoch = func(Epoch) {
			c, err := fakecuda.Count(path)
			if err != nil {
				t.Error(err)
			}
			counts = append(counts, c)
		}
		tr := onGPU(t, trunk, o)
		if _, err := tr.Fit(context.Background(), On("cuda")); err != nil {
			t.Fatal(err)
		}
		weights, tensors := 0, len(tr.weights())
		for _, w := range tr.weights() {
			weights += 4 * len(w.F32)
		}
		const rows, triplets, sums = 20, 50, 16 // a batch
		for i := 2; i < len(counts); i++ {
			a, b := counts[i-1], counts[i]
			// four uploads: indices, triplets, rates, and triplets to make room by
			most := int64(tr.Steps()*(4*rows+4*(3*triplets+2*3*triplets+1+6*triplets)+32*tensors) + 4*(15*triplets+1))
			if up := b.UpBytes - a.UpBytes; b.Uploads-a.Uploads > 4 || up > most {
				t.Errorf("%s, epoch %d: %d uploads of %d bytes, want at most 4 of %d", trunk, i+1, b.Uploads-a.Uploads, up, most)
			}
			most = int64(3*weights + 8*(sums+2*tensors)*tr.Steps())
			if down := b.DownBytes - a.DownBytes; b.Downloads-a.Downloads > int64(3*tensors+1) || down > most {
				t.Errorf("%s, epoch %d: %d downloads of %d bytes, want at most %d of %d: weights and moments once, the losses", trunk, i+1, b.Downloads-a.Downloads, down, 3*tensors+1, most)
			}
			if b.Allocations != a.Allocations {
				t.Errorf("%s, epoch %d allocates", trunk, i+1)
			}
		}
		if counts[3].Graphs < int64(3*tr.Steps()) {
			t.Errorf("%s: %d steps of %d were replayed as a graph", trunk, counts[3].Graphs, tr.steps)
		}
		nothingLeft(t, path)
	}
}

// TestNotFiniteOnGPU: numbers that are lost on the GPU are not brought back.
func TestNotFiniteOnGPU(t *testing.T) {
	for _, way := range ways {
		fakecuda.Use(t, kernels.Sources, "")
		tr := onGPU(t, way.trunk, way.options(3))
		if _, err := tr.Epoch(context.Background(), On("cuda")); err != nil {
			t.Fatal(err)
		}
		before := copied(nil, tr.weights())
		tr.src.(*clusters).x[5] = float32(math.NaN())
		_, err := tr.Fit(context.Background(), On("cuda"))
		if err == nil || !strings.Contains(err.Error(), "is not finite") {
			t.Errorf("error %v", err)
		}
		for i, w := range tr.weights() {
			for j, v := range w.F32 {
				if math.IsNaN(float64(v)) || way.whole() && v != before[i].F32[j] {
					t.Fatalf("%s: %s[%d] is %g, was %g", way.name, w.Name, j, v, before[i].F32[j])
				}
			}
		}
	}
}

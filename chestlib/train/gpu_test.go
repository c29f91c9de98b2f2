package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
	"github.com/chestlab/chest/chestlib/engine/cuda/fakecuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/chestlib/optim"
)

// fakeGPU makes the fake driver the one that is found, set up as settings say, and
// checks in the end that nothing is left on it.
func fakeGPU(t *testing.T, settings string) (path string) {
	t.Helper()
	path, err := fakecuda.Path(kernels.Sources)
	if errors.Is(err, fakecuda.ErrNoCompiler) && os.Getenv("CHEST_FULL") != "1" {
		t.Skip("SKIPPED: ", err)
	}
	if err == nil {
		err = fakecuda.Reset(path, settings)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("CHEST_CUDA_DRIVER", path)
	t.Setenv("CHEST_CUDA_EXACT", "1")
	return path
}

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
			path := fakeGPU(t, "")
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
		path := fakeGPU(t, "")
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
		fakeGPU(t, "")
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
			fakeGPU(t, c.settings)
			strict := onGPU(t, "identity", c.o)
			if _, err := strict.Fit(context.Background(), On("cuda")); err == nil || !strings.Contains(err.Error(), c.says) || strict.steps != 0 {
				t.Errorf("cuda: %d steps, error %v, want one that says %q", strict.steps, err, c.says)
			}
			fakeGPU(t, c.settings)
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
	fakeGPU(t, "")
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

// TestLostGPU: a context that is lost in the middle of an epoch ends the run; the
// trainer is where the last checkpoint is, and goes on from there to what a run
// without the loss gives.
func TestLostGPU(t *testing.T) {
	for _, way := range ways {
		codes := []string{"700", "719"}
		if way.name == "heads" { // all that lose a context
			codes = []string{"214", "219", "700", "702", "710", "714", "715", "716", "717", "718", "719", "999"}
		}
		for _, code := range codes {
			t.Run(way.name+" "+code, func(t *testing.T) {
				path := fakeGPU(t, "")
				o := way.options(3)
				o.Checkpoint = filepath.Join(t.TempDir(), "run.safetensors")
				var written []byte
				broken := false
				o.OnEpoch = func(e Epoch) {
					if e.Number != 1 || broken {
						return
					}
					broken = true
					written, _ = os.ReadFile(o.Checkpoint)
					call := "cuStreamSynchronize:1:"
					if err := fakecuda.Set(path, call+code); err != nil {
						t.Error(err)
					}
				}
				tr := onGPU(t, way.trunk, o)
				_, err := tr.Fit(context.Background(), On("cuda"))
				var e *driver.Error
				if !errors.As(err, &e) || !e.Lost() {
					t.Fatalf("error %v, want a lost context", err)
				}
				meaning := "context is lost"
				if code == "999" {
					meaning = "does not say what is wrong"
				}
				for _, w := range []string{meaning, "lost: ", "those after step 4", o.Checkpoint} {
					if !strings.Contains(err.Error(), w) {
						t.Errorf("%q does not say %q", err, w)
					}
				}
				if tr.EpochsDone() != 1 || tr.steps != 4 || tr.gpu != nil {
					t.Errorf("%d epochs, %d steps", tr.EpochsDone(), tr.steps)
				}
				if now, err := os.ReadFile(o.Checkpoint); err != nil || string(now) != string(written) {
					t.Errorf("the checkpoint was changed, %v", err)
				}
				fakeGPU(t, "")
				if _, err := tr.Fit(context.Background()); err != nil {
					t.Fatal(err)
				}
				plain := onGPU(t, way.trunk, way.options(3))
				if _, err := plain.Fit(context.Background()); err != nil {
					t.Fatal(err)
				}
				if d, name := far(tr, plain); d > 1e-5 {
					t.Errorf("%s is off by %g", name, d)
				}
			})
		}
	}
}

// TestLostInEpoch: a context that is lost after steps of an epoch were done takes
// these along. The trainer is where the last epoch or checkpoint ended, whichever is
// later, with all weights, moments and counts, and goes on as a run from the file.
func TestLostInEpoch(t *testing.T) {
	const epoch = 32 // steps: more than are queued at once
	for _, way := range ways {
		for _, c := range []struct{ every, from int }{{0, epoch}, {40, 40}} {
			t.Run(fmt.Sprint(way.name, " after ", c.from), func(t *testing.T) {
				path := fakeGPU(t, "")
				o := way.options(2)
				o.Classes, o.PerClass, o.CheckpointSteps = 2, 1, c.every
				o.Checkpoint = filepath.Join(t.TempDir(), "run.safetensors")
				var written []byte
				o.OnStep = func(s Step) {
					if s.Number != c.from+4 || written != nil {
						return
					}
					written, _ = os.ReadFile(o.Checkpoint)
					if err := fakecuda.Set(path, "cuStreamSynchronize:1:719"); err != nil {
						t.Error(err)
					}
				}
				tr := onGPU(t, way.trunk, o)
				if tr.Steps() != epoch || epoch <= stepsAhead {
					t.Fatalf("%d steps an epoch, want %d", tr.Steps(), epoch)
				}
				_, err := tr.Fit(context.Background(), On("cuda"))
				var e *driver.Error
				if !errors.As(err, &e) || !e.Lost() {
					t.Fatalf("error %v, want a lost context", err)
				}
				for _, w := range []string{fmt.Sprintf("what step %d and later ones learnt", c.from+1), fmt.Sprint("those after step ", c.from), o.Checkpoint} {
					if !strings.Contains(err.Error(), w) {
						t.Errorf("%q does not say %q", err, w)
					}
				}
				if now, err := os.ReadFile(o.Checkpoint); err != nil || len(now) == 0 || string(now) != string(written) {
					t.Errorf("the checkpoint was changed, %v", err)
				}
				fakeGPU(t, "")
				unnamed := o
				unnamed.Checkpoint, unnamed.CheckpointSteps = "", 0
				other := onGPU(t, way.trunk, unnamed)
				if err := other.Load(o.Checkpoint); err != nil {
					t.Fatal(err)
				}
				samePlace(t, tr, other, c.from)
				for _, r := range []*Trainer{tr, other} {
					if _, err := r.Fit(context.Background(), On("cuda")); err != nil {
						t.Fatal(err)
					}
				}
				if d, name := far(tr, other); d != 0 || tr.steps != 2*epoch {
					t.Errorf("%d steps; %s is off by %g from a run from the checkpoint", tr.steps, name, d)
				}
			})
		}
	}
}

// samePlace fails unless both trainers are after so many steps, with the same
// weights and moments.
func samePlace(t *testing.T, got, want *Trainer, steps int) {
	t.Helper()
	for _, tr := range []*Trainer{got, want} {
		if a, b := tr.rest.Steps(), tr.engine.Optimizer().Steps(); tr.steps != steps || tr.place != steps || a != steps || b != steps || tr.gpu != nil {
			t.Errorf("%d steps, place %d, the optimisers count %d and %d, want %d", tr.steps, tr.place, a, b, steps)
		}
		tr.useAverage(false)
	}
	if (got.run == nil) != (want.run == nil) || got.run != nil && got.run.At != want.run.At {
		t.Errorf("the epoch in progress is %+v, want %+v", got.run, want.run)
	}
	kept := want.arrays()
	for i, a := range got.arrays() {
		if a.Name != kept[i].Name || !slices.Equal(a.F32, kept[i].F32) {
			t.Errorf("%s is not that of the checkpoint", a.Name)
		}
	}
}

// TestHungGPU: a GPU that does not answer ends the run like a lost one.
func TestHungGPU(t *testing.T) {
	path := fakeGPU(t, "")
	t.Setenv("CHEST_CUDA_TIMEOUT", "0.2")
	o := small(3)
	o.OnEpoch = func(e Epoch) {
		if err := fakecuda.Set(path, "cuStreamSynchronize:1:-10"); err != nil {
			t.Error(err)
		}
	}
	tr := onGPU(t, "mlp", o)
	_, err := tr.Fit(context.Background(), On("cuda"))
	if err == nil || !strings.Contains(err.Error(), "The GPU does not answer.") || !strings.Contains(err.Error(), "those after step 4") || tr.steps != 4 || tr.EpochsDone() != 1 {
		t.Errorf("%d steps, error %v", tr.steps, err)
	}
	fakeGPU(t, "")
}

// TestInterruptOnGPU: the run stops after the steps that were queued, keeps them,
// and a later call ends where one run does.
func TestInterruptOnGPU(t *testing.T) {
	for _, way := range ways {
		path := fakeGPU(t, "")
		ctx, cancel := context.WithCancel(context.Background())
		o := way.options(3)
		o.OnStep = func(s Step) {
			if s.Number == 6 {
				cancel()
			}
		}
		tr, whole := onGPU(t, way.trunk, o), onGPU(t, way.trunk, way.options(3))
		if _, err := tr.Fit(ctx, On("cuda")); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if tr.steps < 6 || tr.steps > 8 || tr.rest.Steps() != tr.steps {
			t.Errorf("%d steps, the heads moved %d", tr.steps, tr.rest.Steps())
		}
		nothingLeft(t, path)
		for _, r := range []*Trainer{tr, whole} {
			if _, err := r.Fit(context.Background(), On("cuda")); err != nil {
				t.Fatal(err)
			}
		}
		if d, name := far(tr, whole); d != 0 { // the same device, the same bits
			t.Errorf("%s: %s is off by %g", way.name, name, d)
		}
	}
}

// TestInterruptInFlight: with the whole step on the GPU an interrupt that comes while it
// computes ends the run after two steps, not after all that the epoch has.
func TestInterruptInFlight(t *testing.T) {
	path := fakeGPU(t, "")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o := small(3)
	o.OnEpoch = func(Epoch) { // then the first two steps take 0.6 s
		if err := fakecuda.Set(path, "cuEventSynchronize:1:-6"); err != nil {
			t.Error(err)
		}
		time.AfterFunc(50*time.Millisecond, cancel)
	}
	tr := onGPU(t, "mlp", o)
	if _, err := tr.Fit(ctx, On("cuda")); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "of 4 steps") {
		t.Fatal(err)
	}
	if tr.steps < 4 || tr.steps > 6 || tr.rest.Steps() != tr.steps || tr.EpochsDone() != 1 {
		t.Errorf("%d steps after an interrupt in the fifth or sixth, the heads moved %d", tr.steps, tr.rest.Steps())
	}
	nothingLeft(t, path)
}

// TestTransfers: with the whole step on the GPU no step uploads or downloads
// anything but indices, triplets, rates and what it found: all of an epoch at once.
func TestTransfers(t *testing.T) {
	for _, trunk := range []string{"identity", "linear", "mlp"} {
		path := fakeGPU(t, "")
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

// hooked is items that call a function when they are read.
type hooked struct {
	*clusters
	hook func()
}

func (h *hooked) Item(dst []float32, i int) error {
	h.hook()
	return h.clusters.Item(dst, i)
}

// TestFullGPU: a GPU on which the items find no room is an error with a remedy, and
// with auto the processor.
func TestFullGPU(t *testing.T) {
	for _, device := range []string{"cuda", "auto"} {
		path := fakeGPU(t, "")
		o := small(1)
		var said []string
		o.OnWarn = func(text string) { said = append(said, text) }
		tr := onGPU(t, "mlp", o)
		once := true
		tr.src = &hooked{newClusters(8, 8, 12, 1), func() {
			if !once {
				return
			}
			once = false
			if err := fakecuda.Set(path, "megabytes=0"); err != nil {
				t.Error(err)
			}
		}}
		_, err := tr.Fit(context.Background(), On(device))
		if device == "cuda" {
			if err == nil || tr.steps != 0 {
				t.Fatalf("%d steps, error %v", tr.steps, err)
			}
			said = append(said, err.Error())
		} else if err != nil || tr.steps != 4 {
			t.Errorf("%d steps, error %v", tr.steps, err)
		}
		for _, w := range []string{"out of memory", "smaller batch", "needed"} {
			if len(said) != 1 || !strings.Contains(said[0], w) {
				t.Errorf("%s: %q does not say %q", device, said, w)
			}
		}
		nothingLeft(t, path)
	}
}

// TestInterruptWhileReading: an interrupt ends the reading of the items, before the
// first step, and is no reason to train on the processor.
func TestInterruptWhileReading(t *testing.T) {
	for _, device := range []string{"cuda", "auto"} {
		path := fakeGPU(t, "")
		ctx, cancel := context.WithCancel(context.Background())
		o := small(1)
		o.OnWarn = func(text string) { t.Errorf("%s warns: %s", device, text) }
		tr := onGPU(t, "mlp", o)
		read := 0
		tr.src = &hooked{newClusters(8, 8, 12, 1), func() {
			if read++; read == 3 {
				cancel()
			}
		}}
		if _, err := tr.Fit(ctx, On(device)); !errors.Is(err, context.Canceled) || read != 3 || tr.steps != 0 {
			t.Errorf("%s: %d items read, %d steps, error %v", device, read, tr.steps, err)
		}
		nothingLeft(t, path)
	}
}

// TestNotFiniteOnGPU: numbers that are lost on the GPU are not brought back.
func TestNotFiniteOnGPU(t *testing.T) {
	for _, way := range ways {
		fakeGPU(t, "")
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

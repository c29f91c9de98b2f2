package train

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
	"github.com/chestlab/chest/chestlib/engine/cuda/fakecuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
)

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
				path := fakecuda.Use(t, kernels.Sources, "")
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
				fakecuda.Use(t, kernels.Sources, "")
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
				path := fakecuda.Use(t, kernels.Sources, "")
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
				fakecuda.Use(t, kernels.Sources, "")
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
	path := fakecuda.Use(t, kernels.Sources, "")
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
	fakecuda.Use(t, kernels.Sources, "")
}

// TestFullGPU: a GPU on which the items find no room is an error with a remedy, and
// with auto the processor.
func TestFullGPU(t *testing.T) {
	for _, device := range []string{"cuda", "auto"} {
		path := fakecuda.Use(t, kernels.Sources, "")
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

package train

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/chestlab/chest/chestlib/engine/cuda/fakecuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
)

// TestInterruptOnGPU: the run stops after the steps that were queued, keeps them,
// and a later call ends where one run does.
func TestInterruptOnGPU(t *testing.T) {
	for _, way := range ways {
		path := fakecuda.Use(t, kernels.Sources, "")
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
	path := fakecuda.Use(t, kernels.Sources, "")
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

// hooked is items that call a function when they are read.
type hooked struct {
	*clusters
	hook func()
}

func (h *hooked) Item(dst []float32, i int) error {
	h.hook()
	return h.clusters.Item(dst, i)
}

// TestInterruptWhileReading: an interrupt ends the reading of the items, before the
// first step, and is no reason to train on the processor.
func TestInterruptWhileReading(t *testing.T) {
	for _, device := range []string{"cuda", "auto"} {
		path := fakecuda.Use(t, kernels.Sources, "")
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

package train

import (
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
)

// falling is a schedule whose factor is a quarter from the second epoch on.
type falling struct{}

func (falling) Name() string { return "falling" }
func (falling) Check() error { return nil }
func (falling) Factor(done, stepsPerEpoch, _ int) float64 {
	if done < stepsPerEpoch {
		return 1
	}
	return 0.25
}

// TestSetRate: a rate that is changed after an epoch gives the bits of a schedule
// that falls there, also over a checkpoint, and epochs can be added.
func TestSetRate(t *testing.T) {
	src := newClusters(4, 6, 12, 1)
	o := small(1)
	o.Rate, o.Epochs, o.Silent = 1.0/64, 3, true
	planned := o
	planned.Schedule = falling{}
	want := newTrainer(t, src, planned)
	if _, err := want.Fit(t.Context()); err != nil {
		t.Fatal(err)
	}

	o.Epochs, o.Schedule = 1, optim.Constant{}
	tr := newTrainer(t, src, o)
	if _, err := tr.Fit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := tr.SetRate(1.0 / 256); err != nil {
		t.Fatal(err)
	}
	if err := tr.SetEpochs(2); err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Fit(t.Context()); err != nil || tr.EpochsDone() != 2 {
		t.Fatal(tr.EpochsDone(), err)
	}
	file := filepath.Join(t.TempDir(), "run")
	if err := tr.Save(file); err != nil {
		t.Fatal(err)
	}
	if err := newTrainer(t, src, o).Load(file); err == nil || !strings.Contains(err.Error(), "Train.Rate is 0.00390625 in the file, 0.015625 here") {
		t.Errorf("at the former rate: %v", err)
	}
	o.Rate, o.Epochs = 1.0/256, 3
	again := newTrainer(t, src, o)
	if err := again.Load(file); err != nil {
		t.Fatal(err)
	}
	if h, err := again.Fit(t.Context()); err != nil || len(h) != 3 || h[2].Rate != 1.0/256 {
		t.Fatal(h, err)
	}
	if !reflect.DeepEqual(weights(want), weights(again)) {
		t.Error("other weights than by a schedule")
	}
}

func TestStepString(t *testing.T) {
	s := Step{Number: 3, Loss: loss.Terms{Total: 6.5, E: 2.5, H: 4}, Norm: 1.25, Rate: 3e-3}
	if want := "step 3: loss 6.5 (E 2.5, H 4), |gradient| 1.25, rate 0.003"; s.String() != want {
		t.Errorf("got %q, want %q", s, want)
	}
}

func TestSetRefuses(t *testing.T) {
	src := newClusters(4, 6, 12, 1)
	o := small(1)
	o.Epochs, o.Silent = 2, true
	tr := newTrainer(t, src, o)
	if _, err := tr.Fit(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, rate := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if tr.SetRate(rate) == nil {
			t.Errorf("rate %g was taken", rate)
		}
	}
	for _, n := range []int{-1, 0, 1} {
		if tr.SetEpochs(n) == nil {
			t.Errorf("%d epochs were taken", n)
		}
	}
	if tr.o.Rate != o.withDefaults().Rate || tr.o.Epochs != 2 {
		t.Errorf("options changed: %+v", tr.o)
	}
}

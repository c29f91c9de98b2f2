package cuda_test

import (
	"math"
	"os"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/engine/cuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/fakecuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
	"github.com/chestlab/chest/chestlib/engine/enginetest"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
)

// TestMain lets the tests run on the GPU with CHEST_GPU=1, else on the fake driver.
func TestMain(m *testing.M) { fakecuda.Main(m, kernels.Sources) }

func open(t *testing.T) *cuda.Device {
	t.Helper()
	d, err := cuda.Open(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if u := d.Usage(); u.Live != 0 {
			t.Errorf("memory is left: %+v", u)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func made(t *testing.T, l *loss.CHEST, o engine.Options, d *cuda.Device) *cuda.Engine {
	t.Helper()
	e, err := cuda.New(l, o, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// TestEngine runs the suite of all engines.
func TestEngine(t *testing.T) {
	suite(t, open(t))
}

// suite runs the suite of all engines on d.
func suite(t *testing.T, d *cuda.Device) {
	most := 5000 // proxies: the fake driver is slow
	if os.Getenv("CHEST_GPU") == "1" {
		most = math.MaxInt
	}
	enginetest.RunWithout(t, func(t *testing.T, l *loss.CHEST, adam optim.AdamWOptions) engine.Engine {
		return made(t, l, engine.Options{Optim: adam}, d)
	}, most, func(t *testing.T, l *loss.CHEST) bool { return refused(t, l, d) })
}

// refused says whether New refuses l, which it shall for what has no kernels.
func refused(t *testing.T, l *loss.CHEST, d *cuda.Device) bool {
	t.Helper()
	want := false
	if h := l.Hyperbolic(); h != nil {
		o := h.Ball().Options()
		want = o.Soft || o.LearnCurvature || o.LearnClip
	}
	if tree := l.Tree(); tree != nil {
		want = want || tree.Options().Leaves == loss.MeanLeaves || tree.Options().Sampling == loss.NearTriplets
	}
	e, err := cuda.New(l, engine.Options{}, d)
	if err == nil {
		err = e.Close()
		if want {
			t.Errorf("New takes what has no kernels, %v", err)
		}
	} else if !want || !strings.Contains(err.Error(), "not there on the GPU") {
		t.Errorf("New: %v", err)
	}
	return want
}

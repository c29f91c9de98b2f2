package selftest_test

import (
	"testing"

	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
	"github.com/chestlab/chest/chestlib/engine/cuda/fakecuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
	"github.com/chestlab/chest/chestlib/engine/cuda/selftest"
)

// TestMain lets the tests run on the GPU with CHEST_GPU=1, else on the fake driver.
func TestMain(m *testing.M) { fakecuda.Main(m, kernels.Sources) }

// TestKernels runs every case.
func TestKernels(t *testing.T) {
	d, err := driver.Open(0)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	s, err := kernels.Load(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range selftest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			if _, err := c.Run(s); err != nil {
				t.Error(err)
			}
			if u := d.Usage(); u.Live != 0 || u.Pieces != 0 {
				t.Errorf("memory is left: %+v", u)
			}
		})
	}
}

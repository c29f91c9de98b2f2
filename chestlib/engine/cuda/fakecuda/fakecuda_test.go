package fakecuda_test

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
	"github.com/chestlab/chest/chestlib/engine/cuda/fakecuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
)

// bad are kernels with the mistakes that the fake driver must find.
const bad = `
#include "kern.h"

KERN(64) void miss_barrier(float *x) {
	if (tid_x < 32) k_sync();
	x[tid_x] = 1.0f;
}

KERN(64) void miss_shuffle(float *x) {
	if (tid_x % 2) return;
	x[tid_x] = k_warp_sum(1.0f);
}

KERN(64) void read_unwritten(float *x) {
	KERN_SHARED float s[64];
	x[tid_x] = s[tid_x];
}

KERN(64) void write_past(float *x) { x[tid_x + 1] = 1.0f; }

KERN(64) void sum(float *x) {
	KERN_SHARED float s[2];
	float v = k_warp_sum((float)tid_x);
	if (tid_x % 32 == 0) s[tid_x / 32] = v;
	k_sync();
	x[tid_x] = s[0] + s[1] + k_warp_max((float)(tid_x % 7));
}
`

// ptx is what clang would make of them, as far as the fake driver looks.
func ptx(names ...string) string {
	s := "//\n.version 7.0\n.target sm_80\n.address_size 64\n"
	for _, n := range names {
		s += "\n.visible .entry " + n + "(\n\t.param .u64 " + n + "_param_0\n)\n.maxntid 64\n{\n}\n"
	}
	return s
}

// TestMistakes: each mistake is found, and a sound kernel runs.
func TestMistakes(t *testing.T) {
	header, err := fs.ReadFile(kernels.Sources, "kern.h")
	if err != nil {
		t.Fatal(err)
	}
	path, err := fakecuda.Build(t.TempDir(), fstest.MapFS{"kern.h": {Data: header}, "chest.cu": {Data: []byte(bad)}})
	if errors.Is(err, fakecuda.ErrNoCompiler) {
		if os.Getenv("CHEST_FULL") == "1" {
			t.Fatal("CHEST_FULL=1: ", err)
		}
		t.Skip("SKIPPED: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	run := func(name string) ([]float32, error) {
		if err := fakecuda.Reset(path, ""); err != nil {
			t.Fatal(err)
		}
		s := driver.System{Getenv: func(v string) string {
			return map[string]string{"CHEST_CUDA_DRIVER": path, "CHEST_CUDA_EXACT": "1"}[v]
		}}
		d, err := s.Open(0)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		x := make([]float32, 64)
		return x, d.Do(func() error {
			m, err := d.Load(ptx(name))
			if err != nil {
				return err
			}
			at, err := d.Alloc(4 * len(x))
			if err != nil {
				return err
			}
			defer d.Free(at)
			if err := d.Launch(m.Kernel(name), driver.Grid{X: 1, Y: 1, Z: 1}, 64, at); err != nil {
				return err
			}
			return errors.Join(d.DownloadFloats(x, at), d.Finish())
		})
	}
	for name, says := range map[string]string{
		"miss_barrier": "error 719", "miss_shuffle": "error 719", "write_past": "error 700", "missing": "error 500",
	} {
		if _, err := run(name); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v, want %s", name, err, says)
		}
	}
	x, err := run("read_unwritten")
	if err != nil || !math.IsNaN(float64(x[5])) {
		t.Errorf("shared memory that nobody wrote to is %g, %v; want NaN", x[5], err)
	}
	x, err = run("sum")
	if err != nil || x[0] != 63*32+6 || x[63] != x[0] {
		t.Errorf("sum %g and %g, %v; want %d", x[0], x[63], err, 63*32+6)
	}
}

package cuda_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/engine/cuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
)

// withBLAS lets d use cuBLAS: the fake driver's, or on a GPU the real one.
func withBLAS(t *testing.T, d *cuda.Device, tf32 bool) {
	t.Helper()
	s := driver.System{}
	if os.Getenv("CHEST_GPU") != "1" {
		s.Getenv = func(name string) string {
			return map[string]string{"CHEST_CUBLAS": os.Getenv("CHEST_CUDA_DRIVER")}[name]
		}
	}
	if err := d.UseBLASOf(s, tf32); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() }) // before the look at what is left
}

// TestEngineBLAS runs the suite of all engines with products by cuBLAS.
func TestEngineBLAS(t *testing.T) {
	d, err := cuda.Open(0)
	if err != nil {
		t.Fatal(err)
	}
	withBLAS(t, d, false)
	if p := d.Products(); !strings.HasPrefix(p, "cuBLAS ") || !strings.HasSuffix(p, ", float32") {
		t.Error(p)
	}
	suite(t, d)
}

// TestTF32: with rounded points a step is that of the processor to about three
// digits, also for rows that lie at their proxies.
func TestTF32(t *testing.T) {
	d, err := cuda.Open(0)
	if err != nil {
		t.Fatal(err)
	}
	withBLAS(t, d, true)
	for _, twins := range []bool{false, true} {
		l, b := problem(20, 30, 3, 17)
		m, c := problem(20, 30, 3, 17)
		if twins {
			copy(b.H, l.Hyperbolic().Proxies().Value[:len(b.H)])
			copy(c.H, b.H)
		}
		gpu := made(t, l, engine.Options{}, d)
		cpu, err := engine.New(m, engine.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := gpu.Loss(b, false)
		if err != nil {
			t.Fatal(err)
		}
		want, err := cpu.Loss(c, false)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(got.Total-want.Total) > 2e-3*want.Total {
			t.Errorf("twins %v: loss %g, want %g", twins, got.Total, want.Total)
		}
		if twins {
			continue // their gradients have a kink
		}
		for name, pair := range map[string][2][]float32{"gE": {b.GE, c.GE}, "gH": {b.GH, c.GH}} {
			var far, top float64
			for i, v := range pair[1] {
				far, top = max(far, math.Abs(float64(pair[0][i]-v))), max(top, math.Abs(float64(v)))
			}
			if far > 1e-2*top {
				t.Errorf("%s is off by %g of %g", name, far, top)
			}
			if far < 1e-6*top {
				t.Errorf("%s is off by %g of %g only: nothing was rounded", name, far, top)
			}
		}
	}
}

// TestNoBLAS: nothing there, or no cuBLAS, says so.
func TestNoBLAS(t *testing.T) {
	d := open(t)
	root := t.TempDir()
	bad := filepath.Join(root, "libcublas.so.13")
	if err := os.WriteFile(bad, []byte("no library"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ given, says string }{{"", "no cuBLAS for CUDA"}, {bad, "libcublas.so.13"}} {
		s := driver.System{Root: root, Getenv: func(name string) string {
			return map[string]string{"CHEST_CUBLAS": c.given}[name]
		}}
		if err := d.UseBLASOf(s, false); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("error %v, want one that says %q", err, c.says)
		}
	}
	if p := d.Products(); p != cuda.Own {
		t.Error(p)
	}
}

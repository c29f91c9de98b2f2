package train

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/engine/cuda/fakecuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
)

// TestProducts: a run with cuBLAS, the fake driver's, is that of chest's own kernels up
// to rounding, and with TF32 up to that of the points; the job names it.
func TestProducts(t *testing.T) {
	for _, w := range ways {
		path := fakecuda.Use(t, kernels.Sources, "")
		t.Setenv("CHEST_CUBLAS", path)
		own := onGPU(t, w.trunk, w.options(2))
		if _, err := own.Fit(context.Background(), On("cuda"), Products("own")); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			by, says    string
			least, most float64
		}{{"cublas", ", float32", 0, 1e-5}, {"tf32", ", TF32", 1e-6, 1e-2}} {
			tr := onGPU(t, w.trunk, w.options(2))
			job := tr.Dispatch(context.Background(), 0, On("cuda"), Products(c.by))
			if _, err := job.Wait(); err != nil {
				t.Fatalf("%s, %s: %v", w.name, c.by, err)
			}
			if d := job.Progress().Device; !strings.Contains(d, "products by cuBLAS ") || !strings.HasSuffix(d, c.says) {
				t.Errorf("%s: the job is on %q", c.by, d)
			}
			if d, name := far(own, tr); d > c.most || d < c.least {
				t.Errorf("%s, %s: %s differs by %g from that of own products, want %g to %g", w.name, c.by, name, d, c.least, c.most)
			}
			nothingLeft(t, path)
		}
	}
}

// TestNoProducts: cuda without cuBLAS is an error before the first step, auto goes on
// with own products and says why.
func TestNoProducts(t *testing.T) {
	path := fakecuda.Use(t, kernels.Sources, "")
	t.Setenv("CHEST_CUBLAS", filepath.Join(t.TempDir(), "libcublas.so.13"))
	var said []string
	o := small(1)
	o.OnWarn = func(text string) { said = append(said, text) }
	tr := onGPU(t, "mlp", o)
	for _, c := range []struct {
		options []Option
		says    string
	}{
		{[]Option{On("cuda"), Products("tf32")}, `Products("tf32"): cuda: no cuBLAS for CUDA 13`},
		{[]Option{On("cuda"), Products("cublas")}, "libcublas.so.13"},
		{[]Option{On("cuda"), Products("fast")}, `Products("fast"); want own, cublas or tf32`},
		{[]Option{Products("tf32")}, `add On("cuda")`},
		{[]Option{On("cpu"), Products("own")}, `add On("cuda")`},
	} {
		if _, err := tr.Fit(context.Background(), c.options...); err == nil || !strings.Contains(err.Error(), c.says) || tr.steps != 0 {
			t.Errorf("%d steps, error %v, want one that says %q", tr.steps, err, c.says)
		}
	}
	nothingLeft(t, path)
	if len(said) != 0 {
		t.Errorf("warned: %q", said)
	}
	if _, err := tr.Fit(context.Background(), On("auto"), Products("tf32")); err != nil {
		t.Fatal(err)
	}
	if len(said) != 1 || !strings.Contains(said[0], "multiplying by chest's own kernels: ") {
		t.Errorf("auto says %q", said)
	}
	own := onGPU(t, "mlp", small(1))
	if _, err := own.Fit(context.Background(), On("cuda")); err != nil {
		t.Fatal(err)
	}
	if d, name := far(own, tr); d != 0 {
		t.Errorf("auto without cuBLAS changes %s", name)
	}
	nothingLeft(t, path)
}

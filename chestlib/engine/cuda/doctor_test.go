package cuda_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/engine/cuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
)

// TestDoctor: the report of a sound machine, and of one of each illness.
func TestDoctor(t *testing.T) {
	healthy := `driver      .*libcuda.so.1, CUDA 13.0 +ok
kernel mod  its version is not told +ok
devices     0: Fake GPU 0, sm_90, 4 SMs, 1.0 GiB +ok
kernels     PTX sm_80/7.0 \([0-9a-f]{8}\), compiled in [0-9.]+ s +ok
gemm        built-in, float32; no cuBLAS +ok
signals     as before +ok
self-test   worst difference [0-9]e-[0-9]{2} +ok
verdict     GPU training is available
`
	for _, c := range []struct {
		name, settings, want string
		code                 int
	}{
		{"healthy", "", healthy, 0},
		{"signals", "steal=10", strings.Replace(healthy, "as before", `the driver took \[10\]; they were put back`, 1), 0},
		{"with cuBLAS", "", strings.Replace(healthy, "no cuBLAS", "cuBLAS 13.0.2 is there: .*libcuda.so.1", 1), 0},
		{"no device", "devices=0", `driver      The driver sees no GPU. +failed
            Check CUDA_VISIBLE_DEVICES, .*
            CUDA_VISIBLE_DEVICES=, device files: none
verdict     training runs on the processor
`, 100},
		{"versions differ", "cuInit:1:803", `driver      The driver's library and its kernel module are of different versions. +failed
            Reboot, .*
            module not loaded
verdict     training runs on the processor
`, 803},
		{"old driver", "version=10020", `(?s)driver .*devices .*kernels     The driver is too old for the kernels. +failed
            Install one for CUDA 11.0 or newer .*verdict     training runs on the processor
`, 222},
		{"old GPU", "capability=75", `(?s)driver .*kernels     The kernels do not run on this GPU. +failed
            It must have compute capability 8.0 or more..*
`, 209},
		{"no compiler", "cuModuleLoadDataEx:1:221", `(?s).*kernels     The driver's compiler is missing. +failed
            The container lacks libnvidia-ptxjitcompiler.*
`, 221},
		{"taken", "cuDevicePrimaryCtxRetain:1:46", `(?s).*device      The GPU is taken by another process in exclusive mode. +failed.*
`, 46},
		{"kernels fail", "cuLaunchKernel:3:719", `(?s).*self-test   A kernel failed and the GPU's context is lost. +failed.*
`, 719},
	} {
		t.Run(c.name, func(t *testing.T) {
			fake(t, c.settings)
			var out bytes.Buffer
			path := os.Getenv("CHEST_CUDA_DRIVER")
			err := cuda.Doctor(&out, driver.System{Root: t.TempDir(), Getenv: func(name string) string {
				blas := ""
				if c.name == "with cuBLAS" {
					blas = path // the fake driver is that as well
				}
				return map[string]string{"CHEST_CUDA_DRIVER": path, "CHEST_CUBLAS": blas}[name]
			}}, 0)
			if !regexp.MustCompile("^" + c.want + "$").Match(out.Bytes()) {
				t.Errorf("the report is\n%swant\n%s", &out, c.want)
			}
			var e *driver.Error
			if c.code == 0 && err != nil || c.code != 0 && (!errors.As(err, &e) || e.Code != c.code) {
				t.Errorf("error %v, want code %d", err, c.code)
			}
		})
	}
}

// TestDoctorWithoutDriver: a machine that has none.
func TestDoctorWithoutDriver(t *testing.T) {
	var out bytes.Buffer
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "dev"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := cuda.Doctor(&out, driver.System{Root: root, Getenv: func(string) string { return "" }}, 0)
	if err == nil || !strings.HasPrefix(out.String(), "driver      No NVIDIA driver found. ") || !strings.HasSuffix(out.String(), "verdict     training runs on the processor\n") {
		t.Errorf("%v\n%s", err, &out)
	}
}

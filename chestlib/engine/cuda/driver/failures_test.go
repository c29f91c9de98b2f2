package driver_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
)

// Ways to meet a failure, each on a machine that is set up for it.
var (
	opening = func(s driver.System) error { _, err := s.Open(0); return err }
	second  = func(s driver.System) error { _, err := s.Open(1); return err }
	loading = onDevice(func(d *driver.Device) error { _, err := d.Load(kernels.PTX); return err })
	broken  = onDevice(func(d *driver.Device) error {
		_, err := d.Load("\n.version 7.0\n.target sm_80\n.extern .func expf\n")
		return err
	})
	asking  = onDevice(func(d *driver.Device) error { _, err := d.Alloc(2 << 20); return err })
	waiting = onDevice(func(d *driver.Device) error { return d.Wait() })
)

// onDevice is f inside of Do of the first GPU.
func onDevice(f func(*driver.Device) error) func(driver.System) error {
	return func(s driver.System) error {
		d, err := s.Open(0)
		if err != nil {
			return err
		}
		defer d.Close()
		return d.Do(func() error { return f(d) })
	}
}

const (
	again = "start again from the last checkpoint"
	ends  = "Start again from the last checkpoint."
)

// injections has, for each code, how to meet it and what is said then.
var injections = []struct {
	code             int
	settings         string
	way              func(driver.System) error
	sentence, remedy string
	lost             bool
}{
	{-1, "", withoutSupport, "This build has no GPU support.", "Build for linux/amd64 or linux/arm64 without the tag nogpu.", false},
	{-2, "", withoutDriver, "No NVIDIA driver found.", "Install one, or set CHEST_CUDA_DRIVER to its libcuda.so.1.", false},
	{-3, "", withOldDriver, "The NVIDIA driver is too old.", "Install 450 or newer.", false},
	{-4, "cuStreamSynchronize:1:-5", waiting, "The GPU does not answer.", "in a new process.", true},
	{2, "megabytes=1", asking, "The GPU is out of memory.", "Use a smaller batch, or close what else runs on it.", false},
	{34, "cuInit:1:34", opening, "This libcuda is a stub for linking, not a driver.", "Take its directory off the path of libraries.", false},
	{46, "cuDevicePrimaryCtxRetain:1:46", opening, "The GPU is taken by another process in exclusive mode.", "nvidia-smi -c 0", false},
	{100, "devices=0", opening, "The driver sees no GPU.", "--gpus all", false},
	{101, "", second, "There is no GPU of this number.", "cuda:0 is the first.", false},
	{201, "cuMemAlloc_v2:1:201", asking, "No context of the GPU is on this thread.", "This is a bug in chest.", false},
	{209, "capability=75", loading, "The kernels do not run on this GPU.", "compute capability 8.0 or more.", false},
	{218, "", broken, "The driver cannot compile the kernels.", "the log follows. (cuModuleLoadDataEx: error 218): ptxas fatal: unresolved extern", false},
	{221, "cuModuleLoadDataEx:1:221", loading, "The driver's compiler is missing.", "libnvidia-ptxjitcompiler", false},
	{222, "version=10020", loading, "The driver is too old for the kernels.", "Install one for CUDA 11.0 or newer (450).", false},
	{214, "cuStreamSynchronize:1:214", waiting, "A kernel failed and the GPU's context is lost.", ends, true},
	{219, "cuStreamSynchronize:1:219", waiting, "A kernel failed and the GPU's context is lost.", ends, true},
	{700, "cuStreamSynchronize:1:700", waiting, "A kernel reached for memory that is not its own, and the GPU's context is lost.", again, true},
	{702, "cuStreamSynchronize:1:702", waiting, "A kernel ran for too long and the GPU's context is lost.", again, true},
	{710, "cuStreamSynchronize:1:710", waiting, "A kernel failed and the GPU's context is lost.", ends, true},
	{714, "cuStreamSynchronize:1:714", waiting, "A kernel failed and the GPU's context is lost.", ends, true},
	{715, "cuStreamSynchronize:1:715", waiting, "A kernel failed and the GPU's context is lost.", ends, true},
	{716, "cuStreamSynchronize:1:716", waiting, "A kernel failed and the GPU's context is lost.", ends, true},
	{717, "cuStreamSynchronize:1:717", waiting, "A kernel failed and the GPU's context is lost.", ends, true},
	{718, "cuStreamSynchronize:1:718", waiting, "A kernel failed and the GPU's context is lost.", ends, true},
	{719, "cuStreamSynchronize:1:719", waiting, "A kernel failed and the GPU's context is lost.", ends, true},
	{802, "cuInit:1:802", opening, "The links between the GPUs are not ready.", "Start nvidia-fabricmanager.", false},
	{803, "cuInit:1:803", opening, "The driver's library and its kernel module are of different versions.", "Reboot, or install libraries of the module's version in the container.", false},
	{999, "cuInit:1:999", opening, "The driver does not say what is wrong.", "run nvidia-modprobe -u, or reboot.", true},
}

// TestEveryFailure: each entry of the table of failures is met, by an injection or on
// a machine that is like it, and says its sentence and its remedy; none is left out.
func TestEveryFailure(t *testing.T) {
	var codes []int
	for _, c := range injections {
		codes = append(codes, c.code)
		t.Run(fmt.Sprint(c.code), func(t *testing.T) {
			s := system(t, c.settings)
			inner := s.Getenv
			s.Getenv = func(name string) string {
				if c.code == -4 && name == "CHEST_CUDA_TIMEOUT" {
					return "0.05"
				}
				return inner(name)
			}
			err := c.way(s)
			says(t, err, c.sentence, c.remedy)
			var e *driver.Error
			if !errors.As(err, &e) || e.Code != c.code || e.Lost() != c.lost || e.Sentence() != c.sentence {
				t.Errorf("code %d, lost %v, %q; want %d, %v, %q", e.Code, e.Lost(), e.Sentence(), c.code, c.lost, c.sentence)
			}
		})
	}
	slices.Sort(codes)
	if want := driver.Codes(); !slices.Equal(codes, want) {
		t.Errorf("codes\n%v are injected, the table has\n%v", codes, want)
	}
}

// TestDocumented: docs/gpu.md has each sentence.
func TestDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../../../docs/gpu.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range driver.Codes() {
		sentence := driver.Meaning(code)
		if strings.HasSuffix(sentence, "the GPU's context is lost.") {
			sentence = "… the GPU's context is lost."
		}
		if !strings.Contains(string(doc), "| "+sentence+" |") {
			t.Errorf("docs/gpu.md does not say %q", sentence)
		}
	}
}

// withoutDriver is a machine that has none.
func withoutDriver(s driver.System) error {
	return opening(driver.System{Root: s.Root, Getenv: env(nil)})
}

// withOldDriver is one whose library lacks functions.
func withOldDriver(s driver.System) error {
	path := filepath.Join(s.Root, "libcuda.so.1")
	source := filepath.Join(s.Root, "old.cpp")
	if err := os.WriteFile(source, []byte(`extern "C" int cuInit(unsigned) { return 0; }`), 0o600); err != nil {
		return err
	}
	if out, err := exec.Command("g++", "-shared", "-fPIC", "-o", path, source).CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return opening(driver.System{Root: s.Root, Getenv: env(map[string]string{"CHEST_CUDA_DRIVER": path})})
}

// withoutSupport runs a program of a build without GPU support, which prints the code
// of the error and the error.
func withoutSupport(driver.System) error {
	out, err := exec.Command("go", "run", "-tags", "nogpu", "./testdata/open.go").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	e := &driver.Error{}
	text := ""
	if _, err := fmt.Sscanf(string(out), "%d %q", &e.Code, &text); err != nil {
		return fmt.Errorf("%w in %q", err, out)
	}
	if e.Error() != text {
		return fmt.Errorf("the program says %q", text)
	}
	return e
}

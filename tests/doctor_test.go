package tests

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/engine/cuda/fakecuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
)

// TestDoctor: the command on a machine whose driver is no driver. That no GPU
// is a failure only where one was asked for.
func TestDoctor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "libcuda.so.1")
	if err := os.WriteFile(path, []byte("no library"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		device string
		code   int
		errors string
	}{{"auto", 0, ""}, {"cpu", 0, ""}, {"cuda", 1, "No NVIDIA driver found."}, {"gpu", 2, "want auto, cpu, cuda or cuda:n"}} {
		cmd := exec.Command(buildChest(t), "doctor", "--device", c.device)
		cmd.Env = append(os.Environ(), "CHEST_CUDA_DRIVER="+path)
		r := runCommand(t, cmd, "")
		if r.code != c.code || !strings.Contains(r.stderr, c.errors) {
			t.Errorf("%s: exit %d, want %d\n%s%s", c.device, r.code, c.code, r.stdout, r.stderr)
		}
		if c.code < 2 && (!strings.Contains(r.stdout, "driver      No NVIDIA driver found.") || !strings.Contains(r.stdout, "verdict     training runs on the processor")) {
			t.Errorf("%s: report\n%s", c.device, r.stdout)
		}
	}
}

// TestDoctorFake: the command with the fake driver, sound and with the failures that
// the environment asks for.
func TestDoctorFake(t *testing.T) {
	fake := fakecuda.Needed(t, kernels.Sources)
	for _, c := range []struct {
		settings, device, says string
		code                   int
	}{
		{"", "cuda", "verdict     GPU training is available", 0},
		{"devices=2", "cuda:1", "devices     1: Fake GPU 1", 0},
		{"", "cuda:1", "There is no GPU of this number.", 1},
		{"devices=0", "auto", "The driver sees no GPU.", 0},
		{"cuInit:1:803", "cuda", "of different versions.", 1},
		{"cuInit:1:802", "cuda", "Start nvidia-fabricmanager.", 1},
		{"cuInit:1:999", "cuda", "nvidia-modprobe -u", 1},
		{"cuInit:1:34", "cuda", "a stub for linking", 1},
		{"cuDevicePrimaryCtxRetain:1:46", "cuda", "exclusive mode", 1},
		{"version=10020", "cuda", "The driver is too old for the kernels.", 1},
		{"capability=70", "cuda", "compute capability 8.0", 1},
		{"cuModuleLoadDataEx:1:221", "cuda", "libnvidia-ptxjitcompiler", 1},
		{"cuMemAlloc_v2:2:2", "cuda", "GPU training is available", 0}, // asked again, it works
		{"cuLaunchKernel:2:700", "cuda", "memory that is not its own", 1},
	} {
		cmd := exec.Command(buildChest(t), "doctor", "--device", c.device)
		cmd.Env = append(os.Environ(), "CHEST_CUDA_DRIVER="+fake, "FAKECUDA="+c.settings)
		if r := runCommand(t, cmd, ""); r.code != c.code || !strings.Contains(r.stdout, c.says) {
			t.Errorf("%q, %s: exit %d, want %d and %q\n%s%s", c.settings, c.device, r.code, c.code, c.says, r.stdout, r.stderr)
		}
	}
}

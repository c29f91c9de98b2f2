package tests

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/engine/cuda/fakecuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
)

// TestGPUProgram runs the program for machines with a GPU on the fake driver, in
// a small size: so that it works when there is a GPU.
func TestGPUProgram(t *testing.T) {
	fake, err := fakecuda.Path(kernels.Sources)
	if errors.Is(err, fakecuda.ErrNoCompiler) {
		missing(t, err.Error())
	} else if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "gpu")
	if out, err := exec.Command("go", "build", "-o", program, "./gpu").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for command, says := range map[string]string{
		"check":   " 0 failed",
		"kernels": "adamw of the proxies",
		"fit":     "trunk mlp, loss alone: weights differ",
		"step":    "RESULT chest heads on features on the device, cuBLAS 13.0.2, TF32",
	} {
		cmd := exec.Command(program, command)
		cmd.Env = append(os.Environ(), "CHEST_GPU_SMALL=1", "CHEST_CUDA_DRIVER="+fake, "CHEST_CUBLAS="+fake)
		if r := runCommand(t, cmd, ""); r.code != 0 || !strings.Contains(r.stdout, says) {
			t.Errorf("gpu %s: exit %d\n%s%s", command, r.code, r.stdout, r.stderr)
		}
	}
}

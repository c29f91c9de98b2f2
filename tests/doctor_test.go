package tests

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
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

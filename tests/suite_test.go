package tests

import (
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/chestlab/chest/kernel/kernelspec"
)

// TestConformanceSuite runs the Jupyter project's own suite for kernels, with
// every capability demanded: all pass and none is skipped.
func TestConformanceSuite(t *testing.T) {
	python := ""
	for _, p := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(p, "-c", "import jupyter_kernel_test").Run() == nil {
			python = p
			break
		}
	}
	if python == "" {
		if os.Getenv("CHEST_FULL") == "1" {
			t.Fatal("CHEST_FULL=1: no Python with jupyter_kernel_test (sh tests/install.sh)")
		}
		t.Skip("SKIPPED: no Python with jupyter_kernel_test (sh tests/install.sh)")
	}
	prefix := t.TempDir()
	if r := chest(t, "", "install", "--prefix", prefix); r.code != 0 {
		t.Fatal(r.stderr)
	}
	cmd := exec.Command(python, "testdata/kernel_suite.py")
	cmd.Env = append(os.Environ(), "JUPYTER_PATH="+kernelspec.PrefixDir(prefix), "HOME="+t.TempDir())
	r := runCommand(t, cmd, "")
	ran := regexp.MustCompile(`(?m)^Ran (\d+) tests`).FindStringSubmatch(r.stderr)
	if r.code != 0 || ran == nil || ran[1] != "12" || regexp.MustCompile(`skipped`).MatchString(r.stderr) {
		t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

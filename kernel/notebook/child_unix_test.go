//go:build unix

package notebook

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startChild starts a process of the kernel's group and returns its id.
func startChild() int {
	cmd := exec.Command("sleep", "600")
	if err := cmd.Start(); err != nil {
		return 0
	}
	return cmd.Process.Pid
}

// gone waits until no process has the id.
func gone(pid int) bool {
	for range 500 {
		if syscall.Kill(pid, 0) == syscall.ESRCH {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

func TestRunLeavesNoProcess(t *testing.T) {
	for _, how := range []string{"yes", "immortal"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			nb := cells("child")
			if err := Run(t.Context(), nb, RunOptions{Command: fakeCommand(how)}); err != nil {
				t.Fatal(err)
			}
			pid, err := strconv.Atoi(strings.TrimSpace(nb.Cells[0].Outputs[0].Text))
			if err != nil || pid == 0 {
				t.Fatal("no child", err)
			}
			if !gone(pid) {
				t.Error("what the kernel started is still there")
				syscall.Kill(pid, syscall.SIGKILL)
			}
		})
	}
}

//go:build unix

package notebook

import (
	"os/exec"
	"runtime"
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

// TestKernelLeavesChild: when a kernel ends by itself, what it started is
// killed before the end is known, and nothing is killed after that.
func TestKernelLeavesChild(t *testing.T) {
	p := &process{ended: make(chan struct{})}
	script := "sleep 600 & echo $!" // the child holds the kernel's output open
	if err := p.start(RunOptions{Command: []string{"sh", "-c", script}}, "kernel.json"); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	<-p.ended
	took := time.Since(begin)
	if p.err != nil || runtime.GOOS == "linux" && took > pipeLimit {
		t.Errorf("the kernel ended after %v: %v", took, p.err)
	}
	child, err := strconv.Atoi(strings.TrimPrefix(p.said.quoted(), "; it wrote:\n"))
	if err != nil {
		t.Fatalf("no child: %v%s", err, p.said.quoted())
	}
	if !gone(child) {
		t.Error("what the kernel started is still there")
		syscall.Kill(child, syscall.SIGKILL)
	}
	other := exec.Command("sleep", "600")
	ownGroup(other)
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer other.Wait()
	defer other.Process.Kill()
	p.cmd.Process.Pid = other.Process.Pid // as if its number were given to another
	p.kill()
	time.Sleep(50 * time.Millisecond)
	if pid, _ := syscall.Wait4(other.Process.Pid, nil, syscall.WNOHANG, nil); pid != 0 {
		t.Error("another process with the kernel's number was killed")
	}
}

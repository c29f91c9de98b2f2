package worker

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// dieWithParent kills the worker when the host is killed.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }

// await waits until cmd has ended and leaves it to be reaped, and kills what
// it has left in its group: its number is nobody else's yet.
func await(cmd *exec.Cmd) {
	var info unix.Siginfo
	for {
		err := unix.Waitid(unix.P_PID, cmd.Process.Pid, &info, unix.WEXITED|unix.WNOWAIT, nil)
		if err == nil {
			killGroup(cmd)
		}
		if err != unix.EINTR {
			return
		}
	}
}

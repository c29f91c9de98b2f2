//go:build unix

package notebook

import (
	"os/exec"
	"syscall"
)

// ownGroup puts cmd into a process group of its own: Ctrl-C on the terminal
// does not reach it, and all that it starts can be killed together.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(cmd.SysProcAttr)
}

// killGroup kills cmd's process group.
func killGroup(cmd *exec.Cmd) { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

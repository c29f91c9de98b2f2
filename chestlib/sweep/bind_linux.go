package sweep

import (
	"os/exec"
	"syscall"
)

// bind lets the process end with this one: it is interrupted when this one is
// gone, also by kill -9, and it gets no interrupts from the terminal itself.
func bind(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

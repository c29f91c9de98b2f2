//go:build unix

package worker

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// The descriptors of the control connection in the worker.
const (
	inFD  = 3
	outFD = 4
)

// inherit gives cmd the worker's ends of the control connection and a process
// group of its own, so that Ctrl-C in a terminal is the host's alone.
func inherit(cmd *exec.Cmd, in, out *os.File) {
	cmd.ExtraFiles = []*os.File{in, out}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(cmd.SysProcAttr)
}

// inherited is the control connection in the worker. Its children do not get
// it, so that it ends when the worker does.
func inherited() (in, out *os.File, err error) {
	var st syscall.Stat_t
	for _, fd := range []int{inFD, outFD} {
		if syscall.Fstat(fd, &st) != nil || st.Mode&syscall.S_IFMT != syscall.S_IFIFO {
			return nil, nil, errors.New("worker: this is started by the kernel, not by hand")
		}
		syscall.CloseOnExec(fd)
	}
	return os.NewFile(inFD, "control in"), os.NewFile(outFD, "control out"), nil
}

// ignoreInterrupts keeps SIGINT from ending the worker; unlike an ignored
// signal, its children take it as usual.
func ignoreInterrupts() { signal.Notify(make(chan os.Signal, 1), os.Interrupt) }

// killGroup kills cmd and what it has started.
func killGroup(cmd *exec.Cmd) { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

// endingOf is how a process ended.
func endingOf(s *os.ProcessState) ending {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return ending{-1, w.Signal().String()}
	}
	return ending{code: s.ExitCode()}
}

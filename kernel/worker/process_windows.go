package worker

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
)

// controlVar names the handles of the control connection.
const controlVar = "CHEST_WORKER_CONTROL"

// inherit gives cmd the worker's ends of the control connection and a process
// group of its own, so that Ctrl-C in a terminal is the host's alone.
func inherit(cmd *exec.Cmd, in, out *os.File) {
	handles := []syscall.Handle{syscall.Handle(in.Fd()), syscall.Handle(out.Fd())}
	for _, h := range handles {
		syscall.SetHandleInformation(h, syscall.HANDLE_FLAG_INHERIT, syscall.HANDLE_FLAG_INHERIT)
	}
	cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d %d", controlVar, handles[0], handles[1]))
	cmd.SysProcAttr = &syscall.SysProcAttr{
		AdditionalInheritedHandles: handles, CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP,
	}
}

// inherited is the control connection in the worker.
func inherited() (in, out *os.File, err error) {
	words := strings.Fields(os.Getenv(controlVar))
	if len(words) != 2 {
		return nil, nil, errors.New("worker: this is started by the kernel, not by hand")
	}
	os.Unsetenv(controlVar)
	var files [2]*os.File
	for i, w := range words {
		h, err := strconv.ParseUint(w, 10, 64)
		if err != nil {
			return nil, nil, fmt.Errorf("worker: control handle: %w", err)
		}
		syscall.SetHandleInformation(syscall.Handle(h), syscall.HANDLE_FLAG_INHERIT, 0)
		files[i] = os.NewFile(uintptr(h), "control")
	}
	return files[0], files[1], nil
}

// ignoreInterrupts keeps Ctrl-C from ending the worker.
func ignoreInterrupts() { signal.Notify(make(chan os.Signal, 1), os.Interrupt) }

// killGroup kills cmd alone.
func killGroup(cmd *exec.Cmd) { cmd.Process.Kill() }

// await does nothing: Wait is enough.
func await(*exec.Cmd) {}

// endingOf is how a process ended.
func endingOf(s *os.ProcessState) ending { return ending{code: s.ExitCode()} }

//go:build unix && !linux

package worker

import (
	"os/exec"
	"syscall"
)

// dieWithParent can do nothing here: the worker ends when its control
// connection does.
func dieWithParent(*syscall.SysProcAttr) {}

// await cannot wait without reaping here.
func await(*exec.Cmd) {}

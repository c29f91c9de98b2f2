//go:build unix && !linux

package notebook

import "syscall"

// dieWithParent can do nothing here: the kernel watches JPY_PARENT_PID.
func dieWithParent(*syscall.SysProcAttr) {}

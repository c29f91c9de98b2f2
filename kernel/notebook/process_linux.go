package notebook

import (
	"os/exec"
	"syscall"
	"unsafe"
)

// dieWithParent kills the kernel when this program is killed. Linux sends the
// signal when the thread ends that started the kernel; Run holds that thread.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }

// awaitExit waits until cmd has ended and leaves it to be reaped, so that its
// number and that of its group are nobody else's yet. False means that the
// system cannot do this.
func awaitExit(cmd *exec.Cmd) bool {
	const pid = 1          // P_PID of waitid(2)
	var siginfo [16]uint64 // 128 bytes on every Linux
	at := unsafe.Pointer(&siginfo[0])
	for {
		_, _, e := syscall.Syscall6(syscall.SYS_WAITID, pid, uintptr(cmd.Process.Pid), uintptr(at),
			syscall.WEXITED|syscall.WNOWAIT, 0, 0)
		if e != syscall.EINTR {
			return e == 0
		}
	}
}

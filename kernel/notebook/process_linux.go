package notebook

import "syscall"

// dieWithParent kills the kernel when this program is killed. Linux sends the
// signal when the thread ends that started the kernel; Run holds that thread.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }

package worker

import "golang.org/x/sys/unix"

// widen lets a pipe hold more than the usual 64 KiB, if it may.
func widen(fd int) { unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, 1<<20) }

package server

import "golang.org/x/sys/unix"

// redirect makes to another name of from. Not every Linux has dup2.
func redirect(from, to int) error { return unix.Dup3(from, to, 0) }

// widen lets a pipe hold more than the usual 64 KiB, if it may.
func widen(fd int) { unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, 1<<20) }

//go:build !nogpu

package driver

import (
	"syscall"
	"unsafe"
)

// signals remembers the handlers of all signals. Libraries of CUDA's stack may
// put their own in place, without SA_ONSTACK: Go then dies at the next Ctrl-C,
// or never hears of it.
type signals struct {
	saved   [65]action
	changed []int // signals that were put back
}

// action is the kernel's struct sigaction.
type action struct{ handler, flags, restorer, mask uintptr }

func saveSignals() *signals {
	g := &signals{}
	for n := 1; n < len(g.saved); n++ {
		sigaction(n, nil, &g.saved[n])
	}
	return g
}

// restore puts back what has changed since saveSignals.
func (g *signals) restore() {
	for n := 1; n < len(g.saved); n++ {
		var now action
		if n == int(syscall.SIGKILL) || n == int(syscall.SIGSTOP) || !sigaction(n, nil, &now) || now == g.saved[n] {
			continue
		}
		if sigaction(n, &g.saved[n], nil) {
			g.changed = append(g.changed, n)
		}
	}
}

// sigaction is the system call itself: the C library's would wrap handlers.
func sigaction(n int, set, get *action) bool {
	_, _, err := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(n), uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(get)), 8, 0, 0)
	return err == 0
}

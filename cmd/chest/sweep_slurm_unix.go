//go:build unix

package main

import (
	"os"
	"syscall"
)

// warningSignals tell a task that its time is nearly over.
var warningSignals = []os.Signal{syscall.SIGUSR1}

//go:build !nogpu

package driver_test

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"
)

// TestSignals: a driver that takes SIGUSR1 for itself does not keep it.
func TestSignals(t *testing.T) {
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGUSR1)
	defer signal.Stop(heard)
	d := open(t, "steal=10")
	if got := fmt.Sprint(d.Info().Signals); got != "[10]" {
		t.Errorf("signals put back: %v, want [10]", got)
	}
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	select {
	case <-heard:
	case <-time.After(10 * time.Second):
		t.Error("the signal does not arrive any more")
	}
}

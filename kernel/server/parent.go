package server

import (
	"context"
	"os"
	"strconv"
	"time"
)

// parentPause is the time between two looks at the parent process.
const parentPause = time.Second

// watchParent calls stop when the process that started this one has ended. It
// does nothing unless Jupyter says, by JPY_PARENT_PID, that it wants this.
func watchParent(ctx context.Context, stop func()) {
	want, err := strconv.Atoi(os.Getenv("JPY_PARENT_PID"))
	if err != nil || want <= 0 {
		return
	}
	// A wrapper may stand between: what counts is that the parent changes.
	first := os.Getppid()
	if first == 1 && want != 1 {
		stop()
		return
	}
	t := time.NewTicker(parentPause)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if os.Getppid() != first {
				stop()
				return
			}
		}
	}
}

package datasets

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// parallel calls do for the blocks [lo, hi) of [0, n), on all processors, and
// returns the error of the lowest block that failed, whatever ran first.
//
// Blocks are handed out in order and one that is handed out runs to its end, so
// no later failure can hide an earlier one.
func parallel(n, block int, do func(lo, hi int) error) error {
	blocks := (n + block - 1) / block
	errs := make([]error, blocks)
	var next atomic.Int64
	var failed atomic.Bool
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), blocks) {
		wait.Go(func() {
			for !failed.Load() {
				b := int(next.Add(1)) - 1
				if b >= blocks {
					return
				}
				if errs[b] = do(b*block, min((b+1)*block, n)); errs[b] != nil {
					failed.Store(true)
				}
			}
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

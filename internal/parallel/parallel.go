// Package parallel runs loops on all processors.
//
// Work is cut into tasks by its size alone, never by the number of processors.
// Which goroutine takes which task is left open. So a result does not depend
// on the number of processors, if tasks write to disjoint places and what they
// write depends on the task alone.
package parallel

import (
	"runtime"
	"sync"
)

// Workers is the number of goroutines that Tasks should get for so many tasks.
func Workers(tasks int) int { return min(runtime.GOMAXPROCS(0), tasks) }

// Tasks calls f once for every task below tasks, from that many workers. Tasks
// are handed out in order. worker, below workers, numbers the goroutine, for
// scratch memory that it keeps from task to task.
func Tasks(workers, tasks int, f func(task, worker int)) {
	if workers < 2 {
		for t := range tasks {
			f(t, 0)
		}
		return
	}
	NewTeam(workers).Tasks(tasks, f)
}

// For calls f for the blocks [lo, hi) of grain entries that [0, n) is cut into;
// the last may be shorter.
func For(n, grain int, f func(lo, hi int)) {
	blocks := (n + grain - 1) / grain
	Tasks(Workers(blocks), blocks, func(b, _ int) { f(b*grain, min((b+1)*grain, n)) })
}

// Try is For with blocks that may fail. It returns the error of the lowest
// block that failed, whatever ran first: blocks below a failed one always run,
// those above are left out as far as they have not begun.
func Try(n, grain int, f func(lo, hi int) error) error {
	var mu sync.Mutex
	var first error
	failed := n // where the block of first begins
	For(n, grain, func(lo, hi int) {
		mu.Lock()
		skip := lo > failed
		mu.Unlock()
		if skip {
			return
		}
		if err := f(lo, hi); err != nil {
			mu.Lock()
			if lo < failed {
				first, failed = err, lo
			}
			mu.Unlock()
		}
	})
	return first
}

package parallel

import (
	"errors"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
)

// onProcessors runs f with one, two and eight processors.
func onProcessors(f func(procs int)) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, procs := range []int{1, 2, 8} {
		runtime.GOMAXPROCS(procs)
		f(procs)
	}
}

// TestTasks: every task once, and a worker never does two at the same time.
func TestTasks(t *testing.T) {
	onProcessors(func(procs int) {
		for _, tasks := range []int{0, 1, 2, 7, 1000} {
			workers := Workers(tasks)
			if workers != min(procs, tasks) {
				t.Fatalf("%d workers for %d tasks on %d processors", workers, tasks, procs)
			}
			seen := make([]int, tasks)
			busy := make([]atomic.Bool, max(workers, 1))
			Tasks(workers, tasks, func(task, worker int) {
				if busy[worker].Swap(true) {
					t.Errorf("worker %d has two tasks at once", worker)
				}
				seen[task]++
				busy[worker].Store(false)
			})
			if slices.ContainsFunc(seen, func(k int) bool { return k != 1 }) {
				t.Errorf("%d tasks on %d processors ran %v times", tasks, procs, seen)
			}
		}
	})
}

// TestForBlocks: the blocks are the same for any number of processors, and
// together they are the whole.
func TestForBlocks(t *testing.T) {
	for _, c := range []struct {
		n, grain int
		want     []int // where the blocks end, by their beginning over grain
	}{
		{0, 7, []int{}},
		{1, 7, []int{1}},
		{7, 7, []int{7}},
		{8, 7, []int{7, 8}},
		{15, 4, []int{4, 8, 12, 15}},
	} {
		onProcessors(func(procs int) {
			ends := make([]int, len(c.want))
			For(c.n, c.grain, func(lo, hi int) {
				if lo%c.grain != 0 || ends[lo/c.grain] != 0 {
					t.Errorf("n %d, grain %d: block from %d", c.n, c.grain, lo)
				}
				ends[lo/c.grain] = hi
			})
			if !slices.Equal(ends, c.want) {
				t.Errorf("n %d, grain %d on %d processors: ends %v, want %v", c.n, c.grain, procs, ends, c.want)
			}
		})
	}
}

// TestTryLowestError: the lowest error counts, whatever runs first, and
// everything below it has run.
func TestTryLowestError(t *testing.T) {
	first, later := errors.New("first"), errors.New("later")
	onProcessors(func(procs int) {
		for range 200 {
			var seen [100]bool
			err := Try(100, 1, func(lo, _ int) error {
				seen[lo] = true
				switch {
				case lo == 37:
					runtime.Gosched()
					return first
				case lo > 37:
					return later
				}
				return nil
			})
			if err != first || slices.Contains(seen[:38], false) {
				t.Fatalf("%d processors: error %v, want the first; ran %v", procs, err, seen)
			}
		}
		if err := Try(100, 7, func(_, _ int) error { return nil }); err != nil {
			t.Errorf("an error from nowhere: %v", err)
		}
	})
}

package model

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/chestlab/chest/chestlib/optim"
)

// workers is the number of goroutines for so many tasks.
func workers(tasks int) int { return min(runtime.GOMAXPROCS(0), tasks) }

// parallel calls f once for every task from that many workers; worker numbers
// the goroutine, for scratch memory. Which worker takes which task is left
// open: what tasks write must be disjoint and must not depend on it.
func parallel(workers, tasks int, f func(task, worker int)) {
	if workers < 2 {
		for t := range tasks {
			f(t, 0)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for t := int(next.Add(1)) - 1; t < tasks; t = int(next.Add(1)) - 1 {
				f(t, w)
			}
		})
	}
	wg.Wait()
}

// pieces calls f on the ranges that n entries are cut into, in parallel.
func pieces(n int, f func(lo, hi int)) {
	const size = 1 << 14 // some 30 µs of arithmetic
	tasks := (n + size - 1) / size
	parallel(workers(tasks), tasks, func(t, _ int) { f(t*size, min(n, (t+1)*size)) })
}

// lanes are the partial gradients of params, one lane for a fixed share of the
// batch. There are as many for a batch of n whatever the number of processors,
// and they are added up in order, so a gradient is the same to the last bit.
type lanes [][]float32

const maxLanes = 16

// reset returns the lanes for n items, each with size zeros.
func (l lanes) reset(n, size int) lanes {
	for len(l) < min(n, maxLanes) {
		l = append(l, nil)
	}
	l = l[:min(n, maxLanes)]
	for i := range l {
		l[i] = resized(l[i], size)
		clear(l[i])
	}
	return l
}

// share is the range of items of a lane.
func (l lanes) share(lane, n int) (lo, hi int) {
	return lane * n / len(l), (lane + 1) * n / len(l)
}

// addTo adds all lanes to the gradients of params, which lie in a lane one
// after the other.
func (l lanes) addTo(params ...*optim.Param) {
	at := 0
	for _, p := range params {
		for _, lane := range l {
			for i, v := range lane[at : at+len(p.Grad)] {
				p.Grad[i] += v
			}
		}
		at += len(p.Grad)
	}
}

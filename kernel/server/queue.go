package server

import (
	"context"
	"sync"
	"time"

	"github.com/chestlab/chest/kernel/wire"
)

// job is a request and when it came.
type job struct {
	wire.Request
	at time.Time
}

// queue holds the requests of the shell channel. It has no bound: they must be
// taken from the socket, or an interrupt behind them would not come through.
// The zero value is ready.
type queue struct {
	mu   sync.Mutex
	jobs []job
	wake chan struct{}
}

// signal is the channel that tells of new jobs.
func (q *queue) signal() chan struct{} {
	if q.wake == nil {
		q.wake = make(chan struct{}, 1)
	}
	return q.wake
}

// put adds a job.
func (q *queue) put(j job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.jobs = append(q.jobs, j)
	select {
	case q.signal() <- struct{}{}:
	default:
	}
}

// take waits for the next job; false when ctx ends.
func (q *queue) take(ctx context.Context) (job, bool) {
	for {
		q.mu.Lock()
		wake := q.signal()
		if len(q.jobs) > 0 && ctx.Err() == nil {
			j := q.jobs[0]
			q.jobs = q.jobs[1:]
			q.mu.Unlock()
			return j, true
		}
		q.mu.Unlock()
		select {
		case <-wake:
		case <-ctx.Done():
			return job{}, false
		}
	}
}

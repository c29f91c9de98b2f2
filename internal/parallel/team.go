package parallel

import (
	"runtime"
	"sync/atomic"
)

// Team runs the same loops again and again, with a fixed number of workers and
// without allocating. It is used by one goroutine at a time. Between loops that
// follow each other within 0.1 ms the other workers stay on their processors.
type Team struct {
	run   []func() // one for each worker but the first, which is the caller
	f     func(task, worker int)
	tasks int
	next  atomic.Int64
	here  atomic.Int32  // workers that have not ended the loop, and the caller while it looks
	last  chan struct{} // the last worker to leave tells the caller, who sleeps
}

// NewTeam makes a team of that many workers; 0 means GOMAXPROCS.
func NewTeam(workers int) *Team {
	if workers < 1 {
		workers = runtime.GOMAXPROCS(0)
	}
	t := &Team{last: make(chan struct{}, 1)}
	for w := 1; w < workers; w++ {
		t.run = append(t.run, func() { help(t, w) })
	}
	return t
}

// Workers is the number of workers.
func (t *Team) Workers() int { return len(t.run) + 1 }

// Tasks is the function Tasks with the workers of the team. It allocates
// nothing if f is not made for the call: keep it in a variable.
func (t *Team) Tasks(tasks int, f func(task, worker int)) {
	t.f, t.tasks = f, tasks
	t.next.Store(0)
	helpers := max(min(len(t.run), tasks-1), 0)
	t.here.Store(int32(helpers) + 1)
	for w := range helpers {
		if !call(t, w+1) {
			go t.run[w]() // a stored function: a new one would be allocated
		}
	}
	t.work(0)
	if look := helpers <= seats(); !(look && spin(t.alone)) && t.here.Add(-1) != 0 {
		<-t.last
	}
	t.f = nil
}

// alone says that all workers but the caller have left.
func (t *Team) alone() bool { return t.here.Load() == 1 }

// leave is a worker's end of a loop.
func (t *Team) leave() {
	if t.here.Add(-1) == 0 {
		t.last <- struct{}{}
	}
}

func (t *Team) work(worker int) {
	for i := int(t.next.Add(1)) - 1; i < t.tasks; i = int(t.next.Add(1)) - 1 {
		t.f(i, worker)
	}
}

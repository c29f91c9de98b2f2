package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Team runs the same loops again and again, with a fixed number of workers and
// without allocating. It is used by one goroutine at a time.
type Team struct {
	run   []func() // one for each worker but the first, which is the caller
	f     func(task, worker int)
	tasks int
	next  atomic.Int64
	done  sync.WaitGroup
}

// NewTeam makes a team of that many workers; 0 means GOMAXPROCS.
func NewTeam(workers int) *Team {
	if workers < 1 {
		workers = runtime.GOMAXPROCS(0)
	}
	t := new(Team)
	for w := 1; w < workers; w++ {
		t.run = append(t.run, func() { t.work(w); t.done.Done() })
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
	helpers := min(len(t.run), tasks-1)
	for w := 0; w < helpers; w++ {
		t.done.Add(1)
		go t.run[w]() // a stored function: a new one would be allocated
	}
	t.work(0)
	t.done.Wait()
	t.f = nil
}

func (t *Team) work(worker int) {
	for i := int(t.next.Add(1)) - 1; i < t.tasks; i = int(t.next.Add(1)) - 1 {
		t.f(i, worker)
	}
}

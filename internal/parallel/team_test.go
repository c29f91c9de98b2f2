package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestTeam(t *testing.T) {
	for _, workers := range []int{1, 2, 5} {
		team := NewTeam(workers)
		if team.Workers() != workers {
			t.Fatalf("%d workers, want %d", team.Workers(), workers)
		}
		for _, tasks := range []int{0, 1, 2, 3, 100} {
			seen := make([]atomic.Int32, tasks)
			team.Tasks(tasks, func(task, worker int) {
				if worker < 0 || worker >= workers {
					t.Errorf("worker %d of %d", worker, workers)
				}
				seen[task].Add(1)
			})
			for i := range seen {
				if n := seen[i].Load(); n != 1 {
					t.Errorf("%d workers, %d tasks: task %d ran %d times", workers, tasks, i, n)
				}
			}
		}
	}
}

func TestTeamAllocatesNothing(t *testing.T) {
	team := NewTeam(3)
	var n atomic.Int64
	f := func(int, int) { n.Add(1) }
	if a := testing.AllocsPerRun(100, func() { team.Tasks(7, f) }); a != 0 {
		t.Errorf("%g allocations", a)
	}
}

// TestTeamsShareHelpers runs the loops of several teams at the same time, with
// pauses shorter and longer than helpers linger: every task once, and in the
// end no helper is left.
func TestTeamsShareHelpers(t *testing.T) {
	before := runtime.NumGoroutine()
	onProcessors(func(procs int) {
		var teams sync.WaitGroup
		for k := range 4 {
			teams.Go(func() {
				team := NewTeam(1 + k)
				var done [9]int
				f := func(task, _ int) { done[task]++ }
				for i := range 400 {
					team.Tasks(len(done), f)
					if i%100 == 99 {
						time.Sleep(time.Duration(k) * linger)
					}
				}
				for task, n := range done {
					if n != 400 {
						t.Errorf("team of %d on %d processors: task %d ran %d times, want 400", 1+k, procs, task, n)
					}
				}
			})
		}
		teams.Wait()
	})
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines are left, %d were there before", runtime.NumGoroutine(), before)
		}
	}
	for i := range crew {
		if s := crew[i].state.Load(); s != empty {
			t.Errorf("seat %d is in state %d", i, s)
		}
	}
}

// TestHelperIsCalled: a helper that lingers is the one that the next loop gets.
func TestHelperIsCalled(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	s := sit()
	if s == nil {
		t.Fatal("no seat is free")
	}
	team := NewTeam(2)
	if !call(team, 1) {
		t.Fatal("the helper was not called")
	}
	if call(team, 1) {
		t.Error("it was called twice")
	}
	if got, index := s.wait(); got != team || index != 1 {
		t.Errorf("called to %p as %d, want %p as 1", got, index, team)
	}
	if s = sit(); s == nil {
		t.Fatal("the seat is not free again")
	}
	if got, _ := s.wait(); got != nil || s.state.Load() != empty {
		t.Errorf("nobody called, but %p came; state %d", got, s.state.Load())
	}
}

package parallel

import (
	"sync/atomic"
	"testing"
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

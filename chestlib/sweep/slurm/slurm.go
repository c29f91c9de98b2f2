// Package slurm runs the tasks of a sweep on a cluster that Slurm schedules, by
// Slurm's command line: sbatch, squeue, sacct, scancel and scontrol.
//
// The scheduler's word about a run is a hint, its files are the truth: a run whose
// record is there is done, whatever became of its job, and one whose job is gone
// without a record is lost, whatever the accounting says.
package slurm

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/chestlab/chest/chestlib/sweep"
)

// Engine submits the tasks of a sweep as one array of jobs and waits for them. It
// is a sweep.Engine. The folder of the runs must be on a file system that all
// nodes share.
//
// What an earlier Engine submitted for the same folder, and Slurm still has, is
// waited for and not submitted again.
type Engine struct {
	Command []string // the program on a node, which does Task.Run with the flags that Task.Flags gives it

	Flags    []string      // more of sbatch, such as --partition=gpu; passed on as they are
	Throttle int           // tasks of the array at a time; 0 means as many as Slurm gives
	PerTask  int           // runs of each task of the array, in turn; 0 means 1
	Warning  time.Duration // from the signal to checkpoint to the end of a job's time limit; 0 means 2 minutes
	Requeues int           // of a task whose time limit comes near; 0 means 20, negative none
	Poll     time.Duration // between two questions to Slurm; 0 means 10 seconds
	Settle   time.Duration // how late files of a run may be seen after its job has ended; 0 means 60 seconds
	Detach   bool          // submit and return ErrDetached
	Gather   []string      // with Detach, a command that runs after all tasks, whatever became of them; nil for none

	Log func(line string) // what a user may want to know about jobs; nil for none
}

// ErrDetached is the error of Engine.Run when all is submitted and nobody waits.
var ErrDetached = errors.New("slurm: submitted; nobody waits for it here")

// Run is sweep.Engine.Run. When ctx ends the jobs are cancelled; their tasks write
// checkpoints first.
func (e Engine) Run(ctx context.Context, dir string, tasks []sweep.Task, begun, done func(t sweep.Task)) error {
	w, err := e.watch(ctx, dir)
	if err != nil {
		return err
	}
	w.begun, w.done = begun, done
	fresh := w.adopt(tasks)
	if len(fresh) > 0 {
		if err := w.submit(ctx, fresh); err != nil {
			return w.leave(err)
		}
	}
	if e.Detach {
		return ErrDetached
	}
	return w.wait(ctx)
}

// Wait waits for the runs that Slurm still has of an earlier Engine of the same
// folder. waited says that there were some.
func (e Engine) Wait(ctx context.Context, dir string) (waited bool, err error) {
	w, err := e.watch(ctx, dir)
	if err != nil {
		return false, err
	}
	none := func(sweep.Task) {}
	w.begun, w.done = none, none
	var tasks []sweep.Task
	for _, b := range w.batches {
		for _, id := range b.runs {
			tasks = append(tasks, sweep.Task{ID: id})
		}
	}
	w.adopt(tasks)
	if len(w.open) == 0 {
		return false, nil
	}
	if e.Detach {
		return false, ErrDetached
	}
	return true, w.wait(ctx)
}

// Plan returns the script that Run would submit for n tasks, and the commands that
// would submit it.
func (e Engine) Plan(ctx context.Context, dir string, n int) (script string, commands []string, err error) {
	if err := e.check(); err != nil {
		return "", nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", nil, fmt.Errorf("slurm: %w", err)
	}
	most, err := maxArraySize(ctx)
	if errors.Is(err, exec.ErrNotFound) {
		most = 1001
		commands = append(commands, "# There is no Slurm here that says how long an array may be; its default, 1001, is supposed.")
	} else if err != nil {
		return "", nil, err
	}
	b := &batch{dir: filepath.Join(dir, "slurm", "chest-NAME"), Token: "TOKEN", PerTask: e.perTask()}
	b.split((n+b.PerTask-1)/b.PerTask, most)
	previous := ""
	for i := range b.Parts {
		commands = append(commands, shellQuote(append([]string{"sbatch"}, e.sbatch(b, i, previous)...)))
		previous = "JOB"
	}
	return e.script(dir, b), commands, nil
}

// ours are flags of sbatch that the engine sets itself.
var ours = []string{"--array", "-a", "--job-name", "-J", "--wrap", "--parsable", "--output", "-o", "--error", "-e", "--wait", "-W", "--test-only", "--chdir", "-D", "--open-mode", "--dependency", "-d"}

// check finds options that cannot be.
func (e Engine) check() error {
	switch {
	case len(e.Command) == 0:
		return errors.New("slurm: no Command; give the program that the nodes run")
	case e.Throttle < 0 || e.PerTask < 0:
		return fmt.Errorf("slurm: Throttle %d, PerTask %d; want 0 or more", e.Throttle, e.PerTask)
	case e.Poll < 0 || e.Settle < 0 || e.Warning < 0:
		return fmt.Errorf("slurm: Poll %s, Settle %s, Warning %s; want 0 or more", e.Poll, e.Settle, e.Warning)
	}
	for _, f := range e.Flags {
		name, _, _ := strings.Cut(f, "=")
		if !strings.HasPrefix(f, "-") || strings.ContainsAny(f, "\n\r\x00") {
			return fmt.Errorf("slurm: flag %q; want a flag of sbatch with its value, such as --partition=gpu", f)
		}
		for _, o := range ours {
			if name == o || len(o) == 2 && strings.HasPrefix(f, o) && !strings.HasPrefix(f, "--") {
				return fmt.Errorf("slurm: flag %q; chest sets %s itself", f, o)
			}
		}
	}
	return nil
}

func (e Engine) perTask() int { return max(e.PerTask, 1) }

func (e Engine) poll() time.Duration {
	if e.Poll == 0 {
		return 10 * time.Second
	}
	return e.Poll
}

func (e Engine) settle() time.Duration {
	if e.Settle == 0 {
		return time.Minute
	}
	return e.Settle
}

func (e Engine) warning() time.Duration {
	if e.Warning == 0 {
		return 2 * time.Minute
	}
	return e.Warning
}

func (e Engine) requeues() int {
	if e.Requeues == 0 {
		return 20
	}
	return max(e.Requeues, 0)
}

func (e Engine) log(format string, a ...any) {
	if e.Log != nil {
		e.Log(fmt.Sprintf(format, a...))
	}
}

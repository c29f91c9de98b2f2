package slurm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/chestlab/chest/chestlib/sweep"
)

// Task is what one task of an array does on its node: some runs of a frozen list,
// one after the other.
type Task struct {
	Dir      string // of the runs
	List     string // a file of their IDs
	Token    string // what is in the file token beside List; "" is not checked
	PerTask  int    // runs a task
	Index    int    // of this task in the list's tasks
	Requeues int    // after which the task does not put itself back in the queue

	Command func(f sweep.Folder) *exec.Cmd // as of sweep.Local
}

// ErrWarned is the cause with which the context of Task.Run ends when the time limit
// of the job comes near.
var ErrWarned = errors.New("the job's time limit comes near")

// Flags are those by which a command line says all of t but Index and Command.
func (t Task) Flags() []string {
	return []string{"--dir", t.Dir, "--list", t.List, "--token", t.Token, "--per-task", strconv.Itoa(t.PerTask), "--requeues", strconv.Itoa(t.Requeues)}
}

// Run does the runs of the task that have no record, each in a process of its own.
// When ctx ends they stop with a checkpoint; if its cause is ErrWarned the task
// then asks Slurm to begin it again. The error says how many runs have no record.
func (t Task) Run(ctx context.Context, log io.Writer) error {
	if err := t.sees(ctx); err != nil {
		return err
	}
	tasks, err := t.tasks()
	if err != nil {
		return err
	}
	for _, task := range tasks {
		if ctx.Err() != nil {
			break
		}
		if !recorded(t.Dir, task.ID) {
			if err := t.one(ctx, task, log); err != nil {
				return err
			}
		}
	}
	left := 0
	for _, task := range tasks {
		if _, err := (sweep.Folder{Dir: t.Dir, ID: task.ID}).Record(); errors.Is(err, fs.ErrNotExist) {
			left++
		}
	}
	switch {
	case left == 0:
		return nil
	case errors.Is(context.Cause(ctx), ErrWarned):
		return t.requeue(log)
	}
	return fmt.Errorf("slurm: %d of the task's %d runs have no record; why is in log.txt in their folders", left, len(tasks))
}

// sees waits a moment for the token: file systems may show a new file late.
func (t Task) sees(ctx context.Context) error {
	if t.Token == "" {
		return nil
	}
	path := filepath.Join(filepath.Dir(t.List), "token")
	host, _ := os.Hostname()
	for try := 0; ; try++ {
		text, err := os.ReadFile(path)
		switch {
		case err == nil && strings.TrimSpace(string(text)) == t.Token:
			return nil
		case err == nil:
			err = fmt.Errorf("it has another token, %q", strings.TrimSpace(string(text)))
		}
		if try == 5 || ctx.Err() != nil {
			return fmt.Errorf("slurm: node %s does not see the folder %s as the host that submitted: %w; give --dir on a file system that all nodes share", host, t.Dir, err)
		}
		time.Sleep(time.Second)
	}
}

// tasks are those of the list that are this task's.
func (t Task) tasks() (tasks []sweep.Task, err error) {
	runs, err := readList(t.List)
	if err != nil {
		return nil, fmt.Errorf("slurm: %w", err)
	}
	k := max(t.PerTask, 1)
	if t.Index < 0 || t.Index*k >= len(runs) {
		return nil, fmt.Errorf("slurm: task %d of %s, which has %d runs, %d a task", t.Index, t.List, len(runs), k)
	}
	for _, id := range runs[t.Index*k : min((t.Index+1)*k, len(runs))] {
		tasks = append(tasks, sweep.Task{ID: id})
	}
	return tasks, nil
}

// one does a run, unless one on another node is at it, as after a node was given
// up that still runs.
func (t Task) one(ctx context.Context, task sweep.Task, log io.Writer) error {
	f := sweep.Folder{Dir: t.Dir, ID: task.ID}
	for waited := false; beats(f, clock(t.Dir)); waited = true {
		if !waited {
			fmt.Fprintf(log, "%s: a process on another node is at it, or was until a moment ago\n", f.ID)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(beatEvery / 3):
		}
	}
	var stop func()
	local := sweep.Local{Slots: 1, Threads: cpus(), Command: t.Command}
	return local.Run(ctx, t.Dir, []sweep.Task{task}, func(sweep.Task) { stop = beat(f) }, func(sweep.Task) {
		stop()
		state, _ := f.State()
		fmt.Fprintf(log, "%s: %s\n", f.ID, state)
	})
}

// cpus are those that Slurm gave to the task, 0 if it does not say.
func cpus() int {
	for _, name := range []string{"SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE"} {
		if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
			return n
		}
	}
	return 0
}

// requeue puts this task back in the queue. Slurm may warn up to a minute early, so
// with a limit that is shorter than the warning a task would never come to its work:
// there is an end to it.
func (t Task) requeue(log io.Writer) error {
	job := os.Getenv("SLURM_ARRAY_JOB_ID") + "_" + os.Getenv("SLURM_ARRAY_TASK_ID")
	if job == "_" {
		if job = os.Getenv("SLURM_JOB_ID"); job == "" {
			return fmt.Errorf("slurm: warned, but this is no job: SLURM_JOB_ID is not set")
		}
	}
	restarts, _ := strconv.Atoi(os.Getenv("SLURM_RESTART_COUNT"))
	if restarts >= t.Requeues {
		return fmt.Errorf("slurm: job %s was begun %d times and comes to its time limit again; give it more time: --slurm-flag=--time=…", job, restarts+1)
	}
	fmt.Fprintf(log, "%v; job %s goes back to the queue, the %d. time\n", ErrWarned, job, restarts+1)
	ctx, stop := context.WithTimeout(context.Background(), answer)
	defer stop()
	_, err := run(ctx, "scontrol", "requeue", job)
	var exit *exec.ExitError
	if errors.As(err, &exit) && !exit.Exited() {
		return nil // Slurm took it, and so ended all processes of the job, this scontrol too
	}
	return err
}

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/chestlab/chest/chestlib/sweep"
	"github.com/chestlab/chest/chestlib/sweep/slurm"
)

// slurmFlags are the flags of chest sweep that choose and steer its engine.
type slurmFlags struct {
	engine   string
	flags    []string
	throttle int
	perTask  int
	requeues int
	warning  time.Duration
	poll     time.Duration
	settle   time.Duration
	detach   bool
}

func (f *slurmFlags) add(p *pflag.FlagSet) {
	p.StringVar(&f.engine, "engine", "local", "where the runs are done: local, in processes here, or slurm, as jobs of a cluster")
	p.StringArrayVar(&f.flags, "slurm-flag", nil, "with slurm: a flag for sbatch, such as --slurm-flag=--partition=gpu; may be given again")
	p.IntVar(&f.throttle, "throttle", 0, "with slurm: tasks at a time; 0 means as many as the cluster gives")
	p.IntVar(&f.perTask, "per-task", 1, "with slurm: runs that a task does in turn; more for short ones")
	p.BoolVar(&f.detach, "detach", false, "with slurm: submit and return; the same command without it waits and goes on")
	p.DurationVar(&f.warning, "warning", 2*time.Minute, "with slurm: before its time limit a task has so long to write a checkpoint and go back to the queue")
	p.IntVar(&f.requeues, "requeues", 20, "with slurm: so often a task goes back to the queue; 0 means never")
	p.DurationVar(&f.poll, "poll", 10*time.Second, "with slurm: between two questions to the scheduler")
	p.DurationVar(&f.settle, "settle", time.Minute, "with slurm: how late the shared folder may show the files of a job that has ended")
}

func (f *slurmFlags) check() error {
	switch {
	case f.engine != "local" && f.engine != "slurm":
		return fmt.Errorf("sweep: --engine %q; want local or slurm", f.engine)
	case f.engine == "slurm" && runtime.GOOS == "windows":
		return fmt.Errorf("sweep: --engine slurm does not work on Windows: submit from a login node of the cluster, or leave --engine out to run here")
	case f.throttle < 0 || f.perTask < 1 || f.requeues < 0:
		return fmt.Errorf("sweep: --throttle %d, --per-task %d, --requeues %d; want at least 0, 1 and 0", f.throttle, f.perTask, f.requeues)
	case f.poll <= 0 || f.warning <= 0 || f.settle <= 0:
		return fmt.Errorf("sweep: --poll %s, --warning %s, --settle %s; want more than 0", f.poll, f.warning, f.settle)
	case f.engine == "local" && (f.detach || len(f.flags) > 0):
		return fmt.Errorf("sweep: --detach and --slurm-flag need --engine slurm")
	}
	return nil
}

// cluster is the engine for Slurm.
func (f sweepFlags) cluster(log func(string)) (slurm.Engine, error) {
	self, err := os.Executable()
	if err != nil {
		return slurm.Engine{}, err
	}
	s := f.slurm
	e := slurm.Engine{
		Command: []string{self, "trial"}, Flags: s.flags, Throttle: s.throttle, PerTask: s.perTask, Requeues: s.requeues,
		Warning: s.warning, Poll: s.poll, Settle: s.settle, Detach: s.detach,
		Log: log,
	}
	if e.Requeues == 0 {
		e.Requeues = -1
	}
	return e, nil
}

// onCluster runs the sweep as jobs. Runs that are under way when the sweep has
// nothing else to do, as those of a sweep that was killed, are waited for.
func (f sweepFlags) onCluster(ctx context.Context, s *sweep.Sweep, plan string, p *progress) error {
	e, err := f.cluster(func(line string) { p.Say("%s", line) })
	if err != nil {
		return err
	}
	if f.slurm.detach {
		if e.Gather, err = f.gather(e.Command[0], plan); err != nil {
			return err
		}
	}
	for {
		err := s.Run(ctx, e)
		if err == nil || ctx.Err() != nil || errors.Is(err, slurm.ErrDetached) {
			return err
		}
		waited, waitErr := e.Wait(ctx, s.Dir)
		if waitErr != nil {
			return waitErr
		}
		if !waited || ctx.Err() != nil {
			return err
		}
	}
}

// gather is the command that writes the table when all jobs have ended. The plan is
// copied: the file may be edited meanwhile.
func (f sweepFlags) gather(self, plan string) ([]string, error) {
	dir, err := filepath.Abs(f.dir)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(plan)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	kept := filepath.Join(dir, "slurm", "plan-"+hex.EncodeToString(sum[:5])+".yaml")
	if err := os.MkdirAll(filepath.Dir(kept), 0o777); err != nil {
		return nil, err
	}
	if err := os.WriteFile(kept, text, 0o666); err != nil {
		return nil, err
	}
	command := []string{self, "sweep", kept, "--dir", dir, "--table", "--form", f.form}
	for _, set := range f.set {
		command = append(command, "--set", set)
	}
	return command, nil
}

// dryCluster prints what would be submitted.
func (f sweepFlags) dryCluster(ctx context.Context, s *sweep.Sweep) error {
	e, err := f.cluster(func(line string) { fmt.Fprintln(os.Stderr, line) })
	if err != nil {
		return err
	}
	due, _, err := s.Due()
	if err != nil || len(due) == 0 {
		return err
	}
	script, commands, err := e.Plan(ctx, s.Dir, len(due))
	if err != nil {
		return err
	}
	fmt.Println()
	for _, c := range commands {
		fmt.Println(c)
	}
	fmt.Printf("\nThe script:\n\n%s", script)
	return nil
}

// listForm gives chest trial its other form, a task of an array of jobs: some runs
// of a list in turn.
func listForm(c *cobra.Command, dir *string) *cobra.Command {
	var t slurm.Task
	var first int
	p := c.Flags()
	p.StringVar(&t.List, "list", "", "a file of IDs of runs: do those of --index")
	p.IntVar(&t.Index, "index", 0, "with --list: which task")
	p.IntVar(&first, "first", 0, "with --list: is added to --index")
	p.IntVar(&t.PerTask, "per-task", 1, "with --list: runs a task")
	p.IntVar(&t.Requeues, "requeues", 20, "with --list: so often a job that nears its time limit goes back to the queue")
	p.StringVar(&t.Token, "token", "", "with --list: what the file token beside it has, if this node sees the same folder")
	one := c.RunE
	c.Args = func(cmd *cobra.Command, args []string) error {
		if t.List != "" {
			return cobra.NoArgs(cmd, args)
		}
		return cobra.ExactArgs(1)(cmd, args)
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if t.List == "" {
			return one(cmd, args)
		}
		t.Dir = *dir
		t.Index += first
		return doTask(cmd.Context(), t)
	}
	return c
}

// doTask runs a task until its end or a signal: one of warning means that the job's
// time is nearly over, the others that somebody wants it to stop.
func doTask(ctx context.Context, t slurm.Task) error {
	self, err := os.Executable()
	if err != nil {
		return failed(err)
	}
	t.Command = func(r sweep.Folder) *exec.Cmd { return exec.Command(self, "trial", "--dir", r.Dir, r.ID) }
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if len(warningSignals) > 0 {
		warned := make(chan os.Signal, 1)
		signal.Notify(warned, warningSignals...)
		go func() {
			<-warned
			cancel(slurm.ErrWarned)
		}()
	}
	err = t.Run(ctx, os.Stdout)
	if ctx.Err() != nil && err != nil {
		return stopped(err)
	}
	return failed(err)
}

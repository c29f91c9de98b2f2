package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/chestlab/chest/chestlib/sweep"
	"github.com/chestlab/chest/chestlib/sweep/slurm"
	"github.com/chestlab/chest/viz"
)

// sweepFlags are the flags of chest sweep.
type sweepFlags struct {
	dir    string
	set    []string
	resume []string
	dryRun bool
	table  bool
	form   string
	jobs   int
	gpus   []string
	slurm  slurmFlags
}

func sweepCommand() *cobra.Command {
	var f sweepFlags
	c := &cobra.Command{
		Use:   "sweep PLAN.yaml",
		Short: "Run all trainings of a plan and print their table",
		Long: `Run the trainings of a plan: all combinations of its rows, its grid, its data
and its seeds, each in a process of its own. A run is named by a hash of its
config, its data and the version of the numbers, so nothing runs twice: a sweep
that was stopped goes on, one with more seeds or values runs what is missing, and
several plans may share a folder of runs.

What a plan can say is in the documentation of sweep.Plan
("go doc github.com/chestlab/chest/chestlib/sweep.Plan") and in docs/sweeps.md.

Ctrl-C stops after the present steps, with checkpoints; the same command goes on.
A run whose process was killed is lost; it goes on from its checkpoint, too. A
run that failed is left alone unless --resume names "failed".`,
		Example: `  chest sweep plan.yaml
  chest sweep plan.yaml --set Train.Epochs=2 --set seeds=1 --dir /tmp/try
  chest sweep plan.yaml --dry-run
  chest sweep plan.yaml --table --form latex > table.tex`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(f.gpus) > 0 && !cmd.Flags().Changed("jobs") {
				f.jobs = len(f.gpus)
			}
			if f.jobs < 1 {
				return fmt.Errorf("sweep: --jobs %d; want at least 1", f.jobs)
			}
			if _, ok := tableForms[f.form]; !ok {
				return fmt.Errorf("sweep: --form %q; want text, markdown, latex or html", f.form)
			}
			if slices.Contains(f.resume, "none") && len(f.resume) > 1 {
				return fmt.Errorf("sweep: --resume %s; none stands alone", strings.Join(f.resume, ","))
			}
			for _, r := range f.resume {
				if !slices.Contains([]string{"unfinished", "lost", "failed", "none"}, r) {
					return fmt.Errorf("sweep: --resume %q; want unfinished, lost, failed or none", r)
				}
			}
			if err := f.slurm.check(); err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return f.run(ctx, args[0])
		},
	}
	p := c.Flags()
	p.StringVar(&f.dir, "dir", "runs", "folder of the runs")
	p.StringArrayVar(&f.set, "set", nil, "change the plan: path=value of its base, or seeds=, data=, name=")
	p.StringSliceVar(&f.resume, "resume", []string{"unfinished", "lost"}, "which runs that were begun go on: unfinished, lost, failed, none")
	p.BoolVar(&f.dryRun, "dry-run", false, "say what would run, and why; run nothing")
	p.BoolVar(&f.table, "table", false, "print the table of what is there; run nothing")
	p.StringVar(&f.form, "form", "text", "of the table: text, markdown, latex or html")
	f.slurm.add(p)
	p.IntVar(&f.jobs, "jobs", runtime.NumCPU(), "runs at a time, each with its share of the processors")
	p.StringSliceVar(&f.gpus, "gpus", nil, "GPUs for the runs in turn, such as 0,1: each process sees one; for plans with On: cuda")
	p.Lookup("jobs").DefValue = "processors" // the help texts do not depend on the machine
	return c
}

func (f sweepFlags) run(ctx context.Context, path string) error {
	plan, err := sweep.ReadPlan(path, f.set...)
	if err != nil {
		return failed(err)
	}
	s := &sweep.Sweep{Plan: plan, Dir: f.dir, Resume: f.switches()}
	if s.Digest, err = digests(ctx, plan.Data); err != nil {
		return failed(err)
	}
	if f.dryRun {
		err := f.dry(s)
		if err == nil && f.slurm.engine == "slurm" {
			err = f.dryCluster(ctx, s)
		}
		return failed(err)
	}
	if !f.table {
		if err := f.course(ctx, s, path); errors.Is(err, slurm.ErrDetached) {
			fmt.Fprintln(os.Stderr, "submitted; the same command without --detach waits for the jobs and goes on")
			return nil
		} else if err != nil {
			return err
		}
	}
	results, err := s.Results()
	if err != nil {
		return failed(err)
	}
	t, err := sweepTable(plan, results)
	if err != nil {
		return failed(err)
	}
	fmt.Println(tableForms[f.form](t))
	return nil
}

// switches are those of --resume.
func (f sweepFlags) switches() sweep.Resume {
	has := func(name string) bool { return slices.Contains(f.resume, name) }
	return sweep.Resume{Unfinished: has("unfinished"), Lost: has("lost"), Failed: has("failed")}
}

// course runs the sweep in processes of this program, here or on a cluster.
func (f sweepFlags) course(ctx context.Context, s *sweep.Sweep, plan string) error {
	self, err := os.Executable()
	if err != nil {
		return failed(err)
	}
	p := newProgress(os.Stderr)
	s.Report = sweepReporter(s, p)
	local := sweep.Local{Slots: f.jobs, Threads: max(runtime.NumCPU()/f.jobs, 1), GPUs: f.gpus, Command: func(r sweep.Folder) *exec.Cmd {
		return exec.Command(self, "trial", "--dir", r.Dir, r.ID)
	}}
	if f.slurm.engine == "slurm" {
		err = f.onCluster(ctx, s, plan, p)
	} else {
		err = s.Run(ctx, local)
	}
	p.Finish("")
	if ctx.Err() != nil {
		return stopped(fmt.Errorf("sweep: stopped; what is done is in %s, and the same command goes on: %w", f.dir, ctx.Err()))
	}
	return failed(err)
}

// sweepReporter writes a line for each run that ended, with the last lines of the
// log of one that failed or was lost, and how far the sweep is.
func sweepReporter(s *sweep.Sweep, to *progress) func(sweep.Progress) {
	to.Start(0, "sweep "+s.Plan.Name)
	return func(p sweep.Progress) {
		to.Of(p.Total)
		to.Set(p.Done+p.Failed, fmt.Sprintf("%d running", p.Running))
		if p.Ended == nil {
			if p.Running == 0 {
				to.Say("%d of %d runs done", p.Done, p.Total)
			}
			return
		}
		f := sweep.Folder{Dir: s.Dir, ID: p.Ended.ID}
		line := fmt.Sprintf("%3d/%d  %s: %s", p.Done+p.Failed, p.Total, p.Ended.ID, p.State)
		if r, err := f.Record(); err == nil {
			line += fmt.Sprintf(", %s, %.0f s", outcome(r), r.Seconds)
		}
		to.Say("%s", line)
		if p.State == sweep.Failed || p.State == sweep.Lost {
			for _, l := range f.Log(5) {
				to.Say("         | %s", l)
			}
		}
	}
}

// dry says which runs would begin.
func (f sweepFlags) dry(s *sweep.Sweep) error {
	due, later, err := s.Due()
	if err != nil {
		return err
	}
	for _, d := range due {
		fmt.Printf("%s  %s: %s\n", d.Task.ID, d.State, d.Why)
	}
	fmt.Printf("%d runs would begin", len(due))
	if later > 0 {
		fmt.Printf(", and %d more when choices are made", later)
	}
	fmt.Println()
	return nil
}

// sweepTable is what a sweep has found: mean ± std over the seeds.
func sweepTable(p *sweep.Plan, results []sweep.Result) (*viz.Table, error) {
	columns := []string{"data", "row"}
	for _, a := range p.Grid {
		columns = append(columns, a.Path)
	}
	columns = append(columns, sweep.Measures...)
	columns = append(columns, "seeds", "chosen")
	t := viz.NewTable(p.Name, columns...).Decimals(1, sweep.Measures...).Best(sweep.Measures[:4]...)
	for _, r := range results {
		cells := []any{r.Data, cmp.Or(r.Row, "–")}
		for _, v := range r.Values {
			cells = append(cells, fmt.Sprint(v))
		}
		for _, m := range sweep.Measures {
			all, err := r.Scores(m)
			if err != nil {
				return nil, err
			}
			if len(all) == 0 {
				cells = append(cells, nil)
				continue
			}
			cells = append(cells, viz.MeanStd(all...))
		}
		t.Row(append(cells, counted(r), r.ChosenValues())...)
	}
	return t, nil
}

// counted is how many seeds there are of how many.
func counted(r sweep.Result) string {
	text := fmt.Sprint(len(r.Seeds))
	if r.Open > 0 {
		text += fmt.Sprintf(" (%d open)", r.Open)
	}
	if r.Failed > 0 {
		text += fmt.Sprintf(" (%d failed)", r.Failed)
	}
	return text
}

// trialCommand is the process of one run.
func trialCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:    "trial ID",
		Short:  "Do one run of a sweep, in this process",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			r, err := sweep.Folder{Dir: dir, ID: args[0]}.Work(ctx, lookup, os.Stdout)
			if err != nil {
				if ctx.Err() != nil {
					return stopped(err)
				}
				return failed(err)
			}
			fmt.Println(outcome(r))
			return nil
		},
	}
	c.Flags().StringVar(&dir, "dir", "runs", "folder of the runs")
	return listForm(c, &dir)
}

// digests are those of the data of a plan.
func digests(ctx context.Context, names []string) (map[string]string, error) {
	all := map[string]string{}
	for _, name := range names {
		d, err := lookup(ctx, name)
		if err == nil {
			all[name], err = d.Digest()
		}
		if err != nil {
			return nil, fmt.Errorf("sweep: %w", err)
		}
	}
	return all, nil
}

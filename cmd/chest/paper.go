package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/chestlab/chest/internal/durable"
	"github.com/chestlab/chest/kernel/notebook"
	"github.com/chestlab/chest/notebooks"
)

// paperFlags are the flags of chest paper.
type paperFlags struct {
	out    string
	source string
	params []string
	quick  bool
	dryRun bool
}

func paperCommand() *cobra.Command {
	var f paperFlags
	c := &cobra.Command{
		Use:   "paper [NOTEBOOK...]",
		Short: "Run all notebooks and sweeps; leave every table, figure and one report",
		Long: `Run the notebooks of the project in order, with the sweeps in them, and leave a
folder:

  index.html             one report of all of them, which opens without a network
  NAME/notebook.ipynb    the executed notebook, and notebook.html
  NAME/tables            tables as .tex, .md and .csv
  NAME/figures           figures as .pdf, .svg and .png
  runs                   a record of each training of the sweeps

NOTEBOOK is a name or its beginning, such as 11; without one all are run. The report
has all that were run so far, asked for now or not.

Only what is missing runs: a notebook runs again if its cells, its parameters, the
data or this program have changed, or if something that it made is gone, and a
training that has a record is not trained again. Ctrl-C stops; the same command
goes on. A notebook that needs data that are not there is left out, and the report
says so. Exit code: 0 all notebooks ran, 1 one failed, 130 Ctrl-C.

--quick shortens every training, to see that all works: its numbers mean nothing.`,
		Example: `  chest paper --quick
  chest paper -p data=omniglot -p seeds=5 -o paper-omniglot
  chest paper 11 12 --dry-run`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.out == "" {
				f.out = "paper"
				if f.quick {
					f.out = "paper-quick"
				}
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return f.run(ctx, args)
		},
	}
	p := c.Flags()
	p.StringVarP(&f.out, "output", "o", "", `the folder (default "paper", with --quick "paper-quick")`)
	p.StringVar(&f.source, "notebooks", "", "the folder of the notebooks (default: those in this program)")
	p.StringArrayVarP(&f.params, "param", "p", nil, "name=value for all notebooks that have such a parameter; repeatable")
	p.BoolVar(&f.quick, "quick", false, "train as little as each notebook allows")
	p.BoolVar(&f.dryRun, "dry-run", false, "say what would run, and why; run nothing")
	return c
}

// chapter is a notebook of the paper.
type chapter struct {
	name   string
	nb     *notebook.Notebook
	dir    string // of what it leaves
	params []string
	basis  basis
	why    string // it is to run; "" means it need not
	other  bool   // it was not asked for: it does not run, and the report has what there is of it
	absent string // the data that it needs are not there, and why
	stamp  stamp  // of its last run
	failed error  // of this run
}

// run does what is due, and writes the report.
func (f paperFlags) run(ctx context.Context, only []string) error {
	chapters, err := f.chapters(ctx, only)
	if err != nil {
		return failed(fmt.Errorf("paper: %w", err))
	}
	if f.dryRun {
		for _, c := range chapters {
			if !c.other {
				fmt.Println(c.plan())
			}
		}
		return nil
	}
	if err := os.MkdirAll(f.out, 0o777); err != nil {
		return failed(fmt.Errorf("paper: %w", err))
	}
	release, err := durable.Lock(filepath.Join(f.out, "lock"))
	if err != nil {
		return failed(fmt.Errorf("paper: %s: %w", f.out, err))
	}
	defer release()
	ran, err := f.runDue(ctx, chapters)
	if err != nil {
		return stopped(fmt.Errorf("paper: stopped; what is done is in %s, and the same command goes on: %w", f.out, err))
	}
	return f.finish(chapters, ran)
}

// runDue runs the chapters that are due; an error means that ctx has ended.
func (f paperFlags) runDue(ctx context.Context, chapters []*chapter) (ran int, err error) {
	due := 0
	for _, c := range chapters {
		if c.due() {
			due++
		}
	}
	p := newProgress(os.Stderr)
	p.count(due, "paper") // the running notebook has the terminal's line
	for _, c := range chapters {
		if !c.due() {
			if c.absent != "" && !c.other {
				p.Say("%s", c.plan())
			}
			continue
		}
		p.Set(ran, "")
		p.Say("%s\n%s", p.Text(), c.plan())
		ran++
		c.failed = f.one(ctx, c)
		if ctx.Err() != nil {
			return ran, ctx.Err()
		}
		if c.failed != nil {
			complain(fmt.Errorf("paper: %s: %w", c.name, c.failed))
		}
	}
	return ran, nil
}

// finish writes the report if it is not up to date, and says how it stands.
func (f paperFlags) finish(chapters []*chapter, ran int) error {
	index := filepath.Join(f.out, "index.html")
	if _, err := os.Stat(index); ran > 0 || err != nil {
		if err := f.report(index, chapters); err != nil {
			return failed(fmt.Errorf("paper: report: %w", err))
		}
	}
	bad, absent, asked := 0, 0, 0
	for _, c := range chapters {
		if c.other {
			continue
		}
		asked++
		switch {
		case c.failed != nil:
			bad++
		case c.absent != "":
			absent++
		}
	}
	status := fmt.Sprintf("%d notebooks ran, %d failed", ran, bad)
	if ran == 0 {
		status = fmt.Sprintf("nothing to do: %d notebooks are up to date", asked-absent)
	}
	if absent > 0 {
		status += fmt.Sprintf(", %d left out for want of data", absent)
	}
	fmt.Fprintf(os.Stderr, "%s; the report is %s\n", status, index)
	if bad > 0 {
		return exitError{exitFailed, fmt.Errorf("paper: %d notebooks failed; mend the cause and run the same command: it goes on", bad)}
	}
	return nil
}

// chapters reads the notebooks and finds what is due.
func (f paperFlags) chapters(ctx context.Context, only []string) ([]*chapter, error) {
	files := fs.FS(notebooks.Files)
	if f.source != "" {
		files = os.DirFS(f.source)
	}
	paths, err := fs.Glob(files, "*.ipynb")
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("there is no notebook in %s", f.source)
	}
	var names []string
	for _, p := range paths {
		names = append(names, strings.TrimSuffix(p, ".ipynb"))
	}
	wanted, err := choose(names, only)
	if err != nil {
		return nil, err
	}
	now, err := present()
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	var all []*chapter
	for _, name := range names {
		c, err := f.chapter(ctx, files, name, now, used)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		c.other = !slices.Contains(wanted, name)
		all = append(all, c)
	}
	for _, p := range f.params {
		if name, _, _ := strings.Cut(p, "="); !used[name] {
			return nil, fmt.Errorf("-p %s: no notebook has such a parameter", p)
		}
	}
	return all, nil
}

// choose takes the names that begin as one of only does.
func choose(names, only []string) (chosen []string, err error) {
	for _, o := range only {
		o = strings.TrimSuffix(filepath.Base(o), ".ipynb")
		if !slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, o) }) {
			return nil, fmt.Errorf("there is no notebook %q; there are %s", o, strings.Join(names, ", "))
		}
	}
	for _, n := range names {
		if len(only) == 0 || slices.ContainsFunc(only, func(o string) bool {
			return strings.HasPrefix(n, strings.TrimSuffix(filepath.Base(o), ".ipynb"))
		}) {
			chosen = append(chosen, n)
		}
	}
	return chosen, nil
}

// chapter reads one notebook. used collects the parameters that have one.
func (f paperFlags) chapter(ctx context.Context, files fs.FS, name string, now basis, used map[string]bool) (*chapter, error) {
	text, err := fs.ReadFile(files, name+".ipynb")
	if err != nil {
		return nil, err
	}
	nb, err := notebook.Parse(text)
	if err != nil {
		return nil, err
	}
	about, err := aboutNotebook(nb)
	if err != nil {
		return nil, err
	}
	c := &chapter{name: name, nb: nb, dir: filepath.Join(f.out, name), basis: now}
	if f.quick {
		c.params = about.Quick
	}
	declared := nb.Parameters()
	for _, p := range f.params {
		n, _, ok := strings.Cut(p, "=")
		if !ok {
			return nil, fmt.Errorf("-p %q: want name=value", p)
		}
		if slices.Contains(declared, n) {
			used[n] = true
			c.params = append(slices.Clip(c.params), p)
		}
	}
	for _, data := range about.Needs {
		if _, err := lookup(ctx, data); err != nil {
			c.absent = err.Error()
		}
	}
	c.basis.Cells, c.basis.Params = cellsHash(nb), c.params
	c.stamp, c.why = c.look(f.out)
	return c, nil
}

// path is that of a file of the chapter.
func (c *chapter) path(file string) string { return filepath.Join(c.dir, file) }

func (c *chapter) due() bool { return c.why != "" && c.absent == "" && !c.other }

// there says that the notebook was run to its end, now or before.
func (c *chapter) there() bool {
	_, err := os.Stat(c.path(stampFile))
	return err == nil && c.failed == nil && c.absent == ""
}

// plan says what will be done with the chapter, and why.
func (c *chapter) plan() string {
	switch {
	case c.absent != "":
		return c.name + " is left out: " + c.absent
	case c.why == "":
		return c.name + " is up to date"
	}
	return c.name + " runs: " + c.why
}

// one runs a chapter and leaves what it made, with its stamp last.
func (f paperFlags) one(ctx context.Context, c *chapter) error {
	out, err := filepath.Abs(c.dir)
	if err != nil {
		return err
	}
	runs, err := filepath.Abs(filepath.Join(f.out, "runs"))
	if err != nil {
		return err
	}
	if err := os.RemoveAll(c.path(stampFile)); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o777); err != nil {
		return err
	}
	params := slices.Clone(c.params)
	for _, p := range []struct{ name, value string }{{"dir", runs}, {"out", out}} {
		if slices.Contains(c.nb.Parameters(), p.name) {
			params = append(params, p.name+"="+p.value)
		}
	}
	if err := c.nb.SetParameters(params); err != nil {
		return err
	}
	begun := time.Now()
	err = notebook.Run(ctx, c.nb, notebook.RunOptions{Dir: out, Progress: os.Stderr})
	for _, e := range writeResults(c.nb, "notebook.ipynb", runFlags{out: filepath.Join(out, "notebook.ipynb"), html: filepath.Join(out, "notebook.html")}) {
		err = errors.Join(err, e)
	}
	if err != nil {
		return err
	}
	if c.stamp, err = c.made(f.out, begun); err != nil {
		return err
	}
	return c.stamp.write(c.dir)
}

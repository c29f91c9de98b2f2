package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/metric"
	"github.com/chestlab/chest/chestlib/sweep"
	"github.com/chestlab/chest/datasets"
	"github.com/chestlab/chest/viz"
)

// studyFlags are the flags of chest study.
type studyFlags struct {
	data   string
	dir    string
	only   []string
	form   string
	seeds  int
	epochs int
	jobs   int
}

func studyCommand() *cobra.Command {
	var f studyFlags
	c := &cobra.Command{
		Use:   "study losses|choices",
		Short: "Compare losses, or the open choices of CHEST, on classes never seen",
		Long: `Compare settings: of each row's variants the one with the best MAP@R on held-out
training classes is chosen; that is trained on all training classes, once for
each seed, and measured on the test classes. The table gives mean ± std over the
seeds.

losses compares CHEST with the losses of the field. choices compares the
alternatives that the CHEST paper leaves open, to choose defaults by, and never
looks at the test classes: its rows are measured on held-out training classes.
Each training is a file in --dir and does not run
twice: a study that was stopped goes on, and more seeds run what is missing.`,
		Example: `  chest study losses --seeds 3
  CHEST_DATA=~/data chest study losses --data omniglot --only chest,proxy-anchor
  chest study choices --form markdown > choices.md`,
		ValidArgs: []string{"losses", "choices"},
		Args:      cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(cmd.ValidArgs, args[0]) {
				return fmt.Errorf("study: there is no study %q; there are %s", args[0], strings.Join(cmd.ValidArgs, ", "))
			}
			if f.seeds < 1 || f.epochs < 1 || f.jobs < 1 {
				return fmt.Errorf("study: --seeds %d, --epochs %d, --jobs %d: want at least 1 of each", f.seeds, f.epochs, f.jobs)
			}
			if _, ok := tableForms[f.form]; !ok {
				return fmt.Errorf("study: --form %q; want text, markdown, latex or html", f.form)
			}
			return f.run(cmd.Context(), args[0])
		},
	}
	p := c.Flags()
	p.StringVar(&f.data, "data", "blazons", "blazons (built in) or omniglot (small1 → small2, from CHEST_DATA)")
	p.StringVar(&f.dir, "dir", "study", "folder of the records")
	p.StringSliceVar(&f.only, "only", nil, "rows to run, by name (default: all)")
	p.StringVar(&f.form, "form", "text", "of the table: text, markdown, latex or html")
	p.IntVar(&f.seeds, "seeds", 5, "trainings of what was chosen")
	p.IntVar(&f.epochs, "epochs", 12, "epochs of each training")
	p.IntVar(&f.jobs, "jobs", runtime.NumCPU(), "trainings at a time")
	p.Lookup("jobs").DefValue = "processors" // the help texts do not depend on the machine
	return c
}

// tableForms are how a table can be written.
var tableForms = map[string]func(*viz.Table) string{
	"text": (*viz.Table).Text, "markdown": (*viz.Table).Markdown, "latex": (*viz.Table).LaTeX, "html": (*viz.Table).HTML,
}

// run runs a study and prints its tables.
func (f studyFlags) run(ctx context.Context, what string) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	rows, err := f.rows(what)
	if err != nil {
		return err
	}
	split, err := f.split()
	if err != nil {
		return failed(err)
	}
	fit, held := split.Train.HoldOut(0.25, 1)
	p := newProgress(os.Stderr)
	s := sweep.Study{
		Choose: sweep.Data{Name: f.data + ", a quarter of the training classes held out", Train: fit, Test: held},
		Final:  sweep.Data{Name: f.data, Train: split.Train, Test: split.Test},
		Seeds:  f.seeds, Dir: f.dir, Jobs: f.jobs, Report: studyReporter(p),
	}
	measured := "unseen classes"
	if what == "choices" {
		s.Final, measured = s.Choose, "held-out training classes"
	}
	p.Start(0, "study "+what)
	p.Set(0, "")
	lines, err := s.Run(ctx, rows)
	p.Finish("")
	if err != nil {
		return stopped(fmt.Errorf("study: %w; what is done is in %s", err, f.dir))
	}
	fmt.Println(tableForms[f.form](f.table(what+" on "+f.data+", "+measured, rows, lines)))
	return nil
}

// rows are those of a study that --only leaves.
func (f studyFlags) rows(what string) (rows []sweep.Row, err error) {
	all := map[string]func(epochs int) []sweep.Row{"losses": sweep.Losses, "choices": sweep.Choices}[what](f.epochs)
	if len(f.only) == 0 {
		return all, nil
	}
	var names []string
	for _, r := range all {
		names = append(names, r.Name)
		if slices.Contains(f.only, r.Name) {
			rows = append(rows, r)
		}
	}
	for _, name := range f.only {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("study: --only %q; there are %s", name, strings.Join(names, ", "))
		}
	}
	return rows, nil
}

// split is the data of --data.
func (f studyFlags) split() (*datasets.Split, error) {
	switch f.data {
	case "blazons":
		return datasets.Blazons(datasets.BlazonsOptions{})
	case "omniglot":
		return datasets.Omniglot("", datasets.OmniglotOptions{})
	}
	return nil, fmt.Errorf("study: --data %q; want blazons or omniglot", f.data)
}

// studyReporter writes a line for each training that ended, and how far the study
// is.
func studyReporter(p *progress) func(done, total int, what string, r sweep.Record, cached bool) {
	return func(done, total int, what string, r sweep.Record, cached bool) {
		p.Of(total)
		p.Set(done, "")
		if cached {
			p.Had(1)
			return
		}
		p.Say("%3d/%d  %s: %s, %.0f s", done, total, what, outcome(r), r.Seconds)
	}
}

// outcome is Recall@1 of the spaces that were trained, or why there is none.
func outcome(r sweep.Record) string {
	if r.Failed != "" {
		return "failed: " + r.Failed
	}
	text := "R@1"
	if r.Uses != loss.OnlyH {
		text += fmt.Sprintf(" E %.1f", 100*r.E.At(1))
	}
	if r.Uses != loss.OnlyE {
		text += fmt.Sprintf(" H %.1f, clipped %.0f %%", 100*r.H.At(1), 100*r.Clipped)
	}
	return text
}

// table is what was found, a line for each trained space of a row.
func (f studyFlags) table(title string, rows []sweep.Row, lines []sweep.Line) *viz.Table {
	t := viz.NewTable(fmt.Sprintf("%s, %d seeds, %d epochs", title, f.seeds, f.epochs),
		"row", "space", "R@1", "R@8", "MAP@R", "R-Precision", "clipped", "seconds", "chosen").
		Percent("R@1", "R@8", "MAP@R", "R-Precision", "clipped").Best("R@1", "R@8", "MAP@R", "R-Precision").Decimals(1, "seconds")
	for i, l := range lines {
		uses := l.Seeds[0].Uses
		if uses != loss.OnlyH {
			f.line(t, rows[i], l, "E", func(r sweep.Record) metric.Result { return r.E })
		}
		if uses != loss.OnlyE {
			f.line(t, rows[i], l, "H", func(r sweep.Record) metric.Result { return r.H })
		}
	}
	return t
}

// line adds one space of a row.
func (f studyFlags) line(t *viz.Table, row sweep.Row, l sweep.Line, space string, of func(sweep.Record) metric.Result) {
	stat := func(v func(sweep.Record) float64) viz.Stat {
		var all []float64
		for _, r := range l.Seeds {
			if r.Failed == "" {
				all = append(all, v(r))
			}
		}
		return viz.MeanStd(all...)
	}
	var clipped any
	if space == "H" {
		clipped = stat(func(r sweep.Record) float64 { return r.Clipped })
	}
	t.Row(l.Name, space,
		stat(func(r sweep.Record) float64 { return of(r).At(1) }), stat(func(r sweep.Record) float64 { return of(r).At(8) }),
		stat(func(r sweep.Record) float64 { return of(r).MAPR }), stat(func(r sweep.Record) float64 { return of(r).RPrecision }),
		clipped, stat(func(r sweep.Record) float64 { return r.Seconds }), chosen(row, l))
}

// chosen says in what the chosen variant differs from the others.
func chosen(row sweep.Row, l sweep.Line) string {
	if len(row.Variants) == 1 {
		return ""
	}
	return row.Variants[l.Variant].Note
}

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/sweep"
	"github.com/chestlab/chest/internal/durable"
	"github.com/chestlab/chest/viz"
)

func runsCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "runs",
		Short: "List, show, compare, export and remove the runs of sweeps and studies",
		Long: `Look at the runs in a folder: each is a folder of its own with what was asked
for (config.json), what was found (record.json) and what was said (log.txt).
Runs are named by hashes; any beginning that only one of them has will do.`,
	}
	c.PersistentFlags().StringVar(&dir, "dir", "runs", "folder of the runs")
	c.PersistentPreRunE = func(c *cobra.Command, _ []string) error {
		if st, err := os.Stat(dir); !c.HasSubCommands() && (err != nil || !st.IsDir()) {
			return failed(fmt.Errorf("runs: there is no folder %s; name that of the runs with --dir, or make runs by chest sweep", dir))
		}
		return nil
	}
	c.AddCommand(runsList(&dir), runsShow(&dir), runsCompare(&dir), runsRemove(&dir), runsExport(&dir))
	return c
}

func runsList(dir *string) *cobra.Command {
	var failedOnly bool
	c := &cobra.Command{
		Use:        "list",
		SuggestFor: []string{"ls"},
		Short:      "One line for each run: state, scores, and what its config says",
		Args:       cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			all, err := sweep.Entries(*dir)
			if err != nil {
				return failed(err)
			}
			if failedOnly {
				all = slices.DeleteFunc(all, func(e sweep.Entry) bool { return e.State == sweep.Done })
			}
			paths := sweep.Paths(all, true)
			for _, e := range all {
				fmt.Printf("%s  %-10s  %s\n", e.ID, e.State, join("; ", summary(e), settings(e, paths)))
			}
			fmt.Printf("%d runs in %s\n", len(all), *dir)
			return nil
		},
	}
	c.Flags().BoolVar(&failedOnly, "not-done", false, "only runs without a result")
	return c
}

// summary is what a run found, in a few words.
func summary(e sweep.Entry) string {
	if e.Damage != "" {
		return e.Damage
	}
	if e.Record.ID == "" {
		return fmt.Sprintf("begun %d times", e.Attempts)
	}
	return outcome(e.Record)
}

// settings are the fields of a run by which runs differ.
func settings(e sweep.Entry, paths []string) string {
	var all []string
	for _, p := range paths {
		if v := e.Fields[p]; v != "" {
			all = append(all, p+" "+v)
		}
	}
	return strings.Join(all, ", ")
}

// join puts the parts that are there in a row.
func join(sep string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), sep)
}

// named finds the run whose name begins so.
func named(dir, prefix string) (sweep.Folder, error) {
	if prefix == "" {
		return sweep.Folder{}, fmt.Errorf("runs: an empty name; see chest runs list")
	}
	all, err := sweep.Folders(dir)
	if err != nil {
		return sweep.Folder{}, err
	}
	var found []sweep.Folder
	for _, f := range all {
		if strings.HasPrefix(f.ID, prefix) {
			found = append(found, f)
		}
	}
	switch {
	case len(found) == 0:
		return sweep.Folder{}, fmt.Errorf("runs: no run in %s begins with %q; see chest runs list", dir, prefix)
	case len(found) > 1:
		return sweep.Folder{}, fmt.Errorf("runs: %d runs in %s begin with %q; give more of the name", len(found), dir, prefix)
	}
	return found[0], nil
}

func runsShow(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "show RUN",
		Short: "All of one run: its files as JSON and the end of its log",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			f, err := named(*dir, args[0])
			if err != nil {
				return failed(err)
			}
			state, err := f.State()
			if err != nil {
				return failed(err)
			}
			fmt.Printf("%s: %s, begun %d times %s\n", f.ID, state, f.Attempts(), f.Error())
			for _, name := range []string{"config.json", "record.json"} {
				if text, err := os.ReadFile(filepath.Join(f.Dir, f.ID, name)); err == nil {
					fmt.Printf("\n%s\n%s", name, text)
				}
			}
			fmt.Printf("\nlog.txt\n%s\n", strings.Join(f.Log(20), "\n"))
			return nil
		},
	}
}

func runsCompare(dir *string) *cobra.Command {
	var form string
	c := &cobra.Command{
		Use:   "compare RUN RUN…",
		Short: "A table of some runs: the settings in which they differ and what they found",
		Args:  cobra.MinimumNArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			if _, ok := tableForms[form]; !ok {
				return fmt.Errorf("runs: --form %q; want text, markdown, latex or html", form)
			}
			all, err := sweep.Entries(*dir)
			if err != nil {
				return failed(err)
			}
			var some []sweep.Entry
			for _, prefix := range args {
				f, err := named(*dir, prefix)
				if err != nil {
					return failed(err)
				}
				some = append(some, all[slices.IndexFunc(all, func(e sweep.Entry) bool { return e.ID == f.ID })])
			}
			fmt.Println(tableForms[form](compared(some)))
			return nil
		},
	}
	c.Flags().StringVar(&form, "form", "text", "text, markdown, latex or html")
	return c
}

// compared is a table with a line for each run.
func compared(some []sweep.Entry) *viz.Table {
	paths := sweep.Paths(some, true)
	t := viz.NewTable("", append(append([]string{"run"}, paths...), "state", "R@1 E", "MAP@R E", "R@1 H", "MAP@R H", "seconds")...).
		Percent("R@1 E", "MAP@R E", "R@1 H", "MAP@R H").Decimals(1, "seconds")
	for _, e := range some {
		row := []any{e.ID[:min(8, len(e.ID))]}
		for _, p := range paths {
			row = append(row, e.Fields[p])
		}
		row = append(row, e.State.String())
		r := e.Record
		scores := []any{nil, nil, nil, nil}
		if done := r.ID != "" && r.Failed == ""; done && r.Uses != loss.OnlyH {
			scores[0], scores[1] = r.E.At(1), r.E.MAPR
		}
		if done := r.ID != "" && r.Failed == ""; done && r.Uses != loss.OnlyE {
			scores[2], scores[3] = r.H.At(1), r.H.MAPR
		}
		t.Row(append(append(row, scores...), r.Seconds)...)
	}
	return t
}

func runsRemove(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:        "rm RUN…",
		SuggestFor: []string{"remove", "delete"},
		Short:      "Remove runs; a sweep that has them makes them again",
		Args:       cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			for _, prefix := range args {
				f, err := named(*dir, prefix)
				if err != nil {
					return failed(err)
				}
				if s, err := f.State(); err == nil && s == sweep.Running {
					return failed(fmt.Errorf("runs: %s is running; stop its sweep first", f.ID))
				}
				if err := os.RemoveAll(filepath.Join(f.Dir, f.ID)); err != nil {
					return failed(fmt.Errorf("runs: %w", err))
				}
				fmt.Println("removed", f.ID)
			}
			return nil
		},
	}
}

func runsExport(dir *string) *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "export",
		Short: "Write all runs to a file: .csv, .jsonl, .parquet, or .sqlite for questions in SQL",
		Example: `  chest runs export -o runs.csv
  chest runs export -o runs.sqlite && sqlite3 runs.sqlite 'SELECT "Model.DH", avg(map_r_h) FROM runs GROUP BY 1'`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			all, err := sweep.Entries(*dir)
			if err != nil {
				return failed(err)
			}
			if err := exported(out, all); err != nil {
				return failed(err)
			}
			fmt.Printf("%d runs written to %s\n", len(all), out)
			return nil
		},
	}
	c.Flags().StringVarP(&out, "output", "o", "runs.csv", "file; its ending says the form")
	return c
}

// exported writes runs in the form of the file's ending.
func exported(path string, all []sweep.Entry) error {
	var b bytes.Buffer
	var err error
	switch ext := filepath.Ext(path); ext {
	case ".csv":
		err = sweep.WriteCSV(&b, all)
	case ".jsonl":
		err = sweep.WriteJSONL(&b, all)
	case ".parquet":
		err = sweep.WriteParquet(&b, all)
	case ".sqlite", ".db":
		return sweep.WriteIndex(path, all)
	default:
		return fmt.Errorf("runs: %s: want a name that ends in .csv, .jsonl, .parquet or .sqlite", path)
	}
	if err == nil {
		err = durable.Write(path, func(w io.Writer) error { _, err := w.Write(b.Bytes()); return err })
	}
	if err != nil {
		return fmt.Errorf("runs: %s: %w", path, err)
	}
	return nil
}

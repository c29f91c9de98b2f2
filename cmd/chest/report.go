package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/chestlab/chest/chestlib/sweep"
	"github.com/chestlab/chest/viz"
)

// reportFlags are the flags of chest report.
type reportFlags struct {
	template string
	out      string
	title    string
}

func reportCommand() *cobra.Command {
	var f reportFlags
	c := &cobra.Command{
		Use:   "report RECORDS...",
		Short: "Make tables and figures for a paper of the records of sweeps and studies",
		Long: `Make a folder for a paper's repository of the records that chest sweep and
chest study keep: for each data set a table of mean ± std over seeds, a row for
each setting, as LaTeX (booktabs), Markdown and CSV, and a figure of Recall@K of
the best rows, as PDF, SVG and PNG; config.json with the settings and seeds of each
row; main.tex and README.md, which show them all.

RECORDS are folders, searched to the bottom, or files. Records that differ only in
seeds are one row, named by its loss and by what sets it apart from the others.`,
		Example: `  chest study losses --seeds 5 --dir study
  chest report study runs --template paper -o paper`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if f.template != "paper" {
				return fmt.Errorf("report: --template %q; there is paper", f.template)
			}
			return failed(f.report(args))
		},
	}
	c.Flags().StringVar(&f.template, "template", "paper", "what to make: paper")
	c.Flags().StringVarP(&f.out, "output", "o", "paper", "the folder to write into")
	c.Flags().StringVar(&f.title, "title", "Results", "the heading of main.tex and README.md")
	return c
}

// report reads the records and writes the folder.
func (f reportFlags) report(places []string) error {
	all, err := readRecords(places)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	r := viz.NewReport(f.out).Title(f.title)
	var configs []tableConfig
	var seeds []uint64
	names := map[string]bool{}
	for _, g := range byData(all) {
		name := tableFile(g.data, names)
		if err := r.Table(name, g.table()); err != nil {
			return err
		}
		if curve := g.figure(); curve != nil {
			if err := r.Figure(name+"-recall", curve); err != nil {
				return err
			}
		}
		c := tableConfig{Table: name, Data: g.data, TestLabels: g.labels}
		for _, row := range g.rows {
			c.Rows = append(c.Rows, row.config())
			seeds = append(seeds, row.seeds...)
		}
		configs = append(configs, c)
	}
	slices.Sort(seeds)
	if err := r.Config(configs, slices.Compact(seeds)...); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d records; %s\n", len(all), r)
	return nil
}

// storedRecord is a record and its file.
type storedRecord struct {
	sweep.Record
	path string
}

// readRecords reads all records of folders and files, one of each name: the name is
// a hash of what decides the numbers.
func readRecords(places []string) (all []storedRecord, err error) {
	seen := map[string]bool{}
	others := 0
	for _, place := range places {
		err := filepath.WalkDir(place, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() || filepath.Ext(path) != ".json" || filepath.Base(path) == "config.json":
				return nil
			}
			r, err := readRecord(path)
			if err != nil {
				complain(fmt.Errorf("report: left out: %w", err))
				others++
				return nil
			}
			name := cmp.Or(r.ID, filepath.Base(path))
			if seen[name] {
				return nil
			}
			seen[name] = true
			all = append(all, storedRecord{r, path})
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("%w; name folders or files of records, such as that of chest study --dir", err)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no record in %s (%d other .json files); chest study writes records to --dir", strings.Join(places, ", "), others)
	}
	return all, nil
}

// readRecord reads one file.
func readRecord(path string) (r sweep.Record, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("%s: %w", path, err)
	}
	if r.Data == "" || len(r.Config) == 0 {
		return r, fmt.Errorf("%s: %w", path, errors.New("not a record: it has no Data and Config"))
	}
	if err := r.Check(); err != nil {
		return r, fmt.Errorf("%s: not a record: %w", path, err)
	}
	return r, nil
}

// tableConfig is what config.json says of a table.
type tableConfig struct {
	Table      string      `json:"table"`
	Data       string      `json:"data"`
	TestLabels string      `json:"test_labels"`
	Rows       []rowConfig `json:"rows"`
}

// rowConfig is what config.json says of a row.
type rowConfig struct {
	Name    string   `json:"name"`
	Seeds   []uint64 `json:"seeds"`
	Failed  []string `json:"failed,omitempty"`
	Records []string `json:"records"`
	Config  any      `json:"config"` // without seeds
}

// notInName is what a table's file name does without.
var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// tableFile is a file name for the table of a data set that no other has.
func tableFile(data string, taken map[string]bool) string {
	base := strings.Trim(notInName.ReplaceAllString(strings.ToLower(data), "-"), "-")
	base = strings.TrimRight(base[:min(len(base), 50)], "-")
	if base == "" {
		base = "results"
	}
	name := base
	for i := 2; taken[name]; i++ {
		name = fmt.Sprintf("%s-%d", base, i)
	}
	taken[name] = true
	return name
}

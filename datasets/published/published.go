// Package published has the numbers that others have published for the benchmarks,
// as data: each with the source that it was read from. Tables put them beside
// measured ones by viz.Table.Published.
//
//	for _, r := range published.Rows("CUB-200-2011", "R@1", "R@2") {
//		t.Published(r.Source, r.Method, r.Backbone, r.Value("R@1"), r.Value("R@2"))
//	}
//
// The sources are tables and READMEs of papers' repositories, quoted as they stand:
// their protocols differ, some quote others, and the authors' notes are part of the
// source. Nothing here is measured by chest, and no number is the CHEST paper's.
package published

import (
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed results.csv
var file string

// Row is what one source says of a method on a data set.
type Row struct {
	Method, Backbone string
	Dim              int // of the embedding; 0: the source does not say
	Dataset          string
	Numbers          []Number // in the order of the file
	Source           string
}

// Number is one published number.
type Number struct {
	Metric string
	Value  float64 // as printed: shares in percent
}

// Value is the number of a metric, a float64, or nil if the source has none: what a
// cell of a table takes.
func (r Row) Value(metric string) any {
	for _, n := range r.Numbers {
		if n.Metric == metric {
			return n.Value
		}
	}
	return nil
}

// Size is Dim, or nil if the source does not say: what a cell of a table takes.
func (r Row) Size() any {
	if r.Dim == 0 {
		return nil
	}
	return r.Dim
}

var all = sync.OnceValue(func() []Row {
	rows, err := read(strings.NewReader(file))
	if err != nil {
		panic(err) // a test reads it, too
	}
	return rows
})

// Datasets are the names of all data sets, in the order of the file: CUB-200-2011,
// Cars196, SOP and In-Shop for retrieval, and small tables for clustering.
func Datasets() (names []string) {
	for _, r := range all() {
		if !slices.Contains(names, r.Dataset) {
			names = append(names, r.Dataset)
		}
	}
	return names
}

// Rows are the published rows of a data set that have a number for one of the
// metrics, and of these numbers only; without metrics, all rows and numbers. It
// panics if there is no such data set.
func Rows(dataset string, metrics ...string) (rows []Row) {
	if names := Datasets(); !slices.Contains(names, dataset) {
		panic(fmt.Sprintf("published: there is no data set %q; want one of %q", dataset, names))
	}
	for _, r := range all() {
		if r.Dataset != dataset {
			continue
		}
		numbers := r.Numbers
		r.Numbers = nil
		for _, n := range numbers {
			if len(metrics) == 0 || slices.Contains(metrics, n.Metric) {
				r.Numbers = append(r.Numbers, n)
			}
		}
		if len(r.Numbers) > 0 {
			rows = append(rows, r)
		}
	}
	return rows
}

// columns are those of the file.
var columns = []string{"method", "backbone", "dim", "dataset", "metric", "value", "source"}

// read gathers the lines of a file of numbers to rows. A line that does not fit is
// an error that names it and the value.
func read(r io.Reader) (rows []Row, err error) {
	c := csv.NewReader(r)
	c.FieldsPerRecord = len(columns)
	head, err := c.Read()
	if err != nil {
		return nil, fmt.Errorf("published: %w", err)
	}
	if !slices.Equal(head, columns) {
		return nil, fmt.Errorf("published: line 1: columns %q; want %q", head, columns)
	}
	for {
		f, err := c.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, fmt.Errorf("published: %w", err) // has the line
		}
		line, _ := c.FieldPos(0)
		if rows, err = add(rows, f); err != nil {
			return nil, fmt.Errorf("published: line %d: %w", line, err)
		}
	}
}

// add adds the number of a line to its row, which it makes if there is none.
func add(rows []Row, f []string) ([]Row, error) {
	for i, name := range columns {
		if f[i] == "" && name != "dim" {
			return nil, fmt.Errorf("no %s", name)
		}
	}
	row := Row{Method: f[0], Backbone: f[1], Dataset: f[3], Source: f[6]}
	if f[2] != "" {
		d, err := strconv.Atoi(f[2])
		if err != nil || d < 1 {
			return nil, fmt.Errorf("dim %q; want a whole number above 0, or nothing if it is not known", f[2])
		}
		row.Dim = d
	}
	v, err := strconv.ParseFloat(f[5], 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return nil, fmt.Errorf("value %q; want a number", f[5])
	}
	at := slices.IndexFunc(rows, func(r Row) bool {
		return r.Method == row.Method && r.Backbone == row.Backbone && r.Dim == row.Dim && r.Dataset == row.Dataset && r.Source == row.Source
	})
	if at < 0 {
		rows, at = append(rows, row), len(rows)
	}
	if rows[at].Value(f[4]) != nil {
		return nil, fmt.Errorf("%s of %s on %s is there twice in one source", f[4], f[0], f[3])
	}
	rows[at].Numbers = append(rows[at].Numbers, Number{Metric: f[4], Value: v})
	return rows, nil
}

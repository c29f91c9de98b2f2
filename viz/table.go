package viz

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"

	"github.com/chestlab/chest/kernel/display"
)

// Stat is a number measured several times.
type Stat struct {
	Mean float64
	Std  float64 // of the sample, with n-1; 0 where N < 2
	N    int     // 0 means not measured
}

// MeanStd is mean and sample standard deviation of values, such as one metric
// over several seeds.
//
//	Std² = Σ (vᵢ - mean)² / (n-1)
func MeanStd(values ...float64) Stat {
	s := Stat{N: len(values)}
	if s.N == 0 {
		return s
	}
	for _, v := range values {
		s.Mean += v / float64(s.N)
	}
	for _, v := range values {
		s.Std += (v - s.Mean) * (v - s.Mean)
	}
	s.Std = math.Sqrt(s.Std / max(float64(s.N-1), 1))
	return s
}

// String is mean ± standard deviation with three decimals and the number of
// values, or a dash when there are none.
func (s Stat) String() string {
	switch s.N {
	case 0:
		return "–"
	case 1:
		return fmt.Sprintf("%.3f", s.Mean)
	}
	return fmt.Sprintf("%.3f ± %.3f (%d)", s.Mean, s.Std, s.N)
}

// Table is a table of results that shows itself as HTML, Markdown, LaTeX
// (booktabs), CSV and text.
//
//	viz.NewTable("Blazons, unseen classes", "method", "R@1", "MAP@R").
//		Percent().Best().
//		Published("Qian et al., 2019", "Soft triple", nil, 0.43).
//		Row("CHEST", viz.MeanStd(b...), 0.44)
//
// Under the table stand what ± means and the number of values, the sources of
// published rows, and where a number was not finite.
type Table struct {
	title   string
	label   string
	columns []column
	rows    []tableRow
}

// column is how the numbers of a column are written.
type column struct {
	name     string
	decimals int
	percent  bool
	best     int // 1 the largest is bold, -1 the smallest, 0 none
}

// tableRow is a line of cells; source says where a published one was read.
type tableRow struct {
	cells  []cell
	source string
}

// cell is a text or a number.
type cell struct {
	text    string
	stat    Stat // N 0: a text, or nothing
	integer bool // text is how stat.Mean is written
	missing bool // there is nothing: a dash beside numbers
	wrong   bool // stat is not finite; written as a dash, and reported
}

// NewTable returns a table without rows. The title stands above it; "" means
// none.
func NewTable(title string, columns ...string) *Table {
	t := &Table{title: title}
	for _, name := range columns {
		t.columns = append(t.columns, column{name: name, decimals: 1})
	}
	return t
}

// Sheet is a table of another package, such as sweep.Results: a title, the names
// of its columns, and the cells of each row. A cell is what Row takes, or a
// []float64: one number measured several times.
type Sheet interface {
	Sheet() (title string, columns []string, rows [][]any)
}

// TableOf is s as a table, with mean ± standard deviation of what was measured
// several times. Other numbers are written with all their digits.
//
//	results, err := plan.Run(ctx, "runs", data) // of a sweep
//	fmt.Println(viz.TableOf(results).Best("MAP@R E").LaTeX())
func TableOf(s Sheet) *Table {
	title, columns, rows := s.Sheet()
	t := NewTable(title, columns...)
	for _, cells := range rows {
		row := make([]any, len(cells))
		for i, c := range cells {
			row[i] = c
			switch c := c.(type) {
			case []float64:
				row[i] = MeanStd(c...)
			case float64, float32: // a setting: all its digits
				row[i] = fmt.Sprint(c)
			}
		}
		t.Row(row...)
	}
	return t
}

// Row adds a row and returns the table. A cell is a text, an integer, a float,
// a Stat, or nil for nothing; any other value is written as fmt prints it. What
// is missing in a column of numbers is written as a dash: nil, cells at the end
// that are not given, and a Stat of no values. So is a number that is not finite;
// a line under the table says where. Row panics when there are too many cells.
func (t *Table) Row(cells ...any) *Table {
	if len(cells) > len(t.columns) {
		panic(fmt.Sprintf("viz: table: %d cells for %d columns", len(cells), len(t.columns)))
	}
	r := tableRow{cells: make([]cell, len(t.columns))}
	for i := range r.cells {
		r.cells[i].missing = true
		if i < len(cells) {
			r.cells[i] = cellFor(cells[i])
		}
	}
	t.rows = append(t.rows, r)
	return t
}

// Published is Row for numbers that others have published. The source, such as
// "Kim et al., CVPR 2020", stands under the table, and a letter at the row's
// first cell points to it. A source of the form \cite{key} is a citation in LaTeX.
// Published rows take part in Best.
func (t *Table) Published(source string, cells ...any) *Table {
	t.Row(cells...)
	t.rows[len(t.rows)-1].source = oneLine(source)
	return t
}

// Percent writes the floats and Stats of the named columns, of all if none is
// named, times 100 with one decimal: 0.8614 is 86.1.
func (t *Table) Percent(columns ...string) *Table {
	return t.set("Percent", columns, func(c *column) { c.percent, c.decimals = true, 1 })
}

// Decimals sets the digits after the point, of all columns if none is named;
// the default is 1.
func (t *Table) Decimals(n int, columns ...string) *Table {
	if n < 0 || n > 12 {
		panic(fmt.Sprintf("viz: table: %d decimals, want 0 to 12", n))
	}
	return t.set("Decimals", columns, func(c *column) { c.decimals = n })
}

// Best makes the largest number of the named columns, of all if none is named,
// bold. One within a standard deviation of it (the larger of the two) is bold
// too, as is one that is written the same. The next one is underlined, and with
// it those that tie with it in the same way.
func (t *Table) Best(columns ...string) *Table {
	return t.set("Best", columns, func(c *column) { c.best = 1 })
}

// Least is Best for columns in which small is good, such as a loss.
func (t *Table) Least(columns ...string) *Table {
	return t.set("Least", columns, func(c *column) { c.best = -1 })
}

// Label sets the LaTeX label: "tab:blazons". A character that a label cannot
// have becomes a hyphen.
func (t *Table) Label(label string) *Table {
	t.label = notInLabel.ReplaceAllString(label, "-")
	return t
}

var notInLabel = regexp.MustCompile(`[^A-Za-z0-9:._/+-]+`)

// set changes the named columns, or all.
func (t *Table) set(what string, names []string, change func(*column)) *Table {
	for _, name := range names {
		if !slices.ContainsFunc(t.columns, func(c column) bool { return c.name == name }) {
			panic(fmt.Sprintf("viz: table: %s: no column %q", what, name))
		}
	}
	for i := range t.columns {
		if len(names) == 0 || slices.Contains(names, t.columns[i].name) {
			change(&t.columns[i])
		}
	}
	return t
}

// MIMEBundle is the table in all its forms.
func (t *Table) MIMEBundle() map[string]any {
	return display.Bundle{
		display.MIMEHTML:     t.HTML(),
		display.MIMEMarkdown: t.Markdown(),
		display.MIMELatex:    t.LaTeX(),
		mimeCSV:              t.CSV(),
		display.MIMEText:     t.Text(),
	}
}

const mimeCSV = "text/csv"

// String is the table as text.
func (t *Table) String() string { return t.Text() }

// cellFor sorts a value into text and number.
func cellFor(v any) cell {
	switch v := v.(type) {
	case nil:
		return cell{missing: true}
	case string:
		return cell{text: v}
	case Stat:
		switch {
		case v.N <= 0:
			return cell{text: dash, missing: true}
		case !finite(v.Mean) || !finite(v.Std):
			return cell{text: strconv.FormatFloat(v.Mean, 'g', -1, 64), wrong: true}
		}
		return cell{stat: v}
	case float64:
		return number64(v)
	case float32:
		return number64(float64(v))
	}
	switch r := reflect.ValueOf(v); {
	case r.CanInt():
		return cell{stat: Stat{Mean: float64(r.Int()), N: 1}, text: fmt.Sprint(v), integer: true}
	case r.CanUint():
		return cell{stat: Stat{Mean: float64(r.Uint()), N: 1}, text: fmt.Sprint(v), integer: true}
	}
	return cell{text: fmt.Sprint(v)}
}

// number64 is the cell of a float.
func number64(v float64) cell {
	if !finite(v) {
		return cell{text: strconv.FormatFloat(v, 'g', -1, 64), wrong: true}
	}
	return cell{stat: Stat{Mean: v, N: 1}}
}

// dash stands for a number that is not there.
const dash = "–"

// parts are mean and deviation of a number as they are written; std is "" for
// a single number.
func (c column) parts(x cell) (mean, std string) {
	if x.integer {
		return x.text, ""
	}
	scale := 1.0
	if c.percent {
		scale = 100
	}
	mean = strconv.FormatFloat(x.stat.Mean*scale+0, 'f', c.decimals, 64)
	if x.stat.N > 1 {
		std = strconv.FormatFloat(x.stat.Std*scale, 'f', c.decimals, 64)
	}
	return mean, std
}

// The marks of a cell.
const (
	unmarked   = iota
	markBest   // bold
	markSecond // underlined
)

// marks says which rows of column k are marked, and how.
func (t *Table) marks(k int) []int {
	m := make([]int, len(t.rows))
	if t.columns[k].best != 0 {
		t.mark(m, k, markBest)
		t.mark(m, k, markSecond)
	}
	return m
}

// mark marks the top number of column k among the unmarked, and its ties.
func (t *Table) mark(m []int, k, as int) {
	c, top := t.columns[k], -1
	free := func(i int) bool { return t.rows[i].cells[k].stat.N > 0 && m[i] == unmarked }
	for i := range t.rows {
		if free(i) && (top < 0 || float64(c.best)*(t.rows[i].cells[k].stat.Mean-t.rows[top].cells[k].stat.Mean) > 0) {
			top = i
		}
	}
	if top < 0 {
		return
	}
	of := t.rows[top].cells[k]
	written, _ := c.parts(of)
	for i, r := range t.rows {
		x := r.cells[k]
		same, _ := c.parts(x)
		near := math.Abs(of.stat.Mean-x.stat.Mean) <= max(of.stat.Std, x.stat.Std)
		if free(i) && (near || same == written) {
			m[i] = as
		}
	}
}

// numeric says whether column k holds numbers, so that it is set right.
func (t *Table) numeric(k int) bool {
	some := false
	for _, r := range t.rows {
		switch x := r.cells[k]; {
		case x.stat.N > 0 || x.wrong:
			some = true
		case !x.missing && x.text != "" && x.text != dash:
			return false
		}
	}
	return some
}

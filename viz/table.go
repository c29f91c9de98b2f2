package viz

import (
	"fmt"
	"math"
	"reflect"
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
// (booktabs) and text.
//
//	viz.NewTable("Blazons, unseen classes", "method", "R@1", "MAP@R").
//		Percent().Best().
//		Row("Soft triple", viz.MeanStd(a...), 0.43).
//		Row("CHEST", viz.MeanStd(b...), 0.44)
type Table struct {
	title   string
	label   string
	columns []column
	rows    [][]cell
}

// column is how the numbers of a column are written.
type column struct {
	name     string
	decimals int
	percent  bool
	best     int // 1 the largest is bold, -1 the smallest, 0 none
}

// cell is a text or a number.
type cell struct {
	text    string
	stat    Stat // N 0: a text, or nothing
	integer bool // text is how stat.Mean is written
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

// Row adds a row and returns the table. A cell is a text, an integer, a float,
// a Stat, or nil for nothing; any other value is written as fmt prints it. A
// number that is not finite, and a Stat of no values, is written as a dash.
// Missing cells at the end are empty; Row panics when there are too many.
func (t *Table) Row(cells ...any) *Table {
	if len(cells) > len(t.columns) {
		panic(fmt.Sprintf("viz: table: %d cells for %d columns", len(cells), len(t.columns)))
	}
	row := make([]cell, len(t.columns))
	for i, v := range cells {
		row[i] = cellFor(v)
	}
	t.rows = append(t.rows, row)
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
// too, as is one that is written the same.
func (t *Table) Best(columns ...string) *Table {
	return t.set("Best", columns, func(c *column) { c.best = 1 })
}

// Least is Best for columns in which small is good, such as a loss.
func (t *Table) Least(columns ...string) *Table {
	return t.set("Least", columns, func(c *column) { c.best = -1 })
}

// Label sets the LaTeX label: "tab:blazons".
func (t *Table) Label(label string) *Table {
	t.label = label
	return t
}

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
		display.MIMEText:     t.Text(),
	}
}

// String is the table as text.
func (t *Table) String() string { return t.Text() }

// cellFor sorts a value into text and number.
func cellFor(v any) cell {
	switch v := v.(type) {
	case nil:
		return cell{}
	case string:
		return cell{text: v}
	case Stat:
		if v.N == 0 || !finite(v.Mean) || !finite(v.Std) {
			return cell{text: dash}
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
		return cell{text: dash}
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

// bold says which rows of column k are to be bold.
func (t *Table) bold(k int) []bool {
	c, yes := t.columns[k], make([]bool, len(t.rows))
	if c.best == 0 {
		return yes
	}
	top := -1
	for i, r := range t.rows {
		if r[k].stat.N > 0 && (top < 0 || float64(c.best)*(r[k].stat.Mean-t.rows[top][k].stat.Mean) > 0) {
			top = i
		}
	}
	if top < 0 {
		return yes
	}
	best := t.rows[top][k]
	written, _ := c.parts(best)
	for i, r := range t.rows {
		same, _ := c.parts(r[k])
		near := math.Abs(best.stat.Mean-r[k].stat.Mean) <= max(best.stat.Std, r[k].stat.Std)
		yes[i] = r[k].stat.N > 0 && (near || same == written)
	}
	return yes
}

// numeric says whether column k holds numbers, so that it is set right.
func (t *Table) numeric(k int) bool {
	some := false
	for _, r := range t.rows {
		switch {
		case r[k].stat.N > 0:
			some = true
		case r[k].text != "" && r[k].text != dash:
			return false
		}
	}
	return some
}

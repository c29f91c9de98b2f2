package sweep

import (
	"fmt"
	"html"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"

	"github.com/chestlab/chest/kernel/display"
)

// Results are the lines of a plan's table. As the value of a cell they show
// themselves: mean ± std over the seeds, in percent but for the clipped share.
type Results struct {
	Name         string
	Grid, Choose []Axis
	Lines        []Result
}

// header and rows are the table as text.
func (r Results) header() []string {
	all := []string{"data"}
	if r.named() {
		all = append(all, "row")
	}
	for _, a := range r.Grid {
		all = append(all, a.Path)
	}
	return append(append(all, Measures...), "seeds")
}

func (r Results) rows() (rows [][]string) {
	for _, l := range r.Lines {
		row := []string{l.Data}
		if r.named() {
			row = append(row, l.Row)
		}
		for _, v := range l.Values {
			row = append(row, fmt.Sprint(v))
		}
		for _, m := range Measures {
			all, _ := l.Scores(m) // of Measures
			row = append(row, meanStd(all))
		}
		rows = append(rows, append(row, fmt.Sprint(len(l.Seeds))))
	}
	return rows
}

// Sheet is the table as viz.TableOf takes it: a title, the names of the columns,
// and the cells of each line, where measured values are a []float64 with a number
// for each seed.
//
//	viz.TableOf(results).Best("MAP@R E").LaTeX()
func (r Results) Sheet() (title string, columns []string, rows [][]any) {
	for _, l := range r.Lines {
		row := []any{l.Data}
		if r.named() {
			row = append(row, l.Row)
		}
		row = append(row, l.Values...)
		for _, m := range Measures {
			all, _ := l.Scores(m) // of Measures
			row = append(row, all)
		}
		rows = append(rows, append(row, len(l.Seeds)))
	}
	return r.Name, r.header(), rows
}

// named says that rows have names.
func (r Results) named() bool {
	return slices.ContainsFunc(r.Lines, func(l Result) bool { return l.Row != "" })
}

// String is the table as text.
func (r Results) String() string {
	rows := append([][]string{r.header()}, r.rows()...)
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, c := range row {
			width[i] = max(width[i], len([]rune(c)))
		}
	}
	var b strings.Builder
	b.WriteString(r.Name + "\n")
	for _, row := range rows {
		var line strings.Builder
		for i, c := range row {
			line.WriteString(c + strings.Repeat(" ", width[i]-len([]rune(c))+2))
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

// HTML is the table as HTML.
func (r Results) HTML() string {
	var b strings.Builder
	fmt.Fprintf(&b, "<table><caption>%s</caption><tr>", html.EscapeString(r.Name))
	for _, c := range r.header() {
		fmt.Fprintf(&b, "<th>%s</th>", html.EscapeString(c))
	}
	for _, row := range r.rows() {
		b.WriteString("</tr>\n<tr>")
		for _, c := range row {
			fmt.Fprintf(&b, "<td>%s</td>", html.EscapeString(c))
		}
	}
	b.WriteString("</tr></table>")
	return b.String()
}

// MIMEBundle is the table as text and HTML.
func (r Results) MIMEBundle() map[string]any {
	return map[string]any{display.MIMEText: r.String(), display.MIMEHTML: r.HTML()}
}

// meanStd is the mean and, of two or more values, their standard deviation.
func meanStd(x []float64) string {
	switch len(x) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("%.1f", x[0])
	}
	mean, std := stat.MeanStdDev(x, nil)
	return fmt.Sprintf("%.1f ± %.1f", mean, std)
}

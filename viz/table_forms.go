package viz

import (
	"encoding/csv"
	"html"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/chestlab/chest/internal/latex"
)

// tableLook is the table as a form writes it: texts and marks.
type tableLook struct {
	numeric []bool  // set right
	numbers []bool  // holds a number: what is missing is a dash
	marks   [][]int // by column, then row
	counts  bool    // n is written with each mean
}

func (t *Table) look() tableLook {
	s := tableLook{counts: t.values() < 0}
	for k := range t.columns {
		s.numeric = append(s.numeric, t.numeric(k))
		s.numbers = append(s.numbers, slices.ContainsFunc(t.rows, func(r tableRow) bool { return r.cells[k].stat.N > 0 || r.cells[k].wrong }))
		s.marks = append(s.marks, t.marks(k))
	}
	return s
}

// HTML is the table as HTML. Alignment is by attributes, which survive where
// style sheets are stripped; the classes keep MathJax from reading $ signs.
func (t *Table) HTML() string {
	var b strings.Builder
	b.WriteString("<table class=\"tex2jax_ignore mathjax_ignore\">\n")
	if t.title != "" {
		b.WriteString("<caption>" + html.EscapeString(t.title) + "</caption>\n")
	}
	f := t.look()
	b.WriteString("<thead>\n<tr>")
	for k, c := range t.columns {
		b.WriteString("<th align=\"" + f.side(k) + "\">" + html.EscapeString(c.name) + "</th>")
	}
	b.WriteString("</tr>\n</thead>\n<tbody>\n")
	for i, r := range t.rows {
		b.WriteString("<tr>")
		for k := range r.cells {
			s := html.EscapeString(t.written(f, i, k))
			s = [...]string{s, "<b>" + s + "</b>", "<u>" + s + "</u>"}[f.marks[k][i]]
			if m := t.sourceMark(r); k == 0 && m != "" {
				s += "<sup>" + m + "</sup>"
			}
			b.WriteString("<td align=\"" + f.side(k) + "\">" + s + "</td>")
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody>\n")
	if notes := t.notes(); len(notes) > 0 {
		b.WriteString("<tfoot>\n")
		for _, n := range notes {
			b.WriteString("<tr><td colspan=\"" + strconv.Itoa(len(t.columns)) + "\" align=\"left\"><small>" +
				around("<sup>", n.mark, "</sup> ") + html.EscapeString(n.text) + "</small></td></tr>\n")
		}
		b.WriteString("</tfoot>\n")
	}
	b.WriteString("</table>")
	return b.String()
}

// Markdown is the table as a GitHub table, with the title in bold above it.
func (t *Table) Markdown() string {
	var b strings.Builder
	if t.title != "" {
		b.WriteString("**" + escapeMarkdown(t.title) + "**\n\n")
	}
	for _, c := range t.columns {
		b.WriteString("| " + escapeMarkdown(c.name) + " ")
	}
	b.WriteString("|\n")
	f := t.look()
	for k := range t.columns {
		b.WriteString(map[bool]string{true: "|---:", false: "|:---"}[f.numeric[k]])
	}
	b.WriteString("|\n")
	for i, r := range t.rows {
		for k := range r.cells {
			s := escapeMarkdown(t.written(f, i, k))
			s = [...]string{s, "**" + s + "**", "<ins>" + s + "</ins>"}[f.marks[k][i]]
			if m := t.sourceMark(r); k == 0 && m != "" {
				s += "<sup>" + m + "</sup>"
			}
			b.WriteString("| " + s + " ")
		}
		b.WriteString("|\n")
	}
	for _, n := range t.notes() {
		b.WriteString("\n" + around("<sup>", n.mark, "</sup> ") + escapeMarkdown(n.text) + "\n")
	}
	return b.String()
}

// LaTeX is the table as a floating table with booktabs rules; the document
// needs \usepackage{booktabs}, and amssymb where a label has ✓ or ℝ. Letters of
// labels that the document's fonts lack are its own affair.
func (t *Table) LaTeX() string {
	var b strings.Builder
	f := t.look()
	b.WriteString("\\begin{table}[t]\n  \\centering\n")
	if t.title != "" {
		b.WriteString("  \\caption{" + escapeLaTeX(t.title) + "}\n")
	}
	if t.label != "" {
		b.WriteString("  \\label{" + t.label + "}\n")
	}
	b.WriteString("  \\begin{tabular}{")
	names := make([]string, len(t.columns))
	for k, c := range t.columns {
		b.WriteString(f.side(k)[:1])
		names[k] = escapeLaTeX(c.name)
	}
	b.WriteString("}\n    \\toprule\n    " + strings.Join(names, " & ") + " \\\\\n    \\midrule\n")
	for i, r := range t.rows {
		cells := make([]string, len(r.cells))
		for k := range r.cells {
			cells[k] = t.latex(f, i, k)
		}
		b.WriteString("    " + strings.Join(cells, " & ") + " \\\\\n")
	}
	b.WriteString("    \\bottomrule\n  \\end{tabular}\n")
	for _, n := range t.notes() {
		if n.cite == "" {
			b.WriteString("  \\par\\smallskip{\\footnotesize " + around("\\textsuperscript{", n.mark, "}") + escapeLaTeX(n.text) + "}\n")
		}
	}
	b.WriteString("\\end{table}\n")
	return b.String()
}

// CSV is the table for programs: numbers whole, as they were given, whatever
// Percent and Decimals say; of a Stat of several values mean, deviation and
// number, in three columns; nothing where something is missing; NaN and ±Inf as
// they are. Published rows have their source in a last column.
func (t *Table) CSV() string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	wide, published := t.wide(), len(t.sources()) > 0
	var head []string
	for k, c := range t.columns {
		head = append(head, c.name)
		if wide[k] {
			head = append(head, c.name+" std", c.name+" n")
		}
	}
	if published {
		head = append(head, "source")
	}
	w.Write(head)
	for _, r := range t.rows {
		var line []string
		for k, x := range r.cells {
			line = append(line, x.raw(wide[k])...)
		}
		if published {
			line = append(line, r.source)
		}
		w.Write(line)
	}
	w.Flush() // to memory: it cannot fail
	return b.String()
}

// wide says which columns hold a mean of several values.
func (t *Table) wide() []bool {
	wide := make([]bool, len(t.columns))
	for _, r := range t.rows {
		for k, x := range r.cells {
			wide[k] = wide[k] || x.stat.N > 1
		}
	}
	return wide
}

// raw is a cell of a CSV file, with its deviation and number where the column is
// wide.
func (x cell) raw(wide bool) []string {
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	mean, std, n := x.text, "", ""
	switch {
	case x.missing:
		mean = ""
	case x.stat.N > 0:
		if n = strconv.Itoa(x.stat.N); !x.integer {
			mean = number(x.stat.Mean)
		}
		if x.stat.N > 1 {
			std = number(x.stat.Std)
		}
	}
	if !wide {
		return []string{mean}
	}
	return []string{mean, std, n}
}

// Text is the table in columns of characters. A star marks what is bold
// elsewhere, a low line what is underlined. Every character counts as one column
// wide.
func (t *Table) Text() string {
	f := t.look()
	lines := t.grid(f)
	wide := make([]int, len(t.columns))
	for _, l := range lines {
		for k, s := range l {
			wide[k] = max(wide[k], utf8.RuneCountInString(s))
		}
	}
	var b strings.Builder
	if t.title != "" {
		b.WriteString(oneLine(t.title) + "\n")
	}
	for i, l := range lines {
		var line strings.Builder
		for k, s := range l {
			pad := strings.Repeat(" ", wide[k]-utf8.RuneCountInString(s))
			if f.numeric[k] {
				s = pad + s
			} else {
				s += pad
			}
			if k > 0 {
				line.WriteString("  ")
			}
			line.WriteString(s)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
		if i == 0 {
			b.WriteString(rule(wide) + "\n")
		}
	}
	for _, n := range t.notes() {
		b.WriteString(around("[", n.mark, "] ") + oneLine(n.text) + "\n")
	}
	return b.String()
}

// grid is the head and all rows as texts.
func (t *Table) grid(f tableLook) [][]string {
	head := make([]string, len(t.columns))
	lines := [][]string{head}
	for k, c := range t.columns {
		head[k] = oneLine(c.name)
		if c.best != 0 && f.numeric[k] {
			head[k] += " " // as wide as a mark
		}
	}
	for i, r := range t.rows {
		line := make([]string, len(r.cells))
		for k := range r.cells {
			line[k] = oneLine(t.written(f, i, k))
			if t.columns[k].best != 0 && f.numeric[k] {
				line[k] += [...]string{" ", "*", "_"}[f.marks[k][i]]
			}
			if k == 0 {
				line[k] += around(" [", t.sourceMark(r), "]")
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// rule is a line under columns of these widths.
func rule(wide []int) string {
	n := 2 * max(len(wide)-1, 0)
	for _, w := range wide {
		n += w
	}
	return strings.Repeat("─", n)
}

// side is the alignment of column k.
func (f tableLook) side(k int) string {
	if f.numeric[k] {
		return "right"
	}
	return "left"
}

// written is a cell as text: 86.1 ± 0.2, and a dash for what is missing in a
// column of numbers.
func (t *Table) written(f tableLook, i, k int) string {
	x := t.rows[i].cells[k]
	if x.missing && f.numbers[k] {
		return dash
	}
	return t.columns[k].written(x, f.counts)
}

// written is a cell as text, with the number of values behind a mean if counts.
func (c column) written(x cell, counts bool) string {
	if x.wrong {
		return dash
	}
	if x.stat.N == 0 {
		return x.text
	}
	mean, std := c.parts(x)
	s := join(" ± ", mean, std)
	if counts && std != "" {
		s += " (" + strconv.Itoa(x.stat.N) + ")"
	}
	return s
}

// latex is a cell as LaTeX: $86.1 \pm 0.2$.
func (t *Table) latex(f tableLook, i, k int) string {
	r := t.rows[i]
	x, s := r.cells[k], ""
	if x.stat.N == 0 {
		s = escapeLaTeX(t.written(f, i, k))
	} else {
		mean, std := t.columns[k].parts(x)
		s = join(" \\pm ", mean, std)
		if f.marks[k][i] == markBest {
			s = "\\mathbf{" + s + "}"
		}
		s = "$" + s + "$"
		if f.counts && std != "" {
			s += " (" + strconv.Itoa(x.stat.N) + ")"
		}
		if f.marks[k][i] == markSecond {
			s = "\\underline{" + s + "}"
		}
	}
	switch {
	case k > 0 || r.source == "":
	case citation.MatchString(r.source):
		s += "~" + r.source
	default:
		s += "\\textsuperscript{" + t.sourceMark(r) + "}"
	}
	return s
}

// around is s between two texts, "" if it is empty.
func around(before, s, after string) string {
	if s == "" {
		return ""
	}
	return before + s + after
}

// oneLine puts a text into one line.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// escapeMarkdown takes every sign that Markdown, its tables, its HTML or its
// mathematics would read literally.
func escapeMarkdown(s string) string {
	var b strings.Builder
	for _, r := range oneLine(s) {
		if strings.ContainsRune("\\`*_{}[]<>#|~$&^", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// escapeLaTeX takes every character that LaTeX would read literally.
func escapeLaTeX(s string) string { return latex.Text(oneLine(s)) }

package viz

import (
	"html"
	"strings"
	"unicode/utf8"
)

// HTML is the table as HTML. Alignment is by attributes, which survive where
// style sheets are stripped; the classes keep MathJax from reading $ signs.
func (t *Table) HTML() string {
	var b strings.Builder
	b.WriteString("<table class=\"tex2jax_ignore mathjax_ignore\">\n")
	if t.title != "" {
		b.WriteString("<caption>" + html.EscapeString(t.title) + "</caption>\n")
	}
	b.WriteString("<thead>\n<tr>")
	for k, c := range t.columns {
		b.WriteString("<th align=\"" + t.side(k) + "\">" + html.EscapeString(c.name) + "</th>")
	}
	b.WriteString("</tr>\n</thead>\n<tbody>\n")
	bold := t.bolds()
	for i, r := range t.rows {
		b.WriteString("<tr>")
		for k, x := range r {
			s := html.EscapeString(t.columns[k].written(x))
			if bold[k][i] {
				s = "<b>" + s + "</b>"
			}
			b.WriteString("<td align=\"" + t.side(k) + "\">" + s + "</td>")
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody>\n</table>")
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
	for k := range t.columns {
		if t.numeric(k) {
			b.WriteString("|---:")
		} else {
			b.WriteString("|:---")
		}
	}
	b.WriteString("|\n")
	bold := t.bolds()
	for i, r := range t.rows {
		for k, x := range r {
			s := escapeMarkdown(t.columns[k].written(x))
			if bold[k][i] {
				s = "**" + s + "**"
			}
			b.WriteString("| " + s + " ")
		}
		b.WriteString("|\n")
	}
	return b.String()
}

// LaTeX is the table as a floating table with booktabs rules; the document
// needs \usepackage{booktabs}.
func (t *Table) LaTeX() string {
	var b strings.Builder
	b.WriteString("\\begin{table}[t]\n  \\centering\n")
	if t.title != "" {
		b.WriteString("  \\caption{" + escapeLaTeX(t.title) + "}\n")
	}
	if t.label != "" {
		b.WriteString("  \\label{" + t.label + "}\n")
	}
	b.WriteString("  \\begin{tabular}{")
	for k := range t.columns {
		b.WriteString(t.side(k)[:1])
	}
	b.WriteString("}\n    \\toprule\n    ")
	for k, c := range t.columns {
		if k > 0 {
			b.WriteString(" & ")
		}
		b.WriteString(escapeLaTeX(c.name))
	}
	b.WriteString(" \\\\\n    \\midrule\n")
	bold := t.bolds()
	for i, r := range t.rows {
		b.WriteString("    ")
		for k, x := range r {
			if k > 0 {
				b.WriteString(" & ")
			}
			b.WriteString(t.columns[k].latex(x, bold[k][i]))
		}
		b.WriteString(" \\\\\n")
	}
	b.WriteString("    \\bottomrule\n  \\end{tabular}\n\\end{table}\n")
	return b.String()
}

// Text is the table in columns of characters. A star marks what is bold
// elsewhere. Every character counts as one column wide.
func (t *Table) Text() string {
	lines := t.grid()
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
			if t.numeric(k) {
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
	return b.String()
}

// grid is the head and all rows as texts.
func (t *Table) grid() [][]string {
	head := make([]string, len(t.columns))
	lines, bold := [][]string{head}, t.bolds()
	for k, c := range t.columns {
		head[k] = oneLine(c.name)
		if c.best != 0 && t.numeric(k) {
			head[k] += " " // as wide as a star
		}
	}
	for i, r := range t.rows {
		line := make([]string, len(r))
		for k, x := range r {
			line[k] = oneLine(t.columns[k].written(x))
			switch {
			case bold[k][i]:
				line[k] += "*"
			case t.columns[k].best != 0 && t.numeric(k):
				line[k] += " "
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

// bolds is bold of every column.
func (t *Table) bolds() [][]bool {
	all := make([][]bool, len(t.columns))
	for k := range all {
		all[k] = t.bold(k)
	}
	return all
}

// side is the alignment of column k.
func (t *Table) side(k int) string {
	if t.numeric(k) {
		return "right"
	}
	return "left"
}

// written is a cell as text: 86.1 ± 0.2.
func (c column) written(x cell) string {
	if x.stat.N == 0 {
		return x.text
	}
	mean, std := c.parts(x)
	return join(" ± ", mean, std)
}

// latex is a cell as LaTeX: $86.1 \pm 0.2$.
func (c column) latex(x cell, bold bool) string {
	if x.stat.N == 0 {
		return escapeLaTeX(x.text)
	}
	mean, std := c.parts(x)
	s := join(" \\pm ", mean, std)
	if bold {
		s = "\\mathbf{" + s + "}"
	}
	return "$" + s + "$"
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

// latexSigns are the characters that LaTeX reads, and how to write them.
var latexSigns = strings.NewReplacer(
	`\`, `\textbackslash{}`, `&`, `\&`, `%`, `\%`, `$`, `\$`, `#`, `\#`, `_`, `\_`, `{`, `\{`, `}`, `\}`,
	`~`, `\textasciitilde{}`, `^`, `\textasciicircum{}`, `<`, `\textless{}`, `>`, `\textgreater{}`, `|`, `\textbar{}`,
	`[`, `{[}`, `*`, `{*}`, // at the start of a row they would belong to the \\ before
	"–", "--", "—", "---", "±", `$\pm$`, "√", `$\surd$`, "·", `\textperiodcentered{}`, "…", `\ldots{}`,
)

// escapeLaTeX takes every character that LaTeX would read literally.
func escapeLaTeX(s string) string { return latexSigns.Replace(oneLine(s)) }

package notebook

import (
	"fmt"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"github.com/chestlab/chest/internal/latex"
)

// latexMarkdown turns Markdown into LaTeX. HTML in it is left out but for its
// words.
type latexMarkdown struct {
	l        *latexWriter
	title    string // of the document: its heading is not set again
	shift    int    // levels that a heading rises, when only the title has the first
	cell     *Cell
	src      []byte
	b        *strings.Builder
	depth    int // of lists and quotations
	titleSet bool
	titleTeX string // the heading, once it is met
}

func newLatexMarkdown(l *latexWriter, title string, one bool) *latexMarkdown {
	m := &latexMarkdown{l: l, title: title}
	if one {
		m.shift = 1
	}
	return m
}

// oneTitle says whether the title is the only heading of the first level.
func (nb *Notebook) oneTitle(title string) bool {
	n, same := 0, false
	for _, c := range nb.Cells {
		if c.Kind != Markdown {
			continue
		}
		src := []byte(c.Source)
		for b := newMarkdown("").engine.Parser().Parse(text.NewReader(src)).FirstChild(); b != nil; b = b.NextSibling() {
			if h, ok := b.(*ast.Heading); ok && h.Level == 1 {
				n++
				same = same || strings.TrimSpace(plainText(h, src)) == title
			}
		}
	}
	return n == 1 && same
}

// convert is a Markdown text, that of a cell or of an output.
func (m *latexMarkdown) convert(c *Cell, source string) string {
	m.cell, m.src, m.b = c, []byte(source), &strings.Builder{}
	m.blocks(newMarkdown("").engine.Parser().Parse(text.NewReader(m.src)))
	return m.b.String()
}

// blocks writes the children of a node.
func (m *latexMarkdown) blocks(parent ast.Node) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		m.block(n)
	}
}

func (m *latexMarkdown) block(n ast.Node) {
	switch n := n.(type) {
	case *ast.Heading:
		m.heading(n)
	case *ast.Paragraph:
		m.b.WriteString(m.inline(n) + "\n\n")
	case *ast.TextBlock:
		m.b.WriteString(m.inline(n) + "\n")
	case *ast.Blockquote:
		m.within("quote", n)
	case *ast.List:
		m.list(n)
	case *ast.FencedCodeBlock:
		m.b.WriteString(latexCode(m.lines(n), string(n.Language(m.src))) + "\n\n")
	case *ast.CodeBlock:
		m.b.WriteString(latexText("ChestCode", m.lines(n)) + "\n\n")
	case *ast.ThematicBreak:
		m.b.WriteString("\\par\\noindent\\rule{\\linewidth}{.4pt}\\par\n\n")
	case *ast.HTMLBlock:
		m.b.WriteString(latex.Document(htmlWords(m.lines(n))) + "\n\n")
	case *mathLines:
		m.b.WriteString(m.math(m.lines(n), n.closed) + "\n\n")
	case *extast.Table:
		m.table(n)
	default:
		m.blocks(n)
	}
}

// lines is the raw text of a block.
func (m *latexMarkdown) lines(n ast.Node) string { return string(n.Lines().Value(m.src)) }

// within writes the children in an environment.
func (m *latexMarkdown) within(environment string, n ast.Node) {
	if m.depth == maxDepth {
		m.blocks(n)
		return
	}
	m.depth++
	m.b.WriteString(`\begin{` + environment + "}\n")
	m.blocks(n)
	m.b.WriteString(`\end{` + environment + "}\n\n")
	m.depth--
}

// maxDepth is how deep LaTeX takes lists and quotations within each other; what
// lies deeper is set at that depth.
const maxDepth = 4

func (m *latexMarkdown) heading(n *ast.Heading) {
	if n.Level == 1 && !m.titleSet && strings.TrimSpace(plainText(n, m.src)) == m.title {
		m.titleSet, m.titleTeX = true, strings.ReplaceAll(m.inline(n), "\n", " ")
		return
	}
	command := []string{"section", "subsection", "subsubsection", "paragraph", "subparagraph"}[min(max(n.Level-1-m.shift, 0), 4)]
	m.b.WriteString(`\` + command + "{" + strings.ReplaceAll(m.inline(n), "\n", " ") + "}\n\n")
}

func (m *latexMarkdown) list(n *ast.List) {
	environment := "itemize"
	if n.IsOrdered() {
		environment = "enumerate"
	}
	deep := m.depth == maxDepth
	if !deep {
		m.depth++
		m.b.WriteString(`\begin{` + environment + "}\n")
		if n.IsOrdered() && n.Start > 1 {
			fmt.Fprintf(m.b, "\\makeatletter\\setcounter{\\@enumctr}{%d}\\makeatother\n", min(n.Start-1, 1<<30))
		}
	}
	for item := n.FirstChild(); item != nil; item = item.NextSibling() {
		if deep {
			m.b.WriteString("\\par\\textbullet{} ")
		} else {
			m.b.WriteString("\\item{} ")
		}
		m.blocks(item)
	}
	if !deep {
		m.b.WriteString(`\end{` + environment + "}\n\n")
		m.depth--
	}
}

// inline is the content of a paragraph, heading or cell.
func (m *latexMarkdown) inline(parent ast.Node) string {
	var b strings.Builder
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		b.WriteString(m.span(n))
	}
	return strings.TrimSpace(b.String())
}

func (m *latexMarkdown) span(n ast.Node) string {
	switch n := n.(type) {
	case *ast.Text:
		return m.text(n)
	case *ast.String:
		return latex.Document(string(n.Value))
	case *ast.CodeSpan:
		return `\texttt{` + breakable(plainText(n, m.src)) + "}"
	case *ast.Emphasis:
		return map[int]string{1: `\emph{`, 2: `\textbf{`}[min(n.Level, 2)] + m.inlineSpaced(n) + "}"
	case *extast.Strikethrough:
		return `\sout{` + m.inlineSpaced(n) + "}"
	case *extast.TaskCheckBox:
		if n.IsChecked {
			return `\ensuremath{\boxtimes} `
		}
		return `\ensuremath{\square} `
	case *ast.Link:
		return link(string(n.Destination), m.inlineSpaced(n))
	case *ast.AutoLink:
		return link(string(n.URL(m.src)), latex.Document(string(n.Label(m.src))))
	case *ast.Image:
		return m.image(n)
	case *ast.RawHTML:
		if tag := strings.ToLower(string(n.Segments.Value(m.src))); strings.HasPrefix(tag, "<br") {
			return lineBreak + " "
		}
		return ""
	case *formula:
		return m.math(n.source, true)
	}
	return m.inlineSpaced(n)
}

// lineBreak ends a line, also one with nothing in it.
const lineBreak = `\leavevmode\newline`

// inlineSpaced is inline with the spaces at its ends.
func (m *latexMarkdown) inlineSpaced(parent ast.Node) string {
	var b strings.Builder
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		b.WriteString(m.span(n))
	}
	return b.String()
}

func (m *latexMarkdown) text(n *ast.Text) string {
	v := n.Segment.Value(m.src)
	if !n.IsRaw() {
		v = util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(v)))
	}
	s := latex.Document(string(v))
	switch {
	case n.HardLineBreak():
		s += lineBreak + "\n"
	case n.SoftLineBreak():
		s += "\n"
	}
	return s
}

// breakable is code within a line, which may break after a dot, a slash or a low
// line.
func breakable(s string) string {
	var b strings.Builder
	for s != "" {
		n := strings.IndexAny(s, "./_") + 1
		if n == 0 {
			return b.String() + latex.Document(s)
		}
		b.WriteString(latex.Document(s[:n]) + `\allowbreak{}`)
		s = s[n:]
	}
	return b.String()
}

// link is a link to a web page; other places are not in the document.
func link(to, words string) string {
	if !strings.HasPrefix(to, "http://") && !strings.HasPrefix(to, "https://") && !strings.HasPrefix(to, "mailto:") {
		return words
	}
	var url strings.Builder
	for _, c := range util.URLEscape([]byte(to), true) {
		switch {
		case strings.IndexByte("%#&_", c) >= 0:
			url.WriteString(`\` + string(rune(c)))
		case c <= ' ' || c >= 0x7f || strings.IndexByte("\\{}^~$\"<>`|", c) >= 0:
			fmt.Fprintf(&url, `\%%%02X`, c)
		default:
			url.WriteByte(c)
		}
	}
	return `\href{` + url.String() + "}{" + words + "}"
}

// image is a picture that is at hand and that LaTeX can set, or its words and
// address.
func (m *latexMarkdown) image(n *ast.Image) string {
	to := string(n.Destination)
	data, name := m.l.load(m.cell, to)
	if data, ending, size := asPNG(data); ending != "" {
		return includeGraphics(m.l.add(data, strings.TrimSuffix(name, "."+endingOf(name))+"."+ending), size)
	}
	alt := plainText(n, m.src)
	if alt == "" {
		alt = to
	}
	return link(to, `\emph{`+latex.Document(alt)+"}")
}

// endingOf is what stands behind the last dot.
func endingOf(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// math is a formula with its dollars. What cannot be one stays text, so that it
// does not take the rest of the document with it.
func (m *latexMarkdown) math(source string, closed bool) string {
	source = strings.TrimSpace(source)
	if !closed || !sound(strings.Trim(source, "$")) {
		return latex.Document(source)
	}
	m.l.raw = append(m.l.raw, source)
	if strings.HasPrefix(source, "$$") {
		return "\n" + displayMath(source) + "\n"
	}
	return latex.Math(source)
}

// sound says whether LaTeX could read a formula to its end: braces are paired, and
// there is no dollar, no # and, outside of environments, no &.
func sound(s string) bool {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case c == '{':
			depth++
		case c == '}':
			depth--
		case c == '$', c == '#', c == '%', c == '&' && !strings.Contains(s, `\begin{`):
			return false
		}
		if depth < 0 {
			return false
		}
	}
	return depth == 0 && !strings.Contains(s, "{document}") && strings.Count(s, `\begin{`) == strings.Count(s, `\end{`)
}

// alone are environments that are displays of their own.
var alone = []string{`\begin{align`, `\begin{equation`, `\begin{gather`, `\begin{multline`, `\begin{eqnarray`, `\begin{flalign`}

// displayMath is a formula between double dollars as a display. Empty lines,
// which mathematics cannot have, are dropped.
func displayMath(source string) string {
	s := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(source), "$$"), "$$"))
	s = blankLines.ReplaceAllString(latex.Math(s), "\n")
	if s == "" {
		return ""
	}
	for _, a := range alone {
		if strings.HasPrefix(s, a) {
			return s
		}
	}
	return "\\[\n" + s + "\n\\]"
}

// table is a Markdown table with booktabs rules. Where the columns would be
// wider than the page, they get shares of it and break.
func (m *latexMarkdown) table(n *extast.Table) {
	var rows [][]string
	var width []int
	for r := n.FirstChild(); r != nil; r = r.NextSibling() {
		var row []string
		for c := r.FirstChild(); c != nil; c = c.NextSibling() {
			if len(row) == len(width) {
				width = append(width, 1)
			}
			width[len(row)] = max(width[len(row)], len([]rune(plainText(c, m.src))))
			row = append(row, m.inline(c))
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 || len(width) == 0 {
		return
	}
	m.b.WriteString("\\begin{center}\n\\begin{tabular}{" + columns(n.Alignments, width) + "}\n\\toprule\n")
	for i, r := range rows {
		m.b.WriteString(strings.Join(r, " & ") + " \\\\\n")
		if i == 0 {
			m.b.WriteString("\\midrule\n")
		}
	}
	m.b.WriteString("\\bottomrule\n\\end{tabular}\n\\end{center}\n\n")
}

// columns describes the columns of a table of these widths in characters.
func columns(align []extast.Alignment, width []int) string {
	const page = 88 // characters in a line
	total, share := 0, 0
	for _, w := range width {
		total += w + 2
		share += min(w, 60) + 2
	}
	var b strings.Builder
	for i, w := range width {
		side := "l"
		if i < len(align) {
			side = map[extast.Alignment]string{extast.AlignRight: "r", extast.AlignCenter: "c"}[align[i]]
		}
		if side == "" {
			side = "l"
		}
		if total <= page {
			b.WriteString(side)
			continue
		}
		ragged := map[string]string{"l": `\raggedright`, "r": `\raggedleft`, "c": `\centering`}[side]
		fmt.Fprintf(&b, `>{%s\arraybackslash}p{%.3f\linewidth}`, ragged, 0.88*float64(min(w, 60)+2)/float64(share))
	}
	return b.String()
}

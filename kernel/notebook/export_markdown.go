package notebook

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// Markdown is the notebook as Markdown for code hosts: Markdown cells as they
// are, code and text fenced, pictures as files. An output is written in the
// first of these forms that it has: Markdown, a picture, an HTML table, LaTeX
// mathematics, text.
func (nb *Notebook) Markdown(o ExportOptions) (*Document, error) {
	m := &markdownWriter{document: newDocument(o)}
	for i, c := range nb.Cells {
		m.cell = i
		if err := m.write(c); err != nil {
			return nil, fmt.Errorf("notebook: Markdown: cell %d: %w", i+1, err)
		}
	}
	return &Document{Text: strings.TrimRight(m.b.String(), "\n") + "\n", Files: m.files}, nil
}

type markdownWriter struct {
	*document
	b strings.Builder
}

// block writes a part and the empty line after it.
func (m *markdownWriter) block(s string) {
	if s = strings.Trim(s, "\n"); s != "" {
		m.b.WriteString(s + "\n\n")
	}
}

func (m *markdownWriter) write(c *Cell) error {
	s := c.shows(m.o.NoInput).onPaper()
	switch {
	case !s.cell:
	case c.Kind == Markdown:
		m.block(m.pictures(c))
	case c.rawFor("text/markdown", "text/x-markdown"):
		m.block(c.Source)
	case c.Kind == Code:
		if s.input && !c.blank() {
			m.block(fenced(c.Source, "go"))
		}
		for k, out := range c.Outputs {
			if !s.output {
				break
			}
			if err := m.output(k, out); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *markdownWriter) output(k int, out *Output) error {
	switch out.Kind {
	case StreamOutput:
		m.block(fenced(plain(onTerminal(out.Text)), "text"))
	case ErrorOutput:
		m.block(fenced(plain(out.errorText()), "text"))
	case DisplayOutput, ResultOutput:
		return m.bundle(k, out)
	}
	return nil
}

// forMarkdown is the order in which Markdown prefers the forms of an output.
var forMarkdown = []string{
	"text/markdown", "image/png", "image/svg+xml", "image/jpeg", "image/gif", "image/webp",
	"text/html", "text/latex", "text/plain", "application/json", "application/pdf",
}

func (m *markdownWriter) bundle(k int, out *Output) error {
	mime := out.first(forMarkdown...)
	if s, _ := out.Data["text/html"].(string); mime == "text/html" && !isTable(s) {
		mime = out.first("text/latex", "text/plain", "text/html")
	}
	if s, _ := out.Data["text/latex"].(string); mime == "text/latex" && !isMath(s) && out.Data["text/plain"] != nil {
		mime = "text/plain"
	}
	text, _ := out.Data[mime].(string)
	switch {
	case mime == "":
	case endings[mime] != "":
		data, err := out.picture(mime)
		if err != nil {
			return err
		}
		alt := strings.Join(strings.Fields(out.plainForm()), " ")
		m.block(fmt.Sprintf("![%s](%s)", escapeLink(alt), m.add(data, m.outputName(k, endings[mime]))))
	case mime == "text/markdown":
		m.block(text)
	case mime == "text/html" && isTable(text):
		m.block(blankLines.ReplaceAllString(strings.TrimSpace(text), "\n"))
	case mime == "text/latex" && isMath(text):
		m.block(text)
	case mime == "application/json":
		data, err := json.MarshalIndent(out.Data[mime], "", "  ")
		if err != nil {
			return err
		}
		m.block(fenced(string(data), "json"))
	case mime == "text/latex":
		m.block(fenced(text, "latex"))
	default:
		m.block(fenced(out.plainForm(), "text"))
	}
	return nil
}

// blankLines would end a block of HTML in Markdown.
var blankLines = regexp.MustCompile(`\n\s*\n`)

// isTable says whether HTML is best shown as it is: a table, and no script.
func isTable(s string) bool {
	return strings.Contains(s, "<table") && !strings.Contains(strings.ToLower(s), "<script")
}

// isMath says whether LaTeX is a formula between dollars or brackets.
func isMath(s string) bool {
	s = strings.TrimSpace(s)
	return strings.HasPrefix(s, "$") && strings.HasSuffix(s, "$") || strings.HasPrefix(s, `\[`) && strings.HasSuffix(s, `\]`)
}

// fenced is a text between fences that are longer than any in it.
func fenced(s, language string) string {
	if strings.TrimSpace(s) == "" {
		return ""
	}
	fence := "```"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	return fence + language + "\n" + strings.TrimRight(s, "\n") + "\n" + fence
}

// escapeLink is text for the square brackets of a link.
func escapeLink(s string) string {
	return strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, "`", "\\`", "*", `\*`, "_", `\_`, "<", `\<`, "$", `\$`).Replace(s)
}

// pictures is the source of a Markdown cell with its attachments and pictures
// as files of the document.
func (m *markdownWriter) pictures(c *Cell) string {
	source := c.Source
	for _, to := range destinations(source) {
		data, name := m.load(c, to)
		if data == nil {
			continue
		}
		for _, before := range []string{"](", "](<", "]: "} {
			source = strings.ReplaceAll(source, before+to, before+m.add(data, name))
		}
	}
	return source
}

// destinations are the places of the pictures of a Markdown text, each once,
// the longest first, so that none is replaced within another.
func destinations(source string) (all []string) {
	doc := newMarkdown("").engine.Parser().Parse(text.NewReader([]byte(source)))
	ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if i, ok := n.(*ast.Image); ok && entering && !slices.Contains(all, string(i.Destination)) {
			all = append(all, string(i.Destination))
		}
		return ast.WalkContinue, nil
	})
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return all
}

// load is a picture of a Markdown cell: an attachment, or a file of the
// notebook's folder; nil when it is not at hand.
func (d *document) load(c *Cell, to string) (data []byte, name string) {
	if key, ok := strings.CutPrefix(to, "attachment:"); ok {
		attachments, _ := c.extra["attachments"].(map[string]any)
		bundle, _ := attachments[key].(map[string]any)
		for _, mime := range slices.Sorted(maps.Keys(bundle)) {
			if s, ok := joined(bundle[mime]); ok && endings[mime] != "" {
				data, _ = (&Output{Data: map[string]any{mime: s}}).picture(mime)
				return data, d.pictureName(key, endings[mime])
			}
		}
		return nil, ""
	}
	if d.o.Dir == "" || strings.Contains(to, ":") || !filepath.IsLocal(filepath.FromSlash(to)) {
		return nil, ""
	}
	path := filepath.Join(d.o.Dir, filepath.FromSlash(to))
	if fileData(path) == "" {
		return nil, ""
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, ""
	}
	return data, d.pictureName(to, strings.TrimPrefix(filepath.Ext(path), "."))
}

// pictureName is the name of a picture of a Markdown cell.
func (d *document) pictureName(from, ending string) string {
	return fmt.Sprintf("%s_%d_%s.%s", safeName(d.o.Name), d.cell, safeName(base(from)), safeName(ending))
}

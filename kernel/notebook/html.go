package notebook

import (
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"strings"
	"sync"

	"github.com/alecthomas/chroma/v2"
	chtml "github.com/alecthomas/chroma/v2/formatters/html"
	"github.com/alecthomas/chroma/v2/lexers"
	"github.com/alecthomas/chroma/v2/styles"

	"github.com/chestlab/chest/internal/echarts"
)

// HTMLOptions controls HTML.
type HTMLOptions struct {
	Title string // "" means the first heading, or "Notebook"
	Dir   string // where the pictures of Markdown cells lie; "" means that only attachments are shown

	NoInput bool // leaves the code out
	Print   bool // for paper: charts are the pictures that stand in for them, where they have one
}

//go:embed style.css
var pageStyle string

// chartMark is in every output that draws with the chart library.
const chartMark = "__chestviz"

// policy forbids the page to load anything: what it shows is in it.
const policy = "default-src 'none'; img-src data: blob:; media-src data:; font-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"

// HTML writes the notebook as one page that needs no network: code
// highlighted, Markdown set, each output in its richest form, the chart
// library once if an output draws with it. HTML outputs and raw HTML in
// Markdown are taken as they are: export only notebooks that you trust.
func (nb *Notebook) HTML(w io.Writer, o HTMLOptions) error {
	p := &page{markdown: newMarkdown(o.Dir), o: o}
	for _, c := range nb.Cells {
		if err := p.cell(c); err != nil {
			return fmt.Errorf("notebook: HTML: %w", err)
		}
	}
	head := `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="` + policy + `">
<title>` + html.EscapeString(nb.title(o.Title)) + `</title>
<style>
` + codeStyle() + pageStyle + `</style>
`
	if p.charts {
		head += "<script>" + echarts.PackedScript() + "</script>\n"
	}
	_, err := io.WriteString(w, head+"</head>\n<body>\n<main>\n"+p.b.String()+"</main>\n</body>\n</html>\n")
	if err != nil {
		return fmt.Errorf("notebook: HTML: %w", err)
	}
	return nil
}

// page is the body of a page as it grows.
type page struct {
	b        strings.Builder
	o        HTMLOptions
	markdown *markdown
	charts   bool // an output needs the chart library
}

func (p *page) cell(c *Cell) error {
	s := c.shows(p.o.NoInput)
	if p.o.Print {
		s = s.onPaper()
	}
	switch {
	case !s.cell:
	case c.Kind == Markdown:
		attachments, _ := c.extra["attachments"].(map[string]any)
		text, err := p.markdown.html(c.Source, attachments)
		if err != nil {
			return err
		}
		p.b.WriteString("<section class=\"markdown\">\n" + text + "</section>\n")
	case c.Kind == Code:
		return p.code(c, s)
	case c.rawFor("text/html"):
		p.b.WriteString("<section>\n" + c.Source + "\n</section>\n")
	}
	return nil // another raw cell is for another kind of document
}

// code writes the parts of a code cell that are shown.
func (p *page) code(c *Cell, s shown) error {
	s.input = s.input && !(c.blank() && len(c.Outputs) == 0)
	s.output = s.output && len(c.Outputs) > 0
	if !s.input && !s.output {
		return nil
	}
	p.b.WriteString("<section class=\"code\">\n")
	if s.input {
		p.fold(s.foldInput, "code")
		p.b.WriteString("<div class=\"prompt\">" + prompt(c) + "</div>\n" + highlight(c.Source, "go"))
		p.unfold(s.foldInput)
	}
	if s.output {
		p.fold(s.foldOutput, "output")
		for _, out := range c.Outputs {
			if err := p.output(out); err != nil {
				return err
			}
		}
		p.unfold(s.foldOutput)
	}
	p.b.WriteString("</section>\n")
	return nil
}

// fold begins a part that is shown on a click.
func (p *page) fold(yes bool, what string) {
	if yes {
		p.b.WriteString("<details><summary>" + what + "</summary>\n")
	}
}

func (p *page) unfold(yes bool) {
	if yes {
		p.b.WriteString("</details>\n")
	}
}

// prompt is the number of a cell.
func prompt(c *Cell) string {
	if c.Count == 0 {
		return ""
	}
	return fmt.Sprintf("[%d]", c.Count)
}

func (p *page) output(out *Output) error {
	switch out.Kind {
	case StreamOutput:
		class := "stream"
		if out.Name == "stderr" {
			class = "stream stderr"
		}
		p.block(class, ansiHTML(onTerminal(out.Text)))
	case ErrorOutput:
		p.block("error", ansiHTML(out.errorText()))
	case DisplayOutput, ResultOutput:
		return p.bundle(out)
	}
	return nil
}

// block writes escaped text that keeps its lines.
func (p *page) block(class, text string) {
	p.b.WriteString(`<pre class="output ` + class + `">` + strings.TrimRight(text, "\n") + "</pre>\n")
}

// richest is the order in which a page prefers the forms of an output. LaTeX,
// which nothing in a page sets, is better than the text that stands in for it.
var richest = []string{
	"text/html", "image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp",
	"text/markdown", "application/javascript", "text/latex", "text/plain", "application/json",
}

// bundle writes an output in its richest form.
func (p *page) bundle(out *Output) error {
	mime := out.first(richest...)
	text, _ := out.Data[mime].(string)
	if p.o.Print && strings.Contains(text, chartMark) && out.Data["image/png"] != nil {
		mime = "image/png"
		text, _ = out.Data[mime].(string)
	}
	switch {
	case mime == "":
	case mime == "text/html":
		p.charts = p.charts || strings.Contains(text, chartMark)
		text = strings.ReplaceAll(text, echarts.InlineScript(), "") // viz.Inline: the page has the library
		p.b.WriteString("<div class=\"output html\">\n" + text + "\n</div>\n")
	case mime == "image/svg+xml":
		p.picture(out, mime, base64.StdEncoding.EncodeToString([]byte(text)))
	case strings.HasPrefix(mime, "image/"):
		p.picture(out, mime, compact(text))
	case mime == "text/markdown":
		s, err := p.markdown.html(text, nil)
		if err != nil {
			return err
		}
		p.b.WriteString("<div class=\"output markdown\">\n" + s + "</div>\n")
	case mime == "application/javascript":
		p.b.WriteString("<script>" + strings.NewReplacer("</script", `<\/script`, "<!--", `<\!--`).Replace(text) + "</script>\n")
	case mime == "application/json":
		data, err := json.MarshalIndent(out.Data[mime], "", "  ")
		if err != nil {
			return err
		}
		p.block("result", html.EscapeString(string(data)))
	default:
		p.block("result", ansiHTML(text))
	}
	return nil
}

// picture writes an image, with its plain text as what it shows.
func (p *page) picture(out *Output, mime, data string) {
	alt, _ := out.Data["text/plain"].(string)
	size := ""
	if m, ok := out.Metadata[mime].(map[string]any); ok {
		for _, side := range []string{"width", "height"} {
			if n, ok := m[side].(json.Number); ok {
				size += fmt.Sprintf(` %s="%s"`, side, html.EscapeString(n.String()))
			} else if f, ok := m[side].(float64); ok {
				size += fmt.Sprintf(` %s="%g"`, side, f)
			}
		}
	}
	fmt.Fprintf(&p.b, "<div class=\"output picture\"><img src=\"data:%s;base64,%s\" alt=\"%s\"%s></div>\n",
		mime, html.EscapeString(data), html.EscapeString(strings.TrimSpace(plain(alt))), size)
}

// codeFormat writes tokens as spans with classes.
var codeFormat = chtml.New(chtml.WithClasses(true), chtml.TabWidth(4))

// codeTheme is the colours of code.
var codeTheme = styles.Get("github")

// codeStyle is the style sheet of the tokens.
var codeStyle = sync.OnceValue(func() string {
	var b strings.Builder
	codeFormat.WriteCSS(&b, codeTheme)
	return b.String()
})

// highlight is code as HTML; a language that is not known is plain text.
func highlight(code, language string) string {
	lexer := lexers.Get(language)
	if lexer == nil {
		lexer = lexers.Fallback
	}
	var b strings.Builder
	tokens, err := chroma.Coalesce(lexer).Tokenise(nil, strings.TrimRight(code, "\n"))
	if err == nil {
		err = codeFormat.Format(&b, codeTheme, tokens)
	}
	if err != nil {
		return "<pre class=\"chroma\">" + html.EscapeString(code) + "</pre>\n"
	}
	return b.String() + "\n"
}

package notebook

import (
	"bytes"
	"encoding/base64"
	"html"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	ghtml "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// maxImage bounds a picture file that is put into a page.
const maxImage = 16 << 20

// markdown turns Markdown into HTML: tables, task lists and raw HTML as
// Jupyter has them, math as its source text, pictures inside the page.
type markdown struct {
	engine goldmark.Markdown
	images *images
}

func newMarkdown(dir string) *markdown {
	m := &markdown{images: &images{dir: dir}}
	m.engine = goldmark.New(
		goldmark.WithExtensions(extension.GFM),
		goldmark.WithParserOptions(
			parser.WithAutoHeadingID(),
			parser.WithInlineParsers(util.Prioritized(mathSpan{}, 90)),
			parser.WithBlockParsers(util.Prioritized(mathBlock{}, 90)),
		),
		goldmark.WithRendererOptions(
			ghtml.WithUnsafe(), // raw HTML: it is the user's own notebook
			renderer.WithNodeRenderers(util.Prioritized(m.images, 90), util.Prioritized(fences{}, 90), util.Prioritized(mathText{}, 90)),
		),
	)
	return m
}

// html renders one Markdown text. The attachments are the cell's, by name, as
// bundles of MIME types.
func (m *markdown) html(source string, attachments map[string]any) (string, error) {
	m.images.attachments = attachments
	var b bytes.Buffer
	err := m.engine.Convert([]byte(source), &b)
	return b.String(), err
}

// firstHeading is the text of the first heading of a Markdown text.
func firstHeading(source string) string {
	src := []byte(source)
	doc := newMarkdown("").engine.Parser().Parse(text.NewReader(src))
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		if n.Kind() == ast.KindHeading {
			return strings.TrimSpace(plainText(n, src))
		}
	}
	return ""
}

// plainText is the text of a node without its marks.
func plainText(n ast.Node, src []byte) string {
	var b strings.Builder
	ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text:
			v := n.Segment.Value(src)
			if !n.IsRaw() {
				v = util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(v)))
			}
			b.Write(v)
			if n.SoftLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(n.Value)
		case *formula:
			b.WriteString(n.source)
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

// images renders pictures: attachments and files as data, remote ones as
// links, because a page loads nothing.
type images struct {
	dir         string
	attachments map[string]any
}

func (r *images) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(ast.KindImage, r.render)
}

func (r *images) render(w util.BufWriter, src []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	n := node.(*ast.Image)
	alt, to := html.EscapeString(plainText(n, src)), string(n.Destination)
	data := r.data(to)
	if data == "" {
		if alt == "" {
			alt = html.EscapeString(to)
		}
		w.WriteString(`<a class="picture" href="` + html.EscapeString(string(util.URLEscape([]byte(to), true))) + `">` + alt + `</a>`)
		return ast.WalkSkipChildren, nil
	}
	w.WriteString(`<img src="` + data + `" alt="` + alt + `"`)
	if len(n.Title) > 0 {
		w.WriteString(` title="` + html.EscapeString(string(n.Title)) + `"`)
	}
	w.WriteString(">")
	return ast.WalkSkipChildren, nil
}

// data is a picture as a data URL; "" when it is not at hand.
func (r *images) data(to string) string {
	if strings.HasPrefix(to, "data:image/") {
		return html.EscapeString(to)
	}
	if name, ok := strings.CutPrefix(to, "attachment:"); ok {
		bundle, _ := r.attachments[name].(map[string]any)
		for kind, v := range bundle {
			if s, ok := joined(v); ok && strings.HasPrefix(kind, "image/") {
				return html.EscapeString("data:" + kind + ";base64," + compact(s))
			}
		}
		return ""
	}
	if r.dir == "" || strings.Contains(to, ":") || !filepath.IsLocal(filepath.FromSlash(to)) {
		return ""
	}
	return fileData(filepath.Join(r.dir, filepath.FromSlash(to)))
}

// fileData is a picture file as a data URL; "" when it is none.
func fileData(path string) string {
	st, err := os.Stat(path)
	if err != nil || !st.Mode().IsRegular() || st.Size() > maxImage {
		return ""
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	kind := mime.TypeByExtension(filepath.Ext(path))
	if kind == "" {
		kind = http.DetectContentType(data)
	}
	if !strings.HasPrefix(kind, "image/") {
		return ""
	}
	return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(data)
}

// compact removes white space from base64 text.
func compact(s string) string { return strings.Join(strings.Fields(s), "") }

// fences renders fenced code with the highlighting of code cells.
type fences struct{}

func (fences) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(ast.KindFencedCodeBlock, func(w util.BufWriter, src []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		n := node.(*ast.FencedCodeBlock)
		var b bytes.Buffer
		for i := range n.Lines().Len() {
			line := n.Lines().At(i)
			b.Write(line.Value(src))
		}
		w.WriteString(highlight(b.String(), string(n.Language(src))))
		return ast.WalkSkipChildren, nil
	})
}

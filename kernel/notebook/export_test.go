package notebook

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chestlab/chest/internal/echarts"
)

// full is the golden notebook and more of what LaTeX and Markdown would read.
func full(t *testing.T) *Notebook {
	t.Helper()
	nb, err := Read("testdata/full.ipynb")
	if err != nil {
		t.Fatal(err)
	}
	nb.Cells = append(nb.Cells,
		&Cell{Kind: Markdown, Source: strings.Join([]string{
			"## 50% & *more* `a_b` $\\kappa_1 < κ$", "A ~~b~~ **c** &amp; \\$5 <b>word</b><br>next [link](https://x.org/a_b?c=1&d=%20#e) <https://x.org>",
			"$$\n\\sum_i x_i\n\n- 1\n$$", "1. one\n   - inner\n2. two", "- [x] done\n- [ ] not", "> quoted", "```python\nprint('a{b}\\n')\n```", "    indented_code",
			"| left | right |\n|:--|--:|\n| a \\| b | 1 & 2 |", "![far](https://x.org/p.png) ![svg](dot.svg)", "---", "<div>html &lt; <em>block</em></div>",
		}, "\n\n")},
		&Cell{Kind: Code, Count: 4, Source: "s := `raw` + \"\\n{}%$#_~^\" + 'x' // 中 é κ --\n\tlong(" + strings.Repeat("argument, ", 15) + ")", Outputs: []*Output{
			{Kind: StreamOutput, Text: "10%\r100% \x1b[31mred\x1b[0m ```\n&%$#_{}~^\\ █▌ │─ <b>\n"},
			{Kind: StreamOutput, Name: "stderr", Text: strings.Repeat("many words ", 20) + "\n" + strings.Repeat("x", 150)},
			{Kind: DisplayOutput, Data: map[string]any{"text/latex": "\\begin{table}[t]\n\\caption{中 ±}\n\\end{table}\n", "text/plain": "a table", "text/markdown": "| a |\n|:---|\n| 中 |\n"}},
			{Kind: DisplayOutput, Data: map[string]any{"text/html": "<style>p{}</style><table><tr><td>1 &lt; 2</td>\n\n<td>b</td></tr></table><script>no()</script>"}},
			{Kind: DisplayOutput, Data: map[string]any{"text/html": "<table>\n\n<tr><td>1 &lt; 2</td></tr></table>", "text/plain": "<html>"}},
			{Kind: DisplayOutput, Data: map[string]any{"text/html": "<div>bar</div>", "text/plain": "bar as text"}},
			{Kind: DisplayOutput, Data: map[string]any{"image/gif": base64.StdEncoding.EncodeToString(tinyGIF(t)), "text/plain": "a [gif]"}},
		}})
	return nb
}

func tinyGIF(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := gif.Encode(&b, image.NewPaletted(image.Rect(0, 0, 4, 2), color.Palette{color.White}), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestExportGolden(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "dot.svg"), []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), 0o600); err != nil {
		t.Fatal(err)
	}
	for form, files := range map[string]string{
		"md":  "full run_files/full-run_0_dot.png full-run_3_4.svg full-run_6_dot.svg full-run_7_6.gif",
		"tex": "full run_files/full-run_0_dot.png full-run_7_6.png",
	} {
		export := map[string]func(*Notebook, ExportOptions) (*Document, error){"md": (*Notebook).Markdown, "tex": (*Notebook).LaTeX}[form]
		doc, err := export(full(t), ExportOptions{Name: "full run", Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		golden := "testdata/full." + form
		if *update {
			if err := os.WriteFile(golden, []byte(doc.Text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if doc.Text != string(want) {
			t.Errorf("%s has changed; look at it and run go test -update\n%s", golden, doc.Text)
		}
		var names []string
		for _, f := range doc.Files {
			names = append(names, f.Name)
			if !strings.Contains(doc.Text, f.Name) {
				t.Errorf("%s: %s is not in the text", form, f.Name)
			}
		}
		if got := strings.ReplaceAll(strings.Join(names, " "), "full-run_files/", ""); got != strings.ReplaceAll(files, "full run_files/", "") {
			t.Errorf("%s: files %q", form, names)
		}
	}
}

// TestExportNames: pictures of one name and other contents do not replace each
// other, and equal ones are one file.
func TestExportNames(t *testing.T) {
	d := newDocument(ExportOptions{Name: "../a b/c#%{}"})
	got := []string{d.add([]byte("1"), "x.png"), d.add([]byte("2"), "x.png"), d.add([]byte("1"), "y.png"), d.add([]byte("3"), "x.png")}
	folder := "a-b-c-_files/"
	if want := []string{folder + "x.png", folder + "2-x.png", folder + "x.png", folder + "3-x.png"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestExportTags(t *testing.T) {
	cell := func(meta string) *Notebook {
		c := &Cell{Kind: Code, Count: 1, Source: "theInput", Outputs: []*Output{{Kind: StreamOutput, Text: "theOutput"}}}
		if err := json.Unmarshal([]byte(meta), &c.Metadata); err != nil {
			t.Fatal(err)
		}
		return &Notebook{Cells: []*Cell{c}}
	}
	for _, c := range []struct {
		meta, page, paper string // i input, o output, I and O folded
		noInput           bool
	}{
		{`{}`, "io", "io", false},
		{`{}`, "o", "o", true},
		{`{"tags": ["remove-cell"]}`, "", "", false},
		{`{"tags": ["remove_cell"]}`, "", "", false},
		{`{"tags": ["x", "remove-input"]}`, "o", "o", false},
		{`{"tags": ["remove_input"]}`, "o", "o", false},
		{`{"tags": ["remove-output"]}`, "i", "i", false},
		{`{"tags": ["hide-input"]}`, "Io", "o", false},
		{`{"tags": ["hide_input"]}`, "Io", "o", false},
		{`{"tags": ["hide-input"]}`, "o", "o", true},
		{`{"hide_input": true}`, "Io", "o", false},
		{`{"hide_input": false}`, "io", "io", false},
		{`{"jupyter": {"source_hidden": true}}`, "Io", "o", false},
		{`{"jupyter": {"outputs_hidden": true}}`, "iO", "i", false},
		{`{"tags": ["hide-output"]}`, "iO", "i", false},
		{`{"tags": ["hide-cell"]}`, "IO", "", false},
		{`{"tags": ["hide-cell", "remove-output"]}`, "I", "", false},
	} {
		nb := cell(c.meta)
		page := body(renderPage(t, nb, HTMLOptions{NoInput: c.noInput}))
		folded := func(part string) string {
			before, _, there := strings.Cut(page, part)
			switch {
			case !there:
				return ""
			case strings.Count(before, "<details>") > strings.Count(before, "</details>"):
				return strings.ToUpper(part[3:4])
			}
			return strings.ToLower(part[3:4])
		}
		if got := folded("theInput") + folded("theOutput"); got != c.page {
			t.Errorf("%s, no input %v: the page shows %q, want %q\n%s", c.meta, c.noInput, got, c.page, page)
		}
		o := ExportOptions{NoInput: c.noInput}
		md, err := nb.Markdown(o)
		tex, err2 := nb.LaTeX(o)
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		for form, text := range map[string]string{"page on paper": body(renderPage(t, nb, HTMLOptions{NoInput: c.noInput, Print: true})), "Markdown": md.Text, "LaTeX": tex.Text} {
			got := ""
			if strings.Contains(text, "theInput") {
				got = "i"
			}
			if strings.Contains(text, "theOutput") {
				got += "o"
			}
			if got != c.paper {
				t.Errorf("%s, no input %v: %s shows %q, want %q", c.meta, c.noInput, form, got, c.paper)
			}
		}
	}
	hidden := &Notebook{Cells: []*Cell{{Kind: Markdown, Source: "theText", Metadata: map[string]any{"tags": []any{"remove-cell"}}}}}
	md, _ := hidden.Markdown(ExportOptions{})
	tex, _ := hidden.LaTeX(ExportOptions{})
	if strings.Contains(md.Text+tex.Text+body(renderPage(t, hidden, HTMLOptions{})), "theText") {
		t.Error("a Markdown cell tagged remove-cell is there")
	}
}

// TestExportRaw: a raw cell is in the documents that it is meant for.
func TestExportRaw(t *testing.T) {
	for _, c := range []struct{ meta, want string }{
		{`{}`, ""}, {`{"raw_mimetype": "text/latex"}`, "tex"}, {`{"format": "text/html"}`, "html"}, {`{"raw_mimetype": "text/markdown"}`, "md"}, {`{"format": "text/x-rst"}`, ""},
	} {
		cell := &Cell{Kind: Raw, Source: "\\theSource"}
		if err := json.Unmarshal([]byte(c.meta), &cell.Metadata); err != nil {
			t.Fatal(err)
		}
		nb := &Notebook{Cells: []*Cell{cell}}
		md, err := nb.Markdown(ExportOptions{})
		tex, err2 := nb.LaTeX(ExportOptions{})
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		got := ""
		for form, text := range map[string]string{"html": body(renderPage(t, nb, HTMLOptions{})), "md": md.Text, "tex": tex.Text} {
			if strings.Contains(text, "\n\\theSource\n") || text == "\\theSource\n" {
				got += form
			}
		}
		if got != c.want {
			t.Errorf("%s: in %q, want %q", c.meta, got, c.want)
		}
	}
}

// TestExportLibraryOnce: the library that viz.Inline put into the notebook is not
// in the page a second time.
func TestExportLibraryOnce(t *testing.T) {
	nb := &Notebook{Cells: []*Cell{display("text/html", "<script>"+echarts.InlineScript()+"</script>"), display("text/html", "<script>window.__chestviz</script>")}}
	if page := renderPage(t, nb, HTMLOptions{}); len(page) > len(echarts.PackedScript())+50_000 || !strings.Contains(page, echarts.PackedScript()) {
		t.Errorf("the page has %d bytes", len(page))
	}
}

// TestPrintKeepsCharts: on paper a chart is its picture; one without a picture
// stays a chart.
func TestPrintKeepsCharts(t *testing.T) {
	nb := &Notebook{Cells: []*Cell{{Kind: Code, Outputs: []*Output{
		{Kind: DisplayOutput, Data: map[string]any{"text/html": "<p>one</p><script>window.__chestviz</script>", "image/png": "AAAA"}},
	}}}}
	if page := renderPage(t, nb, HTMLOptions{Print: true}); strings.Contains(page, "<script>") || !strings.Contains(page, "base64,AAAA") {
		t.Errorf("the chart is not its picture:\n%s", body(page))
	}
	delete(nb.Cells[0].Outputs[0].Data, "image/png")
	if page := renderPage(t, nb, HTMLOptions{Print: true}); !strings.Contains(page, "<p>one</p>") || !strings.Contains(page, "DecompressionStream") {
		t.Errorf("the chart without a picture is gone:\n%s", body(page))
	}
}

func TestExportBadPicture(t *testing.T) {
	nb := &Notebook{Cells: []*Cell{{Kind: Markdown}, display("image/png", "no base64!")}}
	for name, export := range map[string]func(*Notebook, ExportOptions) (*Document, error){"Markdown": (*Notebook).Markdown, "LaTeX": (*Notebook).LaTeX} {
		if _, err := export(nb, ExportOptions{}); err == nil || !strings.HasPrefix(err.Error(), "notebook: "+name+": cell 2: image/png is no base64") {
			t.Errorf("%s: %v", name, err)
		}
	}
	nb.Cells[1].Outputs[0].Data["image/png"] = "AAAA" // base64, and no picture
	if doc, err := nb.LaTeX(ExportOptions{}); err != nil || len(doc.Files) > 0 || !strings.Contains(doc.Text, "plain <text>") {
		t.Errorf("bytes that are no picture: %v", err)
	}
}

func TestPDFWithoutProgram(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	nb := cells("x")
	if _, _, _, err := nb.PDF(t.Context(), PDFOptions{}); !errors.Is(err, ErrNoPDFProgram) || !strings.Contains(err.Error(), "install XeLaTeX") {
		t.Errorf("nothing installed: %v", err)
	}
	if _, _, _, err := nb.PDF(t.Context(), PDFOptions{With: "pdflatex"}); err == nil || !strings.Contains(err.Error(), "pdflatex is not installed") {
		t.Errorf("named and not installed: %v", err)
	}
	if _, _, _, err := nb.PDF(t.Context(), PDFOptions{With: "word"}); err == nil || !strings.Contains(err.Error(), "want one of xelatex, ") {
		t.Errorf("unknown: %v", err)
	}
}

// scraps are what Markdown, LaTeX, terminals and Unicode read as more than letters.
var scraps = []string{
	`\`, "{", "}", "$", "_", "^", "&", "%", "#", "~", "`", "```\n", "*", "**", "~~", "[", "]", "(", ")", "![", "](", "<", ">", "|", "| a | b |\n|--|--|\n| 1 | 2 |\n",
	"\n", "\n\n", "- ", "1. ", "> ", "# ", "## ", "    ", "\t", "a", "b c", "--", "''", `"`, "'", ":", "|:--|\n", "---\n", "***\n", "===\n", "- [ ] ", "[^1]",
	"  - x\n    1. y\n       - z\n         - w\n           - v\n             7. u\n               - t\n", "> > > > > q\n", "9. nine\n",
	"é", "中", "κ", "😀", "█", "─", "\u0301", "ﷺ", "ą", "\u200b", "\x1b[31m", "<b>", "</b>", "<br>", "<div>\n", "&amp;", "&#123;",
	"http://x.org/a_b", "<http://x.org/%zz>", `[x](http://a.b/c{d}\e^f)`, `\begin{x}`, `\end{ChestText}`, `\end{document}`, "$a_1$", "\n\n$$\nx\n$$\n\n",
}

// anything is a notebook of scraps in every place.
func anything(seed uint64) *Notebook {
	rng := rand.New(rand.NewPCG(seed, 1))
	text := func() string {
		var b strings.Builder
		for range rng.IntN(60) {
			b.WriteString(scraps[rng.IntN(len(scraps))])
		}
		return b.String()
	}
	nb := &Notebook{}
	for range 8 {
		nb.Cells = append(nb.Cells, &Cell{Kind: Markdown, Source: text()}, &Cell{Kind: Code, Source: text(), Outputs: []*Output{
			{Kind: StreamOutput, Text: text()}, {Kind: ErrorOutput, Traceback: []string{text()}},
			{Kind: DisplayOutput, Data: map[string]any{"text/html": text()}}, {Kind: DisplayOutput, Data: map[string]any{"text/markdown": text()}},
		}})
	}
	return nb
}

// TestLaTeXCompiles sets the golden notebook, and notebooks of anything, by the
// installed engines: a file, and no error on the way.
func TestLaTeXCompiles(t *testing.T) {
	found := false
	for _, engine := range []string{"pdflatex", "xelatex"} {
		if _, err := exec.LookPath(engine); err != nil {
			continue
		}
		found = true
		for seed := range uint64(3) {
			if _, _, notes, err := anything(seed).PDF(t.Context(), PDFOptions{With: engine}); err != nil || len(notes) > 0 {
				t.Errorf("%s, seed %d: %v %q", engine, seed, err, notes)
			}
		}
		pdf, with, notes, err := full(t).PDF(t.Context(), PDFOptions{With: engine})
		if err != nil || with != engine || len(notes) > 0 || !bytes.HasPrefix(pdf, []byte("%PDF-")) {
			t.Errorf("%s: %d bytes, %q, %v", engine, len(pdf), notes, err)
		}
		wrong := &Notebook{Cells: []*Cell{display("text/latex", `\nosuchcommand{x}`)}}
		if pdf, _, notes, err = wrong.PDF(t.Context(), PDFOptions{With: engine}); err != nil || len(pdf) == 0 ||
			len(notes) != 1 || !strings.Contains(notes[0], engine+" found errors") || !strings.Contains(notes[0], `\nosuchcommand`) {
			t.Errorf("%s: LaTeX with an error: %q, %v", engine, notes, err)
		}
		wrong.Cells[0].Outputs[0].Data["text/latex"] = `\makeatletter\@@end`
		if _, _, _, err := wrong.PDF(t.Context(), PDFOptions{With: engine}); err == nil || !strings.Contains(err.Error(), engine+" made no file: ") {
			t.Errorf("%s: no document: %v", engine, err)
		}
	}
	switch {
	case found:
	case os.Getenv("CHEST_FULL") == "1":
		t.Fatal("CHEST_FULL=1: neither pdflatex nor xelatex is installed (sh tests/install.sh)")
	default:
		t.Skip("SKIPPED: neither pdflatex nor xelatex is installed (sh tests/install.sh)")
	}
}

// FuzzExport: any text gives a document, LaTeX with one end, and the same twice.
func FuzzExport(f *testing.F) {
	f.Add("# a $x$\n- b `c`", "x\x1b[1m\\end{document}")
	f.Add(strings.Join(scraps, ""), strings.Join(scraps, ""))
	f.Fuzz(func(t *testing.T, source, text string) {
		nb := &Notebook{Cells: []*Cell{{Kind: Markdown, Source: source}, {Kind: Code, Source: text, Outputs: []*Output{
			{Kind: StreamOutput, Text: text}, {Kind: DisplayOutput, Data: map[string]any{"text/html": text}},
		}}}}
		tex, err := nb.LaTeX(ExportOptions{})
		if err != nil || strings.Count(tex.Text, `\end{document}`) != 1 || strings.Count(tex.Text, `\begin{Chest`) != strings.Count(tex.Text, `\end{Chest`) {
			t.Errorf("%q, %q: %v\n%s", source, text, err, tex.Text)
		}
		if _, err := nb.Markdown(ExportOptions{}); err != nil {
			t.Error(err)
		}
	})
}

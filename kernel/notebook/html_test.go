package notebook

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chestlab/chest/internal/echarts"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// page renders a notebook.
func renderPage(t *testing.T, nb *Notebook, o HTMLOptions) string {
	t.Helper()
	var b strings.Builder
	if err := nb.HTML(&b, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// body is a page without its head.
func body(page string) string {
	_, after, _ := strings.Cut(page, "<body>")
	return after
}

func TestHTMLGolden(t *testing.T) {
	nb, err := Read("testdata/full.ipynb")
	if err != nil {
		t.Fatal(err)
	}
	got := body(renderPage(t, nb, HTMLOptions{}))
	const golden = "testdata/full.html"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the page has changed; look at it and run go test -update\n%s", got)
	}
}

// loads finds what a browser would fetch for a page: all but links.
var loads = regexp.MustCompile(`(?i)(<(?:img|script|iframe|link|source|video|audio|embed|object|image|use)\b[^>]*\s(?:src|href|data|srcset|xlink:href)\s*=\s*["']?|@import\s+|url\(\s*["']?)([^"'\s)>]*)`)

func TestHTMLLoadsNothing(t *testing.T) {
	nb, err := Read("testdata/full.ipynb")
	if err != nil {
		t.Fatal(err)
	}
	nb.Cells = append(nb.Cells,
		&Cell{Kind: Markdown, Source: "![far](https://example.com/a.png) ![none](absent.png) ![up](../up.png) [link](https://example.com)"},
		display("text/html", `<div id="c"><img src="data:image/png;base64,AAAA" alt="a disk"></div><script>window.__chestviz</script>`))
	page := renderPage(t, nb, HTMLOptions{Dir: t.TempDir()})
	own := strings.Replace(page, echarts.PackedScript(), "", 1) // a browser test sees what that does
	if len(own) == len(page) {
		t.Error("the chart library is not in the page")
	}
	for _, m := range loads.FindAllStringSubmatch(own, -1) {
		if !strings.HasPrefix(m[2], "data:") && m[2] != "" {
			t.Errorf("the page loads %s (%s)", m[2], m[1])
		}
	}
	for _, s := range []string{
		`<a class="picture" href="https://example.com/a.png">far</a>`, `href="absent.png">none</a>`, `<a href="https://example.com">link</a>`,
		`alt="a disk"`, `default-src 'none'`,
	} {
		if !strings.Contains(page, s) {
			t.Errorf("the page lacks %s", s)
		}
	}
}

// display is a cell with one display output.
func display(mime, data string) *Cell {
	return &Cell{Kind: Code, Source: "show()", Count: 1, Outputs: []*Output{{Kind: DisplayOutput, Data: map[string]any{mime: data, "text/plain": "plain <text>"}}}}
}

func TestHTMLLibraryOnlyIfNeeded(t *testing.T) {
	const library = "DecompressionStream(\"gzip\")"
	for _, c := range []struct {
		html string
		want int
	}{{"<b>no chart</b>", 0}, {"<script>window.__chestviz=1</script>", 1}} {
		nb := &Notebook{Cells: []*Cell{display("text/html", c.html), display("text/html", c.html)}}
		if got := strings.Count(renderPage(t, nb, HTMLOptions{}), library); got != c.want {
			t.Errorf("%s twice: the library is there %d times, want %d", c.html, got, c.want)
		}
	}
}

func TestHTMLOutputs(t *testing.T) {
	cases := []struct{ name, mime, data, want string }{
		{"html as it is", "text/html", `<b onclick="f()">x</b>`, `<b onclick="f()">x</b>`},
		{"png", "image/png", "AA\nBB\n", `<img src="data:image/png;base64,AABB" alt="plain &lt;text&gt;">`},
		{"svg is inert", "image/svg+xml", `<svg onload="x()"/>`, `<img src="data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9IngoKSIvPg==" alt="plain &lt;text&gt;">`},
		{"markdown", "text/markdown", "**b** $a_1 b_2$", `<p><strong>b</strong> <span class="math">$a_1 b_2$</span></p>`},
		{"latex as text", "text/latex", `$x < \infty$`, `<pre class="output result">$x &lt; \infty$</pre>`},
		{"plain", "text/other", "", `<pre class="output result">plain &lt;text&gt;</pre>`},
		{"script", "application/javascript", `f("</script>")`, `<script>f("<\/script>")</script>`},
		{"bad base64 stays in its attribute", "image/png", `"><script>`, `base64,&#34;&gt;&lt;script&gt;"`},
	}
	for _, c := range cases {
		got := body(renderPage(t, &Notebook{Cells: []*Cell{display(c.mime, c.data)}}, HTMLOptions{}))
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: the page lacks %s\n%s", c.name, c.want, got)
		}
	}
}

func TestHTMLEscapesText(t *testing.T) {
	const evil = "</script><script>alert(1)</script><b>"
	nb := &Notebook{Cells: []*Cell{{Kind: Code, Count: 1, Source: "// " + evil, Outputs: []*Output{
		{Kind: StreamOutput, Name: "stdout", Text: evil},
		{Kind: ErrorOutput, EName: evil, EValue: evil},
		{Kind: ErrorOutput, Traceback: []string{"\x1b[31m" + evil}},
		{Kind: ResultOutput, Data: map[string]any{"text/plain": evil}},
		{Kind: DisplayOutput, Data: map[string]any{"application/json": map[string]any{"a": evil}}},
	}}}}
	page := renderPage(t, nb, HTMLOptions{Title: evil})
	if strings.Contains(page, "<script>") || strings.Contains(page, "<b>") {
		t.Errorf("text became markup:\n%s", body(page))
	}
	if got := strings.Count(page, "alert(1)"); got != 8 { // title, code, five outputs with one twice
		t.Errorf("the text is there %d times", got)
	}
}

func TestHTMLPictures(t *testing.T) {
	dir := t.TempDir()
	png := "\x89PNG\r\n\x1a\n"
	for name, data := range map[string]string{"a.png": png, "secret.txt": "text"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	inner := filepath.Join(dir, "inner")
	if err := os.Mkdir(inner, 0o700); err != nil {
		t.Fatal(err)
	}
	source := "![one *x*](a.png \"t\") ![two](secret.txt) ![three](../a.png)"
	got := body(renderPage(t, &Notebook{Cells: []*Cell{{Kind: Markdown, Source: source}}}, HTMLOptions{Dir: dir}))
	if !strings.Contains(got, `<img src="data:image/png;base64,iVBORw0KGgo=" alt="one x" title="t">`) {
		t.Errorf("no picture:\n%s", got)
	}
	if n := strings.Count(got, "<img"); n != 1 {
		t.Errorf("%d pictures, want 1:\n%s", n, got)
	}
	got = body(renderPage(t, &Notebook{Cells: []*Cell{{Kind: Markdown, Source: source}}}, HTMLOptions{Dir: inner}))
	if strings.Contains(got, "<img") {
		t.Errorf("a file outside the folder was read:\n%s", got)
	}
}

func TestMarkdownMath(t *testing.T) {
	cases := []struct{ in, want string }{
		{`$a_1 * b_1 * c$ and *x*`, `<p><span class="math">$a_1 * b_1 * c$</span> and <em>x</em></p>`},
		{`from $5 to $10`, `<p>from $5 to $10</p>`},
		{`a $ b $ c`, `<p>a $ b $ c</p>`},
		{`\$a_1$`, `<p>$a_1$</p>`},
		{"$a\n_b_$ c", "<p><span class=\"math\">$a\n_b_$</span> c</p>"},
		{`x $$a_1_b$$ y`, `<p>x <span class="math">$$a_1_b$$</span> y</p>`},
		{"$$\na\n- b < c\n+ d\n$$\nafter", "<div class=\"math\">$$\na\n- b &lt; c\n+ d\n$$</div>\n<p>after</p>"},
		{"$$x_1_y$$\n\nafter", "<div class=\"math\">$$x_1_y$$</div>\n<p>after</p>"},
		{"`$a$`", "<p><code>$a$</code></p>"},
		{"$$\nnever closed", "<div class=\"math\">$$\nnever closed</div>"},
		{"$", "<p>$</p>"},
		{"$$", "<div class=\"math\">$$</div>"},
	}
	for _, c := range cases {
		got, err := newMarkdown("").html(c.in, nil)
		if err != nil || strings.TrimSpace(got) != c.want {
			t.Errorf("%q: got %q, %v\nwant %q", c.in, strings.TrimSpace(got), err, c.want)
		}
	}
}

func TestANSI(t *testing.T) {
	cases := []struct{ in, html, plain string }{
		{"a\x1b[31mred\x1b[0m <b>", `a<span class="ansi-1">red</span> &lt;b&gt;`, "ared <b>"},
		{"\x1b[1;92mx\x1b[22my\x1b[39mz", `<span class="ansi-10 ansi-bold">x</span><span class="ansi-10">y</span>z`, "xyz"},
		{"\x1b[41mx\x1b[49my\x1b[mz", `<span class="ansi-bg-1">x</span>yz`, "xyz"},
		{"\x1b[38;5;9mx\x1b[38;2;1;2;3my\x1b[48;5;200;1mz", `<span class="ansi-9">x</span>y<span class="ansi-bold">z</span>`, "xyz"},
		{"a\x1b[2Kb\x1b]0;title\ac\x1b]8;;x\x1b\\d\x1b(e", "abcde", "abcde"},
		{"cut\x1b", "cut", "cut"},
		{"cut\x1b[31", "cut", "cut"},
		{"cut\x1b[3\nx", "cut\nx", "cut\nx"},
		{"bell\a tab\t", "bell tab\t", "bell tab\t"},
	}
	for _, c := range cases {
		if got := ansiHTML(c.in); got != c.html {
			t.Errorf("%q: HTML %q, want %q", c.in, got, c.html)
		}
		if got := plain(c.in); got != c.plain {
			t.Errorf("%q: plain %q, want %q", c.in, got, c.plain)
		}
	}
	for in, want := range map[string]string{
		"10%\r50%\r100%\nend": "100%\nend", "a\r\nb\r\n": "a\nb\n", "abc\b\bd": "ad", "plain": "plain", "x\r": "x",
	} {
		if got := onTerminal(in); got != want {
			t.Errorf("%q: on a terminal %q, want %q", in, got, want)
		}
	}
}

func FuzzANSI(f *testing.F) {
	f.Add("a\x1b[31;1mred\x1b[0m\x1b]0;t\a\x1b[38;5;1m")
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsAny(plain(s), "\x1b\r\a\b") {
			t.Errorf("%q: control characters in %q", s, plain(s))
		}
		if strings.ContainsAny(strings.NewReplacer(`<span class="`, "", `">`, "", "</span>", "").Replace(ansiHTML(s)), "<>\"") {
			t.Errorf("%q: markup in %q", s, ansiHTML(s))
		}
	})
}

func TestProgressOnTerminal(t *testing.T) {
	var b strings.Builder
	p := newProgress(&b, 2)
	p.terminal, p.width = true, 40
	p.begin(1, "train it")
	p.note("epoch 3/8 " + strings.Repeat("x", 100))
	p.print("loss 1\rloss 2\nhalf")
	p.print(" a line\x1b[31m\n")
	p.end("")
	p.close()
	screen := ""
	for _, s := range strings.SplitAfter(b.String(), "\n") { // what stays: the text after the last \r, without the erased
		s = s[strings.LastIndexByte(s, '\r')+1:]
		screen += strings.ReplaceAll(s, "\x1b[K", "")
	}
	if want := "[1/2] train it\n    loss 2\n    half a line\n[1/2] train it … 0.0 s\n"; screen != want {
		t.Errorf("the screen shows\n%s\nwant\n%s", screen, want)
	}
	for _, s := range strings.FieldsFunc(b.String(), func(r rune) bool { return r == '\r' || r == '\n' }) {
		if n := len([]rune(plain(s))); n >= 40 {
			t.Errorf("a line of %d characters on a terminal of 40: %q", n, s)
		}
	}
}

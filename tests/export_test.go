package tests

import (
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chestlab/chest/internal/echarts"
)

// committed are the notebooks of the repository.
func committed(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("../notebooks/*.ipynb")
	if err != nil || len(all) < 3 {
		t.Fatal(all, err)
	}
	return all
}

// export exports a notebook by chest and returns the document.
func export(t *testing.T, notebook, dir, to string, args ...string) (document, path string) {
	t.Helper()
	path = filepath.Join(dir, strings.TrimSuffix(filepath.Base(notebook), ".ipynb")+"."+to)
	r := chest(t, "", append([]string{"export", notebook, "--to", to, "-o", path}, args...)...)
	if r.code != 0 || r.stdout != "" {
		t.Fatalf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	return read(t, path), path
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// byNbconvert is the same by Jupyter's nbconvert.
func byNbconvert(t *testing.T, notebook, dir, to, ending string) string {
	t.Helper()
	cmd := exec.Command(need(t, "jupyter-nbconvert", "/usr/bin/jupyter-nbconvert"), "--to", to, "--output-dir", dir, notebook)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	if r := runCommand(t, cmd, ""); r.code != 0 {
		t.Fatalf("nbconvert: exit %d\n%s", r.code, r.stderr)
	}
	return read(t, filepath.Join(dir, strings.TrimSuffix(filepath.Base(notebook), ".ipynb")+"."+ending))
}

var (
	unseen  = regexp.MustCompile(`(?is)<!--.*?-->|<(script|style|head)\b.*?</(script|style|head)\s*>`)
	prompts = regexp.MustCompile(`(?is)<div class="[^"]*prompt[^"]*">.*?</div>`)
	anchors = regexp.MustCompile(`(?is)<a class="anchor-link".*?</a>`)
	tags    = regexp.MustCompile(`(?s)</?[A-Za-z][^>]*>`)
	mdImage = regexp.MustCompile(`!\[[^\]]*\]\([^)]*\)`)
	spans   = regexp.MustCompile(`</?span[^>]*>`)
	fenced  = regexp.MustCompile("(?ms)^```+[a-z]*$.*?^```+$")
	fences  = regexp.MustCompile("(?m)^```+[a-z]*$")
	// interactive is what stands in place of a chart of go-echarts that is not drawn.
	interactive = regexp.MustCompile(`\(interactive: it needs scripts[^)]*\)[^)]*\)`)

	word      = regexp.MustCompile(`[A-Za-z0-9]+(?:\.[0-9]+)?`)
	pygmented = regexp.MustCompile(`\\PY\{[^}]*\}\{([^{}]*)\}`)
	pygments  = regexp.MustCompile(`\\PYZ[a-z]+\{\}`)
	noWords   = regexp.MustCompile(`(?m)^\s*%.*$|\\prompt(?:\{[^}]*\}){3}|\\(?:hypertarget|label|begin|end)\{[^}]*\}(?:\[[^]]*\])?|\\(?:adjustimage|includegraphics).*`)
	spacing   = regexp.MustCompile(`\\(?:hspace|textcolor|cellspacing)\*?(?:\[[^]]*\])?\{[^}]*\}`)
	command   = regexp.MustCompile(`\\[A-Za-z]+\*?`)
)

// wordsOf is the words that a reader of a document sees.
func wordsOf(document, form string) map[string]bool {
	switch form {
	case "html", "md":
		if form == "md" { // what is fenced is text, tags and all
			document = fenced.ReplaceAllStringFunc(document, html.EscapeString)
		}
		document = unseen.ReplaceAllString(document, " ")
		document = anchors.ReplaceAllString(prompts.ReplaceAllString(document, " "), " ")
		document = fences.ReplaceAllString(mdImage.ReplaceAllString(document, " "), " ")
		if form == "html" { // inline tags stand within words, such as those of highlighted code
			document = spans.ReplaceAllString(document, "")
		}
		document = html.UnescapeString(tags.ReplaceAllString(document, " "))
	case "tex":
		_, document, _ = strings.Cut(document, `\maketitle`)
		document = strings.NewReplacer("\\chestcut{}\n", "", `\allowbreak{}`, "", `\_`, "_", "\\textbar{}", "|").Replace(document)
		document = pygmented.ReplaceAllString(pygments.ReplaceAllString(document, " "), "$1")
		document = spacing.ReplaceAllString(noWords.ReplaceAllString(document, " "), " ")
		document = command.ReplaceAllString(document, " ")
	}
	all := map[string]bool{}
	for _, w := range word.FindAllString(document, -1) {
		all[w] = true
	}
	return all
}

// pictureCounts is how many pictures each form of a document shows.
var pictureCounts = map[string]*regexp.Regexp{
	"html": regexp.MustCompile(`<img[^>]*src="data:image/`),
	"md":   regexp.MustCompile(`!\[[^\n]*\]\([^)\n]+\.(png|jpg|svg)\)|<img[^>]*src="data:image/`),
	"tex":  regexp.MustCompile(`\\(?:adjustimage|includegraphics).*\.(png|jpg|pdf)\}`),
}

// TestExportsHoldWhatNbconverts hold: every word and every picture that nbconvert
// shows of a committed notebook is in chest's document of the same form, which is
// smaller, apart from the library of charts, without which nbconvert's pages draw none.
func TestExportsHoldWhatNbconvertsHold(t *testing.T) {
	for _, form := range []struct{ ours, theirs, ending string }{{"html", "html", "html"}, {"md", "markdown", "md"}, {"tex", "latex", "tex"}} {
		t.Run(form.ours, func(t *testing.T) {
			if form.ours == "tex" {
				need(t, "pandoc") // nbconvert's LaTeX is pandoc's
			}
			for _, nb := range committed(t) {
				ours, _ := export(t, nb, t.TempDir(), form.ours)
				theirs := byNbconvert(t, nb, t.TempDir(), form.theirs, form.ending)
				if form.ours == "md" { // chest's has no scripts, and no hint at them
					theirs = interactive.ReplaceAllString(withoutScripts(theirs), "")
				}
				mine, want := wordsOf(ours, form.ours), wordsOf(theirs, form.ours)
				if form.ours == "tex" { // chest sets the first heading as title
					for w := range wordsOf("\\maketitle "+between(ours, `\title{`, "\n"), "tex") {
						mine[w] = true
					}
				}
				var lost []string
				for w := range want {
					if !mine[w] {
						lost = append(lost, w)
					}
				}
				if len(lost) > 0 || len(want) < 100 {
					t.Errorf("%s: nbconvert has %d words, of which these are lost: %q", nb, len(want), lost)
				}
				count := pictureCounts[form.ours]
				if a, b := len(count.FindAllString(ours, -1)), len(count.FindAllString(theirs, -1)); a < b || b == 0 && readSaved(t, nb).pictures() > 0 {
					t.Errorf("%s: %d pictures, nbconvert has %d", nb, a, b)
				}
				library := len(ours) - len(strings.Replace(ours, echarts.PackedScript(), "", 1))
				if library > 0 && strings.Contains(theirs, echarts.PackedScript()) {
					library = 0 // both have it
				}
				if len(ours)-library >= len(theirs) {
					t.Errorf("%s: %d bytes and a library of %d, nbconvert's has %d", nb, len(ours)-library, library, len(theirs))
				}
				t.Logf("%s: %d bytes and a library of %d, nbconvert %d", filepath.Base(nb), len(ours)-library, library, len(theirs))
			}
		})
	}
}

// pictures counts the pictures of the outputs.
func (nb saved) pictures() (n int) {
	for _, c := range nb.Cells {
		for _, o := range c.Outputs {
			if joined(o.Data["image/png"]) != "" {
				n++
			}
		}
	}
	return n
}

// between is what stands in s behind one text and before another.
func between(s, a, b string) string {
	_, s, _ = strings.Cut(s, a)
	s, _, _ = strings.Cut(s, b)
	return s
}

// TestExportsHoldOutputs: every output of the committed notebooks is in each form:
// each line of text, each cell of a table, each picture.
func TestExportsHoldOutputs(t *testing.T) {
	td := regexp.MustCompile(`(?s)<t[dh][^>]*>(.*?)</t[dh]>`)
	for _, nb := range committed(t) {
		for _, form := range []string{"html", "md", "tex"} {
			document, _ := export(t, nb, t.TempDir(), form)
			words := wordsOf(document, form)
			pictures := 0
			for _, c := range readSaved(t, nb).Cells {
				for _, o := range c.Outputs {
					text := joined(o.Text)
					if joined(o.Data["image/png"]) != "" {
						pictures++
					} else {
						text += joined(o.Data["text/plain"])
					}
					for _, cell := range td.FindAllStringSubmatch(joined(o.Data["text/html"]), -1) {
						text += " " + html.UnescapeString(tags.ReplaceAllString(spans.ReplaceAllString(cell[1], ""), " "))
					}
					for _, w := range word.FindAllString(text, -1) {
						if !words[w] {
							t.Errorf("%s: %q of an output is not in the %s form", nb, w, form)
						}
					}
				}
			}
			if got := len(pictureCounts[form].FindAllString(document, -1)); got < pictures {
				t.Errorf("%s: %d pictures in the %s form, the outputs have %d", nb, got, form, pictures)
			}
		}
	}
}

// TestExportedPictures: the files that Markdown and LaTeX name lie beside them.
func TestExportedPictures(t *testing.T) {
	dir := t.TempDir()
	name := regexp.MustCompile(`01_quickstart_files/[A-Za-z0-9_.-]+`)
	for _, form := range []string{"md", "tex"} {
		document, _ := export(t, "../notebooks/01_quickstart.ipynb", dir, form)
		all := name.FindAllString(document, -1)
		if len(all) != 3 {
			t.Errorf("%s: %q", form, all)
		}
		for _, f := range all {
			readPNG(t, filepath.Join(dir, filepath.FromSlash(f)))
		}
	}
}

// pages counts the pages of a PDF file by Chromium.
var pages = regexp.MustCompile(`/Type\s*/Page[^s]`)

// TestExportPDF makes PDF files by LaTeX and by Chromium.
func TestExportPDF(t *testing.T) {
	for _, with := range []string{"pdflatex", "chromium"} {
		t.Run(with, func(t *testing.T) {
			need(t, with)
			pdf, _ := export(t, "../notebooks/01_quickstart.ipynb", t.TempDir(), "pdf", "--with", with)
			if !strings.HasPrefix(pdf, "%PDF-") || len(pdf) < 100_000 {
				t.Errorf("%d bytes that begin with %.10q", len(pdf), pdf)
			}
			if n := len(pages.FindAllString(pdf, -1)); with == "chromium" && n < 2 {
				t.Errorf("%d pages", n)
			}
		})
	}
}

// TestExportPage opens the exported page without a network: its charts are drawn.
func TestExportPage(t *testing.T) {
	_, path := export(t, "../notebooks/01_quickstart.ipynb", t.TempDir(), "html")
	r := chromium(t, path, "--dump-dom")
	if n := strings.Count(r.stdout, "<canvas"); n < 2 {
		t.Errorf("%d canvases in the page; want a curve and a disk", n)
	}
	if strings.Contains(r.stderr, "CONSOLE") {
		t.Errorf("browser console:\n%s", r.stderr)
	}
}

// TestExportSays: what is wrong is one sentence, with its remedy.
func TestExportSays(t *testing.T) {
	dir := t.TempDir()
	empty := writeFile(t, dir, "empty.ipynb", `{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code", "source": "x := 1", "metadata": {}, "outputs": [], "execution_count": null}]}`)
	broken := writeFile(t, dir, "broken.ipynb", `{`)
	for _, c := range []struct {
		name string
		args []string
		path string
		code int
		want string
	}{
		{"not run", []string{empty, "--to", "md"}, "", 0, "has no outputs: it was not run, or saved without them; run it by: chest run "},
		{"no such form", []string{empty, "--to", "docx"}, "", 2, `--to "docx"; want html, md, tex or pdf`},
		{"no such file", []string{filepath.Join(dir, "absent.ipynb")}, "", 1, "absent.ipynb"},
		{"broken", []string{broken}, "", 1, "broken.ipynb: line 1, column "},
		{"over itself", []string{empty, "-o", empty}, "", 1, "would replace the notebook"},
		{"a folder", []string{empty, "-o", dir}, "", 1, "is a folder; name a file"},
		{"nothing that makes PDF", []string{empty, "--to", "pdf"}, dir, 1, "no program that makes PDF files is installed: install XeLaTeX"},
		{"program without pdf", []string{empty, "--with", "chromium"}, "", 2, "it goes with --to pdf"},
		{"no such program", []string{empty, "--to", "pdf", "--with", "word"}, "", 2, "is one of xelatex, "},
	} {
		cmd := exec.Command(buildChest(t), append([]string{"export"}, c.args...)...)
		cmd.Env = os.Environ()
		if c.path != "" {
			cmd.Env = append(cmd.Env, "PATH="+c.path)
		}
		if r := runCommand(t, cmd, ""); r.code != c.code || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%s: exit %d, want %d and %q in\n%s", c.name, r.code, c.code, c.want, r.stderr)
		}
	}
	if got := read(t, filepath.Join(dir, "empty.md")); got != "```go\nx := 1\n```\n" {
		t.Errorf("the default name, and no output: %q", got)
	}
}

// TestReportCommand makes a paper's folder of the records of a small study, and
// sets it.
func TestReportCommand(t *testing.T) {
	dir := t.TempDir()
	records, paper := filepath.Join(dir, "records"), filepath.Join(dir, "paper")
	if r := chest(t, "", "study", "losses", "--only", "triplet", "--seeds", "2", "--epochs", "1", "--dir", records); r.code != 0 {
		t.Fatal(r.stderr)
	}
	writeFile(t, records, "other.json", `{"a": 1}`)
	r := chest(t, "", "report", records, "--template", "paper", "-o", paper)
	if r.code != 0 || !strings.Contains(r.stderr, "left out: ") || !strings.Contains(r.stderr, "other.json: not a record") {
		t.Fatalf("exit %d\n%s", r.code, r.stderr)
	}
	for name, want := range map[string]string{
		"README.md": "mean ± std, n = 2", "tables/blazons.tex": `\toprule`, "tables/blazons.csv": "R@1,R@1 std,R@1 n,", "main.tex": `\input{tables/blazons}`, "figures/blazons-recall.pdf": "%PDF", "config.json": `"seeds"`,
	} {
		if got := read(t, filepath.Join(paper, filepath.FromSlash(name))); !strings.Contains(got, want) {
			t.Errorf("%s lacks %q:\n%s", name, want, got)
		}
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{paper}, 1, "no record in "},
		{[]string{filepath.Join(dir, "absent")}, 1, "name folders or files of records"},
		{[]string{records, "--template", "poster"}, 2, "there is paper"},
		{nil, 2, "want chest report RECORDS..."},
	} {
		if r := chest(t, "", append([]string{"report", "-o", filepath.Join(dir, "no")}, c.args...)...); r.code != c.code || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%q: exit %d\n%s", c.args, r.code, r.stderr)
		}
	}
	cmd := exec.Command(need(t, "pdflatex"), "-interaction=nonstopmode", "-halt-on-error", "main.tex")
	cmd.Dir = paper
	if r := runCommand(t, cmd, ""); r.code != 0 {
		t.Errorf("main.tex: exit %d\n%s", r.code, r.stdout)
	}
}

package viz

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"html"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
)

// signs holds everything that one of the forms reads as more than itself.
const signs = `& % $ # _ { } ~ ^ \ | < > * [x] ` + "`c`" + " é\nnext"

// results is a table with everything in it.
func results() *Table {
	return NewTable("Results of 50% & more", "method", "R@1", "MAP@R", "loss", "seeds").
		Percent("R@1", "MAP@R").Decimals(3, "loss").Best("R@1", "MAP@R").Least("loss").Label("tab:all_{1}").
		Row(signs, 0.5, MeanStd(0.40, 0.42), 1.25, 2).
		Published("Qian et al., \"SoftTriple\", ICCV 2019 & more", "Soft triple", 0.8614, MeanStd(0.43, 0.44, 0.45), 0.5, 3).
		Row("CHEST", 0.86139, MeanStd(0.44, 0.445), math.NaN(), 2).
		Published(`\cite{kim20}`, "Proxy anchor", 0.7).
		Published("Qian et al., \"SoftTriple\", ICCV 2019 & more", "normalised", nil, Stat{}, "n/a")
}

// few is a table whose means all have the same number of values.
func few() *Table {
	return NewTable("", "method", "R@1").Percent().Best().
		Row("proxy", MeanStd(0.5, 0.52)).Row("CHEST", MeanStd(0.6, 0.62)).Row("none", MeanStd()).Row("CHEST, one seed", 0.7).Row("fails", nil)
}

func TestTableGolden(t *testing.T) {
	for name, tab := range map[string]*Table{"table": results(), "table_few": few()} {
		b := tab.MIMEBundle()
		for mime, ending := range map[string]string{"text/html": ".html", "text/markdown": ".md", "text/latex": ".tex", "text/plain": ".txt", "text/csv": ".csv"} {
			golden(t, name+ending, b[mime].(string))
		}
		if len(b) != 5 {
			t.Errorf("%s: %d forms", name, len(b))
		}
	}
}

// otherTable is a table of another package.
type otherTable [][]any

func (s otherTable) Sheet() (string, []string, [][]any) {
	return "losses", []string{"loss", "rate", "R@1", "seeds"}, s
}

func TestTableOf(t *testing.T) {
	tab := TableOf(otherTable{{"chest", 0.00125, []float64{60, 62}, 2}, {"triplet", 1e-9, []float64(nil), 0}}).Best("R@1")
	want := NewTable("losses", "loss", "rate", "R@1", "seeds").Best("R@1").
		Row("chest", "0.00125", MeanStd(60, 62), 2).Row("triplet", "1e-09", nil, 0)
	if got, want := tab.LaTeX(), want.LaTeX(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if text := tab.Text(); !strings.Contains(text, "61.0 ± 1.4") || !strings.Contains(text, "0.00125") {
		t.Errorf("got\n%s", text)
	}
}

func TestTableEscapes(t *testing.T) {
	for _, c := range []struct{ in, markdown, latex, html string }{
		{"a & b", `a \& b`, `a \& b`, "a &amp; b"},
		{"50%", "50%", `50\%`, "50%"},
		{"$x$", `\$x\$`, `\$x\$`, "$x$"},
		{"#1", `\#1`, `\#1`, "#1"},
		{"a_b", `a\_b`, `a\_b`, "a_b"},
		{"{x}", `\{x\}`, `\{x\}`, "{x}"},
		{"~", `\~`, `\textasciitilde{}`, "~"},
		{"x^2", `x\^2`, `x\textasciicircum{}2`, "x^2"},
		{`a\b`, `a\\b`, `a\textbackslash{}b`, `a\b`},
		{`\{`, `\\\{`, `\textbackslash{}\{`, `\{`},
		{"a|b", `a\|b`, `a\textbar{}b`, "a|b"},
		{"<b>", `\<b\>`, `\textless{}b\textgreater{}`, "&lt;b&gt;"},
		{"[1]*", `\[1\]\*`, `{[}1]{*}`, "[1]*"},
		{"two\nlines", "two lines", "two lines", "two\nlines"},
		{"é", "é", "é", "é"},
	} {
		tab := NewTable("", "c").Row(c.in)
		for _, f := range []struct{ name, got, want string }{
			{"Markdown", tab.Markdown(), "| c |\n|:---|\n| " + c.markdown + " |\n"},
			{"LaTeX", tab.LaTeX(), "    " + c.latex + " \\\\\n"},
			{"HTML", tab.HTML(), `<td align="left">` + c.html + "</td>"},
		} {
			if !strings.Contains(f.got, f.want) {
				t.Errorf("%s of %q: no %q in\n%s", f.name, c.in, f.want, f.got)
			}
		}
	}
}

func TestTableMarks(t *testing.T) {
	for _, c := range []struct {
		name  string
		cells []any
		least bool
		want  string // b bold, u underlined
	}{
		{"largest", []any{1.0, 3.0, 2.0}, false, ".bu"},
		{"smallest", []any{1.0, 3.0, 2.0}, true, "b.u"},
		{"written the same", []any{1.04, 1.01, 0.9}, false, "bbu"},
		{"within one std of the best", []any{Stat{3, 1, 5}, 2.0, 1.9}, false, "bbu"},
		{"within one std of the other", []any{3.0, Stat{2, 1, 5}, 2.0}, false, "bbu"},
		{"not within", []any{Stat{3, 0.5, 5}, Stat{2, 0.9, 5}}, false, "bu"},
		{"two seconds", []any{9.0, Stat{3, 1, 5}, 2.0, 1.9}, false, "buu."},
		{"beside texts and gaps", []any{"n/a", nil, math.NaN(), 2.0}, false, "...b"},
		{"integers", []any{7, uint8(9), int64(9)}, false, "ubb"},
		{"nothing", []any{nil, "x"}, false, ".."},
		{"no rows", nil, false, ""},
	} {
		tab := NewTable("", "v").Best()
		if c.least {
			tab = NewTable("", "v").Least()
		}
		for _, v := range c.cells {
			tab.Row(v)
		}
		got := ""
		for _, m := range tab.marks(0) {
			got += string(".bu"[m])
		}
		if got != c.want {
			t.Errorf("%s: marks %s, want %s", c.name, got, c.want)
		}
	}
}

func TestTableCells(t *testing.T) {
	for _, c := range []struct {
		name string
		in   any
		want string
	}{
		{"text", "a", "a"},
		{"nothing in a column of nothing", nil, ""},
		{"float", 0.25, "25.0"},
		{"float32", float32(0.5), "50.0"},
		{"minus zero", math.Copysign(0, -1), "0.0"},
		{"integer", 12, "12"},
		{"big unsigned", uint64(math.MaxUint64), "18446744073709551615"},
		{"one value", MeanStd(0.5), "50.0"},
		{"no value", MeanStd(), dash},
		{"NaN", math.NaN(), dash},
		{"infinite Stat", MeanStd(1, math.Inf(1)), dash},
		{"mean and std", Stat{Mean: 0.861, Std: 0.002, N: 5}, "86.1 ± 0.2"},
		{"Stringer", 90 * time.Second, "1m30s"},
		{"any", []int{1}, "[1]"},
	} {
		tab := NewTable("", "c").Percent().Row(c.in)
		if got := tab.written(tab.look(), 0, 0); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestTableMissing: what is missing beside numbers is a dash in all forms but
// CSV, where it is nothing.
func TestTableMissing(t *testing.T) {
	tab := NewTable("", "a", "b").Row(1.0, "x").Row(nil, nil).Row().Row(math.Inf(-1))
	for form, want := range map[string]string{
		tab.Text():     "  –\n  –\n  –\n",
		tab.Markdown(): "| – |  |\n| – |  |\n| – |  |\n",
		tab.LaTeX():    "\\textendash{} &  \\\\\n    \\textendash{} &  \\\\\n    \\textendash{} &  \\\\\n",
		tab.HTML():     "<td align=\"right\">–</td><td align=\"left\"></td></tr>\n<tr><td align=\"right\">–</td>",
		tab.CSV():      "a,b\n1,x\n,\n,\n-Inf,\n",
	} {
		if !strings.Contains(form, want) {
			t.Errorf("no %q in\n%s", want, form)
		}
	}
	for _, form := range []string{tab.Text(), tab.Markdown(), tab.LaTeX(), tab.HTML()} {
		if n := strings.Count(form, "not finite: a of "); n != 1 {
			t.Errorf("the infinite number is told %d times in\n%s", n, form)
		}
	}
}

// TestTableCSV: a program reads the labels and the numbers back.
func TestTableCSV(t *testing.T) {
	all, err := csv.NewReader(strings.NewReader(results().CSV())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"method", "R@1", "MAP@R", "MAP@R std", "MAP@R n", "loss", "seeds", "source"}
	if !slices.Equal(all[0], want) || len(all) != 6 || all[1][0] != signs {
		t.Errorf("%q", all)
	}
	if mean, err := strconv.ParseFloat(all[3][2], 64); err != nil || mean != MeanStd(0.44, 0.445).Mean || all[3][4] != "2" || all[3][5] != "NaN" {
		t.Errorf("row %q", all[3])
	}
	if all[2][7] == "" || all[4][7] != `\cite{kim20}` || all[4][2] != "" {
		t.Errorf("published rows %q, %q", all[2], all[4])
	}
}

// TestTableCompiles sets every golden table, and every sign a label may have, by
// an installed LaTeX, with booktabs and the encodings of an article.
func TestTableCompiles(t *testing.T) {
	found := 0
	for _, engine := range []string{"pdflatex", "xelatex"} {
		path, err := exec.LookPath(engine)
		if err != nil {
			continue
		}
		found++
		all := NewTable("Every sign", "label")
		for r := rune(' '); r < 0x7f; r++ {
			all.Row(string(r)).Row("x" + string(r) + string(r) + "y")
		}
		for _, s := range []string{"é ß ø Å", "α β Ω", "≤ ± √ ‖ ℝ ✓", "a_{b}^2 \\frac{1}{2}", "0.5–1", "“x”"} {
			all.Row(s)
		}
		doc := "\\documentclass{article}\n\\usepackage{booktabs,amssymb,longtable}\n"
		if engine == "xelatex" {
			doc += "\\usepackage{fontspec}\n"
		}
		doc += "\\begin{document}\n" + results().LaTeX() + few().LaTeX() + "\\clearpage\n" +
			strings.NewReplacer("\\begin{table}[t]", "{\\tiny", "\\end{table}", "}", "\\caption", "\\emph", "tabular", "longtable").Replace(all.LaTeX()) +
			"\\cite{kim20}\\begin{thebibliography}{1}\\bibitem{kim20} Kim\\end{thebibliography}\\end{document}\n"
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "t.tex"), []byte(doc), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(path, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "t.tex")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil || strings.Contains(string(out), "Missing character") {
			t.Errorf("%s: %v\n%s", engine, err, out)
		}
	}
	switch {
	case found > 0:
	case os.Getenv("CHEST_FULL") == "1":
		t.Fatal("CHEST_FULL=1: neither pdflatex nor xelatex is installed (sh tests/install.sh)")
	default:
		t.Skip("SKIPPED: neither pdflatex nor xelatex is installed (sh tests/install.sh)")
	}
}

func TestTablePanics(t *testing.T) {
	for name, f := range map[string]func(){
		"too many cells": func() { NewTable("", "a").Row(1, 2) },
		"no such column": func() { NewTable("", "a").Best("b") },
		"decimals":       func() { NewTable("", "a").Decimals(-1) },
	} {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.HasPrefix(fmt.Sprint(r), "viz: table: ") {
					t.Errorf("%s: panic %v", name, r)
				}
			}()
			f()
		}()
	}
}

func TestMeanStd(t *testing.T) {
	for _, c := range []struct {
		in        []float64
		mean, std float64
	}{
		{nil, 0, 0},
		{[]float64{4}, 4, 0},
		{[]float64{1, 2, 3, 4}, 2.5, math.Sqrt(5.0 / 3)},
		{[]float64{1e9, 1e9 + 1}, 1e9 + 0.5, math.Sqrt(0.5)},
	} {
		s := MeanStd(c.in...)
		if math.Abs(s.Mean-c.mean) > 1e-9 || math.Abs(s.Std-c.std) > 1e-9 || s.N != len(c.in) {
			t.Errorf("MeanStd(%v) = %+v, want %g ± %g", c.in, s, c.mean, c.std)
		}
	}
}

func ExampleTable() {
	fmt.Print(NewTable("Blazons, unseen classes", "method", "R@1", "MAP@R").
		Percent().Best().
		Row("Soft triple", MeanStd(0.852, 0.856), 0.43).
		Row("CHEST", MeanStd(0.861, 0.865), 0.442))
	// Output:
	// Blazons, unseen classes
	// method              R@1   MAP@R
	// ────────────────────────────────
	// Soft triple  85.4 ± 0.3_   43.0_
	// CHEST        86.3 ± 0.3*   44.2*
	// mean ± std, n = 2
}

func TestStatString(t *testing.T) {
	for want, s := range map[string]Stat{"–": MeanStd(), "0.500": MeanStd(0.5), "2.000 ± 1.000 (3)": MeanStd(1, 2, 3)} {
		if s.String() != want {
			t.Errorf("%q, want %q", s.String(), want)
		}
	}
}

// TestTableLabelsSurvive: a reader of the Markdown and of the HTML sees each label
// as it was given.
func TestTableLabelsSurvive(t *testing.T) {
	cell := regexp.MustCompile(`(?s)<td[^>]*>(.*?)</td>`)
	seen := func(page string) string {
		m := cell.FindStringSubmatch(page)
		if m == nil || strings.ContainsAny(m[1], "<>") { // markup would be another label
			return "markup: " + page
		}
		return html.UnescapeString(m[1])
	}
	md := goldmark.New(goldmark.WithExtensions(extension.GFM))
	labels := []string{"&%$#_{}~^\\", "</script><script>alert(1)</script>", "<!-- x -->", "&amp; &lt;", "a_b_c **d** `e` ~~f~~", "[x](y) ![z](w)", "\\_ \\\\ \\", "|a|b|", "é κ 中", "1. a", "# h", "- l", "> q", "$x$ $$y$$"}
	for r := rune('!'); r < 0x7f; r++ {
		labels = append(labels, string(r), "x"+string(r)+string(r)+"y"+string(r))
	}
	for _, l := range labels {
		tab := NewTable("", "label").Row(l)
		var b bytes.Buffer
		if err := md.Convert([]byte(tab.Markdown()), &b); err != nil {
			t.Fatal(err)
		}
		if got := seen(b.String()); got != l {
			t.Errorf("Markdown shows %q as %q", l, got)
		}
		if got := seen(tab.HTML()); got != l {
			t.Errorf("HTML shows %q as %q", l, got)
		}
		all, err := csv.NewReader(strings.NewReader(tab.CSV())).ReadAll()
		if err != nil || len(all) != 2 || all[1][0] != l {
			t.Errorf("CSV has %q as %q, %v", l, all, err)
		}
		if !strings.Contains(tab.Text(), "\n"+l+"\n") {
			t.Errorf("text has %q as %q", l, tab.Text())
		}
	}
}

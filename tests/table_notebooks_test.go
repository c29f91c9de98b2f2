package tests

import (
	"fmt"
	"html"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chestlab/chest/datasets"
	"github.com/chestlab/chest/datasets/published"
)

// paperNotebooks are those of the tables and figures, 10 to 18.
func paperNotebooks(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../notebooks/1[0-8]_*.ipynb")
	if err != nil || len(files) < 4 {
		t.Fatal(files, err)
	}
	return files
}

// TestNoTypedNumbers: no number of a table is typed in. What a cell gives to Row and
// Published holds no literal number, and no variable that got one; and every number
// that an output shows as published is in the file of published numbers, of this
// method and this source.
func TestNoTypedNumbers(t *testing.T) {
	for _, f := range paperNotebooks(t) {
		nb := readSaved(t, f)
		for _, finding := range typedNumbers(nb.code()) {
			t.Errorf("%s: %s", f, finding)
		}
		for _, finding := range unsourced(nb) {
			t.Errorf("%s: %s", f, finding)
		}
	}
}

// TestTypedNumbersAreFound: the test above can fail.
func TestTypedNumbersAreFound(t *testing.T) {
	for code, want := range map[string]string{
		`t.Row("a", 86.1)`:                                                      "86.1",
		`t.Row("a", "86.1 ± 0.2")`:                                              `"86.1 ± 0.2"`,
		`t.Published("b", "a", nil, -3)`:                                        "3",
		`viz.NewTable("x", "a").Row(viz.MeanStd(4, 5))`:                         "4",
		`t.Row(viz.Stat{Mean: 86.1, N: 5})`:                                     "86.1",
		"x := 86.1\nt.Row(x)":                                                   "86.1",
		"var x = 86.1\nt.Row(float64(x))":                                       "86.1",
		"cells := []any{\"a\"}\ncells = append(cells, 7, s.R)\nt.Row(cells...)": "7",
		"s := []float64{8, 9}\nt.Row(\"a\", viz.MeanStd(s...))":                 "8",
		"m := map[string]float64{\"a\": 12.5}\nt.Row(m[\"a\"])":                 "12.5",
		"for _, v := range []float64{2.5, 3.5} {\nt.Row(v)\n}":                  "2.5",
		"a, b := f(), 62.5\nt.Row(b)":                                           "62.5",
		"r := struct{ v float64 }{44}\nt.Row(r.v)":                              "44",
		"x[0] = 86.1\nt.Row(x...)":                                              "86.1",
	} {
		if got := typedNumbers(code); len(got) == 0 || !strings.Contains(got[0], want) {
			t.Errorf("%s: found %q, want %s", code, got, want)
		}
	}
	for _, code := range []string{
		"t.Row(\"a\", r.At(1), 100*r.MAPR, fmt.Sprintf(\"%.3f\", r.X), all[0], xs[1:3])",
		"a, b := f(), 62.5\nt.Row(a)\nuse(b)",
		"n := 0\nn++\nt.Row(\"a\", n)",
		"m := chestlib.ModelOptions{DE: 64}\nt.Row(\"a\", m.DE)",
		"cells := []any{l.Row}\nfor _, m := range sweep.Measures {\ncells = append(cells, viz.MeanStd(l.Scores(m)...))\n}\nt.Row(cells...)",
		"t := viz.NewTable(\"R@1 of 4\", \"a\").Decimals(2)",
	} {
		if got := typedNumbers(code); len(got) > 0 {
			t.Errorf("%s: found %q", code, got)
		}
	}
	r := published.Rows("SOP", "R@1")[0]
	cell := func(method, number, source string) saved {
		var nb saved
		table := "<table><tbody>\n<tr><td>ours</td><td>1.5</td></tr>\n<tr><td align=\"left\">" + html.EscapeString(method) + "<sup>a</sup></td><td align=\"right\"><b>" + number + "</b></td></tr>\n</tbody>" +
			"<tfoot><tr><td colspan=\"2\"><small><sup>a</sup> as published: " + html.EscapeString(source) + "</small></td></tr></tfoot></table>"
		nb.Cells = append(nb.Cells, nb.newCell(table))
		return nb
	}
	number := strconv.FormatFloat(r.Numbers[0].Value, 'f', 1, 64)
	if got := unsourced(cell(r.Method, number, r.Source)); len(got) > 0 {
		t.Errorf("a number of the file: %q", got)
	}
	for _, bad := range []saved{cell(r.Method, "12.3", r.Source), cell("Another", number, r.Source), cell(r.Method, number, "a paper")} {
		if got := unsourced(bad); len(got) != 1 {
			t.Errorf("a number that is not in the file: %q", got)
		}
	}
}

// newCell is a code cell with a table as its output.
func (nb saved) newCell(table string) (c savedCell) {
	c.Type = "code"
	c.Outputs = append(c.Outputs, savedOutput{Type: "execute_result", Data: map[string]any{"text/html": table}})
	return c
}

// The parts of a table as viz.Table writes them.
var (
	publishedRow  = regexp.MustCompile(`<tr><td[^>]*>(.*?)<sup>([a-z]|\d+)</sup></td>(.*?)</tr>`)
	publishedNote = regexp.MustCompile(`<sup>([a-z]|\d+)</sup> as published: (.*?)</small>`)
	tag           = regexp.MustCompile(`<[^>]*>`)
	cellEnd       = regexp.MustCompile(`</td>`)
)

// unsourced are the numbers of rows marked as published that no line of the file
// has, of their method and source.
func unsourced(nb saved) (findings []string) {
	for _, c := range nb.Cells {
		for _, o := range c.Outputs {
			text := joined(o.Data["text/html"])
			sources := map[string]string{}
			for _, m := range publishedNote.FindAllStringSubmatch(text, -1) {
				sources[m[1]] = html.UnescapeString(m[2])
			}
			for _, m := range publishedRow.FindAllStringSubmatch(text, -1) {
				method := html.UnescapeString(tag.ReplaceAllString(m[1], ""))
				for _, part := range cellEnd.Split(m[3], -1) {
					v, err := strconv.ParseFloat(strings.TrimSpace(tag.ReplaceAllString(part, "")), 64)
					if err == nil && !inFile(method, sources[m[2]], v) {
						findings = append(findings, fmt.Sprintf("%g of %s is not among the published numbers of %q", v, method, sources[m[2]]))
					}
				}
			}
		}
	}
	return findings
}

// inFile says that the file has the number, or the size of an embedding, for a method
// and a source.
func inFile(method, source string, v float64) bool {
	for _, d := range published.Datasets() {
		for _, r := range published.Rows(d) {
			if r.Method == method && r.Source == source && (float64(r.Dim) == v || slices.ContainsFunc(r.Numbers, func(n published.Number) bool { return n.Value == v })) {
				return true
			}
		}
	}
	return false
}

// TestBenchmarkNotebook runs the notebook of the benchmarks on features of two of
// them: ours stand in their columns beside published rows, and what is absent is said.
func TestBenchmarkNotebook(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "features"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, splits := range map[string][]string{"cub-toy": {"train", "query"}, "inshop-toy": {"train", "query", "gallery"}} {
		if err := toyFeatures(splits).Save(filepath.Join(dir, "features", name+".safetensors")); err != nil {
			t.Fatal(err)
		}
	}
	out, runs := filepath.Join(dir, "out.ipynb"), filepath.Join(dir, "runs")
	t.Setenv("CHEST_DATA", dir)
	args := []string{"run", "../notebooks/10_table_benchmarks.ipynb", "-o", out, "-p", "data=omniglot,cub,sop,inshop", "-p", "epochs=1", "-p", "seeds=2", "-p", "dir=" + runs, "-p", "out=" + filepath.Join(dir, "report")}
	if r := chest(t, "", args...); r.code != 0 {
		t.Fatalf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	nb := readSaved(t, out)
	texts := nb.texts(t)
	for _, row := range []string{"chest, E toy 128", "chest, H toy 128", "softtriple, E toy 128", "pair-cross-entropy, H toy 128"} {
		if got := tableRow(t, texts, strings.Fields(row)...); len(got) != 2 { // cub and inshop
			t.Errorf("%s: %v", row, got)
		}
	}
	all := strings.Join(texts, "\n")
	for _, want := range []string{"omniglot: its files are not below CHEST_DATA", "sop: there are no features", "Cars196: nothing was measured", "as published:", "inshop, toy, CHEST against"} {
		if !strings.Contains(all, want) {
			t.Errorf("the outputs do not say %q:\n%s", want, all)
		}
	}
	if found := unsourced(nb); len(found) > 0 {
		t.Error(found)
	}
	if n := len(recorded(runs)); n != 2*7*(8+2) {
		t.Errorf("%d runs, want of 7 losses on 2 data sets 8 to choose and 2 seeds", n)
	}
	if _, err := os.Stat(filepath.Join(dir, "report", "tables", "benchmarks.tex")); err != nil {
		t.Error(err)
	}
}

// toyFeatures are 48 classes of 4 points in 8 dimensions for the first split, 12 others
// for the rest.
func toyFeatures(splits []string) *datasets.Features {
	rng := rand.New(rand.NewPCG(1, 2))
	f := &datasets.Features{D: 8}
	for k, split := range splits {
		first, n := 0, 48
		if k > 0 {
			first, n = 48, 12
		}
		for c := first; c < first+n; c++ {
			for range 4 {
				for j := range f.D {
					f.X = append(f.X, float32(c>>j&1)+0.3*float32(rng.NormFloat64()))
				}
				f.Labels, f.Splits = append(f.Labels, c), append(f.Splits, split)
			}
		}
	}
	return f
}

// TestStabilityNotebook runs the notebook of stability long enough for spikes to be
// counted: each variant has its numbers, and both spaces are compared.
func TestStabilityNotebook(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.ipynb")
	if r := chest(t, "", "run", "../notebooks/15_stability.ipynb", "-o", out, "-p", "epochs=2", "-p", "seeds=2"); r.code != 0 {
		t.Fatalf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	nb := readSaved(t, out)
	texts := nb.texts(t)
	for row, want := range map[string]int{"E ": 4, "H ": 4, "E + H ": 6, "E + H + tree": 6} {
		got := 0
		for _, text := range texts {
			for _, line := range strings.Split(text, "\n") {
				if strings.HasPrefix(strings.Join(strings.Fields(line), " "), row) && !(len(row) == 2 && strings.Contains(line, "E +")) {
					got = max(got, strings.Count(line, " ± "))
				}
			}
		}
		if got != want {
			t.Errorf("%s: %d numbers, want %d", row, got, want)
		}
	}
	if n := strings.Count(strings.Join(texts, "\n"), "over 2 seeds"); n < 8 {
		t.Errorf("%d comparisons", n)
	}
	if n := nb.count("text/html", "__chestviz"); n != 3 {
		t.Errorf("%d curves, want 3", n)
	}
}

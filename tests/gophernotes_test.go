package tests

import (
	"strings"
	"testing"
)

// TestGophernotesCells runs cells in the style of notebooks that were written
// for gophernotes: its display functions and Display, and what its examples
// take for granted.
func TestGophernotesCells(t *testing.T) {
	f := startKernel(t)
	for _, c := range []struct{ code, mime, out string }{
		// A pool of workers.
		{"import (\n\t\"fmt\"\n\t\"sync\"\n)", "", ""},
		{"func worker(id int, jobs <-chan int, results chan<- string, wg *sync.WaitGroup) {\n\tdefer wg.Done()\n\tfor j := range jobs {\n\t\tresults <- fmt.Sprintf(\"%d squared is %d\", j, j*j)\n\t}\n}", "", ""},
		{"jobs := make(chan int, 8)\nresults := make(chan string, 8)\nvar wg sync.WaitGroup\nfor w := 1; w <= 3; w++ {\n\twg.Add(1)\n\tgo worker(w, jobs, results, &wg)\n}", "", ""},
		{"for j := 1; j <= 4; j++ {\n\tjobs <- j\n}\nclose(jobs)\nwg.Wait()\nclose(results)\nn := 0\nfor r := range results {\n\tif len(r) > 0 {\n\t\tn++\n\t}\n}\nfmt.Println(n, \"results\")", "", "4 results"},
		// Matrices.
		{"import \"gonum.org/v1/gonum/mat\"", "", ""},
		{"a := mat.NewDense(2, 3, []float64{1, 2, 3, 4, 5, 6})\nb := mat.NewDense(3, 2, []float64{6, 5, 4, 3, 2, 1})", "", ""},
		{"var product mat.Dense\nproduct.Mul(a, b)\nfmt.Printf(\"%v\\n\", mat.Formatted(&product, mat.Squeeze()))", "", "20  14"},
		{"eig := mat.Eigen{}\nok := eig.Factorize(mat.NewDense(2, 2, []float64{2, 0, 0, 3}), mat.EigenRight)\nfmt.Println(ok, len(eig.Values(nil)))", "", "true 2"},
		// Display: documentation written as declarations, and every kind of output.
		{"func HTML(html string) display.Data\nfunc Any(mimeType string, data interface{}) display.Data", "", ""},
		{"type Shown = struct {\n\tData, Metadata, Transient display.MIMEMap\n}\nfunc make1() Shown { return display.Markdown(\"*one*\") }\nmake1()", "text/markdown", ""},
		{"display.HTML(\"<h1>title</h1>\")", "text/html", ""},
		{"Display(display.Math(\"e^{i\\\\pi}\"))", "text/latex", "$"},
		{"Display(display.JavaScript(\"1+1\"))", "application/javascript", ""},
		{"Display(display.SVG(\"<svg xmlns='http://www.w3.org/2000/svg'/>\"))", "image/svg+xml", ""},
		{"Display(display.MakeData(display.MIMETypeHTML, \"<i>x</i>\"))", "text/html", ""},
		{"Display(display.Any(\"\", \"plain words\"))", "text/plain", "plain words"},
		{"Display(display.Data{Data: display.MIMEMap{\"text/plain\": \"by hand\"}})", "text/plain", "by hand"},
		{"{\n\tDisplay(display.Auto(\"auto\"))\n}", "text/plain", "auto"},
		{"type H struct{ text string }\nfunc (h H) HTML() string { return \"<b>\" + h.text + \"</b>\" }\nH{\"bold\"}", "text/html", "<b>bold</b>"},
		{"bytes := []byte(\"shadow\")\nlen(bytes)", "text/plain", "6"},
		{"import \"bytes\"\nvar buf bytes.Buffer\nbuf.WriteString(\"x\")\nbuf.Len()", "text/plain", "1"},
		{"resp, err := fmt.Sscan(\"1\", new(int))\nresp, err := fmt.Sscan(\"2\", new(int))\next := \"unused\"", "", ""},
		// A plot.
		{"import (\n\t\"gonum.org/v1/plot\"\n\t\"gonum.org/v1/plot/plotter\"\n\t\"gonum.org/v1/plot/vg\"\n)", "", ""},
		{"p := plot.New()\np.Title.Text = \"line\"\nline, err := plotter.NewLine(plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 1}})\np.Add(line)\nw, err := p.WriterTo(4*vg.Inch, 3*vg.Inch, \"png\")\nDisplay(display.Any(\"image/png\", w))", "image/png", ""},
		{"$ echo from a program", "", "from a program"},
	} {
		a := f.cell(c.code)
		text := ""
		for _, m := range a.iopub {
			if k := m.Header.MsgType; k == "stream" || k == "display_data" || k == "execute_result" {
				text += string(m.Content)
			}
		}
		text = strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(text)
		if a.status() != "ok" || !strings.Contains(text, c.mime) || !strings.Contains(text, c.out) {
			t.Errorf("%q: want %q and %q; got %s, %.300s\n%s", c.code, c.mime, c.out, a.status(), text, a.failure())
		}
	}
}

package tests

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const oneCell = `{"cells":[{"cell_type":"code","execution_count":null,"metadata":{},"outputs":[],"source":["CODE"]}],
"metadata":{"kernelspec":{"name":"chest","display_name":"Go (chest)","language":"go"}},"nbformat":4,"nbformat_minor":4}`

// notebookOf is the text of a notebook of one cell.
func notebookOf(code string) string {
	r := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`)
	return strings.Replace(oneCell, "CODE", r.Replace(code), 1)
}

// TestBadInput: each kind of bad input ends with its exit code and one clear
// sentence that names what was wrong, and no panic.
func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	broken := writeFile(t, dir, "broken.ipynb", `{"cells": [`)
	old := writeFile(t, dir, "old.ipynb", `{"worksheets": [], "nbformat": 3, "nbformat_minor": 0, "metadata": {}}`)
	good := writeFile(t, dir, "good.ipynb", notebookOf("1 + 1"))
	quickstart := filepath.Join("..", "notebooks", "01_quickstart.ipynb")
	wrongLine := writeFile(t, dir, "wrong.ipynb", notebookOf("x := 1\ny := nowhere + x"))
	for _, c := range []struct {
		name string
		code int
		want []string // all in the output
		args []string
	}{
		{"missing notebook", 1, []string{"absent.ipynb", "no such file"}, []string{"run", filepath.Join(dir, "absent.ipynb")}},
		{"broken notebook", 1, []string{"broken.ipynb", "line 1"}, []string{"run", broken}},
		{"old notebook", 1, []string{"old.ipynb", "nbformat 3"}, []string{"run", old}},
		{"unknown parameter", 1, []string{"depth", "epochs (now 14)"}, []string{"run", quickstart, "-p", "depth=3"}},
		{"wrong parameter", 1, []string{"epochs", "many"}, []string{"run", quickstart, "-p", "epochs=many"}},
		{"parameter without a cell for it", 1, []string{"parameters"}, []string{"run", good, "-p", "depth=3"}},
		{"parameter without value", 1, []string{"depth"}, []string{"run", quickstart, "-p", "depth"}},
		{"negative timeout", 2, []string{"--timeout", "-2s"}, []string{"run", good, "--timeout", "-2s"}},
		{"output is a folder", 1, []string{"is a folder", dir}, []string{"run", good, "-o", dir}},
		{"output below a file", 1, []string{"good.ipynb", "not a directory"}, []string{"run", good, "-o", filepath.Join(good, "x.ipynb")}},
		{"page replaces the notebook", 1, []string{"would replace"}, []string{"run", good, "--html", good}},
		{"page replaces the output", 1, []string{"would replace"}, []string{"run", good, "-o", filepath.Join(dir, "new"), "--html", filepath.Join(dir, "new")}},
		{"unknown flag", 2, []string{"--fast"}, []string{"run", good, "--fast"}},
		{"unknown command", 2, []string{"walk"}, []string{"walk"}},
		{"failing cell", 1, []string{"2:6", "nowhere"}, []string{"run", wrongLine}},
		{"missing script", 1, []string{"absent.go"}, []string{"exec", filepath.Join(dir, "absent.go")}},
		{"missing connection file", 1, []string{"absent.json"}, []string{"kernel", filepath.Join(dir, "absent.json")}},
		{"broken connection file", 1, []string{"broken.ipynb"}, []string{"kernel", broken}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := chest(t, "", c.args...)
			all := r.stdout + r.stderr
			if r.code != c.code {
				t.Errorf("exit %d, want %d\n%s", r.code, c.code, all)
			}
			for _, w := range c.want {
				if !strings.Contains(all, w) {
					t.Errorf("the output does not name %q:\n%s", w, all)
				}
			}
			if strings.Contains(all, "goroutine ") {
				t.Errorf("a Go traceback:\n%s", all)
			}
		})
	}
}

// TestFailedRunIsWritten: when a cell fails, what ran before it is in the
// executed notebook, and so is the error.
func TestFailedRunIsWritten(t *testing.T) {
	dir := t.TempDir()
	in := writeFile(t, dir, "in.ipynb", strings.Replace(notebookOf("println_ := 41\nprintln_ + 1"), "}],", `},
		{"cell_type":"code","execution_count":null,"metadata":{},"outputs":[],"source":["panic(\"lost\")"]}],`, 1))
	out := filepath.Join(dir, "out.ipynb")
	r := chest(t, "", "run", in, "-o", out)
	if r.code != 1 || !strings.Contains(r.stdout+r.stderr, "lost") {
		t.Fatalf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(raw, []byte(`"42"`)) || !bytes.Contains(raw, []byte("lost")) {
		t.Errorf("the executed notebook lacks the value or the error:\n%s", raw)
	}
}

// TestTruncatedZip: a zip file cut in half is an error that names the file.
func TestTruncatedZip(t *testing.T) {
	dir := t.TempDir()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, n := range []string{"images_background_small1/A/character01/0001_01.png"} {
		w, err := z.Create(n)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(bytes.Repeat([]byte("no png"), 1000))
	}
	z.Close()
	for _, n := range []string{"images_background_small1.zip", "images_background_small2.zip"} {
		if err := os.WriteFile(filepath.Join(dir, n), b.Bytes()[:b.Len()/2], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	script := `_, err := datasets.Omniglot("` + dir + `", datasets.OmniglotOptions{})` + "\nerr"
	r := chest(t, script, "exec", "-")
	if all := r.stdout + r.stderr; !strings.Contains(all, "images_background_small1.zip") || strings.Contains(all, "goroutine ") {
		t.Errorf("exit %d\n%s", r.code, all)
	}
}

// TestScripts: what a script prints and what its exit code is.
func TestScripts(t *testing.T) {
	for _, c := range []struct {
		name, script, out string
		code              int
	}{
		{"value", "x := 20\nx + 1", "21\n", 0},
		{"cells", "x := 1\n// %%\nx = x + 1\nx", "2\n", 0},
		{"program", "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(\"hello\") }\n", "hello\n", 0},
		{"exit code", "import \"os\"\nfmt.Println(1)\nos.Exit(3)\nfmt.Println(2)", "1\n", 3},
		{"library", "poincare.Distance0([]float64{0.5, 0}, 1)", "", 1},
		{"imported", "import \"github.com/chestlab/chest/chestlib/poincare\"\nfmt.Printf(\"%.6f\", poincare.Distance0([]float64{0.5, 0}, 1))", "1.098612", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := chest(t, c.script, "exec", "-")
			if r.code != c.code || r.stdout != c.out {
				t.Errorf("exit %d, printed %q, want %d and %q\n%s", r.code, r.stdout, c.code, c.out, r.stderr)
			}
		})
	}
}

// TestPromptKeepsState pipes cells, one of them over two lines and one that
// fails: values go to standard output, without prompts, errors to the other.
func TestPromptKeepsState(t *testing.T) {
	r := chest(t, "x := 3\nfunc f() int {\nreturn x * 2 }\nnowhere\nf() + 1\n", "repl")
	if r.code != 0 || r.stdout != "7\n" || !strings.Contains(r.stderr, "In[3]:1:1") {
		t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

package tests

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/engine/cuda/fakecuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
)

// elsewhere lists the pages whose Go snippets another test runs.
var elsewhere = map[string]string{
	"../README.md":        "TestReadme",
	"../docs/data.md":     "TestDataPage",
	"../docs/gorgonia.md": "TestDocs of chestlib/engine/graph",
}

// piece is a block of a page: a fenced one, or a comment that begins with "run
// first", whose lines are run and not shown.
var piece = regexp.MustCompile("(?ms)^<!-- run first\n(.*?)^-->$|^```([^\n]*)\n(.*?)^```$")

// shownCell is a snippet of a page and what the page shows of its output.
type shownCell struct {
	code    string
	fails   bool     // the page shows a cell that ends with an error
	outputs []string // lines that must be there
}

// cellsOf reads the snippets of a page. Blocks are
//
//	```go          a cell
//	```go fails    a cell that ends with an error
//	```text        behind a cell: lines that it prints, shows or fails with
func cellsOf(t *testing.T, text string) (cells []shownCell) {
	t.Helper()
	for _, m := range piece.FindAllStringSubmatch(text, -1) {
		switch first, kind, body := m[1], m[2], m[3]; {
		case first != "":
			cells = append(cells, shownCell{code: first})
		case kind == "go" || kind == "go fails":
			cells = append(cells, shownCell{code: body, fails: kind == "go fails"})
		case strings.HasPrefix(kind, "go"):
			t.Errorf("a block of kind %q: want go or go fails", kind)
		case kind == "text" && len(cells) > 0:
			cells[len(cells)-1].outputs = strings.Split(strings.TrimSpace(body), "\n")
		}
	}
	return cells
}

// TestDocsCells runs the Go snippets of each page as the cells of a notebook, in
// their order and in one folder, and looks for the output that the page shows.
func TestDocsCells(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatal(err, pages)
	}
	for _, page := range append(pages, "../CONTRIBUTING.md") {
		raw, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		cells := cellsOf(t, string(raw))
		if elsewhere[page] != "" || len(cells) == 0 {
			continue
		}
		t.Run(filepath.Base(page), func(t *testing.T) { runPage(t, cells, strings.Contains(string(raw), `On("cuda`)) })
	}
}

// runPage runs the cells of a page; gpu: on the fake driver.
func runPage(t *testing.T, cells []shownCell, gpu bool) {
	t.Helper()
	dir := t.TempDir()
	var list []map[string]any
	for _, c := range cells {
		tags := []string{}
		if c.fails {
			tags = append(tags, "raises-exception")
		}
		list = append(list, map[string]any{"cell_type": "code", "source": c.code, "outputs": []any{},
			"execution_count": nil, "metadata": map[string]any{"tags": tags}})
	}
	raw, err := json.Marshal(map[string]any{"cells": list, "metadata": map[string]any{}, "nbformat": 4, "nbformat_minor": 4})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(buildChest(t), "run", writeFile(t, dir, "page.ipynb", string(raw)), "-o", filepath.Join(dir, "done.ipynb"))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CHEST_DATA=")
	if gpu {
		fake := fakecuda.Needed(t, kernels.Sources)
		cmd.Env = append(cmd.Env, "CHEST_CUDA_DRIVER="+fake)
	}
	r := runCommand(t, cmd, "")
	if r.code != 0 {
		t.Fatalf("exit %d\n%s", r.code, r.stderr)
	}
	for i, got := range cellOutputs(t, filepath.Join(dir, "done.ipynb")) {
		if c := cells[i]; c.fails && !strings.Contains(got, "\x00failed") {
			t.Errorf("the page says that this cell fails:\n%s", c.code)
		}
		for _, line := range cells[i].outputs {
			if !strings.Contains(squeezed(got), squeezed(line)) {
				t.Errorf("the page shows %q, but the cell\n%s\ngives\n%s", line, cells[i].code, got)
			}
		}
	}
}

// squeezed is text with one space where there are more.
func squeezed(s string) string { return strings.Join(strings.Fields(s), " ") }

var colour = regexp.MustCompile("\x1b\\[[0-9;]*m")

// cellOutputs is the text of all outputs of each cell of an executed notebook,
// with "\x00failed" for an error.
func cellOutputs(t *testing.T, path string) (all []string) {
	t.Helper()
	var nb struct {
		Cells []struct {
			Outputs []struct {
				Kind      string `json:"output_type"`
				Text      lines
				Traceback []string
				Data      map[string]json.RawMessage
			}
		}
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &nb); err != nil {
		t.Fatal(err)
	}
	for _, c := range nb.Cells {
		text := ""
		for _, o := range c.Outputs {
			var plain lines
			json.Unmarshal(o.Data["text/plain"], &plain)
			text += string(o.Text) + strings.Join(o.Traceback, "\n") + string(plain) + "\n"
			if o.Kind == "error" {
				text += "\x00failed"
			}
		}
		all = append(all, colour.ReplaceAllString(text, ""))
	}
	return all
}

// lines is text that a notebook holds as a string or as a list of lines.
type lines string

func (l *lines) UnmarshalJSON(raw []byte) error {
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		*l = lines(strings.Join(list, ""))
		return nil
	}
	return json.Unmarshal(raw, (*string)(l))
}

// TestCellsOf: what the test of the pages reads of one.
func TestCellsOf(t *testing.T) {
	cells := cellsOf(t, "<!-- run first\nx := 1\n-->\n```go\nx\n```\n\n```text\n1\n```\n```sh\nls\n```\n```go fails\nnope\n```\n")
	if len(cells) != 3 || cells[0].code != "x := 1\n" || cells[1].outputs[0] != "1" || !cells[2].fails || cells[1].fails {
		t.Errorf("%+v", cells)
	}
}

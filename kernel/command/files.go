package command

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/chestlab/chest/kernel/eval"
)

func cd(sh *Shell, _ context.Context, _ eval.Cell, dir string) eval.Result {
	was, err := os.Getwd()
	if err != nil {
		return failed("%v", err)
	}
	switch {
	case dir == "-" && sh.before == "":
		return failed("%%cd -: there is no folder before this one")
	case dir == "-":
		dir = sh.before
	case dir == "" || dir == "~" || strings.HasPrefix(dir, "~/"):
		home, err := os.UserHomeDir()
		if err != nil {
			return failed("%%cd: %v", err)
		}
		dir = filepath.Join(home, strings.TrimPrefix(dir, "~"))
	}
	if err := os.Chdir(dir); err != nil {
		return failed("%%cd: %v", err)
	}
	sh.before = was
	return pwd(sh, nil, eval.Cell{}, "")
}

func pwd(sh *Shell, _ context.Context, _ eval.Cell, _ string) eval.Result {
	dir, err := os.Getwd()
	if err != nil {
		return failed("%v", err)
	}
	fmt.Fprintln(sh.out, dir)
	return eval.Result{}
}

func ls(sh *Shell, _ context.Context, _ eval.Cell, dir string) eval.Result {
	if dir == "" {
		dir = "."
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return failed("%%ls: %v", err)
	}
	for _, e := range list {
		name := e.Name()
		if e.IsDir() {
			name += "/"
		}
		fmt.Fprintln(sh.out, name)
	}
	return eval.Result{}
}

func env(sh *Shell, _ context.Context, _ eval.Cell, arg string) eval.Result {
	name, value, set := strings.Cut(arg, "=")
	switch {
	case arg == "":
		for _, e := range os.Environ() {
			fmt.Fprintln(sh.out, e)
		}
	case set:
		if err := os.Setenv(strings.TrimSpace(name), strings.TrimSpace(value)); err != nil {
			return failed("%%env: %v", err)
		}
	default:
		value, ok := os.LookupEnv(arg)
		if !ok {
			return failed("%%env: %s is not set", arg)
		}
		fmt.Fprintln(sh.out, value)
	}
	return eval.Result{}
}

const loadLimit = 1 << 20 // bytes of a file that a cell can hold

func load(sh *Shell, _ context.Context, _ eval.Cell, path string) eval.Result {
	code, err := read(path)
	if err != nil {
		return failed("%%load: %v", err)
	}
	return eval.Result{NextInput: code}
}

// read is a file of moderate size.
func read(path string) (string, error) {
	if path == "" {
		return "", fmt.Errorf("needs the name of a file")
	}
	st, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if st.IsDir() || st.Size() > loadLimit {
		return "", fmt.Errorf("%s is a folder or larger than %d bytes", path, loadLimit)
	}
	b, err := os.ReadFile(path)
	return string(b), err
}

// runFile runs a script, or the code cells of a notebook one after the other.
func runFile(sh *Shell, ctx context.Context, _ eval.Cell, path string) eval.Result {
	text, err := read(path)
	if err != nil {
		return failed("%%run: %v", err)
	}
	cells := []string{text}
	if strings.HasSuffix(path, ".ipynb") {
		if cells, err = notebookCells(text); err != nil {
			return failed("%%run: %s: %v", path, err)
		}
	}
	var res eval.Result
	for i, code := range cells {
		name := filepath.Base(path)
		if len(cells) > 1 {
			name = fmt.Sprintf("%s[%d]", name, i+1)
		}
		if res = sh.Run(ctx, eval.Cell{Name: name, Code: code}); res.Err != nil {
			return res
		}
	}
	return res
}

// source is the text of a notebook's cell: a string or a list of lines.
type source string

func (s *source) UnmarshalJSON(b []byte) error {
	var lines []string
	if json.Unmarshal(b, &lines) == nil {
		*s = source(strings.Join(lines, ""))
		return nil
	}
	return json.Unmarshal(b, (*string)(s))
}

func notebookCells(text string) (cells []string, err error) {
	var nb struct {
		Cells []struct {
			Type   string `json:"cell_type"`
			Source source `json:"source"`
		} `json:"cells"`
	}
	if err := json.Unmarshal([]byte(text), &nb); err != nil {
		return nil, fmt.Errorf("not a notebook: %w", err)
	}
	for _, c := range nb.Cells {
		if c.Type == "code" {
			cells = append(cells, string(c.Source))
		}
	}
	return cells, nil
}

func save(sh *Shell, _ context.Context, _ eval.Cell, args string) eval.Result {
	words := strings.Fields(args)
	if len(words) == 0 || len(words) > 2 {
		return failed("%%save needs a file, and may have the numbers of cells, such as %%save work.go 2-5")
	}
	from, to := 1, len(sh.done)
	if len(words) == 2 {
		a, b, isRange := strings.Cut(words[1], "-")
		var err1, err2 error
		from, err1 = strconv.Atoi(a)
		to = from
		if isRange {
			to, err2 = strconv.Atoi(b)
		}
		if err1 != nil || err2 != nil || from < 1 || to < from || to > len(sh.done) {
			return failed("%%save: %s: there are cells 1 to %d that succeeded", words[1], len(sh.done))
		}
	}
	cells := sh.done[from-1 : max(to, from-1)]
	text := strings.Join(cells, "\n\n") + "\n"
	if strings.HasSuffix(words[0], ".ipynb") {
		text = asNotebook(cells)
	}
	if err := os.WriteFile(words[0], []byte(text), 0o644); err != nil {
		return failed("%%save: %v", err)
	}
	fmt.Fprintf(sh.out, "%d cells to %s\n", len(cells), words[0])
	return eval.Result{}
}

// asNotebook is code cells as a notebook without outputs.
func asNotebook(cells []string) string {
	type cell struct {
		Type     string         `json:"cell_type"`
		Count    *int           `json:"execution_count"`
		Metadata map[string]any `json:"metadata"`
		Outputs  []any          `json:"outputs"`
		Source   string         `json:"source"`
	}
	list := []cell{}
	for _, c := range cells {
		list = append(list, cell{"code", nil, map[string]any{}, []any{}, c})
	}
	b, err := json.MarshalIndent(map[string]any{
		"cells": list, "nbformat": 4, "nbformat_minor": 4,
		"metadata": map[string]any{"kernelspec": map[string]any{"display_name": "Go (chest)", "language": "go", "name": "chest"}},
	}, "", " ")
	if err != nil {
		panic(fmt.Sprintf("command: a notebook of strings: %v", err))
	}
	return string(b) + "\n"
}

package notebook

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestRoundTripNbformat writes what nbformat wrote: byte for byte the same.
func TestRoundTripNbformat(t *testing.T) {
	const path = "testdata/full.ipynb"
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	nb, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := nb.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	a, b := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Fatalf("line %d:\ngot  %s\nwant %s", i+1, a[i], b[i])
		}
	}
	if len(a) != len(b) {
		t.Errorf("%d lines, want %d", len(a), len(b))
	}
}

func TestReadModel(t *testing.T) {
	nb, err := Read("testdata/full.ipynb")
	if err != nil {
		t.Fatal(err)
	}
	if got := nb.Title(); got != "Points & curves <in> $B^n$" {
		t.Errorf("title %q", got)
	}
	c := nb.Cells[3]
	if c.Kind != Code || c.Count != 2 || c.ID != "cell-3" || !strings.HasPrefix(c.Source, "for i := range 3 {\n\tfmt") || len(c.Outputs) != 8 {
		t.Errorf("cell %+v", c)
	}
	if out := c.Outputs[0]; out.Text != "0 </script>\n1 </script>\n2 </script>\n" {
		t.Errorf("stream %q", out.Text)
	}
	if !reflect.DeepEqual(nb.Cells[2].Tags(), []string{"parameters"}) {
		t.Errorf("tags %q", nb.Cells[2].Tags())
	}
}

func TestParseForms(t *testing.T) {
	for _, s := range []string{`"a\nb"`, `["a\n", "b"]`, `["a\nb"]`} {
		nb, err := Parse([]byte(`{"nbformat": 4, "nbformat_minor": 0, "cells": [{"cell_type": "code", "source": ` + s + `}]}`))
		if err != nil || nb.Cells[0].Source != "a\nb" {
			t.Errorf("%s: %v", s, err)
		}
	}
	nb, err := Parse([]byte("\ufeff" + `{"nbformat": 4}`))
	if err != nil || len(nb.Cells) != 0 {
		t.Errorf("byte order mark: %v", err)
	}
	unknown := `{"nbformat":4,"nbformat_minor":9,"cells":[{"cell_type":"code","source":"","outputs":[{"output_type":"new","x":[1]}]}]}`
	if nb, err = Parse([]byte(unknown)); err != nil {
		t.Fatal(err)
	}
	if b, err := nb.Bytes(); err != nil || !strings.Contains(string(b), `"output_type": "new"`) || !strings.Contains(string(b), `"x": [`) {
		t.Errorf("an output of an unknown kind: %s, %v", b, err)
	}
}

func TestReadErrors(t *testing.T) {
	const head = `{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": `
	cases := []struct{ name, file, want string }{
		{"empty", "", "line 1, column 1: broken JSON"},
		{"broken", "{\n \"é\": 1,\n \"b\": x}", "line 3, column 7: broken JSON"},
		{"cut", "{\"nbformat\": 4,\n", "line 2, column"},
		{"trailing", "{\"nbformat\": 4}\n{}", "line 2, column 1: broken JSON"},
		{"a list", "[]", "not a notebook: the file holds a list"},
		{"other JSON", `{"a": 1}`, `it has no "nbformat"`},
		{"nbformat 3", `{"nbformat": 3, "worksheets": []}`, "nbformat 3 is not supported"},
		{"nbformat 5", `{"nbformat": 5}`, "nbformat 5 is not supported"},
		{"cells", head + `{}}`, "cells is an object, want a list"},
		{"cell", head + `[3]}`, "cell 1: a number, want an object"},
		{"cell type", head + `[{"cell_type": "code", "source": ""}, {"cell_type": "x"}]}`, `cell 2: cell_type is "x"`},
		{"source", head + `[{"cell_type": "code", "source": 3}]}`, "cell 1: source is a number, want text"},
		{"source lines", head + `[{"cell_type": "code", "source": ["a", 3]}]}`, "cell 1: source is a list, want text"},
		{"count", head + `[{"cell_type": "code", "execution_count": 1.5}]}`, "cell 1: execution_count is 1.5, want a whole number"},
		{"output", head + `[{"cell_type": "code", "outputs": [null]}]}`, "cell 1: output 1 is null"},
		{"metadata", head + `[{"cell_type": "code", "metadata": []}]}`, "cell 1: metadata is a list, want an object"},
	}
	path := filepath.Join(t.TempDir(), "x.ipynb")
	for _, c := range cases {
		if err := os.WriteFile(path, []byte(c.file), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Read(path)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v\nwant the path and %q", c.name, err, c.want)
		}
	}
	if _, err := Read(path + "x"); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("missing file: %v", err)
	}
	if _, err := Read(t.TempDir()); err == nil {
		t.Error("a folder was read")
	}
}

func TestWriteKeepsModeAndLink(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "nb.ipynb"), filepath.Join(dir, "link.ipynb")
	if err := os.WriteFile(file, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Skip("no symbolic links:", err)
	}
	if err := cells("x").Write(link); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Lstat(file); err != nil || st.Mode() != 0o640 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if st, err := os.Lstat(link); err != nil || st.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v", err)
	}
	if nb, err := Read(file); err != nil || nb.Cells[0].Source != "x" {
		t.Errorf("read back: %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("left behind: %v", entries)
	}
	if err := cells("x").Write(filepath.Join(dir, "absent", "nb.ipynb")); err == nil || !strings.Contains(err.Error(), "absent") {
		t.Errorf("no such folder: %v", err)
	}
	if err := cells("x").Write(os.DevNull); err != nil {
		t.Errorf("%s: %v", os.DevNull, err)
	}
	if st, err := os.Stat(os.DevNull); err != nil || st.Mode().IsRegular() {
		t.Errorf("%s was replaced", os.DevNull)
	}
}

func FuzzParse(f *testing.F) {
	full, err := os.ReadFile("testdata/full.ipynb")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(full)
	f.Add([]byte(`{"nbformat": 4, "cells": [{"cell_type": "code", "outputs": [{}]}]}`))
	f.Add([]byte(`{"nbformat": 3}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		nb, err := Parse(data)
		if err != nil {
			return
		}
		first, err := nb.Bytes()
		if err != nil {
			t.Fatalf("read, but cannot be written: %v", err)
		}
		again, err := Parse(first)
		if err != nil {
			t.Fatalf("written, but cannot be read: %v", err)
		}
		if second, err := again.Bytes(); err != nil || string(second) != string(first) {
			t.Fatalf("written twice: %v\n%s\n%s", err, first, second)
		}
	})
}

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestRemedied: an error that ends with what the system says has a remedy behind
// it, and another stays as it is.
func TestRemedied(t *testing.T) {
	at := func(errno syscall.Errno) error { return &fs.PathError{Op: "open", Path: "x", Err: errno} }
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("exec: %w", at(syscall.ENOENT)), "; check the path"},
		{at(syscall.EACCES), "; change the permissions or name another place"},
		{at(syscall.EROFS), "; name a place that can be written"},
		{at(syscall.ENOTDIR), "; a file stands where a folder should: name another path"},
		{at(syscall.EISDIR), "; name a file"},
		{at(syscall.ENOSPC), "; make room and run it again"},
		{at(syscall.EIO), ""},
		{fmt.Errorf("%w; do this", at(syscall.ENOENT)), ""},
		{errors.New("no file"), ""},
	} {
		if got := remedied(c.err); got != c.err.Error()+c.want {
			t.Errorf("%s: want %q behind %v", got, c.want, c.err)
		}
	}
}

// TestFilesThatAreNot: each command that reads or writes a file or folder says in
// one line, with code 1, which is not there or none, and leaves nothing.
func TestFilesThatAreNot(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("CHEST_DATA", "")
	t.Setenv("CHEST_WEIGHTS", "")
	cell := `{"cells":[],"metadata":{},"nbformat":4,"nbformat_minor":4}`
	for name, text := range map[string]string{"file": "x", "empty": "", "empty.yaml": "", "bad.yaml": "a: [1", "empty.npz": "", "fine.ipynb": cell} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("folder", 0o755); err != nil {
		t.Fatal(err)
	}
	before := names(t, dir)
	for _, words := range []string{
		"run absent", "run empty", "run folder", "run fine.ipynb -o folder", "run fine.ipynb -o file/x",
		"exec absent", "exec folder", "kernel absent", "kernel empty", "kernel folder",
		"export absent", "export empty", "export folder", "export fine.ipynb -o file/x.html",
		"sweep absent", "sweep empty.yaml", "sweep bad.yaml", "sweep folder", "trial 3f --dir absent", "trial --list absent",
		"study losses --only triplet --epochs 1 --seeds 1 --jobs 1 --dir file",
		"report absent", "report empty", "report folder",
		"runs list --dir absent", "runs list --dir file", "runs show 3f --dir folder", "runs rm 3f --dir folder", "runs export --dir folder -o file/x.csv",
		"data check absent", "data check empty.npz", "data check folder", "data check cub", "data check cub --dir file",
		"data import absent --out x.safetensors", "data import empty.npz --out x.safetensors", "data get cub", "data get omniglot", "data get omniglot --dir file", "data make-toy cub file", "data make-toy cub file/x",
		"features --out x --data folder --weights untrained", "features --out x --weights ./absent", "features --out x --weights ./empty", "features --out file/x --weights untrained --image 16", "features --out folder --weights untrained --image 16",
		"features join --out x absent", "features join --out x empty",
		"docs --markdown file/x", "docs --man file", "paper --notebooks absent", "paper --notebooks folder", "paper nope", "paper -o file", "install --prefix file", "uninstall --prefix folder",
	} {
		code, _, errs := told(t, strings.Fields(words)...)
		if !strings.HasPrefix(errs, "chest: ") || strings.Contains(errs, "goroutine ") || strings.Count(errs, "\n") != 1 && !strings.HasPrefix(words, "report empty") {
			t.Errorf("chest %s: says\n%s", words, errs)
		}
		if code != exitFailed {
			t.Errorf("chest %s: exit %d\n%s", words, code, errs)
		}
		if after := names(t, dir); after != before {
			t.Errorf("chest %s: left\n%s want\n%s", words, after, before)
			break
		}
	}
}

// names are all files and folders below dir.
func names(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		fmt.Fprintln(&b, strings.TrimPrefix(path, dir))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

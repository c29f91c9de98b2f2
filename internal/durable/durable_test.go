package durable

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "a"), filepath.Join(dir, "link")
	if err := Write(path, text("one")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a", link); err != nil {
		t.Fatal(err)
	}
	if err := Write(link, text("two")); err != nil {
		t.Fatal(err)
	}
	st, err := os.Lstat(path)
	if data, _ := os.ReadFile(path); err != nil || string(data) != "two" || st.Mode().Perm() != 0o640 {
		t.Errorf("%q, %v, %v", data, st.Mode(), err)
	}
	if st, err := os.Lstat(link); err != nil || st.Mode()&os.ModeSymlink == 0 {
		t.Error("the link was replaced")
	}
}

// TestFailureKeepsTheOldFile: and leaves nothing beside it.
func TestFailureKeepsTheOldFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := Write(path, text("old")); err != nil {
		t.Fatal(err)
	}
	full := errors.New("full")
	err := Write(path, func(w io.Writer) error { io.WriteString(w, "ne"); return full })
	if !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
	if data, _ := os.ReadFile(path); string(data) != "old" {
		t.Errorf("the file is %q", data)
	}
	if all, _ := os.ReadDir(dir); len(all) != 1 {
		t.Errorf("%d files in the folder", len(all))
	}
	if err := Write(filepath.Join(dir, "no", "a"), text("x")); err == nil {
		t.Error("no error for a folder that is not there")
	}
}

func TestWriteDevice(t *testing.T) {
	if err := Write(os.DevNull, text("x")); err != nil {
		t.Error(err)
	}
	if st, err := os.Stat(os.DevNull); err != nil || st.Mode().IsRegular() {
		t.Error("the device was replaced")
	}
}

// TestSweep removes the files of killed writers, and no others.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	for _, name := range []string{"a", ".a.0123456789ab", ".a.0123456789ag", ".a.txt", ".b.0123456789ab", ".a.00123456789ab"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	Sweep(path)
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 5 {
		t.Errorf("left are %v, %v", left, err)
	}
	if _, err := os.Stat(filepath.Join(dir, ".a.0123456789ab")); err == nil {
		t.Error("the file of a killed writer is still there")
	}
}

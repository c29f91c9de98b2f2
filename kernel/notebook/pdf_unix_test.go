//go:build unix

package notebook

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// programs makes a folder of shell scripts the only programs.
func programs(t *testing.T, scripts map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, s := range scripts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+s), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
}

// TestPDFNextProgram: a program that makes no file is named, and the next one
// takes its place; two runs when LaTeX asks for them.
func TestPDFNextProgram(t *testing.T) {
	programs(t, map[string]string{
		"xelatex":  "echo '! no fonts'; exit 1\n",
		"pdflatex": "echo x >>runs; while read l; do n=x$n; done <runs; echo Rerun to get references; echo %PDF-$n >notebook.pdf\n",
	})
	pdf, with, notes, err := cells("x").PDF(t.Context(), PDFOptions{})
	if err != nil || with != "pdflatex" || string(pdf) != "%PDF-xx\n" || len(notes) != 1 || notes[0] != "xelatex made no file: no fonts" {
		t.Errorf("%q by %s, %q, %v", pdf, with, notes, err)
	}
	if _, _, _, err := cells("x").PDF(t.Context(), PDFOptions{With: "xelatex"}); err == nil || !strings.Contains(err.Error(), "xelatex made no file") {
		t.Error(err)
	}
}

// TestPDFInterrupt: when the context ends, so does the program, and nothing else is
// tried.
func TestPDFInterrupt(t *testing.T) {
	programs(t, map[string]string{"xelatex": "while :; do :; done\n", "pdflatex": "echo %PDF- >notebook.pdf\n"})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, _, _, err := cells("x").PDF(ctx, PDFOptions{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

// TestPDFProfileIsRemoved: a browser whose processes outlive it and write in its
// profile leaves no folder, nor in that of temporary files.
func TestPDFProfileIsRemoved(t *testing.T) {
	temp, ended := t.TempDir(), filepath.Join(t.TempDir(), "ended")
	t.Setenv("TMPDIR", temp)
	t.Setenv("ENDED", ended)
	programs(t, map[string]string{"chromium": `
for a; do case $a in --print-to-pdf=*) pdf=${a#*=};; --user-data-dir=*) dir=${a#*=};; esac; done
/bin/mkdir $TMPDIR/org.chromium.socket
(i=0; while [ $i -lt 300 ]; do /bin/mkdir -p $dir/$i; i=$((i+1)); done; echo >$ENDED) >/dev/null 2>&1 &
echo %PDF- >$pdf
`})
	pdf, with, _, err := cells("x").PDF(t.Context(), PDFOptions{})
	if err != nil || with != "chromium" || string(pdf) != "%PDF-\n" {
		t.Errorf("%q by %s, %v", pdf, with, err)
	}
	for t.Context().Err() == nil {
		if _, err := os.Stat(ended); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left: %v %v", left, err)
	}
}

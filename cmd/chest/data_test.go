package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// dataRun runs chest data with arguments.
func dataRun(args ...string) (stdout string, err error) {
	c := rootCommand()
	var out bytes.Buffer
	c.SetOut(&out)
	c.SetArgs(append([]string{"data"}, args...))
	err = c.ExecuteContext(context.Background())
	return out.String(), err
}

// code is the exit code that an error asks for; -1 is one of the usage.
func code(err error) int {
	var e exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &e):
		return e.code
	}
	return -1
}

func TestData(t *testing.T) {
	dir := t.TempDir()
	spoilt := filepath.Join(dir, "Stanford_Online_Products", "bicycle_final", "111085122871_0.JPG")
	for _, c := range []struct {
		args   string
		code   int
		out    string
		before func()
	}{
		{args: "make-toy sop DIR", out: "the toy of sop is below"},
		{args: "make-toy sop DIR", code: 1},
		{args: "make-toy birds DIR", code: 1},
		{args: "list --dir DIR", out: "Stanford_Online_Products\n"},
		{args: "list --dir DIR", out: "not there; would lie in DIR/cars196"},
		{args: "check sop --dir DIR", out: "sop test: 18 files, 3 classes, 3 superclasses\n"},
		{args: "check sop --dir DIR", out: "sha256 "},
		{args: "check cub --dir DIR", code: 1},
		{args: "check birds --dir DIR", code: 1},
		{args: "info sop", out: "60502 images of 11316 classes, as published"},
		{args: "info", out: "CUB-200-2011 (cub)"},
		{args: "info birds", code: -1},
		{args: "get sop --dir DIR", code: 1},
		{args: "get birds --dir DIR", code: -1},
		{args: "check sop --dir DIR", code: 1, out: spoilt + ": a broken image", before: func() {
			if err := os.Truncate(spoilt, 700); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		if c.before != nil {
			c.before()
		}
		out, err := dataRun(strings.Fields(strings.ReplaceAll(c.args, "DIR", dir))...)
		if got := code(err); got != c.code || !strings.Contains(out, strings.ReplaceAll(c.out, "DIR", dir)) {
			t.Errorf("%s: code %d, %v, want %d\n%s", c.args, got, err, c.code, out)
		}
	}
}

// TestDataInterrupted: Ctrl-C has an exit code of its own.
func TestDataInterrupted(t *testing.T) {
	if got := code(stopped(context.Canceled)); got != exitInterrupted {
		t.Error(got)
	}
}

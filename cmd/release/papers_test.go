package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// acts names what this test program does when it stands in for chest.
const acts = "CHEST_RELEASE_TEST"

func TestMain(m *testing.M) {
	if act := os.Getenv(acts); act != "" {
		os.Exit(chest(act, os.Args[1:]))
	}
	os.Exit(m.Run())
}

// chest answers docs --man DIR as act says.
func chest(act string, args []string) (code int) {
	dir := args[len(args)-1]
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 1
	}
	switch act {
	case "no command":
		fmt.Fprintln(os.Stderr, "no such command")
		return 2
	case "some":
		os.WriteFile(filepath.Join(dir, "chest-run.1"), []byte(".TH"), 0o644)
	case "all":
		os.WriteFile(filepath.Join(dir, "chest-run.1"), []byte(".TH"), 0o644)
		os.WriteFile(filepath.Join(dir, "chest.1"), []byte(".TH"), 0o644)
	}
	return 0
}

// TestPages: a program that writes no man pages, or not all, makes no release.
func TestPages(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for act, want := range map[string]string{"no command": "no such command", "none": "wrote 0 pages", "some": "no chest.1", "all": ""} {
		t.Setenv(acts, act)
		pages, err := release{work: t.TempDir(), stamp: time.Unix(0, 0)}.pages(self)
		if want == "" {
			if err != nil || len(pages) != 2 || pages[1].name != "man/man1/chest.1" || string(pages[1].text) != ".TH" {
				t.Errorf("%s: %v, %v", act, pages, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %d pages, error %v; want %q", act, len(pages), err, want)
		}
	}
}

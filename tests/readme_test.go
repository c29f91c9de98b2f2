package tests

import (
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// TestReadme runs each Go snippet of the README as a script of its own.
func TestReadme(t *testing.T) {
	raw, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	snippets := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(raw), -1)
	if len(snippets) == 0 {
		t.Fatal("no Go snippet found")
	}
	for _, s := range snippets {
		cmd := exec.Command(buildChest(t), "exec", "-")
		cmd.Dir = t.TempDir() // where it may write files
		if r := runCommand(t, cmd, s[1]); r.code != 0 {
			t.Errorf("exit %d of the snippet\n%s\n%s", r.code, s[1], r.stderr)
		}
	}
}

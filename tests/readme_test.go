package tests

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestReadme runs each Go snippet of the README as a script of its own, and looks at
// the output that it shows.
func TestReadme(t *testing.T) {
	raw, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	snippets := cellsOf(t, string(raw))
	if len(snippets) == 0 {
		t.Fatal("no Go snippet found")
	}
	for _, s := range snippets {
		cmd := exec.Command(buildChest(t), "exec", "-")
		cmd.Dir = t.TempDir() // where it may write files
		r := runCommand(t, cmd, s.code)
		if r.code != 0 {
			t.Errorf("exit %d of the snippet\n%s\n%s", r.code, s.code, r.stderr)
		}
		if want := strings.Join(s.outputs, "\n"); want != "" && strings.TrimSpace(r.stdout) != want {
			t.Errorf("the snippet\n%s\nwrote\n%s\nwant\n%s", s.code, r.stdout, want)
		}
	}
}

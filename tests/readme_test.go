package tests

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestReadme runs each Go snippet of the README as a script, and checks that
// each file and make target that it names is there.
func TestReadme(t *testing.T) {
	raw, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	snippets := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(text, -1)
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
	for _, m := range regexp.MustCompile(`\]\(([^)#]+)\)`).FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat("../" + m[1]); err != nil && !strings.Contains(m[1], "://") {
			t.Errorf("link to %s: %v", m[1], err)
		}
	}
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^make (\w+)`).FindAllStringSubmatch(text, -1) {
		if !strings.Contains(string(makefile), "\n"+m[1]+":") {
			t.Errorf("the README names make %s, which the Makefile lacks", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^chest (\w+)`).FindAllStringSubmatch(text, -1) {
		if r := chest(t, "", m[1], "--help"); r.code != 0 {
			t.Errorf("the README names chest %s: exit %d\n%s", m[1], r.code, r.stderr)
		}
	}
}

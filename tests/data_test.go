package tests

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDataPage runs what docs/data.md shows, in one folder and in its order: the
// commands that need no published data, and the Go snippets. Of the other
// commands every flag is known.
func TestDataPage(t *testing.T) {
	raw, err := os.ReadFile("../docs/data.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ran := map[string]int{}
	for _, m := range regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$").FindAllStringSubmatch(string(raw), -1) {
		kind, text := m[1], m[2]
		ran[kind]++
		var cmd *exec.Cmd
		switch kind {
		case "sh":
			cmd = exec.Command("sh", "-eux")
		case "go":
			cmd = exec.Command(buildChest(t), "exec", "-")
		default:
			knownFlags(t, text)
			continue
		}
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "CHEST_DATA=", "PATH="+filepath.Dir(buildChest(t))+string(os.PathListSeparator)+os.Getenv("PATH"))
		if r := runCommand(t, cmd, text); r.code != 0 {
			t.Errorf("exit %d of\n%s\n%s%s", r.code, text, r.stdout, r.stderr)
		}
	}
	if ran["sh"] != 3 || ran["go"] != 1 {
		t.Errorf("ran %v", ran)
	}
}

// knownFlags looks up the flags of each line that is a chest command in its help.
func knownFlags(t *testing.T, text string) {
	for _, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if len(words) < 3 || words[0] != "chest" {
			continue
		}
		args := []string{words[1], "--help"}
		if words[2] == "join" {
			args = []string{words[1], "join", "--help"}
		}
		r := chest(t, "", args...)
		for _, w := range words {
			if strings.HasPrefix(w, "--") && !strings.Contains(r.stdout, w+" ") {
				t.Errorf("%s: %s is no flag", line, w)
			}
		}
	}
}

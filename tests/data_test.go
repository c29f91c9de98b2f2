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
	if ran["sh"] != 3 || ran["go"] != 2 {
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

// TestDataImport: features of another program become a file of chest's own.
func TestDataImport(t *testing.T) {
	dir := t.TempDir()
	if r := chest(t, "", "data", "make-toy", "features", dir); r.code != 0 {
		t.Fatal(r.stderr)
	}
	toys, err := filepath.Glob(filepath.Join(dir, "*", "features.npz"))
	if err != nil || len(toys) != 1 {
		t.Fatal(toys, err)
	}
	out := filepath.Join(dir, "own.safetensors")
	r := chest(t, "", "data", "import", toys[0], "--out", out)
	if r.code != 0 || !strings.Contains(r.stdout, out+": ") {
		t.Errorf("code %d, %q %q", r.code, r.stdout, r.stderr)
	}
	if r := chest(t, "", "data", "check", out); r.code != 0 || !strings.Contains(r.stdout, "sha256 ") {
		t.Errorf("check: code %d, %q %q", r.code, r.stdout, r.stderr)
	}
	if err := os.WriteFile(filepath.Join(dir, "f.parquet"), []byte("PAR1"), 0o666); err != nil {
		t.Fatal(err)
	}
	for says, args := range map[string][]string{
		`flag(s) "out"`: nil,
		"none.npy":      {filepath.Join(dir, "none.npy"), "--out", out},
		`"nothing"`:     {toys[0], "--features", "nothing", "--out", out},
		"Parquet":       {filepath.Join(dir, "f.parquet"), "--out", out},
		"no such file":  {toys[0], "--out", filepath.Join(dir, "no", "f.safetensors")},
	} {
		args := append([]string{"data", "import"}, args...)
		if len(args) == 2 {
			args = append(args, toys[0])
		}
		if r := chest(t, "", args...); r.code == 0 || !strings.Contains(r.stderr, says) {
			t.Errorf("%v: code %d, %q, want %q", args, r.code, r.stderr, says)
		}
	}
}

// TestDataGetWeights: where weights come from is told, and nothing is fetched.
func TestDataGetWeights(t *testing.T) {
	for _, network := range []string{"vit_s16", "resnet50"} {
		r := chest(t, "", "data", "get", "weights/"+network)
		if r.code != 0 || !strings.Contains(r.stdout, "CHEST_WEIGHTS") || !strings.Contains(r.stdout, ".safetensors") {
			t.Errorf("%s: code %d, %q %q", network, r.code, r.stdout, r.stderr)
		}
	}
	if r := chest(t, "", "data", "get", "weights/vgg"); r.code == 0 || !strings.Contains(r.stderr, "weights/resnet50") {
		t.Errorf("code %d, %q", r.code, r.stderr)
	}
}

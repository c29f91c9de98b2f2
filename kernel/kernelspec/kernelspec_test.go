package kernelspec

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chestlab/chest/internal/echarts"
)

func TestInstallReplacesAndUninstallRemoves(t *testing.T) {
	data := t.TempDir()
	for _, binary := range []string{"/old/chest", "/new/chest"} {
		dir, err := Install(data, Name, binary)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(filepath.Join(dir, "kernel.json"))
		if err != nil {
			t.Fatal(err)
		}
		var s spec
		if err := json.Unmarshal(raw, &s); err != nil {
			t.Fatal(err)
		}
		if s.Argv[0] != binary || s.Argv[2] != "{connection_file}" || s.Language != "go" {
			t.Fatalf("kernel.json of %s: %s", binary, raw)
		}
		if lib, err := os.ReadFile(filepath.Join(dir, echarts.FileName)); err != nil || len(lib) != len(echarts.Library) {
			t.Fatalf("%s: %d bytes, %v", echarts.FileName, len(lib), err)
		}
	}
	left, _ := os.ReadDir(filepath.Join(data, "kernels"))
	if len(left) != 1 {
		t.Fatalf("temporary folders left behind: %v", left)
	}
	if was, err := Uninstall(data, Name); was != "/new/chest" || err != nil {
		t.Fatal(was, err)
	}
	if was, err := Uninstall(data, Name); was != "" || err != nil {
		t.Fatal(was, err)
	}
}

func TestInstallSaysWhereItCannotWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Install(file, Name, "/chest"); err == nil {
		t.Fatal("installed below a file")
	}
}

func TestUserDirFollowsJupyter(t *testing.T) {
	t.Setenv("JUPYTER_DATA_DIR", "/j")
	if d, err := UserDir(); d != "/j" || err != nil {
		t.Fatal(d, err)
	}
}

// TestAlias installs under the name that other notebooks have, and refuses
// names that lead elsewhere.
func TestAlias(t *testing.T) {
	data := t.TempDir()
	dir, err := Install(data, "gophernotes", "/chest")
	if err != nil || filepath.Base(dir) != "gophernotes" {
		t.Fatal(dir, err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "kernel.json"))
	if err != nil || !strings.Contains(string(text), "Go (chest as gophernotes)") {
		t.Errorf("%s, %v", text, err)
	}
	for _, name := range []string{"", "..", "a/b", "a b", "../x"} {
		if dir, err := Install(data, name, "/chest"); err == nil {
			t.Errorf("%q was installed as %s", name, dir)
		}
	}
	if was, err := Uninstall(data, "gophernotes"); was != "/chest" || err != nil {
		t.Errorf("%v, %v", was, err)
	}
}

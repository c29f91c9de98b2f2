package kernelspec

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/chestlab/chest/internal/echarts"
)

func TestInstallReplacesAndUninstallRemoves(t *testing.T) {
	data := t.TempDir()
	for _, binary := range []string{"/old/chest", "/new/chest"} {
		dir, err := Install(data, binary)
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
	if there, err := Uninstall(data); !there || err != nil {
		t.Fatal(there, err)
	}
	if there, err := Uninstall(data); there || err != nil {
		t.Fatal(there, err)
	}
}

func TestInstallSaysWhereItCannotWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Install(file, "/chest"); err == nil {
		t.Fatal("installed below a file")
	}
}

func TestUserDirFollowsJupyter(t *testing.T) {
	t.Setenv("JUPYTER_DATA_DIR", "/j")
	if d, err := UserDir(); d != "/j" || err != nil {
		t.Fatal(d, err)
	}
}

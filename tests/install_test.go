package tests

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chestlab/chest/kernel/kernelspec"
)

// chestAt runs a copy of the program in a home folder of its own.
func chestAt(t *testing.T, program, home string, args ...string) result {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "HOME="+home, "JUPYTER_PATH=", "JUPYTER_DATA_DIR=", "XDG_DATA_HOME=", "PYTHONUSERBASE=")
	return runCommand(t, cmd, "")
}

// copyProgram puts a copy of chest into a folder.
func copyProgram(t *testing.T, dir string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(dir, "chest")
	if err := os.Link(buildChest(t), to); err == nil {
		return to
	}
	b, err := os.ReadFile(buildChest(t))
	if err == nil {
		err = os.WriteFile(to, b, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// TestInstallCheck goes through a kernel's life: not there, installed, its program
// moved, hidden by an old one, taken away.
func TestInstallCheck(t *testing.T) {
	need(t, "jupyter-notebook", "/usr/bin/jupyter-notebook")
	home := t.TempDir()
	first := copyProgram(t, filepath.Join(home, "first"))
	data := filepath.Join(home, ".local/share/jupyter/kernels/chest")
	check := func(program, what string, code int, args []string, words ...string) {
		t.Helper()
		r := chestAt(t, program, home, args...)
		text := r.stdout + r.stderr
		if r.code != code {
			t.Errorf("%s: exit %d, want %d\n%s", what, r.code, code, text)
		}
		for _, w := range words {
			if !strings.Contains(text, w) {
				t.Errorf("%s: no %q in\n%s", what, w, text)
			}
		}
	}
	look := []string{"install", "--check"}
	check(first, "nothing", 1, look, "none is registered", "chest install\n")
	check(first, "not there", 1, []string{"uninstall"}, `no kernel "chest" below`)
	check(first, "installed", 0, []string{"install"}, data, "chest install --check")
	check(first, "found", 0, look, "starts this program", "Jupyter Notebook   yes: ", data)
	check(first, "another name", 1, []string{"install", "--check", "--name", "gophernotes"}, "chest install --name gophernotes")
	check(first, "unseen place", 1, []string{"uninstall", "--prefix", home}, "one is in "+data+": chest uninstall")

	second := copyProgram(t, filepath.Join(home, "second"))
	if err := os.Remove(first); err != nil {
		t.Fatal(err)
	}
	check(second, "moved", 1, look, "BROKEN: "+first+" is not there: it was moved or removed; run again: chest install")
	check(second, "again", 0, []string{"install"})
	check(second, "found again", 0, look, "starts this program")

	old := writeFile(t, home, "old", "#!/bin/sh\necho chest version v0.0.1\n")
	if err := os.Chmod(old, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := kernelspec.Install(filepath.Join(home, "listed"), kernelspec.Name, old); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(second, look...)
	cmd.Env = append(os.Environ(), "HOME="+home, "JUPYTER_PATH="+filepath.Join(home, "listed"))
	if r := runCommand(t, cmd, ""); r.code != 0 || !strings.Contains(r.stdout, "starts another version, v0.0.1") || !strings.Contains(r.stdout, "hidden from Jupyter Notebook by "+filepath.Join(home, "listed")) {
		t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	extension := filepath.Join(home, ".vscode/extensions/ms-toolsai.jupyter-2025.1.0")
	if err := os.MkdirAll(extension, 0o755); err != nil {
		t.Fatal(err)
	}
	check(second, "VS Code", 0, look, "VS Code            yes: "+extension, "Select Kernel > Jupyter Kernel", filepath.Join(home, ".local/share/jupyter/kernels\n"))
	check(second, "removed", 0, []string{"uninstall"}, `removed the kernel "chest" from `+data, second)
	check(second, "at an end", 1, look, "none is registered")
}

// TestFrontEndsLookWhereJupyterDoes compares the folders with those that Jupyter
// names itself.
func TestFrontEndsLookWhereJupyterDoes(t *testing.T) {
	python := need(t, "/usr/bin/python3")
	notebook := need(t, "/usr/bin/jupyter-notebook")
	const script = "import json, os\nfrom jupyter_client.kernelspec import KernelSpecManager\nprint(json.dumps([os.path.normpath(d) for d in KernelSpecManager().kernel_dirs]))"
	for _, variables := range [][]string{
		nil,
		{"XDG_DATA_HOME=/x"},
		{"JUPYTER_PATH=/a:/b/", "JUPYTER_DATA_DIR=/j"},
		{"PYTHONUSERBASE=/base", "IPYTHONDIR=/i"},
	} {
		env := append([]string{"HOME=" + t.TempDir(), "PATH=" + filepath.Dir(notebook)}, variables...)
		cmd := exec.Command(python, "-c", script)
		cmd.Env = env
		r := runCommand(t, cmd, "")
		var want []string
		if err := json.Unmarshal([]byte(r.stdout), &want); err != nil {
			t.Fatalf("%v: %v\n%s", variables, err, r.stderr)
		}
		m := kernelspec.Machine{OS: "linux", Home: strings.TrimPrefix(env[0], "HOME="), Env: func(name string) (value string) {
			for _, v := range env {
				if s, ok := strings.CutPrefix(v, name+"="); ok {
					value = s
				}
			}
			return value
		}}
		report := kernelspec.Check(m, kernelspec.Name, "", kernelspec.AskVersion)
		front := report.Fronts[0]
		have := front.Dirs
		if _, err := os.Stat("/usr/lib/python3/dist-packages/IPython"); err != nil { // then Jupyter leaves its folder out
			have = have[:len(have)-1]
		}
		if front.Where != notebook || !slices.Equal(have, want) {
			t.Errorf("%v: %s looks in\n%q; Jupyter says\n%q", variables, front.Where, front.Dirs, want)
		}
	}
}

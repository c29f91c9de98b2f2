package kernelspec

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// on is a machine with environment variables, written NAME=VALUE.
func on(system, home string, variables ...string) Machine {
	return Machine{OS: system, Home: home, Env: func(name string) string {
		for _, v := range variables {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				return value
			}
		}
		return ""
	}}
}

// slashed are paths as every system writes them alike.
func slashed(dirs []string) (all []string) {
	for _, d := range dirs {
		all = append(all, strings.TrimSuffix(strings.ReplaceAll(d, `\`, "/"), "/kernels"))
	}
	return all
}

// TestUserDirRules: Jupyter's data folder of the user on each system.
func TestUserDirRules(t *testing.T) {
	for _, c := range []struct {
		name string
		m    Machine
		want string
	}{
		{"linux", on("linux", "/home/u"), "/home/u/.local/share/jupyter"},
		{"linux XDG", on("linux", "/home/u", "XDG_DATA_HOME=/x"), "/x/jupyter"},
		{"linux JUPYTER_DATA_DIR", on("linux", "/home/u", "XDG_DATA_HOME=/x", "JUPYTER_DATA_DIR=/j"), "/j"},
		{"linux without home", on("linux", "", "XDG_DATA_HOME=/x"), "/x/jupyter"},
		{"macOS", on("darwin", "/Users/u", "XDG_DATA_HOME=/x"), "/Users/u/Library/Jupyter"},
		{"macOS JUPYTER_DATA_DIR", on("darwin", "/Users/u", "JUPYTER_DATA_DIR=/j"), "/j"},
		{"Windows", on("windows", `C:\Users\u`, `APPDATA=C:\Users\u\AppData\Roaming`), "C:/Users/u/AppData/Roaming/jupyter"},
		{"Windows without APPDATA", on("windows", `C:\Users\u`, `XDG_DATA_HOME=D:\x`), "C:/Users/u/.jupyter/data"},
		{"Windows JUPYTER_CONFIG_DIR", on("windows", `C:\Users\u`, `JUPYTER_CONFIG_DIR=D:\c`), "D:/c/data"},
	} {
		got, err := c.m.UserDir()
		if got := slashed([]string{got})[0]; got != c.want || err != nil {
			t.Errorf("%s: %q, %v; want %q", c.name, got, err, c.want)
		}
	}
	if d, err := on("linux", "").UserDir(); err == nil {
		t.Errorf("without a home folder: %q", d)
	}
}

// TestDirs: where a front end looks, in its order, and where VS Code does.
func TestDirs(t *testing.T) {
	venv := t.TempDir()
	writeFile(t, filepath.Join(venv, "pyvenv.cfg"), "home = /usr/bin\n", 0o644)
	mine := filepath.ToSlash(venv) + "/share/jupyter"
	for _, c := range []struct {
		name   string
		m      Machine
		prefix string
		want   []string
	}{
		{"linux", on("linux", "/u"), "/usr", []string{"/u/.local/share/jupyter", "/usr/local/share/jupyter", "/usr/share/jupyter", "/u/.ipython"}},
		{"linux JUPYTER_PATH", on("linux", "/u", "JUPYTER_PATH=/a:/b/"), "", []string{"/a", "/b", "/u/.local/share/jupyter", "/usr/local/share/jupyter", "/usr/share/jupyter", "/u/.ipython"}},
		{"linux venv", on("linux", "/u"), venv, []string{mine, "/u/.local/share/jupyter", "/usr/local/share/jupyter", "/usr/share/jupyter", "/u/.ipython"}},
		{"linux venv, user first", on("linux", "/u", "JUPYTER_PREFER_ENV_PATH=0"), venv, []string{"/u/.local/share/jupyter", mine, "/usr/local/share/jupyter", "/usr/share/jupyter", "/u/.ipython"}},
		{"linux conda", on("linux", "/u", "JUPYTER_DATA_DIR=/j", "IPYTHONDIR=/i"), "/opt/conda", []string{"/j", "/u/.local/share/jupyter", "/opt/conda/share/jupyter", "/usr/local/share/jupyter", "/usr/share/jupyter", "/i"}},
		{"macOS homebrew", on("darwin", "/u"), "/opt/homebrew", []string{"/u/Library/Jupyter", "/u/.local/share/jupyter", "/opt/homebrew/share/jupyter", "/usr/local/share/jupyter", "/usr/share/jupyter", "/u/.ipython"}},
		{"Windows", on("windows", `C:\u`, `APPDATA=C:\a`, `PROGRAMDATA=C:\p`, `JUPYTER_PATH=D:\x;D:\y`), `C:\py`, []string{"D:/x", "D:/y", "C:/a/jupyter", "C:/a/Python/share/jupyter", "C:/py/share/jupyter", "C:/p/jupyter", "C:/u/.ipython"}},
	} {
		if got := slashed(c.m.dirs(c.prefix)); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
	for _, c := range []struct {
		name string
		m    Machine
		want []string
	}{
		{"linux", on("linux", "/u", "JUPYTER_PATH=/a", "JUPYTER_DATA_DIR=/j", "XDG_DATA_HOME=/x"), []string{"/a", "/usr/share/jupyter", "/usr/local/share/jupyter", "/u/.local/share/jupyter"}},
		{"macOS", on("darwin", "/u"), []string{"/usr/share/jupyter", "/usr/local/share/jupyter", "/u/Library/Jupyter"}},
		{"Windows", on("windows", `C:\u`, `APPDATA=D:\elsewhere`, `PROGRAMDATA=C:\p`), []string{"C:/u/AppData/Roaming/jupyter"}},
	} {
		if got := slashed(c.m.codeDirs()); !slices.Equal(got, c.want) {
			t.Errorf("VS Code, %s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
}

// TestPrefixOf: the Python that runs a front end, from its program.
func TestPrefixOf(t *testing.T) {
	bin := t.TempDir()
	writeFile(t, filepath.Join(bin, "python3"), "", 0o755)
	m := on("linux", "/u", "PATH=/nowhere:"+bin)
	for _, c := range []struct{ name, text, want string }{
		{"direct", "#!/opt/venv/bin/python3 -I\nimport re\n", "/opt/venv"},
		{"env", "#!/usr/bin/env python3\nimport re\n", filepath.Dir(bin)},
		{"long", "#!/bin/sh\n'''exec' \"/long path/bin/python3.12\" \"$0\" \"$@\"\n' '''\nimport re\n", "/long path"},
		{"long, bare", "#!/bin/sh\n'''exec' /long/bin/python \"$0\" \"$@\"\n' '''\n", "/long"},
		{"shell", "#!/bin/sh\nexec something\n", ""},
		{"empty line", "#!\n", ""},
		{"ELF", "\x7fELF", ""},
	} {
		script := filepath.Join(t.TempDir(), "jupyter-lab")
		writeFile(t, script, c.text, 0o755)
		if got := m.prefixOf(script); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	exe := filepath.Join(bin, "Scripts", "jupyter-lab.exe")
	writeFile(t, exe, "MZ", 0o755)
	if got := on("windows", `C:\u`).prefixOf(exe); got != bin {
		t.Errorf("windows: %q, want %q", got, bin)
	}
}

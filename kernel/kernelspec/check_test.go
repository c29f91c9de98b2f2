package kernelspec

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// tree is a machine below a temporary folder.
type tree struct {
	*testing.T
	Machine
	root string
	self string // this chest
}

// plant makes a Linux machine whose PATH is bin, with a chest in it.
func plant(t *testing.T, variables ...string) tree {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: the trees are those of Linux")
	}
	root := t.TempDir()
	for i, v := range variables {
		variables[i] = strings.ReplaceAll(v, "ROOT", root)
	}
	m := on("linux", root+"/home", append(variables, "PATH="+root+"/usr/bin:"+root+"/home/bin")...)
	m.Root = root
	tr := tree{t, m, root, root + "/home/bin/chest"}
	tr.file("home/bin/chest", "")
	return tr
}

// file writes a program below the root.
func (tr tree) file(name, text string) string {
	tr.Helper()
	p := filepath.Join(tr.root, name)
	writeFile(tr.T, p, text, 0o755)
	return p
}

// front puts a front end of the system's Python onto the PATH.
func (tr tree) front(name string) { tr.file("usr/bin/"+name, "#!"+tr.root+"/usr/bin/python3\n") }

// install registers a program below the root.
func (tr tree) install(data, name, program string) string {
	tr.Helper()
	dir, err := Install(filepath.Join(tr.root, data), name, program)
	if err != nil {
		tr.Fatal(err)
	}
	return dir
}

// check is the report; other chests are of the version of their folder's name.
func (tr tree) check(name string, also ...string) *Report {
	r := Check(tr.Machine, name, tr.self, func(program string) (string, error) {
		if strings.Contains(program, "mute") {
			return "", errors.New("no answer within 10 s")
		}
		return filepath.Base(filepath.Dir(program)), nil
	}, also...)
	return &r
}

// finds are the names of the front ends that start chest.
func finds(r *Report) (names string) {
	for i := range r.Fronts {
		if r.Fronts[i].Finds() {
			names += r.Fronts[i].Name + "; "
		}
	}
	return names
}

func writeFile(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

const user = "home/.local/share/jupyter"

// TestCheckFinds: what is installed for the user, or for all, is found by each
// front end that is there, and by no other.
func TestCheckFinds(t *testing.T) {
	for _, data := range []string{user, "usr/local/share/jupyter", "usr/share/jupyter", "home/.ipython"} {
		tr := plant(t)
		tr.front("jupyter-notebook")
		tr.front("jupyter-nbconvert")
		tr.file("home/.vscode/extensions/ms-toolsai.jupyter-2025.1.0-linux-x64/package.json", "{}")
		tr.install(data, Name, tr.self)
		want := "Jupyter Notebook; jupyter nbconvert; VS Code; "
		if data == "home/.ipython" {
			want = "Jupyter Notebook; jupyter nbconvert; " // a folder of IPython alone
		}
		r := tr.check(Name)
		if got := finds(r); got != want || !r.Found() || r.Remedy() != "" {
			t.Errorf("%s: found by %q, want %q; remedy %q", data, got, want, r.Remedy())
		}
		if len(r.Specs) != 1 || !r.Specs[0].Self || r.Specs[0].Note != "" || r.Specs[0].Problem != "" {
			t.Errorf("%s: %+v", data, r.Specs)
		}
	}
}

// TestCheckRemedies: each way not to be found has a sentence with what to do.
func TestCheckRemedies(t *testing.T) {
	for _, c := range []struct {
		name      string
		variables []string
		kernel    string
		prepare   func(tree) []string // further data folders
		want      []string
	}{
		{"nothing at all", nil, Name, func(tree) []string { return nil }, []string{"run: chest install", "no front end", "pip install jupyterlab"}},
		{"no front end", nil, Name, func(tr tree) []string { tr.install(user, Name, tr.self); return nil }, []string{"is registered", "no front end"}},
		{"not registered", nil, "gophernotes", func(tr tree) []string { tr.front("jupyter-lab"); return nil }, []string{"run: chest install --name gophernotes"}},
		{"moved", nil, Name, func(tr tree) []string {
			tr.front("jupyter-lab")
			tr.install(user, Name, tr.root+"/old/chest")
			return nil
		}, []string{"old/chest is not there: it was moved or removed; run again: chest install"}},
		{"moved, of all users", nil, Name, func(tr tree) []string {
			tr.front("jupyter-lab")
			tr.install("usr/local/share/jupyter", Name, tr.root+"/old/chest")
			return nil
		}, []string{"moved or removed", "chest install --prefix ROOT/usr/local"}},
		{"no program", nil, Name, func(tr tree) []string {
			tr.front("jupyter-lab")
			writeFile(tr.T, tr.root+"/data.txt", "", 0o644)
			tr.install(user, Name, tr.root+"/data.txt")
			return nil
		}, []string{"not executable", "chest install"}},
		{"mute", nil, Name, func(tr tree) []string {
			tr.front("jupyter-lab")
			tr.install(user, Name, tr.file("mute/chest", ""))
			return nil
		}, []string{"does not answer as chest (no answer within 10 s)", "chest install"}},
		{"no JSON", nil, Name, func(tr tree) []string {
			tr.front("jupyter-lab")
			tr.file(user+"/kernels/chest/kernel.json", "{")
			return nil
		}, []string{"cannot be read", "chest install"}},
		{"no argv", nil, Name, func(tr tree) []string {
			tr.front("jupyter-lab")
			tr.file(user+"/kernels/chest/kernel.json", "{}")
			return nil
		}, []string{"no argv", "chest install"}},
		{"another's", nil, "gophernotes", func(tr tree) []string {
			tr.front("jupyter-lab")
			tr.file(user+"/kernels/gophernotes/kernel.json", fmt.Sprintf(`{"argv": [%q, "{connection_file}"], "display_name": "Go"}`, tr.file("home/bin/gophernotes", "")))
			return nil
		}, []string{"JupyterLab starts another program by the name gophernotes", "remove the folder ROOT/" + user + "/kernels/gophernotes"}},
		{"another's, gone", nil, "gophernotes", func(tr tree) []string {
			tr.front("jupyter-lab")
			tr.file(user+"/kernels/gophernotes/kernel.json", `{"argv": ["gophernotes", "{connection_file}"], "display_name": "Go"}`)
			return nil
		}, []string{"not on the PATH", "another program's"}},
		{"unseen prefix", nil, Name, func(tr tree) []string {
			tr.front("jupyter-lab")
			tr.install("opt/share/jupyter", Name, tr.self)
			return []string{tr.root + "/opt/share/jupyter"}
		}, []string{"no front end looks where the kernel is", "JUPYTER_PATH name ROOT/opt/share/jupyter"}},
		{"VS Code without extension", nil, Name, func(tr tree) []string {
			tr.file("usr/bin/code", "")
			tr.install(user, Name, tr.self)
			return nil
		}, []string{"VS Code is the only front end here", "run: code --install-extension ms-toolsai.jupyter"}},
		{"VS Code heeds no JUPYTER_DATA_DIR", []string{"JUPYTER_DATA_DIR=ROOT/data"}, Name, func(tr tree) []string {
			tr.file("home/.vscode-server/extensions/ms-toolsai.jupyter-2025.1.0/package.json", "{}")
			tr.install("data", Name, tr.self)
			return nil
		}, []string{"no front end looks where the kernel is", "JUPYTER_PATH name ROOT/data"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := plant(t, c.variables...)
			r := tr.check(c.kernel, c.prepare(tr)...)
			if r.Found() {
				t.Errorf("found by %s", finds(r))
			}
			for _, want := range c.want {
				if want = strings.ReplaceAll(want, "ROOT", tr.root); !strings.Contains(r.Remedy(), want) {
					t.Errorf("the remedy lacks %q: %s", want, r.Remedy())
				}
			}
		})
	}
}

// TestCheckHidden: of two kernels of a name the first is started; the second is
// said to be hidden, though it is the right one.
func TestCheckHidden(t *testing.T) {
	tr := plant(t, "JUPYTER_PATH=ROOT/listed")
	tr.front("jupyter-lab")
	tr.install("listed", Name, tr.file("v0.0.9/chest", ""))
	tr.install(user, Name, tr.self)
	tr.install(user, "gophernotes", tr.self) // of another name: hides nothing
	r := tr.check("Chest")                   // names have no case
	lab := r.Fronts[1]
	if len(r.Specs) != 3 || lab.Starts != &r.Specs[0] || r.Specs[0].Version != "v0.0.9" || r.Specs[0].Self {
		t.Fatalf("%+v", r.Specs)
	}
	if got, want := r.Specs[0].Remove(), "JUPYTER_DATA_DIR="+tr.root+"/listed chest uninstall"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for i, hidden := range []bool{false, true, false} {
		if r.Specs[i].Name == Name && r.Hides(lab, &r.Specs[i]) != hidden {
			t.Errorf("%s is hidden: %v", r.Specs[i].Dir, !hidden)
		}
	}
	if !r.Found() {
		t.Error("another version is a chest, too")
	}
}

// TestCheckNotes: a kernelspec that another version wrote, or somebody changed, is
// told.
func TestCheckNotes(t *testing.T) {
	tr := plant(t)
	tr.front("jupyter-lab")
	dir := tr.install(user, Name, tr.self)
	raw, err := os.ReadFile(dir + "/kernel.json")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir+"/kernel.json", strings.Replace(string(raw), "message", "signal", 1), 0o644)
	r := tr.check(Name)
	if !r.Found() || !strings.Contains(r.Specs[0].Note, "another version, or changed; write it again: chest install") {
		t.Errorf("%+v", r.Specs)
	}
}

// TestUninstallLeavesOthers: the kernelspec of another program stays, and Install
// says that it would replace it.
func TestUninstallLeavesOthers(t *testing.T) {
	data := t.TempDir()
	file := filepath.Join(data, "kernels", "gophernotes", "kernel.json")
	writeFile(t, file, `{"argv": ["/go/bin/gophernotes", "{connection_file}"], "display_name": "Go"}`, 0o644)
	if got := Replaces(data, "gophernotes"); got != "/go/bin/gophernotes" {
		t.Errorf("Install would replace %q", got)
	}
	if was, err := Uninstall(data, "gophernotes"); err == nil || !strings.Contains(err.Error(), "/go/bin/gophernotes") || !isFile(file) {
		t.Errorf("%q, %v", was, err)
	}
	if _, err := Install(data, "gophernotes", "/chest"); err != nil {
		t.Fatal(err)
	}
	if got := Replaces(data, "gophernotes"); got != "" {
		t.Errorf("chest's own is %q", got)
	}
	// A folder of chest's own name is chest's, whatever is in it.
	writeFile(t, filepath.Join(data, "kernels", Name, "kernel.json"), "{", 0o644)
	if was, err := Uninstall(data, Name); was == "" || err != nil || isFile(filepath.Join(data, "kernels", Name, "kernel.json")) {
		t.Errorf("%q, %v", was, err)
	}
}

// TestAskVersion asks programs that answer, say something else, fail and are not
// there.
func TestAskVersion(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: the programs are shell scripts")
	}
	for _, c := range []struct{ script, version, err string }{
		{"echo chest version v1.2.3", "v1.2.3", ""},
		{"echo gophernotes", "", `--version printed "gophernotes\n"`},
		{"exit 3", "", "exit status 3"},
	} {
		p := filepath.Join(t.TempDir(), "program")
		writeFile(t, p, "#!/bin/sh\n"+c.script+"\n", 0o755)
		got, err := AskVersion(p)
		if got != c.version || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %q, %v", c.script, got, err)
		}
	}
}

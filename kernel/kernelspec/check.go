package kernelspec

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// FrontEnd is a program that runs notebooks, or would if it were there.
type FrontEnd struct {
	Name   string
	Where  string   // its program, or its extension's folder; "" if this machine has none
	Lacks  string   // what VS Code lacks to run notebooks; "" if nothing
	Dirs   []string // where it looks for kernels, first to last
	Starts *Found   // the kernel of the name that it starts; nil if it finds none
}

// Report is what a machine's front ends find.
type Report struct {
	Name   string // of the kernel
	Specs  []Found
	Fronts []FrontEnd
}

// fronts are the programs of Jupyter's front ends. Notebook 7 has the program of
// the classic one.
var fronts = []struct{ name, program string }{
	{"Jupyter Notebook", "jupyter-notebook"},
	{"JupyterLab", "jupyter-lab"},
	{"Jupyter Server", "jupyter-server"},
	{"jupyter console", "jupyter-console"},
	{"jupyter nbconvert", "jupyter-nbconvert"},
}

// Check looks which front ends the machine has and which kernel each starts
// under a name. self is the program that asks, and ask asks another chest for its
// version: AskVersion. Kernelspecs below the data folders also are read even if
// no front end looks there.
func Check(m Machine, name, self string, ask func(program string) (string, error), also ...string) Report {
	r := Report{Name: strings.ToLower(name)}
	for _, f := range fronts {
		where := m.program(f.program)
		r.Fronts = append(r.Fronts, FrontEnd{Name: f.name, Where: where, Dirs: m.dirs(m.prefixOf(where))})
	}
	r.Fronts = append(r.Fronts, m.code())
	r.read(m, self, ask, also)
	for i := range r.Fronts {
		r.Fronts[i].Starts = r.first(r.Fronts[i].Dirs)
	}
	return r
}

// read reads the kernelspecs of the name, and all others that chest wrote, of each
// folder where a front end looks, and of others.
func (r *Report) read(m Machine, self string, ask func(string) (string, error), also []string) {
	var dirs []string
	for _, f := range r.Fronts {
		dirs = append(dirs, f.Dirs...)
	}
	for _, d := range also {
		dirs = append(dirs, filepath.Join(d, "kernels"))
	}
	for _, d := range unique(dirs) {
		all, _ := os.ReadDir(d)
		for _, e := range all {
			dir := filepath.Join(d, e.Name())
			if !isFile(filepath.Join(dir, "kernel.json")) || !validName.MatchString(e.Name()) {
				continue
			}
			if f := read(m, dir, self, ask); f.Ours || f.Name == r.Name {
				r.Specs = append(r.Specs, f)
			}
		}
	}
}

// first is the kernelspec of the name in the first of the folders that has one.
func (r *Report) first(dirs []string) *Found {
	for _, d := range dirs {
		for i := range r.Specs {
			if f := &r.Specs[i]; f.Name == r.Name && filepath.Dir(f.Dir) == d {
				return f
			}
		}
	}
	return nil
}

// Finds says whether a front end is there and can start chest under the name.
func (f *FrontEnd) Finds() bool {
	return f.Where != "" && f.Lacks == "" && f.Starts != nil && f.Starts.Ours && f.Starts.Problem == ""
}

// Found says whether at least one front end can start chest.
func (r *Report) Found() bool {
	for i := range r.Fronts {
		if r.Fronts[i].Finds() {
			return true
		}
	}
	return false
}

// Hides says whether a front end looks into the folder of a kernelspec but starts
// another one of its name.
func (r *Report) Hides(f FrontEnd, s *Found) bool {
	return f.Starts != nil && s.Name == r.Name && f.Starts.Dir != s.Dir && f.looks(s)
}

// Seen says whether a front end of this machine looks into the folder of a
// kernelspec.
func (r *Report) Seen(f *Found) bool {
	return slices.ContainsFunc(r.Fronts, func(front FrontEnd) bool { return front.Where != "" && front.looks(f) })
}

// looks says whether the front end looks into the folder of a kernelspec.
func (f *FrontEnd) looks(s *Found) bool { return slices.Contains(f.Dirs, filepath.Dir(s.Dir)) }

// aFront says how to come to a front end.
const aFront = "install one, such as JupyterLab (pip install jupyterlab) or Debian's package jupyter-notebook; chest run NOTEBOOK needs none"

// Remedy says what to do when no front end can start chest; "" if one can.
func (r *Report) Remedy() string {
	if r.Found() {
		return ""
	}
	var spec *Found // of the name, that could be started
	for i := range r.Specs {
		if s := &r.Specs[i]; s.Name == r.Name && s.Ours && s.Problem == "" {
			spec = s
		}
	}
	there, front := false, "this machine has no front end: "+aFront
	for _, f := range r.Fronts {
		if f.Lacks != "" {
			front = f.Name + " is the only front end here, but " + f.Lacks
		}
		if f.Where == "" || f.Lacks != "" {
			continue
		}
		there = true
		if s := f.Starts; s != nil && s.Problem != "" {
			return s.Problem
		} else if s != nil {
			return fmt.Sprintf("%s starts another program by the name %s: %s, or choose another --name", f.Name, r.Name, s.Remove())
		}
	}
	install := "chest install"
	if r.Name != Name {
		install += " --name " + r.Name
	}
	switch {
	case spec == nil && !there:
		return "run: " + install + "; and " + front
	case spec == nil:
		return "run: " + install
	case !there:
		return "the kernel is registered, but " + front
	}
	return "no front end looks where the kernel is; let the variable JUPYTER_PATH name " + filepath.Dir(filepath.Dir(spec.Dir))
}

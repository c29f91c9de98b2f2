package driver

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// System is where a driver is looked for. The zero value is this machine.
type System struct {
	Root   string              // of the file system; "" is /
	Getenv func(string) string // nil is os.Getenv
}

func (s System) env(name string) string {
	if s.Getenv == nil {
		return os.Getenv(name)
	}
	return s.Getenv(name)
}

func (s System) path(elem string) string { return filepath.Join(cmp.Or(s.Root, "/"), elem) }

// places are directories and patterns where distributions, WSL and containers
// keep the driver's library.
var places = []string{
	"usr/lib/wsl/lib",
	"usr/local/nvidia/lib64",
	"usr/lib64-nvidia",
	"usr/lib/*-linux-gnu/nvidia/current",
	"usr/lib/*-linux-gnu",
	"usr/lib/wsl/drivers/*",
	"opt/cuda/lib*",
	"usr/lib64",
	"usr/lib",
	"run/opengl-driver/lib",
}

// candidates are the libraries to try, in order: $CHEST_CUDA_DRIVER alone if it is set,
// else what the loader finds by name, then what lies in known places. Stubs for
// linking are left out.
func (s System) candidates() []string {
	if given := s.env("CHEST_CUDA_DRIVER"); given != "" {
		return []string{given}
	}
	var all []string
	if s.Root == "" {
		all = append(all, "libcuda.so.1")
	}
	for _, p := range places {
		found, _ := filepath.Glob(s.path(filepath.Join(p, "libcuda.so.1"))) // the patterns are sound
		slices.Sort(found)
		for _, f := range found {
			if !strings.Contains(f, "/stubs/") && !slices.Contains(all, f) {
				all = append(all, f)
			}
		}
	}
	return all
}

// Nodes are the device files of the driver that are there: /dev/nvidia0,
// /dev/nvidia-uvm, or /dev/dxg under WSL.
func (s System) Nodes() []string {
	found, _ := filepath.Glob(s.path("dev/nvidia*"))
	if dxg := s.path("dev/dxg"); exists(dxg) {
		found = append(found, dxg)
	}
	return found
}

// ModuleVersion is the version of the driver's kernel module, "" if none is
// loaded.
func (s System) ModuleVersion() string {
	text, err := os.ReadFile(s.path("proc/driver/nvidia/version"))
	if err != nil {
		return ""
	}
	for _, word := range strings.Fields(string(text)) { // "… Kernel Module  580.95.05  Release Build …"
		if strings.Count(word, ".") >= 1 && strings.Trim(word, "0123456789.") == "" {
			return word
		}
	}
	return ""
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// find loads the first library that is a driver and initialises it. The guard
// puts back the handlers of signals that it replaced.
func (s System) find(g *signals) (*library, error) {
	if !supported {
		return nil, &Error{Code: codeUnsupported}
	}
	var first error = &Error{Code: codeNoLibrary}
	for i, path := range s.candidates() {
		l, err := load(path)
		if err == nil {
			err = l.call(cuInit, 0)
			g.restore()
		}
		if err == nil {
			return l, nil
		}
		if e := err.(*Error); i == 0 || e.Code != codeNoLibrary { // what was there says more than what was not
			first = err
			if e.Code != codeStub && e.Code != codeNoLibrary {
				return nil, s.explain(e)
			}
		}
	}
	return nil, first
}

// explain adds to an error what the system can tell about it.
func (s System) explain(e *Error) error {
	nodes := strings.Join(s.Nodes(), " ")
	switch {
	case e.Code == 803:
		e.Detail = "module " + cmp.Or(s.ModuleVersion(), "not loaded")
	case e.Code == codeNoDevice || e.Code == 999:
		e.Detail = "CUDA_VISIBLE_DEVICES=" + s.env("CUDA_VISIBLE_DEVICES") + ", device files: " + cmp.Or(nodes, "none")
	}
	return e
}

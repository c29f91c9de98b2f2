// Package tests holds the tests that need more than one room: the import
// rules, the command line, notebooks, Jupyter and the browser.
package tests

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/chestlab/chest"

// never lists, for each room, what it must not reach, directly or through
// others. All rules that match apply.
var never = []struct {
	room   string
	bad    []string
	except []string
}{
	{"internal", []string{"cmd", "tests", "kernel", "chestlib", "viz", "datasets"}, nil},
	{"kernel/display", []string{"cmd", "tests", "kernel", "chestlib", "viz", "datasets", "internal"}, []string{"kernel/display"}},
	{"chestlib", []string{"cmd", "tests", "kernel", "viz", "datasets"}, []string{"kernel/display"}},
	{"viz", []string{"cmd", "tests", "kernel", "chestlib", "datasets"}, []string{"kernel/display"}},
	{"datasets", []string{"cmd", "tests", "kernel", "chestlib", "viz"}, []string{"kernel/display"}},
	{"kernel/wire", []string{"cmd", "tests", "kernel", "chestlib", "viz", "datasets"}, []string{"kernel/wire"}},
	{"kernel/eval", []string{"cmd", "tests", "kernel", "chestlib", "viz", "datasets"}, []string{"kernel/eval", "kernel/display", "kernel/assist"}},
	{"kernel/assist", []string{"cmd", "tests", "kernel", "chestlib", "viz", "datasets"}, []string{"kernel/assist"}},
	{"kernel/symbols", []string{"cmd", "tests", "kernel"}, []string{"kernel/symbols", "kernel/display"}},
	{"kernel/typedata", []string{"cmd", "tests", "kernel", "chestlib", "viz", "datasets", "internal"}, []string{"kernel/typedata"}},
	{"kernel/notebook", []string{"cmd", "tests", "kernel/server", "kernel/eval", "chestlib", "viz", "datasets"}, nil},
	{"kernel/worker", []string{"cmd", "tests", "kernel", "chestlib", "viz", "datasets", "internal"}, []string{"kernel/worker", "kernel/eval", "kernel/display", "kernel/assist"}},
	{"kernel/command", []string{"cmd", "tests", "kernel", "chestlib", "viz", "datasets", "internal"}, []string{"kernel/command", "kernel/eval", "kernel/display", "kernel/assist"}},
	{"kernel/server", []string{"cmd", "tests", "kernel/notebook", "chestlib", "viz", "datasets"}, nil},
	{"chestlib/poincare", []string{"chestlib", "kernel"}, []string{"chestlib/poincare"}},
	{"chestlib/optim", []string{"chestlib", "kernel"}, []string{"chestlib/optim"}},
	{"chestlib/ball", []string{"chestlib", "kernel"}, []string{"chestlib/ball", "chestlib/optim", "chestlib/poincare"}},
	{"chestlib/hyphc", []string{"chestlib", "kernel"}, []string{"chestlib/hyphc", "chestlib/poincare"}},
	{"chestlib/engine", []string{"chestlib/model", "chestlib/train", "chestlib/metric", "chestlib/reduce", "chestlib/engine/enginetest"}, nil},
	{"internal/cpu", []string{"chestlib", "kernel", "viz", "datasets", "internal"}, []string{"internal/cpu"}},
	{"internal/parallel", []string{"chestlib", "kernel", "viz", "datasets", "internal"}, []string{"internal/parallel"}},
	{"internal/vmath", []string{"chestlib", "kernel", "viz", "datasets", "internal"}, []string{"internal/vmath", "internal/cpu"}},
	{"internal/sgemm", []string{"chestlib", "kernel", "viz", "datasets", "internal"}, []string{"internal/sgemm", "internal/cpu", "internal/parallel"}},
	{"chestlib/model", []string{"chestlib/loss", "chestlib/train", "chestlib/metric", "chestlib/reduce"}, nil},
	{"chestlib/backbone", []string{"chestlib/loss", "chestlib/train", "chestlib/metric", "chestlib/reduce", "chestlib/features"}, nil},
	{"chestlib/features", []string{"chestlib/loss", "chestlib/train", "chestlib/metric", "chestlib/reduce", "chestlib/backbone"}, nil},
	{"chestlib/loss", []string{"chestlib/model", "chestlib/train", "chestlib/metric", "chestlib/reduce"}, nil},
	{"chestlib/metric", []string{"chestlib/model", "chestlib/train", "chestlib/loss"}, nil},
	{"", []string{"cmd", "tests"}, []string{"cmd", "tests"}},
}

// forTests are packages that tests alone may import.
var forTests = []string{"chestlib/engine/enginetest", "chestlib/engine/cuda/fakecuda"}

// TestImportFloors fails when a package reaches one that stands above it, when
// code outside of tests imports package testing or a package for tests, and when chestlib needs Gorgonia
// outside of its graphs: its licence is not everybody's.
func TestImportFloors(t *testing.T) {
	for _, p := range listPackages(t) {
		room := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		if slices.Contains(p.Imports, "testing") && !slices.Contains(forTests, room) {
			t.Errorf("%s imports package testing outside of its tests", p.ImportPath)
		}
		for _, d := range p.Deps {
			other, ours := strings.CutPrefix(d, module+"/")
			if strings.HasPrefix(d, "gorgonia.org/") && under(room, "chestlib") && !under(room, "chestlib/engine/graph") {
				t.Errorf("%s must not reach %s", p.ImportPath, d)
			}
			if ours && (forbidden(room, other) || slices.Contains(forTests, other)) {
				t.Errorf("%s must not reach %s", p.ImportPath, d)
			}
		}
	}
}

// TestFloorsRefuse checks the rules themselves on pairs that must and must not
// pass.
func TestFloorsRefuse(t *testing.T) {
	for _, c := range []struct {
		room, dep string
		want      bool
	}{
		{"chestlib/train", "viz", true},
		{"chestlib", "kernel/display", false},
		{"chestlib/model", "kernel/eval", true},
		{"kernel/eval", "kernel/wire", true},
		{"kernel/wire", "kernel/eval", true},
		{"kernel/server", "kernel/wire", false},
		{"kernel/server", "kernel/assist", false},
		{"kernel/assist", "kernel/eval", true},
		{"kernel/assist", "viz", true},
		{"kernel/server", "kernel/worker", false},
		{"kernel/worker", "kernel/eval", false},
		{"kernel/worker", "kernel/wire", true},
		{"kernel/symbols", "chestlib/loss", false},
		{"datasets", "chestlib", true},
		{"viz", "internal/echarts", false},
		{"datasets", "internal/parallel", false},
		{"chestlib/poincare", "internal/parallel", false},
		{"internal/parallel", "chestlib/optim", true},
		{"kernel/display", "internal/echarts", true},
		{"chestlib/loss", "chestlib/poincare", false},
		{"chestlib/poincare", "chestlib/loss", true},
		{"chestlib/ball", "chestlib/optim", false},
		{"chestlib/ball", "chestlib/model", true},
		{"kernel/server", "cmd/chest", true},
	} {
		if got := forbidden(c.room, c.dep); got != c.want {
			t.Errorf("%s → %s: forbidden %v, want %v", c.room, c.dep, got, c.want)
		}
	}
}

// forbidden says whether a rule keeps room from reaching dep.
func forbidden(room, dep string) bool {
	for _, rule := range never {
		in := func(p string) bool { return under(dep, p) }
		if rule.room == "" && (under(room, "cmd") || under(room, "tests")) {
			continue
		}
		if under(room, rule.room) && slices.ContainsFunc(rule.bad, in) && !slices.ContainsFunc(rule.except, in) {
			return true
		}
	}
	return false
}

// under says whether path is prefix or lies below it.
func under(path, prefix string) bool {
	return prefix == "" || path == prefix || strings.HasPrefix(path, prefix+"/")
}

type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

// listPackages asks the go command for every package of the module and what it
// reaches without its tests.
func listPackages(t *testing.T) (all []listed) {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", module+"/...")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("go list: %v\n%s", err, &errs)
	}
	for dec := json.NewDecoder(&out); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

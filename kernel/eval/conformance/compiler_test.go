package conformance

import (
	"flag"
	"fmt"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chestlab/chest/kernel/typedata"
)

var update = flag.Bool("update", false, "write what the compiler gives into the cases")

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// kit is what the program of all cases prints with.
const kit = `package kit

import (
	"fmt"
	"path"
	"runtime"
	"strings"
)

// Cell ends the output of a cell and begins the next.
func Cell() { fmt.Print("\x00") }

// Show prints the value of a cell behind the mark \x01.
func Show(v ...any) {
	if len(v) == 1 && v[0] == nil {
		return
	}
	texts := make([]string, len(v))
	for i, x := range v {
		texts[i] = fmt.Sprint(x)
	}
	fmt.Print("\x01" + strings.Join(texts, " "))
}

// Case runs a case; a panic is printed behind the mark \x02, with its line.
func Case(run func()) {
	defer func() {
		if r := recover(); r != nil {
			text := fmt.Sprint(r)
			fmt.Print("\x02" + text + "\n" + place())
		}
		fmt.Print("\x03")
	}()
	run()
}

// place is the innermost place in a cell of what is panicking.
func place() string {
	pc := make([]uintptr, 100)
	frames := runtime.CallersFrames(pc[:runtime.Callers(3, pc)])
	for {
		f, more := frames.Next()
		if name := path.Base(f.File); strings.HasPrefix(name, "In[") {
			return fmt.Sprintf("%s:%d", name, f.Line)
		}
		if !more {
			return ""
		}
	}
}
`

// TestCompiler compares what is wanted with what compiled Go gives: all cases
// that can be compiled, in one program. With -update it writes the cases anew.
func TestCompiler(t *testing.T) {
	if os.Getenv("CHEST_FULL") != "1" && !named("TestCompiler") {
		t.Skip("SKIPPED: the wants are not compared with the compiler; set CHEST_FULL=1 or name TestCompiler in -run")
	}
	cases, err := Cases()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir, "go.mod", "module conformance\n\ngo 1.26\n")
	write(t, dir, "kit/kit.go", kit)
	importer := typedata.New(token.NewFileSet())
	var imports, calls strings.Builder
	var compiled []int
	gonum := false
	for i, c := range cases {
		if c.Hand != "" {
			continue
		}
		p, err := newProgram(c)
		if err == nil {
			err = p.learn(importer)
		}
		if err != nil {
			t.Errorf("%s: %v", c.ID(), err)
			continue
		}
		name := fmt.Sprintf("c%03d", i)
		src := p.source(name)
		gonum = gonum || strings.Contains(src, `"gonum.org/`)
		write(t, dir, name+"/case.go", src)
		fmt.Fprintf(&imports, "\t%q\n", "conformance/"+name)
		fmt.Fprintf(&calls, "\tkit.Case(%s.Run)\n", name)
		compiled = append(compiled, i)
	}
	write(t, dir, "main.go", "package main\n\nimport (\n\t\"conformance/kit\"\n"+imports.String()+")\n\nfunc main() {\n"+calls.String()+"}\n")
	if gonum {
		ourModules(t, dir)
	}
	outs := strings.Split(runProgram(t, dir), "\x03")
	if len(outs) != len(compiled)+1 {
		t.Fatalf("the program ran %d cases of %d", len(outs)-1, len(compiled))
	}
	for k, i := range compiled {
		compare(t, &cases[i], strings.ReplaceAll(outs[k], fmt.Sprintf("c%03d.", i), "main."))
	}
	t.Logf("%d cases of %d are compared with the compiler", len(compiled), len(cases))
	if *update {
		rewrite(t, cases)
	}
}

// named says whether -run names a test.
func named(test string) bool { return flag.Lookup("test.run").Value.String() == test }

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	p := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// ourModules gives the program the modules of this repository, gonum among
// them.
func ourModules(t *testing.T, dir string) {
	t.Helper()
	root := filepath.Join("..", "..", "..")
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(mod), "\n")
	write(t, dir, "go.mod", "module conformance\n"+rest)
	write(t, dir, "go.sum", string(sum))
}

// runProgram builds the program, runs it and returns what it prints.
func runProgram(t *testing.T, dir string) string {
	t.Helper()
	bin := filepath.Join(dir, "conformance.exe")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", bin, ".")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the compiler refuses:\n%s", out)
	}
	var stderr strings.Builder
	run := exec.Command(bin)
	run.Stderr = &stderr
	out, err := run.Output()
	if err != nil {
		t.Errorf("the program ends with %v:\n%s", err, &stderr)
	}
	return string(out)
}

// compare compares the wants of a case with what the compiler gives.
func compare(t *testing.T, c *Case, out string) {
	t.Helper()
	cells := strings.Split(out, "\x00")[1:]
	for i := range c.Cells {
		cell := &c.Cells[i]
		if i >= len(cells) {
			t.Errorf("%s: cell %d does not run", c.ID(), i+1)
			return
		}
		text, panicked, isPanic := strings.Cut(cells[i], "\x02")
		printed, value, hasValue := strings.Cut(text, "\x01")
		if hasValue && printed != "" && !strings.HasSuffix(printed, "\n") {
			printed += "\n"
		}
		got := strings.TrimRight(printed+value, "\n")
		missing := func(part string) bool { return !strings.Contains(panicked, part) }
		if got == cell.Output() && isPanic == (cell.Errors() != nil) && !slices.ContainsFunc(cell.Errors(), missing) {
			continue
		}
		if isPanic {
			got = strings.TrimLeft(got+"\n"+errorMark+strings.ReplaceAll(panicked, "\n", "\n"+errorMark), "\n")
		}
		if *update {
			cell.Want = got
			continue
		}
		t.Errorf("%s, cell %d: the compiler gives\n%s\nthe case wants\n%s", c.ID(), i+1, got, cell.Want)
	}
}

// rewrite writes the files of the cases.
func rewrite(t *testing.T, cases []Case) {
	t.Helper()
	files := map[string][]Case{}
	for _, c := range cases {
		files[c.Group] = append(files[c.Group], c)
	}
	for group, list := range files {
		if err := os.WriteFile(filepath.Join("testdata", group+".txt"), []byte(format(list)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

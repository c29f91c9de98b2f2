package command

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chestlab/chest/kernel/assist"
	"github.com/chestlab/chest/kernel/display"
	"github.com/chestlab/chest/kernel/eval"
)

// fake runs cells by writing them down; "fail" in one makes it fail at the
// line where it stands.
type fake struct {
	ran   []string
	pause time.Duration // of a loop that runs
}

func (f *fake) Run(_ context.Context, c eval.Cell) eval.Result {
	f.ran = append(f.ran, c.Code)
	if strings.HasPrefix(c.Code, "for i := 0; i < 10;") {
		time.Sleep(f.pause)
	}
	if i := strings.Index(c.Code, "fail"); i >= 0 {
		return eval.Result{Err: &eval.Error{Message: "failed", Line: 1 + strings.Count(c.Code[:i], "\n")}}
	}
	if strings.HasPrefix(strings.TrimSpace(c.Code), "value") {
		return eval.Result{Values: []any{42}}
	}
	return eval.Result{}
}

func (f *fake) Vars() []eval.Variable { return []eval.Variable{{Name: "n", Type: "int", Value: "3"}} }

func (f *fake) IsComplete(code string) eval.Completeness {
	return eval.Completeness{Status: strings.TrimSpace(code)}
}

func (f *fake) Complete(code string, cursor int) assist.Completion {
	return assist.Completion{Start: cursor}
}

func (f *fake) Inspect(code string, _, detail int) assist.Inspection {
	if code == "nope" {
		return assist.Inspection{}
	}
	return assist.Inspection{Found: true, Text: fmt.Sprint("about ", code, detail), Markdown: "*about*"}
}

// output is a buffer that a process may write to.
type output struct {
	mu sync.Mutex
	b  strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func run(t *testing.T, sh *Shell, code string) eval.Result {
	t.Helper()
	return sh.Run(context.Background(), eval.Cell{Name: "In[1]", Code: code})
}

func newShell(t *testing.T) (*Shell, *fake, *output) {
	t.Helper()
	t.Chdir(t.TempDir())
	f, out := &fake{}, &output{}
	return New(f, out), f, out
}

func TestLines(t *testing.T) {
	for _, c := range []struct{ code, ran, out, err string }{
		{"x := 1", "x := 1", "", ""},
		{"%pwd\nx := 1", "\nx := 1", "/", ""},
		{"\n// first\n%time\nx := 1", "\n// first\n\nx := 1", "wall ", ""},
		{"%time x := 2\ny := 3", "x := 2|\ny := 3", "wall ", ""},
		{"!echo hi; echo there >&2", "", "hi\nthere\n", ""},
		{"$ echo a  *", "", "a *\n", ""},
		{"!exit 3", "", "", "exit 3: exit status 3"},
		{"!ok", "", "not found", "exit status 127"},
		{"!n", "!n", "", ""},
		{"!ready(3)", "!ready(3)", "", ""},
		{"%who", "", "n  int  3", ""},
		{"%help", "", "%timeit [-n loops] [-r rounds] code", ""},
		{"%help time", "", "tell how long it took", ""},
		{"%help nope", "", "", "%nope is not a command"},
		{"%hepl", "", "", "did you mean %help?"},
		{"%engine", "", "yaegi", ""},
		{"%reset\nx := 1", "", "", "must be the only line"},
		{"%cd /nonexistent\nx := 1", "", "", "no such file"},
		{"%env CHEST_TEST_A=b c\n%env CHEST_TEST_A", "", "b c\n", ""},
		{"%env CHEST_TEST_NONE", "", "", "is not set"},
		{"%timeit -n x f()", "", "", "-n needs a number"},
		{"%timeit", "", "", "needs code"},
		{"%load", "", "", "needs the name"},
		{"%run nope.go", "", "", "no such file"},
		{"%save", "", "", "needs a file"},
		{"%ls /nonexistent", "", "", "no such file"},
		{"nope?", "", "", "nope is not known"},
		{"x := a %b", "x := a %b", "", ""},
		{"", "", "", ""},
	} {
		sh, f, out := newShell(t)
		t.Setenv("CHEST_TEST_A", "")
		res := run(t, sh, c.code)
		if got := strings.Join(f.ran, "|"); got != c.ran {
			t.Errorf("%q ran %q, want %q", c.code, got, c.ran)
		}
		if !strings.Contains(out.String(), c.out) || c.out == "" && out.String() != "" {
			t.Errorf("%q printed %q, want %q", c.code, out, c.out)
		}
		if (res.Err == nil) != (c.err == "") || res.Err != nil && !strings.Contains(res.Err.Message, c.err) {
			t.Errorf("%q: error %v, want %q", c.code, res.Err, c.err)
		}
	}
}

// TestErrorsKeepTheirLine: special lines count as lines of the cell.
func TestErrorsKeepTheirLine(t *testing.T) {
	sh, _, _ := newShell(t)
	if res := run(t, sh, "%pwd\n!true\nx := 1\nfail()"); res.Err == nil || res.Err.Line != 4 {
		t.Errorf("got %+v, want line 4", res.Err)
	}
}

func TestPager(t *testing.T) {
	for _, code := range []string{"fmt.Println?", "?fmt.Println", "%doc fmt.Println", "fmt.Println?\nx := 1"} {
		sh, _, _ := newShell(t)
		res := run(t, sh, code)
		if res.Page[display.MIMEText] != "about fmt.Println0" || res.Page[display.MIMEMarkdown] != "*about*" {
			t.Errorf("%q: page %v, error %v", code, res.Page, res.Err)
		}
	}
	sh, _, _ := newShell(t)
	if res := run(t, sh, "x??"); res.Page[display.MIMEText] != "about x1" {
		t.Errorf("page %v", res.Page)
	}
}

func TestFiles(t *testing.T) {
	sh, f, out := newShell(t)
	for _, code := range []string{"a := 1", "fail()", "b := 2", "value"} {
		run(t, sh, code)
	}
	if res := run(t, sh, "%save all.go\n%save some.ipynb 2-3\n%save one.go 1"); res.Err != nil {
		t.Fatal(res.Err)
	}
	for name, want := range map[string]string{"all.go": "a := 1\n\nb := 2\n\nvalue\n", "one.go": "a := 1\n"} {
		if b, err := os.ReadFile(name); err != nil || string(b) != want {
			t.Errorf("%s holds %q, %v", name, b, err)
		}
	}
	if res := run(t, sh, "%save x.go 2-9"); res.Err == nil || !strings.Contains(res.Err.Message, "cells 1 to 3") {
		t.Errorf("got %v", res.Err)
	}
	f.ran = nil
	if res := run(t, sh, "%run some.ipynb"); res.Err != nil || strings.Join(f.ran, "|") != "b := 2|value" || len(res.Values) != 1 {
		t.Errorf("ran %q, %+v", f.ran, res)
	}
	if res := run(t, sh, "%load all.go"); res.NextInput != "a := 1\n\nb := 2\n\nvalue\n" {
		t.Errorf("next input %q, %v", res.NextInput, res.Err)
	}
	os.WriteFile("broken.ipynb", []byte("{"), 0o644)
	if res := run(t, sh, "%run broken.ipynb"); res.Err == nil || !strings.Contains(res.Err.Message, "not a notebook") {
		t.Errorf("got %v", res.Err)
	}
	if err := os.Mkdir("sub", 0o755); err != nil {
		t.Fatal(err)
	}
	run(t, sh, "%ls")
	run(t, sh, "%cd sub\n%cd -")
	dir, _ := os.Getwd()
	if !strings.Contains(out.String(), "one.go\n") || !strings.HasSuffix(out.String(), filepath.Join(dir, "sub")+"\n"+dir+"\n") {
		t.Errorf("printed %q", out)
	}
}

func TestTimeit(t *testing.T) {
	sh, f, out := newShell(t)
	f.pause = time.Millisecond
	if res := run(t, sh, "%timeit -n 10 -r 3 f(x)"); res.Err != nil {
		t.Fatal(res.Err)
	}
	if !strings.Contains(out.String(), "(3 rounds of 10 loops)") || len(f.ran) != 4 || f.ran[1] != "for i := 0; i < 10; i++ { f(x)\n}" {
		t.Errorf("printed %q, ran %q", out, f.ran)
	}
}

// TestInterrupt ends a process and what it has started.
func TestInterrupt(t *testing.T) {
	sh, _, out := newShell(t)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		for !strings.Contains(out.String(), "begun") {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	begin := time.Now()
	res := sh.Run(ctx, eval.Cell{Code: "!echo begun; sleep 100 & sleep 100"})
	if res.Err == nil || res.Err.Name != "interrupted" {
		t.Errorf("got %+v", res.Err)
	}
	if d := time.Since(begin); d > 20*time.Second {
		t.Errorf("took %v", d)
	}
}

func TestIsComplete(t *testing.T) {
	sh, _, _ := newShell(t)
	if got := sh.IsComplete("%time\nx := 1").Status; got != "x := 1" {
		t.Errorf("asked about %q", got)
	}
}

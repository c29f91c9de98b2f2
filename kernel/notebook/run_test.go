package notebook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/chestlab/chest/kernel/wire"
)

// cells makes a notebook of code cells.
func cells(sources ...string) *Notebook {
	nb := &Notebook{Minor: 5}
	for _, s := range sources {
		nb.Cells = append(nb.Cells, &Cell{Kind: Code, ID: newID(), Source: s, Metadata: map[string]any{}})
	}
	return nb
}

// runFake runs code cells in the fake kernel and gives the progress, too.
func runFake(t *testing.T, how string, o RunOptions, sources ...string) (*Notebook, error) {
	t.Helper()
	return runFakeCtx(t.Context(), t, how, o, sources...)
}

func runFakeCtx(ctx context.Context, t *testing.T, how string, o RunOptions, sources ...string) (*Notebook, error) {
	t.Helper()
	t.Setenv(fakeEnv, how)
	t.Setenv("TMPDIR", t.TempDir())
	o.Command = []string{os.Args[0]}
	nb := cells(sources...)
	err := Run(ctx, nb, o)
	if left, _ := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	return nb, err
}

// texts is the outputs of a cell, one line each.
func texts(c *Cell) []string {
	var all []string
	for _, o := range c.Outputs {
		switch o.Kind {
		case StreamOutput:
			all = append(all, o.Name+": "+o.Text)
		case ErrorOutput:
			all = append(all, o.EName+": "+o.EValue)
		default:
			all = append(all, fmt.Sprintf("%s %d: %v", o.Kind, o.Count, o.Data["text/plain"]))
		}
	}
	return all
}

func TestRunOutputs(t *testing.T) {
	cases := []struct {
		name, code string
		want       []string
	}{
		{"streams are merged", `print a\n` + "\n" + `print b` + "\n" + `err c` + "\n" + `print d`, []string{"stdout: a\nb", "stderr: c", "stdout: d"}},
		{"a display between", "print a\nshow x one\nprint b", []string{"stdout: a", "display_data 0: one", "stdout: b"}},
		{"result", "result 42", []string{"execute_result 1: 42"}},
		{"update", "show x one\nshow y two\nupdate x three", []string{"display_data 0: three", "display_data 0: two"}},
		{"update of all with the id", "show x one\nshow x two\nupdate x three", []string{"display_data 0: three", "display_data 0: three"}},
		{"update of nothing", "update x one", nil},
		{"clear", "print a\nclear\nprint b", []string{"stdout: b"}},
		{"clear at the end", "print a\nclear", nil},
		{"clear and wait", "print a\nclearlater\nprint b\nprint c", []string{"stdout: bc"}},
		{"clear and wait for nothing", "print a\nclearlater", []string{"stdout: a"}},
	}
	for _, c := range cases {
		nb, err := runFake(t, "yes", RunOptions{}, c.code)
		if got := texts(nb.Cells[0]); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %q, %v\nwant %q", c.name, got, err, c.want)
		}
	}
}

func TestRunManyCells(t *testing.T) {
	var log bytes.Buffer
	nb, err := runFake(t, "yes", RunOptions{Progress: &log},
		"show bar 0 %\nhtml <b>x</b>", "  \n", "// second cell\nupdate bar 100 %\nlater from before\nprint one\\ntwo", "sleep 200ms\nprint last\\n")
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"display_data 0: 100 %", "display_data 0: <html>"}, nil, {"stdout: one\ntwofrom before"}, {"stdout: last\n"}}
	for i, c := range nb.Cells {
		if got := texts(c); !reflect.DeepEqual(got, want[i]) {
			t.Errorf("cell %d: got %q, want %q", i, got, want[i])
		}
	}
	if png := nb.Cells[0].Outputs[1].Data["image/png"]; png != "AQID" {
		t.Errorf("image/png is %v, want base64", png)
	}
	if c := nb.Cells; c[0].Count != 1 || c[1].Count != 0 || c[2].Count != 2 || c[3].Count != 3 {
		t.Errorf("counts %d %d %d %d", c[0].Count, c[1].Count, c[2].Count, c[3].Count)
	}
	if l, _ := nb.Metadata["language_info"].(map[string]any); l["name"] != "fake" {
		t.Errorf("language_info %v", nb.Metadata["language_info"])
	}
	for _, s := range []string{"[1/3] show bar 0 % … 0.", "[2/3] second cell\n    one\n    two", "\n[2/3] second cell … 0.", "[3/3] sleep 200ms … 0."} {
		if !strings.Contains(log.String(), s) {
			t.Errorf("the progress lacks %q:\n%s", s, &log)
		}
	}
	if strings.ContainsAny(log.String(), "\r\x1b") {
		t.Errorf("the progress writes to a file as to a terminal: %q", &log)
	}
}

func TestCellTitles(t *testing.T) {
	md := func(s string) *Cell { return &Cell{Kind: Markdown, Source: s} }
	code := func(s string) *Cell { return &Cell{Kind: Code, Source: s} }
	nb := &Notebook{Cells: []*Cell{
		code("\nx := 1\ny"), md("# One\ntext\n## Two"), md("no heading"), code("x"), code("z := 2"), md("# Three"), code(" "),
		code("// load the *data*\nx"), code(strings.Repeat("x", 100)),
	}}
	_, got := nb.begin()
	want := []string{"x := 1", "One", "z := 2", "load the *data*", strings.Repeat("x", 59) + "…"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRunFailure(t *testing.T) {
	code := []string{"print a", "print b\nfail Sad too bad", "print c", "fail Mad again", "print d"}
	for _, keep := range []bool{false, true} {
		var log bytes.Buffer
		nb, err := runFake(t, "yes", RunOptions{KeepGoing: keep, Progress: &log}, code...)
		var failed *CellError
		if !errors.As(err, &failed) || failed.Cell != 2 || failed.Line != 2 || failed.Name != "Sad" || failed.Value != "too bad" {
			t.Fatalf("keep %v: error %+v", keep, err)
		}
		if got := texts(nb.Cells[1]); !reflect.DeepEqual(got, []string{"stdout: b", "Sad: too bad"}) {
			t.Errorf("keep %v: failed cell: %q", keep, got)
		}
		if tb := nb.Cells[1].Outputs[1].Traceback; len(tb) != 2 || !strings.Contains(tb[0], "In[2]:2:1") {
			t.Errorf("traceback %q", tb)
		}
		if !strings.Contains(log.String(), "cell 2, line 2:\n    In[2]:2:1: too bad\n    > fail Sad too bad\n") {
			t.Errorf("keep %v: progress:\n%s", keep, &log)
		}
		if ran := len(nb.Cells[4].Outputs) == 1; ran != keep {
			t.Errorf("keep %v: the last cell ran: %v", keep, ran)
		}
		if both := strings.Contains(err.Error(), "Mad: again"); both != keep {
			t.Errorf("keep %v: error %q", keep, err)
		}
	}
}

func TestRunRaisesException(t *testing.T) {
	t.Setenv(fakeEnv, "yes")
	nb := cells("fail Sad as meant", "print on")
	nb.Cells[0].Metadata["tags"] = []any{raisesTag}
	if err := Run(t.Context(), nb, RunOptions{Command: []string{os.Args[0]}}); err != nil {
		t.Error(err)
	}
	if len(nb.Cells[0].Outputs) != 1 || len(nb.Cells[1].Outputs) != 1 {
		t.Errorf("outputs %q, %q", texts(nb.Cells[0]), texts(nb.Cells[1]))
	}
}

func TestRunFlood(t *testing.T) {
	nb, err := runFake(t, "yes", RunOptions{}, "flood 20000", "result 1")
	if err != nil {
		t.Fatal(err)
	}
	out := nb.Cells[0].Outputs
	if len(out) != 1 || !strings.HasPrefix(out[0].Text, "line 0\nline 1\n") || !strings.HasSuffix(out[0].Text, "line 19999\n") {
		t.Errorf("%d outputs", len(out))
	}
}

func TestCollectorBoundsStreams(t *testing.T) {
	k := &collected{cell: &Cell{}}
	for range 20 {
		k.stream(wire.Stream{Name: "stdout", Text: strings.Repeat("x", 1<<20)})
	}
	k.stream(wire.Stream{Name: "stderr", Text: "more"})
	out := k.cell.Outputs
	if len(out) != 2 || len(out[0].Text) != maxStream || !strings.Contains(out[1].Text, "more than 16 MiB") {
		t.Errorf("%d outputs, the first of %d bytes", len(out), len(out[0].Text))
	}
}

func TestRunInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(1500*time.Millisecond, cancel)
	nb, err := runFakeCtx(ctx, t, "yes", RunOptions{KeepGoing: true}, "print before\nhang", "print never")
	if !errors.Is(err, context.Canceled) || errors.Is(err, ErrTimeout) {
		t.Errorf("error %v", err)
	}
	if got := texts(nb.Cells[0]); !reflect.DeepEqual(got, []string{"stdout: before", "interrupted: the cell was interrupted"}) {
		t.Errorf("outputs %q", got)
	}
	if len(nb.Cells[1].Outputs) != 0 {
		t.Error("the next cell ran")
	}
}

func TestRunTimeoutKills(t *testing.T) {
	t.Parallel() // it takes interruptLimit
	nb := cells("print before\nstubborn", "print never")
	err := Run(t.Context(), nb, RunOptions{Timeout: 1500 * time.Millisecond, Command: fakeCommand("yes")})
	if !errors.Is(err, ErrTimeout) || errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	got := texts(nb.Cells[0])
	if len(got) != 2 || !strings.HasPrefix(got[1], "killed: ") || len(nb.Cells[1].Outputs) != 0 {
		t.Errorf("outputs %q", got)
	}
}

func TestRunKernelDies(t *testing.T) {
	var log bytes.Buffer
	nb, err := runFake(t, "yes", RunOptions{KeepGoing: true, Progress: &log}, "print a", "print b\ndie", "print c")
	if !errors.Is(err, ErrKernelDied) || !strings.Contains(err.Error(), "cell 2") || !strings.Contains(err.Error(), "exit status 7") {
		t.Errorf("error %v", err)
	}
	got := texts(nb.Cells[1])
	if n := len(got); n == 0 || !strings.Contains(got[n-1], "the kernel died (exit status 7)") || !strings.Contains(got[n-1], "last words") {
		t.Errorf("outputs %q", got)
	}
	if len(nb.Cells[0].Outputs) != 1 || len(nb.Cells[2].Outputs) != 0 {
		t.Error("the other cells")
	}
	if !strings.Contains(log.String(), "last words") {
		t.Errorf("progress:\n%s", &log)
	}
}

func TestRunNoKernel(t *testing.T) {
	nb, err := runFake(t, "broken", RunOptions{}, "print a")
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "the fake kernel will not start") {
		t.Errorf("a kernel that ends at once: %v", err)
	}
	if len(nb.Cells[0].Outputs) != 0 {
		t.Error("outputs without a kernel")
	}
	if _, err := runFake(t, "deaf", RunOptions{Timeout: 300 * time.Millisecond}, "print a"); !errors.Is(err, ErrTimeout) {
		t.Errorf("a kernel that does not listen: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := runFakeCtx(ctx, t, "yes", RunOptions{}, "print a"); !errors.Is(err, context.Canceled) {
		t.Errorf("ctx done before: %v", err)
	}
	err = Run(t.Context(), cells("x"), RunOptions{Command: []string{filepath.Join(t.TempDir(), "absent")}})
	if err == nil || !strings.Contains(err.Error(), "starting the kernel") {
		t.Errorf("no such program: %v", err)
	}
}

// TestQuotedCrash: an error message holds the reason of a crash and not the
// goroutines.
func TestQuotedCrash(t *testing.T) {
	for _, c := range []struct{ name, said, want string }{
		{"nothing", " \n", ""},
		{"words", "last words\n", "; it wrote:\nlast words"},
		{"stack overflow", "a log\nfatal error: stack overflow\n\nruntime stack:\nruntime.throw()\n\ngoroutine 1 [running]:\nx\n",
			"; it wrote:\na log\nfatal error: stack overflow"},
		{"panic", "panic: lost\n\ngoroutine 7 gp=0xc0 m=0 mp=0x1 [running]:\nmain.main()\n", "; it wrote:\npanic: lost"},
		{"much", "é" + strings.Repeat("x", quoteSize-1), "; it wrote:\n" + strings.Repeat("x", quoteSize-1)},
	} {
		var said tail
		for b := []byte(c.said); len(b) > 0; b = b[min(7, len(b)):] {
			said.Write(b[:min(7, len(b))])
		}
		if got := said.quoted(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestErrorLine(t *testing.T) {
	for _, c := range []struct {
		name      string
		traceback []string
		want      int
	}{
		{"nothing", nil, 0},
		{"in the cell", []string{"\x1b[31mIn[2]:4:3: panic: lost\x1b[0m", "x"}, 4},
		{"in a function of an earlier cell", []string{"In[1]:4:3: panic: lost", "    In[1]:4:3 in f", "    In[2]:7:1"}, 7},
		{"elsewhere", []string{"In[12]:4:3: panic: lost"}, 0},
	} {
		if got := errorLine(c.traceback, 2); got != c.want {
			t.Errorf("%s: line %d, want %d", c.name, got, c.want)
		}
	}
}

// TestRunShowsValues: the terminal has the beginning of a cell's value.
func TestRunShowsValues(t *testing.T) {
	var log bytes.Buffer
	p := newProgress(&log, 1)
	p.begin(1, "title")
	p.print("no newline")
	p.value("model  R@1\nCHEST  56.5\n")
	p.value(strings.Repeat("row\n", valueLines+5) + strings.Repeat("x", 2*valueWidth))
	p.end("")
	want := "[1/1] title\n    no newline\n    model  R@1\n    CHEST  56.5\n" + strings.Repeat("    row\n", valueLines) + "    … and 6 lines more\n[1/1] title"
	if got := log.String(); !strings.HasPrefix(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	log.Reset()
	p.begin(1, "title")
	p.value(strings.Repeat("é", 2*valueWidth))
	if got := log.String(); got != "[1/1] title\n    "+strings.Repeat("é", valueWidth-1)+"…\n" {
		t.Errorf("a long line: %q", got)
	}
}

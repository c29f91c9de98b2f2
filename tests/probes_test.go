package tests

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chestlab/chest/kernel/wire"
)

// text is all that a cell wrote to a stream.
func (a answered) text(stream string) string {
	var b strings.Builder
	for _, m := range a.iopub {
		var s wire.Stream
		if m.Header.MsgType == "stream" && json.Unmarshal(m.Content, &s) == nil && s.Name == stream {
			b.WriteString(s.Text)
		}
	}
	return b.String()
}

// value is the text of a cell's execute_result.
func (a answered) value() string {
	for _, m := range a.iopub {
		var r struct{ Data map[string]any }
		if m.Header.MsgType == "execute_result" && json.Unmarshal(m.Content, &r) == nil {
			return fmt.Sprint(r.Data["text/plain"])
		}
	}
	return ""
}

// failure is the message of a cell's error with its traceback.
func (a answered) failure() string {
	var e wire.ErrorReply
	json.Unmarshal(a.reply.Content, &e)
	return e.EName + ": " + e.EValue + "\n" + strings.Join(e.Traceback, "\n")
}

// TestCells asks what a user expects of a notebook's kernel, each in cells that
// share one kernel. A value, printed text, or "error: …" is expected.
func TestCells(t *testing.T) {
	f := startKernel(t)
	for _, c := range []struct{ question, code, want string }{
		{"last expression is a result", "1 + 2", "3"},
		{"several values of the last call", "import \"strings\"\nstrings.Cut(\"a=b\", \"=\")", "a b true"},
		{"no 6 <nil> after a print", "fmt.Println(\"hello\")", "hello\n"},
		{"variables keep values", "x := 20 + 1", ""},
		{"variables keep values", "x * 2", "42"},
		{"redeclare a variable", "x := \"text\"\nx", "text"},
		{"redeclare a function", "func g() int { return 1 }\nfunc h() int { return g() }", ""},
		{"redeclare a function", "func g() int { return 2 }", ""},
		{"redeclare a function", "h()", "2"},
		{"redeclare a type", "type T struct{ a int }", ""},
		{"redeclare a type", "type T struct{ a, b int }\nT{1, 2}", "{1 2}"},
		{"unused variable allowed", "func unused() int { y := 1; return 2 }\nunused()", "2"},
		{"mutual recursion, use before definition", "even(4)\nfunc even(n int) bool { return n == 0 || odd(n-1) }\nfunc odd(n int) bool { return n != 0 && even(n-1) }", ""},
		{"generic function", "func Map[A, B any](x []A, f func(A) B) []B { var r []B; for _, v := range x { r = append(r, f(v)) }; return r }\nMap[int, string]([]int{1, 2}, func(i int) string { return fmt.Sprint(i * 2) })", "[2 4]"},
		{"generic type", "type Stack[V any] struct{ v []V }\nfunc (s *Stack[V]) Push(x V) { s.v = append(s.v, x) }\ns := &Stack[int]{}\ns.Push(3)\ns.v", "[3]"},
		{"min and max", "min(3, 1, 2) + max(4, 5)", "6"},
		{"range over an int", "n := 3\nfor i := range n { fmt.Print(i) }", "012"},
		{"loop variable of each round", "var fs []func() int\nfor i := 0; i < 3; i++ { fs = append(fs, func() int { return i }) }\nfs[0]() + fs[2]()", "2"},
		{"String of a cell's type", "type P struct{ n int }\nfunc (p P) String() string { return fmt.Sprint(\"P\", p.n) }\nfmt.Println(P{3})", "P3\n"},
		{"interfaces, embedding, defer", "type A struct{ n int }\nfunc (a A) Twice() int { return 2 * a.n }\ntype B struct{ A }\nvar tw interface{ Twice() int } = B{A{4}}\nfunc run() (r int) { defer func() { r++ }(); return tw.Twice() }\nrun()", "9"},
		{"sort.Interface", "import \"sort\"\ntype byLen []string\nfunc (b byLen) Len() int { return len(b) }\nfunc (b byLen) Less(i, j int) bool { return len(b[i]) < len(b[j]) }\nfunc (b byLen) Swap(i, j int) { b[i], b[j] = b[j], b[i] }\nw := byLen{\"ccc\", \"a\", \"bb\"}\nsort.Sort(w)\nstrings.Join(w, \" \")", "a bb ccc"},
		{"select", "ch := make(chan int, 1)\nch <- 4\nselect { case v := <-ch: fmt.Print(v); default: }", "4"},
		{"library of matrices, offline", "import \"gonum.org/v1/gonum/mat\"\nm := mat.NewDense(2, 2, []float64{1, 2, 3, 4})\nmat.Det(m) < -1.99", "true"},
		{"rich value as last expression", "display.HTML(\"<b>x</b>\")", "x"},
		{"8 MiB line", "fmt.Print(len(strings.Repeat(\"a\", 8<<20)))", "8388608"},
		{"panic", "panic(\"oh\")", "error: panic: oh"},
		{"index", "var none []int\nnone[3]", "error: index out of range"},
		{"nil", "var p *int\n*p", "error: nil pointer dereference"},
		{"compile error names the line", "a := 1\nb := a + \"s\"", "error: :2:"},
		{"compile error shows the source", "a := 1\nb := a + nope", "error: b := a + nope"},
		{"run-time error names the line", "func bad(s []int) int {\n\treturn s[7]\n}\nbad(nil)", "error: :2:"},
		{"type mismatch refused", "var s2 string = 1", "error: cannot use 1"},
		{"panic in a goroutine", "go func() { panic(\"lost\") }()\nimport \"time\"\ntime.Sleep(50 * time.Millisecond)", ""},
		{"state is kept after a panic in a goroutine", "x", "text"},
		{"shell escape", "!echo from the shell", "from the shell\n"},
		{"help for commands", "%help cd", "working folder"},
		{"unused import", "import \"bytes\"", ""},
		{"unknown import", "import \"example.org/none\"", "error: not in this kernel"},
		{"generic std package refused with a sentence", "import \"slices\"\nslices.Sort([]int{2, 1})", "error: slices.Sort is generic"},
		{"range over a function refused with a sentence", "func gen(yield func(int) bool) { yield(1) }\nfor i := range gen { fmt.Print(i) }", "error: range over a function is not supported"},
		{"errors.As refused with a sentence", "import \"errors\"\ntype E struct{}\nfunc (*E) Error() string { return \"\" }\nvar target *E\nerrors.As(nil, &target)", "error: errors.As cannot find"},
	} {
		a := f.cell(c.code)
		got := a.value() + a.text("stdout")
		if part, ok := strings.CutPrefix(c.want, "error: "); ok {
			if a.status() != "error" || !strings.Contains(a.failure(), part) {
				t.Errorf("%s: %q: status %s, %s", c.question, c.code, a.status(), a.failure())
			}
		} else if a.status() != "ok" || !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: %q: got %q, want %q; %s", c.question, c.code, got, c.want, a.failure())
		}
		if strings.Contains(a.failure(), "yaegi") || regexp.MustCompile(`_\.go:|chest__`).MatchString(a.failure()) {
			t.Errorf("%s: the error shows the inside of the interpreter: %s", c.question, a.failure())
		}
	}
}

// TestProtocolQuestions asks what is about messages rather than about Go.
func TestProtocolQuestions(t *testing.T) {
	f := startKernel(t)
	if a := f.ask(wire.Shell, "execute_request", map[string]any{"code": "q := 3\nq", "silent": true, "store_history": false}); a.count("execute_result")+a.count("execute_input") != 0 {
		t.Error("a silent cell leaves a trace")
	}
	if a := f.ask(wire.Shell, "execute_request", map[string]any{"code": "q", "user_expressions": map[string]string{"e": "q + 1"}}); !strings.Contains(string(a.reply.Content), `"4"`) {
		t.Errorf("user_expressions: %s", a.reply.Content)
	}
	for _, kind := range []string{"inspect_request", "complete_request", "history_request", "comm_info_request", "is_complete_request", "kernel_info_request"} {
		a := f.ask(wire.Shell, kind, map[string]any{"code": "fmt.Pri", "cursor_pos": 7, "hist_access_type": "tail", "n": 1})
		if a.count("status") != 2 || a.status() == "" {
			t.Errorf("%s: %d status messages, reply %s", kind, a.count("status"), a.reply.Content)
		}
	}
	// An error stops the cells that are queued behind it.
	first, err1 := f.Send(wire.Shell, "execute_request", map[string]any{"code": "panic(1)", "stop_on_error": true})
	second, err2 := f.Send(wire.Shell, "execute_request", map[string]any{"code": "q = 100", "stop_on_error": true})
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	f.wait(first)
	if a := f.wait(second); a.status() != "aborted" {
		t.Errorf("the cell behind an error: %s", a.status())
	}
	time.Sleep(150 * time.Millisecond)
	if a := f.cell("q"); a.value() != "3" {
		t.Errorf("q is %s: the aborted cell ran", a.value())
	}
	// Completion counts characters.
	a := f.ask(wire.Shell, "complete_request", map[string]any{"code": "s := \"😀\"; fmt.Printl", "cursor_pos": 20})
	var c wire.CompleteReply
	if err := json.Unmarshal(a.reply.Content, &c); err != nil || c.CursorStart != 14 || c.CursorEnd != 20 || len(c.Matches) == 0 || c.Matches[0] != "Println" {
		t.Errorf("completion behind an emoji: %s", a.reply.Content)
	}
	// While a cell runs, completion and the control channel answer.
	running, err := f.Send(wire.Shell, "execute_request", map[string]any{"code": "import \"time\"\nfor { time.Sleep(time.Millisecond) }"})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	if a := f.ask(wire.Shell, "complete_request", map[string]any{"code": "fmt.Printl", "cursor_pos": 10}); !strings.Contains(string(a.reply.Content), "Println") {
		t.Errorf("completion while a cell runs: %s", a.reply.Content)
	}
	if a := f.ask(wire.Control, "kernel_info_request", nil); a.reply.Channel != wire.Control || a.status() != "ok" {
		t.Errorf("control channel while a cell runs: %+v", a.reply)
	}
	if _, err := f.Send(wire.Control, "interrupt_request", nil); err != nil {
		t.Fatal(err)
	}
	if a := f.wait(running); !strings.Contains(a.failure(), "interrupted") {
		t.Errorf("interrupted cell: %s", a.failure())
	}
	if a := f.ask(wire.Control, "debug_request", map[string]any{"command": "initialize"}); a.status() != "error" {
		t.Errorf("debug_request: %s", a.reply.Content)
	}
}

// TestInterruptsKeepState interrupts by message and by signal, whatever the
// cell does, and finds all state alive, function values too.
func TestInterruptsKeepState(t *testing.T) {
	f := startKernel(t)
	f.cell("import \"time\"\ncount := 0\nnext := func() int { count++; return count }\nhang := func() { <-make(chan int) }\nnext()")
	want := 1
	for _, code := range []string{"for {}", "func() { for {} }()", "time.Sleep(time.Hour)", "<-make(chan int)", "select {}", "hang()", "for { fmt.Print(\"x\") }", "!sleep 100"} {
		for _, bySignal := range []bool{false, true} {
			id, err := f.Send(wire.Shell, "execute_request", map[string]any{"code": code})
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
			if bySignal {
				err = f.cmd.Process.Signal(syscall.SIGINT)
			} else {
				_, err = f.Send(wire.Control, "interrupt_request", nil)
			}
			if err != nil {
				t.Fatal(err)
			}
			if a := f.wait(id); !strings.Contains(a.failure(), "interrupted") {
				t.Errorf("%s: %s", code, a.failure())
			}
			want++
			if a := f.cell("next()"); a.value() != fmt.Sprint(want) {
				t.Errorf("%s: next() is %q, want %d: %s", code, a.value(), want, a.failure())
			}
		}
	}
}

// TestOutputBelongsToItsCell: what a goroutine prints after its cell has ended
// goes to the cell that started it; the two streams keep their order.
func TestOutputBelongsToItsCell(t *testing.T) {
	f := startKernel(t)
	a := f.cell("import (\"os\"; \"time\")\nfmt.Print(\"1\"); fmt.Fprint(os.Stderr, \"2\"); fmt.Print(\"3\"); fmt.Fprint(os.Stderr, \"4\")")
	order := ""
	for _, m := range a.iopub {
		var s wire.Stream
		if m.Header.MsgType == "stream" && json.Unmarshal(m.Content, &s) == nil {
			order += s.Text
		}
	}
	if order != "1234" {
		t.Errorf("the streams came as %q", order)
	}
	id, err := f.Send(wire.Shell, "execute_request", map[string]any{"code": "go func() { time.Sleep(200 * time.Millisecond); fmt.Println(\"late\") }()"})
	if err != nil {
		t.Fatal(err)
	}
	f.wait(id)
	other := f.cell("time.Sleep(10 * time.Millisecond)")
	if other.text("stdout") != "" {
		t.Error("too early")
	}
	limit := time.After(10 * time.Second)
	for {
		select {
		case m := <-f.IOPub():
			if m.Header.MsgType != "stream" {
				continue
			}
			if m.Parent.MsgID != id || !strings.Contains(string(m.Content), "late") {
				t.Errorf("%s of parent %s, want that of the cell that started it (%s)", m.Content, m.Parent.MsgID, id)
			}
			return
		case <-limit:
			t.Fatal("the output of a goroutine is lost")
		}
	}
}

// TestKernelEndsWithItsParent: a kernel whose front end is gone ends, and its
// worker with it.
func TestKernelEndsWithItsParent(t *testing.T) {
	sh := need(t, "sh")
	file, conn := connectionFile(t)
	cmd := exec.Command(sh, "-c", `JPY_PARENT_PID=$$ "$0" kernel "$1" & wait`, buildChest(t), file)
	f := connect(t, conn, cmd)
	f.cell("1")
	var all []int
	for _, kernel := range children(t, cmd.Process.Pid) {
		all = append(append(all, kernel), children(t, kernel)...)
	}
	if len(all) != 2 {
		t.Fatalf("processes %v, want a kernel and a worker", all)
	}
	cmd.Process.Kill()
	cmd.Wait()
	limit := time.After(20 * time.Second)
	for _, pid := range all {
		for p, err := os.FindProcess(pid); err == nil && p.Signal(syscall.Signal(0)) == nil; {
			select {
			case <-limit:
				t.Fatalf("process %d of %v stays", pid, all)
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
}

// TestLargeAndSpecialOutput: a line of 8 MiB, outputs that are replaced, and
// questions to the user.
func TestLargeAndSpecialOutput(t *testing.T) {
	f := startKernel(t)
	if a := f.cell("import \"strings\"\nfmt.Println(strings.Repeat(\"a\", 8<<20))"); len(a.text("stdout")) != 8<<20+1 {
		t.Errorf("a line of 8 MiB came with %d bytes", len(a.text("stdout")))
	}
	if a := f.cell("for i := 0; i < 10000; i++ { fmt.Println(\"line\", i) }"); a.count("stream") > 20 || strings.Count(a.text("stdout"), "\n") != 10000 {
		t.Errorf("10,000 lines came as %d in %d messages", strings.Count(a.text("stdout"), "\n"), a.count("stream"))
	}
	if a := f.cell("display.ShowAs(\"one\", 1)\ndisplay.Update(\"one\", 2)\ndisplay.Clear(true)"); a.count("display_data") != 1 || a.count("update_display_data") != 1 || a.count("clear_output") != 1 {
		t.Errorf("messages %v", a.iopub)
	}
	id, err := f.Send(wire.Shell, "execute_request", map[string]any{"code": "var name string\nfmt.Scan(&name)\nmore, err := display.Input(\"more? \")\nname + more", "allow_stdin": true})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"Ada", "!"} {
		answered := false
		for limit := time.After(10 * time.Second); !answered; {
			select {
			case r := <-f.Replies():
				if r.Header.MsgType == "input_request" {
					answered = true
					if err := f.Answer(r, "input_reply", wire.InputReply{Value: line}); err != nil {
						t.Fatal(err)
					}
				}
			case <-limit:
				t.Fatal("the kernel does not ask")
			}
		}
	}
	if a := f.wait(id); a.value() != "Ada!" {
		t.Errorf("the cell that asked gave %q: %s", a.value(), a.failure())
	}
	if a := f.cell("display.Input(\"?\")\n1"); a.status() != "ok" {
		t.Errorf("a front end without input: %s", a.failure())
	}
}

// TestKernelStays: the heart beats while a cell spins, an unknown comm is
// closed, what ends a worker leaves the kernel, and a shutdown ends it.
func TestKernelStays(t *testing.T) {
	f := startKernel(t)
	f.cell("kept := 5")
	spin, err := f.Send(wire.Shell, "execute_request", map[string]any{"code": "for {}"})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := f.Ping(ctx); err != nil {
		t.Errorf("heartbeat while a cell spins: %v", err)
	}
	if _, err := f.Send(wire.Control, "interrupt_request", nil); err != nil {
		t.Fatal(err)
	}
	f.wait(spin)
	if _, err := f.Send(wire.Shell, "comm_open", map[string]any{"comm_id": "c1", "target_name": "nobody", "data": map[string]any{}}); err != nil {
		t.Fatal(err)
	}
	for closed, limit := false, time.After(10*time.Second); !closed; {
		select {
		case m := <-f.IOPub():
			closed = m.Header.MsgType == "comm_close"
		case <-limit:
			t.Fatal("a comm to nobody stays open")
		}
	}
	for _, c := range []struct{ code, why string }{
		{"import \"os\"\nos.Exit(3)", "os.Exit"},
		{"import \"log\"\nlog.Fatal(\"the end\")", ""},
		{"func deep(n int) int { return deep(n+1) + 1 }\ndeep(0)", "stack"},
		{"!kill -9 $PPID", "kill"},
		{"!kill -SEGV $PPID", ""},
	} {
		a := f.cell(c.code)
		if a.status() != "error" || !strings.Contains(strings.ToLower(a.failure()), strings.ToLower(c.why)) {
			t.Errorf("%q: %s %s", c.code, a.status(), a.failure())
		}
		time.Sleep(150 * time.Millisecond) // cells that were sent before an error do not run
		if a := f.cell("1 + 1"); a.value() != "2" {
			t.Errorf("after %q: %s", c.code, a.failure())
		}
		if a := f.cell("%restore"); a.status() != "ok" {
			t.Errorf("%%restore after %q: %s", c.code, a.failure())
		}
		if a := f.cell("kept"); a.value() != "5" {
			t.Errorf("after %q and %%restore: %s", c.code, a.failure())
		}
	}
	if a := f.ask(wire.Control, "shutdown_request", wire.ShutdownRequest{}); a.reply.Channel != wire.Control || a.status() != "ok" {
		t.Errorf("shutdown: %+v", a.reply)
	}
}

// TestInterruptTraining interrupts compiled code that watches the cell's
// context: the model keeps what it learnt, and training goes on.
func TestInterruptTraining(t *testing.T) {
	f := startKernel(t)
	if a := f.cell("split, err := datasets.Blazons(datasets.BlazonsOptions{Species: 6})\nm, err := chestlib.NewModel(split.Train, chestlib.ModelOptions{Trunk: \"conv\", Width: 16})\ntr, err := chestlib.NewTrainer(m, split.Train, chestlib.TrainOptions{Epochs: 50})"); a.status() != "ok" {
		t.Fatal(a.failure())
	}
	id, err := f.Send(wire.Shell, "execute_request", map[string]any{"code": "tr.Fit(display.Context())"})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(1500 * time.Millisecond)
	begin := time.Now()
	if _, err := f.Send(wire.Control, "interrupt_request", nil); err != nil {
		t.Fatal(err)
	}
	a := f.wait(id)
	t.Logf("training stopped %v after the interrupt", time.Since(begin))
	if !strings.Contains(a.failure(), "all variables are kept") {
		t.Errorf("got %s", a.failure())
	}
	if a := f.cell("step, err := tr.Step(tr.Batches()[0])\nerr == nil && step.Number > 1"); a.value() != "true" {
		t.Errorf("training does not go on: %q %s", a.value(), a.failure())
	}
}

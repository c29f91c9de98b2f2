//go:build unix

package worker

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// waitFor waits until something holds.
func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within 5 s", what)
		}
	}
}

// of is the text of a cell so far.
func (r *record) of(cell uint32) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cells[cell]
}

func TestOrder(t *testing.T) {
	b := start(t, Options{})
	for _, c := range []struct{ name, code, want string }{
		{"streams and displays", `fmt.Print("a"); fmt.Fprint(os.Stderr, "b"); crash.Show("c"); fmt.Print("d"); fmt.Fprintln(os.Stderr, "e")`, "a!b<c>d!e\n"},
		{"descriptors", `crash.Raw(1, "a"); crash.Show("b"); crash.Raw(1, "c"); crash.Show("d"); crash.Raw(2, "e\n")`, "a<b>c<d>!e\n"},
		{"raw text before printed text", `crash.Raw(1, "a"); fmt.Print("b")`, "ab"},
		{"text like a dump", `crash.Raw(2, "panic: not really\n"); time.Sleep(500*time.Millisecond)`, "!panic: not really\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i := range 20 {
				if i == 1 && c.name == "text like a dump" {
					break
				}
				b.out.take()
				if r := b.run(c.code); r.Err != nil {
					t.Fatal(r.Err)
				}
				if got := b.out.take(); got != c.want {
					t.Fatalf("round %d: got %q, want %q", i, got, c.want)
				}
			}
		})
	}
}

// TestLateOutput: what a goroutine prints after its cell belongs to that cell.
func TestLateOutput(t *testing.T) {
	b := start(t, Options{})
	b.run("import \"sync\"\nvar wg sync.WaitGroup\nwg.Add(1)\ngo func() { wg.Wait(); fmt.Print(\"late\"); crash.Show(\"later\") }()")
	first := b.n
	b.run(`fmt.Print("x"); wg.Done(); time.Sleep(20 * time.Millisecond); fmt.Print("y")`)
	waitFor(t, "late output", func() bool { return b.out.of(first) == "late<later>" })
	if got := b.out.of(b.n); got != "xy" {
		t.Errorf("the cell after it has %q", got)
	}
}

func TestInterrupt(t *testing.T) {
	if raceDetector {
		t.Skip("the interpreter itself races when it is interrupted")
	}
	b := start(t, Options{})
	b.want("x := 1\nx", "1")
	for _, code := range []string{"for {}", "time.Sleep(time.Minute)", "select {}"} {
		time.AfterFunc(100*time.Millisecond, b.host.Interrupt)
		begin := time.Now()
		if r := b.run(code); r.Err == nil || r.Err.Name != "interrupted" || r.Lost {
			t.Errorf("%s: %+v", code, r.Err)
		}
		if took := time.Since(begin) - 100*time.Millisecond; took > 200*time.Millisecond {
			t.Errorf("%s: %v", code, took)
		}
		b.want("x", "1")
	}
	b.host.Interrupt() // nothing runs: nothing happens
	b.want("x", "1")
}

// TestStuck has a cell that does not end, whatever one asks.
func TestStuck(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for some seconds")
	}
	b := start(t, Options{Env: []string{"CHEST_TEST_DEAF=1"}})
	time.AfterFunc(50*time.Millisecond, b.host.Interrupt)
	r := b.run("deaf")
	if r.Err == nil || !strings.Contains(r.Err.Message, "Interrupt once more") || r.Lost {
		t.Fatalf("got %+v", r.Err)
	}
	// The next cell waits for the busy worker; the second interrupt replaces it.
	time.AfterFunc(50*time.Millisecond, b.host.Interrupt)
	r = b.run("1")
	if !r.Lost || !strings.Contains(r.Err.Message, "interrupted twice") {
		t.Fatalf("got %+v", r.Err)
	}
	if r := b.run("quick"); r.Err != nil {
		t.Error(r.Err)
	}
}

func TestInput(t *testing.T) {
	b := start(t, Options{})
	if r := b.run(`_, err := crash.Ask("name? "); fmt.Print(err)`); r.Err != nil || b.out.take() != "nobody is there" {
		t.Errorf("without a user: %v", r.Err)
	}
	b.out.line = func(_ context.Context, prompt string) (string, error) { return "to " + prompt, nil }
	if b.run(`name, _ := crash.Ask("you"); fmt.Print(name)`); b.out.take() != "to you" {
		t.Error("the answer did not come")
	}
	if raceDetector {
		return
	}
	ended := make(chan error, 1)
	b.out.line = func(ctx context.Context, _ string) (string, error) {
		<-ctx.Done()
		ended <- ctx.Err()
		return "", ctx.Err()
	}
	time.AfterFunc(100*time.Millisecond, b.host.Interrupt)
	if r := b.run(`_, err2 := crash.Ask("x"); fmt.Print(err2)`); r.Err == nil {
		t.Error("an interrupt does not end the question")
	}
	select {
	case <-ended:
	case <-time.After(2 * time.Second):
		t.Error("the host still asks")
	}
}

// TestAssistant asks while a cell runs. An assistant that is slow gives
// nothing.
func TestAssistant(t *testing.T) {
	b := start(t, Options{})
	b.want("1", "1")
	done := make(chan Reply)
	go func() { done <- b.run("time.Sleep(time.Second)") }()
	time.Sleep(50 * time.Millisecond)
	begin := time.Now()
	if c := b.host.Complete("fmt.Pr", 6); len(c.Matches) != 1 || c.Matches[0].Text != "Println" || c.Start != 4 || c.End != 6 {
		t.Errorf("got %+v", c)
	}
	if i := b.host.Inspect("x", 1, 1); !i.Found || i.Text != "x1 1" {
		t.Errorf("got %+v", i)
	}
	if c := b.host.IsComplete("for {"); c.Status != "incomplete" || c.Indent != "\t" {
		t.Errorf("got %+v", c)
	}
	if took := time.Since(begin); took > 100*time.Millisecond {
		t.Errorf("three answers took %v", took)
	}
	begin = time.Now()
	if c := b.host.Complete("hang", 4); len(c.Matches) != 0 || c.Start != 4 || c.End != 4 {
		t.Errorf("got %+v", c)
	}
	if took := time.Since(begin); took > 2*askLimit {
		t.Errorf("no answer took %v", took)
	}
	if r := <-done; r.Err != nil {
		t.Error(r.Err)
	}
}

func TestComms(t *testing.T) {
	b := start(t, Options{})
	b.run(`crash.Comm("open", "c1")`)
	b.host.Comm(100, Comm{Kind: "open", ID: "c2", Target: "nobody"})
	if got := b.out.take(); got != "<comm open c1><comm close c2>" {
		t.Errorf("got %q", got)
	}
}

// TestDeathBetweenCells: the user is told, and the next cell runs.
func TestDeathBetweenCells(t *testing.T) {
	b := start(t, Options{})
	b.run(`crash.PanicLater("too late")`)
	waitFor(t, "the news", func() bool {
		b.out.mu.Lock()
		defer b.out.mu.Unlock()
		return len(b.out.died) == 1
	})
	if m := b.out.died[0].Message; !strings.Contains(m, "too late") {
		t.Error(m)
	}
	b.want("1 + 1", "2")
}

func TestReset(t *testing.T) {
	b := start(t, Options{})
	b.want("x := 5\nx", "5")
	if err := b.host.Reset(); err != nil {
		t.Fatal(err)
	}
	if r := b.run("x"); r.Err == nil {
		t.Error("x is still there")
	}
	b.host.SetMemory(0)
	if used, ok := b.host.Used(); ok && used < 1<<20 {
		t.Errorf("used %d", used)
	}
	if len(b.out.died) != 0 {
		t.Errorf("died: %v", b.out.died)
	}
}

// TestNoSession: a session that cannot be made is an error of every cell.
func TestNoSession(t *testing.T) {
	b := start(t, Options{Env: []string{"CHEST_TEST_DEAF=2"}})
	for range 2 {
		if r := b.run("1"); r.Err == nil || !strings.Contains(r.Err.Message, "no session today") {
			t.Errorf("got %+v", r)
		}
	}
	c := start(t, Options{Command: []string{"/nonexistent"}})
	if r := c.run("1"); r.Err == nil || !strings.Contains(r.Err.Message, "/nonexistent") {
		t.Errorf("got %+v", r)
	}
}

// TestNoOrphans kills a host: its worker ends, and so does what that started.
func TestNoOrphans(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVar+"=host")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscan(out, &pid); err != nil || pid == 0 {
		t.Fatal(pid, err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	waitFor(t, "the end of the worker", func() bool { return syscall.Kill(pid, 0) != nil || zombie(pid) })
}

// zombie says whether a process has ended but was not reaped.
func zombie(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(b), ") Z")
}

// playHost is the host of TestNoOrphans.
func playHost() {
	h := New(Options{Output: &record{}, Env: []string{roleVar + "=worker"}})
	r := h.Run(Cell{ID: 1, Code: "crash.SelfPid()"})
	text, _ := r.Value.Text()
	fmt.Println(text)
	select {}
}

// TestManyCells runs a thousand cells: neither process may grow with them.
func TestManyCells(t *testing.T) {
	b := start(t, Options{})
	b.run("x := 0")
	run := func(n int) {
		for range n {
			if r := b.run("x = x + 1\nfmt.Println(x)\nx"); r.Err != nil {
				t.Fatal(r.Err)
			}
		}
	}
	heap := func() (n int64) {
		text, _ := b.run("crash.Heap()").Value.Text()
		fmt.Sscan(text, &n)
		return n
	}
	run(200)
	before := heap()
	run(1000)
	after := heap()
	used, _ := b.host.Used()
	t.Logf("live heap of the worker: %s → %s, all memory %s", FormatMemory(before), FormatMemory(after), FormatMemory(used))
	if grown := after - before; before == 0 || grown > 12<<20 {
		t.Errorf("a thousand cells took %s", FormatMemory(grown))
	}
}

func TestParseMemory(t *testing.T) {
	for _, c := range []struct {
		text string
		want int64 // -1: refused
	}{
		{"4GB", 4e9}, {"1.5 GiB", 3 << 29}, {"800M", 800 << 20}, {"off", 0}, {"OFF", 0}, {"1TB", 1e12},
		{"", -1}, {"4XB", -1}, {"-4GB", -1}, {"NaN", -1}, {"1e300GB", -1}, {"12", -1}, {"4 4GB", -1}, {"lots", -1},
	} {
		if got, err := ParseMemory(c.text); err != nil && c.want >= 0 || err == nil && got != c.want {
			t.Errorf("%q: %d, %v", c.text, got, err)
		}
	}
	if n := DefaultMemory(); n < 0 || n > 1<<50 {
		t.Errorf("default %d", n)
	}
}

// TestSieve passes text through in pieces of every size: nothing but a dump is
// held back.
func TestSieve(t *testing.T) {
	for _, c := range []struct{ text, passed, dump string }{
		{"warning\nall is well\n", "warning\nall is well\n", ""},
		{"the panic: word\n", "the panic: word\n", ""},
		{"one\npanic: two\n\ngoroutine 5 [running]:\n", "one\n", "panic: two\n\ngoroutine 5 [running]:\n"},
		{"fatal error: x", "", "fatal error: x"},
		{"no line end", "no line end", ""},
		{"pan\npani", "pan\npani", ""},
	} {
		for size := 1; size <= len(c.text); size++ {
			var got strings.Builder
			s := &sieve{pass: func(p []byte) { got.Write(p) }, alive: func() bool { return true }}
			for i := 0; i < len(c.text); i += size {
				s.Write([]byte(c.text[i:min(i+size, len(c.text))]))
			}
			if dump := s.take(); dump != c.dump || got.String() != c.passed {
				t.Fatalf("%q in pieces of %d: passed %q, dump %q", c.text, size, got.String(), dump)
			}
		}
	}
}

// TestCauses reads dumps of the run time.
func TestCauses(t *testing.T) {
	for _, c := range []struct {
		d    death
		want string
	}{
		{death{reason: "it was reset"}, "it was reset"},
		{death{ending: ending{code: 7}}, "os.Exit(7) was called"},
		{death{ending: ending{-1, "killed"}}, "killed from outside"},
		{death{dump: "panic: one [recovered]\n\tpanic: two\n\ngoroutine 1"}, "a goroutine panicked: one"},
		{death{dump: "fatal error: all goroutines are asleep - deadlock!\n"}, "deadlock"},
		{death{dump: "fatal error: something new\n"}, "gave up: something new"},
		{death{dump: "runtime: out of memory: cannot allocate 4194304-byte block\nfatal error: out of memory\n"}, "out of memory"},
		{death{dump: "unexpected fault address 0x10\nfatal error: fault\n[signal SIGSEGV: segmentation violation]"}, "SIGSEGV"},
		{death{dump: "runtime: strange\n"}, "run time gave up"},
	} {
		if got := c.d.cause(); !strings.Contains(got, c.want) {
			t.Errorf("%+v: %q, want %q", c.d, got, c.want)
		}
	}
	long := "panic: " + strings.Repeat("ä", 1000) + "\n\ngoroutine 9 [running]:\nmain.f()\n\tf.go:1\ngithub.com/chestlab/chest/chestlib.Fit(0x1)\n"
	e := death{dump: long}.err()
	if len(strings.Join(e.Traceback, "")) > 4000 || !strings.Contains(strings.Join(e.Traceback, "\n"), "in github.com/chestlab/chest/chestlib.Fit") {
		t.Errorf("%q", e.Traceback)
	}
}

// FuzzFrames reads any bytes as frames of a worker and of a host.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("r\x00\x00\x00\x01\x00\x00\x00\x02{}"))
	f.Add([]byte("d\x00\x00\x00\x01\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var b Bundle
		json.Unmarshal(data, &b)
		b.Text()
		newSieve := &sieve{pass: func([]byte) {}, alive: func() bool { return true }}
		newSieve.Write(data)
		dump := newSieve.take()
		death{dump: dump}.err()
		for r := bufio.NewReader(bytes.NewReader(data)); ; {
			if _, err := readFrame(r); err != nil {
				break
			}
		}
	})
}

//go:build unix

package worker

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chestlab/chest/kernel/assist"
	"github.com/chestlab/chest/kernel/display"
	"github.com/chestlab/chest/kernel/eval"
	"github.com/traefik/yaegi/stdlib"
)

const roleVar = "CHEST_TEST_ROLE"

// TestMain lets the test program be the worker, too.
func TestMain(m *testing.M) {
	switch os.Getenv(roleVar) {
	case "host":
		playHost()
	case "worker":
		if err := Main(crashing); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// crashing is a session on the interpreter whose cells can do all that ends a
// Go program.
func crashing(out *Outlet) (Session, error) {
	switch os.Getenv("CHEST_TEST_DEAF") {
	case "1":
		return Session{Evaluator: deaf{}}, nil
	case "2":
		return Session{}, errors.New("no session today")
	}
	calls := map[string]reflect.Value{
		"Exit":  reflect.ValueOf(os.Exit),
		"Fatal": reflect.ValueOf(func(s string) { log.Fatal(s) }),
		"Panic": reflect.ValueOf(func(s string) {
			go panic(s)
			time.Sleep(10 * time.Second)
		}),
		"PanicLater": reflect.ValueOf(func(s string) { go func() { time.Sleep(100 * time.Millisecond); panic(s) }() }),
		"Nil": reflect.ValueOf(func() {
			go func() { var p *int; *p = 1 }()
			time.Sleep(10 * time.Second)
		}),
		"Recurse": reflect.ValueOf(func() int { return recurse(1) }),
		"Maps":    reflect.ValueOf(maps),
		"Grow":    reflect.ValueOf(grow),
		"Alloc":   reflect.ValueOf(func() { kept = make([]byte, 1<<46) }),
		"Kill":    reflect.ValueOf(func(n int) { syscall.Kill(os.Getpid(), syscall.Signal(n)); time.Sleep(10 * time.Second) }),
		"Stuck":   reflect.ValueOf(func(s float64) { time.Sleep(time.Duration(s * float64(time.Second))) }),
		"Raw":     reflect.ValueOf(func(fd int, s string) { syscall.Write(fd, []byte(s)) }),
		"Show":    reflect.ValueOf(func(s string) { display.Show(display.Text(s)) }),
		"Ask":     reflect.ValueOf(func(prompt string) (string, error) { return out.Input(display.Context(), prompt, false) }),
		"Comm":    reflect.ValueOf(func(kind, id string) error { return out.SendComm(kind, id, "t", nil, nil) }),
		"Heap": reflect.ValueOf(func() uint64 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}),
		"SelfPid": reflect.ValueOf(os.Getpid),
	}
	ev, err := eval.New(eval.Options{
		Symbols: []map[string]map[string]reflect.Value{stdlib.Symbols, {"chest/crash/crash": calls}},
		Imports: []string{"fmt", "os", "time", "chest/crash"},
		Stdout:  out.Stdout(), Stderr: out.Stderr(),
	})
	return Session{ev, helper{ev}}, err
}

// deaf is an evaluator that hears no interrupt.
type deaf struct{}

func (deaf) Run(_ context.Context, c eval.Cell) eval.Result {
	if c.Code == "deaf" {
		time.Sleep(time.Minute)
	}
	return eval.Result{}
}

func (deaf) IsComplete(string) eval.Completeness { return eval.Completeness{} }

// helper is an assistant that knows one word.
type helper struct{ ev eval.Evaluator }

func (h helper) Complete(code string, cursor int) assist.Completion {
	if code == "hang" {
		time.Sleep(2 * time.Second)
	}
	return assist.Completion{Start: cursor - 2, End: cursor, Matches: []assist.Match{{Text: "Println", Kind: "function", Detail: "func(a ...any)"}}}
}

func (h helper) Inspect(code string, cursor, detail int) assist.Inspection {
	return assist.Inspection{Found: true, Text: fmt.Sprint(code, cursor, detail)}
}

func (h helper) IsComplete(code string) eval.Completeness { return h.ev.IsComplete(code) }

var kept []byte

// recurse ends in a stack overflow.
//
//go:noinline
func recurse(n int) int {
	if n < 0 {
		return 0
	}
	return recurse(n+1) + 1
}

func maps() {
	m := map[int]int{}
	for range 8 {
		go func() {
			for i := 0; ; i++ {
				m[i%100] = i
			}
		}()
	}
	time.Sleep(10 * time.Second)
}

// grow takes memory until it is stopped.
func grow() {
	var all [][]byte
	for {
		b := make([]byte, 16<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		all = append(all, b)
		time.Sleep(time.Millisecond)
		if len(all) > 1000 {
			return
		}
	}
}

// record is an Output that remembers.
type record struct {
	mu    sync.Mutex
	text  string // of all, in order
	cells map[uint32]string
	died  []*eval.Error
	line  func(ctx context.Context, prompt string) (string, error)
}

func (r *record) add(cell uint32, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := fmt.Sprintf(format, args...)
	r.text += s
	if r.cells == nil {
		r.cells = map[uint32]string{}
	}
	r.cells[cell] += s
}

func (r *record) Text(cell uint32, isErr bool, text []byte) {
	if isErr {
		r.add(cell, "!%s", text)
	} else {
		r.add(cell, "%s", text)
	}
}

func (r *record) Display(cell uint32, d Display) {
	text, _ := d.Data.Text()
	r.add(cell, "<%s>", text)
}
func (r *record) Clear(cell uint32, wait bool) { r.add(cell, "<clear %v>", wait) }
func (r *record) Comm(cell uint32, c Comm)     { r.add(cell, "<comm %s %s>", c.Kind, c.ID) }

func (r *record) Input(ctx context.Context, cell uint32, text string, password bool) (string, error) {
	if r.line == nil {
		return "", errors.New("nobody is there")
	}
	return r.line(ctx, text)
}

func (r *record) Died(err *eval.Error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.died = append(r.died, err)
}

// take returns the text so far and forgets it.
func (r *record) take() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.text
	r.text = ""
	return s
}

// bench is a host with a worker in a process of its own.
type bench struct {
	*testing.T
	host *Host
	out  *record
	n    uint32
}

func start(t *testing.T, o Options) *bench {
	t.Helper()
	b := &bench{T: t, out: &record{}}
	o.Output = b.out
	o.Env = append(o.Env, roleVar+"=worker")
	b.host = New(o)
	t.Cleanup(b.host.Close)
	return b
}

// run runs a cell.
func (b *bench) run(code string) Reply {
	b.n++
	return b.host.Run(Cell{ID: b.n, Name: fmt.Sprintf("In[%d]", b.n), Code: code})
}

// want runs a cell that must give a value.
func (b *bench) want(code, value string) {
	b.Helper()
	r := b.run(code)
	if r.Err != nil {
		b.Fatalf("%s: %v", code, r.Err)
	}
	if text, _ := r.Value.Text(); text != value {
		b.Errorf("%s: got %q, want %q", code, text, value)
	}
}

// TestDeaths ends workers in every way. The error must name the cause in a
// sentence and hold no dump, and the next cell must run in a fresh worker.
func TestDeaths(t *testing.T) {
	b := start(t, Options{Memory: 600 << 20})
	for _, c := range []struct {
		name, code, cause string
		trace             string // in the traceback
	}{
		{"os.Exit", "crash.Exit(3)", "os.Exit(3) was called", ""},
		{"os.Exit(0)", "crash.Exit(0)", "os.Exit(0) or log.Fatal was called", ""},
		{"log.Fatal", `crash.Fatal("no data")`, "os.Exit(1) or log.Fatal was called", ""},
		{"panic in a goroutine", `crash.Panic("boom at 7")`, "a goroutine panicked: boom at 7", "panic: boom at 7"},
		{"nil in a goroutine", "crash.Nil()", "a goroutine panicked: runtime error: invalid memory address or nil pointer dereference", ""},
		{"compiled recursion", "crash.Recurse()", "endless recursion", "stack overflow"},
		{"interpreted recursion", "func f(n int) int { return f(n+1) + 1 }\nf(0)", "endless recursion", ""},
		{"map writes", "crash.Maps()", "two goroutines used one map at the same time (concurrent map writes)", ""},
		{"memory limit", "crash.Grow()", "its limit is 629.1 MB (%memlimit sets another)", ""},
		{"huge allocation", "crash.Alloc()", "out of memory", ""},
		{"SIGKILL", "crash.Kill(9)", "killed from outside (SIGKILL)", ""},
		{"SIGSEGV", "crash.Kill(11)", "SIGSEGV", ""},
		{"SIGABRT", "crash.Kill(6)", "SIGABRT", ""},
		{"SIGTERM", "crash.Kill(15)", "a signal: terminated", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &bench{T: t, host: b.host, out: b.out, n: b.n}
			if raceDetector && (strings.Contains(c.name, "recursion") || c.name == "map writes" || c.name == "huge allocation") {
				t.Skip("the race detector changes how these end")
			}
			b.want("x := 20\nx + 1", "21")
			b.out.take()
			begin := time.Now()
			r := b.run(c.code)
			took := time.Since(begin)
			if r.Err == nil || !r.Lost || r.Err.Name != NameDied || !strings.Contains(r.Err.Message, c.cause) {
				t.Fatalf("got %+v", r.Err)
			}
			if !strings.Contains(r.Err.Message, "variables are lost") || !strings.Contains(r.Err.Message, "%restore") {
				t.Errorf("the message does not say what is lost: %s", r.Err.Message)
			}
			all := strings.Join(r.Err.Traceback, "\n")
			if len(r.Err.Traceback) > 2+dumpLines || strings.Contains(all, "goroutine 1") || !strings.Contains(all, c.trace) {
				t.Errorf("traceback:\n%s", all)
			}
			if out := b.out.take(); strings.Contains(out, "goroutine ") || strings.Contains(out, "fatal error") {
				t.Errorf("the dump is in the output: %.500s", out)
			}
			if took > 8*time.Second {
				t.Errorf("it took %v", took)
			}
			begin = time.Now()
			b.want("1 + 1", "2")
			t.Logf("%v, next cell %v: %s", took.Round(time.Millisecond), time.Since(begin).Round(time.Millisecond), all)
			if r := b.run("x"); r.Err == nil || !strings.Contains(r.Err.Message, "undefined") {
				t.Errorf("the new worker knows x: %+v", r)
			}
		})
		b.n += 10
	}
}

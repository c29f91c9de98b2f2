package eval

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/chestlab/chest/kernel/display"
)

// interruptible has a call that watches the context and one that does not.
func interruptible(entered chan struct{}, leave chan struct{}) map[string]map[string]reflect.Value {
	return map[string]map[string]reflect.Value{"example.org/slow/slow": {
		"Polite": reflect.ValueOf(func() error {
			entered <- struct{}{}
			<-display.Context().Done()
			return display.Context().Err()
		}),
		"Deaf":    reflect.ValueOf(func() int { entered <- struct{}{}; <-leave; return 1 }),
		"Entered": reflect.ValueOf(func() { entered <- struct{}{} }),
	}}
}

// The interpreter's own handling of an interrupt races on its results, which
// nobody reads then.
const interpreterRaces = "the interpreter itself races here"

func TestInterrupt(t *testing.T) {
	if raceDetector {
		t.Skip(interpreterRaces)
	}
	cells := []struct {
		name, code, message string
		closures            bool // live on
	}{
		{"spinning", "slow.Entered()\nfor {}", "all variables are kept", true},
		{"spinning in a function", "slow.Entered()\nspin()", "all variables are kept", true},
		{"blocked", "slow.Entered()\n<-make(chan int)", "all variables are kept", true},
		{"empty select", "slow.Entered()\nselect {}", "all variables are kept", true},
		{"printing", "slow.Entered()\nfor { fmt.Print() }", "all variables are kept", true},
		{"sleeping", "slow.Entered()\ntime.Sleep(time.Hour)", "all variables are kept", true},
		{"polite call", "err := slow.Polite()\nfmt.Println(err)", "all variables are kept", true},
		{"ranging", "slow.Entered()\nfor range make(chan int) {}", "all variables are kept", true},
		{"sending", "slow.Entered()\nmake(chan int) <- 1", "all variables are kept", true},
		{"blocked in a closure", "slow.Entered()\nhang()", "all variables are kept", true},
		{"deaf call", "fmt.Print(slow.Deaf())", "still running in the background", false},
	}
	for _, tt := range cells {
		t.Run(tt.name, func(t *testing.T) {
			entered, leave := make(chan struct{}), make(chan struct{})
			s, out := newSession(t)
			s.patience = 50 * time.Millisecond
			if err := s.load([]map[string]map[string]reflect.Value{interruptible(entered, leave)}); err != nil {
				t.Fatal(err)
			}
			run := func(ctx context.Context, code string) Result {
				return s.Run(ctx, Cell{Name: "In[1]", Code: code})
			}
			setup := run(context.Background(), `import "example.org/slow"
n := 7
count := 0
next := func() int { count++; return count }
hang := func() int { return <-make(chan int) }
func spin() { for i := 0; ; i++ {} }
func twice(x int) int { return 2 * x }
type T struct{ n int }
func (t T) Get() int { return twice(t.n) }
next()`)
			if setup.Err != nil {
				t.Fatal(setup.Err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			go func() {
				<-entered
				time.Sleep(20 * time.Millisecond) // the next statement has begun
				cancel()
			}()
			res := run(ctx, tt.code)
			if res.Err == nil || res.Err.Name != "interrupted" || !strings.Contains(res.Err.Message, tt.message) {
				t.Fatalf("got %+v, want an interrupt that says %q", res, tt.message)
			}
			close(leave)
			// What the message says must hold: variables, functions and methods
			// live on; closures only if it does not speak of them.
			after := run(context.Background(), "fmt.Sprint(n, twice(4), T{5}.Get())")
			if fmt.Sprint(after.Values) != "[7 8 10]" {
				t.Errorf("after the interrupt: %+v, want 7 8 10", after)
			}
			if got := run(context.Background(), "next()"); (fmt.Sprint(got.Values) == "[2]") != tt.closures {
				t.Errorf("closure after the interrupt: %+v, want alive: %v", got, tt.closures)
			}
			again := run(context.Background(), "next := func() int { count++; return count }\nnext() > 0")
			if fmt.Sprint(again.Values) != "[true]" {
				t.Errorf("closure defined again: %+v", again)
			}
			if got := out.take(); strings.Contains(tt.code, "Deaf") && got != "" {
				t.Errorf("the call that was left behind went on to print %q", got)
			}
		})
	}
}

// TestInterruptAgain interrupts a session many times.
func TestInterruptAgain(t *testing.T) {
	if raceDetector {
		t.Skip(interpreterRaces)
	}
	s, _ := newSession(t)
	for i := range 20 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i%4+1)*time.Millisecond)
		res := s.Run(ctx, Cell{Code: "for {}"})
		cancel()
		if res.Err == nil || res.Err.Name != nameInterrupt {
			t.Fatalf("round %d: %+v", i, res)
		}
		if res := s.Run(context.Background(), Cell{Code: fmt.Sprintf("x := %d\nx", i)}); len(res.Values) != 1 || res.Values[0] != i {
			t.Fatalf("round %d: after the interrupt: %+v", i, res)
		}
	}
}

// TestEndedContext runs nothing.
func TestEndedContext(t *testing.T) {
	s, out := newSession(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	res := s.Run(ctx, Cell{Code: "fmt.Println(1)"})
	if res.Err == nil || res.Err.Name != nameInterrupt || out.take() != "" {
		t.Errorf("got %+v", res)
	}
	if display.Context().Err() != nil {
		t.Error("the context of the cell is still in force")
	}
}

func TestContextOfCell(t *testing.T) {
	s, _ := newSession(t)
	type key struct{}
	var seen any
	err := s.load([]map[string]map[string]reflect.Value{{"example.org/see/see": {
		"See": reflect.ValueOf(func() { seen = display.Context().Value(key{}) }),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	res := s.Run(context.WithValue(context.Background(), key{}, 3), Cell{Code: "import \"example.org/see\"\nsee.See()"})
	if res.Err != nil || seen != 3 {
		t.Errorf("the call saw %v, %v", seen, res.Err)
	}
}

func TestErrorFields(t *testing.T) {
	s, _ := newSession(t)
	s.Run(context.Background(), Cell{Name: "In[1]", Code: "func f(s []int, i int) int {\n\treturn s[i]\n}"})
	res := s.Run(context.Background(), Cell{Name: "In[2]", Code: "x := 1\nf(nil, x)"})
	e := res.Err
	if e == nil || e.Name != namePanic || e.Line != 2 || e.Col != 2 || e.Source != "\treturn s[i]" {
		t.Fatalf("got %+v", e)
	}
	want := "In[1]:2:2: panic: runtime error: index out of range\n    \treturn s[i]\n    \t^\n    In[1]:2:2 in f\n    In[2]:2:1"
	if e.Error() != want {
		t.Errorf("got\n%s\nwant\n%s", e, want)
	}
	var err error = e
	if !errors.As(err, &e) {
		t.Error("Error is no error")
	}
}

func TestNewRefusesUnknownImport(t *testing.T) {
	if _, err := New(Options{Imports: []string{"example.org/none"}}); err == nil || !strings.Contains(err.Error(), "example.org/none") {
		t.Errorf("got %v", err)
	}
}

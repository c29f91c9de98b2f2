package conformance

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chestlab/chest/kernel/eval"
)

// Verdict is how an engine did in a case.
type Verdict int

// The verdicts. Refused is an error in plain words, before anything of the
// cell ran, that says that the engine does not support what is right Go.
const (
	Passed Verdict = iota
	Refused
	Wrong
)

func (v Verdict) String() string { return [...]string{"passed", "refused", "wrong"}[v] }

// Outcome is the verdict on a case and, unless it passed, the cell that
// decided it.
type Outcome struct {
	Case    Case
	Verdict Verdict
	Cell    int    // index of the deciding cell
	Why     string // one line
	Got     string // output, value and error of that cell
}

// Report is the verdict on every case.
type Report []Outcome

// New makes a fresh engine, with fmt imported, that prints to stdout.
type New func(stdout io.Writer) (eval.Evaluator, error)

// limit is how long a cell may run.
const limit = 10 * time.Second

// Run runs every case in an engine of its own, as many at once as there are
// processors.
func Run(open New) (Report, error) {
	cases, err := Cases()
	if err != nil {
		return nil, err
	}
	report := make(Report, len(cases))
	errs := make([]error, len(cases))
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, c := range cases {
		wg.Add(1)
		slots <- struct{}{}
		go func() {
			defer func() { <-slots; wg.Done() }()
			report[i], errs[i] = runCase(open, c)
		}()
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return report, nil
}

// runCase runs the cells of a case until one does not pass.
func runCase(open New, c Case) (Outcome, error) {
	var out buffer
	e, err := open(&out)
	if err != nil {
		return Outcome{}, fmt.Errorf("conformance: %s: %w", c.Name, err)
	}
	for i, cell := range c.Cells {
		verdict, why, got := runCell(e, fmt.Sprintf("In[%d]", i+1), cell, &out)
		if verdict != Passed {
			return Outcome{c, verdict, i, why, got}, nil
		}
	}
	return Outcome{Case: c}, nil
}

// runCell runs a cell and compares. An engine that does not come back is left
// behind.
func runCell(e eval.Evaluator, name string, cell Cell, out *buffer) (Verdict, string, string) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	done := make(chan eval.Result, 1)
	broken := make(chan any, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				broken <- r
			}
		}()
		done <- e.Run(ctx, eval.Cell{Name: name, Code: cell.Code})
	}()
	select {
	case r := <-done:
		return judge(cell, r, out.take(), ctx.Err() != nil)
	case r := <-broken:
		return Wrong, "the engine panics", fmt.Sprint(r)
	case <-time.After(limit + limit/2):
		return Wrong, "does not end", out.take()
	}
}

// judge compares what a cell gave with what it must give.
func judge(cell Cell, r eval.Result, out string, late bool) (Verdict, string, string) {
	got := shown(out, r.Values)
	text := ""
	if r.Err != nil {
		text = r.Err.Name + ": " + r.Err.Message + "\n" + r.Err.Error()
	}
	all := strings.TrimSpace(got + "\n" + text)
	missing := func(part string) bool { return !strings.Contains(text, part) }
	parts := cell.Errors()
	switch {
	case late:
		return Wrong, "does not end", all
	case innards.MatchString(all):
		return Wrong, "shows the inside of the engine: " + innards.FindString(all), all
	case r.Err == nil && parts != nil:
		return Wrong, "no error", all
	case r.Err == nil && got == cell.Want, parts != nil && got == cell.Output() && !slices.ContainsFunc(parts, missing):
		return Passed, "", all
	case r.Err == nil:
		return Wrong, "other output", all
	case out == "" && refusal.MatchString(r.Err.Message):
		return Refused, r.Err.Message, all
	case parts != nil:
		return Wrong, "other error or output", all
	case strings.HasPrefix(r.Err.Name, "panic"):
		return Wrong, "panics: " + r.Err.Message, all
	}
	return Wrong, "false error: " + r.Err.Message, all
}

// innards are words that no cell writes and no user should read.
var innards = regexp.MustCompile(`yaegi|reflect\.Value\b|chest__|cell·|\binterp\.|_\.go\b|^reflect: |\breflect\.Set\b|valueInterface|cannot handle this value|SIGSEGV`)

// refusal is what a refusal says, in one form or another.
var refusal = regexp.MustCompile(`not supported|this interpreter|the interpreter (cannot|does not|would)|not exported to cells|restart the kernel`)

// shown is what a cell printed and, from a new line on, its values.
func shown(out string, values []any) string {
	if len(values) > 0 {
		texts := make([]string, len(values))
		for i, v := range values {
			texts[i] = fmt.Sprint(v)
		}
		if out != "" && !strings.HasSuffix(out, "\n") {
			out += "\n"
		}
		out += strings.Join(texts, " ")
	}
	return strings.TrimRight(out, "\n")
}

// String is a table of the groups, and a line for each case that did not pass.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-14s %6s %7s %8s %6s\n", "group", "cases", "passed", "refused", "wrong")
	row := func(name string, in func(Case) bool) {
		n := r.count(in)
		fmt.Fprintf(&b, "%-14s %6d %7d %8d %6d\n", name, n[Passed]+n[Refused]+n[Wrong], n[Passed], n[Refused], n[Wrong])
	}
	seen := ""
	for _, o := range r {
		if g := o.Case.Group; g != seen {
			row(g, func(c Case) bool { return c.Group == g })
			seen = g
		}
	}
	row("all", func(Case) bool { return true })
	for _, o := range r {
		if o.Verdict != Passed {
			fmt.Fprintf(&b, "%s: %s, cell %d: %s\n", o.Verdict, o.Case.ID(), o.Cell+1, o.Why)
		}
	}
	return b.String()
}

// ID is the name of a case in all groups.
func (c Case) ID() string { return c.Group + "/" + c.Name }

// Count is how many cases had a verdict.
func (r Report) Count(v Verdict) int { return r.count(func(Case) bool { return true })[v] }

func (r Report) count(in func(Case) bool) (n [Wrong + 1]int) {
	for _, o := range r {
		if in(o.Case) {
			n[o.Verdict]++
		}
	}
	return n
}

// buffer is what a cell prints; goroutines may share it.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.b.String()
	b.b.Reset()
	return s
}

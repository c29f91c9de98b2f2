// Package command runs the special lines of a cell: %time, !ls, name? and the
// like. They stand at the top of a cell; the Go code below them runs after
// them, with its own line numbers.
package command

import (
	"context"
	"fmt"
	"go/token"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/chestlab/chest/kernel/assist"
	"github.com/chestlab/chest/kernel/eval"
)

// Session is what runs Go. *eval.Session is one.
type Session interface {
	Run(ctx context.Context, c eval.Cell) eval.Result
	Vars() []eval.Variable
	IsComplete(code string) eval.Completeness
	Complete(code string, cursor int) assist.Completion
	Inspect(code string, cursor, detail int) assist.Inspection
}

// Shell runs cells that may begin with special lines. It runs one at a time.
type Shell struct {
	session Session
	out     io.Writer
	done    []string // the Go code of the cells that succeeded
	before  string   // the folder before %cd
}

// New returns a shell over a session. Commands print to out.
func New(s Session, out io.Writer) *Shell { return &Shell{session: s, out: out} }

// info is one command.
type info struct {
	name, args, help string
	run              func(sh *Shell, ctx context.Context, c eval.Cell, args string) eval.Result
	rest             bool // takes the Go code of the cell, too
}

// table lists the commands in the order of %help. It is filled by init, because
// %help reads it.
var table []info

func init() {
	table = []info{
		{"cd", "[folder]", "change the working folder; home without one, - for the one before", cd, false},
		{"doc", "name", "show the documentation of a name, as name? does", doc, false},
		{"engine", "", "say what runs the cells", engine, false},
		{"env", "[name[=value]]", "list environment variables, show one or set one", env, false},
		{"help", "[command]", "list the commands, or explain one", help, false},
		{"load", "file", "put a file into the cell", load, false},
		{"ls", "[folder]", "list a folder", ls, false},
		{"memlimit", "[4GB|off]", "limit the memory of the cells (a line of its own)", nil, false},
		{"pwd", "", "print the working folder", pwd, false},
		{"reset", "", "forget all variables (a line of its own)", nil, false},
		{"restore", "", "run the cells again that had succeeded, after the state was lost (a line of its own)", nil, false},
		{"run", "file", "run a Go script or the code of a notebook in this session", runFile, false},
		{"save", "file [cells]", "write the code of the cells that succeeded, such as 2-5, as a Go script or .ipynb", save, false},
		{"time", "[code]", "run code, or the cell, and tell how long it took", timeOnce, true},
		{"timeit", "[-n loops] [-r rounds] code", "run code many times and tell how long it takes", timeMany, true},
		{"who", "", "list the variables with their types and values", who, false},
	}
}

// Commands lists the special commands for completion.
func Commands() (list []assist.Command) {
	for _, i := range table {
		list = append(list, assist.Command{Name: "%" + i.name, Help: strings.TrimSpace("%"+i.name+" "+i.args) + ": " + i.help})
	}
	return list
}

// Run runs a cell: its special lines one after the other, then its Go code. It
// stops at the first that fails.
func (sh *Shell) Run(ctx context.Context, c eval.Cell) (res eval.Result) {
	lines := strings.SplitAfter(c.Code, "\n")
	for i := range lines {
		word := strings.TrimSpace(lines[i])
		if word == "" || strings.HasPrefix(word, "//") {
			continue
		}
		if !special(word) || sh.isVariable(word[1:]) {
			break
		}
		lines[i] = strings.Repeat("\n", strings.Count(lines[i], "\n"))
		rest := eval.Cell{Name: c.Name, Code: strings.Join(lines, "")}
		var all bool
		if res, all = sh.line(ctx, word, rest); all || res.Err != nil {
			return res
		}
		if res.Page != nil || res.NextInput != "" || res.Values != nil {
			defer func(page eval.Result) {
				if res.Err == nil && res.Values == nil {
					res.Page, res.NextInput, res.Values = page.Page, page.NextInput, page.Values
				}
			}(res)
		}
	}
	return sh.goCode(ctx, eval.Cell{Name: c.Name, Code: strings.Join(lines, "")})
}

// IsComplete says whether code could be run as it stands.
func (sh *Shell) IsComplete(code string) eval.Completeness {
	lines := strings.SplitAfter(code, "\n")
	for i := range lines {
		word := strings.TrimSpace(lines[i])
		if word != "" && !special(word) {
			break
		}
		lines[i] = strings.Repeat("\n", strings.Count(lines[i], "\n"))
	}
	return sh.session.IsComplete(strings.Join(lines, ""))
}

// Complete lists what could stand at the cursor.
func (sh *Shell) Complete(code string, cursor int) assist.Completion {
	return sh.session.Complete(code, cursor)
}

// Inspect says what stands at the cursor.
func (sh *Shell) Inspect(code string, cursor, detail int) assist.Inspection {
	return sh.session.Inspect(code, cursor, detail)
}

// goCode runs Go and remembers it for %save.
func (sh *Shell) goCode(ctx context.Context, c eval.Cell) eval.Result {
	if strings.TrimSpace(c.Code) == "" {
		return eval.Result{}
	}
	res := sh.session.Run(ctx, c)
	if res.Err == nil {
		sh.done = append(sh.done, strings.TrimSpace(c.Code))
	}
	return res
}

// special says whether a line is not Go.
func special(line string) bool {
	switch {
	case strings.HasPrefix(line, "%"), strings.HasPrefix(line, "!") && !isNot(line), strings.HasPrefix(line, "$"):
		return true
	}
	_, ok := question(line)
	return ok
}

// isNot says whether a line that begins with ! is a Go expression such as !ok:
// a call or something in parentheses.
func isNot(line string) bool {
	rest := strings.TrimLeft(line, "!")
	word := strings.TrimFunc(rest, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '.' })
	return strings.HasPrefix(rest, "(") || strings.HasPrefix(word, "(") && strings.HasSuffix(word, ")")
}

// isVariable says whether name is a variable of the notebook: then !name is Go.
func (sh *Shell) isVariable(name string) bool {
	if !token.IsIdentifier(name) {
		return false
	}
	return slices.ContainsFunc(sh.session.Vars(), func(v eval.Variable) bool { return v.Name == name })
}

// question is the name in "name?" or "?name", with how many question marks.
func question(line string) (q struct {
	name   string
	detail int
}, ok bool) {
	name := strings.Trim(line, "?")
	n := len(line) - len(name)
	if n == 0 || n > 2 || name == "" || strings.ContainsAny(name, "\"'`?") {
		return q, false
	}
	if strings.HasPrefix(line, "?") == strings.HasSuffix(line, "?") {
		return q, false
	}
	q.name, q.detail = strings.TrimSpace(name), n-1
	return q, true
}

// line runs one special line. all says that it has taken the rest of the cell.
func (sh *Shell) line(ctx context.Context, line string, rest eval.Cell) (res eval.Result, all bool) {
	if q, ok := question(line); ok {
		return sh.page(q.name, q.detail), false
	}
	switch line[0] {
	case '!':
		return sh.system(ctx, strings.TrimSpace(line[1:])), false
	case '$':
		return sh.plain(ctx, strings.Fields(line[1:])), false
	}
	name, args, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(line, "%"), "%"), " ")
	args = strings.TrimSpace(args)
	i := slices.IndexFunc(table, func(i info) bool { return i.name == name })
	switch {
	case i < 0:
		return failed("%%%s is not a command%s; %%help lists them", name, meant(name)), false
	case table[i].run == nil:
		return failed("%%%s must be the only line of its cell, in a notebook", name), false
	}
	return table[i].run(sh, ctx, rest, args), table[i].rest && args == ""
}

// failed is the result of a command that could not be done.
func failed(format string, args ...any) eval.Result {
	text := fmt.Sprintf(format, args...)
	return eval.Result{Err: &eval.Error{Name: "command error", Message: text, Traceback: []string{text}}}
}

// meant is a hint at the command that name is the begin or a slip of.
func meant(name string) string {
	for _, i := range table {
		if len(name) > 1 && strings.HasPrefix(i.name, name) || len(name) > 2 && strings.HasPrefix(name, i.name) || sameLetters(i.name, name) {
			return " (did you mean %" + i.name + "?)"
		}
	}
	return ""
}

// sameLetters says whether two words differ in their order of letters only, or
// in one letter.
func sameLetters(a, b string) bool {
	if len(a) != len(b) || len(a) < 3 {
		return false
	}
	x, y := []byte(a), []byte(b)
	differ := 0
	for i := range x {
		if x[i] != y[i] {
			differ++
		}
	}
	slices.Sort(x)
	slices.Sort(y)
	return differ == 1 || string(x) == string(y)
}

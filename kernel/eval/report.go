package eval

import (
	"errors"
	"fmt"
	"go/scanner"
	"go/token"
	"regexp"
	"strconv"
	"strings"

	"github.com/traefik/yaegi/interp"
)

// Error is why a cell did not run to its end.
type Error struct {
	Name      string   // "compile error", "panic" or "interrupted"
	Message   string   // one sentence, without the place
	Line, Col int      // in the cell that holds Source, from 1; Col counts bytes, as compilers do; 0: unknown
	Source    string   // the source line
	Traceback []string // all of it as lines to show
}

// Error is the message with its place.
func (e *Error) Error() string { return strings.Join(e.Traceback, "\n") }

// names of errors
const (
	nameCompile   = "compile error"
	namePanic     = "panic"
	nameInterrupt = "interrupted"
)

// report makes the error of a cell from what went wrong in the statement at
// top.
func (s *Session) report(err error, top token.Position) *Error {
	var panicked interp.Panic
	switch {
	case errors.As(err, &panicked):
		return s.panicked(panicked.Value, top)
	case errors.Is(err, errInterrupted):
		return interrupted(finished)
	}
	return s.compileError(err, top)
}

// interrupted is the error of a cell that was interrupted.
func interrupted(how outcome) *Error {
	e := &Error{Name: nameInterrupt, Message: "the cell was interrupted; all variables are kept"}
	switch how {
	case abandoned:
		e.Message = "the cell was interrupted, but a compiled call in it is still running in the background; variables are kept, but functions stored in variables before the interrupt must be defined again"
	}
	e.Traceback = []string{nameInterrupt + ": " + e.Message}
	return e
}

// compileError makes the error of code that does not compile.
func (s *Session) compileError(err error, top token.Position) *Error {
	pos, msg := top, err.Error()
	switch e := err.(type) {
	case *faults:
		return s.faultError(e)
	case *scanner.Error:
		pos, msg = e.Pos, e.Msg
	case *refusal:
		pos = s.interp.FileSet().Position(e.pos)
	case errInternal:
		pos, msg = internal(e.why, top)
	default:
		pos, msg = cut(msg, top)
		msg = s.clean(msg)
		if s.typing != nil && s.checked {
			msg = "this interpreter cannot run it, though it is right Go (" + msg + ")"
		}
	}
	e := &Error{Name: nameCompile, Message: msg}
	s.locate(e, pos)
	e.Traceback = append([]string{s.place(pos) + ": " + msg}, s.quote(pos)...)
	return e
}

var incomplete = regexp.MustCompile(`(cell·\d+:\d+:\d+): incomplete type (\S+)$`)

// internal is the place and message of a panic of the interpreter's compiler.
func internal(why string, top token.Position) (token.Position, string) {
	if m := incomplete.FindStringSubmatch(why); m != nil {
		pos, _ := cut(m[1], top)
		return pos, "undefined: " + m[2]
	}
	return top, "this interpreter cannot compile it; write it in smaller steps, with variables of named types"
}

var place = regexp.MustCompile(`cell·(\d+):(\d+):(\d+)`)

// cut takes the place off the front of a message of the interpreter.
func cut(msg string, top token.Position) (token.Position, string) {
	m := place.FindStringSubmatchIndex(msg)
	if m == nil || m[0] != 0 {
		return top, strings.TrimPrefix(msg, "-: ")
	}
	line, _ := strconv.Atoi(msg[m[4]:m[5]])
	col, _ := strconv.Atoi(msg[m[6]:m[7]])
	n, _ := strconv.Atoi(msg[m[2]:m[3]])
	return token.Position{Filename: file(n), Line: line, Column: col}, strings.TrimPrefix(msg[m[1]:], ": ")
}

// phrases turn the interpreter's words into the compiler's.
var phrases = []struct {
	pattern *regexp.Regexp
	text    string
}{
	{regexp.MustCompile(`^package (\S+) "[^"]*" has no symbol (\w+)$`), "undefined: $1.$2"},
	{regexp.MustCompile(`^undefined selector:? (\w+\.\w+)$`), "undefined: $1"},
	{regexp.MustCompile(`^undefined selector:? (\w+)$`), "$1 undefined: no such field or method"},
	{regexp.MustCompile(`^import "([^"]*)" error: .*$`), "package $1 is not in this kernel"},
	{regexp.MustCompile(`\bmain\.(\pL)`), "$1"},
	{regexp.MustCompile(`\b` + prefix + `main\b`), "main"},
	{regexp.MustCompile(`\b` + prefix + `host\.\w+`), "the value of the cell"},
	{regexp.MustCompile(`\b` + prefix + `(\w+?)__(\w+)\b`), "$1.$2"},
	{regexp.MustCompile(`\b` + prefix + `\w+\b`), "the value"},
	{regexp.MustCompile(`^nil type$|^nil reflect type$`), "the interpreter does not know the type of this"},
}

// clean is a message of the interpreter without its inside.
func (s *Session) clean(msg string) string {
	msg = place.ReplaceAllStringFunc(msg, func(p string) string {
		pos, _ := cut(p, token.Position{})
		return s.place(pos)
	})
	for _, p := range phrases {
		msg = p.pattern.ReplaceAllString(msg, p.text)
	}
	return msg
}

// place is a position with the name of its cell: "In[3]:4:2".
func (s *Session) place(p token.Position) string {
	src, ok := s.sources[p.Filename]
	if !ok {
		return "cell"
	}
	return fmt.Sprintf("%s:%d:%d", src.name, p.Line, p.Column)
}

// line is the source line of a position.
func (s *Session) line(p token.Position) (string, bool) {
	src, ok := s.sources[p.Filename]
	if !ok {
		return "", false
	}
	lines := strings.Split(src.code, "\n")
	if p.Line < 1 || p.Line > len(lines) {
		return "", false
	}
	return strings.TrimSuffix(lines[p.Line-1], "\r"), true
}

// locate writes the place of an error.
func (s *Session) locate(e *Error, p token.Position) {
	e.Line, e.Col = p.Line, p.Column
	e.Source, _ = s.line(p)
}

// quote is the source line of a position and a caret under it.
func (s *Session) quote(p token.Position) []string {
	line, ok := s.line(p)
	if !ok {
		return nil
	}
	before := line[:min(max(p.Column-1, 0), len(line))]
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, before)
	return []string{"    " + line, "    " + pad + "^"}
}

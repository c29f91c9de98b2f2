package eval

import (
	"fmt"
	"go/token"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// marks say where the code was when it panicked. The interpreter itself tells
// only the function. So the rewriter puts
//
//	chest__at = 17
//
// before the statements that can panic, and mark 17 knows their position.
type marks struct {
	at    reflect.Value // the variable chest__at
	list  []mark
	funcs []function
}

type mark struct {
	pos token.Pos
	fn  int // index in funcs
}

// function is a function of a cell, or a statement at its top.
type function struct {
	name     string // "" for a statement
	from, to token.Position
}

// function adds a function and returns its index.
func (m *marks) function(s *Session, name string, from, to token.Pos) int {
	fset := s.interp.FileSet()
	m.funcs = append(m.funcs, function{name, fset.Position(from), fset.Position(to)})
	return len(m.funcs) - 1
}

// add adds a mark in the function fn.
func (m *marks) add(pos token.Pos, fn int) int {
	m.list = append(m.list, mark{pos, fn})
	return len(m.list) - 1
}

// now is the mark that was passed last.
func (m *marks) now() int {
	if !m.at.IsValid() {
		return 0
	}
	return int(m.at.Int())
}

// around is the innermost function that holds p, or -1. Inner functions are
// added behind outer ones.
func (m *marks) around(p token.Position) int {
	for i := len(m.funcs) - 1; i >= 0; i-- {
		if f := m.funcs[i]; f.from.Filename == p.Filename && !before(p, f.from) && !before(f.to, p) {
			return i
		}
	}
	return -1
}

// before says whether p stands before q in their file.
func before(p, q token.Position) bool {
	return p.Line < q.Line || p.Line == q.Line && p.Column < q.Column
}

// tracer takes what the interpreter writes to its error stream: the chain of
// functions of a panic, which it keeps, and everything else, which it passes on.
type tracer struct {
	session *Session
	mu      sync.Mutex
	frames  []frame
}

// frame is one line of a chain: where a function begins, and the mark at that
// time.
type frame struct {
	pos  token.Position
	mark int
}

var chainLine = regexp.MustCompile(`^(cell·\d+):(\d+):(\d+): panic: [\pL\pN_.()*]*\(\.\.\.\)\n$`)

func (t *tracer) Write(p []byte) (int, error) {
	m := chainLine.FindSubmatch(p)
	if m == nil {
		return t.session.stderr.Write(p)
	}
	line, _ := strconv.Atoi(string(m[2]))
	col, _ := strconv.Atoi(string(m[3]))
	t.mu.Lock()
	defer t.mu.Unlock()
	pos := token.Position{Filename: string(m[1]), Line: line, Column: col}
	t.frames = append(t.frames, frame{pos, t.session.marks.now()})
	if len(t.frames) > maxFrames {
		t.frames = append(t.frames[:maxFrames/4:maxFrames/4], t.frames[len(t.frames)-maxFrames/4:]...)
	}
	return len(p), nil
}

const maxFrames = 400

// take returns the frames of the last panic, the innermost first, and forgets
// all. Frames of panics that the cell recovered had other marks.
func (t *tracer) take() []frame {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.frames
	t.frames = nil
	i := len(all)
	for i > 0 && all[i-1].mark == all[len(all)-1].mark {
		i--
	}
	return all[i:]
}

// panicked makes the error of a panic. top is the statement that ran.
func (s *Session) panicked(value any, top token.Position) *Error {
	e := &Error{Name: "panic", Message: panicText(value)}
	frames := s.trace.take()
	here := top
	var lines []string
	for i, f := range frames {
		fn := s.marks.around(f.pos)
		where := f.pos
		if m := s.marks.now(); i == 0 && m < len(s.marks.list) && s.marks.list[m].fn == fn && fn >= 0 {
			where = s.interp.FileSet().Position(s.marks.list[m].pos)
		}
		if i == 0 && fn >= 0 {
			here = where
		}
		if fn >= 0 && s.marks.funcs[fn].name != "" {
			lines = append(lines, fmt.Sprintf("%s in %s", s.place(where), s.marks.funcs[fn].name))
		}
	}
	s.locate(e, here)
	if len(lines) > 12 {
		lines = append(lines[:6:6], append([]string{fmt.Sprintf("… %d more …", len(lines)-12)}, lines[len(lines)-6:]...)...)
	}
	if p := s.place(top); len(lines) > 0 || p != s.place(here) {
		lines = append(lines, p)
	}
	e.Traceback = append([]string{s.place(here) + ": panic: " + e.Message}, s.quote(here)...)
	for _, l := range lines {
		e.Traceback = append(e.Traceback, "    "+l)
	}
	return e
}

var outOfRange = regexp.MustCompile(`^reflect: (slice|array|string) index out of range$`)

// panicText is the value of a panic in the words of compiled Go.
func panicText(v any) string {
	if r, ok := v.(reflect.Value); ok && r.CanInterface() {
		v = r.Interface()
	}
	var text string
	switch v := v.(type) {
	case error:
		text = v.Error()
	case fmt.Stringer:
		text = v.String()
	default:
		text = fmt.Sprint(v)
	}
	text = strings.TrimPrefix(text, place.FindString(text)+": ")
	switch {
	case outOfRange.MatchString(text):
		return "runtime error: index out of range"
	case strings.HasPrefix(text, "reflect.Value.Slice"), strings.HasPrefix(text, "reflect: ") && strings.Contains(text, "slice bounds out of range"):
		return "runtime error: slice bounds out of range"
	case strings.HasPrefix(text, "hash of unhashable type"):
		return "runtime error: " + strings.Replace(text, "type: ", "type ", 1)
	case text == "reflect.MakeSlice: negative len":
		return "runtime error: makeslice: len out of range"
	case strings.HasPrefix(text, "reflect: cannot convert slice with length "):
		return "runtime error: " + strings.Replace(strings.TrimPrefix(text, "reflect: "), "to array with", "to array or pointer to array with", 1)
	case strings.HasSuffix(text, "call of nil function"), text == "reflect: Method on nil interface value",
		strings.HasPrefix(text, "reflect: call of reflect.Value.") && strings.HasSuffix(text, "on zero Value"):
		return "runtime error: invalid memory address or nil pointer dereference"
	case strings.Contains(text, "cell·"), strings.HasPrefix(text, "reflect: "), strings.HasPrefix(text, "reflect."):
		return "not supported: this interpreter has lost the type of a value; with a pointer in place of a struct in an interface it often does not"
	}
	return text
}

// runtimeFault is an error of the run time in the words of compiled Go.
type runtimeFault string

func (f runtimeFault) Error() string { return string(f) }
func (runtimeFault) RuntimeError()   {}

// recovered is what recover gives: faults of the interpreter's own run time
// become those of Go's.
func recovered(v any) any {
	text := ""
	switch v := v.(type) {
	case string:
		text = v
	case error:
		text = v.Error()
	}
	if words := panicText(text); words != text && strings.HasPrefix(words, "runtime error: ") {
		return runtimeFault(words)
	}
	return v
}

// Package eval runs the cells of a notebook: Go statements, declarations and
// expressions in one session that keeps its state from cell to cell.
//
// A cell goes through stages, each in its own file: split (source → pieces),
// parse (pieces → syntax with the cell's positions), check (what would go
// wrong without a word is refused), rewrite (what a notebook needs and the
// interpreter does not do by itself), declare and perform (run on the
// interpreter), report (errors in the cell's own lines).
package eval

import (
	"context"
	"go/types"
	"io"
	"os"
	"reflect"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chestlab/chest/kernel/assist"
	"github.com/chestlab/chest/kernel/display"
	"github.com/traefik/yaegi/interp"
)

// Cell is a piece of source and the name under which errors speak of it.
type Cell struct {
	Name string // such as "In[3]"; "" means "cell"
	Code string
}

// Result is what a cell gave.
type Result struct {
	Values []any  // of the last expression, one for each result of a call; nil: none
	Err    *Error // nil: the cell ran to its end

	Page      display.Bundle // what a pager shows
	NextInput string         // replaces the cell's input
}

// Evaluator is what runs cells. It runs one at a time.
type Evaluator interface {
	// Run runs a cell. When ctx ends, it stops the cell and returns soon.
	Run(ctx context.Context, c Cell) Result
	// IsComplete says whether code could be run as it stands.
	IsComplete(code string) Completeness
}

// Options controls New. The zero value knows no package at all.
type Options struct {
	Symbols        []map[string]map[string]reflect.Value // what cells may import: "path/name" → exported name → value
	Importer       types.Importer                        // the types of those packages
	Doc            func(path, name string) string        // their documentation, as assist.Env has it; may be nil
	Commands       []assist.Command                      // special commands that Complete offers
	Imports        []string                              // paths that are imported already
	Stdin          io.Reader                             // nil means that there is nothing to read
	Stdout, Stderr io.Writer                             // nil means os.Stdout and os.Stderr
}

// Session is an Evaluator on the yaegi interpreter, in this process.
type Session struct {
	mu       sync.Mutex
	interp   *interp.Interpreter
	stdout   io.Writer
	stderr   io.Writer
	in       *innards
	trace    *tracer
	typing   *typing
	checked  bool // the running cell has passed the type checker
	doc      func(path, name string) string
	commands []assist.Command
	symbols  []map[string]map[string]reflect.Value
	guard    *interp.Program // calls body: see run
	body     func()
	ctx      context.Context   // of the running cell
	packages map[string]string // import path → package name
	imports  map[string]string // name in cells → import path
	imported map[string]string // file and name → import path, as the interpreter has it
	sources  map[string]source // file name of a position → its cell
	runs     int

	vars     map[string]bool                  // variables of earlier statements
	keeps    map[string]map[string]bool       // variable → names that function values in it use
	decls    map[string]*decl                 // functions and methods, by key
	types    map[string]decl                  // types, by name
	wraps    map[reflect.Type]reflect.Value   // interface of a form → its wrapper: see shows
	composed map[reflect.Value][]reflect.Type // such a wrapper → those of types that have more forms
	whole    map[string]bool                  // types that have the method wholeValue
	marks    marks
	values   []any // what the running cell has shown as its value
	revive   bool  // an interrupt made the method bodies dead
	newName  int

	patience time.Duration
	halt     atomic.Pointer[chan struct{}] // closed when the running cell is interrupted
}

// source is a cell that ran.
type source struct{ name, code string }

// host is the package by which rewritten cells reach the session.
const (
	hostPath = "chest/cell"
	hostName = prefix + "host"
	prefix   = "chest__" // of every name that a cell did not write itself
)

// New returns a fresh session.
func New(o Options) (*Session, error) {
	s := &Session{
		stdout:   o.Stdout,
		stderr:   o.Stderr,
		packages: map[string]string{"slices": "slices", "maps": "maps", "cmp": "cmp"},
		imports:  map[string]string{},
		symbols:  o.Symbols,
		doc:      o.Doc,
		commands: o.Commands,
		imported: map[string]string{},
		sources:  map[string]source{},
		vars:     map[string]bool{},
		keeps:    map[string]map[string]bool{},
		decls:    map[string]*decl{},
		types:    map[string]decl{},
		patience: patience,
	}
	if s.stderr == nil {
		s.stderr = os.Stderr
	}
	s.trace = &tracer{session: s}
	stdin := o.Stdin
	if stdin == nil {
		stdin = eof{}
	}
	s.interp = interp.New(interp.Options{
		Stdin: stdin, Stdout: o.Stdout, Stderr: s.trace, Unrestricted: true,
	})
	var err error
	if s.in, err = openInnards(s.interp); err != nil {
		return nil, err
	}
	if o.Importer != nil {
		s.typing = newTyping(s.interp.FileSet(), o.Importer)
	}
	if err := s.load(o.Symbols); err != nil {
		return nil, err
	}
	return s, s.prepare(o.Imports)
}

// eof is an empty standard input: a notebook has no terminal.
type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

// file is the position name of the n-th cell. It is unlike any name that a
// cell can hold, so that it can be found again in messages.
func file(n int) string { return "cell·" + strconv.Itoa(n) }

var _ Evaluator = (*Session)(nil)

package eval

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"io"
	"log"
	"maps"
	"os"
	"path"
	"reflect"
	"slices"
	"time"

	"github.com/chestlab/chest/kernel/display"
	"github.com/traefik/yaegi/interp"
)

const (
	hostImport = hostPath + "/cell" // as the interpreter lists packages

	// politeTime is how long a cell may end by itself after an interrupt: a
	// compiled call that watches display.Context returns, and no function of
	// the session is lost.
	politeTime = 15 * time.Millisecond
	// patience is how long a compiled call may go on after that.
	patience = 2 * time.Second
)

// load gives the interpreter its packages.
func (s *Session) load(symbols []map[string]map[string]reflect.Value) error {
	for _, table := range symbols {
		for key := range table {
			if key != "." {
				s.packages[path.Dir(key)] = path.Base(key)
			}
		}
		if err := s.interp.Use(s.ordered(table)); err != nil {
			return fmt.Errorf("eval: loading symbols: %w", err)
		}
	}
	show := reflect.ValueOf(func(v ...any) { s.shown(v) })
	thrown := reflect.ValueOf(func(v ...any) any { return v[0] })
	host := interp.Exports{
		hostImport: {
			"Show":      show,
			"Body":      reflect.ValueOf(func() { s.body() }),
			"Lost":      reflect.ValueOf(s.lost),
			"Thrown":    thrown,
			"Recovered": reflect.ValueOf(recovered),
		},
		"time/time": {"Sleep": reflect.ValueOf(s.sleep)},
		".":         {"MapTypes": reflect.ValueOf(s.shows(symbols, show, thrown))},
	}
	if err := s.interp.Use(host); err != nil {
		return fmt.Errorf("eval: loading symbols: %w", err)
	}
	return nil
}

// ordered is a table of symbols in which the functions of fmt that take a
// writer write through the session.
func (s *Session) ordered(table map[string]map[string]reflect.Value) map[string]map[string]reflect.Value {
	const key = "fmt/fmt"
	if table[key] == nil {
		return table
	}
	table, own := maps.Clone(table), maps.Clone(table[key])
	own["Fprint"] = reflect.ValueOf(func(w io.Writer, a ...any) (int, error) { return fmt.Fprint(s.stream(w), a...) })
	own["Fprintln"] = reflect.ValueOf(func(w io.Writer, a ...any) (int, error) { return fmt.Fprintln(s.stream(w), a...) })
	own["Fprintf"] = reflect.ValueOf(func(w io.Writer, f string, a ...any) (int, error) { return fmt.Fprintf(s.stream(w), f, a...) })
	table[key] = own
	return table
}

// stream is w, or the session's own stream where w is that of the process: so
// what a cell prints on both keeps its order.
func (s *Session) stream(w io.Writer) io.Writer {
	switch {
	case w == io.Writer(os.Stdout) && s.stdout != nil:
		return s.stdout
	case w == io.Writer(os.Stderr):
		return s.stderr
	}
	return w
}

// lost tells of a goroutine that panicked. Its start is at a mark.
func (s *Session) lost(v any, started int) {
	if v == nil {
		return
	}
	s.trace.take()
	where := "a cell"
	if started < len(s.marks.list) {
		where = s.place(s.interp.FileSet().Position(s.marks.list[started].pos))
	}
	fmt.Fprintf(s.stderr, "panic: %s\n    in a goroutine that was started at %s and has ended; all else goes on\n", panicText(v), where)
}

// prepare makes what every session has: the mark variable, the guard, and the
// packages that are imported already.
func (s *Session) prepare(imports []string) error {
	s.ctx = context.Background()
	s.imports[hostName] = hostPath
	s.fileOf(source{name: "chest"})
	for _, p := range imports {
		name, ok := s.packages[p]
		if !ok {
			return fmt.Errorf("eval: package %q is to be imported but has no symbols", p)
		}
		s.imports[name] = p
	}
	if s.typing != nil {
		s.typing.importing(s.imports)
	}
	init, err := parse(s.interp.FileSet(), file(s.runs), "var "+prefix+"at int\n"+hostName+".Body()\n"+prefix+"at")
	if err != nil {
		return fmt.Errorf("eval: %w", err)
	}
	if err := s.execBlock(token.NoPos, init.items[0].stmt); err != nil {
		return fmt.Errorf("eval: %w", err)
	}
	if err := s.importNames(init.items[1].stmt.Pos(), init.items[1].stmt); err != nil {
		return fmt.Errorf("eval: %w", err)
	}
	if s.guard, err = s.compile(block(init.items[1].stmt)); err != nil {
		return fmt.Errorf("eval: %w", err)
	}
	s.marks.at, err = s.value(init.items[2].stmt)
	return err
}

// fileOf registers a cell and returns the file name of its positions.
func (s *Session) fileOf(c source) string {
	s.runs++
	name := file(s.runs)
	s.sources[name] = c
	return name
}

// errInterrupted is the error of everything that runs when the cell's context
// ends.
var errInterrupted = errors.New("interrupted")

// outcome is how a guarded run ended.
type outcome int

const (
	finished  outcome = iota
	abandoned         // a compiled call goes on; function values are dead
)

// guarded runs body inside one interruptible call of the interpreter, so that
// an interrupt stops whatever body is running there. A compiled call that goes
// on behind it still sees that the context has ended.
func (s *Session) guarded(ctx context.Context, body func()) outcome {
	display.SetContext(ctx)
	halt := make(chan struct{})
	s.halt.Store(&halt)
	done := make(chan struct{})
	s.body = func() {
		defer close(done)
		body()
	}
	left := make(chan struct{})
	go func() {
		defer close(left)
		s.interp.Execute(s.guard)
	}()
	select {
	case <-done:
		<-left
		display.SetContext(context.Background())
		return finished
	case <-ctx.Done():
		close(halt)
	}
	if wait(done, politeTime) {
		<-left
	} else {
		resume := s.in.halt(left)
		alive := wait(left, s.patience)
		resume(alive)
		if !alive {
			s.revive = true
			return abandoned
		}
	}
	display.SetContext(context.Background())
	return finished
}

// sleep is time.Sleep for cells: an interrupt ends it. The context of the cell
// would not do, because it ends with the cell, and goroutines sleep on.
func (s *Session) sleep(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-*s.halt.Load():
	}
}

// wait says whether done came within d.
func wait(done <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}

// execFile runs declarations as a file.
func (s *Session) execFile(pos token.Pos, decls ...ast.Decl) error {
	for _, d := range decls {
		if err := s.importNames(pos, d); err != nil {
			return err
		}
	}
	_, err := s.exec(&ast.File{Package: pos, Name: ident(pos, "main"), Decls: decls})
	return err
}

// execBlock runs statements at the top level of the interpreter.
func (s *Session) execBlock(pos token.Pos, list ...ast.Stmt) error {
	for _, st := range list {
		if err := s.importNames(pos, st); err != nil {
			return err
		}
	}
	_, err := s.exec(block(list...))
	return err
}

// value runs an expression and returns it as the interpreter holds it.
func (s *Session) value(e ast.Stmt) (reflect.Value, error) { return s.exec(block(e)) }

func block(list ...ast.Stmt) *ast.BlockStmt {
	return &ast.BlockStmt{Lbrace: list[0].Pos(), List: list, Rbrace: list[0].Pos()}
}

// exec compiles and runs syntax. When the context of the cell ended meanwhile,
// the caller must leave the session as it is: another cell may be running.
func (s *Session) exec(n ast.Node) (reflect.Value, error) {
	ctx := s.ctx
	if ctx.Err() != nil {
		return reflect.Value{}, errInterrupted
	}
	p, err := s.compile(n)
	if err != nil {
		return reflect.Value{}, err
	}
	v, err := s.interp.Execute(p)
	if ctx.Err() != nil {
		return reflect.Value{}, errInterrupted
	}
	return v, err
}

// errInternal is the error of code that makes the interpreter itself panic.
type errInternal struct {
	pos token.Pos
	why string
}

func (e errInternal) Error() string { return e.why }

// compile compiles syntax. The interpreter panics on some code, and logs that.
func (s *Session) compile(n ast.Node) (p *interp.Program, err error) {
	before := log.Writer()
	log.SetOutput(io.Discard)
	defer log.SetOutput(before)
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, errInternal{n.Pos(), fmt.Sprint(r)}
		}
	}()
	return s.interp.CompileAST(n)
}

// importNames imports, for the file of pos, the packages that n names. Imports
// belong to a file in the interpreter, as in Go.
func (s *Session) importNames(pos token.Pos, n ast.Node) error {
	if !pos.IsValid() {
		pos = n.Pos()
	}
	where := s.interp.FileSet().Position(pos).Filename
	names := uses(n)
	var specs []ast.Spec
	for _, name := range sorted(s.imports) {
		key := where + "\x00" + name
		if !names[name] || s.vars[name] || s.imported[key] == s.imports[name] {
			continue
		}
		s.imported[key] = s.imports[name]
		specs = append(specs, &ast.ImportSpec{
			Name: ident(pos, name),
			Path: &ast.BasicLit{ValuePos: pos, Kind: token.STRING, Value: fmt.Sprintf("%q", s.imports[name])},
		})
	}
	if specs == nil {
		return nil
	}
	_, err := s.exec(&ast.File{Package: pos, Name: ident(pos, "main"), Decls: []ast.Decl{
		&ast.GenDecl{TokPos: pos, Tok: token.IMPORT, Lparen: pos, Specs: specs, Rparen: pos},
	}})
	return err
}

// sorted lists the keys of m in order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

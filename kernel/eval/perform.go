package eval

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// Run runs a cell. When ctx ends, it stops: a loop in the cell at once, a
// compiled call when it returns. Run waits two seconds for such a call and
// then leaves it behind.
func (s *Session) Run(ctx context.Context, c Cell) Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Name == "" {
		c.Name = "cell"
	}
	c.Code = normal(c.Code)
	name := s.fileOf(source{c.Name, c.Code})
	top := token.Position{Filename: name, Line: 1, Column: 1}
	s.ctx = ctx
	p, err := parse(s.interp.FileSet(), name, c.Code)
	if err != nil {
		return Result{Err: s.compileError(err, top)}
	}
	plan, err := s.prepareCell(p, c.Code)
	if err != nil {
		return Result{Err: s.compileError(err, top)}
	}
	var res Result
	if how := s.guarded(ctx, func() { res = s.perform(plan) }); how != finished {
		return Result{Err: interrupted(how)}
	}
	s.in.tidy()
	return res
}

// step is a part of a cell that runs at once.
type step struct {
	decls group
	item  item
	show  bool // the item is the value of the cell
	pos   token.Pos
	learn []learned // what is known once the step has run
	redo  *redefinition
	tell  string // a line for the user when the declarations are made
}

// prepareCell checks a cell and plans its steps. Nothing of it runs when it
// has a fault.
func (s *Session) prepareCell(p parsed, code string) ([]step, error) {
	if r := check(p); r != nil {
		return nil, r
	}
	var dots []string
	var items []item
	for _, it := range p.items {
		if d, ok := it.decl.(*ast.GenDecl); ok && d.Tok == token.IMPORT {
			more, err := s.importDecl(d)
			if err != nil {
				return nil, err
			}
			dots = append(dots, more...)
			continue
		}
		items = append(items, it)
	}
	if s.typing != nil {
		s.typing.learn(learned{dots: dots})
	}
	items = ordered(items, p.program)
	redo := s.redefine(items)
	for {
		all := items
		if redo != nil {
			all = append(slices.Clone(redo.items), items...)
		}
		learned, info, bad := s.typecheck(all, redo)
		if bad != nil && redo != nil && s.without(redo, bad.list) {
			continue
		}
		if bad != nil {
			return nil, bad
		}
		if r := s.unable(items, info); r != nil {
			return nil, r
		}
		if r := unshowable(items, info); r != nil {
			return nil, r
		}
		p.items = all
		steps, err := s.plan(p, learned, redo, info, code)
		if err == nil {
			steps[0].tell = s.keptFormer(items)
		}
		return steps, err
	}
}

// plan puts the parts of a cell in order: declarations first, in one group, so
// that they may use each other and statements may use them before. Those that
// use a variable which the cell itself declares come where they stand.
func (s *Session) plan(p parsed, learn map[int]learned, redo *redefinition, info *types.Info, code string) ([]step, error) {
	var rest []item
	for _, it := range p.items {
		if it.stmt != nil && !global(it.stmt) {
			it.stmt = &ast.BlockStmt{Lbrace: it.stmt.Pos(), List: []ast.Stmt{it.stmt}, Rbrace: it.stmt.End()}
		}
		s.rewrite(it, info)
		rest = append(rest, it)
	}
	late := lateDecls(rest)
	steps := []step{{redo: redo}}
	for i, it := range rest {
		if it.decl == nil {
			steps = append(steps, step{item: it, pos: it.stmt.Pos(), show: i == len(rest)-1 && !it.semi, learn: []learned{learn[i]}})
			continue
		}
		into := &steps[0]
		if late[i] {
			if len(steps) == 1 || steps[len(steps)-1].item.stmt != nil {
				steps = append(steps, step{})
			}
			into = &steps[len(steps)-1]
		}
		into.learn = append(into.learn, learn[i])
		if !into.pos.IsValid() {
			into.pos = it.decl.Pos()
		}
		if r := s.sort(&into.decls, it, redo); r != nil {
			return nil, r
		}
	}
	if p.program {
		return s.program(steps, rest, code)
	}
	return steps, nil
}

// program adds the call of main to a cell that has a package clause.
func (s *Session) program(steps []step, items []item, code string) ([]step, error) {
	for _, it := range items {
		if f, ok := it.decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == prefix+"main" {
			pos := f.Name.Pos()
			call := &ast.ExprStmt{X: &ast.CallExpr{Fun: ident(pos, f.Name.Name), Lparen: pos, Rparen: pos}}
			return append(steps, step{item: item{stmt: block(call), code: code}, pos: pos}), nil
		}
	}
	return nil, &refusal{token.NoPos, "package main needs a func main in the same cell"}
}

// global says whether a statement declares variables of the session.
func global(st ast.Stmt) bool {
	switch st := st.(type) {
	case *ast.DeclStmt:
		return true
	case *ast.AssignStmt:
		return st.Tok == token.DEFINE
	}
	return false
}

// lateDecls finds the declarations that use, directly or through others, a
// variable that a statement of the cell declares.
func lateDecls(items []item) map[int]bool {
	changed := map[string]bool{}
	for _, it := range items {
		if it.stmt != nil {
			for _, v := range declaredVars(it.stmt) {
				changed[v] = true
			}
		}
	}
	late := map[int]bool{}
	for more := len(changed) > 0; more; {
		more = false
		for i, it := range items {
			if it.decl == nil || late[i] || !overlap(outerUses(it.decl), changed) {
				continue
			}
			late[i], more = true, true
			switch d := it.decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					changed[d.Name.Name] = true
				}
			case *ast.GenDecl:
				for _, n := range declared(it) {
					changed[n] = true
				}
			}
		}
	}
	return late
}

// outerUses is the names that a declaration takes from around it: those of its
// parameters, variables and fields are its own.
func outerUses(d ast.Decl) map[string]bool {
	names := uses(d)
	drop := func(l *ast.FieldList) {
		if l == nil {
			return
		}
		for _, field := range l.List {
			for _, n := range field.Names {
				delete(names, n.Name)
			}
		}
	}
	ast.Inspect(d, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			drop(n.Recv)
		case *ast.FuncType:
			drop(n.Params)
			drop(n.Results)
		case *ast.StructType:
			drop(n.Fields)
		case *ast.AssignStmt, *ast.DeclStmt:
			for _, v := range declaredVars(n.(ast.Stmt)) {
				delete(names, v)
			}
		case *ast.RangeStmt:
			for _, v := range rangeVars(n) {
				delete(names, v.Name)
			}
		}
		return true
	})
	return names
}

// declaredVars lists the variables that a statement declares at the top.
func declaredVars(st ast.Stmt) (names []string) {
	switch st := st.(type) {
	case *ast.DeclStmt:
		for _, spec := range st.Decl.(*ast.GenDecl).Specs {
			if v, ok := spec.(*ast.ValueSpec); ok {
				for _, n := range v.Names {
					names = append(names, n.Name)
				}
			}
		}
	case *ast.AssignStmt:
		if st.Tok == token.DEFINE {
			for _, l := range st.Lhs {
				if n, ok := isBare(l); ok {
					names = append(names, n)
				}
			}
		}
	}
	return names
}

// importDecl notes imports. A package comes into the interpreter when a cell
// uses it.
func (s *Session) importDecl(d *ast.GenDecl) (dots []string, err error) {
	for _, spec := range d.Specs {
		i := spec.(*ast.ImportSpec)
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return nil, &refusal{i.Path.Pos(), "broken import path"}
		}
		name, known := s.packages[p]
		if !known {
			if _, err := s.importedTypes(p); err == nil {
				return nil, &refusal{i.Path.Pos(), fmt.Sprintf("package %s is not supported by this interpreter, whose standard library is that of Go 1.22 without syscall and unsafe", p)}
			}
			return nil, &refusal{i.Path.Pos(), fmt.Sprintf("package %s is not in this kernel: cells can import the standard library and the packages that chest brings", p)}
		}
		if i.Name != nil {
			name = i.Name.Name
		}
		switch name {
		case "_":
		case ".":
			if _, err := s.exec(&ast.File{Package: d.Pos(), Name: ident(d.Pos(), "main"), Decls: []ast.Decl{
				&ast.GenDecl{TokPos: d.Pos(), Tok: token.IMPORT, Specs: []ast.Spec{i}},
			}}); err != nil {
				return nil, err
			}
			dots = append(dots, p)
		default:
			s.imports[name] = p
			if s.vars[name] {
				s.in.forget(map[string]bool{name: true})
			}
			delete(s.vars, name)
			if s.typing != nil {
				s.typing.forget(name)
				s.typing.importing(s.imports)
			}
		}
	}
	return dots, nil
}

// perform runs the steps of a cell until one fails.
func (s *Session) perform(steps []step) (res Result) {
	s.values = nil
	s.checked = true
	defer func() { s.checked = false }()
	s.trace.take()
	var pos token.Pos
	defer func() {
		if r := recover(); r != nil { // a fault of this package or the interpreter
			res = Result{Err: s.compileError(errInternal{pos, fmt.Sprint(r)}, s.interp.FileSet().Position(pos))}
		}
	}()
	s.reviveBodies()
	for _, st := range steps {
		pos = st.pos
		undo := func() {}
		if st.redo != nil {
			undo = s.begin(st.redo)
		}
		err := s.declare(st.decls)
		if err != nil {
			undo()
		} else if st.redo != nil {
			s.finish(st.redo)
		}
		if err == nil && st.tell != "" {
			fmt.Fprintln(s.stderr, st.tell)
		}
		if err == nil && st.item.stmt != nil {
			s.keepers(st.item.stmt)
			err = s.statement(st)
		}
		if err != nil {
			return Result{Err: s.report(err, s.interp.FileSet().Position(pos))}
		}
		for _, l := range st.learn {
			if s.typing != nil {
				s.typing.learn(l)
			}
		}
	}
	return Result{Values: s.values}
}

// reviveBodies defines the bodies of methods again after an interrupt.
func (s *Session) reviveBodies() {
	if !s.revive {
		return
	}
	s.revive = false
	for _, k := range sorted(s.decls) {
		if d := s.decls[k]; d.fn.Recv != nil {
			if err := s.declareBody(d); errors.Is(err, errInterrupted) {
				s.revive = true
				return
			}
		}
	}
}

// shown takes the value of the cell.
func (s *Session) shown(v []any) { s.values = v }

// quiet says whether an expression is a call of a printing function of fmt,
// whose results nobody wants to see.
func (s *Session) quiet(e ast.Expr) bool {
	c, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := c.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	name, ok := isBare(sel.X)
	return ok && s.imports[name] == "fmt" && (strings.HasPrefix(sel.Sel.Name, "Print") || strings.HasPrefix(sel.Sel.Name, "Fprint"))
}

// importedTypes is the types of a package that cells might import.
func (s *Session) importedTypes(path string) (*types.Package, error) {
	if s.typing == nil {
		return nil, errors.New("no types")
	}
	return s.typing.importer.Import(path)
}

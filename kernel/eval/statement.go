package eval

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
)

// statement runs a statement of the top of a cell.
func (s *Session) statement(st step) error {
	switch x := st.item.stmt.(type) {
	case *ast.EmptyStmt:
		return nil
	case *ast.DeclStmt:
		return s.variables(x, typesIn(st.learn))
	case *ast.AssignStmt:
		return s.define(x, typesIn(st.learn))
	}
	b := st.item.stmt.(*ast.BlockStmt)
	if e, ok := b.List[len(b.List)-1].(*ast.ExprStmt); ok && st.show && !s.quiet(e.X) {
		return s.show(b, e.X)
	}
	return s.execBlock(st.pos, inFunc(b))
}

// inFunc is b as a function called at once: its scopes are exact there, and
// when an interrupt leaves it behind it never comes back.
func inFunc(b *ast.BlockStmt) ast.Stmt {
	pos := b.Pos()
	lit := &ast.FuncLit{Type: &ast.FuncType{Func: pos, Params: &ast.FieldList{Opening: pos, Closing: pos}}, Body: b}
	return &ast.ExprStmt{X: &ast.CallExpr{Fun: lit, Lparen: b.End(), Rparen: b.End()}}
}

// hostCall calls a function of the session.
func hostCall(name string, args ...ast.Expr) *ast.ExprStmt {
	pos := args[0].Pos()
	return &ast.ExprStmt{X: &ast.CallExpr{
		Fun:    &ast.SelectorExpr{X: ident(pos, hostName), Sel: ident(pos, name)},
		Lparen: pos, Args: args, Rparen: pos,
	}}
}

// show runs b, which is the expression e, and takes its value.
func (s *Session) show(b *ast.BlockStmt, e ast.Expr) error {
	err := s.execBlock(b.Pos(), inFunc(block(hostCall("Show", e))))
	if err != nil && strings.HasSuffix(err.Error(), "as type ()") { // e has no value
		return s.execBlock(b.Pos(), inFunc(b))
	}
	if len(s.values) == 1 && s.values[0] == nil {
		s.values = nil
	}
	return err
}

// variables runs a var declaration, one line after the other.
func (s *Session) variables(d *ast.DeclStmt, known map[string]variable) error {
	for _, spec := range d.Decl.(*ast.GenDecl).Specs {
		v := spec.(*ast.ValueSpec)
		if v.Type == nil && len(v.Names) > 1 && len(v.Values) > 0 {
			def := &ast.AssignStmt{TokPos: v.Pos(), Tok: token.DEFINE, Rhs: v.Values}
			for _, n := range v.Names {
				def.Lhs = append(def.Lhs, n)
			}
			if err := s.define(def, known); err != nil {
				return err
			}
			continue
		}
		one := &ast.DeclStmt{Decl: &ast.GenDecl{TokPos: d.Pos(), Tok: token.VAR, Specs: []ast.Spec{v}}}
		err := s.execBlock(d.Pos(), one)
		if notCompiled(err) && v.Type == nil && len(v.Names) == 1 && len(v.Values) == 1 {
			if e := s.inFunction(v.Values[0], known[v.Names[0].Name]); e != nil {
				v.Values = []ast.Expr{e}
				err = s.execBlock(d.Pos(), one)
			}
		}
		if err != nil {
			return err
		}
		var names []string
		for _, n := range v.Names {
			names = append(names, n.Name)
		}
		if err := s.declaredVars(names); err != nil {
			return err
		}
	}
	return nil
}

// typesIn is what the variables are that a step declares.
func typesIn(steps []learned) map[string]variable {
	if len(steps) == 0 {
		return nil
	}
	return steps[0].vars
}

// declaredVars notes new variables and compiles again what uses their names.
func (s *Session) declaredVars(names []string) error {
	var again []string
	for _, n := range names {
		if n == "_" {
			continue
		}
		if s.vars[n] {
			again = append(again, n)
		}
		s.vars[n] = true
	}
	if again == nil {
		return nil
	}
	return s.declareFuncs(nil, again)
}

// define runs a := at the top of a cell. A variable that exists with the same
// type is assigned, so that functions which use it go on with the same one; a
// new type makes a new variable. So does each result of a call of several, after
// it: made by the call itself, functions that literals call do not see it.
func (s *Session) define(a *ast.AssignStmt, known map[string]variable) error {
	for _, st := range s.literalsFirst(a.Rhs) {
		if err := s.execBlock(a.Pos(), st); err != nil {
			return err
		}
	}
	old := false
	names, of := make([]string, len(a.Lhs)), make([]variable, len(a.Lhs))
	for i, l := range a.Lhs {
		n, ok := isBare(l)
		if !ok {
			return &refusal{l.Pos(), "non-name on left side of :="}
		}
		names[i], of[i] = n, known[n]
		old = old || s.vars[n]
	}
	several := len(names) > 1 && len(a.Rhs) == 1 && !commaOK(a.Rhs[0])
	if !old && !several {
		if err := s.defineNew(a, names, of); err != nil {
			return err
		}
		return s.declaredVars(names)
	}
	temps := make([]string, len(names))
	for i, n := range names {
		if temps[i] = "_"; n != "_" {
			temps[i] = s.fresh()
		}
	}
	if err := s.defineNew(a, temps, of); err != nil {
		return err
	}
	var fresh []string
	for i, n := range names {
		if n == "_" || s.vars[n] && s.sameType(a.Pos(), n, temps[i]) {
			continue
		}
		fresh = append(fresh, n)
	}
	isFresh := map[string]bool{}
	for _, n := range fresh {
		isFresh[n] = true
	}
	for i, n := range names {
		if n == "_" {
			continue
		}
		tok := token.ASSIGN
		if isFresh[n] {
			tok = token.DEFINE
		}
		if err := s.execBlock(a.Pos(), assign(a.Pos(), tok, n, ident(a.Pos(), temps[i]))); err != nil {
			return err
		}
	}
	return s.declaredVars(fresh)
}

// sameType says whether the variables x and y have one type.
func (s *Session) sameType(pos token.Pos, x, y string) bool {
	a, err := s.value(&ast.ExprStmt{X: ident(pos, x)})
	if err != nil || !a.IsValid() {
		return false
	}
	b, err := s.value(&ast.ExprStmt{X: ident(pos, y)})
	if err != nil || !b.IsValid() || a.Type() != b.Type() {
		return false
	}
	_, err = s.compile(block(assign(pos, token.ASSIGN, x, ident(pos, y))))
	return err == nil
}

// defineNew runs a with other names on the left; of holds what they are.
func (s *Session) defineNew(a *ast.AssignStmt, names []string, of []variable) error {
	b := *a
	b.Lhs = nil
	for i, l := range a.Lhs {
		b.Lhs = append(b.Lhs, ident(l.Pos(), names[i]))
	}
	if err := s.importNames(a.Pos(), &b); err != nil {
		return err
	}
	if len(names) == 2 && len(a.Rhs) == 1 && commaOK(a.Rhs[0]) {
		return s.defineOK(&b, names, of[0])
	}
	err := s.execBlock(a.Pos(), &b)
	if notCompiled(err) && len(a.Rhs) == len(names) {
		b.Rhs = make([]ast.Expr, len(a.Rhs))
		for i, e := range a.Rhs {
			if b.Rhs[i] = s.inFunction(e, of[i]); b.Rhs[i] == nil {
				return s.cause(a, err)
			}
		}
		err = s.execBlock(a.Pos(), &b)
	}
	if notCompiled(err) {
		return s.cause(a, err)
	}
	return err
}

// notCompiled says whether an error is one of the interpreter's compiler:
// nothing of the code has run.
func notCompiled(err error) bool {
	var internal errInternal
	return errors.As(err, &internal) || err != nil && strings.Contains(err.Error(), "definition loop")
}

// inFunction is e as the result of a function whose type says what e is; nil
// when that has no words. At the top of a cell the interpreter cannot find the
// type of an element of a compiled slice, or of what is made of one:
//
//	x := set.Classes[0]  →  x := func() string { return set.Classes[0] }()
func (s *Session) inFunction(e ast.Expr, is variable) ast.Expr {
	pos := e.Pos()
	t := s.syntax(is, pos)
	if t == nil {
		return nil
	}
	return &ast.CallExpr{Lparen: e.End(), Rparen: e.End(), Fun: &ast.FuncLit{
		Type: &ast.FuncType{Func: pos, Params: &ast.FieldList{Opening: pos, Closing: pos}, Results: &ast.FieldList{
			Opening: pos, Closing: pos, List: []*ast.Field{{Type: t}},
		}},
		Body: &ast.BlockStmt{Lbrace: pos, Rbrace: e.End(), List: []ast.Stmt{&ast.ReturnStmt{Return: pos, Results: []ast.Expr{e}}}},
	}}
}

// syntax is the type of a variable as syntax at pos, after importing what it
// needs; nil when it has no words.
func (s *Session) syntax(v variable, pos token.Pos) ast.Expr {
	if v.typ == nil {
		return nil
	}
	t, err := parser.ParseExpr(types.ExprString(v.typ))
	if err != nil {
		return nil
	}
	for alias, path := range v.imports {
		s.imports[alias] = path
	}
	return placed(t, pos)
}

// cause is why the right side of a does not compile: the interpreter takes
// every fault there for a loop.
func (s *Session) cause(a *ast.AssignStmt, err error) error {
	for _, r := range a.Rhs {
		if s.importNames(r.Pos(), hostCall("Show", r)) != nil {
			continue
		}
		if _, e := s.compile(block(hostCall("Show", r))); e != nil {
			return e
		}
	}
	return err
}

// commaOK says whether e gives a second value that tells whether there is one.
func commaOK(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return commaOK(e.X)
	case *ast.IndexExpr, *ast.TypeAssertExpr:
		return true
	case *ast.UnaryExpr:
		return e.Op == token.ARROW
	}
	return false
}

// defineOK runs "v, ok := e", which the interpreter does not know at the top:
// "v := e" is compiled but not run, which declares v with its type.
func (s *Session) defineOK(a *ast.AssignStmt, names []string, is variable) error {
	pos := a.Pos()
	b := *a
	b.Tok = token.ASSIGN
	if names[0] != "_" {
		if _, err := s.compile(block(assign(pos, token.DEFINE, names[0], a.Rhs[0]))); err != nil {
			t := s.syntax(is, pos)
			if t == nil || !notCompiled(err) {
				return s.cause(a, err)
			}
			if err := s.execBlock(pos, &ast.DeclStmt{Decl: &ast.GenDecl{TokPos: pos, Tok: token.VAR, Specs: []ast.Spec{
				&ast.ValueSpec{Names: []*ast.Ident{ident(pos, names[0])}, Type: t},
			}}}); err != nil {
				return err
			}
		}
	}
	if names[1] != "_" {
		if err := s.execBlock(pos, assign(pos, token.DEFINE, names[1], ident(pos, "false"))); err != nil {
			return err
		}
	}
	return s.execBlock(pos, &b)
}

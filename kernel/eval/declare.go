package eval

import (
	"fmt"
	"go/ast"
	"go/token"
	"strconv"
	"strings"
)

// decl is a declaration of a function, method or type that the session keeps.
type decl struct {
	key  string // "f", or "T.M" for a method
	text string // its tokens, to see whether it changed
	fn   *ast.FuncDecl
	uses map[string]bool
}

// funcKey is the name of a function, or "T.M" of a method.
func funcKey(f *ast.FuncDecl) string {
	if t := receiver(f); t != nil {
		return t.Name + "." + f.Name.Name
	}
	return f.Name.Name
}

// receiver is the name of the receiver's type; nil for a function.
func receiver(f *ast.FuncDecl) *ast.Ident {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return nil
	}
	t := f.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.ParenExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x
		default:
			return nil
		}
	}
}

// generic says whether f, or the type it belongs to, has type parameters.
func generic(f *ast.FuncDecl) bool {
	if f.Type.TypeParams != nil {
		return true
	}
	if f.Recv == nil {
		return false
	}
	t := f.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	_, bare := t.(*ast.Ident)
	return !bare
}

// tokens is code without its layout and comments.
func tokens(code string) string {
	lex, _ := scan(code)
	var b strings.Builder
	for i, l := range lex {
		if l.tok == token.SEMICOLON {
			if i+1 < len(lex) && lex[i+1].tok != token.RBRACE && lex[i+1].tok != token.RPAREN {
				b.WriteString(";")
			}
			continue
		}
		b.WriteString(code[l.off:l.end])
		b.WriteByte(' ')
	}
	return b.String()
}

// group is declarations that are made together, in any order.
type group struct {
	plain   []item // constants and types
	funcs   []*decl
	methods []*decl
}

// sort puts an item into its place. Declarations that the session has in the
// same words are left out: a cell may run again.
func (s *Session) sort(g *group, it item, redo *redefinition) *refusal {
	switch d := it.decl.(type) {
	case *ast.FuncDecl:
		return s.sortFunc(g, it, d, redo)
	case *ast.GenDecl:
		if d.Tok == token.CONST {
			g.plain = append(g.plain, it)
			return nil
		}
		return s.sortTypes(g, it, d, redo)
	}
	return nil
}

func (s *Session) sortFunc(g *group, it item, f *ast.FuncDecl, redo *redefinition) *refusal {
	if f.Body == nil || f.Name.Name == "_" {
		return nil // a signature as documentation
	}
	d := &decl{key: funcKey(f), text: tokens(it.code), fn: f}
	old := s.decls[d.key]
	if redo != nil && (redo.names[d.key] || f.Recv != nil && redo.names[receiver(f).Name]) {
		old = nil
	}
	if generic(f) {
		switch {
		case old == nil:
		case old.text == d.text:
			return nil
		default:
			return &refusal{f.Name.Pos(), d.key + " is generic and exists already: the interpreter would keep the old one; restart the kernel or choose another name"}
		}
	}
	if f.Recv == nil {
		g.funcs = append(g.funcs, d)
		return nil
	}
	if old != nil && shape(old.fn) != shape(f) {
		return &refusal{f.Name.Pos(), "method " + d.key + " exists already with other parameters or results: the interpreter would keep the old one; restart the kernel or choose another name"}
	}
	g.methods = append(g.methods, d)
	return nil
}

// sortTypes refuses types that exist in other words.
func (s *Session) sortTypes(g *group, it item, d *ast.GenDecl, redo *redefinition) *refusal {
	keep := d.Specs[:0:0]
	for _, spec := range d.Specs {
		t := spec.(*ast.TypeSpec)
		base := int(d.Pos())
		text := tokens(it.code[int(t.Pos())-base : int(t.End())-base])
		old, known := s.types[t.Name.Name]
		known = known && (redo == nil || !redo.names[t.Name.Name])
		switch {
		case !known || t.Assign.IsValid():
			keep = append(keep, spec)
		case old.text != text:
			return &refusal{t.Name.Pos(), "type " + t.Name.Name + " exists already with another definition: the interpreter would keep the old one; restart the kernel or choose another name"}
		}
	}
	if len(keep) > 0 {
		own := *d
		own.Specs = keep
		it.decl = &own
		g.plain = append(g.plain, it)
	}
	return nil
}

// declare makes the declarations of g: types and constants, then methods as
// far as their callers see them, then functions, then the bodies of methods.
//
// The interpreter ignores a second definition of a method, and a failed first
// one spoils the type. So a method only calls a variable that holds its body:
//
//	var T__M func(t T, a int) int
//	func (t T) M(a int) int { return T__M(t, a) }
//	T__M = func(t T, a int) int { … }
func (s *Session) declare(g group) error {
	if err := s.declarePlain(g.plain); err != nil {
		return err
	}
	var changed []string
	for _, d := range g.methods {
		if err := s.declareStub(d); err != nil {
			return err
		}
	}
	for _, it := range g.plain {
		changed = append(changed, declared(it)...)
	}
	if err := s.declareFuncs(g.funcs, changed); err != nil {
		return err
	}
	for _, d := range g.methods {
		if err := s.declareBody(d); err != nil {
			return err
		}
	}
	return nil
}

// declared lists the names of a const or type declaration.
func declared(it item) (names []string) {
	for _, spec := range it.decl.(*ast.GenDecl).Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			names = append(names, spec.Name.Name)
		case *ast.ValueSpec:
			for _, n := range spec.Names {
				names = append(names, n.Name)
			}
		}
	}
	return names
}

// declarePlain makes constants and types, all in one file.
func (s *Session) declarePlain(items []item) error {
	if len(items) == 0 {
		return nil
	}
	var decls []ast.Decl
	for _, it := range items {
		decls = append(decls, it.decl)
	}
	if err := s.execFile(items[0].decl.Pos(), decls...); err != nil {
		return err
	}
	for _, it := range items {
		d := it.decl.(*ast.GenDecl)
		for _, spec := range d.Specs {
			if t, ok := spec.(*ast.TypeSpec); ok {
				base := int(it.decl.Pos())
				s.types[t.Name.Name] = decl{key: t.Name.Name, text: tokens(it.code[int(t.Pos())-base : int(t.End())-base])}
			}
		}
	}
	return nil
}

// declareFuncs makes functions, and again the functions and method bodies that
// use them or one of the changed names: compiled calls are bound to what they
// were compiled with.
func (s *Session) declareFuncs(funcs []*decl, changed []string) error {
	own := map[string]bool{}
	for _, d := range funcs {
		own[d.key] = true
		d.uses = uses(d.fn)
		changed = append(changed, d.key)
	}
	var again, bodies []*decl
	for _, d := range s.dependents(changed) {
		switch {
		case own[d.key]:
		case d.fn.Recv != nil:
			bodies = append(bodies, d)
		default:
			again = append(again, d)
		}
	}
	all := append(append([]*decl{}, funcs...), again...)
	if len(all) > 0 {
		err := s.execFuncs(all)
		if err == errInterrupted {
			return err
		}
		if err != nil {
			err = s.declareApart(funcs, again, err)
		}
		if err != nil {
			return err
		}
	}
	for _, d := range funcs {
		if d.key != "init" {
			s.decls[d.key] = d
		}
	}
	for _, d := range bodies {
		if err := s.declareBody(d); err != nil {
			s.stale(d, err)
		}
	}
	return nil
}

func (s *Session) execFuncs(funcs []*decl) error {
	var decls []ast.Decl
	for _, d := range funcs {
		decls = append(decls, d.fn)
	}
	return s.execFile(funcs[0].fn.Pos(), decls...)
}

// declareApart finds out, after functions failed together, whether the new
// ones do without their dependents. If not, the former state comes back.
func (s *Session) declareApart(funcs, again []*decl, failed error) error {
	if len(funcs) > 0 {
		if len(again) > 0 {
			failed = s.execFuncs(funcs)
		}
		if failed != nil {
			s.restore(append(funcs, again...))
			return failed
		}
	}
	for _, d := range again {
		if err := s.execFuncs([]*decl{d}); err != nil {
			s.stale(d, err)
		}
	}
	return nil
}

// restore brings back the functions that a failed declaration has replaced.
func (s *Session) restore(funcs []*decl) {
	var old []*decl
	for _, d := range funcs {
		if o := s.decls[d.key]; o != nil {
			old = append(old, o)
		} else {
			s.execFile(d.fn.Pos(), failing(d.fn, d.key+" is not defined: its declaration failed"))
		}
	}
	if len(old) > 0 {
		s.execFuncs(old)
	}
}

// stale makes a function that no longer fits what it uses say so when it is
// called, and says so now.
func (s *Session) stale(d *decl, err error) {
	why := fmt.Sprintf("%s must be defined again: it does not fit what it uses (%s)", d.key, s.compileError(err, token.Position{}).Message)
	fmt.Fprintln(s.stderr, why)
	f := failing(d.fn, why)
	if f.Recv != nil {
		err = s.declareBody(&decl{key: d.key, text: d.text, fn: f})
	} else {
		err = s.execFile(f.Pos(), f)
	}
	if err != nil {
		fmt.Fprintf(s.stderr, "%s keeps its former meaning until then\n", d.key)
	}
}

// failing is f with a body that panics with a message.
func failing(f *ast.FuncDecl, why string) *ast.FuncDecl {
	own := *f
	pos := f.Name.Pos()
	text := &ast.BasicLit{ValuePos: pos, Kind: token.STRING, Value: strconv.Quote(why)}
	call := &ast.CallExpr{Fun: ident(pos, "panic"), Lparen: pos, Args: []ast.Expr{text}, Rparen: pos}
	own.Body = block(&ast.ExprStmt{X: call})
	return &own
}

// dependents lists the functions, and in the end the methods, that use one of
// the names or a function that does.
func (s *Session) dependents(names []string) []*decl {
	changed := map[string]bool{}
	for _, n := range names {
		changed[n] = true
	}
	keys := sorted(s.decls)
	found := map[string]bool{}
	for more := true; more; {
		more = false
		for _, k := range keys {
			d := s.decls[k]
			if found[k] || generic(d.fn) || !overlap(d.uses, changed) {
				continue
			}
			found[k], more = true, true
			if d.fn.Recv == nil {
				changed[k] = true
			}
		}
	}
	var list []*decl
	for _, k := range keys {
		if found[k] {
			list = append(list, s.decls[k])
		}
	}
	return list
}

func overlap(a, b map[string]bool) bool {
	for k := range a {
		if b[k] {
			return true
		}
	}
	return false
}

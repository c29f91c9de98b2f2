package eval

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// shape is the receiver, parameters and results of a method without the names.
func shape(f *ast.FuncDecl) string {
	var b strings.Builder
	for _, l := range []*ast.FieldList{f.Recv, f.Type.Params, f.Type.Results} {
		b.WriteByte('(')
		if l != nil {
			for _, field := range l.List {
				for range max(len(field.Names), 1) {
					b.WriteString(types.ExprString(field.Type) + ",")
				}
			}
		}
		b.WriteByte(')')
	}
	return b.String()
}

// bodyName is the variable that holds the body of a method.
func bodyName(f *ast.FuncDecl) string {
	return prefix + receiver(f).Name + "__" + f.Name.Name
}

// declareStub makes the method itself, once.
func (s *Session) declareStub(d *decl) error {
	f := d.fn
	if s.decls[d.key] != nil {
		return nil
	}
	d.uses = uses(f)
	if generic(f) {
		if err := s.execFile(f.Pos(), f); err != nil {
			return err
		}
		s.decls[d.key] = d
		return nil
	}
	if _, known := s.types[receiver(f).Name]; !known {
		return &refusal{receiver(f).Pos(), "undefined: " + receiver(f).Name}
	}
	pos := f.Name.Pos()
	holder := &ast.ValueSpec{Names: []*ast.Ident{ident(pos, bodyName(f))}, Type: bodyType(f)}
	if err := s.execBlock(pos, &ast.DeclStmt{Decl: &ast.GenDecl{TokPos: pos, Tok: token.VAR, Specs: []ast.Spec{holder}}}); err != nil {
		return err
	}
	if err := s.execFile(f.Pos(), stub(f)); err != nil {
		return err
	}
	s.decls[d.key] = d
	return s.composeForms(f)
}

// declareBody gives a method its body.
func (s *Session) declareBody(d *decl) error {
	f := d.fn
	d.uses = uses(f)
	if generic(f) {
		return nil
	}
	pos := f.Name.Pos()
	body := &ast.FuncLit{Type: bodyType(f), Body: f.Body}
	if err := s.execBlock(pos, assign(pos, token.ASSIGN, bodyName(f), body)); err != nil {
		return err
	}
	s.decls[d.key] = d
	return nil
}

// bodyType is the type of a method as a function: the receiver comes first.
func bodyType(f *ast.FuncDecl) *ast.FuncType {
	t := *f.Type
	t.Func = f.Name.Pos()
	params := *f.Type.Params
	recv := *f.Recv.List[0]
	if len(recv.Names) == 0 && named(f.Type.Params) {
		recv.Names = []*ast.Ident{ident(recv.Pos(), "_")}
	}
	if len(recv.Names) > 0 && !named(f.Type.Params) {
		params.List = nil
		for _, p := range f.Type.Params.List {
			q := *p
			q.Names = []*ast.Ident{ident(p.Pos(), "_")}
			params.List = append(params.List, &q)
		}
	}
	params.List = append([]*ast.Field{&recv}, params.List...)
	t.Params = &params
	return &t
}

func named(l *ast.FieldList) bool { return len(l.List) == 0 || len(l.List[0].Names) > 0 }

// stub is the method that calls the variable with its body.
func stub(f *ast.FuncDecl) *ast.FuncDecl {
	pos := f.Name.Pos()
	count := 0
	call := &ast.CallExpr{Fun: ident(pos, bodyName(f)), Lparen: pos, Rparen: pos}
	name := func(l *ast.FieldList) *ast.FieldList {
		own := *l
		own.List = nil
		for _, field := range l.List {
			q := *field
			q.Names = nil
			for range max(len(field.Names), 1) {
				count++
				n := fmt.Sprintf("%sp%d", prefix, count)
				q.Names = append(q.Names, ident(pos, n))
				call.Args = append(call.Args, ident(pos, n))
			}
			if _, variadic := field.Type.(*ast.Ellipsis); variadic {
				call.Ellipsis = pos
			}
			own.List = append(own.List, &q)
		}
		return &own
	}
	own := *f
	own.Recv = name(f.Recv)
	t := *f.Type
	t.Params = name(f.Type.Params)
	if t.Results != nil {
		r := *t.Results
		r.List = nil
		for _, field := range t.Results.List {
			for range max(len(field.Names), 1) {
				r.List = append(r.List, &ast.Field{Type: field.Type})
			}
		}
		t.Results = &r
	}
	own.Type = &t
	var st ast.Stmt = &ast.ExprStmt{X: call}
	if t.Results != nil {
		st = &ast.ReturnStmt{Return: pos, Results: []ast.Expr{call}}
	}
	own.Body = &ast.BlockStmt{Lbrace: pos, List: []ast.Stmt{st}, Rbrace: pos}
	return &own
}

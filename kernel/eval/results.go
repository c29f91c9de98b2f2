package eval

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
)

// The interpreter keeps named results where the caller wants them: in the
// variable of "x = f()", or where the call left them the last time. They begin
// with what is there, and x is lost while f runs. So functions begin by
// clearing them, and calls get a place of their own:
//
//	func f() (n int) {…}  →  func f() (n int) { { var zero int; n = zero }; … }
//	x = f()               →  x = (f())

// clearResults is the statements that give named results their zero values.
func clearResults(f *ast.FuncType, at token.Pos) (out []ast.Stmt) {
	if f.Results == nil {
		return nil
	}
	zero := prefix + "zero"
	for _, field := range f.Results.List {
		t := field.Type
		if own, err := parser.ParseExpr(types.ExprString(t)); err == nil {
			t = placed(own, at) // in the body, where a panic is looked for
		}
		for _, name := range field.Names {
			if name.Name == "_" {
				continue
			}
			out = append(out, &ast.BlockStmt{Lbrace: at, Rbrace: at, List: []ast.Stmt{
				&ast.DeclStmt{Decl: &ast.GenDecl{TokPos: at, Tok: token.VAR, Specs: []ast.Spec{
					&ast.ValueSpec{Names: []*ast.Ident{ident(at, zero)}, Type: t},
				}}},
				assign(at, token.ASSIGN, name.Name, ident(at, zero)),
			}})
		}
	}
	return out
}

// ownPlace parts the call of "x = f()" from x, unless f is compiled.
func (r *rewriter) ownPlace(a *ast.AssignStmt) {
	if a.Tok != token.ASSIGN || len(a.Lhs) != 1 || len(a.Rhs) != 1 {
		return
	}
	if _, variable := isBare(a.Lhs[0]); !variable {
		return
	}
	if call, ok := a.Rhs[0].(*ast.CallExpr); ok && r.interpreted(call) {
		a.Rhs[0] = &ast.ParenExpr{Lparen: call.Pos(), X: call, Rparen: call.End()}
	}
}

// callsApart parts the calls and receipts of "x, y = f(), 2" from x: the
// interpreter would write x at once and leave out all else.
//
//	x, y = f(), 2  →  x, y = (f()), 2
func callsApart(a *ast.AssignStmt) {
	if a.Tok != token.ASSIGN || len(a.Rhs) < 2 {
		return
	}
	for i, x := range a.Rhs {
		u, unary := x.(*ast.UnaryExpr)
		if _, call := x.(*ast.CallExpr); call || unary && u.Op == token.ARROW {
			a.Rhs[i] = &ast.ParenExpr{Lparen: x.Pos(), X: x, Rparen: x.End()}
		}
	}
}

// interpreted says whether a call may be one of a cell's function.
func (r *rewriter) interpreted(call *ast.CallExpr) bool {
	fun := ast.Unparen(call.Fun)
	if r.info == nil {
		return true
	}
	if tv, ok := r.info.Types[fun]; ok && (tv.IsBuiltin() || tv.IsType()) {
		return false
	}
	if s, ok := fun.(*ast.SelectorExpr); ok {
		if id, ok := s.X.(*ast.Ident); ok {
			_, pkg := r.info.ObjectOf(id).(*types.PkgName)
			return !pkg
		}
	}
	return true
}

// result is one named result of a function.
type result struct {
	name string
	t    ast.Expr
}

// resultsOf lists the named results of f, nil if they have no names.
func resultsOf(f *ast.FuncType) (all []result) {
	if f.Results == nil {
		return nil
	}
	for _, field := range f.Results.List {
		for _, name := range field.Names {
			all = append(all, result{name.Name, field.Type})
		}
	}
	return all
}

// returnAtOnce reads all values of a return before the results change: the
// interpreter sets one result after the other.
//
//	return b, a  →  var v1 int = b; var v2 int = a; return v1, v2
func (r *rewriter) returnAtOnce(s *ast.ReturnStmt) (out []ast.Stmt) {
	if len(r.results) == 0 {
		return nil
	}
	named := r.results[len(r.results)-1]
	if len(named) < 2 || len(s.Results) != len(named) {
		return nil
	}
	for i, x := range s.Results {
		used := uses(x)
		for k, other := range named {
			if k != i && used[other.name] {
				name := r.s.fresh()
				out = append(out, &ast.DeclStmt{Decl: &ast.GenDecl{TokPos: s.Return, Tok: token.VAR, Specs: []ast.Spec{
					&ast.ValueSpec{Names: []*ast.Ident{ident(x.Pos(), name)}, Type: named[i].t, Values: []ast.Expr{x}},
				}}})
				s.Results[i] = ident(x.Pos(), name)
				break
			}
		}
	}
	return out
}

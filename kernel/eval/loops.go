package eval

import (
	"go/ast"
	"go/token"
	"go/types"
)

// countLoop is a range over a number as a loop of three clauses, when it can
// be seen that it is one:
//
//	for i := range n {…}  →  for k, end := 0, n; k < end; k++ { i := k; … }
func (r *rewriter) countLoop(f *ast.RangeStmt) ast.Stmt {
	count, typed := r.counts(f.X)
	if _, bare := isBare(f.Key); f.Value != nil || f.Key != nil && !bare || !count {
		return f
	}
	at, k, end := f.For, prefix+"k", prefix+"end"
	body := &ast.BlockStmt{Lbrace: f.Body.Lbrace, List: f.Body.List, Rbrace: f.Body.Rbrace}
	switch name, ok := isBare(f.Key); {
	case !ok || name == "_":
	case f.Tok == token.ASSIGN:
		body.List = append([]ast.Stmt{assign(f.Key.Pos(), token.ASSIGN, name, ident(at, k))}, body.List...)
	case uses(f.X)[name]:
		body.List = append([]ast.Stmt{assign(f.Key.Pos(), token.DEFINE, name, ident(at, k))}, body.List...)
	default: // "i := i" gives each round its own in the interpreter, too
		k = name
		body.List = append([]ast.Stmt{assign(f.Key.Pos(), token.DEFINE, name, ident(at, name))}, body.List...)
	}
	as := func(e ast.Expr) ast.Expr {
		if typed == nil {
			return e
		}
		return &ast.CallExpr{Fun: placed(typed, at), Lparen: at, Args: []ast.Expr{e}, Rparen: at}
	}
	return &ast.ForStmt{
		For:  at,
		Init: &ast.AssignStmt{Lhs: []ast.Expr{ident(at, k), ident(at, end)}, TokPos: at, Tok: token.DEFINE, Rhs: []ast.Expr{as(number(at, 0)), as(f.X)}},
		Cond: &ast.BinaryExpr{X: ident(at, k), OpPos: at, Op: token.LSS, Y: ident(at, end)},
		Post: &ast.IncDecStmt{X: ident(at, k), TokPos: at, Tok: token.INC},
		Body: body,
	}
}

// counts says whether e is an integer, and the type in words unless it is int.
func (r *rewriter) counts(e ast.Expr) (bool, ast.Expr) {
	if r.info != nil && r.info.TypeOf(e) != nil {
		t := types.Default(r.info.TypeOf(e))
		b, ok := t.Underlying().(*types.Basic)
		if !ok || b.Info()&types.IsInteger == 0 {
			return false, nil
		}
		if types.Identical(t, types.Typ[types.Int]) {
			return true, nil
		}
		text, ok := r.words(t)
		return ok, r.parse(text, e.Pos())
	}
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Kind == token.INT, nil
	case *ast.CallExpr:
		name, _ := isBare(e.Fun)
		return name == "len" || name == "cap" || name == "int", nil
	}
	return false, nil
}

// loopVars lists the variables that the header of a loop declares.
func loopVars(f *ast.ForStmt) (vars []*ast.Ident) {
	if a, ok := f.Init.(*ast.AssignStmt); ok && a.Tok == token.DEFINE {
		for _, l := range a.Lhs {
			if id, ok := l.(*ast.Ident); ok && id.Name != "_" {
				vars = append(vars, id)
			}
		}
	}
	return vars
}

func rangeVars(f *ast.RangeStmt) (vars []*ast.Ident) {
	for _, e := range []ast.Expr{f.Key, f.Value} {
		if id, ok := e.(*ast.Ident); ok && f.Tok == token.DEFINE && id.Name != "_" {
			vars = append(vars, id)
		}
	}
	return vars
}

// copyVars gives each round of a loop its own copy of the variables that a
// function or a pointer keeps, as Go does since 1.22.
func copyVars(body *ast.BlockStmt, vars []*ast.Ident) {
	var own []ast.Stmt
	for _, v := range vars {
		if captured(body, v.Name) {
			own = append(own, assign(body.Lbrace, token.DEFINE, v.Name, ident(body.Lbrace, v.Name)))
		}
	}
	body.List = append(own, body.List...)
}

// captured says whether a function literal in body uses name, or its address
// is taken.
func captured(body ast.Node, name string) (found bool) {
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			found = found || uses(n)[name]
		case *ast.UnaryExpr:
			if x, ok := isBare(n.X); ok && n.Op == token.AND && x == name {
				found = true
			}
		}
		return !found
	})
	return found
}

// changed says whether body assigns to name.
func changed(body ast.Node, name string) (found bool) {
	is := func(e ast.Expr) bool { x, ok := isBare(e); return ok && x == name }
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, l := range n.Lhs {
				found = found || n.Tok != token.DEFINE && is(l)
			}
		case *ast.IncDecStmt:
			found = found || is(n.X)
		}
		return !found
	})
	return found
}

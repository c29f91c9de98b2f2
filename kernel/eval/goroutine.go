package eval

import (
	"go/ast"
	"go/token"
	"go/types"
)

// guard makes a goroutine that panics say so and end alone; it would take the
// process with it. What Go evaluates when the goroutine begins is evaluated
// before.
//
//	go f(x)  →  v := x; go func() { defer func() { … recover() … }(); f(v) }()
func (r *rewriter) guard(g *ast.GoStmt) (out []ast.Stmt) {
	pos := g.Pos()
	fn := -1
	if len(r.fns) > 0 {
		fn = r.fns[len(r.fns)-1]
	}
	handler := &ast.FuncLit{
		Type: &ast.FuncType{Func: pos, Params: &ast.FieldList{Opening: pos, Closing: pos}},
		Body: block(
			assign(pos, token.DEFINE, prefix+"r", &ast.CallExpr{Fun: ident(pos, "recover"), Lparen: pos, Rparen: pos}),
			hostCall("Lost", ident(pos, prefix+"r"), number(pos, r.s.marks.add(pos, fn)))),
	}
	first := &ast.DeferStmt{Defer: pos, Call: &ast.CallExpr{Fun: handler, Lparen: pos, Rparen: pos}}
	if lit, ok := g.Call.Fun.(*ast.FuncLit); ok {
		lit.Body.List = append([]ast.Stmt{first}, lit.Body.List...)
		return nil
	}
	out = append(r.early(g.Call), r.earlyFunc(g.Call)...)
	lit := &ast.FuncLit{
		Type: &ast.FuncType{Func: pos, Params: &ast.FieldList{Opening: pos, Closing: pos}},
		Body: block(first, &ast.ExprStmt{X: g.Call}),
	}
	g.Call = &ast.CallExpr{Fun: lit, Lparen: pos, Rparen: pos}
	return out
}

// earlyFunc evaluates the function of a call, or the receiver of its method,
// before the call.
func (r *rewriter) earlyFunc(c *ast.CallExpr) (out []ast.Stmt) {
	sel, ok := c.Fun.(*ast.SelectorExpr)
	if !ok {
		if v, isVar := r.object(c.Fun).(*types.Var); isVar && v.Name() != "_" {
			name := r.s.fresh()
			out = append(out, assign(c.Pos(), token.DEFINE, name, c.Fun))
			c.Fun = ident(c.Pos(), name)
		}
		return out
	}
	s := r.selection(sel)
	if s == nil || s.Kind() != types.MethodVal {
		return nil
	}
	x := sel.X
	_, pointer := s.Recv().Underlying().(*types.Pointer)
	if sig, ok := s.Obj().Type().(*types.Signature); ok && !pointer && sig.Recv() != nil {
		if _, wants := sig.Recv().Type().(*types.Pointer); wants {
			x = &ast.UnaryExpr{OpPos: x.Pos(), Op: token.AND, X: x}
		}
	}
	name := r.s.fresh()
	c.Fun = &ast.SelectorExpr{X: ident(x.Pos(), name), Sel: sel.Sel}
	return append(out, assign(x.Pos(), token.DEFINE, name, x))
}

// object is what a name stands for; nil when that is not known.
func (r *rewriter) object(e ast.Expr) types.Object {
	if id, ok := e.(*ast.Ident); ok && r.info != nil {
		return r.info.Uses[id]
	}
	return nil
}

func (r *rewriter) selection(e *ast.SelectorExpr) *types.Selection {
	if r.info == nil {
		return nil
	}
	return r.info.Selections[e]
}

// early evaluates the arguments of a deferred call when Go does; the
// interpreter would use the values at the end of the function.
func (r *rewriter) early(c *ast.CallExpr) (out []ast.Stmt) {
	for i, a := range c.Args {
		switch x := a.(type) {
		case *ast.BasicLit, *ast.FuncLit, *ast.CompositeLit, *ast.CallExpr:
			continue
		case *ast.Ident:
			if x.Name == "nil" || x.Name == "true" || x.Name == "false" {
				continue
			}
		case *ast.SelectorExpr:
			if name, ok := isBare(x.X); ok && r.s.imports[name] != "" {
				continue
			}
		}
		name := r.s.fresh()
		out = append(out, assign(a.Pos(), token.DEFINE, name, a))
		c.Args[i] = ident(a.Pos(), name)
	}
	return out
}

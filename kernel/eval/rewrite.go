package eval

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"

	"golang.org/x/tools/go/ast/astutil"
)

// rewriter changes the syntax of a cell where the interpreter falls short of
// Go, and leaves marks by which a panic finds its line.
type rewriter struct {
	s    *Session
	info *types.Info // what is known of the syntax before it is changed; may be nil
	fns  []int       // the functions around the node, as indices of marks
	own  int         // depth of goroutines: a panic there ends the process, so marks are of no use
}

// rewrite changes an item in place.
func (s *Session) rewrite(it item, info *types.Info) {
	r := &rewriter{s: s, info: info}
	if f, ok := it.decl.(*ast.FuncDecl); ok && f.Body != nil {
		r.function(f, funcKey(f), f.Body)
		return
	}
	if a, ok := it.stmt.(*ast.AssignStmt); ok && a.Tok == token.DEFINE {
		r.typedConsts(a.Lhs, a.Rhs)
	}
	if b, ok := it.stmt.(*ast.BlockStmt); ok {
		r.fns = append(r.fns, s.marks.function(s, "", b.Pos(), b.End()))
	}
	r.walk(node(it))
}

// function rewrites a function called name.
func (r *rewriter) function(f ast.Node, name string, body *ast.BlockStmt) {
	r.fns = append(r.fns, r.s.marks.function(r.s, name, body.Pos(), body.End()))
	if d, ok := f.(*ast.FuncDecl); ok {
		r.ident(d.Name)
		if d.Recv != nil {
			r.inspect(d.Recv)
		}
		r.inspect(d.Type)
		r.walk(body)
	} else {
		r.inspect(body)
	}
	r.fns = r.fns[:len(r.fns)-1]
}

// walk rewrites n and all below it.
func (r *rewriter) walk(n ast.Node) {
	if r.info != nil {
		astutil.Apply(n, nil, func(c *astutil.Cursor) bool {
			if e, ok := c.Node().(ast.Expr); ok {
				r.copies(c.Parent(), e, func(x ast.Expr) { c.Replace(x); e = x })
				call, isCall := c.Parent().(*ast.CallExpr)
				if x := r.modern(e, isCall && call.Fun == e); x != e {
					c.Replace(x)
				}
			}
			return true
		})
	}
	r.inspect(n)
}

// inspect is walk for syntax that the interpreter knows.
func (r *rewriter) inspect(n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			r.own++
			r.inspect(n.Call)
			r.own--
			return false
		case *ast.FuncLit:
			r.inspect(n.Type)
			r.function(n, "func literal", n.Body)
			return false
		case *ast.SelectorExpr:
			r.inspect(n.X)
			return false
		case *ast.Ident:
			r.ident(n)
		case *ast.ForStmt:
			copyVars(n.Body, loopVars(n))
		case *ast.RangeStmt:
			copyVars(n.Body, rangeVars(n))
		case *ast.TypeSwitchStmt:
			bind(n)
		case *ast.BlockStmt:
			n.List = r.list(n.List)
		case *ast.CaseClause:
			n.Body = r.list(n.Body)
		case *ast.CommClause:
			n.Body = r.list(n.Body)
		}
		return true
	})
}

// ident renames main, which the interpreter would run after every cell.
func (r *rewriter) ident(id *ast.Ident) {
	if id.Name == "main" {
		id.Name = prefix + "main"
	}
}

// list rewrites the statements of a block.
func (r *rewriter) list(list []ast.Stmt) []ast.Stmt {
	out := make([]ast.Stmt, 0, 2*len(list))
	for _, st := range list {
		if f, ok := st.(*ast.RangeStmt); ok {
			st = r.countLoop(f)
		}
		if l, ok := st.(*ast.LabeledStmt); ok {
			if f, ok := l.Stmt.(*ast.RangeStmt); ok {
				l.Stmt = r.countLoop(f)
			}
		}
		switch d := st.(type) {
		case *ast.AssignStmt:
			out = append(out, r.s.literalsFirst(d.Rhs)...)
			if d.Tok == token.DEFINE {
				r.typedConsts(d.Lhs, d.Rhs)
			}
		case *ast.DeclStmt:
			for _, spec := range d.Decl.(*ast.GenDecl).Specs {
				if v, ok := spec.(*ast.ValueSpec); ok {
					out = append(out, r.s.literalsFirst(v.Values)...)
				}
			}
		case *ast.DeferStmt:
			out = append(append(out, r.early(d.Call)...), r.earlyFunc(d.Call)...)
		case *ast.GoStmt:
			out = append(out, r.guard(d)...)
		}
		if len(r.fns) > 0 && r.own == 0 && mayPanic(st) {
			n := r.s.marks.add(st.Pos(), r.fns[len(r.fns)-1])
			out = append(out, assign(st.Pos(), token.ASSIGN, prefix+"at", number(st.Pos(), n)))
		}
		out = append(out, st)
	}
	return out
}

// literalsFirst evaluates the composite literals of an assignment of several
// values before it: next to one, the interpreter loses the other values.
//
//	t, k = T{1}, 2  →  v := T{1}; t, k = v, 2
func (s *Session) literalsFirst(values []ast.Expr) (out []ast.Stmt) {
	if !mixed(values) {
		return nil
	}
	for i, x := range values {
		if isLiteral(x) {
			name := s.fresh()
			out = append(out, assign(x.Pos(), token.DEFINE, name, x))
			values[i] = ident(x.Pos(), name)
		}
	}
	return out
}

// typedConsts gives the constants of "a, b := 1, 'x'" their types in words: the
// interpreter takes one for another.
func (r *rewriter) typedConsts(names, values []ast.Expr) {
	if r.info == nil || len(values) < 2 || len(names) != len(values) {
		return
	}
	for i, x := range values {
		id, ok := names[i].(*ast.Ident)
		if !ok || r.info.Types[x].Value == nil || r.info.ObjectOf(id) == nil {
			continue
		}
		if b, ok := r.info.ObjectOf(id).Type().(*types.Basic); ok {
			values[i] = &ast.CallExpr{Fun: ident(x.Pos(), b.Name()), Lparen: x.Pos(), Args: []ast.Expr{x}, Rparen: x.End()}
		}
	}
}

// mixed says whether there are composite literals and other values.
func mixed(values []ast.Expr) bool {
	return slices.ContainsFunc(values, isLiteral) && slices.ContainsFunc(values, func(x ast.Expr) bool { return !isLiteral(x) })
}

func isLiteral(x ast.Expr) bool {
	_, ok := ast.Unparen(x).(*ast.CompositeLit)
	return ok
}

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

// bind gives a type switch a variable: without one the interpreter does not
// recognise types of cells.
func bind(s *ast.TypeSwitchStmt) {
	if x, ok := s.Assign.(*ast.ExprStmt); ok {
		s.Assign = assign(x.Pos(), token.DEFINE, prefix+"type", x.X)
	}
}

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

// uses is the set of names in n that may be variables, functions or types:
// all but those behind a dot.
func uses(n ast.Node) map[string]bool {
	names := map[string]bool{}
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			ast.Inspect(n.X, visit)
			return false
		case *ast.Ident:
			names[n.Name] = true
		}
		return true
	}
	ast.Inspect(n, visit)
	return names
}

// mayPanic says whether a statement, without the blocks in it, does more than
// arithmetic on variables.
func mayPanic(s ast.Stmt) (found bool) {
	ast.Inspect(s, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BlockStmt, *ast.FuncLit, *ast.CaseClause, *ast.CommClause:
			return false
		case *ast.IndexExpr, *ast.SliceExpr, *ast.CallExpr, *ast.StarExpr, *ast.SelectorExpr, *ast.TypeAssertExpr, *ast.SendStmt:
			found = true
		case *ast.BinaryExpr:
			found = found || n.Op == token.QUO || n.Op == token.REM
		case *ast.AssignStmt:
			found = found || n.Tok == token.QUO_ASSIGN || n.Tok == token.REM_ASSIGN
		}
		return !found
	})
	return found
}

func ident(pos token.Pos, name string) *ast.Ident { return &ast.Ident{NamePos: pos, Name: name} }

func number(pos token.Pos, n int) *ast.BasicLit {
	return &ast.BasicLit{ValuePos: pos, Kind: token.INT, Value: strconv.Itoa(n)}
}

// assign is "name tok value".
func assign(pos token.Pos, tok token.Token, name string, value ast.Expr) *ast.AssignStmt {
	return &ast.AssignStmt{Lhs: []ast.Expr{ident(pos, name)}, TokPos: pos, Tok: tok, Rhs: []ast.Expr{value}}
}

// fresh is a name that nothing has.
func (s *Session) fresh() string {
	s.newName++
	return fmt.Sprintf("%sv%d", prefix, s.newName)
}

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

	results [][]result // named ones of the functions around the node
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
	if a, ok := it.stmt.(*ast.AssignStmt); ok {
		r.ownPlace(a)
	}
	r.walk(node(it))
}

// function rewrites a function called name.
func (r *rewriter) function(f ast.Node, name string, body *ast.BlockStmt) {
	r.fns = append(r.fns, r.s.marks.function(r.s, name, body.Pos(), body.End()))
	t := typeOf(f)
	r.results = append(r.results, resultsOf(t))
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
	body.List = append(clearResults(t, body.Lbrace), body.List...)
	r.results = r.results[:len(r.results)-1]
	r.fns = r.fns[:len(r.fns)-1]
}

// typeOf is the type of a function, declared or literal.
func typeOf(f ast.Node) *ast.FuncType {
	if d, ok := f.(*ast.FuncDecl); ok {
		return d.Type
	}
	return f.(*ast.FuncLit).Type
}

// walk rewrites n and all below it.
func (r *rewriter) walk(n ast.Node) {
	if r.info != nil {
		astutil.Apply(n, nil, func(c *astutil.Cursor) bool {
			if e, ok := c.Node().(ast.Expr); ok {
				into := r.ownInto(c.Parent(), e)
				r.copies(c.Parent(), e, func(x ast.Expr) { c.Replace(x); e = x })
				if into != nil {
					c.Replace(&ast.CallExpr{Fun: into, Lparen: e.Pos(), Args: []ast.Expr{r.converted(e)}, Rparen: e.End()})
					return true
				}
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
		case *ast.AssignStmt:
			callsApart(n)
		case *ast.ForStmt:
			copyVars(n.Body, loopVars(n))
		case *ast.RangeStmt:
			r.wholeArray(n)
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

// wholeArray ranges over the array that a pointer points to.
func (r *rewriter) wholeArray(f *ast.RangeStmt) {
	if r.info == nil || r.info.TypeOf(f.X) == nil {
		return
	}
	if p, ok := r.info.TypeOf(f.X).Underlying().(*types.Pointer); ok {
		if _, array := p.Elem().Underlying().(*types.Array); array {
			at := f.X.Pos()
			f.X = &ast.SliceExpr{X: &ast.ParenExpr{Lparen: at, X: &ast.StarExpr{Star: at, X: f.X}, Rparen: at}, Lbrack: at, Rbrack: at}
		}
	}
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
			r.ownPlace(d)
			out = append(out, r.s.literalsFirst(d.Rhs)...)
			if name, _ := isBare(d.Lhs[0]); d.Tok == token.ASSIGN && len(d.Lhs) == 1 && len(d.Rhs) == 1 && name == "_" {
				if _, operation := ast.Unparen(d.Rhs[0]).(*ast.BinaryExpr); operation { // the interpreter has no place for it
					st = assign(d.Pos(), token.DEFINE, r.s.fresh(), d.Rhs[0])
				}
			}
			if d.Tok == token.DEFINE {
				r.typedConsts(d.Lhs, d.Rhs)
			}
		case *ast.DeclStmt:
			for _, spec := range d.Decl.(*ast.GenDecl).Specs {
				if v, ok := spec.(*ast.ValueSpec); ok {
					out = append(out, r.s.literalsFirst(v.Values)...)
				}
			}
		case *ast.ReturnStmt:
			out = append(out, r.returnAtOnce(d)...)
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

// bind gives a type switch a variable: without one the interpreter does not
// recognise types of cells.
func bind(s *ast.TypeSwitchStmt) {
	if x, ok := s.Assign.(*ast.ExprStmt); ok {
		s.Assign = assign(x.Pos(), token.DEFINE, prefix+"type", x.X)
	}
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

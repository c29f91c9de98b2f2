package eval

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"reflect"
	"slices"
	"strings"
)

// modern replaces what is newer than the interpreter by older Go that means
// the same. What it needs to know of types is in r.info; without that it
// changes nothing.
//
//	min(a, b)   →  func(x0, x1 T) T { … }(a, b)
//	clear(m)    →  func(x T) { for k := range x { delete(x, k) } }(m)
//	T.Method    →  func(x0 T, x1 int) int { return x0.Method(x1) }
//	f           →  func(x0 int) int { return f(x0) }
func (r *rewriter) modern(e ast.Expr, called bool) ast.Expr {
	switch e := e.(type) {
	case *ast.CallExpr:
		if b, ok := r.object(ast.Unparen(e.Fun)).(*types.Builtin); ok {
			return r.builtin(e, b.Name())
		}
		r.instance(e)
		r.spread(e)
		return r.wholeSlice(e)
	case *ast.Ident:
		if !called {
			return r.funcValue(e)
		}
	case *ast.SelectorExpr:
		if s := r.selection(e); s != nil && s.Kind() == types.MethodExpr {
			return r.methodExpr(e, s)
		} else if s != nil && s.Kind() == types.MethodVal && !called {
			return r.methodValue(e, s)
		}
	}
	return e
}

// builtin replaces a call of a built-in function that the interpreter does not
// have.
func (r *rewriter) builtin(c *ast.CallExpr, name string) ast.Expr {
	switch name {
	case "recover":
		return &ast.CallExpr{Fun: &ast.SelectorExpr{X: ident(c.Pos(), hostName), Sel: ident(c.Pos(), "Recovered")}, Lparen: c.Pos(), Args: []ast.Expr{c}, Rparen: c.End()}
	case "panic": // with its method, which the interpreter loses
		if n, ok := types.Unalias(r.info.TypeOf(c.Args[0])).(*types.Named); ok && isOwn(n) && prints(n) && !types.IsInterface(n) {
			c.Args[0] = hostCall("Thrown", c.Args[0]).X
		}
	case "min", "max":
		if v := r.info.Types[c].Value; v != nil {
			if lit, err := literal(v); err == nil {
				return placed(lit, c.Pos())
			}
		}
		t, ok := r.words(r.info.TypeOf(c))
		if !ok {
			return c
		}
		less := map[string]string{"min": "<", "max": ">"}[name]
		var params []string
		var body strings.Builder
		for i := range c.Args {
			params = append(params, fmt.Sprintf("x%d", i))
			if i > 0 { // a NaN among the arguments is the result
				fmt.Fprintf(&body, "if x%d %s x0 || x%d != x%d { x0 = x%d }; ", i, less, i, i, i)
			}
		}
		return r.call(fmt.Sprintf("func(%s %s) %s { %sreturn x0 }", strings.Join(params, ", "), t, t, body.String()), c)
	case "clear":
		t, ok := r.words(r.info.TypeOf(c.Args[0]))
		if !ok {
			return c
		}
		if s, isSlice := r.info.TypeOf(c.Args[0]).Underlying().(*types.Slice); isSlice {
			zero, ok := r.words(s.Elem())
			if !ok {
				return c
			}
			return r.call(fmt.Sprintf("func(x %s) { var zero %s; for i := 0; i < len(x); i++ { x[i] = zero } }", t, zero), c)
		}
		return r.call(fmt.Sprintf("func(x %s) { for k := range x { delete(x, k) } }", t), c)
	}
	return c
}

// methodExpr is a method as a function whose first parameter is the receiver.
func (r *rewriter) methodExpr(e *ast.SelectorExpr, s *types.Selection) ast.Expr {
	sig, ok := s.Type().(*types.Signature)
	if !ok {
		return e
	}
	params, args, results, ok := r.signature(sig)
	if !ok {
		return e
	}
	call := returned(fmt.Sprintf("x0.%s(%s)", e.Sel.Name, strings.Join(args[1:], ", ")), results)
	f := r.parse(fmt.Sprintf("func(%s) (%s) { %s }", strings.Join(params, ", "), strings.Join(results, ", "), call), e.Pos())
	if f == nil {
		return e
	}
	return f
}

// funcValue is a function that a cell declares, as a value: in most places the
// interpreter loses what is not a literal.
//
//	return f  →  return func(x0 int) int { return f(x0) }
func (r *rewriter) funcValue(e *ast.Ident) ast.Expr {
	f, ok := r.info.Uses[e].(*types.Func)
	if !ok || f.Pkg() == nil || f.Pkg().Path() != "main" || f.Signature().Recv() != nil || f.Signature().TypeParams() != nil {
		return e
	}
	params, args, results, ok := r.signature(f.Signature())
	if !ok {
		return e
	}
	call := returned(fmt.Sprintf("%s(%s)", e.Name, strings.Join(args, ", ")), results)
	if lit := r.parse(fmt.Sprintf("func(%s) (%s) { %s }", strings.Join(params, ", "), strings.Join(results, ", "), call), e.Pos()); lit != nil {
		return lit
	}
	return e
}

// signature is the parameters of a function in words, the arguments that pass
// them on, and the results.
func (r *rewriter) signature(sig *types.Signature) (params, args, results []string, ok bool) {
	for i := range sig.Params().Len() {
		t, ok := r.words(sig.Params().At(i).Type())
		if !ok {
			return nil, nil, nil, false
		}
		arg := fmt.Sprintf("x%d", i)
		if sig.Variadic() && i == sig.Params().Len()-1 {
			params, args = append(params, arg+" ..."+strings.TrimPrefix(t, "[]")), append(args, arg+"...")
			continue
		}
		params, args = append(params, arg+" "+t), append(args, arg)
	}
	for i := range sig.Results().Len() {
		t, ok := r.words(sig.Results().At(i).Type())
		if !ok {
			return nil, nil, nil, false
		}
		results = append(results, t)
	}
	return params, args, results, true
}

// returned is a call as the last statement of a function with these results.
func returned(call string, results []string) string {
	if results == nil {
		return call
	}
	return "return " + call
}

// methodValue is a method that is bound to its receiver now:
//
//	t.Get  →  func(x T) func() int { return func() int { return x.Get() } }(t)
func (r *rewriter) methodValue(e *ast.SelectorExpr, s *types.Selection) ast.Expr {
	if types.IsInterface(s.Recv()) {
		return e
	}
	recv, x := s.Recv(), e.X
	_, pointer := recv.Underlying().(*types.Pointer)
	if m := s.Obj().(*types.Func).Signature().Recv(); !pointer && m != nil {
		if _, wants := m.Type().(*types.Pointer); wants {
			recv, x = types.NewPointer(recv), &ast.UnaryExpr{OpPos: x.Pos(), Op: token.AND, X: x}
		}
	} else if m != nil {
		if _, wants := m.Type().(*types.Pointer); !wants {
			recv, x = recv.Underlying().(*types.Pointer).Elem(), &ast.StarExpr{Star: x.Pos(), X: x}
		}
	}
	t, ok := r.words(recv)
	f, ok2 := r.words(s.Type())
	sig, ok3 := s.Type().(*types.Signature)
	if !ok || !ok2 || !ok3 {
		return e
	}
	params, args, results, ok := r.signature(sig)
	if !ok {
		return e
	}
	call := returned(fmt.Sprintf("x.%s(%s)", e.Sel.Name, strings.Join(args, ", ")), results)
	lit := r.parse(fmt.Sprintf("func(x %s) %s { return func(%s) (%s) { %s } }", t, f, strings.Join(params, ", "), strings.Join(results, ", "), call), e.Pos())
	if lit == nil {
		return e
	}
	return &ast.CallExpr{Fun: lit, Lparen: e.Pos(), Args: []ast.Expr{x}, Rparen: e.End()}
}

// instance writes out the type arguments of a call of a generic function that
// takes functions: the interpreter does not infer them.
func (r *rewriter) instance(c *ast.CallExpr) {
	id, ok := c.Fun.(*ast.Ident)
	if !ok {
		return
	}
	args := r.info.Instances[id].TypeArgs
	takes := slices.ContainsFunc(c.Args, func(a ast.Expr) bool {
		_, isFunc := r.info.TypeOf(a).(*types.Signature)
		return isFunc
	})
	if args == nil || !takes {
		return
	}
	var list []ast.Expr
	for i := range args.Len() {
		text, ok := r.words(args.At(i))
		t := r.parse(text, c.Pos())
		if !ok || t == nil {
			return
		}
		list = append(list, t)
	}
	if len(list) == 1 {
		c.Fun = &ast.IndexExpr{X: id, Lbrack: id.End(), Index: list[0], Rbrack: id.End()}
	} else {
		c.Fun = &ast.IndexListExpr{X: id, Lbrack: id.End(), Indices: list, Rbrack: id.End()}
	}
}

// spread passes on a variable of a compiled package as a slice of itself, which
// the interpreter can: f(pkg.Args...) → f(pkg.Args[:]...).
func (r *rewriter) spread(c *ast.CallExpr) {
	if !c.Ellipsis.IsValid() {
		return
	}
	last := c.Args[len(c.Args)-1]
	if x, ok := ast.Unparen(last).(*ast.SelectorExpr); ok && r.selection(x) == nil {
		if _, slice := r.info.TypeOf(x).Underlying().(*types.Slice); slice {
			c.Args[len(c.Args)-1] = &ast.SliceExpr{X: x, Lbrack: x.End(), Rbrack: x.End()}
		}
	}
}

// wholeSlice keeps a slice that is the only value of a variadic parameter of
// any one value: f(list) → f([]any{list}...).
func (r *rewriter) wholeSlice(c *ast.CallExpr) ast.Expr {
	sig, ok := r.info.TypeOf(c.Fun).(*types.Signature)
	if !ok || !sig.Variadic() || c.Ellipsis.IsValid() || len(c.Args) != sig.Params().Len() {
		return c
	}
	last := c.Args[len(c.Args)-1]
	whole := sig.Params().At(sig.Params().Len() - 1).Type()
	if t := r.info.TypeOf(last); t == nil || !types.Identical(t, whole) {
		return c
	}
	text, ok := r.words(whole)
	if !ok {
		return c
	}
	t := r.parse(text, last.Pos())
	lit := &ast.CompositeLit{Type: t, Lbrace: last.Pos(), Elts: []ast.Expr{last}, Rbrace: last.End()}
	args := append(append([]ast.Expr{}, c.Args[:len(c.Args)-1]...), lit)
	return &ast.CallExpr{Fun: c.Fun, Lparen: c.Lparen, Args: args, Ellipsis: last.End(), Rparen: c.Rparen}
}

// copies gives an interface its own copy of a struct or array that is a
// variable: the interpreter would let both share it.
//
//	var s S = t  →  var s S = func(x T) T { y := x; return y }(t)
//
// A function literal that compiled code may call later, when the variables of
// its loop have gone on, is passed through a call, which binds them now.
func (r *rewriter) copies(parent ast.Node, e ast.Expr, replace func(ast.Expr)) {
	t := r.info.TypeOf(e)
	if t == nil {
		return
	}
	var into types.Type
	switch p := parent.(type) {
	case *ast.AssignStmt:
		for i := range p.Rhs {
			if p.Rhs[i] == e && len(p.Lhs) == len(p.Rhs) {
				into = r.info.TypeOf(p.Lhs[i])
			}
		}
	case *ast.ValueSpec:
		if p.Type != nil && p.Type != e {
			into = r.info.TypeOf(p.Type)
		}
	case *ast.KeyValueExpr:
		if p.Value == e {
			into = types.NewInterfaceType(nil, nil) // it may be one; a copy does no harm
		}
	case *ast.CompositeLit:
		if p.Type != e {
			into = types.NewInterfaceType(nil, nil)
		}
	case *ast.CallExpr:
		if _, isLit := e.(*ast.FuncLit); isLit && p.Fun != e {
			if f := calledFunc(p, r.info); f != nil && f.Pkg() != nil && f.Pkg().Path() != "main" {
				if text, ok := r.words(t); ok {
					if id := r.parse("func(x "+text+") "+text+" { y := x; return y }", e.Pos()); id != nil {
						replace(&ast.CallExpr{Fun: id, Lparen: e.Pos(), Args: []ast.Expr{e}, Rparen: e.End()})
					}
				}
			}
			return
		}
		if b, ok := r.object(ast.Unparen(p.Fun)).(*types.Builtin); ok && b.Name() == "append" && p.Fun != e {
			if s, ok := r.info.TypeOf(p).Underlying().(*types.Slice); ok {
				into = s.Elem()
			}
		}
	case *ast.SendStmt:
		if p.Value == e {
			into = types.NewInterfaceType(nil, nil)
		}
	}
	if into == nil || !types.IsInterface(into) || types.IsInterface(t) || !r.variable(e) {
		return
	}
	switch t.Underlying().(type) {
	case *types.Struct, *types.Array:
	default:
		return
	}
	if text, ok := r.words(t); ok {
		if f := r.parse("func(x "+text+") "+text+" { y := x; return y }", e.Pos()); f != nil {
			replace(&ast.CallExpr{Fun: f, Lparen: e.Pos(), Args: []ast.Expr{e}, Rparen: e.End()})
		}
	}
}

// ownInto is a function that makes an interface of a value of the notebook's
// own type where e is an element of a literal of a compiled struct; nil where it
// is none. There the interpreter would lose the type.
//
//	lib.Options{Loss: own}  →  lib.Options{Loss: func(x T) lib.Loss { return x }(own)}
func (r *rewriter) ownInto(parent ast.Node, e ast.Expr) ast.Expr {
	var field *types.Var
	switch p := parent.(type) {
	case *ast.KeyValueExpr:
		if key, ok := p.Key.(*ast.Ident); ok && p.Value == e {
			field, _ = r.info.Uses[key].(*types.Var)
		}
	case *ast.CompositeLit:
		if t := r.info.TypeOf(p); t != nil && p.Type != e {
			if s, ok := t.Underlying().(*types.Struct); ok {
				if i := slices.Index(p.Elts, e); i >= 0 && i < s.NumFields() {
					field = s.Field(i)
				}
			}
		}
	}
	if field == nil || !field.IsField() || field.Pkg() == nil || field.Pkg().Path() == "main" || !types.IsInterface(field.Type()) {
		return nil
	}
	t := r.info.TypeOf(r.converted(e))
	if t == nil || types.IsInterface(t) || ownType(t, map[types.Type]bool{}, func(*types.Named) bool { return true }) == "" {
		return nil
	}
	from, ok := r.words(t)
	text, ok2 := r.words(field.Type())
	if !ok || !ok2 {
		return nil
	}
	return r.parse("func(x "+from+") "+text+" { return x }", e.Pos())
}

// converted is what an expression converts to an interface, or itself.
func (r *rewriter) converted(e ast.Expr) ast.Expr {
	if c, ok := ast.Unparen(e).(*ast.CallExpr); ok && len(c.Args) == 1 {
		if f, ok := r.info.Types[c.Fun]; ok && f.IsType() && types.IsInterface(f.Type) {
			return r.converted(c.Args[0])
		}
	}
	return e
}

// variable says whether e stands for memory that may change.
func (r *rewriter) variable(e ast.Expr) bool {
	return r.info.Types[e].Addressable()
}

// call replaces the function of a call by one written here.
func (r *rewriter) call(text string, c *ast.CallExpr) ast.Expr {
	f := r.parse(text, c.Pos())
	if f == nil {
		return c
	}
	return &ast.CallExpr{Fun: f, Lparen: c.Lparen, Args: c.Args, Rparen: c.Rparen}
}

// parse is text as an expression that stands at pos.
func (r *rewriter) parse(text string, pos token.Pos) ast.Expr {
	e, err := parser.ParseExpr(text)
	if err != nil {
		return nil
	}
	return placed(e, pos)
}

// words is a type in words, after importing what they need; false when it
// cannot be said.
func (r *rewriter) words(t types.Type) (string, bool) {
	if t == nil {
		return "", false
	}
	t = types.Default(t)
	_, imports, ok := words(t)
	if !ok {
		return "", false
	}
	for alias, path := range imports {
		r.s.imports[alias] = path
	}
	return types.TypeString(t, func(p *types.Package) string {
		if p.Path() == "main" {
			return ""
		}
		return alias(p.Path())
	}), true
}

// placed gives all of e the position pos.
func placed(e ast.Expr, pos token.Pos) ast.Expr {
	ast.Inspect(e, func(n ast.Node) bool {
		if n == nil {
			return false
		}
		v := reflect.ValueOf(n).Elem()
		for i := range v.NumField() {
			if p, ok := v.Field(i).Addr().Interface().(*token.Pos); ok && p.IsValid() {
				*p = pos
			}
		}
		return true
	})
	return e
}

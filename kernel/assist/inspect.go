package assist

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// Inspection is what is known of the name at a cursor, as plain text and as
// Markdown.
type Inspection struct {
	Found          bool
	Text, Markdown string
}

// Inspect tells what the name means that the cursor, which counts bytes, is
// inside of or right behind; in the arguments of a call, what is called. At
// detail 1 it also gives sources, all fields and methods.
func Inspect(env Env, code string, cursor int, detail int) Inspection {
	cell := read(code)
	cursor = clamp(cell.text, cursor)
	for _, c := range cell.commands {
		if c.off <= cursor && cursor <= c.end {
			return inspectCommand(env, code[c.off:c.end])
		}
	}
	i, done := target(cell.lex, cursor)
	if i < 0 {
		return Inspection{}
	}
	l := cell.lex[i]
	switch {
	case l.tok.IsKeyword():
		return card{kind: "keyword", title: l.lit, doc: keywords[l.lit]}.inspection()
	case l.tok == token.STRING:
		path, _ := strconv.Unquote(l.lit)
		return inspectPath(env, path, detail)
	case !done:
		return Inspection{}
	}
	v := newView(env, cell.text, l.span)
	obj, owner := v.resolve()
	if obj == nil {
		if pkg := v.loose(); pkg != nil {
			return inspectPath(env, pkg.Path(), detail)
		}
		return Inspection{}
	}
	return v.describe(obj, owner, detail).inspection()
}

// target is the index of the token to inspect, and whether it is a name; -1
// when there is none.
func target(lex []lexeme, cursor int) (i int, name bool) {
	if i := holder(lex, cursor); i >= 0 {
		switch {
		case lex[i].tok == token.COMMENT:
			return -1, false
		case lex[i].tok == token.STRING && inImport(lex, i):
			return i, false
		}
	} else if i := wordAt(lex, cursor); i >= 0 {
		return i, lex[i].tok == token.IDENT
	}
	if i := called(lex, cursor); i >= 0 {
		return i, true
	}
	for i, l := range lex {
		if l.isWord() && l.off == cursor {
			return i, l.tok == token.IDENT
		}
		if l.tok == token.STRING && l.end == cursor && inImport(lex, i) {
			return i, false
		}
		if l.tok == token.RPAREN && l.end == cursor {
			if open := match(lex, i); open > 0 {
				return callee(lex, open), true
			}
		}
	}
	return -1, false
}

// called is the index of the name of the innermost call, or of the type of the
// innermost composite literal, that is open at the cursor; -1 when there is
// none.
func called(lex []lexeme, cursor int) int {
	n := slices.IndexFunc(lex, func(l lexeme) bool { return l.end > cursor })
	if n < 0 {
		n = len(lex)
	}
	all := levels(lex[:n])
	for k := len(all) - 1; k > 0; k-- {
		i := callee(lex, all[k].open)
		switch lex[all[k].open].tok {
		case token.LPAREN:
			if i >= 0 {
				return i
			}
		case token.LBRACE:
			if block(lex[:all[k].open]) {
				return -1
			}
			if i > 0 && lex[i-1].tok == token.RBRACK {
				continue // of a slice, array or map
			}
			if i >= 0 {
				return i
			}
		}
	}
	return -1
}

// callee is the index of the name before the bracket at open, type arguments
// skipped, or -1.
func callee(lex []lexeme, open int) int {
	i := open - 1
	if i > 0 && lex[i].tok == token.RBRACK {
		if i = match(lex, i) - 1; i < 0 || lex[open].tok == token.LBRACE && lex[i].tok != token.IDENT {
			return -1
		}
	}
	if i >= 0 && lex[i].tok == token.IDENT {
		return i
	}
	return -1
}

// block says whether a brace behind these tokens opens a block or a type
// rather than a composite literal.
func block(lex []lexeme) bool {
	if len(lex) == 0 {
		return true
	}
	top := levels(lex)
	if l := top[len(top)-1]; l.header || l.fn {
		return true
	}
	switch last := lex[len(lex)-1]; last.tok {
	case token.IDENT, token.RBRACK, token.COMMA, token.LBRACE, token.COLON, token.RBRACE:
		return false
	}
	return true
}

// resolve finds what the name at the cursor means, and the type that a field
// or method belongs to.
func (v *view) resolve() (types.Object, *types.Named) {
	path := v.path()
	if len(path) > 0 {
		if obj, owner := v.meaning(path, v.info); obj != nil {
			return obj, owner
		}
	}
	return v.guess()
}

// meaning is what the type checker found for the name that path leads to.
func (v *view) meaning(path []ast.Node, info *types.Info) (types.Object, *types.Named) {
	id := path[0].(*ast.Ident)
	obj := info.Defs[id]
	if obj == nil {
		obj = info.Uses[id]
	}
	if obj == nil {
		return v.implicit(path, info), nil
	}
	if f, ok := obj.(*types.Var); ok && f.IsField() {
		return obj, fieldOwner(path, info)
	}
	if f, ok := obj.(*types.Func); ok && f.Signature().Recv() != nil {
		return obj, namedOf(f.Signature().Recv().Type())
	}
	return obj, nil
}

// implicit is the variable of a type switch, of its first case.
func (v *view) implicit(path []ast.Node, info *types.Info) types.Object {
	for _, n := range path {
		if s, ok := n.(*ast.TypeSwitchStmt); ok {
			for _, c := range s.Body.List {
				if obj := info.Implicits[c]; obj != nil && obj.Name() == path[0].(*ast.Ident).Name {
					return obj
				}
			}
		}
	}
	return nil
}

// fieldOwner is the declared struct that holds the field that path leads to,
// or nil.
func fieldOwner(path []ast.Node, info *types.Info) *types.Named {
	for _, n := range path[1:] {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if sel := info.Selections[n]; sel != nil && n.Sel == path[0] {
				return selectedFrom(sel)
			}
		case *ast.CompositeLit:
			return namedOf(info.TypeOf(n))
		case *ast.TypeSpec:
			if obj := info.Defs[n.Name]; obj != nil {
				return namedOf(obj.Type())
			}
		}
	}
	return nil
}

// selectedFrom is the struct, embedded or not, that holds a selected field.
func selectedFrom(sel *types.Selection) *types.Named {
	t := sel.Recv()
	for _, i := range sel.Index()[:len(sel.Index())-1] {
		st := structOf(t)
		if st == nil {
			return nil
		}
		t = st.Field(i).Type()
	}
	return namedOf(t)
}

// guess finds the meaning of the name from the expression it ends, where the
// parser made nothing of it.
func (v *view) guess() (types.Object, *types.Named) {
	last := slices.IndexFunc(v.lex, func(l lexeme) bool { return l.off == v.at.off })
	if last < 0 {
		return nil, nil
	}
	first := operand(v.lex[:last+1], last)
	if first < 0 || first == last {
		return v.lookup(v.lex[last].lit), nil
	}
	e, info := v.eval(v.text[v.lex[first].off:v.lex[last].end])
	if sel, ok := e.(*ast.SelectorExpr); ok {
		if obj, owner := v.meaning([]ast.Node{sel.Sel, sel}, info); obj != nil {
			return obj, owner
		}
		if x, ok := sel.X.(*ast.Ident); ok && v.lookup(x.Name) == nil {
			if pkg := v.unimported(x.Name); pkg != nil && sel.Sel.IsExported() {
				return pkg.Scope().Lookup(sel.Sel.Name), nil
			}
		}
		if obj, owner := fieldOfType(info.Types[sel.X], sel.Sel.Name); obj != nil {
			return obj, owner
		}
		return v.added(info.Types[sel.X], sel.Sel.Name)
	}
	return nil, nil
}

// fieldOfType is the exported field that T.Field names, which is no Go but what
// one asks for.
func fieldOfType(x types.TypeAndValue, name string) (types.Object, *types.Named) {
	if !x.IsType() || !token.IsExported(name) {
		return nil, nil
	}
	obj, index, _ := types.LookupFieldOrMethod(x.Type, true, nil, name)
	f, ok := obj.(*types.Var)
	if !ok {
		return nil, nil
	}
	t := x.Type
	for _, i := range index[:len(index)-1] {
		t = structOf(t).Field(i).Type()
	}
	return f, namedOf(t)
}

// added is the method of this name that this cell declares for the older type
// of a value.
func (v *view) added(x types.TypeAndValue, name string) (types.Object, *types.Named) {
	if x.Type == nil {
		return nil, nil
	}
	for _, m := range v.membersOf(x.Type, true) {
		if f, ok := m.Object.(*types.Func); ok && f.Name() == name {
			return f, namedOf(f.Signature().Recv().Type())
		}
	}
	return nil, nil
}

// loose is the package that a name without a meaning could stand for.
func (v *view) loose() *types.Package {
	i := before(v.lex, v.at.off)
	if i >= 0 && v.lex[i].tok == token.PERIOD {
		return nil
	}
	return v.unimported(v.text[v.at.off:v.at.end])
}

// inspectPath describes the package of an import path.
func inspectPath(env Env, path string, detail int) Inspection {
	var pkg *types.Package
	if env.Importer != nil && path != "" {
		guard(func() { pkg, _ = env.Importer.Import(path) })
	}
	if pkg == nil {
		return Inspection{}
	}
	return describePackage(env, pkg, detail).inspection()
}

// inspectCommand describes a special command.
func inspectCommand(env Env, word string) Inspection {
	word = strings.TrimPrefix(word, "%")
	for _, c := range env.Commands {
		if strings.TrimPrefix(c.Name, "%") == word {
			return card{kind: "command", title: "%" + word, doc: c.Help}.inspection()
		}
	}
	return Inspection{}
}

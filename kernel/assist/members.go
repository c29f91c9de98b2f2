package assist

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// selected takes what can follow the dot before the cursor.
func (l *list) selected(v *view) {
	if path := v.path(); len(path) > 1 {
		if sel, ok := path[1].(*ast.SelectorExpr); ok && sel.Sel == path[0] && l.membersOf(v, sel.X, v.info) {
			return
		}
	}
	src := v.operand()
	if src == "" {
		return
	}
	if token.IsIdentifier(src) {
		switch obj := v.lookup(src).(type) {
		case nil:
			if pkg := v.unimported(src); pkg != nil {
				l.exported(pkg, " ("+notImported(pkg.Path())+")")
				return
			}
		case *types.PkgName:
			l.exported(obj.Imported(), "")
			return
		}
	}
	if e, info := v.eval(src); e != nil {
		l.membersOf(v, e, info)
	}
}

// operand is the source of the expression left of the dot before the cursor.
func (v *view) operand() string {
	dot := before(v.lex, v.at.off)
	if dot < 1 || v.lex[dot].tok != token.PERIOD {
		return ""
	}
	lex := slices.DeleteFunc(slices.Clone(v.lex[:dot]), func(l lexeme) bool { return l.tok == token.COMMENT })
	first := operand(lex, len(lex)-1)
	if first < 0 {
		return ""
	}
	return v.text[lex[first].off:v.lex[dot].off]
}

// membersOf takes the members of e, and says whether e has a meaning.
func (l *list) membersOf(v *view, e ast.Expr, info *types.Info) bool {
	if id, ok := e.(*ast.Ident); ok {
		if pkg, ok := info.Uses[id].(*types.PkgName); ok {
			l.exported(pkg.Imported(), "")
			return true
		}
	}
	tv, ok := info.Types[e]
	if !ok || tv.Type == nil || tv.Type == types.Typ[types.Invalid] {
		return false
	}
	if tv.IsType() {
		l.methodExprs(v, tv.Type)
	} else if tv.IsValue() {
		l.members(v, tv.Type, tv.Addressable())
	}
	return true
}

// exported takes the members of a package; note follows each detail.
func (l *list) exported(pkg *types.Package, note string) {
	scope := pkg.Scope()
	for _, name := range scope.Names() {
		if token.IsExported(name) {
			obj := scope.Lookup(name)
			l.add(rankMember, Match{name, kindOf(obj), detailOf(obj) + note})
		}
	}
}

// member is a field or method that a selector may name, and how deep it is
// embedded.
type member struct {
	types.Object
	depth int
}

// members takes the fields and methods of a value of type t.
func (l *list) members(v *view, t types.Type, addressable bool) {
	for _, m := range v.membersOf(t, addressable) {
		rank := 2 * m.depth
		if _, ok := m.Object.(*types.Func); ok {
			rank++
		}
		l.object(rank, m.Object)
	}
}

// methodExprs takes the methods that can be named by their type.
func (l *list) methodExprs(v *view, t types.Type) {
	for _, m := range v.membersOf(t, false) {
		if f, ok := m.Object.(*types.Func); ok {
			l.object(2*m.depth, f)
		}
	}
}

// membersOf lists what a selector on a value of type t may name, promoted
// things among them.
func (v *view) membersOf(t types.Type, addressable bool) (all []member) {
	seen := map[string]bool{}
	for depth, level := 0, []types.Type{t}; len(level) > 0 && depth < 16; depth++ {
		var next []types.Type
		for _, s := range level {
			for _, obj := range v.direct(s) {
				if f, ok := obj.(*types.Var); ok && f.Embedded() {
					next = append(next, f.Type())
				}
				if seen[obj.Name()] || !v.accessible(obj) {
					continue
				}
				seen[obj.Name()] = true
				if found := v.find(t, addressable, obj); found != nil {
					all = append(all, member{found, depth})
				}
			}
		}
		level = v.unseen(next, t)
	}
	return all
}

// unseen leaves out doubled types, so that recursive ones come to an end.
func (v *view) unseen(next []types.Type, root types.Type) (all []types.Type) {
	for _, t := range next {
		if !types.Identical(t, root) && !slices.ContainsFunc(all, func(u types.Type) bool { return types.Identical(t, u) }) {
			all = append(all, t)
		}
	}
	return all
}

// find looks up a member of the name of obj, as a selector would. Methods that
// this cell declares for older types are found as they are.
func (v *view) find(t types.Type, addressable bool, obj types.Object) types.Object {
	if f, ok := obj.(*types.Func); ok && obj.Pkg() == v.pkg {
		recv := f.Signature().Recv().Type()
		if n := namedOf(recv); n != nil && slices.Contains(v.extra[n.Obj()], f) {
			if isPointer(recv) && !isPointer(t) && !addressable {
				return nil
			}
			return f
		}
	}
	found, _, _ := types.LookupFieldOrMethod(t, addressable, v.pkg, obj.Name())
	return found
}

func isPointer(t types.Type) bool {
	_, ok := t.Underlying().(*types.Pointer)
	return ok
}

// direct lists the fields and methods of t itself or of what it points to.
func (v *view) direct(t types.Type) (all []types.Object) {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		if t = p.Elem(); types.IsInterface(t) {
			return nil
		}
	}
	if n, ok := types.Unalias(t).(*types.Named); ok {
		for m := range n.Methods() {
			all = append(all, m)
		}
		for _, m := range v.extra[n.Origin().Obj()] {
			all = append(all, m)
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Struct:
		for f := range u.Fields() {
			all = append(all, f)
		}
	case *types.Interface:
		for m := range u.Methods() {
			all = append(all, m)
		}
	}
	return all
}

package assist

import (
	"fmt"
	"go/constant"
	"go/doc"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// fewFields is how many fields of a struct are shown at detail 0: those of the
// largest options, and not those of a generated table.
const fewFields = 40

// describe makes the card of obj; owner is the type that it is a field or
// method of.
func (v *view) describe(obj types.Object, owner *types.Named, detail int) card {
	switch obj := obj.(type) {
	case *types.PkgName:
		return describePackage(v.env, obj.Imported(), detail)
	case *types.TypeName:
		if w, ok := builtins[obj.Name()]; ok && obj.Pkg() == nil {
			return card{kind: "predeclared type", code: w.signature, doc: w.help}
		}
		return v.describeType(obj, detail)
	case *types.Func:
		return v.describeFunc(obj, owner, detail)
	case *types.Var:
		return v.describeVar(obj, owner)
	case *types.Const:
		if w, ok := builtins[obj.Name()]; ok && obj.Pkg() == nil {
			return card{kind: "predeclared constant", code: w.signature, doc: w.help}
		}
		code := strings.TrimSpace("const " + qualified(obj) + " " + typeString(obj.Type()))
		return card{kind: "constant" + v.home(obj), code: code + " = " + constString(obj), doc: v.doc(obj, obj.Name())}
	}
	w := builtins[obj.Name()]
	return card{kind: "built into Go", code: w.signature, doc: w.help}
}

// qualified is the name of obj as a cell writes it.
func qualified(obj types.Object) string {
	if obj.Pkg() == nil || qualify(obj.Pkg()) == "" {
		return obj.Name()
	}
	return qualify(obj.Pkg()) + "." + obj.Name()
}

// home says where obj was declared.
func (v *view) home(obj types.Object) string {
	switch {
	case obj.Pkg() == nil:
		return " of Go"
	case obj.Pkg() == v.pkg:
		return " of this cell"
	case obj.Pkg().Path() == "main":
		return " of the notebook"
	}
	return " of package " + obj.Pkg().Path()
}

func describePackage(env Env, pkg *types.Package, detail int) card {
	text := env.doc(pkg.Path(), "")
	if detail < 1 {
		text = new(doc.Package).Synopsis(text)
	}
	c := card{kind: "package", code: "package " + pkg.Name() + " // import \"" + pkg.Path() + "\"", doc: text}
	if detail < 1 {
		return c
	}
	var b strings.Builder
	for _, name := range pkg.Scope().Names() {
		if obj := pkg.Scope().Lookup(name); obj.Exported() {
			b.WriteString(oneLine(obj) + "\n")
		}
	}
	c.sections = append(c.sections, section{"Members", b.String()})
	return c
}

// oneLine is the declaration of a member of a package, cut short.
func oneLine(obj types.Object) string {
	switch obj := obj.(type) {
	case *types.Func:
		return "func " + obj.Name() + strings.TrimPrefix(typeString(obj.Type()), "func")
	case *types.TypeName:
		return "type " + obj.Name() + " " + shape(obj)
	case *types.Const:
		return "const " + obj.Name() + " " + typeString(obj.Type()) + " = " + constString(obj)
	}
	return "var " + obj.Name() + " " + typeString(obj.Type())
}

func (v *view) describeFunc(f *types.Func, owner *types.Named, detail int) card {
	name, key, kind := qualified(f), f.Name(), "function"+v.home(f)
	if recv := f.Signature().Recv(); recv != nil {
		name, kind = receiverString(recv)+f.Name(), "method"
		if owner != nil {
			key, kind = owner.Obj().Name()+"."+f.Name(), "method of "+qualified(owner.Obj())
		}
	}
	c := card{
		kind: kind, code: "func " + name + strings.TrimPrefix(typeString(f.Signature()), "func"), doc: v.doc(f, key),
	}
	if detail > 0 {
		c.addSource(v.declaration(f, key))
	}
	return c
}

// receiverString is a receiver as a declaration writes it, with a blank.
func receiverString(recv *types.Var) string {
	if _, ok := recv.Type().(*types.Interface); ok {
		return ""
	}
	name := recv.Name()
	if name != "" {
		name += " "
	}
	return "(" + name + typeString(recv.Type()) + ") "
}

func (v *view) describeVar(x *types.Var, owner *types.Named) card {
	t := typeString(x.Type())
	if t == "" {
		t = "(type unknown)"
	}
	if x.IsField() {
		c := card{kind: "field", code: "field " + x.Name() + " " + t}
		if owner != nil {
			c.kind = "field of " + qualified(owner.Obj())
			c.doc = v.doc(owner.Obj(), owner.Obj().Name()+"."+x.Name())
		}
		c.note = v.typeNote(x)
		return c
	}
	c := card{kind: "variable" + v.home(x), code: "var " + qualified(x) + " " + t, note: v.typeNote(x)}
	switch x.Kind() {
	case types.ParamVar:
		c.kind = "parameter"
	case types.RecvVar:
		c.kind = "receiver"
	case types.ResultVar:
		c.kind = "result"
	case types.LocalVar:
		if x.Parent() != v.info.Scopes[v.cell.Type] && x.Pkg() == v.pkg {
			c.kind = "local variable"
		}
	}
	if x.Pkg() != nil && x.Pkg().Path() != "main" {
		c.doc = v.doc(x, x.Name())
	} else if v.global(x) {
		c.value = v.env.value(x.Name())
	}
	return c
}

// global says whether x is a variable of the notebook, or one of this cell
// that an earlier run of it has left there.
func (v *view) global(x *types.Var) bool {
	old, ok := v.env.lookup(x.Name()).(*types.Var)
	if !ok || old == x {
		return ok
	}
	top := x.Parent() == v.info.Scopes[v.cell.Type] || x.Parent() == v.pkg.Scope()
	return top && typeString(old.Type()) == typeString(x.Type())
}

// typeNote is the first sentence on the type of x.
func (v *view) typeNote(x *types.Var) string {
	n := namedOf(x.Type())
	if n == nil || n.Obj().Pkg() == nil {
		return ""
	}
	return new(doc.Package).Synopsis(v.doc(n.Obj(), n.Obj().Name()))
}

func (v *view) describeType(obj *types.TypeName, detail int) card {
	if _, ok := obj.Type().(*types.TypeParam); ok {
		return card{kind: "type parameter", code: obj.Name() + " " + typeString(obj.Type().Underlying())}
	}
	c := card{kind: "type" + v.home(obj), code: v.typeCode(obj, detail), doc: v.typeDoc(obj)}
	if values := v.constants(obj); values != "" {
		c.sections = append(c.sections, section{"Values", values})
	}
	if detail < 1 {
		return c
	}
	if methods := v.methods(obj); methods != "" {
		c.sections = append(c.sections, section{"Methods", methods})
	}
	c.addSource(v.declaration(obj, obj.Name()))
	return c
}

// constants lists the constants of a type that its package names, or the package
// of its other name, in the order of their values.
func (v *view) constants(obj *types.TypeName) string {
	n := namedOf(obj.Type())
	if n == nil || obj.Pkg() == nil {
		return ""
	}
	if b, ok := n.Underlying().(*types.Basic); !ok || b.Info()&types.IsOrdered == 0 {
		return ""
	}
	for _, pkg := range []*types.Package{obj.Pkg(), n.Obj().Pkg()} {
		var all []*types.Const
		for _, name := range pkg.Scope().Names() {
			if c, ok := pkg.Scope().Lookup(name).(*types.Const); ok && types.Identical(c.Type(), n) && (c.Exported() || pkg.Path() == "main") {
				all = append(all, c)
			}
		}
		slices.SortStableFunc(all, func(a, b *types.Const) int {
			switch {
			case constant.Compare(a.Val(), token.LSS, b.Val()):
				return -1
			case constant.Compare(a.Val(), token.GTR, b.Val()):
				return 1
			}
			return 0
		})
		var b strings.Builder
		told := map[string]bool{} // what is said of several is said once
		for _, c := range all {
			text := v.doc(c, c.Name())
			if told[text] {
				text = ""
			}
			told[text] = true
			line := said("const "+qualified(c)+" = "+constString(c), text)
			b.WriteString(strings.ReplaceAll(line, "\n\t", "\n") + "\n")
		}
		if len(all) > 0 {
			return b.String()
		}
	}
	return ""
}

// typeDoc is the documentation of a type; of another name for a type, that of
// the type, which says more.
func (v *view) typeDoc(obj *types.TypeName) string {
	if n := namedOf(obj.Type()); obj.IsAlias() && n != nil && n.Obj() != obj {
		if text := v.doc(n.Obj(), n.Obj().Name()); text != "" {
			return text
		}
	}
	return v.doc(obj, obj.Name())
}

// typeCode is the declaration of a type, with the fields that cells may name.
func (v *view) typeCode(obj *types.TypeName, detail int) string {
	if obj.IsAlias() {
		head := "type " + qualified(obj) + " = "
		if n, ok := types.Unalias(obj.Type()).(*types.Named); ok && n.Obj() != obj {
			return head + strings.TrimPrefix(v.typeCode(n.Obj(), detail), "type ")
		}
		return head + typeString(types.Unalias(obj.Type()))
	}
	head := "type " + typeString(obj.Type())
	if n := namedOf(obj.Type()); n != nil && n.TypeParams().Len() > 0 {
		head = "type " + strings.TrimSuffix(types.ObjectString(obj, qualify)[len("type "):], " "+types.TypeString(obj.Type().Underlying(), qualify))
	}
	switch u := obj.Type().Underlying().(type) {
	case *types.Struct:
		return head + " struct " + v.fields(obj, u, detail)
	case *types.Interface:
		return head + " interface " + methodSpecs(u)
	default:
		return head + " " + typeString(u)
	}
}

// fields is the body of a struct, with what is said of each field.
func (v *view) fields(of *types.TypeName, st *types.Struct, detail int) string {
	var lines []string
	private := 0
	for f := range st.Fields() {
		switch {
		case !v.accessible(f):
			private++
		case f.Embedded():
			lines = append(lines, typeString(f.Type()))
		default:
			lines = append(lines, said(f.Name()+" "+typeString(f.Type()), v.doc(of, of.Name()+"."+f.Name())))
		}
	}
	if more := len(lines) - fewFields; detail < 1 && more > 0 {
		lines = append(lines[:fewFields:fewFields], fmt.Sprintf("// and %d more: %s??", more, qualified(of)))
	}
	if private > 0 {
		lines = append(lines, "// and what only its package sees")
	}
	return body(lines)
}

// wide is how many columns a field takes with what is said of it in one line.
const wide = 100

// said is the line of a field with its comment, which comes before it where
// the two are too long for a line.
func said(field, text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return field
	}
	if !strings.Contains(text, "\n") && len(field)+len(text) < wide {
		return field + " // " + text
	}
	return strings.ReplaceAll("// "+strings.ReplaceAll(text, "\n", "\n\t// "), "// \n", "//\n") + "\n\t" + field
}

// methodSpecs is the body of an interface.
func methodSpecs(u *types.Interface) string {
	var lines []string
	for m := range u.ExplicitMethods() {
		lines = append(lines, m.Name()+strings.TrimPrefix(typeString(m.Type()), "func"))
	}
	for e := range u.EmbeddedTypes() {
		lines = append(lines, typeString(e))
	}
	return body(lines)
}

func body(lines []string) string {
	if len(lines) == 0 {
		return "{}"
	}
	return "{\n\t" + strings.Join(lines, "\n\t") + "\n}"
}

// methods lists the methods of a variable of a type, one a line.
func (v *view) methods(obj *types.TypeName) string {
	var lines []string
	for _, m := range v.membersOf(obj.Type(), true) {
		f, ok := m.Object.(*types.Func)
		if !ok || types.IsInterface(obj.Type()) {
			continue
		}
		lines = append(lines, "func "+receiverString(f.Signature().Recv())+f.Name()+strings.TrimPrefix(typeString(f.Signature()), "func")+"\n")
	}
	slices.SortStableFunc(lines, func(a, b string) int {
		_, a, _ = strings.Cut(a, ") ")
		_, b, _ = strings.Cut(b, ") ")
		return strings.Compare(a, b)
	})
	return strings.Join(lines, "")
}

package assist

import (
	"go/constant"
	"go/types"
	"strings"
	"unicode/utf8"
)

// qualify names packages as cells do.
func qualify(p *types.Package) string {
	if p.Path() == "main" {
		return ""
	}
	return p.Name()
}

// typeString is t as Go source.
func typeString(t types.Type) string {
	if t == nil || t == types.Typ[types.Invalid] {
		return ""
	}
	return strings.ReplaceAll(types.TypeString(t, qualify), "invalid type", "?")
}

// kindOf is the kind of a match.
func kindOf(obj types.Object) string {
	switch obj := obj.(type) {
	case *types.Var:
		if obj.IsField() {
			return "field"
		}
		return "variable"
	case *types.Func:
		if obj.Signature().Recv() != nil {
			return "method"
		}
		return "function"
	case *types.Builtin:
		return "function"
	case *types.TypeName:
		return "type"
	case *types.PkgName:
		return "package"
	}
	return "constant"
}

// detailOf is the signature or type of obj on one line.
func detailOf(obj types.Object) string {
	switch obj := obj.(type) {
	case *types.PkgName:
		return `"` + obj.Imported().Path() + `"`
	case *types.Builtin:
		return builtins[obj.Name()].signature
	case *types.Const:
		return strings.TrimSpace(typeString(obj.Type()) + " = " + constString(obj))
	case *types.TypeName:
		return shape(obj)
	case *types.Nil:
		return ""
	}
	return short(typeString(obj.Type()), 200)
}

// constString is the value of a constant.
func constString(c *types.Const) string {
	if c.Val() == nil || c.Val().Kind() == constant.Unknown {
		return "?"
	}
	return short(c.Val().String(), 80)
}

// shape says what a type is made of.
func shape(obj *types.TypeName) string {
	t := obj.Type()
	if obj.IsAlias() {
		return "= " + short(typeString(types.Unalias(t)), 100)
	}
	if _, basic := t.(*types.Basic); basic || t == nil {
		return ""
	}
	switch u := t.Underlying().(type) {
	case *types.Struct:
		return "struct"
	case *types.Interface:
		return "interface"
	default:
		return short(typeString(u), 100)
	}
}

// short cuts s to n characters.
func short(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

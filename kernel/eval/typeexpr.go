package eval

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
)

// words is a type as syntax, with the imports that the syntax needs; false
// when the type has no name outside of its package or function.
func words(t types.Type) (e ast.Expr, imports map[string]string, ok bool) {
	imports = map[string]string{}
	if !sayable(t, map[types.Type]bool{}) {
		return nil, nil, false
	}
	text := types.TypeString(t, func(p *types.Package) string {
		if p.Path() == "main" {
			return ""
		}
		imports[alias(p.Path())] = p.Path()
		return alias(p.Path())
	})
	e, err := parser.ParseExpr(text)
	if err != nil {
		return nil, nil, false
	}
	return e, imports, true
}

// alias is the name under which generated code imports a package.
func alias(path string) string { return prefix + "p_" + strings.Map(letters, path) }

// letters maps what cannot stand in a name to _.
func letters(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
		return r
	}
	return '_'
}

// sayable says whether every part of t can be named in package main.
func sayable(t types.Type, seen map[types.Type]bool) bool {
	if t == nil || seen[t] {
		return t != nil
	}
	seen[t] = true
	named := func(o *types.TypeName, args *types.TypeList) bool {
		if p := o.Pkg(); p != nil && (p.Scope().Lookup(o.Name()) != o || p.Path() != "main" && !o.Exported()) {
			return false
		}
		for i := range args.Len() {
			if !sayable(args.At(i), seen) {
				return false
			}
		}
		return true
	}
	tuple := func(l *types.Tuple) bool {
		for i := range l.Len() {
			if !sayable(l.At(i).Type(), seen) {
				return false
			}
		}
		return true
	}
	switch t := t.(type) {
	case *types.Basic:
		return t.Kind() != types.Invalid && t.Info()&types.IsUntyped == 0
	case *types.Named:
		return named(t.Obj(), t.TypeArgs())
	case *types.Alias:
		return named(t.Obj(), t.TypeArgs())
	case *types.Pointer:
		return sayable(t.Elem(), seen)
	case *types.Slice:
		return sayable(t.Elem(), seen)
	case *types.Array:
		return sayable(t.Elem(), seen)
	case *types.Chan:
		return sayable(t.Elem(), seen)
	case *types.Map:
		return sayable(t.Key(), seen) && sayable(t.Elem(), seen)
	case *types.Signature:
		return tuple(t.Params()) && tuple(t.Results())
	case *types.Struct:
		for i := range t.NumFields() {
			f := t.Field(i)
			if p := f.Pkg(); !f.Exported() && p != nil && p.Path() != "main" || !sayable(f.Type(), seen) {
				return false
			}
		}
		return true
	case *types.Interface:
		for i := range t.NumExplicitMethods() {
			m := t.ExplicitMethod(i)
			if !m.Exported() && m.Pkg() != nil && m.Pkg().Path() != "main" || !sayable(m.Type(), seen) {
				return false
			}
		}
		for i := range t.NumEmbeddeds() {
			if !sayable(t.EmbeddedType(i), seen) {
				return false
			}
		}
		return true
	}
	return false
}

// literal is a constant as syntax.
func literal(v constant.Value) (ast.Expr, error) {
	switch v.Kind() {
	case constant.Float:
		if num, den, ok := strings.Cut(v.ExactString(), "/"); ok {
			return parser.ParseExpr(fmt.Sprintf("(%s.0/%s.0)", num, den))
		}
		return parser.ParseExpr("(" + v.ExactString() + ".0)")
	case constant.Complex:
		re, err := literal(constant.ToFloat(constant.Real(v)))
		if err != nil {
			return nil, err
		}
		im, err := literal(constant.ToFloat(constant.Imag(v)))
		if err != nil {
			return nil, err
		}
		return &ast.BinaryExpr{X: re, Op: token.ADD, Y: &ast.BinaryExpr{X: im, Op: token.MUL, Y: &ast.BasicLit{Kind: token.IMAG, Value: "1i"}}}, nil
	}
	return parser.ParseExpr(v.ExactString())
}

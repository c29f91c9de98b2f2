package assist

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
)

// declaration is the source of what a cell declares under a key such as "F"
// or "T.M", "" if no cell does.
func (v *view) declaration(obj types.Object, key string) string {
	switch {
	case obj.Pkg() == v.pkg:
		for _, p := range v.parts {
			if f := find(p.decls, key); f.node != nil {
				return p.text(f.pos(), f.node.End())
			}
		}
	case obj.Pkg() != nil && obj.Pkg().Path() == "main":
		return strings.TrimSpace(v.env.source(key))
	}
	return ""
}

// doc is the documentation of obj, which has a key such as "F", "T.M" or
// "T.Field" in its package.
func (v *view) doc(obj types.Object, key string) string {
	switch {
	case obj.Pkg() == nil:
		return ""
	case obj.Pkg() == v.pkg:
		for _, p := range v.parts {
			if f := find(p.decls, key); f.node != nil {
				return f.comment.Text()
			}
		}
		return ""
	case obj.Pkg().Path() != "main":
		return v.env.doc(obj.Pkg().Path(), key)
	}
	name, _, _ := strings.Cut(key, ".")
	for _, source := range []string{v.env.source(key), v.env.source(name)} {
		file, _ := parser.ParseFile(token.NewFileSet(), "", declHead+source, mode)
		if file != nil {
			if f := find(file.Decls, key); f.node != nil {
				return f.comment.Text()
			}
		}
	}
	return v.env.doc("main", key)
}

// found is a declaration and the comment that documents it.
type found struct {
	node    ast.Node
	comment *ast.CommentGroup
}

// pos is where the declaration begins, with a comment above it.
func (f found) pos() token.Pos {
	if f.comment != nil && f.comment.Pos() < f.node.Pos() {
		return f.comment.Pos()
	}
	return f.node.Pos()
}

// find looks for a function "F", a method "T.M", a type "T", one of its fields
// "T.Field" or a constant among declarations.
func find(decls []ast.Decl, key string) found {
	for _, d := range decls {
		var f found
		switch d := d.(type) {
		case *ast.FuncDecl:
			if funcKey(d) == key || d.Name.Name == hidden+strings.ReplaceAll(key, ".", "_") {
				return found{d, d.Doc}
			}
		case *ast.GenDecl:
			f = findSpec(d, key)
		}
		if f.node != nil {
			return f
		}
	}
	return found{}
}

// funcKey is the name of a function, with that of its receiver's type.
func funcKey(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return f.Name.Name
	}
	base, _ := receiver(f.Recv.List[0].Type)
	if base == nil {
		return ""
	}
	return base.Name + "." + f.Name.Name
}

func findSpec(d *ast.GenDecl, key string) found {
	var node ast.Node = d
	for _, s := range d.Specs {
		if d.Lparen.IsValid() {
			node = s
		}
		switch s := s.(type) {
		case *ast.TypeSpec:
			if s.Name.Name == key {
				return found{node, either(s.Doc, d.Doc)}
			}
			if member, ok := strings.CutPrefix(key, s.Name.Name+"."); ok {
				if f := findMember(s.Type, member); f.node != nil {
					return f
				}
			}
		case *ast.ValueSpec:
			for _, n := range s.Names {
				if n.Name == key {
					return found{node, either(s.Doc, s.Comment, d.Doc)}
				}
			}
		}
	}
	return found{}
}

// findMember looks for a field of a struct or a method of an interface.
func findMember(t ast.Expr, name string) found {
	var fields *ast.FieldList
	switch t := t.(type) {
	case *ast.StructType:
		fields = t.Fields
	case *ast.InterfaceType:
		fields = t.Methods
	}
	if fields == nil {
		return found{}
	}
	for _, f := range fields.List {
		for _, n := range f.Names {
			if n.Name == name {
				return found{f, either(f.Doc, f.Comment)}
			}
		}
	}
	return found{}
}

// either is the first comment that is there.
func either(groups ...*ast.CommentGroup) *ast.CommentGroup {
	for _, g := range groups {
		if g != nil {
			return g
		}
	}
	return nil
}

package notebook

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"regexp"
	"strings"
)

// bodyHead makes the source of a cell a Go file: the cell is a function body.
const bodyHead = "package p\nfunc _() {\n"

// imports finds import declarations, which a function body cannot hold.
var imports = regexp.MustCompile("(?m)^[ \t]*import[ \t]*(\\([^)]*\\)|[\\w.]*[ \t]*(\"[^\"\n]*\"|`[^`\n]*`))")

// declarations lists what a parameters cell declares, in order.
func declarations(source string) ([]parameter, error) {
	body := imports.ReplaceAllStringFunc(source, func(s string) string { // blank, so that positions stay
		return strings.Map(func(r rune) rune {
			if r == '\n' {
				return r
			}
			return ' '
		}, s)
	})
	text := bodyHead + body + "\n}\n"
	file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	if err != nil {
		return nil, inCell(err)
	}
	fn, ok := file.Decls[0].(*ast.FuncDecl)
	if !ok || len(file.Decls) != 1 {
		return nil, errors.New("want only imports and declarations by :=, var and const")
	}
	d := declarer{text: text}
	for _, s := range fn.Body.List {
		d.statement(s)
	}
	return d.all, nil
}

// inCell gives the first syntax error with its line in the cell.
func inCell(err error) error {
	var list scanner.ErrorList
	if !errors.As(err, &list) || len(list) == 0 {
		return err
	}
	line := max(list[0].Pos.Line-strings.Count(bodyHead, "\n"), 1)
	return fmt.Errorf("line %d, column %d: %s", line, list[0].Pos.Column, list[0].Msg)
}

// declarer collects declared names from statements of text.
type declarer struct {
	text string
	all  []parameter
}

func (d *declarer) statement(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.AssignStmt:
		if s.Tok != token.DEFINE {
			return
		}
		for i, e := range s.Lhs {
			if name, ok := e.(*ast.Ident); ok {
				d.add(name.Name, nil, value(s.Rhs, i, len(s.Lhs)), false)
			}
		}
	case *ast.DeclStmt:
		g, ok := s.Decl.(*ast.GenDecl)
		if !ok {
			return
		}
		for _, spec := range g.Specs {
			v, ok := spec.(*ast.ValueSpec)
			if !ok {
				continue
			}
			for i, name := range v.Names {
				d.add(name.Name, v.Type, value(v.Values, i, len(v.Names)), g.Tok == token.CONST)
			}
		}
	}
}

// value is the expression of name i of n, nil when it has none of its own.
func value(values []ast.Expr, i, n int) ast.Expr {
	if len(values) != n {
		return nil
	}
	return values[i]
}

// add notes a name; a later declaration of the same name replaces it.
func (d *declarer) add(name string, typ, value ast.Expr, fixed bool) {
	if name == "_" {
		return
	}
	p := parameter{name: name, fixed: fixed, kind: typeKind(typ), value: d.source(value)}
	if typ == nil {
		p.kind = exprKind(value)
	}
	if value == nil {
		p.value = d.source(typ)
	}
	for i := range d.all {
		if d.all[i].name == name {
			d.all[i] = p
			return
		}
	}
	d.all = append(d.all, p)
}

// source is the text of an expression.
func (d *declarer) source(e ast.Expr) string {
	if e == nil {
		return ""
	}
	return d.text[e.Pos()-1 : e.End()-1]
}

// typeKind is the kind of a named type.
func typeKind(e ast.Expr) valueKind {
	switch t := e.(type) {
	case *ast.Ident:
		switch t.Name {
		case "int", "int8", "int16", "int32", "int64", "rune":
			return intKind
		case "uint", "uint8", "uint16", "uint32", "uint64", "byte":
			return uintKind
		case "float32", "float64":
			return floatKind
		case "string":
			return stringKind
		case "bool":
			return boolKind
		}
	case *ast.SelectorExpr:
		if isTime(t) && t.Sel.Name == "Duration" {
			return durationKind
		}
	}
	return otherKind
}

// exprKind is the kind of a value, as far as it can be seen without types.
func exprKind(e ast.Expr) valueKind {
	switch e := e.(type) {
	case *ast.BasicLit:
		return map[token.Token]valueKind{token.INT: intKind, token.FLOAT: floatKind, token.STRING: stringKind}[e.Kind]
	case *ast.Ident:
		if e.Name == "true" || e.Name == "false" {
			return boolKind
		}
	case *ast.ParenExpr:
		return exprKind(e.X)
	case *ast.UnaryExpr:
		return exprKind(e.X)
	case *ast.CallExpr: // a conversion, such as uint64(1)
		return typeKind(e.Fun)
	case *ast.SelectorExpr:
		switch e.Sel.Name {
		case "Hour", "Minute", "Second", "Millisecond", "Microsecond", "Nanosecond":
			if isTime(e) {
				return durationKind
			}
		}
	case *ast.BinaryExpr:
		return binaryKind(e)
	}
	return otherKind
}

// binaryKind is the kind of x op y: of two kinds the wider one.
func binaryKind(e *ast.BinaryExpr) valueKind {
	switch e.Op {
	case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ, token.LAND, token.LOR:
		return boolKind
	case token.SHL, token.SHR:
		return exprKind(e.X)
	}
	x, y := exprKind(e.X), exprKind(e.Y)
	switch {
	case x == otherKind || y == otherKind:
		return otherKind
	case x == y || y == intKind:
		return x
	case x == intKind:
		return y
	}
	return otherKind
}

// isTime says whether e is a name of package time.
func isTime(e *ast.SelectorExpr) bool {
	x, ok := e.X.(*ast.Ident)
	return ok && x.Name == "time"
}

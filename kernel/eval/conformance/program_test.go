package conformance

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// A case becomes a Go package: imports and declarations at its top, the
// statements of its cells in order in func Run. Variables that declarations
// use, and those that are defined again, become variables of the package.

// program is a case on the way to Go.
type program struct {
	c       Case
	pieces  []piece
	imports map[string]string // name or "." and path → import specification
	global  map[string]string // variables of the package → type
	used    map[string]bool   // imports
	void    map[string]bool   // places of calls that have no value
}

// piece is an import, a declaration or a statement of a cell.
type piece struct {
	cell      int
	line, col int
	code      string
	decl      ast.Decl // nil: stmt holds
	stmt      ast.Stmt
	fset      *token.FileSet
	last      bool // the value of the cell, unless it has none
	top       bool // of a cell with a package clause
	main      bool // run main here
}

// newProgram splits the cells of a case.
func newProgram(c Case) (*program, error) {
	p := &program{c: c, imports: map[string]string{"fmt": `fmt "fmt"`}}
	for i, cell := range c.Cells {
		list, err := split(cell.Code)
		if err != nil {
			return nil, fmt.Errorf("In[%d]: %w", i+1, err)
		}
		whole := strings.HasPrefix(cell.Code, "package main\n")
		for k := range list {
			list[k].cell, list[k].top = i, whole
			if err := p.add(list[k]); err != nil {
				return nil, err
			}
		}
		if whole {
			p.pieces = append(p.pieces, piece{cell: i, main: true})
		}
	}
	return p, nil
}

func (p *program) add(x piece) error {
	d, ok := x.decl.(*ast.GenDecl)
	if !ok || d.Tok != token.IMPORT {
		p.pieces = append(p.pieces, x)
		return nil
	}
	for _, s := range d.Specs {
		i := s.(*ast.ImportSpec)
		path := strings.Trim(i.Path.Value, `"`)
		name := path[strings.LastIndex(path, "/")+1:]
		if name == "v2" {
			name = "rand"
		}
		if i.Name != nil {
			name = i.Name.Name
		}
		key, spec := name, name+" "+i.Path.Value
		if name == "." || name == "_" {
			key = spec
		}
		if old := p.imports[key]; old != "" && old != spec {
			return fmt.Errorf("imports %s and %s", old, spec)
		}
		p.imports[key] = spec
	}
	return nil
}

// split cuts a cell into pieces: each ends at the first semicolon, written or
// implied, outside of brackets where it parses.
func split(code string) (list []piece, err error) {
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(code))
	s.Init(file, []byte(code), nil, 0)
	depth, start := 0, -1
	end, semi := 0, false
	for {
		pos, tok, lit := s.Scan()
		off := file.Offset(pos)
		ends := tok == token.EOF
		switch tok {
		case token.LPAREN, token.LBRACK, token.LBRACE:
			depth++
		case token.RPAREN, token.RBRACK, token.RBRACE:
			depth--
		case token.SEMICOLON:
			ends, semi = depth == 0, lit == ";"
		}
		if tok != token.SEMICOLON && tok != token.EOF {
			if start < 0 {
				start = off
			}
			end = off + len(lit)
			if lit == "" {
				end += len(tok.String())
			}
			semi = false
		}
		if ends && start >= 0 {
			text := code[start:end]
			if x, e := parsePiece(text); e == nil {
				x.line = strings.Count(code[:start], "\n") + 1
				x.col = start - strings.LastIndexByte(code[:start], '\n')
				x.last = false
				if strings.TrimSpace(text) != "package main" {
					list = append(list, x)
				}
				start = -1
				if tok == token.EOF && len(list) > 0 && !semi {
					list[len(list)-1].last = true
				}
			} else {
				err = e
			}
		}
		if tok == token.EOF {
			break
		}
	}
	if start >= 0 {
		return nil, err
	}
	if len(list) > 0 && !semi {
		list[len(list)-1].last = true
	}
	return list, nil
}

func parsePiece(text string) (piece, error) {
	x := piece{code: text, fset: token.NewFileSet()}
	if text == "package main" {
		return x, nil
	}
	for _, word := range []string{"import", "type", "const", "func"} {
		if strings.HasPrefix(text, word) {
			if f, err := parser.ParseFile(x.fset, "", "package p;"+text, 0); err == nil {
				x.decl = f.Decls[0]
				return x, nil
			}
		}
	}
	f, err := parser.ParseFile(x.fset, "", statementHead+text+"\n}", 0)
	if err != nil {
		return x, err
	}
	list := f.Decls[0].(*ast.FuncDecl).Body.List
	if len(list) != 1 {
		return x, fmt.Errorf("%q is not one statement", text)
	}
	x.stmt = list[0]
	return x, nil
}

const statementHead = "package p;func _(){"

// source is the package as Go source. The first time, nothing is known: all
// imports are there, no variable is of the package, and no value is printed.
func (p *program) source(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "package %s\n\nimport (\n\tchest_kit \"conformance/kit\"\n", name)
	for _, key := range sorted(p.imports) {
		spec := p.imports[key]
		if p.used == nil || p.used[key] || strings.HasPrefix(spec, ". ") || strings.HasPrefix(spec, "_ ") {
			fmt.Fprintf(&b, "\t%s\n", spec)
		}
	}
	b.WriteString(")\n\n")
	for _, g := range sorted(p.global) {
		fmt.Fprintf(&b, "var %s %s\n", g, p.global[g])
	}
	for _, x := range p.pieces {
		if x.decl != nil || x.top && !x.main {
			fmt.Fprintf(&b, "%s%s\n", x.mark(), x.code)
		}
	}
	b.WriteString("\nfunc Run() {\n")
	depth, cell := 0, -1
	have := map[string]bool{}
	for _, x := range p.pieces {
		for cell < x.cell {
			cell++
			fmt.Fprintf(&b, "chest_kit.Cell()\n")
		}
		switch {
		case x.main:
			b.WriteString("main()\n")
		case x.stmt != nil && !x.top:
			if p.opens(x, have) {
				b.WriteString("{\n")
				depth++
				clear(have)
			}
			p.statement(&b, x)
			for _, n := range x.defines() {
				have[n] = true
			}
		}
	}
	for cell < len(p.c.Cells)-1 {
		cell++
		fmt.Fprintf(&b, "chest_kit.Cell()\n")
	}
	b.WriteString("chest_kit.Cell()\n" + strings.Repeat("}\n", depth) + "}\n")
	return b.String()
}

// mark says where the piece comes from.
func (x piece) mark() string { return fmt.Sprintf("/*line In[%d]:%d:%d*/", x.cell+1, x.line, x.col) }

// place is the mark of a node of the piece, as the type checker gives it.
func (x piece) place(off int) string {
	head := len(statementHead)
	before := x.code[:off-head-1]
	line, col := x.line+strings.Count(before, "\n"), len(before)-strings.LastIndexByte(before, '\n')
	if !strings.Contains(before, "\n") {
		col = x.col + len(before)
	}
	return fmt.Sprintf("In[%d]:%d:%d", x.cell+1, line, col)
}

// names lists the identifiers that a statement defines at its top.
func (x piece) names() (ids []*ast.Ident) {
	switch st := x.stmt.(type) {
	case *ast.AssignStmt:
		if st.Tok == token.DEFINE {
			for _, l := range st.Lhs {
				ids = append(ids, l.(*ast.Ident))
			}
		}
	case *ast.DeclStmt:
		for _, s := range st.Decl.(*ast.GenDecl).Specs {
			if v, ok := s.(*ast.ValueSpec); ok {
				ids = append(ids, v.Names...)
			}
		}
	}
	return slices.DeleteFunc(ids, func(id *ast.Ident) bool { return id.Name == "_" })
}

func (x piece) defines() (names []string) {
	for _, id := range x.names() {
		names = append(names, id.Name)
	}
	return names
}

// opens says whether a piece defines names again and so needs a block.
func (p *program) opens(x piece, have map[string]bool) bool {
	names := x.defines()
	if len(names) == 0 {
		return false
	}
	old := func(n string) bool { return have[n] }
	global := func(n string) bool { return p.global[n] != "" }
	if slices.ContainsFunc(names, global) {
		return false
	}
	if _, ok := x.stmt.(*ast.DeclStmt); ok {
		return slices.ContainsFunc(names, old)
	}
	return !slices.ContainsFunc(names, func(n string) bool { return !have[n] })
}

// statement writes a statement.
func (p *program) statement(b *strings.Builder, x piece) {
	e, isExpr := x.stmt.(*ast.ExprStmt)
	switch {
	case isExpr && p.void == nil:
		fmt.Fprintf(b, "%s%s\n", x.mark(), x.code)
	case isExpr && x.last && !quiet(e.X) && !p.void[x.place(x.fset.Position(e.X.Pos()).Offset+1)]:
		fmt.Fprintf(b, "chest_kit.Show(%s%s)\n", x.mark(), x.code)
	case isExpr && !isCall(e.X):
		fmt.Fprintf(b, "_ = %s%s\n", x.mark(), x.code)
	case !slices.ContainsFunc(x.defines(), func(n string) bool { return p.global[n] != "" }):
		fmt.Fprintf(b, "%s%s\n", x.mark(), x.code)
		for _, n := range x.defines() {
			fmt.Fprintf(b, "_ = %s\n", n)
		}
	default:
		p.assign(b, x)
	}
}

// assign writes a statement that defines variables of the package.
func (p *program) assign(b *strings.Builder, x piece) {
	if st, ok := x.stmt.(*ast.AssignStmt); ok {
		at := x.fset.Position(st.TokPos).Offset - len(statementHead)
		fmt.Fprintf(b, "%s%s=%s\n", x.mark(), x.code[:at], x.code[at+2:])
		return
	}
	for _, s := range x.stmt.(*ast.DeclStmt).Decl.(*ast.GenDecl).Specs {
		v := s.(*ast.ValueSpec)
		for i, n := range v.Names {
			if i == 0 && len(v.Values) > 0 {
				from, to := x.fset.Position(v.Values[0].Pos()).Offset, x.fset.Position(v.End()).Offset
				var names []string
				for _, n := range v.Names {
					names = append(names, n.Name)
				}
				fmt.Fprintf(b, "%s%s = %s\n", x.mark(), strings.Join(names, ", "), x.code[from-len(statementHead):to-len(statementHead)])
			} else if len(v.Values) == 0 {
				fmt.Fprintf(b, "%s = *new(%s)\n", n.Name, p.global[n.Name])
			}
		}
	}
}

// learn type-checks the first source and finds which imports are used, which
// calls have no value, and which variables must be of the package.
func (p *program) learn(importer types.Importer) error {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "case.go", p.source("p"), 0)
	if err != nil {
		return err
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	undefined := map[string]bool{}
	config := types.Config{Importer: importer, DisableUnusedImportCheck: true, Error: func(err error) {
		if n, ok := strings.CutPrefix(err.(types.Error).Msg, "undefined: "); ok {
			undefined[n] = true
		}
	}}
	pkg, _ := config.Check("main", fset, []*ast.File{f}, info)
	p.void = map[string]bool{}
	for e, tv := range info.Types {
		if tv.IsVoid() {
			p.void[fset.Position(e.Pos()).String()] = true
		}
	}
	p.used = map[string]bool{}
	for _, obj := range info.Uses {
		if pn, ok := obj.(*types.PkgName); ok {
			p.used[pn.Name()] = true
		}
	}
	words := func(t types.Type) string {
		return types.TypeString(t, func(o *types.Package) string {
			if o == pkg {
				return ""
			}
			p.used[o.Name()] = true
			p.imports[o.Name()] = fmt.Sprintf("%s %q", o.Name(), o.Path())
			return o.Name()
		})
	}
	defined := map[string][]string{}
	for _, x := range p.pieces {
		if x.top {
			continue
		}
		for _, id := range x.names() {
			place := x.place(x.fset.Position(id.Pos()).Offset + 1)
			for def, obj := range info.Defs {
				if def.Name == id.Name && obj != nil && fset.Position(def.Pos()).String() == place {
					defined[id.Name] = append(defined[id.Name], words(obj.Type()))
				}
			}
		}
	}
	p.global = map[string]string{}
	for name, kinds := range defined {
		same := len(slices.Compact(slices.Clone(kinds))) == 1
		if undefined[name] && !same {
			return fmt.Errorf("%s has several types and is used by declarations", name)
		}
		if undefined[name] || same && len(kinds) > 1 {
			p.global[name] = kinds[0]
		}
	}
	for more := true; more; { // names that are defined together stay together
		more = false
		for _, x := range p.pieces {
			names := x.defines()
			if slices.ContainsFunc(names, func(n string) bool { return p.global[n] != "" }) {
				for _, n := range names {
					if p.global[n] == "" && len(defined[n]) > 0 {
						p.global[n], more = defined[n][0], true
					}
				}
			}
		}
	}
	return nil
}

// quiet says whether e is a call of a printing function of fmt, whose results
// a notebook does not show.
func quiet(e ast.Expr) bool {
	c, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := c.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && x.Name == "fmt" && (strings.HasPrefix(sel.Sel.Name, "Print") || strings.HasPrefix(sel.Sel.Name, "Fprint"))
}

// isCall says whether e may stand alone in Go.
func isCall(e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.CallExpr:
		name, _ := e.Fun.(*ast.Ident)
		return name == nil || !slices.Contains([]string{"len", "cap", "append", "min", "max", "new", "make", "string", "int", "float64"}, name.Name)
	case *ast.UnaryExpr:
		return e.Op == token.ARROW
	}
	return false
}

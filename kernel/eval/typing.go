package eval

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// typing is what go/types knows of a notebook. The notebook is a program that
// grows: each cell is checked together with the declarations of earlier cells
// (functions without their bodies) and with their variables, so that a cell
// that does not fit is refused before any of it runs, and all its faults are
// told at once.
type typing struct {
	fset     *token.FileSet
	importer types.Importer

	mu      sync.Mutex
	names   names
	imports map[string]string // name in cells → path; never changed, only replaced
	scope   *types.Package    // of all names; nil: to be made
}

// names is what the cells so far have declared.
type names struct {
	decls map[string]*known // functions, types, constants, and methods as "T.M"
	vars  map[string]variable
	dots  []string // paths of dot imports
}

func (n names) clone() names {
	return names{maps.Clone(n.decls), maps.Clone(n.vars), slices.Clone(n.dots)}
}

// known is a declaration of an earlier cell.
type known struct {
	key  string
	of   string // the type of a method
	seq  int    // a later declaration has a larger one
	kind token.Token
	decl ast.Decl // a function's body is a panic
	code string   // its source
	at   token.Position
	uses map[string]bool
}

// variable is a variable of an earlier cell: its type as syntax, or an object
// when Go has no words for the type outside of its package.
type variable struct {
	typ     ast.Expr
	imports map[string]string // names in typ → import path
	object  types.Type
	uses    map[string]bool
}

func newTyping(fset *token.FileSet, importer types.Importer) *typing {
	return &typing{fset: fset, importer: importer, names: names{decls: map[string]*known{}, vars: map[string]variable{}}}
}

// unit is a part of a cell that is checked at once.
type unit struct {
	items   []item
	imports map[string]string // name → path, of the notebook
	without map[string]bool   // keys of earlier declarations to leave out
}

// typed is a unit that was checked.
type typed struct {
	pkg    *types.Package
	faults []fault
}

func newInfo() *types.Info {
	return &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{}, Instances: map[*ast.Ident]types.Instance{}, Implicits: map[ast.Node]types.Object{},
	}
}

// fault is one error of the checker.
type fault struct {
	pos token.Pos
	msg string
}

const cellFunc = prefix + "cell"

// check type-checks a unit that follows what n holds; info takes what it
// finds.
func (t *typing) check(n names, u unit, info *types.Info) typed {
	pkg := types.NewPackage("main", "main")
	file := &ast.File{Name: ast.NewIdent("main"), FileStart: 1, FileEnd: token.Pos(t.fset.Base())}
	own := map[string]bool{} // keys that the unit declares
	names := map[string]bool{}
	var decls []ast.Decl
	var body []ast.Stmt
	for _, it := range u.items {
		if it.decl == nil {
			body = append(body, it.stmt)
		} else if d, ok := it.decl.(*ast.GenDecl); !ok || d.Tok != token.IMPORT {
			decls = append(decls, it.decl)
			for _, k := range declKeys(it.decl) {
				own[k] = true
			}
		}
		addAll(names, uses(node(it)))
	}
	specs := map[string]string{}
	for _, key := range sorted(n.decls) {
		if k := n.decls[key]; !own[key] && !u.without[key] && !u.without[k.of] {
			decls = append(decls, k.decl)
			addAll(names, k.uses)
		}
	}
	for _, name := range sorted(n.vars) {
		if own[name] {
			continue
		}
		v := n.vars[name]
		if v.typ == nil {
			pkg.Scope().Insert(types.NewVar(token.NoPos, pkg, name, v.object))
			continue
		}
		for alias, path := range v.imports {
			specs[alias] = path
		}
		decls = append(decls, &ast.GenDecl{Tok: token.VAR, Specs: []ast.Spec{&ast.ValueSpec{Names: []*ast.Ident{ast.NewIdent(name)}, Type: v.typ}}})
	}
	for name, path := range u.imports {
		if _, isVar := n.vars[name]; names[name] && !isVar && !own[name] && (n.decls[name] == nil || u.without[name]) {
			specs[name] = path
		}
	}
	dots := slices.DeleteFunc(slices.Clone(n.dots), func(path string) bool { return t.hidden(path, n, own) })
	file.Decls = append(importDecls(specs, dots), decls...)
	c := typed{pkg: pkg}
	if body != nil {
		file.Decls = append(file.Decls, cell(body))
	}
	idle := idleExprs(body)
	config := types.Config{
		GoVersion: "go1.26", Importer: t.importer, Sizes: types.SizesFor("gc", runtime.GOARCH), DisableUnusedImportCheck: true,
		Error: func(err error) {
			e := err.(types.Error)
			if strings.HasPrefix(e.Msg, "\t") && len(c.faults) > 0 {
				return
			}
			if !forgiven(e, idle) {
				c.faults = append(c.faults, fault{e.Pos, e.Msg})
			}
		},
	}
	types.NewChecker(&config, t.fset, pkg, info).Files([]*ast.File{file})
	slices.SortStableFunc(c.faults, func(a, b fault) int { return int(a.pos) - int(b.pos) })
	return c
}

// hidden says whether the notebook has a name of a dot import for itself: its
// own comes first.
func (t *typing) hidden(path string, n names, own map[string]bool) bool {
	p, err := t.importer.Import(path)
	if err != nil {
		return false
	}
	for _, name := range p.Scope().Names() {
		if _, isVar := n.vars[name]; isVar || n.decls[name] != nil || own[name] {
			return true
		}
	}
	return false
}

// importDecls is the imports of a unit.
func importDecls(specs map[string]string, dots []string) (decls []ast.Decl) {
	add := func(name, path string) {
		decls = append(decls, &ast.GenDecl{Tok: token.IMPORT, Specs: []ast.Spec{&ast.ImportSpec{
			Name: ast.NewIdent(name), Path: &ast.BasicLit{Kind: token.STRING, Value: strconv.Quote(path)},
		}}})
	}
	for _, name := range sorted(specs) {
		add(name, specs[name])
	}
	for _, path := range dots {
		add(".", path)
	}
	return decls
}

// cell is the statements of a cell as a function. Where a := declares only
// names that the cell has declared before, the rest of the cell becomes a
// block of its own: a cell may reuse its names.
func cell(body []ast.Stmt) *ast.FuncDecl {
	pos := body[0].Pos()
	return &ast.FuncDecl{
		Name: ident(pos, cellFunc), Type: &ast.FuncType{Func: pos, Params: &ast.FieldList{}},
		Body: &ast.BlockStmt{Lbrace: pos, List: nested(body, map[string]bool{}), Rbrace: body[len(body)-1].End()},
	}
}

func nested(body []ast.Stmt, have map[string]bool) (list []ast.Stmt) {
	for i, st := range body {
		again := false
		names := declaredVars(st)
		for _, n := range names {
			again = again || have[n] && isDeclStmt(st)
		}
		if len(names) > 0 && !isDeclStmt(st) {
			again = !slices.ContainsFunc(names, func(n string) bool { return n != "_" && !have[n] })
		}
		if again && i > 0 {
			rest := nested(body[i:], map[string]bool{})
			return append(list, &ast.BlockStmt{Lbrace: st.Pos(), List: rest, Rbrace: body[len(body)-1].End()})
		}
		for _, n := range names {
			have[n] = true
		}
		list = append(list, checkForm(st))
	}
	return list
}

func isDeclStmt(st ast.Stmt) bool { _, ok := st.(*ast.DeclStmt); return ok }

// checkForm is a statement as the checker takes it: a value that stands alone
// is allowed in a cell.
func checkForm(st ast.Stmt) ast.Stmt {
	e, ok := st.(*ast.ExprStmt)
	if !ok {
		return st
	}
	switch x := ast.Unparen(e.X).(type) {
	case *ast.CallExpr:
		return st
	case *ast.UnaryExpr:
		if x.Op == token.ARROW {
			return st
		}
	case *ast.Ident:
		if x.Name == "nil" {
			return &ast.EmptyStmt{Semicolon: x.Pos()}
		}
	}
	return &ast.AssignStmt{Lhs: []ast.Expr{ident(e.Pos(), "_")}, TokPos: e.Pos(), Tok: token.ASSIGN, Rhs: []ast.Expr{e.X}}
}

// idleExprs finds the calls that stand alone at the top of a cell: they may
// have a value that nothing takes.
func idleExprs(body []ast.Stmt) map[token.Pos]bool {
	idle := map[token.Pos]bool{}
	for _, st := range body {
		if e, ok := st.(*ast.ExprStmt); ok {
			idle[e.X.Pos()] = true
		}
	}
	return idle
}

// forgiven says whether an error of the checker is none in a notebook.
func forgiven(e types.Error, idle map[token.Pos]bool) bool {
	switch {
	case strings.HasPrefix(e.Msg, "declared and not used"), strings.HasSuffix(e.Msg, "imported and not used"):
		return true
	case strings.HasPrefix(e.Msg, "label ") && strings.HasSuffix(e.Msg, "declared and not used"):
		return true
	case strings.HasSuffix(e.Msg, "is not used"):
		return idle[e.Pos]
	}
	return false
}

// definedVars lists the variables that a statement declares at its top.
func definedVars(st ast.Stmt, info *types.Info) (vars []*types.Var) {
	add := func(id *ast.Ident) {
		if v, ok := info.Defs[id].(*types.Var); ok && v.Name() != "_" {
			vars = append(vars, v)
		}
	}
	switch st := st.(type) {
	case *ast.DeclStmt:
		for _, spec := range st.Decl.(*ast.GenDecl).Specs {
			if v, ok := spec.(*ast.ValueSpec); ok {
				for _, id := range v.Names {
					add(id)
				}
			}
		}
	case *ast.AssignStmt:
		if st.Tok == token.DEFINE {
			for _, l := range st.Lhs {
				if id, ok := l.(*ast.Ident); ok {
					add(id)
				}
			}
		}
	}
	return vars
}

// declKeys lists what a declaration declares: names, or "T.M" for a method.
func declKeys(d ast.Decl) (keys []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.Name != "init" && d.Name.Name != "_" {
			keys = append(keys, funcKey(d))
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				keys = append(keys, spec.Name.Name)
			case *ast.ValueSpec:
				for _, n := range spec.Names {
					keys = append(keys, n.Name)
				}
			}
		}
	}
	return keys
}

func addAll(to, from map[string]bool) {
	for k := range from {
		to[k] = true
	}
}

// learn adds what a part of a cell has declared, once it has run.
func (t *typing) learn(l learned) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.scope = nil
	t.names.add(l)
}

// forget drops a variable whose name an import takes.
func (t *typing) forget(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.scope = nil
	delete(t.names.vars, name)
}

// Scope is a package with all names of the notebook, for completion.
func (t *typing) Scope() *types.Package {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.scope == nil {
		t.scope = t.check(t.names, unit{}, newInfo()).pkg
	}
	return t.scope
}

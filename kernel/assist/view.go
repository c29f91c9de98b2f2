package assist

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"strconv"
	"strings"
)

// cursorName stands in a cell for the name being typed.
const (
	hidden     = "chest__" // begins names that no cell wrote
	cursorName = hidden + "cursor"
)

// view is a cell with the types of what is in it.
type view struct {
	env   Env
	text  string // with cursorName, when something is completed
	lex   []lexeme
	at    span // the name at the cursor
	fset  *token.FileSet
	parts []part
	file  *ast.File
	cell  *ast.FuncDecl // holds the statements
	pkg   *types.Package
	info  *types.Info
	late  map[*ast.Ident]string             // method declared here for a type of an earlier cell → its name
	extra map[*types.TypeName][]*types.Func // those methods, by type
	scope map[string]bool                   // functions, types and constants that the cell declares
}

// newView parses and type-checks text, whose name at the cursor is at.
func newView(env Env, text string, at span) *view {
	v := &view{
		env: env, text: text, lex: scan(text), at: at, fset: token.NewFileSet(),
		late: map[*ast.Ident]string{}, scope: map[string]bool{},
		extra: map[*types.TypeName][]*types.Func{},
	}
	first := token.Pos(v.fset.Base())
	v.fset.AddFile("", -1, 1)
	v.parts = parseAll(v.fset, text, v.lex, at)
	last := token.Pos(v.fset.Base())
	v.fset.AddFile("", -1, 1)
	v.assemble(first, last)
	v.check()
	v.addMethods()
	return v
}

// assemble makes one file of the parts: the declarations, and a function of
// the statements.
func (v *view) assemble(first, last token.Pos) {
	v.cell = &ast.FuncDecl{
		Name: ast.NewIdent("_"),
		Type: &ast.FuncType{Func: first, Params: &ast.FieldList{Opening: first, Closing: first}},
		Body: &ast.BlockStmt{Lbrace: first, Rbrace: last},
	}
	// No position for the package clause: the scope of the file then reaches
	// over all parts, not only over the first.
	v.file = &ast.File{Name: ast.NewIdent("main"), FileStart: first, FileEnd: last}
	imported := map[string]bool{}
	funcs := false
	for _, p := range v.parts {
		v.cell.Body.List = append(v.cell.Body.List, p.stmts...)
		for _, d := range p.decls {
			v.file.Decls = append(v.file.Decls, d)
			v.note(d, imported)
			f, ok := d.(*ast.FuncDecl)
			funcs = funcs || ok && f.Body != nil
		}
	}
	for _, d := range v.file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			v.detach(f)
		}
	}
	v.fill()
	if funcs {
		v.hoist()
	}
	v.importUsed(imported)
	v.file.Decls = append(v.file.Decls, v.cell)
}

// note keeps which names a declaration takes.
func (v *view) note(d ast.Decl, imported map[string]bool) {
	if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
		v.scope[f.Name.Name] = true
	}
	g, ok := d.(*ast.GenDecl)
	if !ok {
		return
	}
	for _, s := range g.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			v.scope[s.Name.Name] = true
		case *ast.ValueSpec:
			for _, n := range s.Names {
				v.scope[n.Name] = true
			}
		case *ast.ImportSpec:
			if s.Name != nil {
				imported[s.Name.Name] = true
			} else if path, err := strconv.Unquote(s.Path.Value); err == nil {
				imported[packageName(path)] = true
			}
		}
	}
}

// detach makes a function of a method whose type an earlier cell declared: the
// type checker wants both in one place. The receiver becomes a parameter.
func (v *view) detach(f *ast.FuncDecl) {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return
	}
	base, params := receiver(f.Recv.List[0].Type)
	if base == nil || v.scope[base.Name] {
		return
	}
	if _, ok := v.env.lookup(base.Name).(*types.TypeName); !ok {
		return
	}
	v.late[f.Name] = f.Name.Name
	f.Name.Name = hidden + base.Name + "_" + f.Name.Name
	list := f.Recv.List[:1:1]
	if f.Type.Params != nil {
		list = append(list, f.Type.Params.List...)
	}
	f.Type.Params = &ast.FieldList{Opening: f.Recv.Opening, List: list, Closing: f.Recv.Closing}
	f.Recv = nil
	if len(params) > 0 {
		f.Type.TypeParams = &ast.FieldList{List: []*ast.Field{{Names: params, Type: ast.NewIdent("any")}}}
	}
}

// receiver is the name of a receiver's type and those of its parameters.
func receiver(e ast.Expr) (base *ast.Ident, params []*ast.Ident) {
	name := func(es ...ast.Expr) {
		for _, e := range es {
			if id, ok := e.(*ast.Ident); ok {
				params = append(params, ast.NewIdent(id.Name))
			}
		}
	}
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x, params
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.IndexExpr:
			name(x.Index)
			e = x.X
		case *ast.IndexListExpr:
			name(x.Indices...)
			e = x.X
		default:
			return nil, nil
		}
	}
}

// fill makes the package and puts in what earlier cells declared.
func (v *view) fill() {
	v.pkg = types.NewPackage("main", "main")
	if v.env.Scope == nil {
		return
	}
	old := v.env.Scope.Scope()
	for _, name := range old.Names() {
		if !v.scope[name] {
			v.pkg.Scope().Insert(old.Lookup(name))
		}
	}
}

// hoist declares the variables of the statements once more outside of the
// function, where the functions of the cell can see them.
func (v *view) hoist() {
	for _, p := range v.parts {
		for _, s := range p.stmts {
			switch s := s.(type) {
			case *ast.AssignStmt:
				if s.Tok == token.DEFINE && len(s.Rhs) > 0 {
					v.hoistVar(p, s.Lhs, "= "+p.text(s.Rhs[0].Pos(), s.Rhs[len(s.Rhs)-1].End()))
				}
			case *ast.DeclStmt:
				v.hoistDecl(p, s)
			}
		}
	}
}

func (v *view) hoistDecl(p part, s *ast.DeclStmt) {
	g, ok := s.Decl.(*ast.GenDecl)
	if !ok || g.Tok != token.VAR {
		return
	}
	for _, spec := range g.Specs {
		spec := spec.(*ast.ValueSpec)
		lhs := make([]ast.Expr, len(spec.Names))
		for i, n := range spec.Names {
			lhs[i] = n
		}
		if len(lhs) > 0 {
			v.hoistVar(p, lhs, p.text(lhs[len(lhs)-1].End(), spec.End()))
		}
	}
}

// hoistVar declares lhs by a type or value in source form. Names that are
// taken keep their meaning.
func (v *view) hoistVar(p part, lhs []ast.Expr, rest string) {
	names := make([]string, len(lhs))
	fresh := false
	for i, e := range lhs {
		names[i] = "_"
		id, ok := e.(*ast.Ident)
		if ok && !v.scope[id.Name] && v.env.lookup(id.Name) == nil {
			names[i], fresh = id.Name, true
		}
	}
	if !fresh {
		return
	}
	src := declHead + "var " + strings.Join(names, ",") + " " + rest
	if f, err := parser.ParseFile(v.fset, "", src, parser.SkipObjectResolution); err == nil {
		v.file.Decls = append(v.file.Decls, f.Decls...)
	}
}

// importUsed imports what the notebook has imported and the cell names.
func (v *view) importUsed(imported map[string]bool) {
	words := map[string]bool{".": true}
	for _, l := range v.lex {
		if l.tok == token.IDENT {
			words[l.lit] = true
		}
	}
	g := &ast.GenDecl{Tok: token.IMPORT}
	for name, path := range v.env.Imports {
		if words[name] && !imported[name] && !v.scope[name] && v.env.lookup(name) == nil {
			g.Specs = append(g.Specs, &ast.ImportSpec{
				Name: ast.NewIdent(name),
				Path: &ast.BasicLit{Kind: token.STRING, Value: strconv.Quote(path)},
			})
		}
	}
	if len(g.Specs) > 0 {
		v.file.Decls = append([]ast.Decl{g}, v.file.Decls...)
	}
}

// check finds the types of everything. Errors are what a cell under the cursor
// is made of: they are passed over.
func (v *view) check() {
	v.info = newInfo()
	conf := types.Config{Error: func(error) {}, Importer: v.env.Importer, DisableUnusedImportCheck: true}
	guard(func() { types.NewChecker(&conf, v.fset, v.pkg, v.info).Files([]*ast.File{v.file}) })
}

func newInfo() *types.Info {
	return &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{},
		Uses: map[*ast.Ident]types.Object{}, Implicits: map[ast.Node]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{}, Scopes: map[ast.Node]*types.Scope{},
	}
}

// guard calls f and survives its panic: the type checker promises nothing for
// the syntax of broken code.
func guard(f func()) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("assist: %v", p)
		}
	}()
	f()
	return nil
}

// addMethods gives the types of earlier cells the methods that this cell
// declares.
func (v *view) addMethods() {
	for id, name := range v.late {
		f, ok := v.info.Defs[id].(*types.Func)
		if !ok || f.Signature().Params().Len() == 0 {
			continue
		}
		sig := f.Signature()
		recv := sig.Params().At(0)
		named := namedOf(recv.Type())
		if named == nil {
			continue
		}
		params := make([]*types.Var, 0, sig.Params().Len())
		for i := 1; i < sig.Params().Len(); i++ {
			params = append(params, sig.Params().At(i))
		}
		sig = types.NewSignatureType(recv, nil, nil, types.NewTuple(params...), sig.Results(), sig.Variadic() && len(params) > 0)
		m := types.NewFunc(f.Pos(), v.pkg, name, sig)
		v.info.Defs[id] = m
		v.extra[named.Obj()] = append(v.extra[named.Obj()], m)
	}
}

// namedOf is the declared type of t or of what t points to, its parameters
// not filled in, or nil.
func namedOf(t types.Type) *types.Named {
	if t == nil {
		return nil
	}
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	if n, ok := types.Unalias(t).(*types.Named); ok {
		return n.Origin()
	}
	return nil
}

// holder is the part with the cursor, or nil.
func (v *view) holder() *part {
	for i := range v.parts {
		if p := &v.parts[i]; p.off <= v.at.off && v.at.off <= p.end && v.at.off-p.off <= len(p.src) {
			return p
		}
	}
	return nil
}

// local is the innermost scope at the cursor, and its position.
func (v *view) local() (*types.Scope, token.Pos) {
	p := v.holder()
	if p == nil {
		return v.info.Scopes[v.file], token.NoPos
	}
	pos := p.pos(v.at.off)
	for _, d := range p.decls {
		if s := v.declScope(d, pos); s != nil {
			return s, pos
		}
	}
	if s := v.info.Scopes[v.cell.Type]; s != nil && len(p.decls) == 0 {
		if in := s.Innermost(pos); in != nil {
			return in, pos
		}
	}
	return v.info.Scopes[v.file], pos
}

// declScope is the innermost scope of d at pos, or nil.
func (v *view) declScope(d ast.Decl, pos token.Pos) *types.Scope {
	var s *types.Scope
	switch d := d.(type) {
	case *ast.FuncDecl:
		s = v.info.Scopes[d.Type]
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if t, ok := spec.(*ast.TypeSpec); ok && t.Pos() <= pos && pos <= t.End() {
				s = v.info.Scopes[t]
			}
		}
	}
	if s == nil {
		return nil
	}
	if in := s.Innermost(pos); in != nil {
		return in
	}
	return s
}

// path lists the nodes from the name at the cursor outwards, or nil when the
// parser lost it.
func (v *view) path() []ast.Node {
	p := v.holder()
	if p == nil {
		return nil
	}
	pos := p.pos(v.at.off)
	var found, stack []ast.Node
	visit := func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		stack = append(stack, n)
		if id, ok := n.(*ast.Ident); ok && id.NamePos == pos && found == nil {
			for i := len(stack) - 1; i >= 0; i-- {
				found = append(found, stack[i])
			}
		}
		return true
	}
	for _, d := range p.decls {
		ast.Inspect(d, visit)
	}
	for _, s := range p.stmts {
		ast.Inspect(s, visit)
	}
	return found
}

// eval finds the type of an expression in source form, as if it stood at the
// cursor.
func (v *view) eval(src string) (ast.Expr, *types.Info) {
	e, err := parser.ParseExprFrom(v.fset, "", src, parser.SkipObjectResolution)
	if err != nil {
		return nil, nil
	}
	_, pos := v.local()
	info := newInfo()
	guard(func() { _ = types.CheckExpr(v.fset, v.pkg, pos, e, info) })
	return e, info
}

// lookup finds what a name means at the cursor, or nil.
func (v *view) lookup(name string) types.Object {
	for s, pos := v.local(); s != nil; s = s.Parent() {
		if obj := s.Lookup(name); obj != nil && v.visible(s, obj, pos) {
			return obj
		}
	}
	return nil
}

// visible says whether obj of scope s is declared before pos, where that
// counts.
func (v *view) visible(s *types.Scope, obj types.Object, pos token.Pos) bool {
	if !v.inFunc(s) {
		return true
	}
	found, _ := s.LookupParent(obj.Name(), pos)
	return found == s
}

// inFunc says whether s is a scope inside of a function.
func (v *view) inFunc(s *types.Scope) bool {
	return s != types.Universe && s != v.pkg.Scope() && s != v.info.Scopes[v.file]
}

// unimported is an importable package of this name, or nil.
func (v *view) unimported(name string) *types.Package {
	if v.env.Importer == nil {
		return nil
	}
	for _, path := range importable(v.env)[name] {
		var pkg *types.Package
		guard(func() { pkg, _ = v.env.Importer.Import(path) })
		if pkg != nil && pkg.Name() == name {
			return pkg
		}
	}
	return nil
}

// importable groups the importable paths by the name that the package most
// likely has.
func importable(env Env) map[string][]string {
	all := map[string][]string{}
	for _, path := range env.paths() {
		if !strings.Contains("/"+path+"/", "/internal/") && !strings.Contains("/"+path+"/", "/vendor/") && path != "main" {
			name := packageName(path)
			all[name] = append(all[name], path)
		}
	}
	return all
}

// packageName is the name that the package of this path most likely has.
func packageName(path string) string {
	elems := strings.Split(path, "/")
	name := elems[len(elems)-1]
	if len(elems) > 1 && len(name) > 1 && name[0] == 'v' && strings.Trim(name[1:], "0123456789") == "" {
		name = elems[len(elems)-2]
	}
	if i := strings.LastIndex(name, ".v"); i > 0 {
		name = name[:i]
	}
	name = strings.TrimPrefix(strings.TrimSuffix(name, "-go"), "go-")
	return strings.ReplaceAll(name, "-", "_")
}

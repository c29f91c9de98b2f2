package eval

import (
	"go/ast"
	"go/token"
	"go/types"
)

// learned is what a part of a cell declares.
type learned struct {
	decls []*known
	vars  map[string]variable
	dots  []string
}

// add puts l into n. A name has one meaning: the newest.
func (n *names) add(l learned) {
	for _, k := range l.decls {
		delete(n.vars, k.key)
		if k.seq == 0 {
			k.seq = len(n.decls) + int(k.kind)<<20 // types before functions
			for _, o := range n.decls {
				k.seq = max(k.seq, o.seq+1)
			}
		}
		n.decls[k.key] = k
	}
	for name, v := range l.vars {
		delete(n.decls, name)
		n.vars[name] = v
	}
	n.dots = append(n.dots, l.dots...)
}

// typecheck checks a cell against the notebook, part by part: declarations
// that use variables of the same cell come after those. It returns what each
// item declares, and what was found about every expression.
func (s *Session) typecheck(items []item, r *redefinition) (map[int]learned, *types.Info, *faults) {
	info := newInfo()
	if s.typing == nil {
		return nil, info, nil
	}
	after := s.typing.names.clone()
	if r != nil {
		for _, name := range r.lost {
			delete(after.vars, name)
		}
		for _, key := range r.stale {
			delete(after.decls, key)
		}
	}
	all := map[int]learned{}
	var found []fault
	var last *types.Package
	for _, part := range parts(items) {
		u := unit{imports: s.imports}
		for _, i := range part {
			u.items = append(u.items, items[i])
		}
		c := s.typing.check(after, u, info)
		found, last = append(found, c.faults...), c.pkg
		for _, i := range part {
			all[i] = s.learn(items[i], info)
			after.add(all[i])
		}
	}
	if found == nil {
		return all, info, nil
	}
	return nil, nil, &faults{list: found, names: func() []string { return s.sayable(last) }, in: s.membersOf, known: s.packageCalled, of: func(pos token.Pos) []string { return membersAt(items, info, pos) }}
}

// parts puts the items of a cell into groups that are checked one after the
// other.
func parts(items []item) [][]int {
	late := lateDecls(items)
	groups := [][]int{nil}
	for i, it := range items {
		if it.decl != nil && !late[i] {
			groups[0] = append(groups[0], i)
		}
	}
	statements := false
	for i, it := range items {
		switch {
		case it.decl == nil:
			statements = true
		case !late[i]:
			continue
		case statements:
			groups = append(groups, nil)
			statements = false
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], i)
	}
	return groups
}

// learn is what an item declares.
func (s *Session) learn(it item, info *types.Info) (l learned) {
	if it.decl == nil {
		l.vars = map[string]variable{}
		for _, v := range definedVars(it.stmt, info) {
			l.vars[v.Name()] = newVariable(v.Type())
		}
		return l
	}
	at := s.interp.FileSet().Position(it.decl.Pos())
	switch d := it.decl.(type) {
	case *ast.FuncDecl:
		for _, key := range declKeys(d) {
			k := &known{key: key, kind: token.FUNC, code: it.code, at: at}
			own := *d
			if t := receiver(d); t != nil {
				k.of = t.Name
			}
			k.decl, k.uses = s.header(it, &own), uses(d)
			l.decls = append(l.decls, k)
		}
	case *ast.GenDecl:
		if d.Tok == token.CONST {
			l.decls = constants(d, info, it.code, at)
			return l
		}
		fresh, err := parseDecl(s.interp.FileSet(), at, it.code)
		if err != nil {
			return l
		}
		for _, spec := range fresh.(*ast.GenDecl).Specs {
			if t, ok := spec.(*ast.TypeSpec); ok {
				one := &ast.GenDecl{Tok: token.TYPE, Specs: []ast.Spec{t}}
				l.decls = append(l.decls, &known{key: t.Name.Name, kind: token.TYPE, decl: one, code: it.code, at: at, uses: uses(t)})
			}
		}
	}
	return l
}

// header is a function without its body, in syntax of its own: that of the
// cell is rewritten before it runs.
func (s *Session) header(it item, d *ast.FuncDecl) ast.Decl {
	if fresh, err := parseDecl(s.interp.FileSet(), s.interp.FileSet().Position(it.decl.Pos()), it.code); err == nil {
		d = fresh.(*ast.FuncDecl)
	}
	pos := d.Name.Pos()
	call := &ast.CallExpr{Fun: ident(pos, "panic"), Args: []ast.Expr{&ast.BasicLit{ValuePos: pos, Kind: token.INT, Value: "0"}}}
	d.Body = block(&ast.ExprStmt{X: call})
	return d
}

// constants are the names of a const declaration with their values.
func constants(d *ast.GenDecl, info *types.Info, code string, at token.Position) (list []*known) {
	for _, spec := range d.Specs {
		for _, name := range spec.(*ast.ValueSpec).Names {
			c, ok := info.Defs[name].(*types.Const)
			if !ok || name.Name == "_" {
				continue
			}
			value, err := literal(c.Val())
			if err != nil {
				continue
			}
			own := &ast.ValueSpec{Names: []*ast.Ident{ast.NewIdent(name.Name)}, Values: []ast.Expr{value}}
			if b, basic := c.Type().(*types.Basic); !basic || b.Info()&types.IsUntyped == 0 {
				t, imports, ok := words(c.Type())
				if !ok || len(imports) > 0 && !basic {
					own.Type = nil
				} else {
					own.Type = t
				}
			}
			list = append(list, &known{
				key: name.Name, kind: token.CONST, code: code, at: at, uses: uses(own),
				decl: &ast.GenDecl{Tok: token.CONST, Specs: []ast.Spec{own}},
			})
		}
	}
	return list
}

// newVariable is a variable of type t.
func newVariable(t types.Type) variable {
	if e, imports, ok := words(t); ok {
		return variable{typ: e, imports: imports, uses: uses(e)}
	}
	return variable{object: t}
}

// sayable lists the names that a cell could have meant.
func (s *Session) sayable(p *types.Package) []string {
	names := namesIn(p, false)
	names = append(names, sorted(s.imports)...)
	return append(names, types.Universe.Names()...)
}

// membersOf lists the exported names of an imported package.
func (s *Session) membersOf(name string) []string {
	if p, err := s.typing.importer.Import(s.imports[name]); err == nil {
		return namesIn(p, true)
	}
	return nil
}

// packageCalled is the path of a package that a cell may import by its own
// name, and whether it is imported.
func (s *Session) packageCalled(name string) (path string, imported bool) {
	if p, ok := s.imports[name]; ok {
		return p, true
	}
	for _, p := range sorted(s.packages) {
		if s.packages[p] == name && (path == "" || len(p) < len(path)) {
			path = p
		}
	}
	return path, false
}

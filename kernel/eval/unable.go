package eval

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// unable finds what is right Go but what the interpreter does not have, so
// that it is refused before anything of the cell runs.
func (s *Session) unable(items []item, info *types.Info) *refusal {
	for _, it := range items {
		var found *refusal
		ast.Inspect(node(it), func(n ast.Node) bool {
			if found != nil {
				return false
			}
			switch n := n.(type) {
			case *ast.SelectorExpr:
				found = s.missing(n, info)
			case *ast.CallExpr:
				found = s.foreign(n, info)
			case *ast.StructType:
				found = badEmbed(n, info)
			case *ast.RangeStmt:
				found = rangesFunc(n, info)
			case *ast.BinaryExpr:
				found = comparesAny(n, info)
			case *ast.TypeAssertExpr:
				if found = assertsRecovered(n, info); found == nil {
					found = assertsPrinter(n.Type, false, info)
				}
			case *ast.TypeSwitchStmt:
				found = switchesPrinters(n, info)
			case *ast.SwitchStmt:
				found = fallsToDefault(n)
			case *ast.DeferStmt:
				found = panicsInDefer(n)
			case *ast.FuncDecl:
				if found = defersChanged(n.Body, info); found == nil {
					found = returnsNil(n.Type, n.Body, info)
				}
			case *ast.FuncLit:
				if found = defersChanged(n.Body, info); found == nil {
					found = returnsNil(n.Type, n.Body, info)
				}
			}
			return found == nil
		})
		if found != nil {
			return found
		}
	}
	return nil
}

// missing refuses a name of a package that is compiled into the kernel without
// that name.
func (s *Session) missing(sel *ast.SelectorExpr, info *types.Info) *refusal {
	id, ok := sel.X.(*ast.Ident)
	if !ok {
		return nil
	}
	p, ok := info.Uses[id].(*types.PkgName)
	if !ok || s.has(p.Imported(), sel.Sel.Name) {
		return nil
	}
	name := p.Imported().Name() + "." + sel.Sel.Name
	if f, ok := info.Uses[sel.Sel].(*types.Func); ok && f.Signature().TypeParams() != nil {
		return &refusal{sel.Sel.Pos(), name + " is generic: this interpreter cannot call generic functions of compiled packages; write a small function in the cell instead"}
	}
	if strings.Contains(p.Imported().Path(), ".") {
		return &refusal{sel.Sel.Pos(), name + " is not exported to cells"}
	}
	return &refusal{sel.Sel.Pos(), fmt.Sprintf("%s is newer than this interpreter, whose standard library is that of Go 1.22", name)}
}

// has says whether the interpreter has a name of a package; it has all of
// those that it runs from source.
func (s *Session) has(p *types.Package, name string) bool {
	key, compiled := p.Path()+"/"+s.packages[p.Path()], false
	for _, table := range s.symbols {
		if names, ok := table[key]; ok {
			compiled = true
			if _, ok := names[name]; ok {
				return true
			}
		}
	}
	return !compiled
}

// comparesAny refuses to compare two values of type any: types of a cell that
// look alike would be equal.
func comparesAny(b *ast.BinaryExpr, info *types.Info) *refusal {
	if b.Op != token.EQL && b.Op != token.NEQ {
		return nil
	}
	empty := func(e ast.Expr) bool {
		t := info.TypeOf(e)
		if t == nil || info.Types[e].IsNil() {
			return false
		}
		_, parameter := types.Unalias(t).(*types.TypeParam)
		i, ok := t.Underlying().(*types.Interface)
		return ok && !parameter && i.NumMethods() == 0
	}
	own := func(e ast.Expr) bool {
		n, ok := types.Unalias(info.TypeOf(e)).(*types.Named)
		return ok && isOwn(n) && types.IsInterface(n)
	}
	if own(b.X) && own(b.Y) {
		return &refusal{b.OpPos, "comparing two values of the cell's own interface is not supported by this interpreter: compare what is in them"}
	}
	if empty(b.X) && empty(b.Y) {
		return &refusal{b.OpPos, "comparing two values of type any is not supported by this interpreter, which cannot tell the cell's own types apart: assert their types first"}
	}
	return nil
}

// assertsRecovered refuses recover().(T) for a type of the notebook.
func assertsRecovered(a *ast.TypeAssertExpr, info *types.Info) *refusal {
	c, ok := a.X.(*ast.CallExpr)
	if !ok || a.Type == nil {
		return nil
	}
	if name, _ := isBare(c.Fun); name != "recover" {
		return nil
	}
	if own := ownType(info.TypeOf(a.Type), map[types.Type]bool{}, func(*types.Named) bool { return true }); own != "" {
		return &refusal{a.Pos(), "a recovered value of the cell's own type " + own + " cannot be recognised by this interpreter: panic with a pointer or a string"}
	}
	return nil
}

// fallsToDefault refuses a fallthrough into a default that is not the last
// clause: the interpreter moves it to the end.
func fallsToDefault(s *ast.SwitchStmt) *refusal {
	list := s.Body.List
	for i := 0; i+2 < len(list); i++ {
		body := list[i].(*ast.CaseClause).Body
		if len(body) == 0 || list[i+1].(*ast.CaseClause).List != nil {
			continue
		}
		if b, ok := body[len(body)-1].(*ast.BranchStmt); ok && b.Tok == token.FALLTHROUGH {
			return &refusal{b.Pos(), "fallthrough into a default that is not the last clause is not supported by this interpreter: put default last"}
		}
	}
	return nil
}

// panicsInDefer refuses a deferred function that panics again.
func panicsInDefer(d *ast.DeferStmt) (found *refusal) {
	lit, ok := d.Call.Fun.(*ast.FuncLit)
	if !ok {
		return nil
	}
	ast.Inspect(lit.Body, func(n ast.Node) bool {
		if c, ok := n.(*ast.CallExpr); ok && found == nil {
			if name, _ := isBare(c.Fun); name == "panic" {
				found = &refusal{c.Pos(), "a panic in a deferred function is not supported by this interpreter: return an error"}
			}
		}
		_, inner := n.(*ast.FuncLit)
		return found == nil && !inner
	})
	return found
}

// returnsNil refuses to return a pointer that is nil for certain as an
// interface: in Go that is not nil, in the interpreter it is.
func returnsNil(t *ast.FuncType, body *ast.BlockStmt, info *types.Info) (found *refusal) {
	if body == nil || t.Results == nil {
		return nil
	}
	var results []types.Type
	for _, f := range t.Results.List {
		for range max(1, len(f.Names)) {
			results = append(results, info.TypeOf(f.Type))
		}
	}
	ast.Inspect(body, func(n ast.Node) bool {
		ret, ok := n.(*ast.ReturnStmt)
		if !ok || found != nil || len(ret.Results) != len(results) {
			_, inner := n.(*ast.FuncLit)
			return found == nil && !inner
		}
		for i, e := range ret.Results {
			id, bare := e.(*ast.Ident)
			if !bare || results[i] == nil || !types.IsInterface(results[i]) {
				continue
			}
			v, isVar := info.Uses[id].(*types.Var)
			if !isVar || !body.Pos().IsValid() || v.Pos() < body.Pos() || body.End() < v.Pos() {
				continue
			}
			if _, pointer := v.Type().Underlying().(*types.Pointer); pointer && !given(body, id.Name) {
				found = &refusal{id.Pos(), id.Name + " is a nil pointer here; returned as an interface it would be nil in this interpreter, but not in Go: return nil"}
			}
		}
		return found == nil
	})
	return found
}

// given says whether body gives a variable a value, or lets others do so.
func given(body *ast.BlockStmt, name string) bool {
	if changed(body, name) || captured(body, name) {
		return true
	}
	is := func(id *ast.Ident) bool { return id.Name == name }
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			found = found || len(n.Values) > 0 && slices.ContainsFunc(n.Names, is)
		case *ast.AssignStmt:
			found = found || slices.ContainsFunc(declaredVars(n), func(s string) bool { return s == name })
		case *ast.RangeStmt:
			for _, v := range rangeVars(n) {
				found = found || is(v)
			}
		}
		return !found
	})
	return found
}

// defersChanged refuses to defer a function variable that the function also
// assigns to: the interpreter would call the later one.
func defersChanged(body *ast.BlockStmt, info *types.Info) (found *refusal) {
	if body == nil {
		return nil
	}
	ast.Inspect(body, func(n ast.Node) bool {
		d, ok := n.(*ast.DeferStmt)
		if !ok || found != nil {
			return found == nil
		}
		if name, bare := isBare(d.Call.Fun); bare {
			if _, isVar := info.Uses[d.Call.Fun.(*ast.Ident)].(*types.Var); isVar && changed(body, name) {
				found = &refusal{d.Pos(), "to defer " + name + ", which changes in the function, is not supported by this interpreter: copy it to another variable first"}
			}
		}
		return true
	})
	return found
}

// assertsPrinter refuses to recognise a type of the notebook that has a String
// or Error method in an interface: the interpreter wraps such values.
func assertsPrinter(t ast.Expr, inSwitch bool, info *types.Info) *refusal {
	if t == nil || info.TypeOf(t) == nil {
		return nil
	}
	named := types.Unalias(info.TypeOf(t))
	if p, ok := named.(*types.Pointer); ok {
		if !inSwitch {
			return nil // this works
		}
		named = types.Unalias(p.Elem())
	}
	n, ok := named.(*types.Named)
	if !ok || !isOwn(n) || types.IsInterface(n) || !prints(info.TypeOf(t)) {
		return nil
	}
	what := "an assertion to " + n.Obj().Name()
	if inSwitch {
		what = "a type switch with " + n.Obj().Name()
	}
	return &refusal{t.Pos(), what + ", which has a String or Error method, is not supported by this interpreter: use pointers and v, ok := x.(*" + n.Obj().Name() + ")"}
}

// switchesPrinters looks at the cases of a type switch.
func switchesPrinters(s *ast.TypeSwitchStmt, info *types.Info) *refusal {
	for _, c := range s.Body.List {
		for _, t := range c.(*ast.CaseClause).List {
			if r := assertsPrinter(t, true, info); r != nil {
				return r
			}
		}
	}
	return nil
}

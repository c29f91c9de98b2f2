package eval

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
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
				found = assertsRecovered(n, info)
			case *ast.SwitchStmt:
				found = fallsToDefault(n)
			case *ast.DeferStmt:
				found = panicsInDefer(n)
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
		i, ok := t.Underlying().(*types.Interface)
		return ok && i.NumMethods() == 0
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

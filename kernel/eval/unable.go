package eval

import (
	"fmt"
	"go/ast"
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

package eval

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// A function value is bound to the functions that it was compiled with. Where a
// cell defines one of these again, a variable that holds the value goes on with
// the former one; the session knows which variables these are, and says so.

// keepers notes, for the variables that a statement gives a value, the names that
// function literals in it use, and the functions that it takes without a call.
func (s *Session) keepers(st ast.Stmt) {
	given := targets(st)
	for name, whole := range given {
		if whole {
			delete(s.keeps, name)
		}
	}
	names, values := pairs(st)
	for name := range given {
		found := functionsIn(st)
		if i := slices.Index(names, name); i >= 0 {
			found = functionsIn(values[i])
		}
		if len(found) > 0 {
			if s.keeps[name] == nil {
				s.keeps[name] = map[string]bool{}
			}
			addAll(s.keeps[name], found)
		}
	}
}

// pairs are the names of a := and the value of each; none where it is the other
// way.
func pairs(st ast.Stmt) (names []string, values []ast.Expr) {
	a, ok := st.(*ast.AssignStmt)
	if !ok || a.Tok != token.DEFINE || len(a.Lhs) != len(a.Rhs) {
		return nil, nil
	}
	for _, l := range a.Lhs {
		name, _ := isBare(l)
		names = append(names, name)
	}
	return names, a.Rhs
}

// functionsIn is what function literals in n use, and names that n takes as they
// are, which may be functions.
func functionsIn(n ast.Node) map[string]bool {
	found := map[string]bool{}
	if id, ok := n.(*ast.Ident); ok {
		found[id.Name] = true
	}
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			addAll(found, uses(n.Body))
			return false
		case *ast.AssignStmt:
			for _, e := range n.Rhs {
				if name, bare := isBare(e); bare {
					found[name] = true
				}
			}
		}
		return true
	})
	return found
}

// targets are the variables to which a statement of the top of a cell gives a
// value, and whether nothing of the former value is left.
func targets(st ast.Stmt) map[string]bool {
	if b, ok := st.(*ast.BlockStmt); ok && len(b.List) > 0 {
		st = b.List[len(b.List)-1]
	}
	given := map[string]bool{}
	for _, name := range declaredVars(st) {
		given[name] = true
	}
	a, ok := st.(*ast.AssignStmt)
	if !ok || a.Tok == token.DEFINE {
		return given
	}
	used := map[string]bool{}
	for _, e := range a.Rhs {
		addAll(used, uses(e))
	}
	for _, l := range a.Lhs {
		if name, bare := isBare(l); bare {
			given[name] = !used[name]
		} else if name := base(l); name != "" {
			given[name] = false
		}
	}
	return given
}

// base is the variable that a place such as x.f[i] belongs to, or "".
func base(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.IndexExpr:
		return base(e.X)
	case *ast.SelectorExpr:
		return base(e.X)
	case *ast.ParenExpr:
		return base(e.X)
	case *ast.StarExpr:
		return base(e.X)
	}
	return ""
}

// keptFormer says in one line which variables go on with a former function when
// the items of a cell define it again; "" if none do.
func (s *Session) keptFormer(items []item) string {
	changed, given := map[string]bool{}, map[string]bool{}
	for _, it := range items {
		if it.stmt != nil {
			for name, whole := range targets(it.stmt) {
				given[name] = given[name] || whole
			}
			continue
		}
		if f, ok := it.decl.(*ast.FuncDecl); ok && f.Recv == nil {
			if old := s.decls[f.Name.Name]; old != nil && old.text != tokens(it.code) {
				changed[f.Name.Name] = true
			}
		}
	}
	if len(changed) == 0 {
		return ""
	}
	again := sorted(changed)
	for _, d := range s.dependents(again) {
		if d.fn.Recv == nil {
			changed[d.key] = true
		}
	}
	var kept []string
	for _, name := range sorted(s.keeps) {
		if s.vars[name] && !given[name] && overlap(s.keeps[name], changed) {
			kept = append(kept, name)
		}
	}
	if kept == nil {
		return ""
	}
	verb := "goes"
	if len(kept) > 1 {
		verb = "go"
	}
	return fmt.Sprintf("%s defined again; %s %s on with the former one until given a value again", strings.Join(again, ", "), strings.Join(kept, ", "), verb)
}

package eval

import (
	"go/ast"
	"go/token"
)

// refusal is code that is refused before anything runs.
type refusal struct {
	pos token.Pos
	msg string
}

func (r *refusal) Error() string { return r.msg }

// check finds what has no meaning at the top of a cell and what the
// interpreter would get wrong without a word. It stops at the first.
func check(p parsed) *refusal {
	for _, it := range p.items {
		var found *refusal
		if it.stmt != nil {
			found = checkTop(it.stmt)
		}
		if found == nil {
			found = checkInside(node(it))
		}
		if found != nil {
			return found
		}
	}
	return nil
}

// node is the syntax of an item.
func node(it item) ast.Node {
	if it.decl != nil {
		return it.decl
	}
	return it.stmt
}

// checkTop refuses statements that need a function around them.
func checkTop(s ast.Stmt) (found *refusal) {
	loops := 0
	var visit func(n ast.Node) bool
	inside := func(n ast.Node) bool {
		loops++
		for _, c := range children(n) {
			ast.Inspect(c, visit)
		}
		loops--
		return false
	}
	visit = func(n ast.Node) bool {
		if found != nil {
			return false
		}
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
			if n != nil && loops == 0 {
				return inside(n)
			}
		case *ast.ReturnStmt:
			found = &refusal{n.Pos(), "return outside a function: a cell has nothing to return to"}
		case *ast.DeferStmt:
			found = &refusal{n.Pos(), "defer outside a function: a cell does not end like a function; call it at the end, or use a function"}
		case *ast.BranchStmt:
			if n.Label == nil && loops == 0 {
				found = &refusal{n.Pos(), n.Tok.String() + " outside a loop"}
			}
		}
		return true
	}
	ast.Inspect(s, visit)
	return found
}

// children lists the nodes directly below n.
func children(n ast.Node) (all []ast.Node) {
	ast.Inspect(n, func(c ast.Node) bool {
		if c == n {
			return true
		}
		if c != nil {
			all = append(all, c)
		}
		return false
	})
	return all
}

// checkInside refuses, at any depth, what the interpreter is known to run
// wrongly.
func checkInside(root ast.Node) (found *refusal) {
	ast.Inspect(root, func(n ast.Node) bool {
		if found != nil {
			return false
		}
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Body != nil {
				found = checkFunc(n.Type, n.Body)
			}
		case *ast.FuncLit:
			found = checkFunc(n.Type, n.Body)
		case *ast.ForStmt:
			found = checkLoop(n, n.Body)
		case *ast.RangeStmt:
			found = checkLoop(n, n.Body)
		case *ast.IfStmt:
			found = checkInit(n.Init)
		case *ast.SwitchStmt:
			found = checkInit(n.Init)
		case *ast.TypeSwitchStmt:
			found = checkTypeSwitch(n)
		case *ast.CallExpr:
			found = checkNew(n)
		}
		return true
	})
	return found
}

// checkFunc refuses a function that can end without its results.
func checkFunc(t *ast.FuncType, body *ast.BlockStmt) *refusal {
	if t.Results == nil || ends(body, "") {
		return nil
	}
	return &refusal{body.Rbrace, "missing return"}
}

// checkLoop refuses defer in a loop, which would run with the values of the
// last round, and a loop variable that is both changed and captured.
func checkLoop(loop ast.Stmt, body *ast.BlockStmt) (found *refusal) {
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.DeferStmt:
			found = &refusal{n.Pos(), "defer in a loop is not supported in cells: move the body of the loop to a function"}
		}
		return found == nil
	})
	if f, ok := loop.(*ast.ForStmt); ok && found == nil {
		if found = checkInit(f.Init); found != nil {
			return found
		}
		for _, v := range loopVars(f) {
			if captured(body, v.Name) && changed(body, v.Name) {
				return &refusal{v.Pos(), "loop variable " + v.Name + " is changed in the loop and kept by a function or pointer: copy it to another variable first (this interpreter keeps one for all rounds)"}
			}
		}
	}
	return found
}

// checkInit refuses the one form of a header that the interpreter gets wrong.
func checkInit(init ast.Stmt) *refusal {
	if a, ok := init.(*ast.AssignStmt); ok && mixed(a.Rhs) {
		return &refusal{a.Pos(), "a composite literal beside another value is not supported in the header of a statement: assign it before"}
	}
	return nil
}

// checkTypeSwitch refuses "case error", which never matches in the
// interpreter.
func checkTypeSwitch(s *ast.TypeSwitchStmt) *refusal {
	for _, c := range s.Body.List {
		for _, t := range c.(*ast.CaseClause).List {
			if name, ok := isBare(t); ok && name == "error" {
				return &refusal{t.Pos(), "case error is not supported in cells: test with err, ok := v.(error) before the switch"}
			}
		}
	}
	return nil
}

// checkNew refuses new(value), of Go 1.26, which would give zero.
func checkNew(c *ast.CallExpr) *refusal {
	if name, ok := isBare(c.Fun); !ok || name != "new" || len(c.Args) != 1 {
		return nil
	}
	switch a := c.Args[0].(type) {
	case *ast.BasicLit, *ast.CallExpr, *ast.BinaryExpr, *ast.UnaryExpr, *ast.CompositeLit, *ast.FuncLit:
		return &refusal{a.Pos(), "new(value) is not supported in cells: assign the value to a variable and take its address"}
	}
	return nil
}

// ends says whether a statement is terminating in the sense of the Go
// specification: control does not flow behind it.
func ends(s ast.Stmt, label string) bool {
	switch s := s.(type) {
	case *ast.ReturnStmt:
		return true
	case *ast.BranchStmt:
		return s.Tok == token.GOTO || s.Tok == token.FALLTHROUGH
	case *ast.ExprStmt:
		if c, ok := s.X.(*ast.CallExpr); ok {
			name, _ := isBare(c.Fun)
			return name == "panic"
		}
	case *ast.BlockStmt:
		return listEnds(s.List)
	case *ast.IfStmt:
		return s.Else != nil && ends(s.Body, "") && ends(s.Else, "")
	case *ast.ForStmt:
		return s.Cond == nil && !breaks(s.Body, label, true)
	case *ast.LabeledStmt:
		return ends(s.Stmt, s.Label.Name)
	case *ast.SwitchStmt:
		return clausesEnd(s.Body, label, false)
	case *ast.TypeSwitchStmt:
		return clausesEnd(s.Body, label, false)
	case *ast.SelectStmt:
		return clausesEnd(s.Body, label, true)
	}
	return false
}

func listEnds(list []ast.Stmt) bool {
	return len(list) > 0 && ends(list[len(list)-1], "")
}

// clausesEnd says whether all clauses end, and one of them always holds.
func clausesEnd(body *ast.BlockStmt, label string, always bool) bool {
	for _, c := range body.List {
		var list []ast.Stmt
		switch c := c.(type) {
		case *ast.CaseClause:
			list = c.Body
			always = always || c.List == nil
		case *ast.CommClause:
			list = c.Body
		}
		if !listEnds(list) {
			return false
		}
	}
	return always && !breaks(body, label, true)
}

// breaks says whether a break in s leaves the statement around it, which may
// have a label; plain: an unlabelled break does so too.
func breaks(s ast.Stmt, label string, plain bool) (found bool) {
	ast.Inspect(s, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.BranchStmt:
			if n.Tok == token.BREAK && (n.Label == nil && plain || n.Label != nil && n.Label.Name == label) {
				found = true
			}
		case *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
			for _, c := range children(n) {
				if inner, ok := c.(ast.Stmt); ok && breaks(inner, label, false) {
					found = true
				}
			}
			return false
		}
		return true
	})
	return found
}

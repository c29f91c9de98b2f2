package eval

import "go/ast"

// ordered puts the items of a cell into the order in which they can run. It is
// that of the cell, except that what a statement calls comes before it: a
// function that uses variables of the cell, and those variables, when they are
// declared by var. In a program variables come before those that use them. So a pasted file of Go initialises as a package does:
//
//	var A = look(1)                                 3
//	var table = map[int]int{1: 20}                  1
//	func look(k int) int { return table[k] }        2
func ordered(items []item, program bool) []item {
	late := lateDecls(items)
	if len(late) == 0 && !program {
		return items
	}
	by := map[string]int{} // name → the item that declares it
	for i, it := range items {
		if it.decl != nil {
			for _, key := range declKeys(it.decl) {
				by[key] = i
			}
		} else if _, isVar := it.stmt.(*ast.DeclStmt); isVar {
			for _, name := range declaredVars(it.stmt) {
				if _, again := by[name]; !again {
					by[name] = i
				}
			}
		}
	}
	var out []item
	done := make([]bool, len(items))
	var visit func(i int)
	visit = func(i int) {
		if done[i] {
			return
		}
		done[i] = true
		for _, name := range sorted(usesOf(items[i])) {
			j, here := by[name]
			if here && (items[j].decl != nil && late[j] || items[j].decl == nil && (items[i].decl != nil || program && isDeclStmt(items[i].stmt))) {
				visit(j)
			}
		}
		it := items[i]
		it.semi = it.semi || i < len(items)-1 // only the cell's last item is its value
		out = append(out, it)
	}
	for i := range items {
		visit(i)
	}
	return out
}

// usesOf is the names that an item takes from around it.
func usesOf(it item) map[string]bool {
	if it.decl != nil {
		return outerUses(it.decl)
	}
	return uses(it.stmt)
}

package eval

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// redefinition is what a cell changes of earlier cells: types and generic
// functions that it declares in other words, and all that is built on them.
type redefinition struct {
	names map[string]bool // types and generic functions that are made anew
	items []item          // declarations of earlier cells that are made again
	keys  map[string]*known
	lost  []string // variables whose type is gone
	stale []string // declarations that no longer fit
}

// redefine finds what the items of a cell change; nil: nothing.
func (s *Session) redefine(items []item) *redefinition {
	if s.typing == nil {
		return nil
	}
	n := s.typing.names
	own := map[string]bool{}
	r := &redefinition{names: map[string]bool{}, keys: map[string]*known{}}
	for _, it := range items {
		if it.decl == nil {
			continue
		}
		for _, key := range declKeys(it.decl) {
			own[key] = true
		}
		s.changedBy(it, r.names)
	}
	if len(r.names) == 0 {
		return nil
	}
	for more := true; more; {
		more = false
		for _, key := range sorted(n.decls) {
			k := n.decls[key]
			if name := k.owner(); !r.names[name] && k.builtOn(r.names) {
				r.names[name], more = true, true
			}
		}
	}
	for _, key := range sorted(n.decls) {
		k := n.decls[key]
		if !own[key] && k.kind != token.CONST && (r.names[key] || r.names[k.of] || overlap(k.uses, r.names)) {
			r.keys[key] = k
		}
	}
	for _, name := range sorted(n.vars) {
		if overlap(n.vars[name].uses, r.names) && !own[name] {
			r.lost = append(r.lost, name)
		}
	}
	s.again(r)
	return r
}

// changedBy notes what an item declares in other words than before.
func (s *Session) changedBy(it item, names map[string]bool) {
	switch d := it.decl.(type) {
	case *ast.FuncDecl:
		old := s.decls[funcKey(d)]
		switch {
		case old == nil || old.text == tokens(it.code):
		case d.Recv != nil && (generic(d) || generic(old.fn) || shape(old.fn) != shape(d)):
			names[receiver(d).Name] = true
		case d.Recv == nil && (generic(d) || generic(old.fn)):
			names[d.Name.Name] = true
		}
	case *ast.GenDecl:
		if d.Tok != token.TYPE {
			return
		}
		for _, spec := range d.Specs {
			t := spec.(*ast.TypeSpec)
			if old, ok := s.types[t.Name.Name]; ok && old.text != specText(it, t) {
				names[t.Name.Name] = true
			}
		}
	}
}

// specText is one type of a declaration as tokens.
func specText(it item, t *ast.TypeSpec) string {
	base := int(it.decl.Pos())
	return tokens(it.code[int(t.Pos())-base : int(t.End())-base])
}

// owner is what has to be made anew when k changes its form: a type or a
// generic function; "" for other functions, which can be declared over.
func (k *known) owner() string {
	f, isFunc := k.decl.(*ast.FuncDecl)
	switch {
	case k.kind == token.CONST || isFunc && f.Recv == nil && !generic(f):
		return ""
	case isFunc && f.Recv != nil:
		return k.of
	}
	return k.key
}

// builtOn says whether the form of k, not only its body, uses one of names.
func (k *known) builtOn(names map[string]bool) bool {
	f, isFunc := k.decl.(*ast.FuncDecl)
	switch {
	case k.owner() == "":
		return false
	case isFunc && f.Recv != nil:
		return overlap(uses(f.Type), names)
	}
	return overlap(k.uses, names)
}

// again parses the declarations of r once more, in the order of their cells.
func (s *Session) again(r *redefinition) {
	r.items = nil
	var list []*known
	for _, key := range sorted(r.keys) {
		list = append(list, r.keys[key])
	}
	slices.SortStableFunc(list, func(a, b *known) int { return a.seq - b.seq })
	done := map[string]bool{}
	for _, k := range list {
		if id := fmt.Sprint(k.at, k.kind); k.kind == token.TYPE {
			if done[id] {
				continue
			}
			done[id] = true
		}
		d, err := parseDecl(s.interp.FileSet(), k.at, k.code)
		if err != nil {
			continue
		}
		if g, ok := d.(*ast.GenDecl); ok { // of its types, those that still hold
			g.Specs = slices.DeleteFunc(g.Specs, func(spec ast.Spec) bool {
				t, isType := spec.(*ast.TypeSpec)
				return !isType || r.keys[t.Name.Name] == nil
			})
		}
		r.items = append(r.items, item{piece: piece{tok: k.kind}, decl: d, code: k.code})
	}
}

// without drops from r the declarations that faults lie in, and says whether
// there were any: then the rest is to be checked again.
func (s *Session) without(r *redefinition, list []fault) (again bool) {
	for _, f := range list {
		for _, it := range r.items {
			if f.pos < it.decl.Pos() || it.decl.End() < f.pos {
				continue
			}
			for _, key := range declKeys(it.decl) {
				if r.keys[key] != nil {
					delete(r.keys, key)
					r.stale = append(r.stale, key)
					again = true
				}
			}
		}
	}
	if again {
		s.again(r)
	}
	return again
}

// notice says in one line what a redefinition has made anew and what is gone.
func (r *redefinition) notice() string {
	var parts []string
	keys := sorted(r.keys)
	if len(keys) > 0 {
		parts = append(parts, "made again: "+strings.Join(keys, ", "))
	}
	if len(r.stale) > 0 {
		slices.Sort(r.stale)
		parts = append(parts, "no longer fits and is gone: "+strings.Join(r.stale, ", "))
	}
	if len(r.lost) > 0 {
		parts = append(parts, "of the former type and gone: "+strings.Join(r.lost, ", "))
	}
	return strings.Join(parts, "; ")
}

// begin makes room for what r makes anew. What it returns brings the former
// state back.
func (s *Session) begin(r *redefinition) (undo func()) {
	back := s.in.forget(r.names)
	types, decls := map[string]decl{}, map[string]*decl{}
	for name := range r.names {
		if t, ok := s.types[name]; ok {
			types[name] = t
			delete(s.types, name)
		}
	}
	for key, d := range s.decls {
		of := ""
		if t := receiver(d.fn); t != nil {
			of = t.Name
		}
		if r.names[key] || r.names[of] || slices.Contains(r.stale, key) {
			decls[key] = d
			delete(s.decls, key)
		}
	}
	return func() {
		back()
		for name, t := range types {
			s.types[name] = t
		}
		for key, d := range decls {
			s.decls[key] = d
		}
	}
}

// finish takes what is gone out of the notebook's names.
func (s *Session) finish(r *redefinition) {
	s.typing.mu.Lock()
	defer s.typing.mu.Unlock()
	for _, name := range r.lost {
		delete(s.typing.names.vars, name)
		delete(s.vars, name)
	}
	for _, key := range r.stale {
		delete(s.typing.names.decls, key)
	}
	s.typing.scope = nil
	if text := r.notice(); text != "" {
		fmt.Fprintln(s.stderr, strings.Join(sorted(r.names), ", ")+" defined again; "+text)
	}
}

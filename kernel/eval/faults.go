package eval

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"
)

// faults is what the checker found wrong in a cell.
type faults struct {
	list  []fault
	names func() []string // that the cell could have meant
	in    func(pkg string) []string
	of    func(pos token.Pos) []string // fields and methods of the value or literal whose member stands at pos
	known func(pkg string) (path string, imported bool)
}

func (f *faults) Error() string { return f.list[0].msg }

const maxFaults = 10

// faultError is the error of a cell that does not type-check: each fault with
// its line and a caret, as compilers do.
func (s *Session) faultError(f *faults) *Error {
	first := s.interp.FileSet().Position(f.list[0].pos)
	e := &Error{Name: nameCompile, Message: f.words(f.list[0])}
	s.locate(e, first)
	told := map[string]bool{}
	for i, one := range f.list {
		if i == maxFaults {
			e.Traceback = append(e.Traceback, fmt.Sprintf("too many errors: %d more", len(f.list)-i))
			break
		}
		pos := s.interp.FileSet().Position(one.pos)
		line := s.place(pos) + ": " + f.words(one)
		if told[line] {
			continue
		}
		told[line] = true
		e.Traceback = append(e.Traceback, line)
		e.Traceback = append(e.Traceback, s.quote(pos)...)
	}
	if n := len(told); n > 1 {
		e.Message = fmt.Sprintf("%s (and %d more)", e.Message, n-1)
	}
	return e
}

var (
	undefinedName = regexp.MustCompile(`^undefined: (\pL[\pL\pN_]*)$`)
	declaredAt    = regexp.MustCompile(` \(declared at [^)]*\)`)
	undefinedIn   = regexp.MustCompile(`^undefined: (\pL[\pL\pN_]*)\.(\pL[\pL\pN_]*)$`)
	noMember      = regexp.MustCompile(`has no field or method (\pL[\pL\pN_]*)\)$|^unknown field (\pL[\pL\pN_]*) in struct literal`)
)

// words is a message of the checker in the words of a notebook, with a hint
// where one name is close to another.
func (f *faults) words(one fault) string {
	msg := declaredAt.ReplaceAllString(strings.ReplaceAll(one.msg, prefix, ""), "")
	if m := undefinedName.FindStringSubmatch(msg); m != nil {
		if path, imported := f.known(m[1]); path != "" && !imported {
			return fmt.Sprintf("%s (add: import %q)", msg, path)
		}
		return msg + meant(m[1], f.names())
	}
	if m := undefinedIn.FindStringSubmatch(msg); m != nil {
		hint := meant(m[2], f.in(m[1]))
		return msg + strings.Replace(hint, "mean ", "mean "+m[1]+".", 1)
	}
	if m := noMember.FindStringSubmatch(msg); m != nil {
		return msg + meant(m[1]+m[2], f.of(one.pos))
	}
	return msg
}

// membersAt lists what could stand at pos, behind the dot of a value or as a
// field in a literal, from what is known of the items.
func membersAt(items []item, info *types.Info, pos token.Pos) (names []string) {
	for _, it := range items {
		ast.Inspect(node(it), func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if n.Sel.Pos() == pos {
					names = members(info.TypeOf(n.X), true)
				}
			case *ast.CompositeLit:
				for _, e := range n.Elts {
					if e.Pos() == pos {
						names = members(info.TypeOf(n), false)
					}
				}
			}
			return names == nil
		})
	}
	return names
}

// members lists the fields of a type, or of what it points to, that a cell may
// name, and its methods where these count.
func members(t types.Type, methods bool) (names []string) {
	if t == nil {
		return nil
	}
	add := func(o types.Object) {
		if o.Exported() || o.Pkg() != nil && o.Pkg().Path() == "main" {
			names = append(names, o.Name())
		}
	}
	at := t
	if p, ok := t.Underlying().(*types.Pointer); ok {
		at = p.Elem()
	}
	if s, ok := at.Underlying().(*types.Struct); ok {
		for f := range s.Fields() {
			add(f)
			if f.Embedded() && methods {
				names = append(names, members(f.Type(), false)...)
			}
		}
	}
	if methods {
		if !types.IsInterface(at) {
			t = types.NewPointer(at)
		}
		for m := range types.NewMethodSet(t).Methods() {
			add(m.Obj())
		}
	}
	return names
}

// meant is " (did you mean x?)" for the name that is closest to name, or "".
func meant(name string, names []string) string {
	best, distance := "", 1+len(name)/3 // a name of one or two letters is close to none
	for _, n := range names {
		if strings.HasPrefix(n, prefix) {
			continue
		}
		d := edits(strings.ToLower(name), strings.ToLower(n))
		if n != name && d < distance {
			best, distance = n, d
		}
	}
	if best == "" {
		return ""
	}
	return " (did you mean " + best + "?)"
}

// edits is the number of letters to insert, drop, change or swap with the
// neighbour between a and b (optimal string alignment).
func edits(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x)-len(y) > 3 || len(y)-len(x) > 3 {
		return 99
	}
	rows := [3][]int{make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := range x {
		before, last, now := rows[0], rows[1], rows[2]
		now[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			now[j+1] = min(last[j+1]+1, now[j]+1, last[j]+cost)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				now[j+1] = min(now[j+1], before[j-1]+1)
			}
		}
		rows = [3][]int{last, now, before}
	}
	return rows[1][len(y)]
}

// namesIn lists what can be said in a package, at the top.
func namesIn(p *types.Package, exported bool) (names []string) {
	for _, n := range p.Scope().Names() {
		if !exported || token.IsExported(n) {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names
}

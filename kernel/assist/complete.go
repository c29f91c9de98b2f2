package assist

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Match is one way to go on.
type Match struct {
	Text   string
	Kind   string // "function", "variable", "type", "package", "keyword", "field", "method", "constant", "command" or "path"
	Detail string // signature or type
}

// Completion is what could replace the bytes from Start to End of a cell,
// the best first.
type Completion struct {
	Start, End int
	Matches    []Match
}

// Complete lists what could stand at the cursor, which counts bytes. A name
// that goes on behind the cursor is replaced as a whole.
func Complete(env Env, code string, cursor int) Completion {
	cell := read(code)
	cursor = clamp(cell.text, cursor)
	for _, c := range cell.commands {
		if c.off < cursor && cursor <= c.end {
			return completeCommand(env, code, c, cursor)
		}
	}
	if i := holder(cell.lex, cursor); i >= 0 {
		return completeLiteral(env, cell, i, cursor)
	}
	at := span{cursor, cursor}
	if i := wordAt(cell.lex, cursor); i >= 0 {
		at = cell.lex[i].span
	}
	l := list{prefix: cell.text[at.off:cursor], seen: map[string]bool{}}
	if prev := before(cell.lex, at.off); !names(cell.lex, prev, at.off) {
		text := cell.text[:at.off] + cursorName + cell.text[at.end:]
		if at.end == cursor && cursor < len(cell.text) && !strings.ContainsAny(cell.text[cursor:cursor+1], "\n;,.)]}") {
			text = cell.text[:at.off] + cursorName + " " + cell.text[at.end:]
		}
		v := newView(env, text, span{at.off, at.off + len(cursorName)})
		if prev >= 0 && cell.lex[prev].tok == token.PERIOD {
			l.selected(v)
		} else if !l.keys(v) {
			l.inScope(v)
		}
	}
	return Completion{at.off, at.end, l.sorted()}
}

// names says whether at off a cell gives a name of its own, so that there is
// nothing to offer. prev is the token before.
func names(lex []lexeme, prev, off int) bool {
	if prev < 0 {
		return false
	}
	switch l := lex[prev]; l.tok {
	case token.INT, token.FLOAT, token.IMAG:
		return l.end == off
	case token.TYPE:
		return prev == 0 || lex[prev-1].tok != token.LPAREN
	case token.FUNC:
		return prev == 0 || lex[prev-1].tok == token.SEMICOLON || lex[prev-1].tok == token.COMMENT
	case token.VAR, token.CONST, token.PACKAGE, token.GOTO, token.BREAK, token.CONTINUE, token.IMPORT:
		return true
	}
	return inImport(lex, prev+1)
}

// How good a match is; less is better.
const (
	rankLocal = iota
	rankVariable
	rankDeclared
	rankImported
	rankMember
	rankBuiltin
	rankImportable
	rankKeyword
)

// list collects matches.
type list struct {
	prefix string
	all    []ranked
	seen   map[string]bool
}

type ranked struct {
	Match
	rank int
}

// add takes m if it fits and is the first of its text: what shadows comes
// before what it shadows.
func (l *list) add(rank int, m Match) {
	if l.seen[m.Text] || m.Text == "" || m.Text == "_" || strings.HasPrefix(m.Text, hidden) {
		return
	}
	l.seen[m.Text] = true
	if hasFold(m.Text, l.prefix) {
		l.all = append(l.all, ranked{m, rank})
	}
}

// hasFold says whether s begins with prefix in any case.
func hasFold(s, prefix string) bool {
	return strings.HasPrefix(s, prefix) || len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// sorted is the matches, the best first.
func (l *list) sorted() []Match {
	other := func(m ranked) int {
		if strings.HasPrefix(m.Text, l.prefix) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(l.all, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(other(a), other(b)), cmp.Compare(a.rank, b.rank),
			strings.Compare(strings.ToLower(a.Text), strings.ToLower(b.Text)), strings.Compare(a.Text, b.Text))
	})
	matches := make([]Match, len(l.all))
	for i, m := range l.all {
		matches[i] = m.Match
	}
	return matches
}

// object takes a declared thing.
func (l *list) object(rank int, obj types.Object) {
	l.add(rank, Match{obj.Name(), kindOf(obj), detailOf(obj)})
}

// inScope takes what a bare name could mean.
func (l *list) inScope(v *view) {
	for s, pos := v.local(); s != nil; s = s.Parent() {
		for _, name := range s.Names() {
			if obj := s.Lookup(name); v.visible(s, obj, pos) {
				l.object(v.rank(s, obj), obj)
			}
		}
	}
	for name, path := range v.env.Imports {
		if v.lookup(name) == nil {
			l.add(rankImported, Match{name, "package", strconv.Quote(path)})
		}
	}
	if l.prefix != "" {
		l.importable(v.env)
	}
	for _, word := range slices.Sorted(maps.Keys(keywords)) {
		l.add(rankKeyword, Match{word, "keyword", ""})
	}
}

// rank is how near an object of scope s is.
func (v *view) rank(s *types.Scope, obj types.Object) int {
	switch obj.(type) {
	case *types.PkgName:
		return rankImported
	case *types.Var:
		if !v.inFunc(s) {
			return rankVariable
		}
	}
	switch {
	case v.inFunc(s):
		return rankLocal
	case s == types.Universe:
		return rankBuiltin
	}
	return rankDeclared
}

// importable takes the packages that no cell has imported yet.
func (l *list) importable(env Env) {
	for name, paths := range importable(env) {
		if !hasFold(name, l.prefix) {
			continue
		}
		slices.SortFunc(paths, func(a, b string) int {
			return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
		})
		l.add(rankImportable, Match{name, "package", notImported(paths...)})
	}
}

// notImported is the detail of a package that must be imported first.
func notImported(paths ...string) string {
	quoted := make([]string, len(paths))
	for i, p := range paths {
		quoted[i] = strconv.Quote(p)
	}
	return "not imported: import " + strings.Join(quoted, " or ")
}

// keys takes the field names of the struct literal around the cursor, and
// says whether nothing else can stand there.
func (l *list) keys(v *view) bool {
	path := v.path()
	if len(path) < 2 {
		return false
	}
	lit, only := path[1], false
	if kv, ok := lit.(*ast.KeyValueExpr); ok && len(path) > 2 {
		if kv.Key != path[0] {
			return false
		}
		lit, only = path[2], true
	}
	c, ok := lit.(*ast.CompositeLit)
	if !ok || c.Type == path[0] {
		return false
	}
	st := structOf(v.info.TypeOf(c))
	if st == nil {
		return false
	}
	used := map[string]bool{}
	for _, e := range c.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			only = true
			if id, ok := kv.Key.(*ast.Ident); ok && id != path[0] {
				used[id.Name] = true
			}
		}
	}
	for f := range st.Fields() {
		if v.accessible(f) && !used[f.Name()] {
			l.add(rankLocal-1, Match{f.Name(), "field", typeString(f.Type())})
		}
	}
	return only
}

// structOf is the struct that t is or points to, or nil.
func structOf(t types.Type) *types.Struct {
	if t == nil {
		return nil
	}
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	st, _ := t.Underlying().(*types.Struct)
	return st
}

// accessible says whether cells may name obj.
func (v *view) accessible(obj types.Object) bool {
	return obj.Exported() || obj.Pkg() != nil && obj.Pkg().Path() == "main"
}

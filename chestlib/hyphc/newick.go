package hyphc

import (
	"fmt"
	"strconv"
	"strings"
)

// Newick returns the tree in Newick's format, with branch lengths, the
// differences of heights:
//
//	((ant:1,bee:1):2.5,'sea horse':3.5);
//
// names is the name of each leaf; nil means the numbers from 0. A name with a
// blank, an underscore (which would be read as a blank), a quote, a control
// character or one of ()[]{}:;,= is put in quotes, quotes in it are doubled;
// the empty name is ”. The empty tree is ";".
//
// Newick panics if there is not one name a leaf.
//
// Source: J. Felsenstein et al., "The Newick tree format" (1986); G. Olsen's
// interpretation of it (1990).
func (t *Tree) Newick(names []string) string {
	if names != nil && len(names) != t.n {
		panic(fmt.Sprintf("hyphc: Newick: %d names for %d leaves", len(names), t.n))
	}
	var b strings.Builder
	if t.n > 0 {
		t.newick(&b, t.Nodes()-1, names)
	}
	b.WriteByte(';')
	return b.String()
}

// newick writes the part of the tree below node and its branch.
func (t *Tree) newick(b *strings.Builder, node int, names []string) {
	switch {
	case node >= t.n:
		m := t.merges[node-t.n]
		b.WriteByte('(')
		t.newick(b, m.A, names)
		b.WriteByte(',')
		t.newick(b, m.B, names)
		b.WriteByte(')')
	case names == nil:
		b.WriteString(strconv.Itoa(node))
	default:
		b.WriteString(label(names[node]))
	}
	if up := t.parent[node]; up >= 0 {
		b.WriteByte(':')
		b.WriteString(strconv.FormatFloat(t.Height(up)-t.Height(node), 'g', -1, 64))
	}
}

// label quotes a name where it must be.
func label(name string) string {
	special := func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune("_'\"()[]{}:;,=", r) }
	if name != "" && !strings.ContainsFunc(name, special) {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", "''") + "'"
}

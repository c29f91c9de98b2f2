package assist

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"slices"
	"strings"
)

// part is a piece as syntax, or as much of it as could be made out.
type part struct {
	piece
	src   string    // what was parsed: the piece, maybe cut and closed
	base  token.Pos // of the first byte of src
	decls []ast.Decl
	stmts []ast.Stmt
	clean bool // it parsed without errors
	bad   int  // where in src the first error is
}

// pos is the position of a byte of the cell.
func (p part) pos(off int) token.Pos { return p.base + token.Pos(off-p.off) }

// text is the source between two positions of the part.
func (p part) text(from, to token.Pos) string {
	lo, hi := int(from-p.base), int(to-p.base)
	if lo < 0 || hi > len(p.src) || lo > hi {
		return ""
	}
	return p.src[lo:hi]
}

const (
	declHead = "package main\n" // a comment behind a semicolon would belong to the line
	stmtHead = "package main;func _(){"
	mode     = parser.ParseComments | parser.SkipObjectResolution | parser.AllErrors
)

// parses says whether s is a list of statements.
func parses(s string) bool {
	_, err := parser.ParseFile(token.NewFileSet(), "", stmtHead+s+"\n}", parser.SkipObjectResolution)
	return err == nil
}

// parsePart parses src, which stands for p, in the wrapper that fits it.
func parsePart(fset *token.FileSet, p piece, src string) part {
	q := part{piece: p, src: src}
	switch p.tok() {
	case token.EOF, token.PACKAGE:
		q.base, q.clean = token.Pos(fset.Base()), true
		fset.AddFile("", -1, len(src))
	case token.IMPORT, token.TYPE, token.CONST:
		q.parseDecl(fset)
	case token.FUNC:
		if namesFunc(p.lex) {
			q.parseDecl(fset)
		} else {
			q.parseStmt(fset)
		}
	default:
		q.parseStmt(fset)
	}
	return q
}

func (p *part) parseDecl(fset *token.FileSet) {
	p.base = token.Pos(fset.Base() + len(declHead))
	f, err := parser.ParseFile(fset, "", declHead+p.src, mode)
	p.judge(err, len(declHead))
	if f != nil {
		p.decls = f.Decls
	}
}

func (p *part) parseStmt(fset *token.FileSet) {
	p.base = token.Pos(fset.Base() + len(stmtHead))
	f, err := parser.ParseFile(fset, "", stmtHead+p.src+"\n}", mode)
	p.judge(err, len(stmtHead))
	if f == nil || len(f.Decls) == 0 {
		return
	}
	if wrapper, ok := f.Decls[0].(*ast.FuncDecl); ok && wrapper.Body != nil {
		p.stmts = wrapper.Body.List
	}
}

// judge keeps what the parser said of src behind a head of n bytes.
func (p *part) judge(err error, n int) {
	p.clean = err == nil
	if list, ok := err.(scanner.ErrorList); ok && len(list) > 0 {
		p.bad = min(max(list[0].Pos.Offset-n, 0), len(p.src))
	}
}

// namesFunc says whether a piece that begins with func declares a function or
// method, rather than being a function literal.
func namesFunc(lex []lexeme) bool {
	depth, seen := 0, false
	for _, l := range lex {
		switch l.tok {
		case token.FUNC:
			if seen && depth == 0 {
				return false
			}
			seen = true
		case token.LPAREN:
			depth++
		case token.RPAREN:
			depth--
		case token.IDENT:
			if depth <= 0 {
				return true
			}
		case token.COMMENT:
		default:
			if depth <= 0 {
				return false
			}
		}
	}
	return false
}

// parseAll parses the pieces of text; the one that holds at is closed behind
// it where it does not parse as it stands.
func parseAll(fset *token.FileSet, text string, lex []lexeme, at span) (all []part) {
	for _, p := range split(text, lex) {
		if p.off <= at.off && at.end <= p.end {
			all = append(all, parseAt(fset, text, p, at)...)
		} else {
			all = append(all, parseApart(fset, text, p)...)
		}
	}
	return all
}

// parseApart parses a piece without the cursor, line by line if it must.
func parseApart(fset *token.FileSet, text string, p piece) []part {
	q := parsePart(fset, p, text[p.off:p.end])
	if q.clean {
		return []part{q}
	}
	subs := columns(text, p)
	if len(subs) < 2 {
		return []part{q}
	}
	all := make([]part, len(subs))
	for i, s := range subs {
		all[i] = parsePart(fset, s, text[s.off:s.end])
	}
	return all
}

// parseAt parses the piece with the cursor: as it stands; else cut and closed
// behind the cursor; else line by line; else whatever the parser makes of it.
func parseAt(fset *token.FileSet, text string, p piece, at span) []part {
	q := parsePart(fset, p, text[p.off:p.end])
	if q.clean {
		return []part{q}
	}
	n := slices.IndexFunc(p.lex, func(l lexeme) bool { return l.off >= at.end })
	if n < 0 {
		n = len(p.lex)
	}
	head, tail := p.lex[:n], p.lex[n:]
	cut := part{piece: piece{span{p.off, at.end}, head}}
	for i, src := range []string{
		text[p.off:at.end] + closing(head, true),
		text[p.off:at.end] + closing(head, false),
		text[p.off:at.off] + closing(head, true),
	} {
		q := parsePart(fset, cut.piece, src)
		if q.clean {
			return append([]part{q}, declared(fset, text, tail)...)
		}
		if i == 0 {
			cut = q
		}
	}
	subs := columns(text, p)
	if len(subs) < 2 {
		return append([]part{without(fset, cut, at.off-p.off)}, declared(fset, text, tail)...)
	}
	var all []part
	for _, s := range subs {
		if s.off <= at.off && at.end <= s.end {
			all = append(all, parseAt(fset, text, s, at)...)
		} else {
			all = append(all, parsePart(fset, s, text[s.off:s.end]))
		}
	}
	return all
}

// maxBad is how many bad lines are left out before giving up.
const maxBad = 8

// without parses a part again without its bad lines, as long as they are above
// the cursor and close what they open.
func without(fset *token.FileSet, p part, cursor int) part {
	q := p
	for range maxBad {
		if q.clean {
			return q
		}
		from := strings.LastIndexByte(q.src[:q.bad], '\n') + 1
		n := strings.IndexByte(q.src[from:], '\n')
		if n <= 0 || from+n > cursor || !balanced(q.src[from:from+n]) {
			break
		}
		q = parsePart(fset, p.piece, q.src[:from]+strings.Repeat(" ", n)+q.src[from+n:])
	}
	return q
}

// balanced says whether a line closes the brackets that it opens.
func balanced(line string) bool {
	depth := 0
	for _, l := range scan(line) {
		switch l.tok {
		case token.LPAREN, token.LBRACK, token.LBRACE:
			depth++
		case token.RPAREN, token.RBRACK, token.RBRACE:
			if depth--; depth < 0 {
				return false
			}
		}
	}
	return depth == 0
}

// declared parses what the rest of a cut piece declares.
func declared(fset *token.FileSet, text string, rest []lexeme) (all []part) {
	if len(rest) == 0 {
		return nil
	}
	for _, s := range columns(text, newPiece(rest)) {
		if s.off > 0 && text[s.off-1] != '\n' || !declares(s.tok()) {
			continue
		}
		if q := parsePart(fset, s, text[s.off:s.end]); q.clean {
			all = append(all, q)
		}
	}
	return all
}

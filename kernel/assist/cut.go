package assist

import (
	"go/token"
	"strings"
)

// piece is one import, declaration or statement of a cell, with the comment
// above it.
type piece struct {
	span
	lex []lexeme // its tokens; the first is no comment unless all are
}

// tok is the first token that is no comment.
func (p piece) tok() token.Token {
	for _, l := range p.lex {
		if l.tok != token.COMMENT {
			return l.tok
		}
	}
	return token.EOF
}

// split cuts text at the semicolons, written or implied, that stand in no
// bracket. Those in the header of a for, if or switch do not count.
func split(text string, lex []lexeme) (all []piece) {
	for i := 0; i < len(lex); {
		if lex[i].tok == token.SEMICOLON {
			i++
			continue
		}
		j := pieceEnd(text, lex, i)
		all = append(all, newPiece(lex[i:j]))
		for i = j; i < len(lex) && lex[i].tok == token.COMMENT && !lineBetween(text, lex[max(i-1, 0)].end, lex[i].off); i++ {
		}
	}
	return all
}

func newPiece(lex []lexeme) piece {
	return piece{span{lex[0].off, lex[len(lex)-1].end}, lex}
}

func lineBetween(text string, from, to int) bool {
	return from < to && strings.Contains(text[from:to], "\n")
}

// maxTries is behind how many of its blocks a statement with a header is tried
// to end.
const maxTries = 8

// pieceEnd is the index behind the last token of the piece from i.
func pieceEnd(text string, lex []lexeme, i int) int {
	for i < len(lex) && lex[i].tok == token.COMMENT {
		i++
	}
	header := hasHeader(lex, i)
	depth, first, tries, body := 0, -1, 0, false
	for j := i; j < len(lex); j++ {
		switch lex[j].tok {
		case token.LPAREN, token.LBRACK, token.LBRACE:
			body = body || depth == 0 && lex[j].tok == token.LBRACE
			depth++
		case token.RPAREN, token.RBRACK, token.RBRACE:
			depth = max(depth-1, 0)
		case token.SEMICOLON:
			switch {
			case depth > 0:
			case !header, !body && lex[j].implied():
				return j
			case lex[j-1].tok == token.RBRACE:
				if parses(text[lex[i].off:lex[j-1].end]) {
					return j
				}
				if first < 0 {
					first = j
				}
				if tries++; tries == maxTries {
					return first
				}
			}
		}
	}
	if first >= 0 {
		return first
	}
	return len(lex)
}

// hasHeader says whether the piece from i is a statement whose header may hold
// semicolons, behind labels or not.
func hasHeader(lex []lexeme, i int) bool {
	for i+2 < len(lex) && lex[i].tok == token.IDENT && lex[i+1].tok == token.COLON {
		i += 2
	}
	if i >= len(lex) {
		return false
	}
	switch lex[i].tok {
	case token.FOR, token.IF, token.SWITCH:
		return true
	}
	return false
}

// columns cuts a piece that does not parse where a line begins in the first
// column with what can begin a piece: in formatted code nothing inside of
// brackets stands there.
func columns(text string, p piece) (all []piece) {
	start, bare := 0, true // bare: only comments so far
	for i, l := range p.lex {
		if i > start && !bare && starts(l.tok) && (l.off == 0 || text[l.off-1] == '\n') {
			all = append(all, newPiece(p.lex[start:i]))
			start, bare = i, true
		}
		bare = bare && l.tok == token.COMMENT
	}
	return append(all, newPiece(p.lex[start:]))
}

// starts says whether tok can begin a piece and seldom goes on with one.
func starts(tok token.Token) bool {
	switch tok {
	case token.ELSE, token.CASE, token.DEFAULT:
		return false
	case token.COMMENT, token.MUL, token.AND, token.LPAREN, token.ARROW, token.NOT:
		return true
	}
	return tok.IsKeyword() || tok.IsLiteral()
}

// declares says whether tok begins a declaration that holds in the whole cell.
func declares(tok token.Token) bool {
	switch tok {
	case token.IMPORT, token.TYPE, token.CONST, token.FUNC, token.VAR:
		return true
	}
	return false
}

// level is what is open at a place in a piece: a bracket and, inside of it,
// the begin of a statement.
type level struct {
	close  string // closes the bracket; "" for the piece itself
	open   int    // index of the bracket, -1 for the piece itself
	header bool   // a for, if, switch, select or else waits for its block
	fn     bool   // a func may wait for its body
	call   bool   // a go or defer may wait for the brackets of its call
	clause bool   // a case waits for its colon
}

// levels lists what the tokens leave open, the outermost first.
func levels(lex []lexeme) []level {
	all := []level{{open: -1}}
	for i, l := range lex {
		top := &all[len(all)-1]
		switch l.tok {
		case token.LPAREN:
			all = append(all, level{close: ")", open: i})
		case token.LBRACK:
			all = append(all, level{close: "]", open: i})
		case token.LBRACE:
			top.header, top.fn = false, false
			all = append(all, level{close: "}", open: i})
		case token.RPAREN, token.RBRACK, token.RBRACE:
			if len(all) > 1 && top.close == l.tok.String() {
				all = all[:len(all)-1]
			}
		case token.FOR, token.IF, token.SWITCH, token.SELECT, token.ELSE:
			top.header = true
		case token.SEMICOLON:
			top.fn, top.call = false, false
		case token.FUNC:
			top.fn = true
		case token.GO, token.DEFER:
			top.call = true
		case token.CASE, token.DEFAULT:
			top.clause = true
		case token.COLON:
			top.clause = false
		}
	}
	return all
}

// closing is what must follow the tokens so that they parse; bodies: each
// open func gets one.
func closing(lex []lexeme, bodies bool) string {
	var b strings.Builder
	all := levels(lex)
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].header || all[i].fn && bodies {
			b.WriteString(" {}")
		}
		if all[i].call {
			b.WriteString("()")
		}
		if all[i].clause {
			b.WriteString(":")
		}
		b.WriteString(all[i].close)
	}
	return b.String()
}

// match is the index of the bracket that the one at i closes, or -1.
func match(lex []lexeme, i int) int {
	depth := 0
	for ; i >= 0; i-- {
		switch lex[i].tok {
		case token.RPAREN, token.RBRACK, token.RBRACE:
			depth++
		case token.LPAREN, token.LBRACK, token.LBRACE:
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// operand is the index of the first token of the primary expression that ends
// with token i: a name, a chain of calls and selectors, a literal.
func operand(lex []lexeme, i int) int {
	for start := i; ; i = start - 1 {
		if i < 0 {
			return -1
		}
		switch lex[i].tok {
		case token.IDENT, token.STRING:
			start = i
		case token.RPAREN, token.RBRACK, token.RBRACE:
			open := match(lex, i)
			if open < 0 {
				return -1
			}
			start = open
			if open > 0 && (lex[open-1].isWord() || lex[open-1].tok == token.RBRACK || lex[open-1].tok == token.RPAREN) && !statement(lex[open-1].tok) {
				continue // what is called, indexed or made
			}
		default:
			return -1
		}
		if start == 0 || lex[start-1].tok != token.PERIOD {
			return start
		}
		start--
	}
}

// statement says whether tok is a keyword that an expression may follow.
func statement(tok token.Token) bool {
	return tok.IsKeyword() && tok != token.FUNC && tok != token.MAP && tok != token.STRUCT && tok != token.INTERFACE && tok != token.CHAN
}

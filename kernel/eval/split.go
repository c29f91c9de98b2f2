package eval

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"strings"
)

// piece is one import, declaration or statement of a cell.
type piece struct {
	tok   token.Token // the first token
	start int         // byte offset in the cell
	end   int         // behind the last token, without the semicolon
	semi  bool        // a written semicolon follows
}

// lexeme is one token with its place.
type lexeme struct {
	tok      token.Token
	off, end int
	lit      string
}

// normal is code as valid UTF-8 with plain line ends: the scanner drops the
// others from its literals, so that their length would be wrong.
func normal(code string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.ToValidUTF8(code, "\uFFFD"), "\r\n", "\n"), "\r", "\n")
}

// scan lists the tokens of code and the first error of the scanner.
func scan(code string) ([]lexeme, *scanner.Error) {
	var first *scanner.Error
	fset := token.NewFileSet()
	f := fset.AddFile("", -1, len(code))
	var s scanner.Scanner
	s.Init(f, []byte(code), func(pos token.Position, msg string) {
		if first == nil {
			first = &scanner.Error{Pos: pos, Msg: msg}
		}
	}, 0)
	var all []lexeme
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return all, first
		}
		off := f.Offset(pos)
		end := off + len(lit)
		if lit == "" {
			end = off + len(tok.String())
		}
		if tok == token.SEMICOLON && lit == "\n" {
			end = off
		}
		all = append(all, lexeme{tok, off, end, lit})
	}
}

// split cuts code at the semicolons, written or implied, that stand in no
// bracket. Those in the header of a for, if or switch do not count: such a
// statement ends at the first semicolon behind a } where it parses.
//
// split never fails; broken code gives pieces that do not parse.
func split(code string) []piece {
	lex, _ := scan(code)
	var pieces []piece
	for i := 0; i < len(lex); {
		if lex[i].tok == token.SEMICOLON {
			i++
			continue
		}
		j := pieceEnd(code, lex, i)
		p := piece{tok: lex[i].tok, start: lex[i].off, end: lex[j-1].end}
		p.semi = j < len(lex) && lex[j].lit == ";"
		pieces = append(pieces, p)
		i = j + 1
	}
	return pieces
}

// pieceEnd is the index of the semicolon that ends the piece from i, or
// len(lex).
func pieceEnd(code string, lex []lexeme, i int) int {
	header := hasHeader(lex, i)
	depth, first := 0, -1
	for j := i; j < len(lex); j++ {
		switch lex[j].tok {
		case token.LPAREN, token.LBRACK, token.LBRACE:
			depth++
		case token.RPAREN, token.RBRACK, token.RBRACE:
			depth = max(depth-1, 0)
		case token.SEMICOLON:
			if depth > 0 {
				continue
			}
			if !header {
				return j
			}
			if lex[j-1].tok != token.RBRACE {
				continue
			}
			if parses(code[lex[i].off:lex[j-1].end]) {
				return j
			}
			if first < 0 {
				first = j
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
	switch lex[i].tok {
	case token.FOR, token.IF, token.SWITCH:
		return true
	}
	return false
}

// parses says whether s is a list of statements.
func parses(s string) bool {
	_, err := parser.ParseFile(token.NewFileSet(), "", "package p;func _(){"+s+"\n}", parser.SkipObjectResolution)
	return err == nil
}

// Completeness says whether code is a whole cell.
type Completeness struct {
	Status string // "complete", "incomplete", "invalid" or "unknown"
	Indent string // of the next line, when incomplete
}

// IsComplete says whether code could be run as it stands: open brackets, raw
// strings and comments and a trailing operator ask for more lines.
func (s *Session) IsComplete(code string) Completeness {
	code = normal(code)
	lex, failed := scan(code)
	depth := 0
	for _, l := range lex {
		switch l.tok {
		case token.LPAREN, token.LBRACK, token.LBRACE:
			depth++
		case token.RPAREN, token.RBRACK, token.RBRACE:
			depth--
		}
		if depth < 0 {
			return Completeness{Status: "invalid"}
		}
	}
	if failed != nil {
		if strings.Contains(failed.Msg, "raw string literal not terminated") || strings.Contains(failed.Msg, "comment not terminated") {
			return Completeness{Status: "incomplete"}
		}
		return Completeness{Status: "invalid"}
	}
	if depth > 0 || len(lex) > 0 && continues(lex[len(lex)-1].tok) {
		return Completeness{Status: "incomplete", Indent: strings.Repeat("\t", max(depth, 1))}
	}
	if _, err := parse(token.NewFileSet(), "cell", code); err != nil {
		return Completeness{Status: "invalid"}
	}
	return Completeness{Status: "complete"}
}

// continues says whether a line that ends with tok goes on on the next.
func continues(tok token.Token) bool {
	switch tok {
	case token.ELSE, token.IMPORT, token.CASE, token.FOR, token.IF, token.SWITCH, token.SELECT, token.VAR, token.CONST, token.TYPE, token.FUNC, token.GO, token.DEFER, token.RANGE, token.PACKAGE:
		return true
	case token.SEMICOLON, token.RPAREN, token.RBRACK, token.RBRACE, token.INC, token.DEC, token.ELLIPSIS, token.ILLEGAL:
		return false
	}
	return tok.IsOperator()
}

// isBare says whether e is a plain name, and which.
func isBare(e ast.Expr) (string, bool) {
	id, ok := e.(*ast.Ident)
	if !ok {
		return "", false
	}
	return id.Name, true
}

package eval

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"strings"
	"unicode/utf8"
)

// item is a parsed piece: an import, a declaration of functions, types or
// constants, or a statement (variables among them).
type item struct {
	piece
	decl ast.Decl // nil: stmt holds
	stmt ast.Stmt
	code string
}

// parsed is a cell as syntax.
type parsed struct {
	items   []item
	program bool // it has a package clause: main runs
}

// parse splits code and parses its pieces. Their positions in fset are those
// of the cell, in a file called name.
func parse(fset *token.FileSet, name, code string) (parsed, error) {
	if err := brackets(name, code); err != nil {
		return parsed{}, err
	}
	var p parsed
	for i, c := range split(code) {
		if c.tok == token.PACKAGE && i == 0 && strings.Join(strings.Fields(code[c.start:c.end]), " ") == "package main" {
			p.program = true
			continue
		}
		it, err := parsePiece(fset, name, code, c)
		if err != nil {
			return parsed{}, err
		}
		p.items = append(p.items, it)
	}
	return p, nil
}

// brackets finds a bracket that closes nothing, which would end the wrapper
// of a piece, and errors of the scanner.
func brackets(name, code string) error {
	lex, failed := scan(code)
	if failed != nil {
		failed.Pos.Filename = name
		return failed
	}
	var open []token.Token
	for _, l := range lex {
		switch l.tok {
		case token.LPAREN, token.LBRACK, token.LBRACE:
			open = append(open, l.tok)
		case token.RPAREN, token.RBRACK, token.RBRACE:
			if len(open) == 0 || open[len(open)-1] != opens[l.tok] {
				return &scanner.Error{Pos: at(name, code, l.off), Msg: "syntax error: unexpected " + l.tok.String()}
			}
			open = open[:len(open)-1]
		}
	}
	return nil
}

var opens = map[token.Token]token.Token{
	token.RPAREN: token.LPAREN, token.RBRACK: token.LBRACK, token.RBRACE: token.LBRACE,
}

// at is the position of a byte of code.
func at(name, code string, off int) token.Position {
	before := code[:off]
	line := strings.Count(before, "\n") + 1
	return token.Position{Filename: name, Offset: off, Line: line, Column: off - strings.LastIndexByte(before, '\n')}
}

// parsePiece parses one piece in the wrapper that fits it.
func parsePiece(fset *token.FileSet, name, code string, c piece) (item, error) {
	text := code[c.start:c.end]
	pos := at(name, code, c.start)
	it := item{piece: c, code: text}
	var err error
	switch c.tok {
	case token.PACKAGE:
		return it, &scanner.Error{Pos: pos, Msg: "syntax error: a cell may only begin with package main"}
	case token.IMPORT, token.TYPE, token.CONST:
		it.decl, err = parseDecl(fset, pos, text)
	case token.FUNC:
		if it.decl, err = parseDecl(fset, pos, text); err != nil {
			if stmt, e := parseStmt(fset, pos, text); e == nil || !namesFunc(text) {
				it.stmt, err = stmt, e
			}
		}
	default:
		it.stmt, err = parseStmt(fset, pos, text)
	}
	return it, tidy(err, name, code, c)
}

// parseDecl parses text, which stands at pos, as one declaration.
func parseDecl(fset *token.FileSet, pos token.Position, text string) (ast.Decl, error) {
	f, err := parser.ParseFile(fset, pos.Filename, "package main;"+lineMark(pos)+text, parser.DeclarationErrors)
	if err != nil {
		return nil, err
	}
	if len(f.Decls) == 0 {
		return nil, &scanner.Error{Pos: pos, Msg: "syntax error: a declaration without a body"}
	}
	return f.Decls[0], nil
}

// parseStmt parses text, which stands at pos, as one statement.
func parseStmt(fset *token.FileSet, pos token.Position, text string) (ast.Stmt, error) {
	f, err := parser.ParseFile(fset, pos.Filename, "package main;func _(){"+lineMark(pos)+text+"\n}", parser.DeclarationErrors)
	if err != nil {
		return nil, err
	}
	list := f.Decls[0].(*ast.FuncDecl).Body.List
	if len(list) == 0 {
		return &ast.EmptyStmt{}, nil
	}
	return list[0], nil
}

// lineMark tells the parser where the text behind it stands.
func lineMark(p token.Position) string {
	return fmt.Sprintf("/*line %s:%d:%d*/", p.Filename, p.Line, p.Column)
}

// namesFunc says whether a text that begins with func looks like a declared
// function or method rather than a function literal.
func namesFunc(text string) bool {
	lex, _ := scan(text)
	depth := 0
	for i, l := range lex[1:] {
		switch l.tok {
		case token.LPAREN:
			depth++
		case token.RPAREN:
			if depth--; depth == 0 {
				rest := lex[i+2:]
				return len(rest) > 1 && rest[0].tok == token.IDENT && (rest[1].tok == token.LPAREN || rest[1].tok == token.LBRACK)
			}
		case token.IDENT:
			if depth == 0 {
				return true
			}
		}
	}
	return false
}

// tidy is the first error of a piece in the words of the compiler, inside the
// cell.
func tidy(err error, name, code string, c piece) error {
	if err == nil {
		return nil
	}
	e, ok := err.(*scanner.Error)
	if list, isList := err.(scanner.ErrorList); isList {
		e, ok = list[0], true
	}
	if !ok {
		return err
	}
	end := at(name, code, c.end)
	msg := e.Msg
	if e.Pos.Line > end.Line || e.Pos.Line == end.Line && e.Pos.Column >= end.Column {
		_, size := utf8.DecodeLastRuneInString(code[:c.end])
		e.Pos = at(name, code, max(c.end-size, c.start))
		if want, _, found := strings.Cut(msg, ", found"); found {
			msg = want + ", found the end of the statement"
		}
	}
	e.Pos.Filename = name
	if msg == "expected 1 expression" {
		msg += "; several values are shown by display.Show(a, b)"
	}
	if !strings.HasPrefix(msg, "syntax error") && !strings.HasPrefix(msg, "label ") && !strings.Contains(msg, "redeclared") {
		msg = "syntax error: " + msg
	}
	return &scanner.Error{Pos: e.Pos, Msg: msg}
}

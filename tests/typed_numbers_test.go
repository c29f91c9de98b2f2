package tests

import (
	"go/scanner"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// code is all code of a notebook but the cell of parameters, in order.
func (nb saved) code() string {
	var b strings.Builder
	for _, c := range nb.Cells {
		if c.Type == "code" && !slices.Contains(c.Metadata.Tags, "parameters") {
			b.WriteString(joined(c.Source) + "\n")
		}
	}
	return b.String()
}

// lexeme is a token with its text.
type lexeme struct {
	tok  token.Token
	text string
}

// words are the tokens of Go code; each ends with the semicolon that its line has.
func words(code string) (all []lexeme) {
	var s scanner.Scanner
	src := []byte(code)
	s.Init(token.NewFileSet().AddFile("", -1, len(src)), src, nil, 0)
	for {
		_, tok, text := s.Scan()
		if tok == token.EOF {
			return all
		}
		if text == "" || tok == token.SEMICOLON {
			text = tok.String()
		}
		all = append(all, lexeme{tok, text})
	}
}

// typedNumbers finds literal numbers among what code gives to Row and Published of a
// table, directly or by variables. It looks at tokens, as cells are no whole files:
//
//   - an index, an argument of a function that makes something else of it, a factor
//     such as 100*x and 0 and 1, where counting begins, are no numbers of a table;
//   - nor are the fields of a type of a package, such as chestlib.ModelOptions: they
//     are settings. viz.Stat is a number.
func typedNumbers(code string) (findings []string) {
	f := flow{all: words(code), seen: map[string]bool{}}
	for i, w := range f.all {
		if w.tok == token.PERIOD && i+2 < len(f.all) && slices.Contains([]string{"Row", "Published"}, f.all[i+1].text) && f.all[i+2].tok == token.LPAREN {
			f.check(f.all[i+2 : f.close(i+2)])
		}
	}
	return f.findings
}

// flow follows values backwards.
type flow struct {
	all      []lexeme
	seen     map[string]bool // variables
	findings []string
}

var (
	transparent = []string{"append", "MeanStd", "float64", "float32", "int", "any", "Row", "Published"} // their arguments are what they return
	numeric     = regexp.MustCompile(`^[\s\d.,±%()–-]*\d[\s\d.,±%()–-]*$`)
)

// check looks at an expression.
func (f *flow) check(x []lexeme) {
	for i := 0; i < len(x); i++ {
		at := func(k int) lexeme {
			if k < 0 || k >= len(x) {
				return lexeme{}
			}
			return x[k]
		}
		before, after := at(i-1), at(i+1)
		switch w := x[i]; w.tok {
		case token.LBRACK: // an index or the length of a type
			i = closing(x, i)
		case token.LPAREN: // arguments
			if before.tok == token.IDENT && !slices.Contains(transparent, before.text) {
				i = closing(x, i)
			}
		case token.LBRACE: // fields
			if before.tok == token.IDENT && at(i-2).tok == token.PERIOD && before.text != "Stat" {
				i = closing(x, i)
			}
		case token.INT, token.FLOAT, token.IMAG:
			factor := func(w lexeme) bool { return w.tok == token.MUL || w.tok == token.QUO }
			if w.text != "0" && w.text != "1" && !factor(before) && !factor(after) {
				f.findings = append(f.findings, w.text+" is typed into a table")
			}
		case token.STRING:
			if s, err := strconv.Unquote(w.text); err == nil && numeric.MatchString(s) {
				f.findings = append(f.findings, w.text+" is typed into a table")
			}
		case token.IDENT:
			if before.tok != token.PERIOD && after.tok != token.COLON && after.tok != token.LPAREN {
				f.follow(w.text)
			}
		}
	}
}

// follow looks at all that is assigned to a variable, or to a part of it.
func (f *flow) follow(name string) {
	if f.seen[name] {
		return
	}
	f.seen[name] = true
	for i, w := range f.all {
		if w.tok != token.DEFINE && w.tok != token.ASSIGN {
			continue
		}
		start := i
		for start > 0 && !slices.Contains([]token.Token{token.SEMICOLON, token.LBRACE, token.FOR, token.IF, token.VAR, token.CONST}, f.all[start-1].tok) {
			start--
		}
		left, right := split(f.all[start:i]), split(f.right(i+1))
		for k, l := range left {
			if len(l) == 0 || l[0].text != name {
				continue
			}
			if len(left) == len(right) {
				f.check(right[k])
				continue
			}
			for _, r := range right {
				f.check(r)
			}
		}
	}
}

// right is what stands to the right of an assignment, up to the end of the statement
// or to the body of a range.
func (f *flow) right(from int) []lexeme {
	loop := f.all[from].tok == token.RANGE
	if loop {
		from++
	}
	for i := from; i < len(f.all); i++ {
		switch w := f.all[i]; w.tok {
		case token.SEMICOLON:
			return f.all[from:i]
		case token.FUNC: // its body is statements of their own
			return nil
		case token.LBRACE:
			if loop && (f.all[from].tok != token.LBRACK || i > from && f.all[i-1].tok == token.RBRACE) {
				return f.all[from:i]
			}
			i = closing(f.all, i)
		case token.LPAREN, token.LBRACK:
			i = closing(f.all, i)
		}
	}
	return f.all[from:]
}

// close is the place after the bracket that closes the one at i.
func (f *flow) close(i int) int { return min(closing(f.all, i)+1, len(f.all)) }

// closing is the place of the bracket that closes the one at i, or the end.
func closing(x []lexeme, i int) int {
	depth := 0
	for k := i; k < len(x); k++ {
		switch x[k].tok {
		case token.LPAREN, token.LBRACK, token.LBRACE:
			depth++
		case token.RPAREN, token.RBRACK, token.RBRACE:
			if depth--; depth == 0 {
				return k
			}
		}
	}
	return len(x)
}

// split cuts at the commas outside of brackets.
func split(x []lexeme) (parts [][]lexeme) {
	from := 0
	for i := 0; i < len(x); i++ {
		switch x[i].tok {
		case token.LPAREN, token.LBRACK, token.LBRACE:
			i = closing(x, i)
		case token.COMMA:
			parts, from = append(parts, x[from:i]), i+1
		}
	}
	return append(parts, x[min(from, len(x)):])
}

package assist

import (
	"go/scanner"
	"go/token"
	"strings"
	"unicode/utf8"
)

// span is a range of bytes.
type span struct{ off, end int }

// lexeme is one token with its place. A semicolon that the line end implies
// is empty.
type lexeme struct {
	tok token.Token
	span
	lit string
}

// source is a cell made fit for the scanner, byte for byte.
type source struct {
	text     string   // valid UTF-8, plain line ends, special commands blanked
	commands []span   // the words of special commands
	lex      []lexeme // comments among them
}

// read makes code fit: the scanner drops some bytes from its literals, so that
// their length would be wrong. Offsets stay those of code.
func read(code string) source {
	text, commands := blankCommands(plain(code))
	return source{text, commands, scan(text)}
}

// plain is code with a blank for each byte that the scanner would trip over.
func plain(code string) string {
	b := []byte(code)
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		switch {
		case r == '\r' && (i+1 == len(b) || b[i+1] != '\n'):
			b[i] = '\n'
		case r == utf8.RuneError && n == 1, r == '\r', r == 0, r == '\uFEFF':
			copy(b[i:i+n], "   ")
		}
		i += n
	}
	return string(b)
}

// blankCommands blanks the word of each line that begins with %, outside of
// strings and comments, and says where they were.
func blankCommands(text string) (string, []span) {
	if !strings.Contains(text, "%") {
		return text, nil
	}
	b := []byte(text)
	var commands []span
	fresh := true // only blanks so far on this line
	for i := 0; i < len(b); {
		switch c := b[i]; {
		case fresh && c == '%':
			end := i
			for end < len(b) && b[end] > ' ' {
				end++
			}
			commands = append(commands, span{i, end})
			for ; i < end; i++ {
				b[i] = ' '
			}
			fresh = false
			continue
		case c == '\n':
			fresh = true
		case c > ' ':
			fresh = false
		}
		i = skipQuoted(text, i)
	}
	return string(b), commands
}

// skipQuoted is the offset behind the string, rune or comment that begins at
// i, or behind the byte there.
func skipQuoted(text string, i int) int {
	rest := text[i:]
	until := func(mark string, from int) int {
		if n := strings.Index(rest[from:], mark); n >= 0 {
			return i + from + n + len(mark)
		}
		return len(text)
	}
	switch {
	case rest[0] == '`':
		return until("`", 1)
	case strings.HasPrefix(rest, "/*"):
		return until("*/", 2)
	case strings.HasPrefix(rest, "//"):
		if n := strings.IndexByte(rest, '\n'); n >= 0 {
			return i + n
		}
		return len(text)
	case rest[0] == '"', rest[0] == '\'':
		for j := 1; j < len(rest); j++ {
			switch rest[j] {
			case '\\':
				if j+1 < len(rest) && rest[j+1] != '\n' {
					j++
				}
			case '\n':
				return i + j
			case rest[0]:
				return i + j + 1
			}
		}
		return len(text)
	}
	return i + 1
}

// scan lists the tokens of text.
func scan(text string) []lexeme {
	f := token.NewFileSet().AddFile("", -1, len(text))
	var s scanner.Scanner
	s.Init(f, []byte(text), func(token.Position, string) {}, scanner.ScanComments)
	var all []lexeme
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return all
		}
		l := lexeme{tok: tok, lit: lit, span: span{off: f.Offset(pos)}}
		switch {
		case tok == token.SEMICOLON && lit == "\n", tok == token.SEMICOLON && l.off >= len(text):
			l.end = l.off
		case lit == "":
			l.end = l.off + len(tok.String())
		default:
			l.end = l.off + len(lit)
		}
		l.end = min(l.end, len(text))
		all = append(all, l)
	}
}

// isWord says whether l is a name or a keyword, which may be the begin of a
// name.
func (l lexeme) isWord() bool { return l.tok == token.IDENT || l.tok.IsKeyword() }

// implied says whether l is a semicolon that nobody wrote.
func (l lexeme) implied() bool { return l.tok == token.SEMICOLON && l.off == l.end }

// holds says whether the cursor is inside l, so that it cannot begin anything
// else there.
func (l lexeme) holds(cursor int) bool {
	if cursor <= l.off || cursor > l.end {
		return false
	}
	switch l.tok {
	case token.INT, token.FLOAT, token.IMAG:
		return true
	case token.COMMENT, token.STRING, token.CHAR:
		return cursor < l.end || !l.closed()
	}
	return false
}

// closed says whether a string, rune or comment has its end.
func (l lexeme) closed() bool {
	if l.tok == token.COMMENT {
		return strings.HasPrefix(l.lit, "/*") && len(l.lit) > 3 && strings.HasSuffix(l.lit, "*/")
	}
	if len(l.lit) < 2 {
		return false
	}
	quote := l.lit[0]
	body := l.lit[1 : len(l.lit)-1]
	if quote != '`' && (len(body)-len(strings.TrimRight(body, `\`)))%2 == 1 {
		return false
	}
	return l.lit[len(l.lit)-1] == quote
}

// wordAt is the index of the word that the cursor is inside of or right
// behind, or -1.
func wordAt(lex []lexeme, cursor int) int {
	for i, l := range lex {
		if l.isWord() && l.off < cursor && cursor <= l.end {
			return i
		}
	}
	return -1
}

// holder is the index of the literal or comment that holds the cursor, or -1.
func holder(lex []lexeme, cursor int) int {
	for i, l := range lex {
		if l.holds(cursor) {
			return i
		}
	}
	return -1
}

// before is the index of the last token that ends at off or earlier, comments
// left out, or -1.
func before(lex []lexeme, off int) int {
	last := -1
	for i, l := range lex {
		if l.tok != token.COMMENT && l.end <= off && (l.off < off || l.off < l.end) {
			last = i
		}
	}
	return last
}

// inImport says whether token i stands in an import declaration.
func inImport(lex []lexeme, i int) bool {
	group, spec := false, false // inside import ( … ); behind import on its line
	for _, l := range lex[:i] {
		switch {
		case l.tok == token.IMPORT:
			spec, group = true, false
		case spec && l.tok == token.LPAREN:
			spec, group = false, true
		case l.tok == token.RPAREN || l.tok == token.SEMICOLON && !group:
			spec, group = false, false
		}
	}
	return spec || group
}

// clamp puts the cursor inside text and between its characters.
func clamp(text string, cursor int) int {
	cursor = min(max(cursor, 0), len(text))
	for cursor > 0 && cursor < len(text) && !utf8.RuneStart(text[cursor]) {
		cursor--
	}
	return cursor
}

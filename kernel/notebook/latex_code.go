package notebook

import (
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"

	"github.com/chestlab/chest/internal/latex"
)

// lineWidth is how many characters of code a line of the page holds.
const lineWidth = 100

// piece is text of one colour.
type piece struct {
	command string // \chestkeyword without its backslash, "" for none
	text    string
}

// latexCode is code in a frame, with colours.
func latexCode(code, language string) string {
	lexer := lexers.Get(language)
	if lexer == nil {
		return latexText("ChestCode", code)
	}
	tokens, err := chroma.Coalesce(lexer).Tokenise(nil, strings.TrimRight(code, "\n"))
	if err != nil {
		return latexText("ChestCode", code)
	}
	var all []piece
	for _, t := range tokens.Tokens() {
		all = append(all, piece{colour(t.Type), t.Value})
	}
	return verbatim("ChestCode", all)
}

// colour is the command for a kind of token.
func colour(t chroma.TokenType) string {
	switch {
	case t.InCategory(chroma.Keyword):
		return "chestkeyword"
	case t.InCategory(chroma.Comment):
		return "chestcomment"
	case t.InSubCategory(chroma.LiteralString):
		return "cheststring"
	case t.InSubCategory(chroma.LiteralNumber):
		return "chestnumber"
	case t == chroma.NameFunction, t == chroma.NameBuiltin:
		return "chestname"
	}
	return ""
}

// latexText is text that keeps its lines, in an environment of the preamble.
func latexText(environment, text string) string {
	if strings.TrimSpace(text) == "" {
		return ""
	}
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	for i, l := range lines {
		lines[i] = wrapped(l)
	}
	return verbatim(environment, []piece{{"", strings.Join(lines, "\n")}})
}

// wrapped is a line broken between words where it is too long.
func wrapped(line string) string {
	var b strings.Builder
	for rest := []rune(line); ; {
		if len(rest) <= lineWidth {
			b.WriteString(string(rest))
			return b.String()
		}
		at := lineWidth
		for at > lineWidth/2 && rest[at] != ' ' {
			at--
		}
		if rest[at] != ' ' { // one long word: fill cuts it
			b.WriteString(string(rest))
			return b.String()
		}
		b.WriteString(string(rest[:at]) + "\n")
		rest = rest[at+1:]
	}
}

// verbatim sets pieces in lines of at most lineWidth characters; a line that
// goes on has a hook at its end. Tabs reach to columns of four.
func verbatim(environment string, all []piece) string {
	var b strings.Builder
	b.WriteString(`\begin{` + environment + "}\n")
	column := 0
	for _, p := range all {
		for i, line := range strings.Split(p.text, "\n") {
			if i > 0 {
				b.WriteByte('\n')
				column = 0
			}
			column = fill(&b, p.command, line, column)
		}
	}
	return strings.TrimRight(b.String(), " \n") + "\n\\end{" + environment + "}"
}

// fill writes a part of a line that has no newline and returns the column after
// it.
func fill(b *strings.Builder, command, text string, column int) int {
	var s strings.Builder
	write := func() {
		switch t := s.String(); {
		case t == "":
		case command == "" || strings.TrimSpace(t) == "":
			b.WriteString(latex.Verbatim(t))
		default:
			b.WriteString(`\` + command + "{" + latex.Verbatim(t) + "}")
		}
		s.Reset()
	}
	for text != "" {
		r, n := utf8.DecodeRuneInString(text)
		text = text[n:]
		if column >= lineWidth && r != ' ' && r != '\t' {
			write()
			b.WriteString("\\chestcut{}\n")
			column = 0
		}
		if r == '\t' {
			spaces := 4 - column%4
			s.WriteString(strings.Repeat(" ", spaces))
			column += spaces
			continue
		}
		s.WriteRune(r)
		column++
	}
	write()
	return column
}

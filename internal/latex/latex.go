// Package latex writes text so that LaTeX sets it and does not read it: labels,
// code and formulas with any character, for pdfLaTeX as for XeLaTeX and LuaLaTeX.
//
// The ten characters that LaTeX reads become commands, and so do the signs
// beyond Latin letters that its fonts have: α, ±, ≤, ‖, █. What is left has no
// command; see Text and Document.
package latex

import (
	"fmt"
	"strings"
	"unicode"
)

// Text is s as LaTeX text, for a fragment that is put into somebody's document:
// it needs no package beyond amssymb, for ℝ and ✓. A character without a
// command stays as it is: the document's fonts must have it.
func Text(s string) string { return write(s, text, nil) }

// Document is s as LaTeX text for a document that begins with Preamble. A
// character without a command is set by \chestchar, which shows its number where
// the font lacks it, and so never stops the run.
func Document(s string) string { return write(s, text, numbered) }

// Verbatim is s for fancyvrb's Verbatim environment of a document that begins
// with Preamble, with commandchars=\\\{\}. Lines stay lines.
func Verbatim(s string) string { return write(s, verbatim, numbered) }

// Math is the source of a formula with its signs as commands: κ becomes \kappa.
// All else is left as it is, as it is LaTeX already.
func Math(s string) string {
	var b strings.Builder
	for _, r := range clean(s) {
		switch m, ok := signs[r]; {
		case ok:
			b.WriteString(m)
			if last := m[len(m)-1]; last >= 'A' && last <= 'z' { // the name ends here
				b.WriteByte(' ')
			}
		case raised[r] != 0:
			fmt.Fprintf(&b, "^{%c}", raised[r])
		case lowered[r] != 0:
			fmt.Fprintf(&b, "_{%c}", lowered[r])
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Preamble is what Document and Verbatim need at the head of a document, with
// the packages iftex, amssymb and xcolor.
const Preamble = `\ifPDFTeX
  \DeclareRobustCommand\chestchar[1]{{\footnotesize[U+#1]}}
\else
  \DeclareRobustCommand\chestchar[1]{\iffontchar\font"#1 \char"#1 \else{\footnotesize[U+#1]}\fi}
\fi
\newcommand\chestslash{\char92{}}
\newcommand\chestopen{\char123{}}
\newcommand\chestclose{\char125{}}
\makeatletter % straight quotes in code
\newcommand\chestquote{\ifx\f@encoding\chest@old\char13{}\else\textquotesingle{}\fi}
\newcommand\chestgrave{\ifx\f@encoding\chest@old\char18{}\else\textasciigrave{}\fi}
\newcommand\chest@old{OT1}
\makeatother
`

// Declarations makes pdfLaTeX set, or show by number, every character of raw LaTeX,
// such as a fragment by Text, that it would stop at. They go behind Preamble;
// other engines need none.
func Declarations(raw string) string {
	seen := map[rune]bool{}
	var b strings.Builder
	for _, r := range raw {
		if r < 0x80 || seen[r] || strings.ContainsRune(letters, r) {
			continue
		}
		seen[r] = true
		command := fmt.Sprintf(`\chestchar{%04X}`, r)
		if clean(string(r)) == "" {
			command = ""
		} else if c := text.sign(r, nil); c != string(r) {
			command = c
		}
		fmt.Fprintf(&b, "  \\DeclareUnicodeCharacter{%04X}{%s}\n", r, command)
	}
	if b.Len() == 0 {
		return ""
	}
	return "\\ifPDFTeX\n" + b.String() + "\\fi\n"
}

// numbered sets a character that has no command.
func numbered(r rune) string { return fmt.Sprintf(`\chestchar{%04X}`, r) }

// A mode is a table of the characters that LaTeX reads in one place.
type mode struct {
	ascii map[rune]string
	ties  bool // -- and '' would become other signs
}

var text = mode{ties: true, ascii: map[rune]string{
	'\\': `\textbackslash{}`, '&': `\&`, '%': `\%`, '$': `\$`, '#': `\#`, '_': `\_`, '{': `\{`, '}': `\}`,
	'~': `\textasciitilde{}`, '^': `\textasciicircum{}`, '<': `\textless{}`, '>': `\textgreater{}`, '|': `\textbar{}`,
	'`': "\\`{}", '[': `{[}`, '*': `{*}`, // at the start of a row the last two would belong to the \\ before
}}

var verbatim = mode{ascii: map[rune]string{
	'\\': `\chestslash{}`, '{': `\chestopen{}`, '}': `\chestclose{}`, '\'': `\chestquote{}`, '`': `\chestgrave{}`,
}}

// write is s in a mode; other writes the characters that have no command, nil
// leaves them.
func write(s string, m mode, other func(rune) string) string {
	var b strings.Builder
	before := rune(0)
	for _, r := range clean(s) {
		if m.ties && r == before && strings.ContainsRune("-',", r) {
			b.WriteString("{}")
		}
		b.WriteString(m.sign(r, other))
		before = r
	}
	return b.String()
}

// sign is one character.
func (m mode) sign(r rune, other func(rune) string) string {
	if c, ok := m.ascii[r]; ok {
		return c
	}
	if r < 0x80 {
		return string(r)
	}
	if c, ok := words[r]; ok {
		return c
	}
	if c, ok := signs[r]; ok {
		return `\ensuremath{` + c + `}`
	}
	if c := raised[r]; c != 0 {
		return fmt.Sprintf(`\textsuperscript{%c}`, c)
	}
	if c := lowered[r]; c != 0 {
		return fmt.Sprintf(`\textsubscript{%c}`, c)
	}
	if strings.ContainsRune(letters, r) || other == nil {
		return string(r)
	}
	return other(r)
}

// clean drops what no font shows: control characters but newline and tab, marks
// of direction and joining; what is no UTF-8 becomes U+FFFD.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.Is(unicode.Zs, r) && r != '\u00a0':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r >= 0xfe00 && r <= 0xfe0f:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

package notebook

import (
	"bytes"
	"html"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// Math stays the text that it is: nothing in a page that stands alone could
// set it, and Markdown must not take its _ and * for emphasis.

// formula is $…$ or $$…$$ with its dollar signs.
type formula struct {
	ast.BaseInline
	source string
}

var kindFormula = ast.NewNodeKind("Formula")

func (*formula) Kind() ast.NodeKind           { return kindFormula }
func (m *formula) Dump(src []byte, level int) { ast.DumpHelper(m, src, level, nil, nil) }

// mathSpan parses math within a paragraph: $ before and behind something that
// is no space, the second one before no digit, so that $5 and $10 stay money.
type mathSpan struct{}

func (mathSpan) Trigger() []byte { return []byte{'$'} }

func (mathSpan) Parse(_ ast.Node, block text.Reader, _ parser.Context) ast.Node {
	line, at := block.Position()
	source, ok := spanSource(block)
	if !ok {
		block.SetPosition(line, at)
		return nil
	}
	return &formula{source: source}
}

// spanSource reads a span, which may go on over lines of its paragraph.
func spanSource(block text.Reader) (string, bool) {
	first, _ := block.PeekLine()
	mark := "$"
	if bytes.HasPrefix(first, []byte("$$")) {
		mark = "$$"
	}
	block.Advance(len(mark))
	var b strings.Builder
	for {
		rest, _ := block.PeekLine()
		if rest == nil {
			return "", false
		}
		end := spanEnd(string(rest), mark, b.Len() == 0)
		if end < 0 {
			b.Write(rest)
			block.AdvanceLine()
			continue
		}
		b.Write(rest[:end])
		block.Advance(end + len(mark))
		return mark + b.String() + mark, true
	}
}

// spanEnd is where the closing mark stands in s, or -1. A span that begins
// with a space has none.
func spanEnd(s, mark string, first bool) int {
	if mark == "$" && first && (s == "" || s[0] == ' ' || s[0] == '\n' || s[0] == '$') {
		return -1
	}
	for i := 0; i+len(mark) <= len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case !strings.HasPrefix(s[i:], mark):
		case mark == "$$":
			return i
		case i == 0 && first || i > 0 && s[i-1] == ' ' || i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9':
		default:
			return i
		}
	}
	return -1
}

// mathLines is a block of lines from $$ to $$.
type mathLines struct {
	ast.BaseBlock
	closed bool
}

var kindMathLines = ast.NewNodeKind("MathLines")

func (*mathLines) Kind() ast.NodeKind           { return kindMathLines }
func (*mathLines) IsRaw() bool                  { return true }
func (m *mathLines) Dump(src []byte, level int) { ast.DumpHelper(m, src, level, nil, nil) }

// mathBlock parses mathLines, so that a line that begins with - or + is no
// list there.
type mathBlock struct{}

func (mathBlock) Trigger() []byte { return []byte{'$'} }

func (mathBlock) Open(_ ast.Node, reader text.Reader, _ parser.Context) (ast.Node, parser.State) {
	line, segment := reader.PeekLine()
	s := strings.TrimSpace(string(line))
	if !strings.HasPrefix(s, "$$") || strings.Contains(s[2:], "$$") && !strings.HasSuffix(s[2:], "$$") {
		return nil, parser.NoChildren
	}
	n := &mathLines{closed: len(s) > 2 && strings.HasSuffix(s[2:], "$$")}
	n.Lines().Append(segment)
	reader.Advance(segment.Len() - 1)
	return n, parser.NoChildren
}

func (mathBlock) Continue(node ast.Node, reader text.Reader, _ parser.Context) parser.State {
	n := node.(*mathLines)
	if n.closed {
		return parser.Close
	}
	line, segment := reader.PeekLine()
	n.Lines().Append(segment)
	n.closed = strings.HasSuffix(strings.TrimSpace(string(line)), "$$")
	reader.Advance(segment.Len() - 1)
	return parser.Continue | parser.NoChildren
}

func (mathBlock) Close(ast.Node, text.Reader, parser.Context) {}
func (mathBlock) CanInterruptParagraph() bool                 { return true }
func (mathBlock) CanAcceptIndentedLine() bool                 { return false }

// mathText renders math as text.
type mathText struct{}

func (mathText) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(kindFormula, func(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			w.WriteString(`<span class="math">` + html.EscapeString(n.(*formula).source) + `</span>`)
		}
		return ast.WalkContinue, nil
	})
	reg.Register(kindMathLines, func(w util.BufWriter, src []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			s := string(n.Lines().Value(src))
			w.WriteString(`<div class="math">` + html.EscapeString(strings.TrimSpace(s)) + "</div>\n")
		}
		return ast.WalkContinue, nil
	})
}

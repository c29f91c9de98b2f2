package assist

import (
	"go/doc/comment"
	"strings"
)

// card is what an inspection shows.
type card struct {
	title    string // a word that is no Go code
	code     string // the declaration
	kind     string
	value    string
	note     string // on the type
	doc      string // in the syntax of Go doc comments
	sections []section
}

// section is code under a heading.
type section struct{ title, code string }

func (c *card) addSource(code string) {
	if code != "" {
		c.sections = append(c.sections, section{"Source", code})
	}
}

func (c card) inspection() Inspection {
	return Inspection{Found: true, Text: c.text(), Markdown: c.markdown()}
}

// text is the card for terminals, 80 columns wide.
func (c card) text() string {
	var b strings.Builder
	b.WriteString(c.title + c.code + "\n")
	for _, f := range []struct{ name, text string }{{"Kind:  ", c.kind}, {"Value: ", c.value}, {"Type:  ", c.note}} {
		switch {
		case f.text == "":
		case strings.Contains(f.text, "\n"):
			b.WriteString(strings.TrimSpace(f.name) + "\n" + strings.TrimRight(f.text, "\n") + "\n")
		default:
			b.WriteString(f.name + f.text + "\n")
		}
	}
	if c.doc != "" {
		p := comment.Printer{TextWidth: 80}
		b.WriteString("\n" + string(p.Text(new(comment.Parser).Parse(c.doc))))
	}
	for _, s := range c.sections {
		b.WriteString("\n" + s.title + ":\n" + strings.TrimRight(s.code, "\n") + "\n")
	}
	return b.String()
}

// markdown is the card for notebooks.
func (c card) markdown() string {
	var parts []string
	if c.title != "" {
		parts = append(parts, "**"+c.title+"**")
	}
	if c.code != "" {
		parts = append(parts, fence("go", c.code))
	}
	parts = append(parts, "*"+c.kind+"*")
	if c.value != "" {
		parts = append(parts, "**Value**", fence("", c.value))
	}
	for _, text := range []string{c.note, c.doc} {
		if text != "" {
			p := comment.Printer{HeadingLevel: 4, HeadingID: func(*comment.Heading) string { return "" }, DocLinkBaseURL: "https://pkg.go.dev"}
			parts = append(parts, strings.TrimSpace(string(p.Markdown(new(comment.Parser).Parse(text)))))
		}
	}
	for _, s := range c.sections {
		parts = append(parts, "**"+s.title+"**", fence("go", s.code))
	}
	return strings.Join(parts, "\n\n") + "\n"
}

// fence is code between marks that do not occur in it.
func fence(language, code string) string {
	mark := "```"
	for strings.Contains(code, mark) {
		mark += "`"
	}
	return mark + language + "\n" + strings.TrimRight(code, "\n") + "\n" + mark
}

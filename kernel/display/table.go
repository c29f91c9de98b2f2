package display

import (
	"fmt"
	"html"
	"reflect"
	"strings"
	"unicode/utf8"
)

const (
	maxRows    = 60 // of a table
	maxColumns = 20
	maxCell    = 80 // runes of one cell
	maxItems   = 8  // of a slice inside a cell
)

// table is rows of text under a header. A row may be shorter than the header.
type table struct {
	header []string
	rows   [][]string
	number []bool // columns that hold numbers
	more   int    // rows that were left out
	wide   int    // columns that were left out
	brief  string // the text form, instead of the table; may be empty
}

// add adds a row.
func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// narrow leaves out the columns that are too many.
func (t *table) narrow() {
	if t.wide = len(t.header) - maxColumns; t.wide <= 0 {
		t.wide = 0
		return
	}
	t.header, t.number = t.header[:maxColumns], t.number[:maxColumns]
	for i, r := range t.rows {
		t.rows[i] = r[:min(len(r), maxColumns)]
	}
}

// rest says what was left out.
func (t *table) rest() string {
	var parts []string
	if t.more > 0 {
		parts = append(parts, count(t.more, "row"))
	}
	if t.wide > 0 {
		parts = append(parts, count(t.wide, "column"))
	}
	if parts == nil {
		return ""
	}
	return "… " + strings.Join(parts, ", ")
}

// count is "n more things".
func count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d more %s", n, thing)
}

// data is the table as an output.
func (t *table) data() Data {
	t.narrow()
	s := t.brief
	if s == "" {
		s = t.text()
	}
	return MakeData3(MIMEHTML, s, t.html())
}

// text is the table in plain text, numbers to the right.
func (t *table) text() string {
	width := make([]int, len(t.header))
	for _, r := range append([][]string{t.header}, t.rows...) {
		for i, c := range r {
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	var b strings.Builder
	line := func(cells []string) {
		var l strings.Builder
		for i, c := range cells {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(c))
			if i > 0 {
				l.WriteString("  ")
			}
			if t.number[i] {
				l.WriteString(pad + c)
			} else {
				l.WriteString(c + pad)
			}
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	line(t.header)
	for _, r := range t.rows {
		line(r)
	}
	return strings.TrimSuffix(b.String()+t.rest(), "\n")
}

// html is the table in HTML. It uses attributes and no style sheet, so that it
// looks the same in a saved file.
func (t *table) html() string {
	var b strings.Builder
	align := func(i int) string {
		if t.number[i] {
			return ` align="right"`
		}
		return ` align="left"`
	}
	b.WriteString("<table><thead><tr>")
	for i, h := range t.header {
		fmt.Fprintf(&b, "<th%s>%s</th>", align(i), html.EscapeString(h))
	}
	b.WriteString("</tr></thead><tbody>")
	for _, r := range t.rows {
		b.WriteString("<tr>")
		for i, c := range r {
			fmt.Fprintf(&b, "<td%s>%s</td>", align(i), html.EscapeString(c))
		}
		b.WriteString("</tr>")
	}
	b.WriteString("</tbody></table>")
	if rest := t.rest(); rest != "" {
		b.WriteString("<p>" + rest + "</p>")
	}
	return b.String()
}

// cellText is a value inside a table, in one short line.
func cellText(r reflect.Value) string {
	for r.IsValid() && r.Kind() == reflect.Interface && !r.IsNil() {
		r = r.Elem()
	}
	if !r.IsValid() {
		return ""
	}
	if r.CanInterface() {
		if s, ok := textual(r.Interface()); ok {
			return oneLine(s())
		}
	}
	switch r.Kind() {
	case reflect.Slice, reflect.Array:
		if r.Len() > maxItems {
			return longText(r)
		}
	case reflect.Map:
		if r.Len() > maxItems {
			return fmt.Sprintf("map of %d", r.Len())
		}
	case reflect.Struct:
		if !r.CanInterface() || r.NumField() > maxItems {
			return fmt.Sprintf("{%d fields}", r.NumField())
		}
	}
	if !r.CanInterface() {
		return ""
	}
	return oneLine(text(r.Interface()))
}

// longText is the beginning of a long slice.
func longText(r reflect.Value) string {
	parts := make([]string, maxItems)
	for i := range parts {
		parts[i] = cellText(r.Index(i))
	}
	return shortened(fmt.Sprintf("[%s … %d in all]", strings.Join(parts, " "), r.Len()), maxCell)
}

func oneLine(s string) string {
	return shortened(strings.NewReplacer("\n", " ", "\r", " ", "\t", " ").Replace(s), maxCell)
}

// isNumber says whether values of a type stand to the right.
func isNumber(t reflect.Type) bool {
	switch k := t.Kind(); {
	case k >= reflect.Int && k <= reflect.Complex128 && k != reflect.Uintptr:
		return true
	}
	return false
}

package viz

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

// tableNote is a line under a table. mark is the letter of a source, "" for others.
type tableNote struct {
	mark, text string
	cite       string // \cite{key}: LaTeX has it at the row, and no line
}

// notes are the lines under the table.
func (t *Table) notes() (all []tableNote) {
	switch n := t.values(); {
	case n > 0:
		all = append(all, tableNote{text: fmt.Sprintf("mean ± std, n = %d", n)})
	case n < 0:
		all = append(all, tableNote{text: "mean ± std (n)"})
	}
	for i, s := range t.sources() {
		n := tableNote{mark: sourceLetter(i), text: "as published: " + s}
		if m := citation.FindStringSubmatch(s); m != nil {
			n.text, n.cite = "as published: "+m[1], s
		}
		all = append(all, n)
	}
	for _, r := range t.rows {
		for k, x := range r.cells {
			if x.wrong {
				all = append(all, tableNote{text: fmt.Sprintf("not finite: %s of %s (%s)", t.columns[k].name, oneLine(t.rowName(r)), x.text)})
			}
		}
	}
	return all
}

// citation is a source that LaTeX cites.
var citation = regexp.MustCompile(`^\\cite[a-z]*\{([A-Za-z0-9:._/+, -]+)\}$`)

// values is the number of values of every mean with a deviation; 0 without
// one, -1 when they differ.
func (t *Table) values() int {
	n := 0
	for _, r := range t.rows {
		for _, x := range r.cells {
			switch {
			case x.stat.N < 2 || n == x.stat.N:
			case n == 0:
				n = x.stat.N
			default:
				return -1
			}
		}
	}
	return n
}

// sources are the sources of published rows, each once, in order.
func (t *Table) sources() (all []string) {
	for _, r := range t.rows {
		if r.source != "" && !slices.Contains(all, r.source) {
			all = append(all, r.source)
		}
	}
	return all
}

// sourceMark is the letter of a row's source, "" when it is not published.
func (t *Table) sourceMark(r tableRow) string {
	if r.source == "" {
		return ""
	}
	return sourceLetter(slices.Index(t.sources(), r.source))
}

// sourceLetter is a, b, … z, and then numbers.
func sourceLetter(i int) string {
	if i < 26 {
		return string(rune('a' + i))
	}
	return strconv.Itoa(i + 1)
}

// rowName is what a row is called: its first cell.
func (t *Table) rowName(r tableRow) string {
	if len(r.cells) == 0 {
		return ""
	}
	return t.columns[0].written(r.cells[0], false)
}

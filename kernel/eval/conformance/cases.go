// Package conformance is the contract of an engine for cells: notebooks, and
// what compiled Go gives for them.
//
// The cases are the text files of testdata, one for each group:
//
//	=== name of a case
//	hand: why the compiler cannot check it; most cases have no such line
//	--- cell
//	x := 3
//	--- cell
//	fmt.Println("x is", x)
//	x + 1
//	--- want
//	x is 3
//	4
//
// What is wanted of a cell is what it prints and, from a new line on, the text
// of its values; nothing when there is no want. A line "error: part" wants an
// error that holds the part; behind it nothing else can be wanted.
package conformance

import (
	"embed"
	"fmt"
	"path"
	"strings"
)

// Case is a notebook.
type Case struct {
	Group, Name string
	Hand        string // why the compiler cannot check the case; "": it does
	Cells       []Cell
}

// Cell is the source of a cell and what it must give.
type Cell struct{ Code, Want string }

// Errors lists the parts that the error of the cell must hold; none: the cell
// must run to its end.
func (c Cell) Errors() (parts []string) {
	for line := range strings.Lines(c.Want) {
		if part, ok := strings.CutPrefix(line, errorMark); ok {
			parts = append(parts, strings.TrimSuffix(part, "\n"))
		}
	}
	return parts
}

// Output is what the cell must print, followed by its value.
func (c Cell) Output() string {
	if out, _, ok := strings.Cut("\n"+c.Want, "\n"+errorMark); ok {
		return strings.TrimPrefix(out, "\n")
	}
	return c.Want
}

const errorMark = "error: "

//go:embed testdata/*.txt
var testdata embed.FS

// Cases lists all cases, group by group.
func Cases() ([]Case, error) {
	files, err := testdata.ReadDir("testdata")
	if err != nil {
		return nil, fmt.Errorf("conformance: %w", err)
	}
	var all []Case
	for _, f := range files {
		text, err := testdata.ReadFile(path.Join("testdata", f.Name()))
		if err != nil {
			return nil, fmt.Errorf("conformance: %w", err)
		}
		list, err := parse(strings.TrimSuffix(f.Name(), ".txt"), string(text))
		if err != nil {
			return nil, fmt.Errorf("conformance: %s: %w", f.Name(), err)
		}
		all = append(all, list...)
	}
	return all, nil
}

// parse reads a file of cases.
func parse(group, text string) (all []Case, err error) {
	var into *string // what the next line belongs to
	n := 0
	for line := range strings.Lines(text) {
		n++
		name, isCase := strings.CutPrefix(line, "=== ")
		hand, isHand := strings.CutPrefix(line, "hand: ")
		var last *Case
		if len(all) > 0 {
			last = &all[len(all)-1]
		}
		switch {
		case isCase:
			all = append(all, Case{Group: group, Name: strings.TrimSpace(name)})
			into = nil
		case last != nil && into == nil && isHand:
			last.Hand = strings.TrimSpace(hand)
		case last != nil && line == "--- cell\n":
			last.Cells = append(last.Cells, Cell{})
			into = &last.Cells[len(last.Cells)-1].Code
		case into != nil && line == "--- want\n":
			into = &last.Cells[len(last.Cells)-1].Want
		case into != nil:
			*into += line
		case strings.TrimSpace(line) != "":
			return nil, fmt.Errorf("line %d: want a case or a cell, have %q", n, line)
		}
	}
	for i := range all {
		for k := range all[i].Cells {
			c := &all[i].Cells[k]
			c.Code, c.Want = strings.TrimRight(c.Code, "\n"), strings.TrimRight(c.Want, "\n")
		}
	}
	return all, nil
}

// format writes cases as parse reads them.
func format(list []Case) string {
	var b strings.Builder
	for i, c := range list {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "=== %s\n", c.Name)
		if c.Hand != "" {
			fmt.Fprintf(&b, "hand: %s\n", c.Hand)
		}
		for _, cell := range c.Cells {
			fmt.Fprintf(&b, "--- cell\n%s\n", cell.Code)
			if cell.Want != "" {
				fmt.Fprintf(&b, "--- want\n%s\n", cell.Want)
			}
		}
	}
	return b.String()
}

package viz

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// signs holds everything that one of the forms reads as more than itself.
const signs = `& % $ # _ { } ~ ^ \ | < > * [x] ` + "`c`" + " é\nnext"

// results is a table with everything in it.
func results() *Table {
	return NewTable("Results of 50% & more", "method", "R@1", "MAP@R", "loss", "seeds").
		Percent("R@1", "MAP@R").Decimals(3, "loss").Best("R@1", "MAP@R").Least("loss").Label("tab:all").
		Row(signs, 0.5, MeanStd(0.40, 0.42), 1.25, 2).
		Row("Soft triple", 0.8614, MeanStd(0.43, 0.44, 0.45), 0.5, 3).
		Row("CHEST", 0.86139, MeanStd(0.44, 0.445), math.NaN(), 2).
		Row("as published", nil, Stat{}, "n/a")
}

func TestTableGolden(t *testing.T) {
	b := results().MIMEBundle()
	for mime, name := range map[string]string{"text/html": "table.html", "text/markdown": "table.md", "text/latex": "table.tex", "text/plain": "table.txt"} {
		golden(t, name, b[mime].(string))
	}
	if len(b) != 4 {
		t.Errorf("%d forms", len(b))
	}
}

func TestTableEscapes(t *testing.T) {
	for _, c := range []struct{ in, markdown, latex, html string }{
		{"a & b", `a \& b`, `a \& b`, "a &amp; b"},
		{"50%", "50%", `50\%`, "50%"},
		{"$x$", `\$x\$`, `\$x\$`, "$x$"},
		{"#1", `\#1`, `\#1`, "#1"},
		{"a_b", `a\_b`, `a\_b`, "a_b"},
		{"{x}", `\{x\}`, `\{x\}`, "{x}"},
		{"~", `\~`, `\textasciitilde{}`, "~"},
		{"x^2", `x\^2`, `x\textasciicircum{}2`, "x^2"},
		{`a\b`, `a\\b`, `a\textbackslash{}b`, `a\b`},
		{`\{`, `\\\{`, `\textbackslash{}\{`, `\{`},
		{"a|b", `a\|b`, `a\textbar{}b`, "a|b"},
		{"<b>", `\<b\>`, `\textless{}b\textgreater{}`, "&lt;b&gt;"},
		{"[1]*", `\[1\]\*`, `{[}1]{*}`, "[1]*"},
		{"two\nlines", "two lines", "two lines", "two\nlines"},
		{"é", "é", "é", "é"},
	} {
		tab := NewTable("", "c").Row(c.in)
		for _, f := range []struct{ name, got, want string }{
			{"Markdown", tab.Markdown(), "| c |\n|:---|\n| " + c.markdown + " |\n"},
			{"LaTeX", tab.LaTeX(), "    " + c.latex + " \\\\\n"},
			{"HTML", tab.HTML(), `<td align="left">` + c.html + "</td>"},
		} {
			if !strings.Contains(f.got, f.want) {
				t.Errorf("%s of %q: no %q in\n%s", f.name, c.in, f.want, f.got)
			}
		}
	}
}

func TestTableBold(t *testing.T) {
	for _, c := range []struct {
		name  string
		cells []any
		least bool
		want  string
	}{
		{"largest", []any{1.0, 3.0, 2.0}, false, ".x."},
		{"smallest", []any{1.0, 3.0, 2.0}, true, "x.."},
		{"written the same", []any{1.04, 1.01, 0.9}, false, "xx."},
		{"within one std of the best", []any{Stat{3, 1, 5}, 2.0, 1.9}, false, "xx."},
		{"within one std of the other", []any{3.0, Stat{2, 1, 5}, 2.0}, false, "xx."},
		{"not within", []any{Stat{3, 0.5, 5}, Stat{2, 0.9, 5}}, false, "x."},
		{"beside texts and gaps", []any{"n/a", nil, math.NaN(), 2.0}, false, "...x"},
		{"integers", []any{7, uint8(9), int64(9)}, false, ".xx"},
		{"nothing", []any{nil, "x"}, false, ".."},
		{"no rows", nil, false, ""},
	} {
		tab := NewTable("", "v").Best()
		if c.least {
			tab = NewTable("", "v").Least()
		}
		for _, v := range c.cells {
			tab.Row(v)
		}
		got := ""
		for _, b := range tab.bold(0) {
			got += map[bool]string{true: "x", false: "."}[b]
		}
		if got != c.want {
			t.Errorf("%s: bold %s, want %s", c.name, got, c.want)
		}
	}
}

func TestTableCells(t *testing.T) {
	for _, c := range []struct {
		name string
		in   any
		want string
	}{
		{"text", "a", "a"},
		{"nothing", nil, ""},
		{"float", 0.25, "25.0"},
		{"float32", float32(0.5), "50.0"},
		{"minus zero", math.Copysign(0, -1), "0.0"},
		{"integer", 12, "12"},
		{"big unsigned", uint64(math.MaxUint64), "18446744073709551615"},
		{"one value", MeanStd(0.5), "50.0"},
		{"no value", MeanStd(), dash},
		{"NaN", math.NaN(), dash},
		{"infinite Stat", MeanStd(1, math.Inf(1)), dash},
		{"mean and std", Stat{Mean: 0.861, Std: 0.002, N: 5}, "86.1 ± 0.2"},
		{"Stringer", 90 * time.Second, "1m30s"},
		{"any", []int{1}, "[1]"},
	} {
		tab := NewTable("", "c").Percent().Row(c.in)
		if got := tab.columns[0].written(tab.rows[0][0]); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestTablePanics(t *testing.T) {
	for name, f := range map[string]func(){
		"too many cells": func() { NewTable("", "a").Row(1, 2) },
		"no such column": func() { NewTable("", "a").Best("b") },
		"decimals":       func() { NewTable("", "a").Decimals(-1) },
	} {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.HasPrefix(fmt.Sprint(r), "viz: table: ") {
					t.Errorf("%s: panic %v", name, r)
				}
			}()
			f()
		}()
	}
}

func TestMeanStd(t *testing.T) {
	for _, c := range []struct {
		in        []float64
		mean, std float64
	}{
		{nil, 0, 0},
		{[]float64{4}, 4, 0},
		{[]float64{1, 2, 3, 4}, 2.5, math.Sqrt(5.0 / 3)},
		{[]float64{1e9, 1e9 + 1}, 1e9 + 0.5, math.Sqrt(0.5)},
	} {
		s := MeanStd(c.in...)
		if math.Abs(s.Mean-c.mean) > 1e-9 || math.Abs(s.Std-c.std) > 1e-9 || s.N != len(c.in) {
			t.Errorf("MeanStd(%v) = %+v, want %g ± %g", c.in, s, c.mean, c.std)
		}
	}
}

func ExampleTable() {
	fmt.Print(NewTable("Blazons, unseen classes", "method", "R@1", "MAP@R").
		Percent().Best().
		Row("Soft triple", MeanStd(0.852, 0.856), 0.43).
		Row("CHEST", MeanStd(0.861, 0.865), 0.442))
	// Output:
	// Blazons, unseen classes
	// method              R@1   MAP@R
	// ────────────────────────────────
	// Soft triple  85.4 ± 0.3    43.0
	// CHEST        86.3 ± 0.3*   44.2*
}

func TestStatString(t *testing.T) {
	for want, s := range map[string]Stat{"–": MeanStd(), "0.500": MeanStd(0.5), "2.000 ± 1.000 (3)": MeanStd(1, 2, 3)} {
		if s.String() != want {
			t.Errorf("%q, want %q", s.String(), want)
		}
	}
}

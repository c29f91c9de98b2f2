package eval

import (
	"go/token"
	"strings"
	"testing"
)

func TestComplete(t *testing.T) {
	s := &Session{}
	for _, tt := range []struct{ code, status, indent string }{
		{"", "complete", ""},
		{"x := 1", "complete", ""},
		{"x := 1\n", "complete", ""},
		{"// a comment", "complete", ""},
		{"func f() {", "incomplete", "\t"},
		{"func f() {\n\tif x {", "incomplete", "\t\t"},
		{"func f() {\n}", "complete", ""},
		{"fmt.Println(1,", "incomplete", "\t"},
		{"x := []int{1,\n2", "incomplete", "\t"},
		{"s := `raw", "incomplete", ""},
		{"/* open", "incomplete", ""},
		{"x := 1 +", "incomplete", "\t"},
		{"x.", "incomplete", "\t"},
		{"a &&", "incomplete", "\t"},
		{"x :=", "incomplete", "\t"},
		{"x++", "complete", ""},
		{"if x {\n} else", "incomplete", "\t"},
		{"import", "incomplete", "\t"},
		{"x := )", "invalid", ""},
		{"x := := 1", "invalid", ""},
		{"s := \"open", "invalid", ""},
		{"for i := 0; i < 3; i++ {\n}\nx", "complete", ""},
		{"package main\nfunc main() {}", "complete", ""},
		{"package other", "invalid", ""},
		{"größe := 1", "complete", ""},
	} {
		if got := s.IsComplete(tt.code); got.Status != tt.status || got.Indent != tt.indent {
			t.Errorf("%q: got %+v, want %s %q", tt.code, got, tt.status, tt.indent)
		}
	}
}

func TestSplit(t *testing.T) {
	for _, tt := range []struct{ code, want string }{
		{"a; b\nc", "a|b|c"},
		{"for i := 0; i < 3; i++ { x; y }; z", "for i := 0; i < 3; i++ { x; y }|z"},
		{"if x := f(); x > 0 {\n} else if y := 2; y > 1 {\n}\nz", "if x := f(); x > 0 {\n} else if y := 2; y > 1 {\n}|z"},
		{"for m := map[int]int{}; len(m) < 2; {\n}\nz", "for m := map[int]int{}; len(m) < 2; {\n}|z"},
		{"switch x := []int{}; len(x) {\ncase 0:\n}\nz", "switch x := []int{}; len(x) {\ncase 0:\n}|z"},
		{"L:\nfor ; ; {\n}\nz", "L:\nfor ; ; {\n}|z"},
		{"func f() { a; b }\nfunc (t T) g() {}\nx", "func f() { a; b }|func (t T) g() {}|x"},
		{"x := func() { a; b }\ny", "x := func() { a; b }|y"},
		{"import (\n\"a\"\n\"b\"\n)\nx", "import (\n\"a\"\n\"b\"\n)|x"},
		{"`a;\nb`; c", "`a;\nb`|c"},
		{"// a; b\nc /* ; */ + d", "c /* ; */ + d"},
		{";;", ""},
	} {
		var got []string
		for _, p := range split(tt.code) {
			got = append(got, tt.code[p.start:p.end])
		}
		if s := strings.Join(got, "|"); s != tt.want {
			t.Errorf("%q: got %q, want %q", tt.code, s, tt.want)
		}
	}
}

// FuzzParse feeds the front end with any text: it must neither panic nor lose
// source, and a cell that is complete must parse.
func FuzzParse(f *testing.F) {
	for _, tt := range sessions {
		for _, cell := range tt.cells {
			f.Add(cell)
		}
	}
	f.Add("}\x00{")
	f.Add("L: ; for")
	f.Fuzz(func(t *testing.T, code string) {
		code = normal(code)
		at := 0
		for _, p := range split(code) {
			if p.start < at || p.end < p.start || p.end > len(code) {
				t.Fatalf("%q: piece %+v behind byte %d", code, p, at)
			}
			at = p.end
		}
		p, err := parse(token.NewFileSet(), "cell", code)
		status := (&Session{}).IsComplete(code).Status
		if err != nil {
			if status == "complete" {
				t.Fatalf("%q is complete but does not parse: %v", code, err)
			}
			return
		}
		check(p)
	})
}

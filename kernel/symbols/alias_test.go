package symbols_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/chestlab/chest/kernel/display"
	"github.com/chestlab/chest/kernel/eval"
	"github.com/chestlab/chest/kernel/symbols"
)

// shown is a sink that keeps what it gets.
type shown struct{ all []display.Data }

func (s *shown) Display(d display.Data, id string, update bool) error {
	s.all = append(s.all, d)
	return nil
}

func (s *shown) Clear(bool) error { return nil }

// notebook is a session with the packages of a fresh notebook.
func notebook(t *testing.T) *eval.Session {
	t.Helper()
	s, err := eval.New(eval.Options{Symbols: symbols.All(), Imports: symbols.Imported(), Stdout: io.Discard, Stderr: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	run(t, s, symbols.Prelude)
	return s
}

func run(t *testing.T, s *eval.Session, code string) eval.Result {
	t.Helper()
	r := s.Run(context.Background(), eval.Cell{Name: "In[1]", Code: code})
	if r.Err != nil {
		t.Fatalf("%s\n%s", code, strings.Join(r.Err.Traceback, "\n"))
	}
	return r
}

// TestCellTypesAreShown: the methods of a cell's type count when it is shown,
// as the value of the cell and by a call.
func TestCellTypesAreShown(t *testing.T) {
	sink := &shown{}
	defer display.SetSink(display.SetSink(sink))
	s := notebook(t)
	for _, c := range []struct {
		name, decl, value string
		want              string // the forms
	}{
		{"HTML", `type A struct{ n int }; func (a A) HTML() string { return fmt.Sprint("<b>", a.n, "</b>") }`, "A{1}",
			"map[text/html:<b>1</b> text/plain:1]"},
		{"pointer", `type B struct{}; func (b *B) Markdown() string { return "*b*" }`, "&B{}",
			"map[text/markdown:*b* text/plain:*b*]"},
		{"several", `type C struct{}; func (C) HTML() string { return "<i>c</i>" }; func (C) Latex() string { return "$c$" }; func (C) String() string { return "c!" }`, "C{}",
			"map[text/html:<i>c</i> text/latex:$c$ text/plain:c!]"},
		{"Render", `type D struct{}; func (D) Render() display.Data { return display.MIME(display.MIMEMap{"text/html": "d"}, nil) }`, "D{}",
			"map[text/html:d text/plain:d]"},
		{"Render by an own struct", `import gn "github.com/gopherdata/gophernotes"
type M = map[string]interface{}
type O = struct { Data, Metadata, Transient M }
type E struct{}; func (E) Render() gn.Data { return O{Data: M{"text/html": "e"}} }`, "E{}",
			"map[text/html:e text/plain:e]"},
		{"bundle and error", `type F struct{}; func (F) MIMEBundle() map[string]any { return map[string]any{"text/html": "f"} }; func (F) Error() string { return "failed" }`, "F{}",
			"map[text/html:f text/plain:failed]"},
		{"other shape", `type G struct{ N int }; func (G) Render(w int) string { return "" }; func (G) PNG() ([]byte, error) { return nil, nil }`, "G{7}",
			"map[text/plain:{7}]"},
		{"other shape beside a form", `type H struct{}; func (H) Render(w int) string { return "" }; func (H) HTML() string { return "h" }`, "H{}",
			"map[text/html:h text/plain:h]"},
		{"Stringer", `type I struct{}; func (I) String() string { return "i" }`, "I{}", "map[text/plain:i]"},
		{"rows", `type J struct{ name string; n int }`, `[]J{{"a", 1}}`,
			`map[text/html:<table><thead><tr><th align="left">name</th><th align="right">n</th></tr></thead><tbody><tr><td align="left">a</td><td align="right">1</td></tr></tbody></table> text/plain:name  n
a     1]`},
	} {
		run(t, s, c.decl)
		if r := run(t, s, c.value); len(r.Values) != 1 || fmt.Sprint(display.Of(r.Values[0])) != c.want {
			t.Errorf("%s: value %v, want %s", c.name, r.Values, c.want)
		}
		for _, call := range []string{"Display(", "display.Show(", "display.ShowAs(\"x\", ", "display.Update(\"x\", "} {
			sink.all = nil
			run(t, s, call+c.value+")")
			if len(sink.all) != 1 || fmt.Sprint(sink.all[0].Data) != c.want {
				t.Errorf("%s, %s…): %v, want %s", c.name, call, sink.all, c.want)
			}
		}
		if r := run(t, s, "display.Auto("+c.value+")"); fmt.Sprint(display.Of(r.Values[0])) != c.want {
			t.Errorf("%s, Auto: %v, want %s", c.name, r.Values, c.want)
		}
	}
}

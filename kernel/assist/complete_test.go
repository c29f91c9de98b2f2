package assist

import (
	"slices"
	"strings"
	"testing"
)

// completions lists cells and what Tab offers in them: the words of want stand
// at the front in this order; a word behind - must not be offered; only: and
// nothing else; = means nothing at all.
var completions = []struct{ name, code, want string }{
	// packages and their members
	{"package member", `fmt.Print‸`, "only Print Printf Println"},
	{"package member, empty prefix", `fmt.‸`, "Append Appendf Appendln -fmt"},
	{"package member, other case", `fmt.println‸`, "only Println"},
	{"aliased import", `str.Spl‸`, "only Split SplitAfter SplitAfterN SplitAfterSeq SplitN SplitSeq"},
	{"not imported member", `strconv.Ito‸`, "only Itoa"},
	{"not imported name", `strco‸`, "only strconv"},
	{"imported name", `ma‸`, "makeLayer main? math make max map"},
	{"versioned path", `shapes.‸`, "At Edge Far Left MakePair Middle Options Origin Pair Point Right Settings Shape Side Unit -secret"},
	{"import of this cell", "import \"time\"\ntime.Sin‸", "only Since"},
	{"import group of this cell", "import (\n\t\"time\"\n\tmr \"math/rand/v2\"\n)\nmr.Per‸", "only Perm"},
	{"import below", "os.Getp‸\nimport \"os\"", "Getpagesize Getpid Getppid"},
	{"import above a broken line", "import \"os\"\nx := (1 +\nos.Getpi‸", "only Getpid"},
	{"unknown package", `nowhere.‸`, "="},
	{"unsafe", "import \"unsafe\"\nunsafe.Si‸", "only Sizeof"},
	{"ambiguous name", `ran‸`, "rand range"},

	// members of values
	{"pointer variable", `model.‸`, "Base Layers Meta Name Next opts Point Clone private Train ID tag X Y Add Describe Move Rename -hidden -secret"},
	{"prefix", `model.Tr‸`, "only Train"},
	{"promoted field", `model.I‸`, "only ID"},
	{"promoted through pointer", `model.Mo‸`, "only Move"},
	{"private of a package", `model.Point.h‸`, "="},
	{"private of the notebook", `model.pri‸`, "only private"},
	{"value variable: pointer method", `layer.Gr‸`, "only Grow"},
	{"call result: no pointer method", `makeLayer(1, 2).‸`, "only In Out Self Size"},
	{"map element: no pointer method", `table["a"].‸`, "only In Out Self Size"},
	{"slice element: pointer method", `model.Layers[0].Gr‸`, "only Grow"},
	{"chain", `model.Clone().Layers[0].Self().Self().S‸`, "only Self Size"},
	{"chain over lines", "model.\n\tClone().\n\tNext.\n\tNa‸", "only Name"},
	{"function variable", `fn().Nam‸`, "only Name"},
	{"composite literal", `Layer{1, 2}.Si‸`, "only Size"},
	{"pointer to composite literal", `(&Layer{1, 2}).G‸`, "only Grow"},
	{"conversion", `Layer(layer).I‸`, "only In"},
	{"type assertion", `anything.(*Model).Na‸`, "only Name"},
	{"receive", `(<-ch).O‸`, "only Out"},
	{"dereference", `(*model).Na‸`, "only Name"},
	{"parentheses", `((model)).Na‸`, "only Name"},
	{"interface", `shape.‸`, "only Area Bounds"},
	{"error", `failure.‸`, "only Error"},
	{"method expression", `Layer.‸`, "only Self Size"},
	{"pointer method expression", `(*Layer).G‸`, "only Grow"},
	{"std value", `builder.WriteS‸`, "only WriteString"},
	{"string has none", `"abc".‸`, "="},
	{"number has none", `1.‸`, "="},
	{"number and letter", `1.f‸`, "="},
	{"in a number", `x := 12‸3`, "="},
	{"hexadecimal", `0xf‸`, "="},
	{"tuple has none", `load("a", 1).‸`, "="},
	{"method value", `model.Train.‸`, "="},
	{"middle of a name", `model.Tr‸ain(1, 2)`, "only Train"},
	{"before a bracket", `model.‸(1)`, "Base Layers"},
	{"in an index", `names[layer.‸]`, "In Out Grow Self Size"},
	{"in call arguments", `fmt.Println(model.Na‸, 1)`, "only Name"},
	{"in open call arguments", `fmt.Println(names[0], model.Na‸`, "only Name"},
	{"behind a comment", "model. /* here */ Na‸", "only Name"},

	// generics
	{"generic receiver", `stack.P‸`, "only Pop Push"},
	{"element of generic field", `stack.Items[0].I‸`, "only In"},
	{"result of generic function", `Map(names, func(s string) Layer { return layer })[0].Si‸`, "only Size"},
	{"inside function argument", `Map(models, func(m Model) Layer { return m.‸`, "Base Layers Meta Name"},
	{"generic pair", `pair.Swap().First.I‸`, "only In"},
	{"inferred package generic", `shapes.MakePair(1, layer).Second.Si‸`, "only Size"},
	{"type parameter", "func f[T interface{ Foo() int }](x T) {\n\tx.F‸\n}", "only Foo"},
	{"type parameter name", "func f[Elem any](x []Elem) {\n\tvar y Ele‸\n}", "only Elem"},

	// names in scope
	{"notebook variable", `mod‸`, "only model models Model"},
	{"non-ASCII name", `grö‸`, "only größe"},
	{"local of this cell", "local1 := 1\nlocal2 := local1\nloc‸", "only local1 local2"},
	{"local before notebook", "nam := 1\nna‸", "nam names"},
	{"not yet declared", "x1 := x‸\nx2 := 1", "-x1 -x2"},
	{"parameter", "func f(alpha int) {\n\tal‸\n}", "only alpha"},
	{"named result", "func f() (result int) {\n\tres‸\n}", "only result"},
	{"receiver", "func (self Layer) f() {\n\tself.‸\n}", "In Out"},
	{"receiver of a new type", "type T struct{ A int }\nfunc (t T) B() {}\nfunc (t *T) f() {\n\tt.‸\n}", "only A B f"},
	{"new method of an old type", "func (l Layer) Double() Layer { return l }\nlayer.Dou‸", "only Double"},
	{"new generic method of an old type", "func (s *Stack[T]) Peek() (x T) { return }\nstack.Pe‸", "only Peek"},
	{"in a loop", "for i, lay := range model.Layers {\n\tlay.‸\n}", "In Out Grow Self Size"},
	{"loop variable", "for index := range 10 {\n\tind‸\n}", "only index"},
	{"loop variable is gone", "for index := range 10 {\n}\nind‸", "="},
	{"type switch", "switch v := anything.(type) {\ncase *Model:\n\tv.Na‸\n}", "only Name"},
	{"open type switch", "switch v := anything.(type) {\ncase *Model:\n\tv.Na‸", "only Name"},
	{"case of a switch", "switch {\ncase model.Na‸", "only Name"},
	{"select", "select {\ncase l := <-ch:\n\tl.O‸\n}", "only Out"},
	{"shadowing", "shadow := model\nshadow.Na‸", "only Name"},
	{"shadowing in a block", "if true {\n\tshadow := model\n\tshadow.Na‸\n}", "only Name"},
	{"shadowing is over", "if true {\n\tshadow := model\n\t_ = shadow\n}\nshadow.‸", "="},
	{"redeclared from itself", "model := model.Clone()\nmodel.Na‸", "only Name"},
	{"variable named like an import", "math := layer\nmath.I‸", "only In"},
	{"type of this cell", "type Local struct{ Field int }\nvar x Local\nx.‸", "only Field"},
	{"type redeclared", "type Layer struct{ New int }\nLayer{}.‸", "only New"},
	{"type redeclared, field", "type Layer struct{ New int }\nl := Layer{}\nl.‸", "only New"},
	{"function below", "helper().‸\nfunc helper() Layer { return layer }", "In Out Self Size"},
	{"variable of the cell in a function", "counter := layer\nfunc f() {\n\tcounter.I‸\n}", "only In"},
	{"var of the cell in a function", "var counter, other Layer\nfunc f() {\n\tcoun‸\n}", "only counter"},
	{"closure", "g := func(l Layer) int {\n\treturn l.O‸\n}", "only Out"},
	{"embedded struct of this cell", "type A struct{ Deep int }\ntype B struct{ A }\ntype C struct{ *B }\nvar c C\nc.De‸", "only Deep"},
	{"recursive type", "type N struct{ *N; Val int }\nvar n N\nn.V‸", "only Val"},
	{"label", "continue l‸", "="},
	{"keyword", `fallt‸`, "only fallthrough"},
	{"keywords last", `fo‸`, "only for"},
	{"keyword as prefix", "func‸", "only func"},
	{"builtin", `appe‸`, "only append"},
	{"predeclared type", `float‸`, "only float32 float64"},
	{"constant", `lim‸`, "only limit"},
	{"exact case first", `M‸`, "Map Model math? -"},
	{"empty cell", `‸`, "anything builder ch -strconv"},
	{"name of a new function", `func ma‸`, "="},
	{"name of a new type", `type Mo‸`, "="},
	{"name of a new variable", `var mo‸`, "="},
	{"type of a new variable", `var x Mode‸`, "only Model model models"},
	{"type behind brackets", `x := []Mode‸`, "only Model model models"},
	{"type in a signature", `func f(m *Mode‸`, "only Model model models"},
	{"type in a conversion", `float‸(1)`, "only float32 float64"},

	// struct literals
	{"field names", `Layer{‸`, "In Out"},
	{"field names, prefix", `Layer{I‸}`, "only In imag? -"},
	{"field already there", `Layer{In: 1, ‸}`, "only Out"},
	{"field already there, open", `Layer{In: 1, ‸`, "only Out"},
	{"field value", `Layer{In: lim‸}`, "only limit"},
	{"private fields of a package", `shapes.Point{‸}`, "X Y -hidden"},
	{"private fields of the notebook", `options{‸}`, "seed Size"},
	{"field names over lines", "m := Model{\n\tName: \"x\",\n\tLa‸\n}", "only Layers"},
	{"pointer literal", `m := &Model{Na‸`, "Name"},
	{"elided element type", `ls := []Layer{{In: 1}, {O‸}}`, "Out"},
	{"map value literal", `ls := map[string]*Layer{"a": {Ou‸`, "only Out"},
	{"nested literal", `m := Model{Layers: []Layer{{‸`, "In Out"},
	{"literal in a call", `fmt.Println(Layer{In: 1, O‸`, "only Out"},
	{"array literal is no struct", `x := []int{lim‸}`, "only limit"},

	// broken cells
	{"if header", `if err := failure; err.‸`, "only Error"},
	{"if header, second name", `if m, err := load("a", 1); err != nil && m.Na‸`, "only Name"},
	{"if header with body", "if err := failure; err.‸ {\n}", "only Error"},
	{"for header", `for i := 0; i < model.Layers[0].‸`, "In Out"},
	{"range header", `for _, l := range model.La‸`, "only Layers"},
	{"range header with body", "for _, l := range model.La‸ {\n}", "only Layers"},
	{"switch header", `switch model.Na‸`, "only Name"},
	{"unclosed function", "func f(m *Model) {\n\tif m != nil {\n\t\tm.Na‸", "only Name"},
	{"unclosed bracket above", "x := names[(0\ny := layer\ny.I‸", "only In"},
	{"syntax error above", "x := := 1\ny := layer\ny.I‸", "only In"},
	{"syntax error in a function above", "func g() {\n\tx := = 2\n}\ny := layer\ny.I‸", "only In"},
	{"syntax error in the same block", "func g() {\n\tx := = 2\n\ty := layer\n\ty.I‸\n}", "only In"},
	{"stray bracket above", "}\ny := layer\ny.I‸", "only In"},
	{"broken below", "y := layer\ny.I‸\nfor {{", "only In"},
	{"dot before the next statement", "y := layer\ny.‸\nz := 1\nfmt.Println(z)", "In Out Grow Self Size"},
	{"dot before an assignment", "func f(l Layer) {\n\tl.‸\n\tz := 1\n\t_ = z\n}", "In Out"},
	{"assignment to a field", `model.Na‸ = "x"`, "only Name"},
	{"operator left open", `x := limit + layer.I‸`, "only In"},
	{"several errors", "func broken( {\nx := 3 +\nz := model\nz.Na‸", "only Name"},
	{"function literal as argument", "each(func(i int, l Layer) {\n\tl.Si‸", "only Size"},
	{"go statement", `go func() { model.Tra‸`, "only Train"},
	{"return", "func f() int {\n\treturn layer.I‸", "only In"},
	{"method call on undefined", `undefinedThing.‸`, "="},
	{"unterminated string above", "s := \"open\nlayer.I‸", "only In"},
	{"declaration behind the open bracket", "fmt.Println(helper().‸\nfunc helper() Layer {\n\treturn layer\n}", "In Out Self Size"},

	// Unicode
	{"emoji before", `s := "😀😀"; model.Na‸`, "only Name"},
	{"emoji in a comment before", "// 😀 é\nmodel.Na‸", "only Name"},
	{"CRLF", "x := 1\r\nmodel.Na‸\r\ny := 2\r\n", "only Name"},
	{"invalid UTF-8", "s := \"\xff\xfe\"\nmodel.Na‸", "only Name"},

	// literals and comments
	{"line comment", `// model.Na‸`, "="},
	{"block comment", `/* model.Na‸ */`, "="},
	{"rune", `'a‸'`, "="},
	{"file in a string", `os.Open("no‸")`, "only notes.txt"},
	{"directory in a string", `os.Open("da‸`, "only data/"},
	{"file in a directory", `os.Open("data/t‸")`, "only test.csv train.csv"},
	{"file in a raw string", "os.Open(`data/tr‸`)", "only train.csv"},
	{"all files", `"‸"`, "only data/ notes.txt"},
	{"hidden file", `".h‸"`, "only .hidden"},
	{"no such file", `"hello wor‸"`, "="},
	{"import path", `import "str‸"`, "only strconv strings"},
	{"import path, open", `import "math/‸`, "only math/rand/v2"},
	{"import path in a group", "import (\n\t\"fmt\"\n\tx \"crypto/‸\"\n)", "only crypto/rand"},
	{"import without quotes", `import st‸`, "="},
	{"string behind an import", "import \"fmt\"\ns := \"no‸\"", "only notes.txt"},

	// special commands
	{"command", `%ti‸`, "only %time %timeit"},
	{"all commands", `%‸`, "only %time %timeit %who"},
	{"command on a later line", "x := 1\n  %w‸", "only %who"},
	{"Go behind a command", `%time model.Na‸`, "only Name"},
	{"Go below a command", "%time\nmodel.Na‸", "only Name"},
	{"remainder is no command", "x := 5 %lim‸", "limit"},
	{"raw string is no command", "s := `\n%ti‸`", "="},
}

func TestComplete(t *testing.T) {
	for _, tt := range completions {
		t.Run(tt.name, func(t *testing.T) {
			code, cursor := cursorIn(tt.code)
			got := Complete(testEnv(), code, cursor)
			var texts []string
			for _, m := range got.Matches {
				texts = append(texts, m.Text)
			}
			if why := differs(texts, tt.want); why != "" {
				t.Errorf("%q: %s\ngot  %s\nwant %s", tt.code, why, strings.Join(texts[:min(len(texts), 30)], " "), tt.want)
			}
			if got.Start > cursor || got.End < cursor || got.End > len(code) {
				t.Errorf("%q: replaces %d to %d of %d, cursor %d", tt.code, got.Start, got.End, len(code), cursor)
			}
		})
	}
}

// differs says in what got is not as want asks.
func differs(got []string, want string) string {
	if want == "=" {
		want = "only"
	}
	words := strings.Fields(want)
	only := len(words) > 0 && words[0] == "only"
	if only {
		words = words[1:]
	}
	n := 0
	for _, w := range words {
		if bad, no := strings.CutPrefix(w, "-"); no {
			if bad != "" && slices.Contains(got, bad) {
				return "offers " + bad
			}
			continue
		}
		w, perhaps := strings.CutSuffix(w, "?")
		if n < len(got) && got[n] == w {
			n++
		} else if !perhaps {
			return "misses " + w
		}
	}
	if only && n < len(got) && !strings.Contains(want, "-") {
		return "offers more"
	}
	return ""
}

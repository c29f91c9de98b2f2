package assist

import (
	"strings"
	"testing"
)

// inspections lists cells and lines that Shift-Tab shows; a line behind ! must
// not be shown; none: nothing is found. A name that ends in + asks for detail 1.
var inspections = []struct {
	name, code string
	want       []string
}{
	{"inside a package function", `str.Sp‸lit("a", "b")`, []string{"func strings.Split(s string, sep string) []string", "Kind:  function of package strings", "Split slices s into all substrings separated by sep and returns a slice of the"}},
	{"behind a name", `str.Split‸`, []string{"func strings.Split(s string, sep string) []string"}},
	{"in the arguments", `str.Split(‸"a", "b")`, []string{"func strings.Split(s string, sep string) []string"}},
	{"in open arguments", `str.Split("a", ‸`, []string{"func strings.Split(s string, sep string) []string"}},
	{"in a string argument", `str.Split("a‸", "b")`, []string{"func strings.Split(s string, sep string) []string"}},
	{"in a number argument", `makeLayer(1‸2, 3)`, []string{"func makeLayer(in int, out int) Layer"}},
	{"argument itself", `str.Split(names‸[0], "b")`, []string{"var names []string", "Value: [a]"}},
	{"inner call", `fmt.Println(makeLayer(1, ‸), 2)`, []string{"func makeLayer(in int, out int) Layer"}},
	{"behind an inner call", `fmt.Println(makeLayer(1, 2), ‸)`, []string{"func fmt.Println(a ...any) (n int, err error)"}},
	{"behind a call", `makeLayer(1, 2)‸`, []string{"func makeLayer(in int, out int) Layer"}},
	{"in a slice in a call", `fmt.Println([]int{1, ‸2})`, []string{"func fmt.Println(a ...any) (n int, err error)"}},
	{"begin of a name", "‸names", []string{"var names []string"}},
	{"package", `st‸r.Split`, []string{`package strings // import "strings"`, "Package strings implements simple functions to manipulate UTF-8 encoded strings.", "!More of it."}},
	{"package+", `math‸`, []string{`package math // import "math"`, "Members:", "func Sqrt(x float64) float64"}},
	{"import path", `import "strings‸"`, []string{`package strings // import "strings"`}},
	{"package not imported", `strconv‸`, []string{`package strconv // import "strconv"`}},
	{"member not imported", `strconv.Itoa‸(1)`, []string{"func strconv.Itoa(i int) string"}},
	{"notebook function", `lo‸ad("a", 1)`, []string{"func load(path string, n int) (*Model, error)", "Kind:  function of the notebook", "load reads a model from a file. It never", "!Source:"}},
	{"notebook function+", `load‸`, []string{"Source:", "// load reads a model from a file."}},
	{"notebook method+", `model.Train‸(1, 2)`, []string{"func (m *Model) Train(epochs int, rate float64) (loss float64, err error)", "Kind:  method of Model", "Train fits the model.", "Source:"}},
	{"promoted method", `model.Rename‸`, []string{"func (b *Base) Rename(tag string) error", "Kind:  method of Base"}},
	{"notebook variable", `model‸`, []string{"var model *Model", "Kind:  variable of the notebook", "Type:  Model is a network."}},
	{"value of several lines", `models‸`, []string{"var models []Model", "Value:", "two", "lines"}},
	{"field", `model.Name‸`, []string{"field Name string", "Kind:  field of Model", "of the network"}},
	{"promoted field", `model.X‸`, []string{"field X float64", "Kind:  field of shapes.Point", "X goes to the right."}},
	{"field key", `Layer{In‸: 1}`, []string{"field In int", "Kind:  field of Layer"}},
	{"inside a struct literal", `x := Layer{‸}`, []string{"type Layer struct {", "\tIn int", "\tOut int"}},
	{"notebook type", `Model‸`, []string{"type Model struct {", "\tBase", "\tName string", "Kind:  type of the notebook", "Model is a network.", "!Methods:"}},
	{"notebook type+", `Model‸`, []string{"Methods:", "func (m Model) Clone() Model", "func (p shapes.Point) Add(q shapes.Point) shapes.Point", "Source:"}},
	{"generic type", `Stack‸`, []string{"type Stack[T any] struct {", "\tItems []T"}},
	{"generic type+", `Stack‸[int]{}`, []string{"func (s *Stack[T]) Pop() (x T, ok bool)"}},
	{"generic function", `Map‸(names, nil)`, []string{"func Map[A, B any](xs []A, f func(A) B) []B"}},
	{"explicit type arguments", `Map[int, string](‸`, []string{"func Map[A, B any](xs []A, f func(A) B) []B"}},
	{"generic method", `stack.Push‸`, []string{"func (s *Stack[Layer]) Push(x Layer)", "Kind:  method of Stack"}},
	{"std method", `builder.Grow‸(1)`, []string{"func (b *strings.Builder) Grow(n int)", "Kind:  method of strings.Builder", "Grow grows b's capacity."}},
	{"std type", `str.Builder‸`, []string{"type strings.Builder struct {", "\t// and what only its package sees", "A Builder is used to efficiently build a string."}},
	{"options", `shapes.Options‸`, []string{"\tSize float64 // in pixels; 0 means 5\n\t// Margin is what is left free.\n\t// None by default.\n\tMargin float64\n\tPoints []shapes.Point\n\tshapes.Point\n}"}},
	{"another name", `shapes.Settings‸`, []string{"type shapes.Settings = shapes.Options struct {\n\tSize float64", "Options say how it is drawn.", "!Other names."}},
	{"another name+", `shapes.Settings‸`, []string{"Methods:", "Add(q shapes.Point)"}},
	{"field of a type", `shapes.Settings.Size‸`, []string{"field Size float64", "Kind:  field of shapes.Options", "in pixels"}},
	{"promoted field of a type", `shapes.Options.X‸`, []string{"field X float64", "Kind:  field of shapes.Point", "X goes to the right."}},
	{"values of a type", `shapes.Side‸`, []string{"type shapes.Side int\n", "Values:\nconst shapes.Left = 0 // where it begins\nconst shapes.Right = 1\n// Not at an end.\n//\n// But inside.\nconst shapes.Middle = 5\nconst shapes.Far = 6\n", "!hiddenSide"}},
	{"values by another name", `shapes.Edge‸`, []string{"Values:\nconst shapes.Left = 0"}},
	{"no field of a type", `shapes.Options.Nope‸`, nil},
	{"interface", `Writer2‸`, []string{"type Writer2 interface {", "\tWrite2(p []byte) (n int, err error)", "\tfmt.Stringer"}},
	{"interface method", `shape.Bounds‸()`, []string{"Kind:  method of shapes.Shape"}},
	{"constant", `limit‸`, []string{"const limit untyped int = 10"}},
	{"package constant", `math.Pi‸`, []string{"const math.Pi untyped float = 3.14159", "Mathematical constants."}},
	{"package variable", `shapes.Origin‸`, []string{"var shapes.Origin shapes.Point", "Origin is in the middle."}},
	{"keyword", `for‸ {}`, []string{"for", "Kind:  keyword"}},
	{"builtin", `append‸(names, "a")`, []string{"func append(slice []T, elems ...T) []T", "Kind:  built into Go"}},
	{"arguments of a builtin", `append(‸`, []string{"func append(slice []T, elems ...T) []T"}},
	{"predeclared type", `var x float64‸`, []string{"Kind:  predeclared type"}},
	{"nil", `x == nil‸`, []string{"var nil T"}},
	{"true", `x = true‸`, []string{"Kind:  predeclared constant"}},
	{"error method", `failure.Error‸()`, []string{"Error() string"}},
	{"command", `%tim‸e x`, []string{"%time", "Kind:  command", "time a statement"}},

	{"parameter", "func f(alpha int) {\n\talpha‸\n}", []string{"var alpha int", "Kind:  parameter"}},
	{"receiver", "func (self Layer) f() {\n\tself‸\n}", []string{"var self Layer"}},
	{"local variable", "func f() {\n\tlocal := 1.5\n\tlocal‸\n}", []string{"var local float64", "Kind:  local variable"}},
	{"variable of the cell", "fresh := layer\nfresh‸", []string{"var fresh Layer", "Kind:  variable of this cell", "!Value"}},
	{"variable of the cell with a value", "total := 2.5\ntotal‸", []string{"var total float64", "Value: 0.5"}},
	{"shadowed by another type", "shadow := \"s\"\nshadow‸", []string{"var shadow string", "!Value"}},
	{"shadowed in a function", "func f(shadow int) {\n\tshadow‸\n}", []string{"Kind:  parameter", "!Value"}},
	{"declaration in the cell+", "// twice doubles x.\nfunc twice(x int) int { return 2 * x }\ntwice‸(1)", []string{"func twice(x int) int", "Kind:  function of this cell", "twice doubles x.", "Source:", "// twice doubles x."}},
	{"name in its declaration", "// twice doubles x.\nfunc twice‸(x int) int { return 2 * x }", []string{"func twice(x int) int", "twice doubles x."}},
	{"type in the cell+", "// T is new.\ntype T struct {\n\tA int // counts\n}\nfunc (t T) M() {}\nvar x T‸", []string{"type T struct {", "T is new.", "func (t T) M()", "Source:"}},
	{"field in the cell", "type T struct {\n\tA int // counts\n}\nT{}.A‸", []string{"field A int", "Kind:  field of T", "counts"}},
	{"new method of an old type+", "// Half halves l.\nfunc (l Layer) Half(by int) Layer { return l }\nlayer.Half‸(2)", []string{"func (l Layer) Half(by int) Layer", "Half halves l.", "Source:"}},
	{"type switch", "switch v‸ := anything.(type) {\ncase *Model:\n\t_ = v\n}", []string{"var v *Model"}},
	{"type parameter", "func f[T any](x T‸) {}", []string{"Kind:  type parameter"}},
	{"variable of a closure", "each(func(i int, l Layer) {\n\tl‸.Size()\n})", []string{"var l Layer", "Kind:  parameter"}},

	{"broken below", "model.Train‸(\nfor {{", []string{"func (m *Model) Train(epochs int, rate float64) (loss float64, err error)"}},
	{"broken above", "x := := 1\nmodel.Train‸(1, 2)", []string{"func (m *Model) Train(epochs int, rate float64) (loss float64, err error)"}},
	{"unclosed function", "func f() {\n\tif true {\n\t\tmodel.Train(‸", []string{"func (m *Model) Train(epochs int, rate float64) (loss float64, err error)"}},
	{"if header", "if err := failure; err‸", []string{"var err error"}},
	{"emoji before", `s := "😀"; names‸`, []string{"var names []string"}},
	{"chain", `model.Clone().Layers[0].Self‸().Size()`, []string{"func (l Layer) Self() Layer"}},

	{"comment", `// names‸`, nil},
	{"number", `x := 12‸`, nil},
	{"string", `x := "names‸"`, nil},
	{"unknown name", `nowhere‸`, nil},
	{"block", "if true {\n‸\n}", nil},
	{"empty", `‸`, nil},
	{"unknown command", `%nothing‸`, nil},
}

func TestInspect(t *testing.T) {
	for _, tt := range inspections {
		t.Run(tt.name, func(t *testing.T) {
			code, cursor := cursorIn(tt.code)
			detail := strings.Count(tt.name, "+")
			got := Inspect(testEnv(), code, cursor, detail)
			if got.Found != (tt.want != nil) {
				t.Fatalf("%q: found %v\n%s", tt.code, got.Found, got.Text)
			}
			for _, line := range tt.want {
				line, no := strings.CutPrefix(line, "!")
				if strings.Contains(got.Text, line) == no {
					t.Errorf("%q: %q is shown: %v\n%s", tt.code, line, !no, got.Text)
				}
			}
		})
	}
}

func TestMarkdown(t *testing.T) {
	got := Inspect(testEnv(), "str.Split", 9, 1).Markdown
	want := "```go\nfunc strings.Split(s string, sep string) []string\n```\n\n*function of package strings*\n\n" +
		"Split slices s into all substrings separated by sep and returns a slice of the substrings between those separators.\n\n" +
		"See \\[Join].\n\n\tcode\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := fence("", "a ``` b"); got != "````\na ``` b\n````" {
		t.Errorf("fence: %q", got)
	}
}

func TestDetails(t *testing.T) {
	for _, tt := range []struct{ code, text, kind, detail string }{
		{"fmt.Sprintf‸", "Sprintf", "function", "func(format string, a ...any) string"},
		{"model.Tra‸", "Train", "method", "func(epochs int, rate float64) (loss float64, err error)"},
		{"model.Na‸", "Name", "field", "string"},
		{"mode‸", "model", "variable", "*Model"},
		{"Mod‸", "Model", "type", "struct"},
		{"math.Pi‸", "Pi", "constant", "untyped float = 3.14159"},
		{"lim‸", "limit", "constant", "untyped int = 10"},
		{"fm‸", "fmt", "package", `"fmt"`},
		{"strc‸", "strconv", "package", `not imported: import "strconv"`},
		{"strconv.Ito‸", "Itoa", "function", `func(i int) string (not imported: import "strconv")`},
		{"le‸", "len", "function", "func len(v T) int"},
		{"ret‸", "return", "keyword", ""},
		{"%who‸", "%who", "command", "list variables"},
		{`"da‸"`, "data/", "path", "directory"},
		{"stack.Pus‸", "Push", "method", "func(x Layer)"},
	} {
		code, cursor := cursorIn(tt.code)
		got := Complete(testEnv(), code, cursor)
		if len(got.Matches) == 0 || got.Matches[0] != (Match{tt.text, tt.kind, tt.detail}) {
			t.Errorf("%s: got %+v, want %s %s %s", tt.code, got.Matches, tt.text, tt.kind, tt.detail)
		}
	}
}

func TestReplaced(t *testing.T) {
	for _, tt := range []struct {
		code       string
		start, end int
	}{
		{"fmt.Pr‸", 4, 6},
		{"fmt.Pr‸intln(1)", 4, 11},
		{`"😀"; fmt.Pr‸`, 12, 14},
		{`os.Open("data/tr‸")`, 14, 16},
		{`import "str‸ings"`, 8, 15},
		{"x := 1\n %ti‸ x", 8, 11},
		{"fmt.‸\nx", 4, 4},
		{"‸fmt", 0, 0},
		{"", 0, 0},
	} {
		code, cursor := strings.ReplaceAll(tt.code, mark, ""), max(strings.Index(tt.code, mark), 0)
		if got := Complete(testEnv(), code, cursor); got.Start != tt.start || got.End != tt.end {
			t.Errorf("%s: got %d to %d, want %d to %d", tt.code, got.Start, got.End, tt.start, tt.end)
		}
	}
}

// TestZeroEnv asks without a notebook.
func TestZeroEnv(t *testing.T) {
	for _, tt := range completions {
		code, cursor := cursorIn(tt.code)
		Complete(Env{}, code, cursor)
		Inspect(Env{}, code, cursor, 1)
	}
	if got := Complete(Env{}, "x := 1\nretu", 11); len(got.Matches) != 1 {
		t.Errorf("got %v", got)
	}
}

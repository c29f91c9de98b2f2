package assist

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
	"sync"
)

// mark stands for the cursor in the tables.
const mark = "‸"

// cursorIn takes the mark out of code.
func cursorIn(code string) (string, int) {
	i := strings.Index(code, mark)
	if i < 0 {
		panic("no cursor in " + code)
	}
	return code[:i] + code[i+len(mark):], i
}

// fakes are packages that only the tests know.
var fakes = map[string]string{
	"example.org/shapes/v2": `package shapes

type Point struct{ X, Y float64; hidden int }
func (p Point) Add(q Point) Point { return p }
func (p *Point) Move(dx, dy float64) {}
func (p Point) secret() {}
func At(x, y float64) *Point { return nil }
type Shape interface { Area() float64; Bounds() (min, max Point) }
type Pair[A, B any] struct { First A; Second B }
func (p Pair[A, B]) Swap() Pair[B, A] { return Pair[B, A]{} }
func MakePair[A, B any](a A, b B) Pair[A, B] { return Pair[A, B]{} }
const Unit = 1.5
var Origin Point
type Options struct { Size, Margin float64; Points []Point; Point }
type Settings = Options
type Side int
const ( Right Side = 1; Left Side = 0; Middle Side = 5; Far Side = 6; hiddenSide Side = 2 )
type Edge = Side
`,
}

// earlier is what the cells before the tested one declared.
const earlier = `package main

import (
	"strings"
	"fmt"
	"example.org/shapes/v2"
)

type Base struct { ID int; tag string }
func (b Base) Describe() string { return "" }
func (b *Base) Rename(tag string) error { return nil }
type Model struct {
	Base
	*shapes.Point
	Name   string
	Layers []Layer
	opts   options
	Next   *Model
	Meta   map[string]Layer
}
func (m *Model) Train(epochs int, rate float64) (loss float64, err error) { return }
func (m Model) Clone() Model { return m }
func (m Model) private() {}
type Layer struct { In, Out int }
func (l Layer) Size() int { return 0 }
func (l *Layer) Grow(n int) {}
func (l Layer) Self() Layer { return l }
type options struct { seed, Size uint64 }
type Stack[T any] struct { Items []T }
func (s *Stack[T]) Push(x T) {}
func (s *Stack[T]) Pop() (x T, ok bool) { return }
func Map[A, B any](xs []A, f func(A) B) []B { return nil }
type Number interface { ~int | ~float64 }
type Writer2 interface { fmt.Stringer; Write2(p []byte) (n int, err error) }

var (
	model    *Model
	models   []Model
	layer    Layer
	names    = []string{"a"}
	table    map[string]Layer
	stack    *Stack[Layer]
	builder  strings.Builder
	größe    = 1
	shape    shapes.Shape
	pair     shapes.Pair[int, Layer]
	shadow   = 1
	total    = 0.5
	ch       chan Layer
	anything any
	failure  error
	fn       func() (*Model)
)
const limit = 10
func load(path string, n int) (*Model, error) { return nil, nil }
func makeLayer(in, out int) Layer { return Layer{} }
func each(f func(i int, l Layer)) {}
`

// sources is what env.Source knows of earlier.
var sources = map[string]string{
	"load":        "// load reads a model from a file.\n// It never fails.\nfunc load(path string, n int) (*Model, error) { return nil, nil }",
	"Model":       "// Model is a network.\ntype Model struct {\n\tBase\n\tName string // of the network\n}",
	"Model.Train": "// Train fits the model.\nfunc (m *Model) Train(epochs int, rate float64) (loss float64, err error) { return }",
}

var docs = map[string]string{
	"strings.":                             "Package strings implements simple functions to manipulate UTF-8 encoded strings.\n\nMore of it.",
	"strings.Split":                        "Split slices s into all substrings separated by sep and returns a slice of\nthe substrings between those separators.\n\nSee [Join].\n\n\tcode",
	"strings.Builder":                      "A Builder is used to efficiently build a string.",
	"strings.Builder.Grow":                 "Grow grows b's capacity.",
	"example.org/shapes/v2.Point.X":        "X goes to the right.",
	"example.org/shapes/v2.Options":        "Options say how it is drawn.",
	"example.org/shapes/v2.Options.Size":   "in pixels; 0 means 5",
	"example.org/shapes/v2.Options.Margin": "Margin is what is left free.\nNone by default.",
	"example.org/shapes/v2.Middle":         "Not at an end.\n\nBut inside.",
	"example.org/shapes/v2.Far":            "Not at an end.\n\nBut inside.",
	"example.org/shapes/v2.Left":           "where it begins",
	"example.org/shapes/v2.Settings":       "Other names.",
	"math.Pi":                              "Mathematical constants.",
	"example.org/shapes/v2.Origin":         "Origin is in the middle.",
}

// cached reads each package once.
type cached struct {
	mu    sync.Mutex
	std   types.Importer
	known map[string]*types.Package
}

func (c *cached) Import(path string) (*types.Package, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.known[path]; p != nil {
		return p, nil
	}
	p, err := c.read(path)
	if err == nil {
		c.known[path] = p
	}
	return p, err
}

func (c *cached) read(path string) (*types.Package, error) {
	if src, ok := fakes[path]; ok {
		return compile(path, src, c)
	}
	for _, std := range stdPaths {
		if path == std {
			return c.std.Import(path)
		}
	}
	return nil, fmt.Errorf("no package %q", path)
}

func compile(path, src string, imp types.Importer) (*types.Package, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, path+".go", src, 0)
	if err != nil {
		return nil, err
	}
	return (&types.Config{Importer: imp}).Check(path, fset, []*ast.File{f}, nil)
}

var stdPaths = []string{
	"bytes", "crypto/rand", "errors", "fmt", "io", "math", "math/rand/v2", "net/http", "os", "slices", "sort", "strconv", "strings", "sync", "time", "unsafe",
}

// testEnv is the notebook of the tables.
var testEnv = sync.OnceValue(func() Env {
	imp := &cached{std: importer.Default(), known: map[string]*types.Package{"unsafe": types.Unsafe}}
	scope, err := compile("main", earlier, imp)
	if err != nil {
		panic(err)
	}
	return Env{
		Scope:    scope,
		Imports:  map[string]string{"fmt": "fmt", "shapes": "example.org/shapes/v2", "math": "math", "str": "strings"},
		Importer: imp,
		Paths:    func() []string { return append([]string{"example.org/shapes/v2", "internal/abi"}, stdPaths...) },
		Doc:      func(path, name string) string { return docs[path+"."+name] },
		Source:   func(name string) string { return sources[name] },
		Value: func(name string) string {
			return map[string]string{"names": "[a]", "total": "0.5", "shadow": "1", "models": "two\nlines"}[name]
		},
		Commands: []Command{{"%time", "time a statement"}, {"timeit", "time it often"}, {"%who", "list variables"}},
		Dir:      "testdata/files",
	}
})

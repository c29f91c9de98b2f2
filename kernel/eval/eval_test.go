package eval

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/traefik/yaegi/stdlib"
)

// lib is a compiled package as cells see one.
var lib = map[string]map[string]reflect.Value{
	"example.org/lib/lib": {
		"Check": reflect.ValueOf(func(x, label int) {
			panic(fmt.Sprintf("loss: x has %d rows, labels %d", x, label))
		}),
		"Apply": reflect.ValueOf(func(f func(int) int, n int) int { return f(n) }),
	},
}

// testImporter knows the standard library and the packages of the tests.
var testImporter = &sourceImporter{
	std: importer.ForCompiler(token.NewFileSet(), "source", nil),
	own: map[string]*types.Package{},
	source: map[string]string{
		"example.org/lib":  "package lib; func Check(x, label int); func Apply(f func(int) int, n int) int",
		"example.org/slow": "package slow; func Polite() error; func Deaf() int; func Entered()",
		"example.org/see":  "package see; func See()",
	},
}

type sourceImporter struct {
	mu     sync.Mutex
	std    types.Importer
	source map[string]string
	own    map[string]*types.Package
}

func (s *sourceImporter) Import(path string) (p *types.Package, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.source[path] == "" {
		return s.std.Import(path)
	}
	if s.own[path] == nil {
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, "x.go", s.source[path], 0)
		if err != nil {
			return nil, err
		}
		if s.own[path], err = new(types.Config).Check(path, fset, []*ast.File{f}, nil); err != nil {
			return nil, err
		}
	}
	return s.own[path], nil
}

// lockedBuffer is a buffer that goroutines may share.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.b.String()
	l.b.Reset()
	return s
}

func newSession(t testing.TB) (*Session, *lockedBuffer) {
	t.Helper()
	out := &lockedBuffer{}
	s, err := New(Options{
		Symbols:  []map[string]map[string]reflect.Value{stdlib.Symbols, lib},
		Importer: testImporter,
		Imports:  []string{"fmt", "errors", "strings", "sort", "time", "example.org/lib"},
		Stdout:   out, Stderr: out,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, out
}

// sessions is one notebook a line: cells between ┊, each "code → expected".
// Expected is "out:…" for what is printed, "err:…" for a part of the error
// with its traceback, otherwise the values joined by blanks.
var sessions = []struct {
	name  string
	cells []string
}{
	{"arithmetic", c("1 + 2 → 3")},
	{"string", c(`"a" + "b" → ab`)},
	{"semicolon hides the value", c("1 + 2; → ")},
	{"assignment has no value", c("x := 3 → ", "x → 3")},
	{"state", c("x := 3 → ", "x *= 2 → ", "x → 6")},
	{"other type", c("x := 3 → ", `x := "s" → `, "x → s", "x := 2.5 → ", "x + 1 → 3.5")},
	{"same type keeps the variable", c("n := 1 → ", "get := func() int { return n } → ", "n := 5 → ", "get() → 5")},
	{"constant as its default type", c("1 << 40 → 1099511627776", "'a' → 97", "2.5 → 2.5")},
	{"unicode", c(`größe := "zwölf" → `, "len([]rune(größe)) → 5", `π := 3; π → 3`)},
	{"bool", c("3 > 2 → true")},
	{"two results", c("func two() (int, string) { return 7, \"q\" } → ", "two() → 7 q")},
	{"library results", c(`strings.Cut("a=b", "=") → a b true`)},
	{"no value", c("time.Sleep(1) → ", "func f() {} → ", "f() → ")},
	{"print hides its results", c(`fmt.Println("hi") → out:hi`, `fmt.Printf("%d", 3) → out:3`, `fmt.Print("x") → out:x`)},
	{"nil alone", c("var e error → ", "e → ", "nil → ")},
	{"error as value", c(`errors.New("bad") → bad`, `func fail() error { return errors.New("worse") } → `, "fail() → worse")},
	{"error of a cell", c("type E struct{ n int } → ", `func (e E) Error() string { return fmt.Sprint("E", e.n) } → `, "E{3} → E3", "func fail() error { return E{5} } → ", "fail() → E5", "func two() (int, error) { return 1, nil } → ", "two() → 1 <nil>")},
	{"Stringer of a cell", c("type P struct{ n int } → ", `func (p P) String() string { return fmt.Sprint("P", p.n) } → `, "P{3} → P3", "&P{4} → P4", "fmt.Println(P{5}) → out:P5")},
	{"expression in the middle", c("x := 2\nx\nx + 1 → 3")},
	{"several statements on a line", c("a := 1; b := 2; a + b → 3")},
	{"import", c("import \"math\"\nmath.Sqrt(16) → 4", "math.Floor(2.5) → 2")},
	{"import again, unused", c("import (\n\t\"math\"\n\t\"os\"\n) → ", "import \"math\" → ", "math.Abs(-1) → 1")},
	{"import under a name", c("import str \"strings\" → ", `str.ToUpper("a") → A`)},
	{"dot import", c("import . \"math\" → ", "Sqrt(9) → 3")},
	{"import two packages of one name", c("import \"math/rand\" → ", "import crand \"crypto/rand\" → ", "rand.New(rand.NewSource(1)).Intn(1) → 0", "crand.Reader == nil → false")},
	{"unknown import", c("import \"example.org/none\" → err:In[1]:1:8: package example.org/none is not in this kernel")},
	{"variable hides a package", c("import \"bytes\" → ", `bytes := []byte("ab") → `, "len(bytes) → 2")},
	{"unused variable", c("func f() int { x := 1; return 2 } → ", "f() → 2")},
	{"for keeps its scope", c("x := 100 → ", "for x := 0; x < 3; x++ {} → ", "x → 100")},
	{"if keeps its scope", c("x := 1\nif x := 5; x > 2 { y := 3; _ = y } → ", "x → 1", "y → err:undefined: y")},
	{"block keeps its scope", c("x := 1\n{ x := 2; _ = x } → ", "x → 1")},
	{"switch keeps its scope", c("x := 1\nswitch x := 7; x { case 7: fmt.Print(\"seven\") } → out:seven", "x → 1")},
	{"for changes outer variables", c("s := 0\nfor i := 1; i <= 4; i++ { s += i }\ns → 10")},
	{"range", c("s := \"\"\nfor i, v := range []string{\"a\", \"b\"} { s += fmt.Sprint(i, v) }\ns → 0a1b")},
	{"range over a number", c("s := 0\nfor i := range 4 { s += i; i = 100 }\ns → 6", "for range 2 { fmt.Print(\"x\") } → out:xx", "for i := range len(\"abc\") { fmt.Print(i) } → out:012")},
	{"header with a literal", c("for m := map[int]int{}; len(m) < 2; m[len(m)] = 1 {\n}\n\"ok\" → ok")},
	{"if else over lines", c("x := 3\nif x > 5 {\n fmt.Print(\"a\")\n} else if x > 2 {\n fmt.Print(\"b\")\n} else {\n fmt.Print(\"c\")\n} → out:b")},
	{"labelled loop", c("n := 0\nouter:\nfor i := 0; i < 3; i++ {\n for {\n  n++\n  continue outer\n }\n}\nn → 3")},
	{"select", c("ch := make(chan int, 1)\nch <- 4\nselect { case v := <-ch: fmt.Print(v) } → out:4")},
	{"receive", c("ch := make(chan int, 1) → ", "ch <- 4 → ", "<-ch → 4")},
	{"goroutines", c("ch := make(chan int) → ", "for i := 0; i < 3; i++ { go func() { ch <- i }() } → ", "<-ch + <-ch + <-ch → 3")},
	{"goroutine that sleeps through the end of its cell", c("woke := make(chan time.Duration, 1)\ngo func() { t := time.Now(); time.Sleep(30 * time.Millisecond); woke <- time.Since(t) }() → ", "<-woke >= 30*time.Millisecond → true")},
	{"goroutine of an earlier cell", c("in, out := make(chan int), make(chan int) → ", "go func() { for v := range in { out <- 2 * v } }() → ", "in <- 4\n<-out → 8", "in <- 5\n<-out → 10")},
	{"min, max, clear", c("min(3, 1, 2) → 1", "max(2.5, 1) → 2.5", "a, b := 4, 7\nmin(a, b) + max(a, b, 9) → 13", "max(\"a\", \"b\") → b", "m := map[int]int{1: 1}\nclear(m)\nlen(m) → 0", "x := []int{1, 2}\nclear(x)\nx → [0 0]", "func f(v []float64) (t float64) { for _, x := range v { t = max(t, x) }; return t }\nf([]float64{1, 5, 2}) → 5", "d := 3*time.Second\nmax(d, time.Minute) → 1m0s")},
	{"range over integers", c("n := 3 → ", "s := 0\nfor i := range n { s += i }\ns → 3", "var u uint8 = 2\nfor i := range u { fmt.Printf(\"%T%d \", i, i) } → out:uint80 uint81", "for i := range n + 1 { fmt.Print(i) } → out:0123", "type I int\nfor i := range I(2) { fmt.Print(i) } → out:01", "func f(k int) (s int) { for range k { s++ }; return s }\nf(5) → 5")},
	{"method expression", c("type T struct{ n int }\nfunc (t T) Add(k int) int { return t.n + k }\nfunc (t *T) Inc(k ...int) { t.n += len(k) } → ", "f := T.Add\nf(T{1}, 2) → 3", "g := (*T).Inc\nt := T{5}\ng(&t, 1, 2)\nt.n → 7", "h := strings.Builder{}\nw := (*strings.Builder).Len\nw(&h) → 0", "v := T{5}.Add\nv(3) → 8")},
	{"what compiled code would get wrong is refused", c("import (\"encoding/json\"; \"errors\")\ntype P struct{ X int; priv string }\nfunc (p P) String() string { return \"P\" }\ntype E struct{ n int }\nfunc (e *E) Error() string { return \"E\" }\ntype Plain struct{ A int }\ntype Q struct{ a int } → ", "fmt.Println([]P{{1, \"a\"}}) → err:In[2]:1:13: fmt.Println would not call the String or Error method of P inside []P", "fmt.Println(P{1, \"a\"}, &P{2, \"b\"}) → out:P P", "json.Marshal(P{1, \"a\"}) → err:json.Marshal would not see", "b, _ := json.Marshal(Plain{3})\nstring(b) → {\"A\":3}", "var e *E\nerrors.As(nil, &e) → err:errors.As cannot find", "fmt.Printf(\"%d %T\", 1, P{}) → err:%T would print", "fmt.Printf(\"%+v\", Q{}) → err:%+v would print", "fmt.Printf(\"%v %d%%\", Q{3}, 5) → out:{3} 5%", "fmt.Sprintf(\"%+v\", Plain{1}) → {A:1}")},
	{"embedded interface of a cell", c("type S interface{ Area() float64 }\ntype N struct{ S; name string } → err:a struct cannot embed the interface S", "import \"io\"\ntype R struct{ io.Reader }\nr := R{strings.NewReader(\"abc\")}\nb, _ := io.ReadAll(r)\nstring(b) → abc")},
	{"range over a function", c("func gen(yield func(int) bool) { yield(1) } → ", "for i := range gen { fmt.Print(i) } → err:In[2]:1:16: range over a function is not supported")},
	{"order of initialisation", c("var A = look(1)\nvar table = map[int]int{1: 20}\nfunc look(k int) int { return table[k] } → ", "A → 20", "var B, C = twice(C0), 1\nvar C0 = C1 + 1\nvar C1 = 4\nfunc twice(n int) int { return 2 * n } → err:undefined: C0", "f()\nvar y = 3\nfunc f() int { fmt.Print(y); return y } → out:3")},
	{"variables of a function have names of the cell", c("func mean(xs []float64) float64 { sum := 0.0; for _, x := range xs { sum += x }; return sum / float64(len(xs)) }\nvar data = []float64{1, 2, 3}\nvar sum = mean(data)\nsum → 2", "type P struct{ q int }\nvar q = P{3}\nq.q → 3")},
	{"interface again", c("type S interface{ A() int }\ntype T struct{}\nfunc (T) A() int { return 1 }\nxs := []S{T{}} → ", "type S interface { A() int; B() int }\nfunc (T) B() int { return 2 } → out:S defined again; of the former type and gone: xs", "xs := []S{T{}}\nxs[0].B() → 2")},
	{"inference from functions", c("func Map[T, U any](x []T, f func(T) U) []U { var r []U; for _, v := range x { r = append(r, f(v)) }; return r }\nMap([]int{1, 2}, func(i int) string { return fmt.Sprint(2 * i) }) → [2 4]")},
	{"elements of compiled values", c("import \"go/ast\"\nimport \"net/url\"\nf := &ast.FieldList{List: []*ast.Field{{Names: []*ast.Ident{{Name: \"a\"}, {Name: \"b\"}}}}}\nq := url.Values{\"k\": {\"v\", \"w\"}} → ", "x := f.List[0]\nlen(x.Names) → 2", "name := f.List[0].Names[1].Name\nname → b", "a, n := f.List[0].Names[0].Name, f.NumFields()\na + fmt.Sprint(n) → a2", "var w = *f.List[0].Names[0]\nw.Name → a", "get := func() string { return name } → ", "name := f.List[0].Names[0].Name\nget() → a", "vs, ok := q[\"k\"]\nv := vs[1]\nv + fmt.Sprint(ok) → wtrue", "name := f.List[9].Names → err:In[9]:1:1: panic: runtime error: index out of range", "name → a")},
	{"results of a call in functions", c("import \"net/url\" → ", "u, err := url.Parse(\"http://x/\")\nfunc host() string { return u.Host }\nhost() → x", "if true { fmt.Print(host()) } → out:x", "var v, verr = url.Parse(\"http://yy/\") → ", "func both() (string, error) { return u.Host + v.Host, verr }\nboth() → xyy <nil>", "u, err = url.Parse(\"http://z/\")\nhost() → z", "u, q := url.Parse(\"http://w/\")\nfmt.Sprint(host(), q) → w<nil>", "before, after, found := strings.Cut(\"a=b\", \"=\")\nfunc parts() string { return fmt.Sprint(before, after, found) }\nparts() → abtrue")},
	{"results of all kinds", c("type pair struct{ x, y int }\nfunc all(n int) (pair, [2]int, int, string, *pair) { return pair{n, n}, [2]int{n, n}, n, fmt.Sprint(n), &pair{n, 0} }\nb, a, n, s, p := all(1)\nfmt.Print(p.x, b, a, n, \" \", s) → out:1 {1 1} [1 1] 1 1", "b, a, n, s, p := all(2)\nfmt.Print(p.x, b, a, n, \" \", s) → out:2 {2 2} [2 2] 2 2")},
	{"panic in a function with a named result of a package", c("import \"net/url\"\nfunc f(n int) (u url.URL, err error) {\n\tvar x []int\n\tx[n] = 1\n\treturn\n} → ", "f(1) → err:In[1]:4:2: panic: runtime error: index out of range\n    \tx[n] = 1\n    \t^\n    In[1]:4:2 in f\n    In[2]:1:1")},
	{"declared functions as values", c("type B struct{ n int }\nfunc dbl(x int) int { return 2 * x }\nfunc of(b B, more ...string) (int, error) { return b.n + len(more), nil }\nfunc give() func(int) int { return dbl } → ", "give()(3) → 6", "fs := map[string]func(B, ...string) (int, error){\"of\": of}\nn, err := fs[\"of\"](B{4}, \"x\")\nfmt.Sprint(n, err) → 5 <nil>", "list := append([]func(int) int{}, dbl, dbl)\nlist[1](5) → 10", "func local() int { g := dbl; var h any = g; return h.(func(int) int)(4) }\nlocal() → 8", "if true { g := dbl; fmt.Print(g(1), dbl != nil) } → out:2 true", "strings.Map(func(r rune) rune { return r + 1 }, \"ab\") → bc", "func id[T any](x T) T { return x }\nid(dbl)(6) → 12", "var t struct{ F func(int) int }\nt.F = dbl\nt.F(7) → 14")},
	{"own types in compiled literals", c("import \"io\"\ntype V struct{ s string }\nfunc (v V) Read(p []byte) (int, error) { return copy(p, v.s), io.EOF }\nread := func(r io.Reader) string { b, _ := io.ReadAll(r); return string(b) } → ", "read(&io.LimitedReader{R: V{\"hello\"}, N: 4}) → hell", "v := V{\"abc\"}\nl := &io.LimitedReader{v, 2}\nv.s = \"xyz\"\nread(l) → ab", "func three(r V) string { return read(&io.LimitedReader{R: io.Reader(r), N: 3}) }\nthree(V{\"hello\"}) → hel")},
	{"variable of a package as arguments", c("import \"os\"\nfunc count(k int, s ...string) int { return k * len(s) }\nlen(os.Args) > 0 && count(2, os.Args...) == 2*len(os.Args) → true")},
	{"small statements", c("x := 3\n_ = x < 4\n_ = x + 1 → ", "p := &[3]int{1, 2, 3}\nfor i, v := range p { fmt.Print(i, v, \";\") } → out:0 1;1 2;2 3;", "type T struct{ n int }\nfunc (t T) Get() int { return t.n }\nt := &T{1}\ng := t.Get\nt.n = 2\ng() → 1")},
	{"types with String or Error", c("type E struct{ n int }\nfunc (e *E) Error() string { return \"E\" }\nvar err error = &E{3} → ", "if e, ok := err.(*E); ok { fmt.Print(e.n) } → out:3", "switch err.(type) { case *E: fmt.Print(1) } → err:a type switch with E", "type C int\nfunc (c C) String() string { return \"red\" }\nfmt.Printf(\"%v\", C(1)) → out:red", "fmt.Printf(\"%d\", C(1)) → err:%d of C", "type Shape interface{ Area() int }\ntype Q struct{ a int }\nfunc (q Q) Area() int { return q.a }\nfunc (q Q) String() string { return \"Q\" }\nvar a, b Shape = Q{1}, Q{1} → ", "fmt.Println(a) → err:would not call the String or Error method of Q", "a == b → err:comparing two values of the cell's own interface")},
	{"literals beside other values", c("type T struct{ n int }\nt, k := T{1}, 2\nfmt.Print(t.n, k) → out:1 2", "t, k = T{8}, k + 7\nfmt.Print(t.n, k) → out:8 9", "var u, w = T{3}, 4\nfmt.Print(u.n, w) → out:3 4", "func f() { a, b := T{5}, 6; var c, d = 7, T{8}; fmt.Print(a.n, b, c, d.n) }\nf() → out:5 6 7 8", "for i, p := 3, (T{4}); i < 4; i++ { fmt.Print(i, p.n) } → err:In[5]:1:5: a composite literal beside")},
	{"goroutine that panics", c("done := make(chan bool)\ngo func() { defer close(done); panic(\"boom\") }()\n<-done\ntime.Sleep(10*time.Millisecond) → out:panic: boom\n    in a goroutine that was started at In[1]:2:1", "1 + 1 → 2")},
	{"goroutine of a function that panics", c("func f(s []int, i int) { s[i]++ }\ngo f(nil, 3)\ntime.Sleep(20*time.Millisecond) → out:panic: runtime error: index out of range\n    in a goroutine that was started at In[1]:2:1", "1 → 1")},
	{"goroutine takes its values when it begins", c("type T struct{ n int }\nfunc (t T) Put(c chan int, k int) { time.Sleep(time.Millisecond); c <- 10*t.n + k }\nc := make(chan int)\nt, k := T{1}, 2\ngo t.Put(c, k)\nt, k = T{8}, 9\n<-c → 12", "f := func() { c <- 5 }\ngo f()\nf = func() { c <- 6 }\n<-c → 5", "func (t *T) Inc(c chan int) { t.n++; c <- t.n }\ngo t.Inc(c)\n<-c + t.n → 18")},
	{"order of the streams", c("import \"os\"\nfmt.Print(\"a\"); fmt.Fprint(os.Stderr, \"b\"); fmt.Print(\"c\"); fmt.Fprintf(os.Stdout, \"%d\", 4); println(\"e\") → out:abc4e")},
	{"closure", c("func counter() func() int { n := 0; return func() int { n++; return n } } → ", "next := counter() → ", "next() → 1", "next() → 2")},
	{"closures of a loop", c("var fs []func() int\nfor i := 0; i < 3; i++ { fs = append(fs, func() int { return i }) } → ", "fs[0]() + 10*fs[1]() + 100*fs[2]() → 210")},
	{"closures of a range", c("var ps []*int\nfor _, v := range []int{5, 6} { ps = append(ps, &v) } → ", "*ps[0] + *ps[1] → 11")},
	{"recursion", c("func fib(n int) int { if n < 2 { return n }; return fib(n-1) + fib(n-2) } → ", "fib(15) → 610")},
	{"mutual recursion, used before", c("even(10)\nfunc even(n int) bool { if n == 0 { return true }; return odd(n - 1) }\nfunc odd(n int) bool { if n == 0 { return false }; return even(n - 1) } → ", "even(7) → false")},
	{"function uses a variable of its cell", c("k := 3\nfunc addK(n int) int { return n + k }\naddK(1) → 4", "k = 10 → ", "addK(1) → 11")},
	{"function again, and who keeps it", c("func half(x int) int { return x / 2 }\nfunc quarter(x int) int { return half(half(x)) }\nf := func(x int) int { return half(x) }\ng, h, k := half, map[string]func(int) int{}, 3\nh[\"q\"] = func(x int) int { return quarter(x) } → ", "half(8) + f(8) + h[\"q\"](8) → 10", "func half(x int) int { return x / 2 } → out:", "func half(x int) int { return x - 1 } → out:half defined again; f, g, h go on with the former one until given a value again", "f(8) + g(8) → 8", "f = func(x int) int { return half(x) + k }\nf(8) → 10", "func quarter(x int) int { return 0 } → out:quarter defined again; h goes on with the former one until given a value again", "f := func(x int) int { return half(x) }\ng = nil\nfunc half(x int) int { return 7 }\nf(1) → 7", "h = nil → ", "func half(x int) int { return 9 } → out:half defined again; f goes on with the former one until given a value again")},
	{"function again", c("func f() int { return 1 } → ", "func g() int { return f() } → ", "func f() int { return 2 } → ", "g() → 2", "f() → 2")},
	{"function again, other signature", c("func f() int { return 1 } → ", `func f(s string) string { return s + "!" } → `, `f("a") → a!`)},
	{"dependent does not fit", c("func f() int { return 1 } → ", "func g() int { return f() } → ", "func f() string { return \"s\" } → out:g must be defined again", "g() → err:g must be defined again", "f() → s", "func g() string { return f() } → ", "g() → s")},
	{"function sees a new variable", c("x := 1 → ", "func get() float64 { return float64(x) + 0.5 } → ", "x := 2.0 → ", "get() → 2.5")},
	{"failed function", c("func f() int { return 1 } → ", "func f() int { return nope } → err:In[2]:1:23: undefined: nope", "f() → 1", "func h() int { return nope } → err:undefined: nope", "h() → err:In[5]:1:1: undefined: h", "func h() int { return 7 } → ", "h() → 7")},
	{"struct and methods of a later cell", c("type V struct{ x, y float64 } → ", "func (v V) Norm2() float64 { return v.x*v.x + v.y*v.y } → ", "V{3, 4}.Norm2() → 25", "func (v *V) Scale(k float64) { v.x *= k; v.y *= k } → ", "v := V{1, 2}\nv.Scale(3)\nv.x + v.y → 9")},
	{"method again", c("type T struct{ n int } → ", "func (t T) Get() int { return t.n } → ", "t := T{4} → ", "t.Get() → 4", "func (t T) Get() int { return 10 * t.n } → ", "t.Get() → 40")},
	{"method, first with a fault", c("type T struct{ n int } → ", "func (t T) Get() int { return t.m } → err:In[2]:1:33: t.m undefined (type T has no field or method m)", "func (t T) Get() int { return t.n } → ", "T{4}.Get() → 4")},
	{"method with another signature", c("type T struct{ n int }\nfunc (t T) Get() int { return t.n } → ", "func (t T) Get() string { return \"new\" } → out:T defined again; made again: T", "T{1}.Get() → new")},
	{"type again, methods and functions on it", c("type T struct{ a int }\nfunc (t T) Get() int { return t.a }\nfunc mk(a int) T { return T{a} }\nt := mk(3) → ", "type T struct{ a int; b string } → out:T defined again; made again: T.Get; no longer fits and is gone: mk; of the former type and gone: t", "t → err:undefined: t", "mk(1) → err:undefined: mk", "T{a: 5}.Get() → 5")},
	{"type again, what still fits is made again", c("type T struct{ a int }\nfunc (t T) Get() int { return t.a }\nfunc mk(a int) T { return T{a: a} }\nfunc twice(a int) int { return 2 * mk(a).Get() } → ", "type T struct{ a int; b string } → out:T defined again; made again: T.Get, mk", "mk(4).Get() → 4", "twice(5) → 10", "t := T{a: 1, b: \"q\"}\nt.b → q")},
	{"type that another embeds", c("type A struct{ n int }\nfunc (a A) N() int { return a.n }\ntype B struct{ A; m int }\nfunc (b B) Sum() int { return b.N() + b.m } → ", "type A struct{ n, k int } → out:A, B defined again; made again: A.N, B, B.Sum", "B{A{n: 2}, 3}.Sum() → 5")},
	{"generic type again", c("type S[T any] struct{ v []T }\nfunc (s *S[T]) Push(x T) { s.v = append(s.v, x) } → ", "s := &S[int]{}\ns.Push(1)\ns.v → [1]", "type S[T any] struct{ v []T; n int } → out:S defined again; made again: S.Push; of the former type and gone: s", "q := &S[string]{n: 4}\nq.Push(\"a\")\nfmt.Sprint(q.v, q.n) → [a] 4")},
	{"method in a later cell, interface", c("type T struct{ n int } → ", "t := T{2} → ", "func (t T) String() string { return fmt.Sprint(\"T\", t.n) } → ", "var s fmt.Stringer = t\ns.String() → T2")},
	{"several values", c("1, 2 → err:In[1]:1:1: syntax error: expected 1 expression; several values are shown by display.Show(a, b)", "len(\"a\"), 3 → err:display.Show(a, b)")},
	{"all faults at once", c("x := 1 + \"a\"\nvar y int = \"s\"\nnope() → err:In[1]:2:13: cannot use")},
	{"did you mean", c("length := 3 → ", "lenght + 1 → err:undefined: lenght (did you mean length?)", "strings.ToUper(\"a\") → err:undefined: strings.ToUper (did you mean strings.ToUpper?)", "bytes.NewReader(nil) → err:undefined: bytes (add: import \"bytes\")", "type Opt struct{ Epochs int; Rate float64 }\nfunc (o *Opt) Fit() int { return o.Epochs }\no := &Opt{}; x := 1 → ", "Opt{Epoch: 3} → err:unknown field Epoch in struct literal of type Opt (did you mean Epochs?)", "o.Fitt() → err:o.Fitt undefined (type *Opt has no field or method Fitt) (did you mean Fit?)", "o.Rat → err:(did you mean Rate?)", "Opt{}.Epochs.Fit → err:has no field or method Fit)\n", "var b strings.Builder\nb.WriteStrin(\"a\") → err:(did you mean WriteString?)", "y + 1 → err:undefined: y\n")},
	{"a name again in one cell", c("x := 1\nx := 2\nx → 2", "a, err := fmt.Sscan(\"1\")\nb, err := fmt.Sscan(\"2\")\na + b → 0")},
	{"newer than the interpreter", c("for s := range strings.SplitSeq(\"a,b\", \",\") { fmt.Print(s) } → err:range over a function", "strings.Lines(\"a\") → err:newer than this interpreter")},
	{"unexported type of a package", c("import \"text/template\" → ", "x := template.New(\"a\").Option() → ", "x.Name() → a")},
	{"nothing runs before a fault", c("fmt.Print(\"ran\")\nvar x int = \"a\" → err:cannot use", "x → err:undefined: x")},
	{"method sees a function again", c("type T struct{ n int }\nfunc k() int { return 2 }\nfunc (t T) Get() int { return k() * t.n } → ", "func k() int { return 3 } → ", "T{5}.Get() → 15")},
	{"variadic method", c("type L struct{} → ", "func (L) Join(sep string, a ...string) string { return strings.Join(a, sep) } → ", `L{}.Join("-", "a", "b") → a-b`, `L{}.Join("-", []string{"x", "y"}...) → x-y`)},
	{"recursive method", c("type N struct { l, r *N }\nfunc (n *N) Size() int { if n == nil { return 0 }; return 1 + n.l.Size() + n.r.Size() } → ", "(&N{&N{}, &N{}}).Size() → 3")},
	{"interface", c("type S interface{ Area() float64 }\ntype Q struct{ a float64 }\nfunc (q Q) Area() float64 { return q.a * q.a } → ", "var s S = Q{3} → ", "s.Area() → 9", "func total(ss ...S) (t float64) { for _, s := range ss { t += s.Area() }; return t } → ", "total(Q{1}, Q{2}) → 5")},
	{"embedding", c("type A struct{ n int }\nfunc (a A) Twice() int { return 2 * a.n }\ntype B struct{ A; m int } → ", "B{A{4}, 1}.Twice() → 8")},
	{"type again in the same words", c("type T struct { a int } → ", "type T struct {\n\ta int // the same\n} → ", "T{3}.a → 3")},
	{"type again in other words", c("type T struct{ a int } → ", "type T struct{ b int } → ", "T{b: 4}.b → 4")},
	{"failed type", c("type T struct{ a Foo } → err:undefined: Foo", "type T struct{ a int } → ", "T{2}.a → 2")},
	{"constants", c("const ( A = iota; B; C )\nC → 2", "const B = 7 → ", "B → 7")},
	{"constant again", c("const K = 2 → ", "func f() int { return K } → ", "const K = 3 → ", "f() → 3")},
	{"var", c("var a, b = 1, \"z\" → ", "b → z", "var ( n int; m = 4 )\nn + m → 4", "var n string → ", "n == \"\" → true")},
	{"map and comma ok", c("m := map[string]int{\"a\": 1} → ", "v, ok := m[\"a\"] → ", "v, ok → err:", "fmt.Print(v, ok) → out:1 true", "_, ok = m[\"b\"] → ", "ok → false", "w, found := m[\"q\"]\nfmt.Print(w, found) → out:0 false")},
	{"type assertion", c("var x any = 3 → ", "n, ok := x.(int)\nfmt.Print(n, ok) → out:3 true", "s, ok := x.(string)\nfmt.Print(len(s), ok) → out:0 false", "x.(int) + 1 → 4")},
	{"receive and comma ok", c("ch := make(chan int, 1)\nch <- 5\nclose(ch) → ", "v, ok := <-ch\nfmt.Print(v, ok) → out:5 true", "v, ok := <-ch\nfmt.Print(v, ok) → out:0 false")},
	{"multiple assignment", c("a, b := 1, 2\na, b = b, a\n10*a + b → 21")},
	{"multiple assignment of calls", c("func f(n int) int { return 10 + n }\nx, y, z := 1, 2, 0.5 → ", "x, y = f(0), 5\nfmt.Print(x, y) → out:10 5", "x, y = f(y), f(x)\nfmt.Print(x, y) → out:15 20",
		"func() { x, y, z = f(x), y+1, 0; fmt.Print(x, y, z) }() → out:25 21 0", "x, y, z = 3, f(-6), float64(f(-8))\nfmt.Print(x, y, z) → out:3 4 2", "s := []int{1, 2}\nx, s = len(s), append(s, 3)\nfmt.Print(x, s) → out:2 [1 2 3]",
		"var err error\nm := map[string]int{}\nm[\"a\"], s[0], err = f(1), strings.Count(\"aaaaaaa\", \"a\"), fmt.Errorf(\"e\")\nfmt.Print(m, s, err) → out:map[a:11] [7 2 3] e",
		"if x, y = f(1), 6; x > y { fmt.Print(x, y) } → out:11 6", "for x, y = f(0), 9; x < 12; x, y = f(x-9), y+1 { fmt.Print(x, y, \";\") } → out:10 9;11 10;",
		"ch := make(chan int, 2)\nch <- 4\nch <- 8\nx, y = <-ch, 1\nfmt.Print(x, y) → out:4 1", "x, y = 3, <-ch\nfmt.Print(x, y) → out:3 8")},
	{"err declared again", c("n, err := fmt.Sscan(\"3\", new(int)) → ", "m, err := fmt.Sscan(\"\", new(int)) → ", "err.Error() → EOF", "n + m → 1")},
	{"generic function", c("func Map[T, U any](x []T, f func(T) U) []U { var r []U; for _, v := range x { r = append(r, f(v)) }; return r } → ", "Map[int, string]([]int{1, 2}, func(i int) string { return fmt.Sprint(2 * i) }) → [2 4]")},
	{"generic sum", c("func Sum[T int | float64](x []T) (s T) { for _, v := range x { s += v }; return s } → ", "Sum([]float64{1, 2.5}) → 3.5", "Sum([]int{1, 2}) → 3")},
	{"generic function again", c("func Id[T any](x T) T { return x } → ", "func Id[T any](x T) T { return x } → ", "func Id[T any](x T) T { var z T; return z } → ", "Id(3) → 0")},
	{"generic type", c("type Stack[T any] struct{ v []T }\nfunc (s *Stack[T]) Push(x T) { s.v = append(s.v, x) } → ", "st := &Stack[int]{}\nst.Push(3)\nst.v → [3]")},
	{"type switch", c("type T struct{ n int }\nfunc kind(v any) string {\n switch x := v.(type) {\n case int: return \"int\"\n case T: return fmt.Sprint(\"T\", x.n)\n case *T: return \"*T\"\n case nil: return \"nil\"\n }\n return \"?\"\n} → ", `kind(1) + kind(T{2}) + kind(&T{}) + kind("") + kind(nil) → intT2*T?nil`)},
	{"type switch without variable", c("type T struct{ n int }\nfunc kind(v any) string { switch v.(type) { case T: return \"T\"; case *T: return \"*T\"; case []int: return \"ints\" }; return \"?\" } → ", `kind(T{}) + kind(&T{}) + kind([]int{}) + kind(3) → T*Tints?`)},
	{"case error", c("func f(v any) bool { switch v.(type) { case error: return true }; return false } → err:In[1]:1:45: case error is not supported")},
	{"defer", c("func f() (s string) { defer func() { s += \"b\" }(); return \"a\" } → ", "f() → ab")},
	{"defer takes arguments at once", c("func f() { x := 1; defer fmt.Print(x); x = 2; fmt.Print(x) } → ", "f() → out:21")},
	{"defer in a loop", c("func f() { for i := 0; i < 3; i++ { defer fmt.Println(i) } } → err:In[1]:1:37: defer in a loop")},
	{"recover", c("func f() (s string) { defer func() { s = fmt.Sprint(\"got \", recover()) }(); panic(\"x\") } → ", "f() → got x")},
	{"missing return", c("func f(n int) int { if n > 0 { return 1 } } → err:In[1]:1:43: missing return")},
	{"loops that end", c("func f() int { for {} }\nfunc g(n int) int { switch { case n > 0: return 1; default: panic(\"x\") } } → ", "g(1) → 1")},
	{"new with a value", c("new(42) → err:In[1]:1:5: new(value)", "*new(int) → 0")},
	{"changed and captured", c("for i := 0; i < 3; i++ { f := func() int { return i }; i += f() } → err:loop variable i is changed")},
	{"top return", c("x := 1\nreturn → err:In[1]:2:1: return outside a function")},
	{"top break", c("break → err:In[1]:1:1: break outside a loop", "for { break } → ", "if true { continue } → err:In[3]:1:11: continue outside a loop")},
	{"top goto", c("goto L → err:In[1]:1:6: label L undefined")},
	{"top defer", c("defer fmt.Println() → err:In[1]:1:1: defer outside a function", "for { return } → err:return outside")},
	{"program", c("package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Print(\"hello \", twice(2)) }\n\nfunc twice(n int) int { return 2 * n } → out:hello 4", "twice(4) → 8", "main() → out:hello 4", "1 → 1")},
	{"program without main", c("package main\nx := 1 → err:package main needs a func main")},
	{"main alone does not run", c("func main() { fmt.Print(\"ran\") } → ", "1 → 1", "main() → out:ran")},
	{"function without body", c("func doc(x int) string → ", "1 → 1")},
	{"comments", c("// only a comment → ", "/* a */ 1 /* b */ + 2 // c → 3", " → ")},
	{"compiled callback", c("lib.Apply(func(n int) int { return 3 * n }, 4) → 12")},
	{"library panic", c("x := 1\nlib.Check(3, 2) → err:panic: loss: x has 3 rows, labels 2", "x → 1")},
	{"panic and its line", c("func f(n int) int {\n\tvar s []int\n\tn++\n\treturn s[n]\n}\n → ", "x := 1\n\nf(2) → err:In[1]:4:2 in f", "x → 1")},
	{"panic in a loop", c("s := []int{1, 2}\nfor i := 0; i < 5; i++ {\n\tx := i\n\t_ = s[x]\n} → err:In[1]:4:2")},
	{"panic of a method", c("type T struct{ p *int } → ", "func (t T) Get() int {\n return *t.p\n} → ", "T{}.Get() → err:in T.Get")},
	{"division by zero", c("z := 0 → ", "1 / z → err:panic: runtime error: integer divide by zero")},
	{"nil map", c("var m map[string]int → ", "m[\"a\"] = 1 → err:panic: assignment to entry in nil map")},
	{"panic value", c("panic(\"boom\") → err:panic: boom", "panic(fmt.Errorf(\"e %d\", 3)) → err:panic: e 3")},
	{"undefined", c("y := undefinedThing → err:In[1]:1:6: undefined: undefinedThing", "a := 1\nfmt.Println(a, nope) → err:In[2]:2:16: undefined: nope")},
	{"undefined in a package", c("strings.Foo(\"x\") → err:In[1]:1:9: undefined: strings.Foo")},
	{"caret under unicode", c("ä := 1\n\tü := ä + nope → err:    \tü := ä + nope\n    \t         ^")},
	{"error in a later statement", c("fmt.Print(1)\na := 5\nb := nope → err:In[1]:3:6: undefined: nope", "a → err:undefined: a")},
	{"syntax error runs nothing", c("fmt.Println(\"ran\")\nx := := 2 → err:In[1]:2:6: syntax error")},
	{"open bracket", c("fmt.Println(1 → err:syntax error")},
	{"stray bracket", c("x := 1\n} → err:In[1]:2:1: syntax error: unexpected }")},
	{"mismatched types", c(`"a" + 1 → err:mismatched types`)},
	{"undefined call", c("y := nope(3) → err:In[1]:1:6: undefined: nope", "y := strings.Nope(3) → err:undefined: strings.Nope", "nope := 3\ny := nope\ny → 3")},
	{"sort in place", c("x := []int{3, 1, 2}\nsort.Slice(x, func(i, j int) bool { return x[i] < x[j] })\nx → [1 2 3]")},
	{"struct value", c("struct{ A int; B string }{3, \"q\"} → {3 q}")},
	{"line ends of Windows", c("x := 1\r\ny := `a\r\nb`\r\nx + len(y) → 4", "a := 1\r\nnope → err:In[2]:2:1")},
	{"nil pointer", c("var p *int → ", "*p → err:panic: runtime error: invalid memory address or nil pointer dereference")},
	{"raw string over lines", c("len(`a\nb\n`) → 4")},
	{"println", c("println(\"low\") → out:low")},
	{"init runs", c("func init() { fmt.Print(\"init\") } → out:init")},
}

func c(cells ...string) []string { return cells }

func TestSessions(t *testing.T) {
	for _, tt := range sessions {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if raceDetector && strings.HasPrefix(tt.name, "goroutine") {
				t.Skip(interpreterRaces)
			}
			s, out := newSession(t)
			for i, cell := range tt.cells {
				cut := strings.LastIndex(cell, " → ")
				code, want := cell[:cut], cell[cut+len(" → "):]
				res := s.Run(context.Background(), Cell{Name: fmt.Sprintf("In[%d]", i+1), Code: code})
				checkResult(t, code, res, out.take(), want)
			}
		})
	}
}

// checkResult compares a result with the notation of the table.
func checkResult(t *testing.T, code string, res Result, out, want string) {
	t.Helper()
	text := ""
	if res.Err != nil {
		text = res.Err.Name + "\n" + res.Err.Error()
		for _, bad := range []string{"_.go", prefix, "cell·", "yaegi", "main.", "(...)"} {
			if strings.Contains(text, bad) {
				t.Errorf("%q: the error shows the inside (%q):\n%s", code, bad, text)
			}
		}
	}
	var values []string
	for _, v := range res.Values {
		values = append(values, fmt.Sprint(v))
	}
	value := strings.Join(values, " ")
	if part, ok := strings.CutPrefix(want, "err:"); ok && part != "" {
		if res.Err == nil || !strings.Contains(text, part) {
			t.Errorf("%q:\n got %q, output %q, error %s\nwant an error with %q", code, value, out, text, part)
		}
		return
	}
	if res.Err != nil && want != "err:" {
		t.Errorf("%q: %s\nwant %q", code, text, want)
		return
	}
	if part, ok := strings.CutPrefix(want, "out:"); ok {
		if !strings.HasPrefix(out, part) || value != "" {
			t.Errorf("%q: printed %q, value %q; want output %q", code, out, value, part)
		}
		return
	}
	if want != "err:" && (value != want && !(want == "" && len(res.Values) == 0) || out != "") {
		t.Errorf("%q: value %q, output %q; want %q", code, value, out, want)
	}
}

func TestVars(t *testing.T) {
	s, _ := newSession(t)
	for _, code := range []string{"n := 3", "text := strings.Repeat(\"ab\", 100)", "f := func(x int) string { return \"\" }", "type T struct{ A int }\nt := &T{4}", "var b strings.Builder"} {
		if res := s.Run(context.Background(), Cell{Code: code}); res.Err != nil {
			t.Fatal(res.Err)
		}
	}
	var got []string
	for _, v := range s.Vars() {
		if v.Name == "f" || v.Name == "b" {
			v.Value = ""
		}
		got = append(got, v.Name+" "+v.Type+" "+v.Value)
	}
	want := "b strings.Builder |f func(x int) string |n int 3|t *T &{4}|text string " + strings.Repeat("ab", 29) + "a…"
	if strings.Join(got, "|") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "|"), want)
	}
}

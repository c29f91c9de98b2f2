package typedata

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestCheckProgram(t *testing.T) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "p.go", `package p
import (
	"fmt"; "iter"; "maps"; "net/http"; "slices"; "strings"; "sync/atomic"; "unsafe"
	"github.com/chestlab/chest/chestlib"
	"github.com/chestlab/chest/viz"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)
var line plot.Plotter = plotter.NewFunction(func(x float64) float64 { return x })
var node *gorgonia.Node = gorgonia.NewMatrix(gorgonia.NewGraph(), tensor.Float64)
var keys = slices.Sorted(maps.Keys(map[string]int{"b": 1}))
var seq iter.Seq[string] = strings.SplitSeq("a,b", ",")
var p atomic.Pointer[http.Request]
var size = unsafe.Sizeof(p)
var d mat.Matrix = mat.NewDense(2, 2, nil)
func main() { fmt.Println(keys, seq, mat.Formatted(d)); _ = chestlib.PCA; _ = viz.Disk }
`, 0)
	if err != nil {
		t.Fatal(err)
	}
	config := types.Config{Importer: New(fset), GoVersion: "go1.26"}
	if _, err := config.Check("p", fset, []*ast.File{f}, nil); err != nil {
		t.Error(err)
	}
}

func TestSignatureAndDoc(t *testing.T) {
	p, err := New(token.NewFileSet()).Import("fmt")
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Scope().Lookup("Println").String(); got != "func fmt.Println(a ...any) (n int, err error)" {
		t.Errorf("got %q", got)
	}
	for _, c := range []struct{ path, name, want string }{
		{"fmt", "Println", "Println formats using"},
		{"strings", "", "Package strings"},
		{"strings", "Builder.WriteString", "WriteString appends"},
		{"net/http", "Request.Method", "HTTP method"},
		{"net/http", "MethodGet", ""},
		{"io", "EOF", "EOF is the error"},
		{"github.com/chestlab/chest/chestlib/train", "Options.Epochs", "passes over"},
	} {
		if text, ok := Doc(c.path, c.name); !strings.Contains(text, c.want) || !ok && c.want != "" {
			t.Errorf("%s.%s: %q, want %q in it", c.path, c.name, text, c.want)
		}
	}
	if _, ok := Doc("fmt", "Nope"); ok {
		t.Error("documentation of nothing")
	}
	if _, ok := Doc("example.org/none", ""); ok {
		t.Error("documentation of an unknown package")
	}
}

func TestUnknown(t *testing.T) {
	_, err := New(token.NewFileSet()).Import("example.org/none")
	var missing *NotFound
	if !errors.As(err, &missing) || missing.Path != "example.org/none" {
		t.Errorf("got %v", err)
	}
}

// TestPathsAreThoseOfTheSymbols: what cells can import is what can be checked.
func TestPathsAreThoseOfTheSymbols(t *testing.T) {
	list, err := os.ReadFile("../symbols/packages.txt")
	if err != nil {
		t.Fatal(err)
	}
	paths := Paths()
	if !slices.IsSorted(paths) || !slices.Contains(paths, "math/rand/v2") || slices.Contains(paths, "internal/abi") {
		t.Errorf("paths: %q", paths)
	}
	for _, p := range strings.Fields(string(list)) {
		if !slices.Contains(paths, p) {
			t.Errorf("%s has symbols and no types", p)
		}
	}
	if name, ok := Name("math/rand/v2"); !ok || name != "rand" {
		t.Errorf("got %q, %v", name, ok)
	}
}

// TestEveryPackage reads each package, from several goroutines.
func TestEveryPackage(t *testing.T) {
	im := New(token.NewFileSet())
	var wg sync.WaitGroup
	for k := range 4 {
		wg.Go(func() {
			for i, path := range Paths() {
				if i%2 != k%2 {
					continue
				}
				p, err := im.Import(path)
				if err != nil || !p.Complete() {
					t.Errorf("%s: %v", path, err)
					continue
				}
				Doc(path, "")
			}
		})
	}
	wg.Wait()
}

// TestCheckWhileReading: packages that an importer gave may be used, by a
// checker that words an error too, while it reads others.
func TestCheckWhileReading(t *testing.T) {
	fset := token.NewFileSet()
	im := New(fset)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j, path := range Paths() {
				if j%8 != i {
					continue
				}
				src := "package p; import x \"" + path + "\"; import \"net/http\"; var _ http.Handler = http.Server{}; var _ x.Nope"
				f, err := parser.ParseFile(fset, "p.go", src, 0)
				if err != nil {
					t.Error(err)
					return
				}
				config := types.Config{Importer: im}
				if _, err := config.Check("p", fset, []*ast.File{f}, nil); err == nil {
					t.Errorf("%s: no error", path)
				}
			}
		})
	}
	wg.Wait()
}

// TestPathsAreAll compares with the standard library of the Go version that
// made the data.
func TestPathsAreAll(t *testing.T) {
	if GoVersion() != runtime.Version() {
		t.Skipf("the data are of %s, this is %s", GoVersion(), runtime.Version())
	}
	list, err := os.ReadFile("../symbols/packages.txt")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "list", "std")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	std, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list std: %v", err)
	}
	want := slices.DeleteFunc(strings.Fields(string(list)+string(std)), func(path string) bool {
		return path == "unsafe" || strings.HasPrefix(path, "vendor/") || strings.Contains("/"+path+"/", "/internal/")
	})
	slices.Sort(want)
	if got := Paths(); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func BenchmarkImportFmt(b *testing.B) {
	for b.Loop() {
		if _, err := New(token.NewFileSet()).Import("fmt"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkImportMat(b *testing.B) {
	for b.Loop() {
		if _, err := New(token.NewFileSet()).Import("gonum.org/v1/gonum/mat"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkImportAll(b *testing.B) {
	for b.Loop() {
		im := New(token.NewFileSet())
		for _, p := range Paths() {
			if _, err := im.Import(p); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkDoc(b *testing.B) {
	b.Run("first", func(b *testing.B) {
		e, segments, _ := find("net/http") // the longest
		for b.Loop() {
			readDocs(segments[e.at+e.types : e.at+e.types+e.texts])
		}
	})
	b.Run("again", func(b *testing.B) {
		for b.Loop() {
			Doc("net/http", "Server.Serve")
		}
	})
}

package tests

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/blas"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/chestlab/chest/chestlib/poincare"
	"github.com/chestlab/chest/internal/sgemm"
)

// TestGorgoniaStartsAndAgrees: Gorgonia starts on this version of Go (without
// the pinned assume-no-moving-gc any program that imports it panics), and its
// automatic gradient of the exponential map equals ours.
func TestGorgoniaStartsAndAgrees(t *testing.T) {
	const c = 0.1
	u, w := []float64{0.7, -1.1, 0.4}, []float64{0.3, 0.9, -0.5}

	g := G.NewGraph() // which merges nodes of equal name, type and shape
	un := G.NewVector(g, tensor.Float64, G.WithName("u"), G.WithShape(3), G.WithValue(tensor.New(tensor.WithBacking(append([]float64(nil), u...)))))
	wn := G.NewVector(g, tensor.Float64, G.WithName("w"), G.WithShape(3), G.WithValue(tensor.New(tensor.WithBacking(append([]float64(nil), w...)))))
	norm := G.Must(G.Sqrt(G.Must(G.Sum(G.Must(G.Square(un))))))
	scaled := G.Must(G.Mul(G.NewConstant(math.Sqrt(c)), norm))
	factor := G.Must(G.HadamardDiv(G.Must(G.Tanh(scaled)), scaled))
	dot := G.Must(G.Sum(G.Must(G.HadamardProd(un, wn))))
	loss := G.Must(G.Mul(dot, factor)) // w·expmap0(u)
	if _, err := G.Grad(loss, un); err != nil {
		t.Fatal(err)
	}
	vm := G.NewTapeMachine(g, G.BindDualValues(un))
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	grad, err := un.Grad()
	if err != nil {
		t.Fatal(err)
	}
	ours := poincare.ExpMap0Grad(nil, u, w, c)
	for i, theirs := range grad.Data().([]float64) {
		if math.Abs(theirs-ours[i]) > 1e-12 {
			t.Errorf("entry %d: Gorgonia %.15g, ours %.15g", i, theirs, ours[i])
		}
	}
}

// TestGorgoniaInCell differentiates the sum of w·w in a cell: the gradient at
// (i, j) is the sum of row j plus the sum of column i.
func TestGorgoniaInCell(t *testing.T) {
	r := chest(t, `import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)
graph := G.NewGraph()
w := G.NodeFromAny(graph, tensor.New(tensor.WithShape(2, 2), tensor.WithBacking([]float64{1, 2, 3, 4})), G.WithName("w"))
sum := G.Must(G.Sum(G.Must(G.Mul(w, w))))
if _, err := G.Grad(sum, w); err != nil { panic(err) }
if err := G.NewTapeMachine(graph, G.BindDualValues(w)).RunAll(); err != nil { panic(err) }
grad, err := w.Grad()
fmt.Println(sum.Value(), grad.Data(), err)
`, "exec", "-")
	if want := "54 [7 11 9 13] <nil>\n"; r.code != 0 || r.stdout != want {
		t.Errorf("exit %d, printed %q, want %q\n%s", r.code, r.stdout, want, r.stderr)
	}
}

// products counts the float32 products that Gorgonia asks for.
type products struct {
	sgemm.BLAS
	calls int
}

func (p *products) Sgemm(tA, tB blas.Transpose, m, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	p.calls++
	p.BLAS.Sgemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

// TestGorgoniaUsesOurProducts: a float32 graph multiplies by internal/sgemm.
func TestGorgoniaUsesOurProducts(t *testing.T) {
	before := G.WhichBLAS()
	defer G.Use(before)
	counted := &products{}
	G.Use(counted)
	g := G.NewGraph()
	const n = 40
	x, y := make([]float32, n*n), make([]float32, n*n)
	for i := range x {
		x[i], y[i] = float32(i%7), float32(i%5)
	}
	a := G.NewMatrix(g, tensor.Float32, G.WithName("a"), G.WithShape(n, n), G.WithValue(tensor.New(tensor.WithShape(n, n), tensor.WithBacking(x))))
	b := G.NewMatrix(g, tensor.Float32, G.WithName("b"), G.WithShape(n, n), G.WithValue(tensor.New(tensor.WithShape(n, n), tensor.WithBacking(y))))
	product := G.Must(G.Mul(a, b))
	vm := G.NewTapeMachine(g)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	got := product.Value().Data().([]float32)
	for i := range n {
		for j := range n {
			var want float32
			for k := range n {
				want += x[i*n+k] * y[k*n+j]
			}
			if got[i*n+j] != want {
				t.Fatalf("(%d,%d) is %g, want %g", i, j, got[i*n+j], want)
			}
		}
	}
	if counted.calls == 0 {
		t.Error("Gorgonia did not call Sgemm")
	}
}

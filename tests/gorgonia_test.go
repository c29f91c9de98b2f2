package tests

import (
	"math"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/chestlab/chest/chestlib/poincare"
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

package graph_test

import (
	"math/rand/v2"
	"testing"

	G "gorgonia.org/gorgonia"

	"github.com/chestlab/chest/chestlib/engine/graph"
)

// BenchmarkNodes runs our nodes and what one would write in their place, forward
// and backward, on 256 rows of 1024.
func BenchmarkNodes(b *testing.B) {
	const n, d = 256, 1024
	column := func(x *G.Node) *G.Node { return must(graph.Reshape(x, n, 1)) }
	for _, c := range []struct {
		name        string
		ours, stock func(x *G.Node) (*G.Node, error)
	}{
		{"Softmax", graph.Softmax, func(x *G.Node) (*G.Node, error) { return G.SoftMax(x, 1) }},
		{"SoftmaxOf16", func(x *G.Node) (*G.Node, error) { return graph.Softmax(must(graph.Reshape(x, n*d/16, 16))) },
			func(x *G.Node) (*G.Node, error) { return G.SoftMax(must(graph.Reshape(x, n*d/16, 16)), 1) }},
		{"SoftmaxComposed", graph.Softmax, func(x *G.Node) (*G.Node, error) {
			top := column(G.Must(G.Max(x, 1)))
			e := G.Must(G.Exp(G.Must(G.BroadcastSub(x, top, nil, []byte{1}))))
			return G.BroadcastHadamardDiv(e, column(G.Must(G.Sum(e, 1))), nil, []byte{1})
		}},
		{"L2Normalize", graph.L2Normalize, func(x *G.Node) (*G.Node, error) {
			return G.BroadcastHadamardDiv(x, column(G.Must(G.Norm(x, 1, 2))), nil, []byte{1})
		}},
		{"Linear", func(x *G.Node) (*G.Node, error) { return graph.Linear(x, x, nil) }, func(x *G.Node) (*G.Node, error) {
			return G.Mul(x, G.Must(G.Transpose(x, 1, 0)))
		}},
	} {
		for name, f := range map[string]func(x *G.Node) (*G.Node, error){"ours": c.ours, "stock": c.stock} {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				g := G.NewGraph()
				x := matrix(g, "x", normal(rand.New(rand.NewPCG(1, 2)), n*d, 1), n)
				must(G.Grad(G.Must(G.Sum(must(f(x)))), x))
				vm := G.NewTapeMachine(g)
				defer vm.Close()
				b.ReportAllocs()
				for b.Loop() {
					if err := vm.RunAll(); err != nil {
						b.Fatal(err)
					}
					vm.Reset()
				}
			})
		}
	}
}

package graph_test

import (
	"math"
	"math/rand/v2"
	"testing"

	G "gorgonia.org/gorgonia"

	"github.com/chestlab/chest/chestlib/engine/graph"
	"github.com/chestlab/chest/chestlib/engine/graph/stock"
	"github.com/chestlab/chest/chestlib/loss"
)

// TestStockTwin: the loss as one node and as hundreds of stock nodes have the same
// value and the same gradients, by the features and by the proxies.
func TestStockTwin(t *testing.T) {
	for _, size := range []struct{ rows, classes, k, dE, dH int }{{12, 9, 3, 8, 8}, {5, 30, 1, 16, 7}, {30, 4, 5, 6, 12}} {
		rng := rand.New(rand.NewPCG(1, 2))
		label := labels(rng, size.rows, size.classes)
		xE, xH := normal(rng, size.rows*size.dE, 1), normal(rng, size.rows*size.dH, 1)
		l := loss.NewCHEST(size.classes, size.dE, size.dH, loss.CHESTOptions{
			E: loss.SoftTripleOptions{Proxies: size.k}, Tree: loss.HypHCOptions{Triplets: 50}, Seed: 4,
		})
		g := G.NewGraph()
		uE, uH := matrix(g, "uE", xE, size.rows), matrix(g, "uH", xH, size.rows)
		term := must(graph.LossOfProxies(uE, uH, l, loss.Setting{}, 1))
		term.Batch(label, rand.New(rand.NewPCG(3, 4)))
		got := must(G.Grad(term.Node, append(G.Nodes{uE, uH}, term.Proxies...)...))
		run(t, g)

		slow := G.NewGraph()
		sE, sH := matrix(slow, "uE", xE, size.rows), matrix(slow, "uH", xH, size.rows)
		twin := must(stock.New(sE, sH, l))
		if err := twin.Batch(label, rand.New(rand.NewPCG(3, 4))); err != nil {
			t.Fatal(err)
		}
		want := must(G.Grad(twin.Node, append(G.Nodes{sE, sH}, twin.Proxies...)...))
		run(t, slow)

		if a, b := data(term.Node.Value())[0], data(twin.Node.Value())[0]; math.Abs(float64(a-b)) > 1e-5*float64(b) {
			t.Errorf("%+v: loss %g, stock nodes %g", size, a, b)
		}
		for i, name := range []string{"uE", "uH", "P_E", "P_H"} {
			near(t, name, data(got[i].Value()), data(want[i].Value()), 1e-4)
		}
		if fast, all := len(g.AllNodes()), len(slow.AllNodes()); fast > 20 || all < 200 {
			t.Errorf("%d nodes, stock %d", fast, all)
		}
	}
}

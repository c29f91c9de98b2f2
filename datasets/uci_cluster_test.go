package datasets_test

import (
	"context"
	"math"
	"os"
	"testing"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/chestlib/hyphc"
	"github.com/chestlab/chest/datasets"
)

// TestUCIClusters runs chestlib/hyphc on the published tables. Linkages must
// cost what scipy's trees cost, and have their purity; HypHC must reach the
// costs of its authors' implementation, with the default options.
func TestUCIClusters(t *testing.T) {
	if os.Getenv(datasets.DataVariable) == "" {
		t.Skipf("SKIPPED: clustering of the tables of UCI is not tested: set %s to the folder that holds uci", datasets.DataVariable)
	}
	type linkage struct {
		method       hyphc.Method
		cost, purity float64 // purity in percent
	}
	for _, k := range []struct {
		name     string
		sum      float64 // of all similarities
		linkages []linkage
		bar      float64 // cost of the authors' HypHC, rounded up
		purity   float64 // well below what the authors' HypHC has
	}{
		{"zoo", 5124.778054, []linkage{{hyphc.Single, 289712, 97.7}, {hyphc.Average, 282897, 90.1}, {hyphc.Complete, 280219, 96.6}, {hyphc.Ward, 282708, 90.0}}, 281e3, 95},
		{"iris", 11545.533130, []linkage{{hyphc.Single, 805798, 76.8}, {hyphc.Average, 791752, 76.4}, {hyphc.Complete, 798786, 74.5}, {hyphc.Ward, 791903, 76.6}}, 791e3, 71},
		{"glass", 24105.714606, []linkage{{hyphc.Single, 3018207, 50.3}, {hyphc.Average, 2906305, 46.3}, {hyphc.Complete, 2939123, 46.9}, {hyphc.Ward, 2919965, 48.3}}, 2910e3, 42},
	} {
		t.Run(k.name, func(t *testing.T) {
			table, err := datasets.UCI("", k.name)
			if err != nil {
				t.Fatal(err)
			}
			w, err := hyphc.Standardised(table.X, table.Dim())
			if err != nil {
				t.Fatal(err)
			}
			all := make([]float64, 0, w.Len()*w.Len())
			for i := range w.Len() {
				for j := range w.Len() {
					all = append(all, w.At(i, j))
				}
			}
			if got := floats.Sum(all); math.Abs(got-k.sum) > 1e-6 {
				t.Errorf("similarities sum to %.6f, want %.6f", got, k.sum)
			}
			for _, l := range k.linkages {
				tree, err := hyphc.Linkage(context.Background(), w, l.method)
				if err != nil {
					t.Fatal(err)
				}
				cost, purity := scores(t, tree, w, table.Labels)
				if math.Abs(cost-l.cost) > 0.5 || math.Abs(purity-l.purity) > 0.051 {
					t.Errorf("%v linkage: cost %.1f, purity %.2f, want %.0f, %.1f", l.method, cost, purity, l.cost, l.purity)
				}
			}
			c, err := hyphc.Cluster(context.Background(), w, hyphc.Options{})
			if err != nil {
				t.Fatal(err)
			}
			cost, purity := scores(t, c.Tree, w, table.Labels)
			t.Logf("HypHC: cost %.0f after step %d, purity %.1f", cost, c.Step, purity)
			if cost > k.bar || purity < k.purity {
				t.Errorf("HypHC: cost %.0f, purity %.1f, want at most %.0f and at least %.0f", cost, purity, k.bar, k.purity)
			}
		})
	}
}

// scores is the cost and the purity, in percent, of a tree.
func scores(t *testing.T, tree *hyphc.Tree, w hyphc.Similarities, label []int) (cost, purity float64) {
	t.Helper()
	cost, err := tree.Cost(context.Background(), w)
	if err != nil {
		t.Fatal(err)
	}
	purity, err = tree.Purity(label)
	if err != nil {
		t.Fatal(err)
	}
	return cost, 100 * purity
}

package main

import (
	"math/rand/v2"

	"github.com/spf13/cobra"

	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/chestlib/optim"
)

func benchStep(f *benchFlags) *cobra.Command {
	sizes := []size{{"batch", 256}, {"din", 384}, {"dim", 128}, {"classes", 100}, {"proxies", 10}, {"triplets", 1000}}
	c := &cobra.Command{
		Use:   "step",
		Short: "A CHEST step on features: heads, loss, gradients, AdamW",
		Long: `A CHEST step on features: both heads, both SoftTriple losses, the tree of the
proxies, all gradients and AdamW. gflops counts matrix products only.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			n, err := sizesOf(sizes)
			if err != nil {
				return err
			}
			return f.measure(cmd.Context(), func() (work, error) { return stepWork(sizes, n) })
		},
	}
	addSizes(c, sizes, map[string]string{
		"batch": "rows", "din": "features of a row", "dim": "dimensions of both embeddings", "classes": "classes",
		"proxies": "proxies of a class", "triplets": "triplets of the tree",
	})
	return c
}

// stepWork is the step on random features.
func stepWork(sizes []size, n map[string]int) (work, error) {
	batch, din, dim, classes, k := n["batch"], n["din"], n["dim"], n["classes"], n["proxies"]
	m, err := model.New(model.Shape{C: din, H: 1, W: 1}, model.Options{Trunk: "identity", DE: dim, DH: dim, Seed: 1})
	if err != nil {
		return work{}, err
	}
	l := loss.NewCHEST(classes, dim, dim, loss.CHESTOptions{
		E: loss.SoftTripleOptions{Proxies: k}, Tree: loss.HypHCOptions{Triplets: n["triplets"]}, Seed: 1,
	})
	groups := map[string]optim.Group{"proxies": {Rate: 100}}
	e, err := engine.New(l, engine.Options{Common: optim.Common{Groups: groups}})
	if err != nil {
		return work{}, err
	}
	adam, move := optim.NewAdamW(m.Params(), optim.AdamWOptions{Groups: groups}), optim.Move{Rate: 1e-4, Scale: 1}
	rng := rand.New(rand.NewPCG(1, 2))
	x, label := make([]float32, batch*din), make([]int, batch)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	for i := range label {
		label[i] = rng.IntN(classes)
	}
	gE, gH := make([]float32, batch*dim), make([]float32, batch*dim)
	return work{
		name: "step", sizes: sizes,
		flops: 2*2*float64(batch*din*2*dim) + 3*2*float64(batch*classes*k)*float64(2*dim),
		run: func() error {
			uE, uH := m.Forward(x, batch, true)
			if _, err := e.Loss(loss.Batch{E: uE, H: uH, Label: label, GE: gE, GH: gH, Rand: rng}, false); err != nil {
				return err
			}
			m.Backward(gE, gH, batch)
			adam.Move(move)
			return e.Update(move)
		},
	}, nil
}

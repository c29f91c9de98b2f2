package main

import (
	"math/rand/v2"
	"slices"

	"github.com/spf13/cobra"

	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/chestlib/optim"
)

// stepSizes are the sizes of a step, with those of the smaller standard one.
var stepSizes = []size{{"batch", 256}, {"din", 384}, {"dim", 128}, {"classes", 100}, {"proxies", 10}, {"triplets", 1000}}

var stepHelp = map[string]string{
	"batch": "rows", "din": "features of a row", "dim": "dimensions of both embeddings", "classes": "classes",
	"proxies": "proxies of a class", "triplets": "triplets of the tree",
}

// stepLoss is the loss of a step, stepGroups and stepMove how it moves.
func stepLoss(n map[string]int) loss.CHESTOptions {
	return loss.CHESTOptions{
		E: loss.SoftTripleOptions{Proxies: n["proxies"]}, Tree: loss.HypHCOptions{Triplets: n["triplets"]}, Seed: 1,
	}
}

var (
	stepGroups = map[string]optim.Group{"proxies": {Rate: 100}}
	stepMove   = optim.Move{Rate: 1e-4, Scale: 1}
)

func benchStep(f *benchFlags) *cobra.Command {
	sizes := slices.Clone(stepSizes)
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
	addSizes(c, sizes, stepHelp)
	return c
}

// stepWork is the step on random features.
func stepWork(sizes []size, n map[string]int) (work, error) {
	batch, din, dim, classes, k := n["batch"], n["din"], n["dim"], n["classes"], n["proxies"]
	m, err := model.New(model.Shape{C: din, H: 1, W: 1}, model.Options{Trunk: "identity", DE: dim, DH: dim, Seed: 1})
	if err != nil {
		return work{}, err
	}
	l := loss.NewCHEST(classes, dim, dim, stepLoss(n))
	e, err := engine.New(l, engine.Options{Common: optim.Common{Groups: stepGroups}})
	if err != nil {
		return work{}, err
	}
	adam := optim.NewAdamW(m.Params(), optim.AdamWOptions{Groups: stepGroups})
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
			adam.Move(stepMove)
			return e.Update(stepMove)
		},
	}, nil
}

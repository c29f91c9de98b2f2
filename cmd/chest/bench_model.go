package main

import (
	"math/rand/v2"

	"github.com/spf13/cobra"

	"github.com/chestlab/chest/chestlib/model"
)

func benchConv(f *benchFlags) *cobra.Command {
	sizes := []size{{"batch", 64}, {"image", 84}, {"channels", 3}, {"width", 64}, {"depth", 4}}
	c := &cobra.Command{
		Use:   "conv",
		Short: "ConvNet-4, forward and backward",
		Long:  `ConvNet-4 with both heads, forward and backward. gflops counts the convolutions.`,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			n, err := sizesOf(sizes)
			if err != nil {
				return err
			}
			o := model.Options{Trunk: "convnet4", Width: n["width"], Depth: n["depth"], DE: 64, DH: 64, Seed: 1}
			var flops float64 // three products a layer, two in the first
			side, in := n["image"], n["channels"]
			for b := range n["depth"] {
				product := 2 * float64(n["batch"]*side*side) * float64(9*in*n["width"])
				flops += 3 * product
				if b == 0 {
					flops -= product
				}
				side, in = (side+1)/2, n["width"]
			}
			return f.measure(cmd.Context(), func() (work, error) { return modelWork("conv", sizes, n, o, flops) })
		},
	}
	addSizes(c, sizes, map[string]string{"batch": "images", "image": "pixels of a side", "channels": "channels of an image", "width": "channels of a block", "depth": "blocks"})
	return c
}

func benchViT(f *benchFlags) *cobra.Command {
	sizes := []size{{"batch", 4}, {"image", 224}, {"width", 384}, {"depth", 12}, {"heads", 6}, {"patch", 16}}
	c := &cobra.Command{
		Use:   "vit",
		Short: "ViT-S/16, forward and backward",
		Long:  `ViT-S/16 with both heads, forward and backward. gflops counts matrix products.`,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			n, err := sizesOf(sizes)
			if err != nil {
				return err
			}
			n["channels"] = 3
			o := model.Options{Trunk: "vit", Width: n["width"], Depth: n["depth"], Heads: n["heads"], Patch: n["patch"], DE: 128, DH: 128, Seed: 1}
			tokens := float64(1 + n["image"]/n["patch"]*(n["image"]/n["patch"]))
			d, batch := float64(n["width"]), float64(n["batch"])
			flops := 3*batch*float64(n["depth"])*(2*12*tokens*d*d+2*2*tokens*tokens*d) + 2*2*batch*tokens*d*float64(3*n["patch"]*n["patch"])
			return f.measure(cmd.Context(), func() (work, error) { return modelWork("vit", sizes, n, o, flops) })
		},
	}
	addSizes(c, sizes, map[string]string{"batch": "images", "image": "pixels of a side", "width": "numbers of a token", "depth": "blocks", "heads": "heads of attention", "patch": "pixels of a patch's side"})
	return c
}

// modelWork is a forward and a backward pass of random images.
func modelWork(name string, sizes []size, n map[string]int, o model.Options, flops float64) (work, error) {
	in := model.Shape{C: n["channels"], H: n["image"], W: n["image"]}
	m, err := model.New(in, o)
	if err != nil {
		return work{}, err
	}
	rng := rand.New(rand.NewPCG(1, 2))
	random := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(rng.NormFloat64())
		}
		return x
	}
	batch := n["batch"]
	x, gE, gH := random(batch*in.Size()), random(batch*o.DE), random(batch*o.DH)
	return work{name: name, sizes: sizes, flops: flops, run: func() error {
		m.Forward(x, batch, true)
		for _, p := range m.Params() {
			p.ZeroGrad()
		}
		m.Backward(gE, gH, batch)
		return nil
	}}, nil
}

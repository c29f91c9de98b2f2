package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/spf13/cobra"

	"github.com/chestlab/chest/chestlib/backbone"
)

func benchFeatures(f *benchFlags) *cobra.Command {
	sizes := []size{{"batch", 8}, {"image", 224}}
	var name string
	c := &cobra.Command{
		Use:   "features",
		Short: "Features of a frozen ViT-S/16 or ResNet-50",
		Long: `Features of a frozen network with random weights. images_a_second is for the
median; gflops counts matrix products.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			n, err := sizesOf(sizes)
			if err != nil {
				return err
			}
			return f.measure(cmd.Context(), func() (work, error) { return featuresWork(name, sizes, n["batch"], n["image"]) })
		},
	}
	addSizes(c, sizes, map[string]string{"batch": "images", "image": "pixels of a side"})
	c.Flags().StringVar(&name, "backbone", "vit_s16", "vit_s16 or resnet50")
	return c
}

// featuresWork is one batch of random images.
func featuresWork(name string, sizes []size, batch, image int) (work, error) {
	b, err := backbone.Untrained(name, image, 1)
	if err != nil {
		return work{}, err
	}
	rng := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, batch*b.In().Size())
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return work{name: "features", sizes: sizes, flops: float64(batch) * b.Operations(), items: batch, run: func() error {
		if y := b.Features(x, batch); y[0] != y[0] {
			return fmt.Errorf("features that are not finite")
		}
		return nil
	}}, nil
}

package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/chestlab/chest/chestlib/backbone"
	"github.com/chestlab/chest/datasets"
)

func dataImport() *cobra.Command {
	var out string
	var o datasets.FeatureOptions
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "Take over features that another program computed",
		Long: `Take over features that another program computed: read a .csv, .npy, .npz,
.safetensors or .pt file, check every number and label, and write a file of
safetensors from which heads are trained.`,
		Example: `  chest data import features.npz --out features.safetensors
  chest data import embeddings.npy --labels-file classes.npy --out features.safetensors`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if filepath.Ext(out) != ".safetensors" {
				return fmt.Errorf("data: --out %s; want a name that ends in .safetensors", out)
			}
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			f, err := datasets.ReadFeatures(ctx, args[0], o)
			if err != nil {
				return stopped(err)
			}
			if err := f.Save(out); err != nil {
				return failed(err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %v\n", out, f)
			return nil
		},
	}
	p := c.Flags()
	p.StringVar(&out, "out", "", "file to write")
	p.StringVar(&o.Features, "features", "", "name of the array of features (default: features, embeddings or x)")
	p.StringVar(&o.Labels, "labels", "", "name of the array or column of labels (default: labels, label, targets, target, class or y)")
	p.StringVar(&o.Split, "split", "", "name of the array or column of splits (default: split)")
	p.StringVar(&o.LabelsFile, "labels-file", "", "file of the labels, where they are not in FILE")
	c.MarkFlagRequired("out")
	return c
}

// weightsPrefix begins the names of weights in chest data get.
const weightsPrefix = "weights/"

// weightsHelp says where the weights of a network come from, if name is one.
func weightsHelp(name string) (text string, ok bool, err error) {
	network, ok := strings.CutPrefix(name, weightsPrefix)
	if !ok {
		return "", false, nil
	}
	if !slices.Contains(backbone.Names(), network) {
		return "", true, fmt.Errorf("data: no network %q; there are %s%s", network, weightsPrefix, strings.Join(backbone.Names(), ", "+weightsPrefix))
	}
	return backbone.Published(network), true, nil
}

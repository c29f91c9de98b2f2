package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/chestlab/chest/chestlib/backbone"
	"github.com/chestlab/chest/chestlib/features"
	"github.com/chestlab/chest/kernel/display"
)

// featuresFlags are the flags of chest features.
type featuresFlags struct {
	data     string
	part     string
	damaged  string
	backbone string
	weights  string
	image    int
	norm     string
	out      string
	shard    string
	batch    int
}

// untrained is the word for random weights.
const untrained = "untrained"

func featuresCommand() *cobra.Command {
	var f featuresFlags
	c := &cobra.Command{
		Use:   "features",
		Short: "Compute the features of a data set by a frozen ViT-S/16 or ResNet-50",
		Long: `Compute the features of a data set by a frozen network with published weights,
and write them to a file of safetensors: features n×d, label n, and a record of
what made them. A run that was stopped or killed goes on where it was: call it
again with the same flags. Shards, computed on several machines, are joined by
chest features join to the file that one run would have written.

Weights are files of safetensors with the names of timm, DINO, DeiT or
torchvision. A plain name is looked for in the folder that CHEST_WEIGHTS names;
nothing is downloaded. --norm must be what the weights were trained with:
imagenet for DINO, DeiT and torchvision, half for timm's ViT (augreg).

Images of files are resized, bicubic, to a shorter side of 8/7 of --image, 256 for
224, of which the middle is cut out. A folder of own images holds a folder for each
class, and perhaps a split.csv; see chest data check FOLDER.`,
		Example: `  CHEST_WEIGHTS=~/weights chest features --data blazons --backbone vit_s16 --weights dino_vits16.safetensors --out blazons.safetensors
  CHEST_DATA=~/data chest features --data cub --part test --backbone resnet50 --weights ./resnet50.safetensors --out cub-test.safetensors
  chest features --data ~/photos --damaged skip --weights untrained --out photos.safetensors
  chest features --data omniglot --backbone resnet50 --weights ./resnet50.safetensors --shard 0/4 --out omniglot-0.safetensors
  chest features join --out omniglot.safetensors omniglot-*.safetensors`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), cmd.OutOrStdout()) },
	}
	p := c.Flags()
	p.StringVar(&f.data, "data", "blazons", dataHelp)
	p.StringVar(&f.part, "part", "train", "train, test (the queries) or gallery")
	p.StringVar(&f.damaged, "damaged", "fatal", "what damaged image files are: fatal, or skip to leave them out and name them")
	p.StringVar(&f.backbone, "backbone", "vit_s16", "vit_s16 or resnet50")
	p.StringVar(&f.weights, "weights", "", "file of the weights (default: the backbone's name with .safetensors); untrained means random ones")
	p.IntVar(&f.image, "image", 224, "pixels of a side")
	p.StringVar(&f.norm, "norm", "imagenet", "mean and deviation of the pixels: imagenet or half")
	p.StringVar(&f.out, "out", "", "file to write")
	p.StringVar(&f.shard, "shard", "", "part of the data set, INDEX/OF (default: all)")
	p.IntVar(&f.batch, "batch", 0, "images at a time; it does not change the features (default: 32, or two for each processor)")
	c.MarkFlagRequired("out")
	c.AddCommand(joinCommand())
	return c
}

func joinCommand() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "join --out FILE SHARD...",
		Short: "Join the files of all shards",
		Args:  cobra.MinimumNArgs(1),
		RunE:  func(_ *cobra.Command, args []string) error { return failed(features.Join(out, args...)) },
	}
	c.Flags().StringVar(&out, "out", "", "file to write")
	c.MarkFlagRequired("out")
	return c
}

// run computes the features.
func (f featuresFlags) run(ctx context.Context, out io.Writer) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	shard, err := features.ParseShard(f.shard)
	if err != nil {
		return err
	}
	if f.image < 1 {
		return fmt.Errorf("features: --image %d; want at least 1 pixel", f.image)
	}
	display.SetContext(ctx) // of what stops with the running cell
	open, err := f.source()
	if err != nil {
		return err
	}
	b, err := f.open()
	if err != nil {
		return failed(err)
	}
	src, name, err := open(ctx, os.Stderr)
	if err != nil {
		return stopped(err)
	}
	if c, ok := src.(io.Closer); ok {
		defer c.Close()
	}
	p := newProgress(os.Stderr)
	p.goesOn = true
	o := features.Options{
		Data: name, Version: version, Shard: shard, Batch: f.batch,
		Readers: runtime.GOMAXPROCS(0), Progress: p,
	}
	if err := features.Extract(ctx, b, src, f.out, o); err != nil {
		return stopped(err)
	}
	set, err := features.Read(f.out, features.Describe(b, src, o))
	if err != nil {
		return failed(err)
	}
	_, err = fmt.Fprintf(out, "%s: %v\n", f.out, set)
	return failed(err)
}

// open reads the network.
func (f featuresFlags) open() (backbone.Backbone, error) {
	if f.weights == untrained {
		return backbone.Untrained(f.backbone, f.image, 1)
	}
	return backbone.Open(f.backbone, cmp.Or(f.weights, f.backbone+".safetensors"), f.image)
}

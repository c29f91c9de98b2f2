package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/chestlab/chest/datasets"
	"github.com/chestlab/chest/datasets/transform"
)

// mostSkipped is how many files that were left out are named.
const mostSkipped = 50

// files opens a part of a benchmark or of a folder of own images. An empty name
// means the benchmark's.
func (f featuresFlags) files(name string, read func(context.Context) (*datasets.Benchmark, error)) opener {
	return func(ctx context.Context, say io.Writer) (imageSource, string, error) {
		b, err := read(ctx)
		if err != nil {
			return nil, "", err
		}
		for _, note := range b.Notes {
			fmt.Fprintf(say, "%s: %s\n", b.Name, note)
		}
		part := map[string]*datasets.Files{"train": b.Train, "test": b.Query, "gallery": b.Gallery}[f.part]
		if part == nil {
			return nil, "", fmt.Errorf("features: %s", noGallery(b.Name))
		}
		set, err := f.images(part, say)
		if err != nil {
			return nil, "", skippable(err)
		}
		name := cmp.Or(name, b.Name) + " " + f.part
		if n := len(set.Skipped); n > 0 {
			name += fmt.Sprintf(" less %d damaged files", n)
		}
		return &imageFiles{set}, name, nil
	}
}

// images makes a set of the files for the network, and names those that are
// left out.
func (f featuresFlags) images(files *datasets.Files, say io.Writer) (*datasets.ImageSet, error) {
	recipe, err := f.recipe()
	if err != nil {
		return nil, err
	}
	o := datasets.ImageOptions{Item: &recipe, Draw: &recipe, Progress: newProgress(os.Stderr)}
	if f.damaged == "skip" {
		o.Damaged = datasets.SkipDamage
	}
	set, err := datasets.Images(files, o)
	if err != nil {
		return nil, err
	}
	for i, s := range set.Skipped {
		if i == mostSkipped {
			fmt.Fprintf(say, "and %d more\n", len(set.Skipped)-i)
			break
		}
		fmt.Fprintf(say, "left out: %s: %s\n", s.Path, s.Reason)
	}
	return set, nil
}

// recipe is the test recipe of the weights, for another size than 224 with the
// same margin: the shorter side becomes 8/7 of it, of which the middle is cut out.
func (f featuresFlags) recipe() (transform.Recipe, error) {
	preset := "vit" // half
	if f.norm == "imagenet" {
		preset = map[string]string{"vit_s16": "dino", "resnet50": "resnet"}[f.backbone]
	}
	r, err := transform.Test(preset)
	if err != nil {
		return r, err
	}
	r.Steps = []transform.Step{transform.Resize{Size: (8*f.image + 3) / 7}, transform.CentreCrop{Size: f.image}}
	return r, nil
}

// imageFiles is an ImageSet whose errors name the flag that helps.
type imageFiles struct{ *datasets.ImageSet }

// Item decodes and transforms item i.
func (s *imageFiles) Item(dst []float32, i int) error { return skippable(s.ImageSet.Item(dst, i)) }

// skippable adds the flag to an error that names the option of the library.
func skippable(err error) error {
	if err == nil || !strings.Contains(err.Error(), "SkipDamage") {
		return err
	}
	return fmt.Errorf("%w (--damaged skip)", err)
}

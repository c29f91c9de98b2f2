package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/chestlab/chest/chestlib/features"
	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/datasets"
	"github.com/chestlab/chest/datasets/transform"
	"github.com/chestlab/chest/internal/vmath"
)

// imageSource is what chest features reads: labelled images of the size that the
// network takes, normalised, with a description of how they came about. Its
// Item may be called by several goroutines at once.
type imageSource interface {
	model.Source
	features.Recipe
}

// opener opens images and tells the name of the data set and of its part. What
// the reader should know of them it writes to say.
type opener func(ctx context.Context, say io.Writer) (src imageSource, name string, err error)

// dataHelp lists what --data takes.
const dataHelp = "blazons (built in), omniglot, cub, cars, sop or inshop (from CHEST_DATA), or a folder of own images"

// norms are what weights are trained with.
var norms = map[string]transform.Normalise{"imagenet": transform.ImageNet, "half": transform.Half}

// source checks the flags that say what is read, and returns what opens it.
func (f featuresFlags) source() (opener, error) {
	norm, ok := norms[f.norm]
	if !ok {
		return nil, fmt.Errorf("features: --norm %q; want imagenet or half", f.norm)
	}
	if f.part != "train" && f.part != "test" && f.part != "gallery" {
		return nil, fmt.Errorf("features: --part %q; want train, test or gallery", f.part)
	}
	if f.damaged != "fatal" && f.damaged != "skip" {
		return nil, fmt.Errorf("features: --damaged %q; want fatal or skip", f.damaged)
	}
	switch f.data {
	case "blazons", "omniglot":
		if f.part == "gallery" {
			return nil, fmt.Errorf("features: --part gallery: %s", noGallery(f.data))
		}
		return f.drawn(norm), nil
	case "cub", "cars", "sop", "inshop":
		return f.files(f.data, func(ctx context.Context) (*datasets.Benchmark, error) {
			return datasets.ReadBenchmark(ctx, f.data, "")
		}), nil
	}
	if st, err := os.Stat(f.data); err != nil || !st.IsDir() {
		return nil, fmt.Errorf("features: --data %q; want %s", f.data, dataHelp)
	}
	return f.files("", func(ctx context.Context) (*datasets.Benchmark, error) { return datasets.Folder(ctx, f.data) }), nil
}

// noGallery says why there is no such part.
func noGallery(data string) string {
	return data + " has no gallery, each query is searched among all others; want --part train or test"
}

// drawn opens the sets that come as pixels of the size that is asked for.
func (f featuresFlags) drawn(norm transform.Normalise) opener {
	return func(context.Context, io.Writer) (imageSource, string, error) {
		how := fmt.Sprintf("drawn at %d×%d in colour", f.image, f.image)
		read := func() (*datasets.Split, error) {
			return datasets.Blazons(datasets.BlazonsOptions{Size: f.image, RGB: true})
		}
		if f.data == "omniglot" {
			how = fmt.Sprintf("scaled to %d×%d by the mean over areas", f.image, f.image)
			read = func() (*datasets.Split, error) {
				return datasets.Omniglot("", datasets.OmniglotOptions{Size: f.image})
			}
		}
		split, err := read()
		if err != nil {
			return nil, "", err
		}
		set := split.Train
		if f.part == "test" {
			set = split.Test
		}
		return &pictures{set, norm, how}, f.data + " " + f.part, nil
	}
}

// pictures is a set as images of three channels, normalised.
type pictures struct {
	*datasets.Set
	norm transform.Normalise
	how  string
}

// Shape is that of an item.
func (p *pictures) Shape() (c, h, w int) { return 3, p.H, p.W }

// Recipe says how the items came about.
func (p *pictures) Recipe() string {
	how := p.how
	if p.C == 1 {
		how += ", grey as three channels"
	}
	return fmt.Sprintf("%s; less mean %v, over deviation %v", how, p.norm.Mean, p.norm.Std)
}

// Item writes item i.
//
//	dst = (pixel/255 - mean)/deviation
func (p *pictures) Item(dst []float32, i int) error {
	plane := p.H * p.W
	if err := p.Set.Item(dst[:p.C*plane], i); err != nil { // 2 pixel/255 - 1
		return err
	}
	if p.C == 1 {
		copy(dst[plane:2*plane], dst)
		copy(dst[2*plane:], dst[:plane])
	}
	for c := range 3 {
		x := dst[c*plane : (c+1)*plane]
		vmath.Affine(x, 0.5/p.norm.Std[c], x, (0.5-p.norm.Mean[c])/p.norm.Std[c])
	}
	return nil
}

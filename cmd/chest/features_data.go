package main

import (
	"fmt"

	"github.com/chestlab/chest/chestlib/features"
	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/datasets"
	"github.com/chestlab/chest/internal/vmath"
)

// imageSource is what chest features reads: labelled images of the size that the
// network takes, normalised, with a description of how they came about. Its
// Item may be called by several goroutines at once.
type imageSource interface {
	model.Source
	features.Recipe
}

// dataHelp lists what --data takes.
const dataHelp = "blazons (built in) or omniglot (from CHEST_DATA)"

// source checks --data, --part and --norm and returns what opens the images.
func (f featuresFlags) source() (open func() (imageSource, error), err error) {
	norm, ok := norms[f.norm]
	if !ok {
		return nil, fmt.Errorf("features: --norm %q; want imagenet or half", f.norm)
	}
	if f.part != "train" && f.part != "test" {
		return nil, fmt.Errorf("features: --part %q; want train or test", f.part)
	}
	var read func() (*datasets.Split, error)
	how := fmt.Sprintf("scaled to %d×%d by the mean over areas", f.image, f.image)
	switch f.data {
	case "blazons":
		how = fmt.Sprintf("drawn at %d×%d in colour", f.image, f.image)
		read = func() (*datasets.Split, error) {
			return datasets.Blazons(datasets.BlazonsOptions{Size: f.image, RGB: true})
		}
	case "omniglot":
		read = func() (*datasets.Split, error) {
			return datasets.Omniglot("", datasets.OmniglotOptions{Size: f.image})
		}
	default:
		return nil, fmt.Errorf("features: --data %q; want %s", f.data, dataHelp)
	}
	return func() (imageSource, error) {
		split, err := read()
		if err != nil {
			return nil, err
		}
		set := split.Train
		if f.part == "test" {
			set = split.Test
		}
		return &pictures{set, norm, how}, nil
	}, nil
}

// norm is the mean and the deviation of red, green and blue, of pixels from 0 to 1.
type norm struct{ mean, deviation [3]float32 }

// norms are what weights are trained with.
var norms = map[string]norm{
	"imagenet": {[3]float32{0.485, 0.456, 0.406}, [3]float32{0.229, 0.224, 0.225}},
	"half":     {[3]float32{0.5, 0.5, 0.5}, [3]float32{0.5, 0.5, 0.5}},
}

// pictures is a set as images of three channels, normalised.
type pictures struct {
	*datasets.Set
	norm norm
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
	return fmt.Sprintf("%s; less mean %v, over deviation %v", how, p.norm.mean, p.norm.deviation)
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
		vmath.Affine(x, 0.5/p.norm.deviation[c], x, (0.5-p.norm.mean[c])/p.norm.deviation[c])
	}
	return nil
}

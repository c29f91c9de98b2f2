package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/chestlib/sweep"
	"github.com/chestlab/chest/datasets"
)

// lookup finds the data of a name that a plan may have: "blazons", "omniglot" or
// "features:PATH", a file of embeddings with the column split.
func lookup(ctx context.Context, name string) (sweep.Data, error) {
	if path, ok := strings.CutPrefix(name, "features:"); ok {
		f, err := datasets.ReadFeatures(ctx, path, datasets.FeatureOptions{})
		if err != nil {
			return sweep.Data{}, err
		}
		train := f.Part("train")
		d := sweep.Data{Name: name, Train: train, Test: f.Part("query"), HoldOut: func(share float64) (fit, held model.Source) {
			a, b := train.HoldOut(share, 1)
			return a, b
		}}
		if g := f.Part("gallery"); g.Len() > 0 {
			d.Gallery = g
		}
		return d, nil
	}
	var s *datasets.Split
	var err error
	switch name {
	case "blazons":
		s, err = datasets.Blazons(datasets.BlazonsOptions{})
	case "omniglot":
		s, err = datasets.Omniglot("", datasets.OmniglotOptions{})
	default:
		err = fmt.Errorf("there are no data %q; there are blazons, omniglot and features:PATH", name)
	}
	if err != nil {
		return sweep.Data{}, err
	}
	return sweep.Data{Name: name, Train: s.Train, Test: s.Test, HoldOut: func(share float64) (fit, held model.Source) {
		f, h := s.Train.HoldOut(share, 1)
		return f, h
	}}, nil
}

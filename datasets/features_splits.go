package datasets

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// FeatureSplit is a benchmark as one frozen network sees it.
type FeatureSplit struct {
	Backbone    string    // as its files name it
	Train, Test *Features // of other classes
	Gallery     *Features // what Test is looked for in, in one numbering of classes with it; nil: Test itself
}

// FeatureSplits reads the features of a benchmark by all backbones that there are
// files of in dir/features, in the order of their names:
//
//	NAME-BACKBONE.EXT          one file with a split: train, query and perhaps gallery
//	NAME-BACKBONE-train.EXT    or a file for each part, as chest features writes them;
//	NAME-BACKBONE-test.EXT     -gallery.EXT may be there as well
//
// with an ending of ReadFeatures. dir "" means the folder that CHEST_DATA names. If
// there are none, or no folder, there are no splits and no error. A file that cannot
// be read, and a backbone with one part only, is an error that names it.
func FeatureSplits(ctx context.Context, dir, name string) ([]FeatureSplit, error) {
	if dir == "" {
		if dir = os.Getenv(DataVariable); dir == "" {
			return nil, nil
		}
	}
	dir = filepath.Join(dir, "features")
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("datasets: features: %w", err)
	}
	parts := map[string]map[string]string{} // file of a part by backbone
	for _, f := range files {
		rest, ours := strings.CutPrefix(f.Name(), name+"-")
		ext := filepath.Ext(rest)
		rest = strings.TrimSuffix(rest, ext)
		if !ours || f.IsDir() || !featureEndings[ext] || strings.HasSuffix(rest, ".labels") {
			continue
		}
		backbone, part := rest, ""
		for _, p := range []string{"train", "test", "gallery"} {
			if b, ok := strings.CutSuffix(rest, "-"+p); ok {
				backbone, part = b, p
			}
		}
		if parts[backbone] == nil {
			parts[backbone] = map[string]string{}
		}
		if old := parts[backbone][part]; old != "" {
			return nil, fmt.Errorf("datasets: features: %s and %s in %s are the same part of %s; remove one", filepath.Base(old), f.Name(), dir, name)
		}
		parts[backbone][part] = filepath.Join(dir, f.Name())
	}
	var all []FeatureSplit
	for b, paths := range parts {
		s, err := readSplit(ctx, paths)
		if err != nil {
			return nil, err
		}
		s.Backbone = b
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b FeatureSplit) int { return strings.Compare(a.Backbone, b.Backbone) })
	return all, nil
}

// featureEndings are those of ReadFeatures.
var featureEndings = map[string]bool{".npy": true, ".npz": true, ".safetensors": true, ".pt": true, ".pth": true, ".csv": true}

// readSplit reads the files of one backbone: one whole, or parts.
func readSplit(ctx context.Context, paths map[string]string) (s FeatureSplit, err error) {
	if whole := paths[""]; whole != "" {
		if len(paths) > 1 {
			return s, fmt.Errorf("datasets: features: there are %s and files of its parts; remove one or the others", whole)
		}
		f, err := ReadFeatures(ctx, whole, FeatureOptions{})
		if err != nil {
			return s, err
		}
		s.Train, s.Test, s.Gallery = f.Part("train"), f.Part("query"), f.Part("gallery")
		if s.Train.Len() == 0 || s.Test.Len() == 0 {
			return s, fmt.Errorf("datasets: features: %s has %d items of the split train and %d of query; want both, or a file for each part", whole, s.Train.Len(), s.Test.Len())
		}
		if s.Gallery.Len() == 0 {
			s.Gallery = nil
		}
		return s, nil
	}
	for part, to := range map[string]**Features{"train": &s.Train, "test": &s.Test, "gallery": &s.Gallery} {
		if paths[part] == "" && part != "gallery" {
			for _, other := range paths {
				return s, fmt.Errorf("datasets: features: beside %s there is no file of the part %s", other, part)
			}
		}
		if paths[part] != "" {
			if *to, err = ReadFeatures(ctx, paths[part], FeatureOptions{}); err != nil {
				return s, err
			}
		}
	}
	if s.Gallery != nil {
		s.Gallery.numberAs(s.Test)
	}
	return s, nil
}

// numberAs gives f the numbers that g has for its classes; those of f alone follow,
// in both.
func (f *Features) numberAs(g *Features) {
	number := map[string]int{}
	for c, name := range g.Classes {
		number[name] = c
	}
	for _, name := range f.Classes {
		if _, there := number[name]; !there {
			number[name] = len(g.Classes)
			g.Classes = append(g.Classes, name)
		}
	}
	for i, c := range f.Labels {
		f.Labels[i] = number[f.Classes[c]]
	}
	f.Classes = slices.Clone(g.Classes)
}

// Subset is the items of the classes for which keep is true, in their order, with
// memory of their own. Classes are numbered anew in their old order.
//
//	train := f.Subset(func(class int) bool { return class < 100 })
func (f *Features) Subset(keep func(class int) bool) *Features {
	kept := make([]bool, len(f.Classes))
	for c := range kept {
		kept[c] = keep(c)
	}
	return f.of(f.Name, kept)
}

// HoldOut cuts the features by class, as Set.HoldOut does: held gets the nearest
// whole number to share of the classes, at random by seed, fit the others.
func (f *Features) HoldOut(share float64, seed uint64) (fit, held *Features) {
	n := len(f.Classes)
	if !(share > 0 && share < 1) {
		panic(fmt.Sprintf("datasets: HoldOut: share %g: want more than 0 and less than 1", share))
	}
	if n < 2 {
		panic(fmt.Sprintf("datasets: HoldOut: %s has %d classes: want two or more", f.Name, n))
	}
	out := drawLots(make([]int, n), share, newRand(seed, streamHoldOut))
	in := make([]bool, n)
	for c := range in {
		in[c] = !out[c]
	}
	return f.of(f.Name+" fit", in), f.of(f.Name+" held out", out)
}

// of is the items of the kept classes, under a new name.
func (f *Features) of(name string, kept []bool) *Features {
	to := renumber(kept)
	s := &Features{Name: name, D: f.D, Classes: pick(f.Classes, to)}
	for i, c := range f.Labels {
		if to[c] < 0 {
			continue
		}
		s.X = append(s.X, f.Row(i)...)
		s.Labels = append(s.Labels, to[c])
		if f.Splits != nil {
			s.Splits = append(s.Splits, f.Splits[i])
		}
	}
	return s
}

package datasets

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// few are features of some classes, two items of each.
func few(name string, splits []string, classes ...string) *Features {
	f := &Features{Name: name, D: 2, Classes: classes, Splits: splits}
	for c := range classes {
		for k := range 2 {
			f.X = append(f.X, float32(c), float32(k))
			f.Labels = append(f.Labels, c)
		}
	}
	return f
}

// put saves features below dir/features, with the names of classes, which are
// numbers, as labels.
func put(t *testing.T, dir string, files map[string]*Features) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "features"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, f := range files {
		numbered := *f
		numbered.Labels = nil
		for _, c := range f.Labels {
			n, err := strconv.Atoi(f.Classes[c])
			if err != nil {
				t.Fatal(err)
			}
			numbered.Labels = append(numbered.Labels, n)
		}
		if err := numbered.Save(filepath.Join(dir, "features", name)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFeatureSplits(t *testing.T) {
	dir := t.TempDir()
	whole := few("whole", []string{"train", "train", "query", "query", "gallery", "gallery"}, "1", "2", "3")
	put(t, dir, map[string]*Features{
		"inshop-vit.safetensors":            whole,
		"inshop-dino-b-train.safetensors":   few("a", nil, "7", "8"),
		"inshop-dino-b-test.safetensors":    few("b", nil, "20", "30"),
		"inshop-dino-b-gallery.safetensors": few("c", nil, "10", "30"),
		"cub-dino-train.safetensors":        few("d", nil, "1", "2"),
	})
	all, err := FeatureSplits(t.Context(), dir, "inshop")
	if err != nil || len(all) != 2 || all[0].Backbone != "dino-b" || all[1].Backbone != "vit" {
		t.Fatalf("%+v, %v", all, err)
	}
	s := all[0]
	if !slices.Equal(s.Test.Labels, []int{0, 0, 1, 1}) || !slices.Equal(s.Gallery.Labels, []int{2, 2, 1, 1}) || !slices.Equal(s.Gallery.Classes, []string{"20", "30", "10"}) || !slices.Equal(s.Test.Classes, s.Gallery.Classes) {
		t.Errorf("query %v %v, gallery %v %v: not one numbering", s.Test.Labels, s.Test.Classes, s.Gallery.Labels, s.Gallery.Classes)
	}
	if s = all[1]; s.Train.Len() != 2 || s.Test.Len() != 2 || s.Gallery.Len() != 2 {
		t.Errorf("one file: %+v", s)
	}
	t.Setenv(DataVariable, dir)
	if env, err := FeatureSplits(t.Context(), "", "inshop"); err != nil || !reflect.DeepEqual(env, all) {
		t.Errorf("by %s: %v", DataVariable, err)
	}
	for _, name := range []string{"sop", "in"} {
		if none, err := FeatureSplits(t.Context(), dir, name); none != nil || err != nil {
			t.Errorf("%s: %v, %v", name, none, err)
		}
	}
	t.Setenv(DataVariable, "")
	for _, dir := range []string{"", t.TempDir()} {
		if none, err := FeatureSplits(t.Context(), dir, "cub"); none != nil || err != nil {
			t.Errorf("no folder: %v, %v", none, err)
		}
	}
}

// TestFeatureSplitsRefuses: what is not whole or there twice is named.
func TestFeatureSplitsRefuses(t *testing.T) {
	part := few("d", nil, "1", "2")
	for says, files := range map[string]map[string]*Features{
		"cub-dino-train.safetensors there is no file of the part test": {"cub-dino-train.safetensors": part},
		"cub-dino.safetensors and files of its parts":                  {"cub-dino.safetensors": part, "cub-dino-test.safetensors": part},
		"0 items of the split train":                                   {"cub-dino.safetensors": part},
	} {
		dir := t.TempDir()
		put(t, dir, files)
		if _, err := FeatureSplits(t.Context(), dir, "cub"); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want %q", err, says)
		}
	}
	dir := t.TempDir()
	put(t, dir, map[string]*Features{"cub-dino-train.safetensors": part})
	if err := os.WriteFile(filepath.Join(dir, "features", "cub-dino-train.csv"), []byte("a,label\n1,2\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := FeatureSplits(t.Context(), dir, "cub"); err == nil || !strings.Contains(err.Error(), "are the same part") {
		t.Errorf("two files of a part: %v", err)
	}
}

// TestFeaturesSubset: the items of the kept classes keep numbers, splits and order.
func TestFeaturesSubset(t *testing.T) {
	f := few("x", []string{"train", "query", "train", "query", "train", "train", "query", "query"}, "a", "b", "c", "d")
	for bits := range 16 {
		kept := func(c int) bool { return bits>>c&1 == 1 }
		g := f.Subset(kept)
		k := 0
		for i, c := range f.Labels {
			if !kept(c) {
				continue
			}
			if f.Classes[c] != g.Classes[g.Labels[k]] || !slices.Equal(f.Row(i), g.Row(k)) || f.Splits[i] != g.Splits[k] {
				t.Fatalf("keep %04b: item %d is not item %d of before", bits, k, i)
			}
			k++
		}
		if k != g.Len() || g.D != f.D {
			t.Fatalf("keep %04b: %v, want %d items", bits, g, k)
		}
	}
	f.Subset(func(int) bool { return true }).X[0] = 99
	if f.X[0] == 99 {
		t.Error("a subset shares its numbers")
	}
}

func TestFeaturesHoldOut(t *testing.T) {
	f := few("x", []string{"train", "train", "train", "train", "train", "train", "train", "train"}, "a", "b", "c", "d")
	fit, held := f.HoldOut(0.25, 1)
	if len(fit.Classes) != 3 || len(held.Classes) != 1 || fit.Len() != 6 || held.Len() != 2 || slices.Contains(fit.Classes, held.Classes[0]) {
		t.Fatalf("fit %v, held out %v", fit, held)
	}
	for _, p := range []*Features{fit, held} {
		for i, c := range p.Labels {
			if want := float32(slices.Index(f.Classes, p.Classes[c])); p.Row(i)[0] != want || p.Splits[i] != "train" {
				t.Errorf("item %d of class %s has the numbers of class %g", i, p.Classes[c], p.Row(i)[0])
			}
		}
	}
	if again, _ := f.HoldOut(0.25, 1); !reflect.DeepEqual(again, fit) {
		t.Error("the same seed cut otherwise")
	}
	for _, share := range []float64{0, 1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("share %g: no panic", share)
				}
			}()
			f.HoldOut(share, 1)
		}()
	}
}

package datasets

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fuzzList fuzzes one file of a toy: whatever its text, an error that names the
// folder, or parts whose labels fit and whose paths stay inside.
func fuzzList(f *testing.F, toy, folder, file string) {
	dir := toyDir(f, toy)
	at := filepath.Join(dir, folder, filepath.FromSlash(file))
	good, err := os.ReadFile(at)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(good))
	f.Add("\ufeff" + strings.ReplaceAll(string(good), "\n", "\r\n"))
	for _, t := range textFormats {
		if t.toy == toy && t.file == file {
			for _, d := range t.damages(string(good)) {
				f.Add(d.text)
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := readers[toy](context.Background(), dir)
		if err != nil {
			if !strings.Contains(err.Error(), folder) || !strings.HasPrefix(err.Error(), "datasets: ") {
				t.Errorf("error %q does not name the folder", err)
			}
			return
		}
		for _, part := range b.Parts() {
			if len(part.Paths) != len(part.Labels) || part.Super != nil && len(part.Super) != len(part.Classes) {
				t.Errorf("%s does not fit", part)
			}
			for i, p := range part.Paths {
				if !filepath.IsLocal(p) || part.Labels[i] < 0 || part.Labels[i] >= len(part.Classes) {
					t.Errorf("path %q, label %d", p, part.Labels[i])
				}
			}
			for _, s := range part.Super {
				if s < 0 || s >= len(part.Supers) {
					t.Errorf("superclass %d of %d", s, len(part.Supers))
				}
			}
		}
	})
}

func FuzzCUBImages(f *testing.F)  { fuzzList(f, "cub", "CUB_200_2011", "images.txt") }
func FuzzCUBLabels(f *testing.F)  { fuzzList(f, "cub", "CUB_200_2011", "image_class_labels.txt") }
func FuzzCUBClasses(f *testing.F) { fuzzList(f, "cub", "CUB_200_2011", "classes.txt") }
func FuzzCarsText(f *testing.F)   { fuzzList(f, "cars-text", "cars196", "cars_annos.txt") }
func FuzzCarsMat(f *testing.F)    { fuzzList(f, "cars", "cars196", "cars_annos.mat") }
func FuzzSOP(f *testing.F)        { fuzzList(f, "sop", "Stanford_Online_Products", "Ebay_test.txt") }
func FuzzSplit(f *testing.F)      { fuzzList(f, "folder", "toy_folder", "split.csv") }
func FuzzInShop(f *testing.F) {
	fuzzList(f, "inshop", "In-shop Clothes Retrieval Benchmark", "Eval/list_eval_partition.txt")
}

// FuzzCSV: whatever the text, an error or finite features that fit each other.
func FuzzCSV(f *testing.F) {
	good, err := os.ReadFile(filepath.Join(toyDir(f, "features"), "toy_features", "features.csv"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(good))
	f.Add("\ufefflabel,split,a\r\n\"x \"\"y\"\"\",train,1e-3\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		x, err := readCSV(context.Background(), strings.NewReader(text), FeatureOptions{})
		if err == nil {
			checkFeatures(t, x)
		}
	})
}

// FuzzFeatures: whatever the bytes in a file of each ending, an error that names
// it or finite features that fit each other.
func FuzzFeatures(f *testing.F) {
	dir := filepath.Join(toyDir(f, "features"), "toy_features")
	endings := []string{".npz", ".npy", ".safetensors", ".pt", ".csv"}
	for k, name := range []string{"features.npz", "features.npy", "features.safetensors", "../../torch", "features.csv"} {
		path := filepath.Join(dir, name)
		if endings[k] == ".pt" {
			path = "../internal/torchfile/testdata/dict.pt"
		}
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(k), data)
	}
	f.Fuzz(func(t *testing.T, k uint8, data []byte) {
		path := filepath.Join(dir, "features"+endings[int(k)%len(endings)])
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		x, err := ReadFeatures(context.Background(), path, FeatureOptions{})
		if err == nil {
			checkFeatures(t, x)
		} else if !strings.Contains(err.Error(), path) || errors.Is(err, ErrNoData) {
			t.Errorf("error %q", err)
		}
	})
}

func checkFeatures(t *testing.T, x *Features) {
	if x.D < 1 || x.Len() < 1 || len(x.X) != x.D*x.Len() || x.Splits != nil && len(x.Splits) != x.Len() {
		t.Errorf("%s, %d numbers, %d splits", x, len(x.X), len(x.Splits))
	}
	for _, v := range x.X {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			t.Errorf("number %g", v)
		}
	}
	for _, l := range x.Labels {
		if l < 0 || l >= len(x.Classes) {
			t.Errorf("label %d of %d", l, len(x.Classes))
		}
	}
}

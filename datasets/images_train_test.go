package datasets_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/chestlib/train"
	"github.com/chestlab/chest/datasets"
	"github.com/chestlab/chest/datasets/transform"
)

// An ImageSet can all that the trainer can use.
var (
	_ model.Drawer     = (*datasets.ImageSet)(nil)
	_ model.Prefetcher = (*datasets.ImageSet)(nil)
)

// stripes is files of 4 classes that differ in colour, 6 of each.
func stripes(t *testing.T) *datasets.Files {
	t.Helper()
	f := &datasets.Files{Name: "stripes", Root: t.TempDir()}
	rng := rand.New(rand.NewPCG(1, 1))
	for c := range 4 {
		f.Classes = append(f.Classes, fmt.Sprint(c))
		for k := range 6 {
			m := image.NewRGBA(image.Rect(0, 0, 30+k, 24))
			for j := range m.Rect.Dy() {
				for i := range m.Rect.Dx() {
					m.Set(i, j, color.RGBA{uint8(60 * c), uint8(rng.IntN(99)), uint8(200 - 50*c + rng.IntN(50)), 255})
				}
			}
			var b bytes.Buffer
			path := fmt.Sprintf("%d-%d.jpg", c, k)
			if err := jpeg.Encode(&b, m, nil); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(f.Root, path), b.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
			f.Paths, f.Labels = append(f.Paths, path), append(f.Labels, c)
		}
	}
	return f
}

// plainDrawer hides Prefetch.
type plainDrawer struct{ model.Drawer }

// TestTrainingOnFiles: the weights of a run are the same with and without
// Prefetch, with a cache and when it is opened again, for any number of workers.
func TestTrainingOnFiles(t *testing.T) {
	files := stripes(t)
	cache := t.TempDir()
	run := func(o datasets.ImageOptions, hide bool) []float32 {
		o.Item = &transform.Recipe{Steps: []transform.Step{transform.Resize{Size: 12}, transform.CentreCrop{Size: 8}}, Normalise: transform.Half}
		o.Draw = &transform.Recipe{Steps: []transform.Step{transform.RandomResizedCrop{Size: 8}, transform.Flip{}}, Normalise: transform.Half}
		o.Silent, o.Side, o.Cache = true, 12, cache
		set, err := datasets.Images(files, o)
		if err != nil {
			t.Fatal(err)
		}
		defer set.Close()
		src := model.Source(set)
		if hide {
			src = plainDrawer{set}
		}
		m, err := model.New(model.Shape{C: 3, H: 8, W: 8}, model.Options{Width: 16, Depth: 1, DE: 8, DH: 8, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		tr, err := train.New(m, src, train.Options{Epochs: 2, Classes: 4, PerClass: 2, Silent: true, Watch: src, Loss: loss.CHESTOptions{Tree: loss.HypHCOptions{Triplets: 10}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tr.Fit(context.Background()); err != nil {
			t.Fatal(err)
		}
		e, err := m.Embed(context.Background(), src, 5)
		if err != nil {
			t.Fatal(err)
		}
		return append(e.E, e.H...)
	}
	want := run(datasets.ImageOptions{}, true)
	for _, o := range []datasets.ImageOptions{{}, {Workers: 1}, {Workers: 5, Ahead: 3}, {Workers: 2, Ahead: 1}} {
		if !reflect.DeepEqual(run(o, false), want) {
			t.Errorf("%d workers, %d held: other bits", o.Workers, o.Ahead)
		}
	}
}

package features

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/chestlib/train"
	"github.com/chestlab/chest/datasets"
	"github.com/chestlab/chest/datasets/transform"
)

// announced is a source that remembers what was announced to it.
type announced struct {
	*images
	mu    sync.Mutex
	calls [][]int
}

func (s *announced) Prefetch(items []int, draws []uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if draws != nil {
		panic("features are of items, not of draws")
	}
	s.calls = append(s.calls, items)
}

// TestAnnounce: a source hears of the next batches before each one, none beyond
// the shard, and in the end that nothing comes any more.
func TestAnnounce(t *testing.T) {
	src := &announced{images: source(60)}
	o := plain
	o.Shard = Shard{1, 2} // items 30 to 59, six batches
	extract(t, network(t, 1), src, o)
	if len(src.calls) != 7 || len(src.calls[6]) != 0 {
		t.Fatalf("%d calls: %v", len(src.calls), src.calls)
	}
	for k, call := range src.calls[:6] {
		var want []int
		for i := 30 + 5*k; i < min(30+5*k+20, 60); i++ {
			want = append(want, i)
		}
		if !slices.Equal(call, want) {
			t.Errorf("call %d: %v, want %v", k, call, want)
		}
	}
}

// TestImageFiles: the features of image files are those of the items one by one,
// whatever decodes ahead, and the record says what was done to the pictures.
func TestImageFiles(t *testing.T) {
	dir := t.TempDir()
	if err := datasets.MakeToy("cub", dir); err != nil {
		t.Fatal(err)
	}
	b, err := datasets.CUB(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	r := transform.Recipe{Name: "small", Steps: []transform.Step{transform.Resize{Size: 18}, transform.CentreCrop{Size: 16}}, Normalise: transform.Half}
	var files [2][]byte
	for k, workers := range []int{1, 3} {
		set, err := datasets.Images(b.Query, datasets.ImageOptions{Item: &r, Draw: &r, Workers: workers, Silent: true})
		if err != nil {
			t.Fatal(err)
		}
		defer set.Close()
		var path string
		path, files[k] = extract(t, network(t, 1), set, Options{Data: "cub test", Batch: 4 + 3*k, Readers: workers})
		got, err := Read(path, Record{Transform: set.Recipe(), Data: "cub test"})
		if err != nil {
			t.Fatal(err)
		}
		x, y := make([]float32, 3*16*16), make([]float32, 12)
		for i := range set.Len() {
			if err := set.Item(x, i); err != nil {
				t.Fatal(err)
			}
			if err := got.Item(y, i); err != nil || !slices.Equal(y, network(t, 1).Features(x, 1)) || got.Label(i) != b.Query.Labels[i] {
				t.Errorf("item %d: %v", i, err)
			}
		}
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("the file depends on batches or threads")
	}
}

// TestTrainOnFile: a file of Extract is read as features and trained on, by the
// heads alone and behind a trunk.
func TestTrainOnFile(t *testing.T) {
	src := source(24)
	path, _ := extract(t, network(t, 1), src, plain)
	f, err := datasets.ReadFeatures(context.Background(), path, datasets.FeatureOptions{})
	if err != nil {
		t.Fatal(err)
	}
	set, err := Read(path, Record{})
	if err != nil {
		t.Fatal(err)
	}
	if f.D != 12 || f.Splits != nil || !slices.Equal(f.X, set.X) || !slices.Equal(f.Labels, set.Labels) || len(f.Classes) != 6 || f.Classes[5] != "5" {
		t.Errorf("%v, labels %v, classes %q", f, f.Labels, f.Classes)
	}
	for _, trunk := range []string{"identity", "mlp"} {
		for _, from := range []model.Source{f, set} {
			c, h, w := from.Shape()
			m, err := model.New(model.Shape{C: c, H: h, W: w}, model.Options{Trunk: trunk, Width: 16, DE: 8, DH: 8})
			if err != nil {
				t.Fatalf("%s: %v", trunk, err)
			}
			tr, err := train.New(m, from, train.Options{Epochs: 2, Classes: 6, Silent: true})
			if err != nil {
				t.Fatalf("%s: %v", trunk, err)
			}
			before := slices.Clone(m.Params()[0].Value)
			if _, err := tr.Fit(context.Background()); err != nil || slices.Equal(before, m.Params()[0].Value) {
				t.Errorf("%s: %v; the weights moved: %v", trunk, err, err == nil)
			}
		}
	}
}

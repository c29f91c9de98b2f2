package datasets

import (
	"context"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestFeaturesSave: what is saved is read again, from any format that came in.
func TestFeaturesSave(t *testing.T) {
	dir := t.TempDir()
	if err := MakeToy("features", dir); err != nil {
		t.Fatal(err)
	}
	toys, err := filepath.Glob(filepath.Join(dir, "*", "features.*"))
	if err != nil || len(toys) < 3 {
		t.Fatal(toys, err)
	}
	for _, toy := range toys {
		if strings.HasSuffix(toy, ".labels.npy") {
			continue // read beside its features
		}
		f, err := ReadFeatures(context.Background(), toy, FeatureOptions{})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "saved.safetensors")
		if err := f.Save(path); err != nil {
			t.Fatal(err)
		}
		again, err := ReadFeatures(context.Background(), path, FeatureOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if again.D != f.D || !reflect.DeepEqual(again.X, f.X) || !reflect.DeepEqual(again.Labels, f.Labels) || !reflect.DeepEqual(again.Splits, f.Splits) {
			t.Errorf("%s: %v became %v", toy, f, again)
		}
	}
	bad := &Features{D: 1, X: []float32{1}, Labels: []int{0}, Classes: []string{"a"}, Splits: []string{"val"}}
	if err := bad.Save(filepath.Join(dir, "bad.safetensors")); err == nil || !strings.Contains(err.Error(), `"val"`) {
		t.Error(err)
	}
}

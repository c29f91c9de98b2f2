package datasets

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/chestlab/chest/internal/durable"
	"github.com/chestlab/chest/internal/safetensors"
)

// Save writes the features to a file of safetensors that ReadFeatures reads, in
// one step: tensors features n×D, label n and, if there are Splits, split n with
// 0 for train, 1 for query and 2 for gallery. The names of the classes are in its
// metadata.
func (f *Features) Save(path string) error {
	classes, err := json.Marshal(f.Classes)
	if err != nil {
		return fmt.Errorf("datasets: saving %s: %w", path, err)
	}
	label := make([]int64, f.Len())
	for i, l := range f.Labels {
		label[i] = int64(l)
	}
	all := []safetensors.Tensor{{Name: "features", Shape: []int{f.Len(), f.D}, F32: f.X}, {Name: "label", Shape: []int{f.Len()}, I64: label}}
	if f.Splits != nil {
		split := make([]int64, f.Len())
		for i, s := range f.Splits {
			split[i] = int64(slices.Index([]string{"train", "query", "gallery"}, s))
			if split[i] < 0 {
				return fmt.Errorf("datasets: saving %s: item %d is of the split %q; want train, query or gallery", path, i, s)
			}
		}
		all = append(all, safetensors.Tensor{Name: "split", Shape: []int{f.Len()}, I64: split})
	}
	err = durable.Write(path, func(w io.Writer) error {
		return safetensors.Write(w, map[string]string{"name": f.Name, "classes": string(classes)}, all)
	})
	if err != nil {
		return fmt.Errorf("datasets: saving %s: %w", path, err)
	}
	return nil
}

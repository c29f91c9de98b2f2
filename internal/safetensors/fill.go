package safetensors

import (
	"fmt"
	"slices"
	"strings"
)

// Fill reads the tensors, of F32, into the memory that they have. All that is
// missing or of another shape is told at once, and then nothing is changed.
func (f *File) Fill(tensors []Tensor) error {
	var wrong []string
	for _, t := range tensors {
		kind, shape, ok := f.Shape(t.Name)
		switch {
		case !ok:
			wrong = append(wrong, fmt.Sprintf("%s %v is missing", t.Name, t.Shape))
		case !slices.Equal(shape, t.Shape):
			wrong = append(wrong, fmt.Sprintf("%s is %v, want %v", t.Name, shape, t.Shape))
		case kind != "F32" && kind != "F64" && kind != "F16" && kind != "BF16":
			wrong = append(wrong, fmt.Sprintf("%s is of type %s, want numbers", t.Name, kind))
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("safetensors: %s", some(wrong, 8))
	}
	all := make([][]float32, len(tensors))
	for i, t := range tensors {
		var err error
		if all[i], err = f.Float32(t.Name); err != nil {
			return err
		}
	}
	for i, t := range tensors {
		copy(t.F32, all[i])
	}
	return nil
}

// some joins at most n of the texts and says how many more there are.
func some(texts []string, n int) string {
	if len(texts) <= n {
		return strings.Join(texts, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(texts[:n], "; "), len(texts)-n)
}

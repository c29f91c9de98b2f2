package model

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/chestlab/chest/internal/durable"
	"github.com/chestlab/chest/internal/safetensors"
)

// fileKey is the entry of a file's metadata that says what model it holds.
const fileKey = "model"

// description is what that entry holds, as JSON.
type description struct {
	In      Shape
	Options Options
}

// Description is the model less its weights as JSON, for files: the shape of its
// items and its options. Two models of one description have the same params.
func (m *Model) Description() string {
	text, err := json.Marshal(description{m.in, m.o})
	if err != nil {
		panic("model: " + err.Error()) // numbers and strings only, all finite
	}
	return string(text)
}

// Save writes the model to a file of safetensors, in one step: a crash leaves
// the old file or the new one. It can be read by Load, and by any program that
// knows the format: a tensor "model/NAME" for each param and each running
// average.
func (m *Model) Save(path string) error {
	err := durable.Write(path, func(w io.Writer) error {
		return safetensors.Write(w, map[string]string{fileKey: m.Description()}, m.Tensors())
	})
	if err != nil {
		return fmt.Errorf("model: saving %s: %w", path, err)
	}
	return nil
}

// Tensors are the arrays that a file of the model holds; they share its memory.
func (m *Model) Tensors() (all []safetensors.Tensor) {
	for _, p := range m.params {
		all = append(all, safetensors.Tensor{Name: "model/" + p.Name, Shape: p.Shape, F32: p.Value})
	}
	for _, s := range m.State() {
		all = append(all, safetensors.Tensor{Name: "model/" + s.Name, Shape: []int{len(s.Value)}, F32: s.Value})
	}
	return all
}

// Load reads a model from a file of Save, or from a checkpoint of a trainer. A
// damaged file is an error, and so is one whose tensors are not those of its
// model.
func Load(path string) (*Model, error) {
	f, err := safetensors.Open(path)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	defer f.Close()
	m, err := load(f)
	if err != nil {
		return nil, fmt.Errorf("model: %s: %w", path, err)
	}
	return m, nil
}

func load(f *safetensors.File) (*Model, error) {
	text, ok := f.Meta[fileKey]
	if !ok {
		return nil, fmt.Errorf("the file does not say what model it holds; it was not written by Save")
	}
	if err := f.Verify(); err != nil {
		return nil, err
	}
	var d description
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return nil, fmt.Errorf("its model: %w", err)
	}
	if err := d.check(f.Count()); err != nil {
		return nil, err
	}
	m, err := New(d.In, d.Options)
	if err != nil {
		return nil, fmt.Errorf("its model: %w", err)
	}
	return m, f.Fill(m.Tensors())
}

// check refuses a description whose model would take far more memory than a
// file of so many numbers has: it cannot be that file's.
func (d description) check(numbers int64) error {
	room := float64(4*numbers + 1<<20)
	o := d.Options
	width, depth := float64(o.Width), float64(max(o.Depth-1, 1))
	square := width * width * depth // the weights between two layers of the trunk
	if o.Trunk == "identity" {
		square = 0
	}
	if item := float64(d.In.C) * float64(d.In.H) * float64(d.In.W); square > room || width*float64(o.DE+o.DH) > room || item > room {
		return fmt.Errorf("its model, %s of width %d, depth %d, E %d, H %d for items of %v, does not fit into a file of %d numbers", o.Trunk, o.Width, o.Depth, o.DE, o.DH, d.In, numbers)
	}
	return nil
}

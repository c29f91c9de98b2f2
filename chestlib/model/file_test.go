package model

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/chestlab/chest/internal/safetensors"
)

// TestFile: what Load reads gives the same embeddings, running averages
// included.
func TestFile(t *testing.T) {
	in := Shape{2, 12, 8}
	for name, o := range trunkCases() {
		m := mustNew(t, in, o)
		x := gaussian(rand.New(rand.NewPCG(7, 7)), 6*in.Size())
		m.Forward(x, 6, true) // moves the averages of BatchNorm
		path := filepath.Join(t.TempDir(), "m.safetensors")
		if err := m.Save(path); err != nil {
			t.Fatal(err)
		}
		again, err := Load(path)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if again.Description() != m.Description() || again.String() != m.String() {
			t.Errorf("%s: %s became %s", name, m.Description(), again.Description())
		}
		uE, uH := m.Forward(x, 6, false)
		vE, vH := again.Forward(x, 6, false)
		if !reflect.DeepEqual(uE, vE) || !reflect.DeepEqual(uH, vH) {
			t.Errorf("%s: other embeddings", name)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m")
	m := mustNew(t, Shape{1, 3, 4}, Options{Width: 20, DE: 5, DH: 3})
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := func(meta map[string]string, tensors []safetensors.Tensor) []byte {
		var b bytes.Buffer
		if err := safetensors.Write(&b, meta, tensors); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-3] ^= 4
	wrong := m.Tensors()
	wrong[0].Shape = []int{len(wrong[0].F32)}
	meta := map[string]string{fileKey: m.Description()}
	for _, c := range []struct {
		name string
		data []byte
		says string
	}{
		{"cut off", whole[:len(whole)-1], "the file at"},
		{"a flipped bit", flipped, "damaged"},
		{"no model", other(nil, m.Tensors()), "does not say what model"},
		{"another shape", other(meta, wrong), "trunk.stem.weight is [240], want [20 12]"},
		{"a missing tensor", other(meta, m.Tensors()[1:]), "is missing"},
		{"no JSON", other(map[string]string{fileKey: "{"}, nil), "its model"},
		{"a large model", other(map[string]string{fileKey: strings.Replace(m.Description(), `"Width":20`, `"Width":2000000000`, 1)}, m.Tensors()), "does not fit into a file"},
		{"a deep model", other(map[string]string{fileKey: strings.Replace(m.Description(), `"Depth":2`, `"Depth":2000000000`, 1)}, m.Tensors()), "does not fit into a file"},
		{"an unknown trunk", other(map[string]string{fileKey: strings.Replace(m.Description(), `"Trunk":"mlp"`, `"Trunk":"rnn"`, 1)}, m.Tensors()), "unknown trunk"},
	} {
		if err := os.WriteFile(path, c.data, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.says)
		}
	}
	if _, err := Load(filepath.Join(dir, "none")); err == nil {
		t.Error("no file: no error")
	}
}

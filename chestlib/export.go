package chestlib

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/internal/durable"
	"github.com/chestlab/chest/internal/safetensors"
)

// LoadModel reads a model from a file of Model.Save or a checkpoint of a
// trainer.
func LoadModel(path string) (*Model, error) { return model.Load(path) }

// SaveEmbedding writes an embedding to a file, in one step, for other programs.
// The ending of path says how:
//
//	.safetensors  tensors E n×DE, H n×DH and label n, in one file
//	.npy          NumPy arrays in three files: NAME.E.npy, NAME.H.npy, NAME.label.npy
func SaveEmbedding(path string, e Embedding) error {
	n := len(e.Label)
	if len(e.E) != n*e.DE || len(e.H) != n*e.DH {
		return fmt.Errorf("chestlib: saving %s: %d labels with %d numbers of E and %d of H, want %d×%d and %d×%d", path, n, len(e.E), len(e.H), n, e.DE, n, e.DH)
	}
	label := make([]int64, n)
	for i, l := range e.Label {
		label[i] = int64(l)
	}
	return saveTensors(path, map[string]string{"curvature": fmt.Sprint(e.Curvature)}, []safetensors.Tensor{
		{Name: "E", Shape: []int{n, e.DE}, F32: e.E}, {Name: "H", Shape: []int{n, e.DH}, F32: e.H}, {Name: "label", Shape: []int{n}, I64: label},
	})
}

// SaveProxies writes what a trainer's loss has trained, proxies as a rule, to a
// file; the names are those of its params, and path is as for SaveEmbedding.
// Proxies in the ball are written as the loss keeps them: tangent vectors at the
// origin.
func SaveProxies(path string, tr *Trainer) error {
	var all []safetensors.Tensor
	for _, p := range tr.Loss.Params() {
		all = append(all, safetensors.Tensor{Name: p.Name, Shape: p.Shape, F32: p.Value})
	}
	if len(all) == 0 {
		return fmt.Errorf("chestlib: saving %s: the loss trains no proxies", path)
	}
	return saveTensors(path, nil, all)
}

// saveTensors writes one file of safetensors or a .npy file for each tensor.
func saveTensors(path string, meta map[string]string, tensors []safetensors.Tensor) error {
	switch ext := filepath.Ext(path); ext {
	case ".safetensors":
		err := durable.Write(path, func(w io.Writer) error { return safetensors.Write(w, meta, tensors) })
		if err != nil {
			return fmt.Errorf("chestlib: saving %s: %w", path, err)
		}
	case ".npy":
		for _, t := range tensors {
			part := strings.TrimSuffix(path, ext) + "." + t.Name + ext
			if err := durable.Write(part, func(w io.Writer) error { return writeNumPy(w, t) }); err != nil {
				return fmt.Errorf("chestlib: saving %s: %w", part, err)
			}
		}
	default:
		return fmt.Errorf("chestlib: saving %s: the ending is %q; want .safetensors or .npy", path, ext)
	}
	return nil
}

// writeNumPy writes an array in NumPy's format, version 1.0: a magic word, the
// length of a header, the header as a Python literal filled up to 64 bytes, and
// the numbers in rows.
func writeNumPy(w io.Writer, t safetensors.Tensor) error {
	kind := "<f4"
	if t.F32 == nil {
		kind = "<i8"
	}
	shape := strings.Trim(strings.ReplaceAll(fmt.Sprint(t.Shape), " ", ", "), "[]")
	if len(t.Shape) == 1 {
		shape += ","
	}
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", kind, shape)
	header += strings.Repeat(" ", 63-(10+len(header))%64) + "\n"
	out := bufio.NewWriter(w)
	out.WriteString("\x93NUMPY\x01\x00")
	out.Write([]byte{byte(len(header)), byte(len(header) >> 8)})
	out.WriteString(header)
	if err := binary.Write(out, binary.LittleEndian, t.F32); err != nil {
		return err
	}
	if err := binary.Write(out, binary.LittleEndian, t.I64); err != nil {
		return err
	}
	return out.Flush()
}

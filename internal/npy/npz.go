package npy

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/chestlab/chest/internal/numbers"
	"github.com/chestlab/chest/internal/unzip"
)

// mostArrays bounds the arrays of an .npz file.
const mostArrays = 10_000

// Archive is an .npz file. It reads an array when it is asked for.
type Archive struct {
	Names   []string // of the arrays, in the order of the letters
	entries map[string]*zip.File
	shapes  map[string][]int
}

// OpenZip reads the headers of the arrays of an .npz file of n bytes. Entries
// that are no arrays are passed over.
func OpenZip(r io.ReaderAt, n int64) (*Archive, error) {
	all, err := unzip.Entries(r, n)
	if err != nil {
		return nil, fmt.Errorf("npz: %w", err)
	}
	a := &Archive{entries: map[string]*zip.File{}, shapes: map[string][]int{}}
	for name, f := range all {
		key, ok := strings.CutSuffix(name, ".npy")
		if !ok {
			continue
		}
		if len(a.Names) == mostArrays {
			return nil, fmt.Errorf("npz: more than %d arrays", mostArrays)
		}
		begin, err := unzip.Begin(f, 12+mostHeader)
		var h head
		if err == nil {
			h, _, err = header(begin)
		}
		if err != nil {
			return nil, fmt.Errorf("npz: array %.100q: %w", key, err)
		}
		a.entries[key], a.shapes[key] = f, h.shape
		a.Names = append(a.Names, key)
	}
	slices.Sort(a.Names)
	return a, nil
}

// Shape is what the header of an array says; nil if there is no such array.
func (a *Archive) Shape(name string) []int { return a.shapes[name] }

// Array reads an array of at most limit bytes.
func (a *Archive) Array(name string, limit int64) (*numbers.Array, error) {
	f, ok := a.entries[name]
	if !ok {
		return nil, fmt.Errorf("npz: there is no array %.100q", name)
	}
	data, err := unzip.Read(f, limit)
	var x *numbers.Array
	if err == nil {
		x, err = Read(data)
	}
	if err != nil {
		return nil, fmt.Errorf("npz: array %.100q: %w", name, err)
	}
	return x, nil
}

// Part is a named file of an array.
type Part struct {
	Name string
	Data []byte
}

// Zip is an .npz file.
func Zip(parts []Part) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, p := range slices.Clone(parts) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: p.Name + ".npy", Method: zip.Store})
		if err == nil {
			_, err = w.Write(p.Data)
		}
		if err != nil {
			panic("npy: Zip: " + err.Error()) // into memory: cannot be
		}
	}
	if err := z.Close(); err != nil {
		panic("npy: Zip: " + err.Error())
	}
	return b.Bytes()
}

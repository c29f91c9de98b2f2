// Package safetensors reads and writes files of named arrays: eight bytes that
// give the length of a JSON header, the header, and the numbers.
//
// A file that is read may come from anywhere: everything that the header says is
// checked against the file's size before memory is taken for it.
//
// Format: https://huggingface.co/docs/safetensors
package safetensors

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
)

// metaKey is the header's entry that is no tensor.
const metaKey = "__metadata__"

// mostHeader is the longest header, as the format has it.
const mostHeader = 100 << 20

// sizes are bytes of a number.
var sizes = map[string]int64{
	"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1,
	"U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1,
}

// entry describes a tensor in the header.
type entry struct {
	Type    string   `json:"dtype"`
	Shape   []int64  `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// File is an open file. It reads a tensor when it is asked for.
type File struct {
	Meta  map[string]string // never nil
	Names []string          // of the tensors, in the order of their data

	entries map[string]entry
	data    *io.SectionReader
	file    *os.File // nil if it is not ours to close
}

// Open opens a file and checks its header.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = errors.New("not an ordinary file")
	}
	var file *File
	if err == nil {
		file, err = Read(f, st.Size())
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	file.file = f
	return file, nil
}

// Close closes a file of Open.
func (f *File) Close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}

// Read checks the header of a file of so many bytes.
func Read(r io.ReaderAt, size int64) (*File, error) {
	var length [8]byte
	if size < 8 {
		return nil, fmt.Errorf("safetensors: %d bytes are too few for a file", size)
	}
	if _, err := r.ReadAt(length[:], 0); err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > mostHeader || int64(n) > size-8 {
		return nil, fmt.Errorf("safetensors: a header of %d bytes in a file of %d: it is no safetensors file, or it was cut off", n, size)
	}
	text := make([]byte, n)
	if _, err := r.ReadAt(text, 8); err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	f := &File{Meta: make(map[string]string), entries: make(map[string]entry), data: io.NewSectionReader(r, 8+int64(n), size-8-int64(n))}
	if err := f.parse(text); err != nil {
		return nil, fmt.Errorf("safetensors: header: %w", err)
	}
	if err := f.check(); err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	return f, nil
}

// parse reads the header. A name that comes twice is an error, which package
// json would let pass.
func (f *File) parse(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.New("want a JSON object")
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		name := t.(string) // a key is one
		if name == metaKey {
			if err := d.Decode(&f.Meta); err != nil {
				return fmt.Errorf("%s: %w", metaKey, err)
			}
			continue
		}
		if _, there := f.entries[name]; there {
			return fmt.Errorf("two tensors %q", name)
		}
		var e entry
		if err := d.Decode(&e); err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		if e.Shape == nil {
			return fmt.Errorf("tensor %q has no shape", name)
		}
		f.entries[name] = e
		f.Names = append(f.Names, name)
	}
	if f.Meta == nil { // it was null
		f.Meta = make(map[string]string)
	}
	_, err := d.Token()
	return err
}

// check finds shapes that do not fit, and data with holes or overlaps.
func (f *File) check() error {
	slices.SortStableFunc(f.Names, func(a, b string) int {
		x, y := f.entries[a].Offsets, f.entries[b].Offsets
		return slices.Compare(x[:], y[:])
	})
	end := int64(0)
	for _, name := range f.Names {
		e := f.entries[name]
		width, known := sizes[e.Type]
		if !known {
			return fmt.Errorf("tensor %q has the type %q, which is not known", name, e.Type)
		}
		if e.Offsets[0] != end || e.Offsets[1] < e.Offsets[0] || e.Offsets[1] > f.data.Size() {
			return fmt.Errorf("tensor %q lies at bytes %d to %d; the one before ends at %d, the file at %d", name, e.Offsets[0], e.Offsets[1], end, f.data.Size())
		}
		end = e.Offsets[1]
		n, err := count(e.Shape)
		if err != nil || n > math.MaxInt64/width || n*width != end-e.Offsets[0] {
			return fmt.Errorf("tensor %q of shape %v and type %s does not fit into %d bytes", name, e.Shape, e.Type, end-e.Offsets[0])
		}
	}
	if end != f.data.Size() {
		return fmt.Errorf("%d bytes belong to no tensor", f.data.Size()-end)
	}
	return nil
}

// count multiplies dimensions.
func count(shape []int64) (int64, error) {
	n := int64(1)
	for _, d := range shape {
		if d < 0 || d > 0 && n > math.MaxInt64/d {
			return 0, errors.New("too large")
		}
		n *= d
	}
	return n, nil
}

// Shape returns the type and the shape of a tensor, ok false if there is none
// of this name.
func (f *File) Shape(name string) (kind string, shape []int, ok bool) {
	e, ok := f.entries[name]
	for _, d := range e.Shape {
		shape = append(shape, int(d))
	}
	return e.Type, shape, ok
}

// Count is the number of entries of all tensors.
func (f *File) Count() (n int64) {
	for _, e := range f.entries {
		c, _ := count(e.Shape) // checked when the file was opened
		n += c
	}
	return n
}

// Verify compares the checksum that Write leaves. A file without one, of
// another program, is an error too.
func (f *File) Verify() error {
	want, ok := f.Meta[checksumKey]
	if !ok {
		return errors.New("safetensors: the file has no checksum")
	}
	sum := sha256.New()
	sumMeta(sum, f.Meta)
	for _, name := range f.Names {
		e := f.entries[name]
		sumEntry(sum, name, e)
		if _, err := io.Copy(sum, io.NewSectionReader(f.data, e.Offsets[0], e.Offsets[1]-e.Offsets[0])); err != nil {
			return fmt.Errorf("safetensors: %w", err)
		}
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		return fmt.Errorf("safetensors: the checksum is %.12s…, the file says %.12s…: it is damaged", got, want)
	}
	return nil
}

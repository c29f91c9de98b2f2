// Package torchfile reads the tensors of a file of torch.save: a zip file with a
// pickle that describes them and an entry of numbers for each storage.
//
// A pickle is a program. This package knows only the operations that describe
// tensors, and only tensors, tuples, lists, dicts, numbers and texts come of
// them; anything else is an error, and nothing is ever run or imported. Sizes are
// checked against the bytes that are there before memory is taken.
//
// Formats: the PyTorch sources, torch/serialization.py; the Python sources,
// Lib/pickletools.py.
package torchfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/chestlab/chest/internal/numbers"
	"github.com/chestlab/chest/internal/unzip"
)

// Bounds of what is read.
const (
	mostPickle  = 4 << 20 // bytes; a tensor takes about two hundred
	mostVisits  = 200_000 // values of the object in the file
	deepest     = 16      // of dicts and lists in each other
	mostStorage = 8 << 30 // bytes
)

// File is the tensors of a file.
type File struct {
	Names []string // in the order of the file; "" for a file of one tensor

	tensors map[string]*tensor
	entries map[string]*zip.File
	prefix  string
	order   binary.ByteOrder
	visits  int
}

// Read lists the tensors of a file of n bytes. Those in dicts and lists are
// named by keys and numbers: "model.weight", "0".
func Read(r io.ReaderAt, n int64) (*File, error) {
	f, err := read(r, n)
	if err != nil {
		return nil, fmt.Errorf("torchfile: %w", err)
	}
	return f, nil
}

func read(r io.ReaderAt, n int64) (*File, error) {
	var begin [2]byte
	if _, err := r.ReadAt(begin[:], 0); err == nil && (begin[0] == 0x80 || string(begin[:]) == "\x8a\x0a") {
		return nil, errors.New("a file of PyTorch before 1.6, which is no zip file; load it there and save it again: torch.save(torch.load(…), …)")
	}
	f := &File{tensors: map[string]*tensor{}, order: binary.LittleEndian}
	var err error
	if f.entries, err = unzip.Entries(r, n); err != nil {
		return nil, err
	}
	pickle := ""
	for name := range f.entries {
		if prefix, ok := strings.CutSuffix(name, "data.pkl"); ok && strings.Count(name, "/") == 1 && strings.HasSuffix(prefix, "/") {
			if pickle != "" {
				return nil, fmt.Errorf("two pickles, %.80q and %.80q; this is no file of torch.save", pickle, name)
			}
			pickle, f.prefix = name, prefix
		}
	}
	if pickle == "" {
		return nil, errors.New("no entry data.pkl; this is no file of torch.save")
	}
	if err := f.byteOrder(); err != nil {
		return nil, err
	}
	code, err := unzip.Read(f.entries[pickle], mostPickle)
	if err != nil {
		return nil, err
	}
	object, err := unpickle(code)
	if err == nil {
		err = f.collect("", object, 0)
	}
	if err != nil {
		return nil, fmt.Errorf("%.80s: %w", pickle, err)
	}
	return f, nil
}

// byteOrder reads the entry that newer versions write.
func (f *File) byteOrder() error {
	e := f.entries[f.prefix+"byteorder"]
	if e == nil {
		return nil
	}
	text, err := unzip.Read(e, 100)
	switch {
	case err != nil:
		return err
	case string(bytes.TrimSpace(text)) == "big":
		f.order = binary.BigEndian
	case string(bytes.TrimSpace(text)) != "little":
		return fmt.Errorf("byteorder is %q; want little or big", text)
	}
	return nil
}

// collect names the tensors in v. What is no tensor is passed over.
func (f *File) collect(name string, v any, depth int) error {
	if f.visits++; f.visits > mostVisits {
		return fmt.Errorf("more than %d values", mostVisits)
	}
	if depth > deepest {
		return fmt.Errorf("dicts and lists in each other, more than %d deep", deepest)
	}
	below := func(key string, v any) error {
		if name != "" {
			key = name + "." + key
		}
		if len(key) > 1000 {
			return fmt.Errorf("a name of %d bytes, %.80q…; want at most 1000", len(key), key)
		}
		return f.collect(key, v, depth+1)
	}
	switch v := v.(type) {
	case *tensor:
		if _, twice := f.tensors[name]; twice {
			return fmt.Errorf("two tensors %.80q", name)
		}
		f.tensors[name] = v
		f.Names = append(f.Names, name)
	case *dict:
		for i, k := range v.keys {
			key, ok := k.(string)
			if n, whole := k.(int64); whole {
				key, ok = strconv.FormatInt(n, 10), true
			}
			if !ok {
				continue
			}
			if err := below(key, v.values[i]); err != nil {
				return err
			}
		}
	case *list:
		return f.collectAll(v.items, below)
	case tuple:
		return f.collectAll(v, below)
	}
	return nil
}

func (f *File) collectAll(items []any, below func(key string, v any) error) error {
	for i, v := range items {
		if err := below(strconv.Itoa(i), v); err != nil {
			return err
		}
	}
	return nil
}

// Shape is the kind and the shape of a tensor, ok false if there is none of this
// name.
func (f *File) Shape(name string) (kind numbers.Kind, shape []int, ok bool) {
	t, ok := f.tensors[name]
	if !ok {
		return numbers.None, nil, false
	}
	return t.storage.kind, slices.Clone(t.shape), true
}

// Array reads a tensor, row-major. One that repeats its storage, of expand, and
// so would be larger than it, is an error.
func (f *File) Array(name string) (*numbers.Array, error) {
	t, ok := f.tensors[name]
	if !ok {
		return nil, fmt.Errorf("torchfile: there is no tensor %.80q", name)
	}
	a, err := f.array(t)
	if err != nil {
		return nil, fmt.Errorf("torchfile: tensor %.80q: %w", name, err)
	}
	return a, nil
}

func (f *File) array(t *tensor) (*numbers.Array, error) {
	e := f.entries[f.prefix+"data/"+t.storage.key]
	if e == nil {
		return nil, fmt.Errorf("there is no entry of its storage %.40q; the file is broken", t.storage.key)
	}
	size := t.storage.kind.Size()
	if t.storage.size > mostStorage/int64(size) || uint64(t.storage.size)*uint64(size) != e.UncompressedSize64 {
		return nil, fmt.Errorf("a storage of %d numbers of type %s in an entry of %d bytes; the file is broken", t.storage.size, t.storage.kind, e.UncompressedSize64)
	}
	n, err := numbers.Count(t.shape, 1, t.storage.size)
	if err != nil {
		return nil, fmt.Errorf("%w, its storage; if it was expanded save x.clone()", err)
	}
	if n > 0 && !t.fits() {
		return nil, fmt.Errorf("shape %v with strides %v from %d on leaves its storage of %d numbers; the file is broken", t.shape, t.strides, t.offset, t.storage.size)
	}
	raw, err := unzip.Read(e, mostStorage)
	if err != nil {
		return nil, err
	}
	if int64(len(raw)) != t.storage.size*int64(size) {
		return nil, fmt.Errorf("its storage has %d bytes, want %d; the file is broken", len(raw), t.storage.size*int64(size))
	}
	return &numbers.Array{Kind: t.storage.kind, Order: f.order, Shape: slices.Clone(t.shape), Data: t.gather(raw, n, size)}, nil
}

// fits says whether all numbers of a tensor that is not empty are in its storage.
func (t *tensor) fits() bool {
	last := t.offset
	for i, d := range t.shape {
		if last >= t.storage.size { // looked at in each step: no overflow
			return false
		}
		last += int64(d-1) * int64(t.strides[i])
	}
	return last < t.storage.size
}

// gather copies the n numbers of a tensor in the order of its indices, the last
// running fastest. Numbers that stand so already are not copied.
func (t *tensor) gather(raw []byte, n, size int) []byte {
	if n == 0 {
		return nil
	}
	step, straight := 1, true
	for i := len(t.shape) - 1; i >= 0; i-- {
		straight = straight && (t.shape[i] == 1 || t.strides[i] == step)
		step *= t.shape[i]
	}
	at := int(t.offset)
	if straight {
		return raw[at*size : (at+n)*size]
	}
	out := make([]byte, 0, n*size)
	index := make([]int, len(t.shape))
	for range n {
		out = append(out, raw[at*size:(at+1)*size]...)
		for i := len(index) - 1; i >= 0; i-- {
			at += t.strides[i]
			if index[i]++; index[i] < t.shape[i] {
				break
			}
			at -= index[i] * t.strides[i]
			index[i] = 0
		}
	}
	return out
}

package safetensors

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"maps"
	"math"
	"slices"
)

// Tensor is an array to write. Exactly one of F32 and I64 is used: the one that
// is not nil, F32 if both are.
type Tensor struct {
	Name  string
	Shape []int
	F32   []float32
	I64   []int64
}

// checksumKey is the entry of the metadata that holds Checksum's hash.
const checksumKey = "checksum"

// Write writes a file of the tensors, in their order, with the metadata and a
// checksum of all of it. A name that comes twice, an empty name, or a shape that
// does not fit is an error.
func Write(w io.Writer, meta map[string]string, tensors []Tensor) error {
	head, err := header(meta, tensors)
	if err != nil {
		return err
	}
	text, err := json.Marshal(head)
	if err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	for len(text)%8 != 0 { // tensors are aligned
		text = append(text, ' ')
	}
	out := bufio.NewWriterSize(w, 1<<16)
	if err := binary.Write(out, binary.LittleEndian, uint64(len(text))); err != nil {
		return err
	}
	if _, err := out.Write(text); err != nil {
		return err
	}
	for _, t := range tensors {
		if err := t.write(out); err != nil {
			return err
		}
	}
	return out.Flush()
}

// header is the JSON object in front of the data.
func header(meta map[string]string, tensors []Tensor) (map[string]any, error) {
	head := make(map[string]any)
	sum := sha256.New()
	sumMeta(sum, meta)
	at := int64(0)
	for _, t := range tensors {
		e, err := t.entry(at)
		if err != nil {
			return nil, err
		}
		if _, there := head[t.Name]; there || t.Name == "" || t.Name == metaKey {
			return nil, fmt.Errorf("safetensors: the name %q cannot be used, or not twice", t.Name)
		}
		head[t.Name] = e
		sumEntry(sum, t.Name, e)
		if err := t.write(sum); err != nil {
			return nil, err
		}
		at = e.Offsets[1]
	}
	all := maps.Clone(meta)
	if all == nil {
		all = make(map[string]string)
	}
	all[checksumKey] = hex.EncodeToString(sum.Sum(nil))
	head[metaKey] = all
	return head, nil
}

// sumMeta adds the metadata to a checksum, less the checksum.
func sumMeta(sum hash.Hash, meta map[string]string) {
	for _, k := range slices.Sorted(maps.Keys(meta)) {
		if k != checksumKey {
			fmt.Fprintf(sum, "%q=%q\n", k, meta[k])
		}
	}
}

// sumEntry adds what the header says of a tensor.
func sumEntry(sum hash.Hash, name string, e entry) {
	fmt.Fprintf(sum, "%q %s %v %v\n", name, e.Type, e.Shape, e.Offsets)
}

// entry describes t in the header, with its data from at on.
func (t Tensor) entry(at int64) (entry, error) {
	e := entry{Type: "F32", Shape: make([]int64, len(t.Shape)), Offsets: [2]int64{at, at + 4*int64(len(t.F32))}}
	n, have := int64(1), len(t.F32)
	if t.F32 == nil && t.I64 != nil {
		e.Type, e.Offsets[1], have = "I64", at+8*int64(len(t.I64)), len(t.I64)
	}
	for i, d := range t.Shape {
		e.Shape[i] = int64(d)
		n *= int64(d)
	}
	if n != int64(have) {
		return e, fmt.Errorf("safetensors: %q has %d entries, shape %v has %d", t.Name, have, t.Shape, n)
	}
	return e, nil
}

// write writes the numbers, the lowest byte first.
func (t Tensor) write(w io.Writer) error {
	buf := make([]byte, 0, 1<<14)
	flush := func() error {
		_, err := w.Write(buf)
		buf = buf[:0]
		return err
	}
	for _, v := range t.F32 {
		if buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v)); len(buf) == cap(buf) {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if t.F32 == nil {
		for _, v := range t.I64 {
			if buf = binary.LittleEndian.AppendUint64(buf, uint64(v)); len(buf) == cap(buf) {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	return flush()
}

// Package matfile reads and writes MATLAB's files of version 5, as far as lists
// of labels need them: numbers, texts, cells and structs, compressed or not.
//
// A file that is read may come from anywhere: sizes are checked against the bytes
// that are there before memory is taken for them, and what is unpacked is bounded.
//
// Format: MathWorks, "MAT-File Format", level 5.
package matfile

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf16"

	"github.com/chestlab/chest/internal/numbers"
)

// Bounds of what is read, several times what the lists of Cars196 take.
const (
	mostUnpacked = 64 << 20 // bytes of all compressed parts
	mostValues   = 1 << 20  // arrays in arrays, counted all together
	deepest      = 16       // arrays in arrays
	mostDims     = 32
	longestName  = 63 // bytes, MATLAB's own bound
)

// Value is an array. Elements of more than one dimension stand column by column.
type Value struct {
	Dims    []int
	Numbers []float64 // of a numeric or logical array
	Text    string    // of a character array
	Fields  []string  // names, of a struct array
	Cells   []Value   // of a cell array: its elements; of a struct array: the fields of the first element, then those of the second, …
}

// Len is the number of elements.
func (v *Value) Len() int {
	n := 1
	for _, d := range v.Dims {
		n *= d // checked when it was read
	}
	return n
}

// Field is the value of a field of element i of a struct array, nil if it has no
// such field.
func (v *Value) Field(i int, name string) *Value {
	for k, f := range v.Fields {
		if f == name {
			return &v.Cells[i*len(v.Fields)+k]
		}
	}
	return nil
}

// The types of elements and the classes of arrays.
const (
	typeMatrix     = 14
	typeCompressed = 15
	typeUTF8       = 16
	typeUTF16      = 17
	typeUTF32      = 18

	classCell   = 1
	classStruct = 2
	classChar   = 4
	classDouble = 6
	classUint64 = 15
)

var kinds = map[uint32]numbers.Kind{
	1: numbers.I8, 2: numbers.U8, 3: numbers.I16, 4: numbers.U16, 5: numbers.I32, 6: numbers.U32,
	7: numbers.F32, 9: numbers.F64, 12: numbers.I64, 13: numbers.U64,
	typeUTF8: numbers.U8, typeUTF16: numbers.U16, typeUTF32: numbers.U32,
}

// Read reads the variables of a file, by name.
func Read(data []byte) (map[string]Value, error) {
	if len(data) < 128 {
		return nil, fmt.Errorf("matfile: %d bytes; a file of version 5 has 128 or more", len(data))
	}
	r := &reader{order: binary.LittleEndian}
	switch string(data[126:128]) {
	case "IM":
	case "MI":
		r.order = binary.BigEndian
	default:
		if bytes.Contains(data[:128], []byte("MATLAB 7.3")) || bytes.HasPrefix(data, []byte("\x89HDF")) {
			return nil, errors.New("matfile: version 7.3 (HDF5); save it in MATLAB with the option -v7")
		}
		return nil, errors.New("matfile: no file of version 5: its header does not end in IM or MI")
	}
	if v := r.order.Uint16(data[124:]); v != 0x0100 {
		return nil, fmt.Errorf("matfile: version %#x; want 0x100, version 5: save it in MATLAB with the option -v7", v)
	}
	vars := map[string]Value{}
	for rest := data[128:]; len(rest) > 0; {
		at := len(data) - len(rest)
		kind, body, after, err := r.element(rest)
		if err == nil {
			err = r.variable(vars, kind, body, 0)
		}
		if err != nil {
			return nil, fmt.Errorf("matfile: byte %d: %w", at, err)
		}
		rest = after
	}
	return vars, nil
}

// reader counts what it has read.
type reader struct {
	order    binary.ByteOrder
	unpacked int
	values   int
}

// element cuts the element at the beginning of b from what follows.
func (r *reader) element(b []byte) (kind uint32, body, rest []byte, err error) {
	if len(b) < 8 {
		return 0, nil, nil, fmt.Errorf("%d bytes are left; an element has 8 or more", len(b))
	}
	kind = r.order.Uint32(b)
	if n := kind >> 16; n != 0 { // a small element: its size beside its type, its data in the tag
		if n > 4 {
			return 0, nil, nil, fmt.Errorf("a small element of %d bytes; want 4 at most", n)
		}
		return kind & 0xffff, b[4 : 4+n], b[8:], nil
	}
	n, have := int64(r.order.Uint32(b[4:])), int64(len(b)-8)
	if n > have {
		return 0, nil, nil, fmt.Errorf("an element of %d bytes where %d are left; the file is cut short or broken", n, have)
	}
	end := n
	if kind != typeCompressed {
		end = min((n+7)&^7, have) // padded to eight bytes
	}
	return kind, b[8 : 8+n], b[8+end:], nil
}

// variable reads an element of the top level.
func (r *reader) variable(vars map[string]Value, kind uint32, body []byte, depth int) error {
	switch kind {
	case typeCompressed:
		if depth > 0 {
			return errors.New("a compressed element in a compressed element")
		}
		raw, err := r.unpack(body)
		if err != nil {
			return err
		}
		kind, body, _, err = r.element(raw)
		if err != nil {
			return err
		}
		return r.variable(vars, kind, body, depth+1)
	case typeMatrix:
		name, v, err := r.matrix(body, 0)
		if err != nil {
			if name != "" {
				return fmt.Errorf("variable %.80q: %w", name, err)
			}
			return err
		}
		if _, twice := vars[name]; twice {
			return fmt.Errorf("two variables %q", name)
		}
		if name != "" { // MATLAB's own data of objects have none
			vars[name] = v
		}
		return nil
	}
	return nil // no variable: skipped
}

// unpack inflates a compressed element. Memory grows with what really comes out.
func (r *reader) unpack(body []byte) ([]byte, error) {
	z, err := zlib.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("compressed element: %w", err)
	}
	left := int64(mostUnpacked - r.unpacked)
	raw, err := io.ReadAll(io.LimitReader(z, left+1))
	if int64(len(raw)) > left {
		return nil, fmt.Errorf("compressed elements of more than %d bytes unpacked", mostUnpacked)
	}
	if err != nil {
		return nil, fmt.Errorf("compressed element: %w", err)
	}
	r.unpacked += len(raw)
	return raw, nil
}

// matrix reads the body of an array.
func (r *reader) matrix(b []byte, depth int) (name string, v Value, err error) {
	if r.values++; r.values > mostValues {
		return "", v, fmt.Errorf("more than %d arrays", mostValues)
	}
	if depth > deepest {
		return "", v, fmt.Errorf("arrays in arrays, more than %d deep", deepest)
	}
	if len(b) == 0 { // an empty array
		v.Dims = []int{0, 0}
		return "", v, nil
	}
	_, flags, b, err := r.element(b)
	if err != nil || len(flags) < 4 {
		return "", v, fmt.Errorf("array flags of %d bytes: %w", len(flags), orShort(err))
	}
	class := r.order.Uint32(flags) & 0xff
	kind, dims, b, err := r.element(b)
	if err == nil {
		v.Dims, err = r.dims(kind, dims)
	}
	if err != nil {
		return "", v, fmt.Errorf("dimensions: %w", err)
	}
	_, text, b, err := r.element(b)
	if err != nil || len(text) > longestName {
		return "", v, fmt.Errorf("a name of %d bytes: %w", len(text), orShort(err))
	}
	name = string(text)
	switch {
	case class == classCell:
		err = r.cells(&v, v.Len(), b, depth)
	case class == classStruct:
		err = r.structs(&v, b, depth)
	case class == classChar:
		err = r.text(&v, b)
	case class >= classDouble && class <= classUint64:
		err = r.numbers(&v, b)
	default: // sparse arrays, objects, functions: only their sizes
	}
	return name, v, err
}

// orShort is err, or that something has a wrong size.
func orShort(err error) error {
	if err == nil {
		err = errors.New("a wrong size; the file is broken")
	}
	return err
}

// dims reads dimensions; their product is below 2³¹.
func (r *reader) dims(kind uint32, b []byte) ([]int, error) {
	if kind != 5 && kind != 6 || len(b) < 8 || len(b)%4 != 0 || len(b)/4 > mostDims {
		return nil, fmt.Errorf("%d bytes of type %d; want 2 to %d numbers of type int32", len(b), kind, mostDims)
	}
	dims, n := make([]int, len(b)/4), int64(1)
	for i := range dims {
		d := int64(int32(r.order.Uint32(b[4*i:])))
		if d < 0 || d > 0 && n > math.MaxInt32/d {
			return nil, fmt.Errorf("%d is negative or makes the array too large", d)
		}
		dims[i] = int(d)
		n *= d
	}
	return dims, nil
}

// cells reads n arrays one after the other. Each takes eight bytes or more, so
// that n is checked before there is memory for it.
func (r *reader) cells(v *Value, n int, b []byte, depth int) error {
	if n > len(b)/8 {
		return fmt.Errorf("%d arrays in %d bytes; the file is cut short or broken", n, len(b))
	}
	if n > mostValues-r.values {
		return fmt.Errorf("more than %d arrays", mostValues)
	}
	v.Cells = make([]Value, n)
	for i := range v.Cells {
		kind, body, rest, err := r.element(b)
		if err == nil && kind != typeMatrix {
			err = fmt.Errorf("an element of type %d; want an array", kind)
		}
		if err == nil {
			_, v.Cells[i], err = r.matrix(body, depth+1)
		}
		if err != nil {
			return fmt.Errorf("array %d of %d: %w", i+1, n, err)
		}
		b = rest
	}
	return nil
}

// structs reads the names of fields and the values of all elements.
func (r *reader) structs(v *Value, b []byte, depth int) error {
	_, size, b, err := r.element(b)
	if err != nil || len(size) < 4 {
		return fmt.Errorf("field name length: %w", orShort(err))
	}
	width := int(int32(r.order.Uint32(size)))
	_, names, b, err := r.element(b)
	if err != nil {
		return fmt.Errorf("field names: %w", err)
	}
	if width < 1 || width > longestName+1 || len(names)%width != 0 {
		return fmt.Errorf("field names: %d bytes in pieces of %d; want 1 to %d", len(names), width, longestName+1)
	}
	for ; len(names) > 0; names = names[width:] {
		name, _, _ := strings.Cut(string(names[:width]), "\x00")
		v.Fields = append(v.Fields, name)
	}
	fields, n := len(v.Fields), v.Len()
	if fields > 0 && n > math.MaxInt32/fields {
		return fmt.Errorf("%d elements of %d fields: too many", n, fields)
	}
	return r.cells(v, n*fields, b, depth)
}

// text reads characters: of one row as they stand, of several column by column.
func (r *reader) text(v *Value, b []byte) error {
	if v.Len() == 0 {
		return nil
	}
	kind, body, _, err := r.element(b)
	if err != nil {
		return err
	}
	k := kinds[kind]
	if k.Size() == 0 || len(body)%k.Size() != 0 {
		return fmt.Errorf("%d bytes of text of type %d, which is not known", len(body), kind)
	}
	if kind == typeUTF8 {
		v.Text = string(body)
		return nil
	}
	units := make([]uint16, 0, len(body)/k.Size())
	for ; len(body) > 0; body = body[k.Size():] {
		u := k.Int64(body, r.order)
		if u < 0 || u > math.MaxUint16 {
			u = 0xfffd
		}
		units = append(units, uint16(u))
	}
	v.Text = string(utf16.Decode(units))
	return nil
}

// numbers reads the real part of a numeric array.
func (r *reader) numbers(v *Value, b []byte) error {
	if v.Len() == 0 {
		return nil
	}
	kind, body, _, err := r.element(b)
	if err != nil {
		return err
	}
	k := kinds[kind]
	if k.Size() == 0 {
		return fmt.Errorf("numbers of type %d, which is not known", kind)
	}
	if int64(len(body)) != int64(v.Len())*int64(k.Size()) {
		return fmt.Errorf("%d bytes for %d numbers of type %s; the file is broken", len(body), v.Len(), k)
	}
	v.Numbers = make([]float64, v.Len())
	for i := range v.Numbers {
		v.Numbers[i] = k.Float64(body[i*k.Size():], r.order)
	}
	return nil
}

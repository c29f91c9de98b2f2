package matfile

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
)

// Variable is a named array to write.
type Variable struct {
	Name  string
	Value Value
}

// Text is a row of characters.
func Text(s string) Value { return Value{Dims: []int{1, len([]rune(s))}, Text: s} }

// Number is a single number.
func Number(x float64) Value { return Value{Dims: []int{1, 1}, Numbers: []float64{x}} }

// Struct is a row of n elements with the fields; cells are those of the first
// element, then those of the second, and so on.
func Struct(fields []string, cells []Value) Value {
	return Value{Dims: []int{1, len(cells) / len(fields)}, Fields: fields, Cells: cells}
}

// Cell is a row of arrays.
func Cell(cells []Value) Value { return Value{Dims: []int{1, len(cells)}, Cells: cells} }

// Write is a file of the variables, each compressed if asked for, as MATLAB's
// own are. Numbers are written as doubles, texts as UTF-16.
func Write(variables []Variable, compress bool) []byte {
	head := fmt.Appendf(nil, "%-116s", "MATLAB 5.0 MAT-file, written by chest")
	head = append(head, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 'I', 'M')
	for _, v := range variables {
		raw := appendMatrix(nil, v.Name, v.Value)
		if compress {
			raw = packed(raw)
		}
		head = append(head, raw...)
	}
	return head
}

// packed wraps an element in a compressed one.
func packed(raw []byte) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write(raw) // into memory: no error
	z.Close()
	return append(tag(nil, typeCompressed, b.Len()), b.Bytes()...)
}

// tag appends type and size of an element.
func tag(b []byte, kind uint32, n int) []byte {
	b = binary.LittleEndian.AppendUint32(b, kind)
	return binary.LittleEndian.AppendUint32(b, uint32(n))
}

// appendElement appends an element, padded to eight bytes.
func appendElement(b []byte, kind uint32, body []byte) []byte {
	b = append(tag(b, kind, len(body)), body...)
	for range -len(body) & 7 {
		b = append(b, 0)
	}
	return b
}

// appendMatrix appends an array.
func appendMatrix(b []byte, name string, v Value) []byte {
	class := uint32(classDouble)
	switch {
	case v.Fields != nil:
		class = classStruct
	case v.Cells != nil:
		class = classCell
	case v.Text != "":
		class = classChar
	}
	le := binary.LittleEndian
	body := appendElement(nil, 6, le.AppendUint64(nil, uint64(class)))
	var dims []byte
	for _, d := range v.Dims {
		dims = le.AppendUint32(dims, uint32(d))
	}
	body = appendElement(body, 5, dims)
	body = appendElement(body, 1, []byte(name))
	var data []byte
	switch class {
	case classChar:
		for _, r := range v.Text {
			data = le.AppendUint16(data, uint16(r))
		}
		body = appendElement(body, 4, data)
	case classDouble:
		for _, x := range v.Numbers {
			data, _ = binary.Append(data, le, x)
		}
		body = appendElement(body, 9, data)
	case classStruct:
		const width = 32
		names := make([]byte, 0, width*len(v.Fields))
		for _, f := range v.Fields {
			field := make([]byte, width)
			copy(field[:width-1], f)
			names = append(names, field...)
		}
		body = append(body, 5, 0, 4, 0, width, 0, 0, 0) // a small element
		body = appendElement(body, 1, names)
	}
	for _, c := range v.Cells {
		body = appendMatrix(body, "", c)
	}
	return appendElement(b, typeMatrix, body)
}

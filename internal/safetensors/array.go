package safetensors

import (
	"encoding/binary"
	"fmt"

	"github.com/chestlab/chest/internal/numbers"
)

var kinds = map[string]numbers.Kind{
	"F64": numbers.F64, "F32": numbers.F32, "F16": numbers.F16, "BF16": numbers.BF16, "I64": numbers.I64, "I32": numbers.I32, "I16": numbers.I16,
	"I8": numbers.I8, "U64": numbers.U64, "U32": numbers.U32, "U16": numbers.U16, "U8": numbers.U8, "BOOL": numbers.Bool,
}

// Array reads a tensor of any type.
func (f *File) Array(name string) (*numbers.Array, error) {
	e, raw, err := f.raw(name)
	if err != nil {
		return nil, err
	}
	_, shape, _ := f.Shape(name)
	kind, ok := kinds[e.Type]
	if !ok {
		return nil, fmt.Errorf("safetensors: tensor %q is of type %s, which is not known", name, e.Type)
	}
	return &numbers.Array{Kind: kind, Order: binary.LittleEndian, Shape: shape, Data: raw}, nil
}

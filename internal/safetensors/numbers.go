package safetensors

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// Float32 reads a tensor of type F32, F64, F16 or BF16 as float32.
func (f *File) Float32(name string) ([]float32, error) {
	e, raw, err := f.raw(name)
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	x := make([]float32, int64(len(raw))/sizes[e.Type])
	switch e.Type {
	case "F32":
		for i := range x {
			x[i] = math.Float32frombits(le.Uint32(raw[4*i:]))
		}
	case "F64":
		for i := range x {
			x[i] = float32(math.Float64frombits(le.Uint64(raw[8*i:])))
		}
	case "BF16":
		for i := range x {
			x[i] = math.Float32frombits(uint32(le.Uint16(raw[2*i:])) << 16)
		}
	case "F16":
		for i := range x {
			x[i] = half(le.Uint16(raw[2*i:]))
		}
	default:
		return nil, fmt.Errorf("safetensors: tensor %q is of type %s, want floating-point numbers", name, e.Type)
	}
	return x, nil
}

// Int64 reads a tensor of type I64 or I32.
func (f *File) Int64(name string) ([]int64, error) {
	e, raw, err := f.raw(name)
	if err != nil {
		return nil, err
	}
	x := make([]int64, int64(len(raw))/sizes[e.Type])
	for i := range x {
		switch e.Type {
		case "I64":
			x[i] = int64(binary.LittleEndian.Uint64(raw[8*i:]))
		case "I32":
			x[i] = int64(int32(binary.LittleEndian.Uint32(raw[4*i:])))
		default:
			return nil, fmt.Errorf("safetensors: tensor %q is of type %s, want I64 or I32", name, e.Type)
		}
	}
	return x, nil
}

// raw reads the bytes of a tensor.
func (f *File) raw(name string) (entry, []byte, error) {
	e, ok := f.entries[name]
	if !ok {
		return e, nil, fmt.Errorf("safetensors: there is no tensor %q", name)
	}
	raw := make([]byte, e.Offsets[1]-e.Offsets[0])
	if _, err := f.data.ReadAt(raw, e.Offsets[0]); err != nil && !(err == io.EOF && len(raw) == 0) {
		return e, nil, fmt.Errorf("safetensors: tensor %q: %w", name, err)
	}
	return e, raw, nil
}

// half is an IEEE 754 half-precision number.
func half(b uint16) float32 {
	sign, exponent, fraction := uint32(b>>15)<<31, uint32(b>>10&31), uint32(b&1023)
	switch exponent {
	case 0: // zero and subnormal: fraction·2⁻²⁴
		v := float32(fraction) / (1 << 24)
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 31: // infinity and NaN
		return math.Float32frombits(sign | 255<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}

// Package numbers turns the bytes of stored arrays into Go's numbers.
package numbers

import (
	"encoding/binary"
	"math"
)

// Kind is how a number is stored.
type Kind uint8

// The kinds of numbers.
const (
	None Kind = iota
	Bool
	I8
	U8
	I16
	U16
	I32
	U32
	I64
	U64
	F16
	BF16
	F32
	F64
)

var (
	sizes = [...]int{0, 1, 1, 1, 2, 2, 4, 4, 8, 8, 2, 2, 4, 8}
	names = [...]string{"none", "bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16", "bfloat16", "float32", "float64"}
)

// Size is the bytes of a number.
func (k Kind) Size() int { return sizes[k] }

// String is the name that NumPy and PyTorch use.
func (k Kind) String() string { return names[k] }

// Float says whether it is a floating-point number.
func (k Kind) Float() bool { return k >= F16 }

// Integer says whether it is a whole number or a truth value.
func (k Kind) Integer() bool { return k >= Bool && k <= U64 }

// Float64 is the number at the beginning of b, which has Size bytes or more.
func (k Kind) Float64(b []byte, order binary.ByteOrder) float64 {
	switch k {
	case F64:
		return math.Float64frombits(order.Uint64(b))
	case F32:
		return float64(math.Float32frombits(order.Uint32(b)))
	case F16:
		return float64(half(order.Uint16(b)))
	case BF16:
		return float64(math.Float32frombits(uint32(order.Uint16(b)) << 16))
	case U64:
		return float64(order.Uint64(b))
	}
	return float64(k.Int64(b, order))
}

// Int64 is the whole number at the beginning of b, which has Size bytes or
// more. A U64 above the largest int64 wraps around; of a Float it is 0.
func (k Kind) Int64(b []byte, order binary.ByteOrder) int64 {
	switch k {
	case Bool, U8:
		return int64(b[0])
	case I8:
		return int64(int8(b[0]))
	case I16:
		return int64(int16(order.Uint16(b)))
	case U16:
		return int64(order.Uint16(b))
	case I32:
		return int64(int32(order.Uint32(b)))
	case U32:
		return int64(order.Uint32(b))
	case I64, U64:
		return int64(order.Uint64(b))
	}
	return 0
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

package numbers

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Array is stored numbers, row-major, or texts.
type Array struct {
	Kind  Kind // None: Texts are the elements
	Order binary.ByteOrder
	Shape []int
	Data  []byte // of the numbers
	Texts []string
}

// Count is the number of elements of a shape, an error if a dimension is
// negative or bytes of that many elements would not fit into limit.
func Count(shape []int, size int, limit int64) (int, error) {
	n := int64(1)
	zero := false
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("shape %v has a negative dimension", shape)
		}
		if d == 0 {
			zero = true
			continue
		}
		if n > math.MaxInt64/int64(d) {
			return 0, fmt.Errorf("shape %v is too large", shape)
		}
		n *= int64(d)
	}
	if zero {
		return 0, nil
	}
	if n > limit/int64(max(size, 1)) {
		return 0, fmt.Errorf("shape %v of %d bytes each does not fit into %d bytes", shape, size, limit)
	}
	return int(n), nil
}

// Len is the number of elements.
func (a *Array) Len() int {
	if a.Kind == None {
		return len(a.Texts)
	}
	return len(a.Data) / a.Kind.Size()
}

// Float32s is the numbers, rounded.
func (a *Array) Float32s() []float32 {
	x := make([]float32, a.Len())
	size := a.Kind.Size()
	if a.Kind == F32 {
		for i := range x {
			x[i] = math.Float32frombits(a.Order.Uint32(a.Data[4*i:]))
		}
		return x
	}
	for i := range x {
		x[i] = float32(a.Kind.Float64(a.Data[i*size:], a.Order))
	}
	return x
}

// Int64s is the whole numbers; those of a Float are 0.
func (a *Array) Int64s() []int64 {
	x := make([]int64, a.Len())
	size := a.Kind.Size()
	for i := range x {
		x[i] = a.Kind.Int64(a.Data[i*size:], a.Order)
	}
	return x
}

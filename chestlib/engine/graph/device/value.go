package device

import (
	"errors"
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
)

// Value is a float32 tensor on the GPU, row-major: a handle, which Gorgonia passes
// from node to node. Its numbers are not in Go's memory: Data is nil, Download
// brings them there.
//
// It is a tensor.Tensor because Gorgonia adds the gradients of a node with several
// uses by a stock node, which asks the tensor's engine. All other stock operations
// are refused by Net.Machine before anything runs.
type Value struct {
	*tensor.Dense // one NaN: for the methods that only Gorgonia can write; read by nobody

	net   *Net
	shape tensor.Shape
	at    driver.Memory
}

// value makes a handle without memory.
func (n *Net) value(shape tensor.Shape) *Value {
	nan := []float32{float32(math.NaN())}
	return &Value{Dense: tensor.New(tensor.WithShape(1), tensor.WithBacking(nan), tensor.WithEngine(adder{n: n})), net: n, shape: shape.Clone()}
}

// Shape implements gorgonia.Value.
func (v *Value) Shape() tensor.Shape { return v.shape }

// Size implements gorgonia.Value.
func (v *Value) Size() int { return v.shape.TotalSize() }

// Dims implements tensor.Tensor.
func (v *Value) Dims() int { return len(v.shape) }

// DataSize implements tensor.Tensor.
func (v *Value) DataSize() int { return v.Size() }

// Data implements gorgonia.Value: nil, the numbers are on the GPU.
func (v *Value) Data() any { return nil }

// Uintptr implements tensor.Memory: 0, there is nothing that Go could read.
func (v *Value) Uintptr() uintptr { return 0 }

// MemSize implements tensor.Memory.
func (v *Value) MemSize() uintptr { return uintptr(4 * v.Size()) }

// Engine implements tensor.Tensor.
func (v *Value) Engine() tensor.Engine { return adder{n: v.net} }

// IsNativelyAccessible implements tensor.Tensor.
func (v *Value) IsNativelyAccessible() bool { return false }

// IsManuallyManaged implements tensor.Tensor.
func (v *Value) IsManuallyManaged() bool { return true }

// IsScalar implements tensor.Tensor.
func (v *Value) IsScalar() bool { return false }

// RequiresIterator implements tensor.Tensor.
func (v *Value) RequiresIterator() bool { return false }

// Clone implements tensor.Tensor: a handle of the same numbers.
func (v *Value) Clone() any { return v }

// Materialize implements tensor.View: it is no view.
func (v *Value) Materialize() tensor.Tensor { return v }

// String says what it is, without its numbers.
func (v *Value) String() string { return fmt.Sprintf("%v float32 on the GPU", v.shape) }

// Format implements fmt.Formatter.
func (v *Value) Format(s fmt.State, _ rune) { fmt.Fprint(s, v.String()) } //nolint:errcheck // there is nobody to tell

// adder is the tensor engine of values on the GPU. It adds two of them and does
// nothing else.
type adder struct {
	tensor.StdEng
	n *Net
}

var errHost = errors.New("device: a value on the GPU meets one in Go's memory; use Download")

// Add implements tensor.Adder.
func (e adder) Add(a, b tensor.Tensor, _ ...tensor.FuncOpt) (tensor.Tensor, error) {
	x, ok := a.(*Value)
	y, fine := b.(*Value)
	if !ok || !fine {
		return nil, errHost
	}
	return e.n.sum(x, y)
}

// AddScalar implements tensor.Adder.
func (e adder) AddScalar(tensor.Tensor, any, bool, ...tensor.FuncOpt) (tensor.Tensor, error) {
	return nil, errHost
}

package device

import (
	"errors"
	"fmt"
	"hash"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// hosted is an op that takes values on the GPU and returns one in Go's memory.
type hosted interface{ hosts() }

// Download is x in Go's memory, for stock nodes and terms of one's own. Each run copies
// it, and the gradient by it back, and waits for that.
func (n *Net) Download(x *gorgonia.Node) (*gorgonia.Node, error) {
	if err := n.owns(x); err != nil {
		return nil, fmt.Errorf("device: Download: the input %w", err)
	}
	o := &downloadOp{net: n, id: ids.Add(1), in: x.Type(), shape: x.Shape().Clone(), y: make([]float32, x.Shape().TotalSize())}
	node, err := gorgonia.ApplyOp(o, x)
	if err != nil {
		return nil, fmt.Errorf("device: Download: %w", err)
	}
	return node, nil
}

// downloadOp copies a value from the GPU, and its gradient back.
type downloadOp struct {
	net   *Net
	id    uint64
	in    hm.Type
	shape tensor.Shape
	y     []float32
}

func (o *downloadOp) hosts() {}

// Arity implements gorgonia.Op.
func (o *downloadOp) Arity() int { return 1 }

// Type implements gorgonia.Op.
func (o *downloadOp) Type() hm.Type { return hm.NewFnType(o.in, o.in) }

// InferShape implements gorgonia.Op.
func (o *downloadOp) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.shape.Clone(), nil
}

// ReturnsPtr implements gorgonia.Op.
func (o *downloadOp) ReturnsPtr() bool { return true }

// CallsExtern implements gorgonia.Op.
func (o *downloadOp) CallsExtern() bool { return false }

// OverwritesInput implements gorgonia.Op.
func (o *downloadOp) OverwritesInput() int { return -1 }

// WriteHash implements gorgonia.Op.
func (o *downloadOp) WriteHash(h hash.Hash) { fmt.Fprintf(h, "chest device Download %d", o.id) }

// Hashcode implements gorgonia.Op.
func (o *downloadOp) Hashcode() uint32 { return hashOf(o) }

// String implements gorgonia.Op.
func (o *downloadOp) String() string { return "Download" }

// Do implements gorgonia.Op.
func (o *downloadOp) Do(v ...gorgonia.Value) (_ gorgonia.Value, err error) {
	defer recovered(o, &err)
	x, err := values(v)
	if err == nil {
		err = o.net.set.Do(func() error { return errors.Join(o.net.set.DownloadFloats(o.y, x[0].at), o.net.set.Finish()) })
	}
	if err != nil {
		return nil, fmt.Errorf("device: Download: %w", err)
	}
	return tensor.New(tensor.WithShape(o.shape.Clone()...), tensor.WithBacking(o.y)), nil
}

// DiffWRT implements gorgonia.SDOp.
func (o *downloadOp) DiffWRT(int) []bool { return []bool{true} }

// SymDiff implements gorgonia.SDOp: the gradient goes back.
func (o *downloadOp) SymDiff(_ gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	by, err := o.net.Upload(grad)
	return gorgonia.Nodes{by}, err
}

// Upload is x, of Gorgonia's own, on the GPU: for a trunk of one's own below heads or a
// loss that are there. Each run copies it, and the gradient by it back if somebody asks.
func (n *Net) Upload(x *gorgonia.Node) (*gorgonia.Node, error) {
	if x == nil || n.mine[x] || x.Dims() == 0 || x.Dtype() != tensor.Float32 {
		return nil, fmt.Errorf("device: Upload: %v is not a float32 tensor in Go's memory", x)
	}
	o := &uploadOp{downloadOp: downloadOp{net: n, id: ids.Add(1), in: x.Type(), shape: x.Shape().Clone()}}
	node, err := gorgonia.ApplyOp(o, x)
	if err != nil {
		return nil, fmt.Errorf("device: Upload: %w", err)
	}
	n.mine[node] = true
	return node, nil
}

// uploadOp is downloadOp the other way round.
type uploadOp struct {
	downloadOp
	v *Value
}

// WriteHash implements gorgonia.Op.
func (o *uploadOp) WriteHash(h hash.Hash) { fmt.Fprintf(h, "chest device Upload %d", o.id) }

// Hashcode implements gorgonia.Op.
func (o *uploadOp) Hashcode() uint32 { return hashOf(o) }

// String implements gorgonia.Op.
func (o *uploadOp) String() string { return "Upload" }

// Do implements gorgonia.Op.
func (o *uploadOp) Do(v ...gorgonia.Value) (_ gorgonia.Value, err error) {
	defer recovered(o, &err)
	t, ok := v[0].(*tensor.Dense)
	if !ok || t.IsMaterializable() || t.DataOrder().IsColMajor() {
		return nil, fmt.Errorf("device: Upload: a %T of %v, want a dense row-major tensor", v[0], v[0].Shape())
	}
	numbers, ok := t.Data().([]float32)
	if !ok || len(numbers) != o.shape.TotalSize() {
		return nil, fmt.Errorf("device: Upload: %v of %v, want float32 of %v", t.Dtype(), t.Shape(), o.shape)
	}
	err = o.net.set.Do(func() error {
		if err := o.net.room(&o.v, o.shape); err != nil {
			return err
		}
		return o.net.set.UploadFloats(o.v.at, numbers)
	})
	if err != nil {
		return nil, fmt.Errorf("device: Upload: %w", err)
	}
	return o.v, nil
}

// SymDiff implements gorgonia.SDOp: the gradient comes back.
func (o *uploadOp) SymDiff(_ gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	o.net.markSums() // grad may be one
	by, err := o.net.Download(grad)
	return gorgonia.Nodes{by}, err
}

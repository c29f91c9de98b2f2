package device

import (
	"errors"
	"fmt"
	"hash"
	"math"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/engine/cuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
	"github.com/chestlab/chest/chestlib/loss"
)

// hosted is an op that takes values on the GPU and returns one in Go's memory.
type hosted interface{ hosts() }

// Loss adds CHEST to the graph of uE and uH, B×DE and B×DH, that of a space not in use
// nil. Its value is a scalar in Go's memory, what a run downloads. It is called once, after
// Params; its proxies, and all Params, belong to it from now on: see Update.
func (n *Net) Loss(uE, uH *gorgonia.Node, l *loss.CHEST, o engine.Options) (*gorgonia.Node, error) {
	k := &lossOp{net: n, id: ids.Add(1)}
	var in gorgonia.Nodes
	for _, v := range []struct {
		name string
		used bool
		u    *gorgonia.Node
		d    func() int
		at   *int
	}{
		{"uE", l.Euclidean() != nil, uE, func() int { return l.Euclidean().Proxies().Shape[1] }, &k.e},
		{"uH", l.Hyperbolic() != nil, uH, func() int { return l.Hyperbolic().Proxies().Shape[1] }, &k.h},
	} {
		*v.at = -1
		if !v.used {
			continue
		}
		if err := n.owns(v.u); err != nil {
			return nil, fmt.Errorf("device: Loss: %s %w", v.name, err)
		}
		if want := (tensor.Shape{n.rows, v.d()}); !v.u.Shape().Eq(want) {
			return nil, fmt.Errorf("device: Loss: %s is %v, want %v", v.name, v.u.Shape(), want)
		}
		*v.at = len(in)
		in, k.in, k.shapes = append(in, v.u), append(k.in, v.u.Type()), append(k.shapes, v.u.Shape())
	}
	if err := n.open(l, o); err != nil {
		return nil, fmt.Errorf("device: Loss: %w", err)
	}
	node, err := gorgonia.ApplyOp(k, in...)
	if err != nil {
		return nil, fmt.Errorf("device: Loss: %w", err)
	}
	return node, nil
}

// lossOp is the step of the engine: values on the GPU in, a scalar out.
type lossOp struct {
	net    *Net
	id     uint64
	in     []hm.Type
	shapes []tensor.Shape
	e, h   int // which input is of the space, -1 for none
	differ bool
	gE, gH driver.Memory
	labels *Value // of the batch
}

func (o *lossOp) hosts() {}

// Arity implements gorgonia.Op.
func (o *lossOp) Arity() int { return len(o.in) }

// Type implements gorgonia.Op.
func (o *lossOp) Type() hm.Type {
	return hm.NewFnType(append(append([]hm.Type(nil), o.in...), tensor.Float32)...)
}

// InferShape implements gorgonia.Op.
func (o *lossOp) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return tensor.ScalarShape(), nil
}

// ReturnsPtr implements gorgonia.Op.
func (o *lossOp) ReturnsPtr() bool { return true }

// CallsExtern implements gorgonia.Op.
func (o *lossOp) CallsExtern() bool { return false }

// OverwritesInput implements gorgonia.Op.
func (o *lossOp) OverwritesInput() int { return -1 }

// WriteHash implements gorgonia.Op.
func (o *lossOp) WriteHash(h hash.Hash) { fmt.Fprintf(h, "chest device Loss %d", o.id) }

// Hashcode implements gorgonia.Op.
func (o *lossOp) Hashcode() uint32 { return hashOf(o) }

// String implements gorgonia.Op.
func (o *lossOp) String() string { return "Loss on the GPU" }

// Do implements gorgonia.Op: the whole step, gradients by features and proxies
// included. It waits for the terms.
func (o *lossOp) Do(v ...gorgonia.Value) (_ gorgonia.Value, err error) {
	defer recovered(o, &err)
	x, err := values(v)
	if err != nil {
		return nil, fmt.Errorf("device: Loss: %w", err)
	}
	n := o.net
	n.label = n.label[:0]
	for _, row := range n.batch {
		n.label = append(n.label, n.labels[row])
	}
	err = n.set.Do(func() error {
		if err := n.room(&o.labels, tensor.Shape{n.rows}); err != nil {
			return err
		}
		return n.set.GatherInts(o.labels.at, n.classes.at, n.index.at, none, n.rows)
	})
	if err != nil {
		return nil, fmt.Errorf("device: Loss: %w", err)
	}
	b := cuda.Rows{Labels: o.labels.at, Label: n.label, Rand: n.rng}
	if o.e >= 0 {
		b.E = x[o.e].at
	}
	if o.h >= 0 {
		b.H = x[o.h].at
	}
	if n.terms, o.gE, o.gH, err = n.r.Loss(b, o.differ); err != nil {
		return nil, err
	}
	n.weight = 1
	if t := n.terms.Total; math.IsNaN(t) || math.IsInf(t, 0) {
		return nil, fmt.Errorf("device: Loss: the loss is %g; if the items are finite, training diverged: lower the rate", t)
	}
	return gorgonia.NewF32(float32(n.terms.Total)), nil
}

// DiffWRT implements gorgonia.SDOp.
func (o *lossOp) DiffWRT(inputs int) []bool {
	by := make([]bool, inputs)
	for i := range by {
		by[i] = true
	}
	return by
}

// SymDiff implements gorgonia.SDOp.
func (o *lossOp) SymDiff(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	o.differ = true
	by := make(gorgonia.Nodes, len(in))
	args := append(append(gorgonia.Nodes(nil), in...), out, grad)
	for i := range in {
		g := &gradOp{net: o.net, name: "Loss", id: o.id, at: i, in: o.in, out: tensor.Float32, shape: o.shapes[i]}
		g.do = func(gx *Value, v []gorgonia.Value) error { return o.backward(i, gx, v[len(v)-1], &g.scratch) }
		var err error
		if by[i], err = g.apply(args); err != nil {
			return nil, err
		}
	}
	return by, nil
}

// backward queues the gradient that came in times what the engine found.
func (o *lossOp) backward(i int, gx *Value, gy gorgonia.Value, s *scratch) error {
	w, ok := gy.(*gorgonia.F32)
	if !ok {
		return fmt.Errorf("the gradient by the loss is a %T, want a scalar", gy)
	}
	found := o.gE
	if i == o.h {
		found = o.gH
	}
	o.net.weight = float32(*w)
	if *w == 1 {
		return o.net.set.Copy(gx.at, found, 4*gx.Size())
	}
	if err := o.net.room(&s.v, tensor.Shape{1}); err != nil {
		return err
	}
	return o.net.set.Scale(gx.at, found, s.v.at, gx.Size(), float32(*w))
}

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

// SymDiff implements gorgonia.SDOp.
func (o *downloadOp) SymDiff(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	g := &gradOp{net: o.net, name: "Download", id: o.id, in: []hm.Type{o.in}, out: o.in, shape: o.shape}
	g.do = func(gx *Value, v []gorgonia.Value) error {
		gy, ok := v[2].(*tensor.Dense)
		if !ok || gy.IsMaterializable() || gy.DataOrder().IsColMajor() {
			return fmt.Errorf("the gradient by it is a %T of %v, want a dense row-major tensor", v[2], v[2].Shape())
		}
		numbers, ok := gy.Data().([]float32)
		if !ok || len(numbers) != gx.Size() {
			return fmt.Errorf("the gradient by it is %v of %v, want %v", gy.Dtype(), gy.Shape(), gx.shape)
		}
		return o.net.set.UploadFloats(gx.at, numbers)
	}
	by, err := g.apply(append(append(gorgonia.Nodes(nil), in...), out, grad))
	return gorgonia.Nodes{by}, err
}

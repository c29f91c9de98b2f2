package device

import (
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
		if k.rows == 0 {
			k.rows = v.u.Shape()[0]
		}
		if want := (tensor.Shape{k.rows, v.d()}); !v.u.Shape().Eq(want) {
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
	rows   int
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
	if err = n.set.Do(o.label); err != nil {
		return nil, fmt.Errorf("device: Loss: %w", err)
	}
	b := cuda.Rows{Labels: o.labels.at, Label: n.label, Rand: n.rng}
	if o.e >= 0 {
		b.E = x[o.e].at
	}
	if o.h >= 0 {
		b.H = x[o.h].at
	}
	if n.terms, o.gE, o.gH, err = n.r.Loss(b, o.differ && !n.values, n.more); err != nil {
		return nil, err
	}
	if !n.more {
		n.weight = 1
	}
	if t := n.terms.Total; !n.inf && (math.IsNaN(t) || math.IsInf(t, 0)) {
		return nil, fmt.Errorf("device: Loss: the loss is %g; if the items are finite, training diverged: lower the rate", t)
	}
	return gorgonia.NewF32(float32(n.terms.Total)), nil
}

// label puts the labels of the batch on the GPU: gathered there, or uploaded if they
// are not those of Features.
func (o *lossOp) label() error {
	n := o.net
	if err := n.room(&o.labels, tensor.Shape{o.rows}); err != nil {
		return err
	}
	if n.batch != nil {
		n.label = n.label[:0]
		for _, row := range n.batch {
			n.label = append(n.label, n.labels[row])
		}
	}
	if len(n.label) != o.rows {
		return fmt.Errorf("%d labels for %d rows; call Batch or Label before the run", len(n.label), o.rows)
	}
	if n.batch != nil {
		return n.set.GatherInts(o.labels.at, n.classes.at, n.index.at, none, o.rows)
	}
	labels := make([]int32, o.rows)
	for i, l := range n.label {
		labels[i] = int32(l)
	}
	return n.set.UploadInts(o.labels.at, labels)
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
	if o.net.more && o.net.weight != float32(*w) {
		return fmt.Errorf("weight %g after %g in the runs before it, to which More adds; want the same", *w, o.net.weight)
	}
	o.net.weight = float32(*w)
	if o.net.values {
		return nil
	}
	if *w == 1 {
		return o.net.set.Copy(gx.at, found, 4*gx.Size())
	}
	if err := o.net.room(&s.v, tensor.Shape{1}); err != nil {
		return err
	}
	return o.net.set.Scale(gx.at, found, s.v.at, gx.Size(), float32(*w))
}

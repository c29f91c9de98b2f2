package device

import (
	"fmt"
	"hash"
	"hash/fnv"
	"runtime/debug"
	"sync/atomic"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// kernel is what a node queues on the GPU. Both are called inside of the device's
// Do.
type kernel struct {
	// forward writes the result into y, given the inputs.
	forward func(y *Value, x []*Value) error
	// backward writes the gradient by each input into gx, given the inputs, the result
	// and the gradient gy by that; room makes memory that the gradient keeps. A nil one
	// stands for an input that has no gradient.
	backward []func(gx *Value, x []*Value, y, gy *Value, room *scratch) error
}

// op is a kernel as a Gorgonia Op with a symbolic derivative. It owns the memory of
// its node's value, which is the same in each run.
type op struct {
	kernel
	net  *Net
	id   uint64
	name string
	in   []hm.Type
	out  tensor.Shape
	y    *Value
}

// ids keep Gorgonia from merging nodes of one kind.
var ids atomic.Uint64

// apply makes the node of k with a result of shape out on the GPU.
func (n *Net) apply(name string, k kernel, out tensor.Shape, x ...*gorgonia.Node) (*gorgonia.Node, error) {
	o := &op{kernel: k, net: n, id: ids.Add(1), name: name, out: out}
	for i, in := range x {
		if err := n.owns(in); err != nil {
			return nil, fmt.Errorf("device: %s: input %d %w", name, i, err)
		}
		o.in = append(o.in, in.Type())
	}
	node, err := gorgonia.ApplyOp(o, x...)
	if err != nil {
		return nil, fmt.Errorf("device: %s: %w", name, err)
	}
	n.mine[node] = true
	return node, nil
}

func hashOf(o gorgonia.Op) uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

// recovered makes an error of a panic: a machine runs nodes on a goroutine of its own.
func recovered(o gorgonia.Op, err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("device: %v: panic: %v\n%s", o, r, debug.Stack())
	}
}

// typeOf is the type of float32 values of a shape.
func typeOf(s tensor.Shape) hm.Type {
	if len(s) == 0 {
		return tensor.Float32
	}
	return gorgonia.TensorType{Dims: len(s), Of: tensor.Float32}
}

// values are the inputs, which must be on the GPU.
func values(all []gorgonia.Value) ([]*Value, error) {
	x := make([]*Value, len(all))
	for i, v := range all {
		var ok bool
		if x[i], ok = v.(*Value); !ok {
			return nil, fmt.Errorf("input %d is a %T in Go's memory; want a value on the GPU", i, v)
		}
	}
	return x, nil
}

// Arity implements gorgonia.Op.
func (o *op) Arity() int { return len(o.in) }

// Type implements gorgonia.Op.
func (o *op) Type() hm.Type {
	return hm.NewFnType(append(append([]hm.Type(nil), o.in...), typeOf(o.out))...)
}

// InferShape implements gorgonia.Op.
func (o *op) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) { return o.out.Clone(), nil }

// ReturnsPtr implements gorgonia.Op.
func (o *op) ReturnsPtr() bool { return true }

// CallsExtern implements gorgonia.Op: with true the tape machine would allocate the
// result in Go's memory.
func (o *op) CallsExtern() bool { return false }

// OverwritesInput implements gorgonia.Op.
func (o *op) OverwritesInput() int { return -1 }

// WriteHash implements gorgonia.Op.
func (o *op) WriteHash(h hash.Hash) { fmt.Fprintf(h, "chest device %s %d", o.name, o.id) }

// Hashcode implements gorgonia.Op.
func (o *op) Hashcode() uint32 { return hashOf(o) }

// String implements gorgonia.Op.
func (o *op) String() string { return o.name + " on the GPU" }

// Do implements gorgonia.Op: it queues the work and does not wait for it.
func (o *op) Do(v ...gorgonia.Value) (_ gorgonia.Value, err error) {
	defer recovered(o, &err)
	x, err := values(v)
	if err != nil {
		return nil, fmt.Errorf("device: %s: %w", o.name, err)
	}
	err = o.net.set.Do(func() error {
		if err := o.net.room(&o.y, o.out); err != nil {
			return err
		}
		return o.forward(o.y, x)
	})
	if err != nil {
		return nil, fmt.Errorf("device: %s: %w", o.name, err)
	}
	return o.y, nil
}

// DiffWRT implements gorgonia.SDOp.
func (o *op) DiffWRT(inputs int) []bool {
	by := make([]bool, inputs)
	for i, b := range o.backward {
		by[i] = b != nil
	}
	return by
}

// SymDiff implements gorgonia.SDOp.
func (o *op) SymDiff(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	by := make(gorgonia.Nodes, len(in))
	args := append(append(gorgonia.Nodes(nil), in...), out, grad)
	for i, b := range o.backward {
		if b == nil {
			continue
		}
		g := &gradOp{net: o.net, name: o.name, id: o.id, at: i, in: o.in, out: typeOf(o.out), shape: in[i].Shape()}
		g.do = func(gx *Value, v []gorgonia.Value) error {
			x, err := values(v)
			if err != nil {
				return err
			}
			n := len(o.in)
			return b(gx, x[:n], x[n], x[n+1], &g.scratch)
		}
		var err error
		if by[i], err = g.apply(args); err != nil {
			return nil, err
		}
	}
	return by, nil
}

// gradOp is the gradient of an op by one of its inputs, on the GPU. Its inputs are those of the op,
// the op's result and the gradient by that.
type gradOp struct {
	net     *Net
	name    string
	id      uint64
	at      int
	in      []hm.Type
	out     hm.Type
	shape   tensor.Shape
	do      func(gx *Value, v []gorgonia.Value) error
	node    *gorgonia.Node
	gx      *Value
	scratch scratch
}

// scratch is memory of a gradient beside its result.
type scratch struct{ v *Value }

// apply makes the node.
func (g *gradOp) apply(args gorgonia.Nodes) (*gorgonia.Node, error) {
	var err error
	if g.node, err = gorgonia.ApplyOp(g, args...); err != nil {
		return nil, fmt.Errorf("device: gradient of %s: %w", g.name, err)
	}
	g.net.mine[g.node] = true
	return g.node, nil
}

// Arity implements gorgonia.Op.
func (g *gradOp) Arity() int { return len(g.in) + 2 }

// Type implements gorgonia.Op.
func (g *gradOp) Type() hm.Type {
	t := append([]hm.Type(nil), g.in...)
	return hm.NewFnType(append(t, g.out, g.out, typeOf(g.shape))...)
}

// InferShape implements gorgonia.Op.
func (g *gradOp) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) { return g.shape.Clone(), nil }

// ReturnsPtr implements gorgonia.Op.
func (g *gradOp) ReturnsPtr() bool { return true }

// CallsExtern implements gorgonia.Op.
func (g *gradOp) CallsExtern() bool { return false }

// OverwritesInput implements gorgonia.Op.
func (g *gradOp) OverwritesInput() int { return -1 }

// WriteHash implements gorgonia.Op.
func (g *gradOp) WriteHash(h hash.Hash) {
	fmt.Fprintf(h, "chest device gradient of %s %d by %d", g.name, g.id, g.at)
}

// Hashcode implements gorgonia.Op.
func (g *gradOp) Hashcode() uint32 { return hashOf(g) }

// String implements gorgonia.Op.
func (g *gradOp) String() string { return fmt.Sprintf("gradient of %s by %d on the GPU", g.name, g.at) }

// Do implements gorgonia.Op. Gorgonia runs every node, also the gradient by plain data,
// which nobody asked for: such a one is not computed.
func (g *gradOp) Do(v ...gorgonia.Value) (_ gorgonia.Value, err error) {
	defer recovered(g, &err)
	wanted := len(g.node.DerivOf()) > 0 || g.node.Graph().To(g.node.ID()).Len() > 0
	err = g.net.set.Do(func() error {
		if err := g.net.room(&g.gx, g.shape); err != nil || !wanted {
			return err
		}
		return g.do(g.gx, v)
	})
	if err != nil {
		return nil, fmt.Errorf("device: gradient of %s by %d: %w", g.name, g.at, err)
	}
	return g.gx, nil
}

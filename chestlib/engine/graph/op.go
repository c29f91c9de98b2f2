package graph

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

// kernel is what a node computes. All arrays are row-major.
type kernel struct {
	// forward writes the result into y, given the inputs.
	forward func(y []float32, x [][]float32) error
	// backward writes the gradient by each input into gx, given the inputs, the
	// result and the gradient gy by that. gx has arbitrary numbers before. A nil
	// one, or one that is missing, stands for an input that has no gradient.
	backward []func(gx []float32, x [][]float32, y, gy []float32) error
}

// op is a kernel as a Gorgonia Op with a symbolic derivative. An op belongs to
// one node: it owns the memory of the node's value.
type op struct {
	kernel
	id     uint64
	name   string
	in     []hm.Type
	sizes  []int // of the inputs
	out    tensor.Shape
	y      []float32
	differ bool // somebody asked for its derivative
}

// ids are what keeps Gorgonia from merging nodes of one kind: it takes those of
// equal hash for one.
var ids atomic.Uint64

// apply makes the node of k with a result of shape out; the scalar for none.
func apply(name string, k kernel, out []int, x ...*gorgonia.Node) (*op, *gorgonia.Node, error) {
	o := &op{kernel: k, id: ids.Add(1), name: name, out: out}
	for i, n := range x {
		if n == nil {
			return nil, nil, fmt.Errorf("graph: %s: input %d is nil", name, i)
		}
		if n.Dtype() != tensor.Float32 {
			return nil, nil, fmt.Errorf("graph: %s: %s is %v; chest computes in float32: make the node with tensor.Float32", name, n.Name(), n.Dtype())
		}
		o.in = append(o.in, n.Type())
		o.sizes = append(o.sizes, n.Shape().TotalSize())
	}
	o.y = make([]float32, o.out.TotalSize())
	n, err := gorgonia.ApplyOp(o, x...)
	if err != nil {
		return nil, nil, fmt.Errorf("graph: %s: %w", name, err)
	}
	return o, n, nil
}

// typeOf is the type of float32 values of a shape.
func typeOf(s tensor.Shape) hm.Type {
	if len(s) == 0 {
		return tensor.Float32
	}
	return gorgonia.TensorType{Dims: len(s), Of: tensor.Float32}
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

// CallsExtern implements gorgonia.Op: the tape machine would otherwise allocate
// the result.
func (o *op) CallsExtern() bool { return false }

// OverwritesInput implements gorgonia.Op.
func (o *op) OverwritesInput() int { return -1 }

// WriteHash implements gorgonia.Op.
func (o *op) WriteHash(h hash.Hash) { fmt.Fprintf(h, "chest %s %d", o.name, o.id) }

// Hashcode implements gorgonia.Op.
func (o *op) Hashcode() uint32 { return hashOf(o) }

func hashOf(o gorgonia.Op) uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

// String implements gorgonia.Op.
func (o *op) String() string { return o.name }

// Do implements gorgonia.Op.
func (o *op) Do(v ...gorgonia.Value) (_ gorgonia.Value, err error) {
	defer recovered(o, &err)
	x, err := o.numbers(v)
	if err != nil {
		return nil, err
	}
	if err := o.forward(o.y, x); err != nil {
		return nil, err
	}
	return value(o.y, o.out), nil
}

// recovered makes an error of a panic, such as one of a loss of somebody's own: a
// machine runs its nodes on a goroutine, where nobody else could.
func recovered(o gorgonia.Op, err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("graph: %v: panic: %v\n%s", o, r, debug.Stack())
	}
}

// numbers returns the numbers of the inputs.
func (o *op) numbers(v []gorgonia.Value) ([][]float32, error) {
	x := make([][]float32, len(o.in))
	for i := range x {
		var err error
		if x[i], err = numbers(v[i], o.sizes[i]); err != nil {
			return nil, fmt.Errorf("graph: %s: input %d: %w", o.name, i, err)
		}
	}
	return x, nil
}

// DiffWRT implements gorgonia.SDOp.
func (o *op) DiffWRT(inputs int) []bool {
	by := make([]bool, inputs)
	for i, b := range o.backward {
		by[i] = b != nil
	}
	return by
}

// SymDiff implements gorgonia.SDOp. The output is an input of the gradients: so
// it is computed before them.
func (o *op) SymDiff(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	o.differ = true
	by := make(gorgonia.Nodes, len(in))
	for i, b := range o.backward {
		if b == nil {
			continue
		}
		g := &gradOp{of: o, at: i, shape: in[i].Shape()}
		args := append(append(gorgonia.Nodes(nil), in...), out, grad)
		var err error
		if by[i], err = gorgonia.ApplyOp(g, args...); err != nil {
			return nil, fmt.Errorf("graph: gradient of %s: %w", o.name, err)
		}
		g.node = by[i]
	}
	return by, nil
}

// gradOp is the gradient of an op by one of its inputs. Its inputs are those of
// the op, the op's result and the gradient by that.
type gradOp struct {
	of    *op
	at    int
	shape tensor.Shape
	node  *gorgonia.Node
	gx    []float32
}

// Arity implements gorgonia.Op.
func (g *gradOp) Arity() int { return len(g.of.in) + 2 }

// Type implements gorgonia.Op.
func (g *gradOp) Type() hm.Type {
	t, out := append([]hm.Type(nil), g.of.in...), typeOf(g.of.out)
	return hm.NewFnType(append(t, out, out, g.of.in[g.at])...)
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
	fmt.Fprintf(h, "chest gradient of %s %d by %d", g.of.name, g.of.id, g.at)
}

// Hashcode implements gorgonia.Op.
func (g *gradOp) Hashcode() uint32 { return hashOf(g) }

// String implements gorgonia.Op.
func (g *gradOp) String() string { return fmt.Sprintf("gradient of %s by %d", g.of.name, g.at) }

// Do implements gorgonia.Op. Gorgonia runs every node, also the gradient by
// plain data, which nobody asked for: such a one is not computed.
func (g *gradOp) Do(v ...gorgonia.Value) (_ gorgonia.Value, err error) {
	defer recovered(g, &err)
	if len(g.node.DerivOf()) == 0 && g.node.Graph().To(g.node.ID()).Len() == 0 {
		return gorgonia.NewF32(0), nil
	}
	n := len(g.of.in)
	x, err := g.of.numbers(v[:n])
	if err != nil {
		return nil, err
	}
	var y, gy []float32
	for i, into := range []*[]float32{&y, &gy} {
		if *into, err = numbers(v[n+i], len(g.of.y)); err != nil {
			return nil, fmt.Errorf("graph: gradient of %s: %w", g.of.name, err)
		}
	}
	if g.gx == nil {
		g.gx = make([]float32, g.of.sizes[g.at])
	}
	if err := g.of.backward[g.at](g.gx, x, y, gy); err != nil {
		return nil, err
	}
	return value(g.gx, g.shape), nil
}

// numbers returns the numbers of a value in row-major order. They are those of
// the value itself, unless it is a view of another.
func numbers(v gorgonia.Value, want int) ([]float32, error) {
	var x []float32
	switch t := v.(type) {
	case *gorgonia.F32:
		x = []float32{float32(*t)}
	case *tensor.Dense:
		if t.IsMaterializable() {
			t = t.Materialize().(*tensor.Dense)
		}
		if t.DataOrder().IsColMajor() {
			return nil, fmt.Errorf("a column-major tensor of %v; make it row-major", t.Shape())
		}
		switch data := t.Data().(type) {
		case []float32:
			x = data
		case float32:
			x = []float32{data}
		default:
			return nil, fmt.Errorf("a tensor of %v; want float32", t.Dtype())
		}
	default:
		return nil, fmt.Errorf("a value of type %T; want a dense float32 tensor", v)
	}
	if len(x) != want {
		return nil, fmt.Errorf("%d numbers in a value of shape %v, %d in its node", len(x), v.Shape(), want)
	}
	return x, nil
}

// value returns x as a value. The header is new each time: stock ops reshape
// the headers that they get.
func value(x []float32, s tensor.Shape) gorgonia.Value {
	if len(s) == 0 {
		return gorgonia.NewF32(x[0])
	}
	return tensor.New(tensor.WithShape(s.Clone()...), tensor.WithBacking(x))
}

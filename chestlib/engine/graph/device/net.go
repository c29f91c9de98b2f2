// Package device is Gorgonia on the GPU: the CHEST model as a graph whose values lie
// there.
//
//	Net.Features ─ rows of a batch → Linear, LayerNorm, GELU, Plus → uE, uH → Loss ─┐
//	             Download → nodes of one's own, on the processor ────────────────────┴→ gorgonia.Add
//
// The nodes are Gorgonia's, with Ops of our own: its graph, its Grad and its
// TapeMachine work on them as on any others. What flows is Value, a handle; an op
// queues a kernel and does not wait. A run uploads the indices of its batch and the
// triplets, and downloads the terms of the loss; weights, proxies, moments, activations and gradients
// stay on the GPU.
//
// Stock nodes compute on the processor: one that is given a value on the GPU is an
// error of Net.Machine, unless Download stands between. Gorgonia's solvers, the Lisp
// machine and gorgonia.BindDualValues do not work on these values: use Net.Update.
//
// Package graph has the same nodes for the processor; cuda.HeadTrainer trains the same
// models without Gorgonia, with fewer waits. Gorgonia's licence is quoted there.
package device

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/engine/cuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
)

// Net is the part of a graph that lies on a GPU. It is used by one goroutine at a
// time.
type Net struct {
	d      *cuda.Device
	set    *kernels.Set
	g      *gorgonia.ExprGraph
	mine   map[*gorgonia.Node]bool // nodes whose value is on the GPU
	pieces []driver.Memory
	sums   map[[2]*Value]*Value

	labels                []int // of the features
	store, classes, index *Value
	rows                  int
	batch                 []int
	label                 []int
	rng                   *rand.Rand
	more, adding, folded  bool // this run adds its gradients, the next one will, some are added
	values                bool // the run wants no gradients
	inf                   bool // values that are not finite are no error

	params  []*optim.Param
	weights []*Value
	nodes   gorgonia.Nodes // of params
	grads   gorgonia.Nodes
	r       *cuda.Resident
	terms   loss.Terms
	weight  float32 // of the loss in what was differentiated
}

// New makes a Net of nothing in the graph g. Close it before the device.
func New(g *gorgonia.ExprGraph, d *cuda.Device) *Net {
	return &Net{d: d, set: d.Kernels(), g: g, mine: map[*gorgonia.Node]bool{}, sums: map[[2]*Value]*Value{}, weight: 1}
}

// room gives v, made if it is nil, memory for a shape. It is called inside of Do.
func (n *Net) room(v **Value, shape tensor.Shape) error {
	if *v == nil {
		*v = n.value(shape)
	}
	if (*v).at.Address != 0 {
		return nil
	}
	at, err := n.set.Alloc(4 * shape.TotalSize())
	if err != nil {
		return err
	}
	(*v).at, n.pieces = at, append(n.pieces, at)
	return nil
}

// sum queues x + y, for the gradients of a node that is used more than once.
func (n *Net) sum(x, y *Value) (*Value, error) {
	if !x.shape.Eq(y.shape) {
		return nil, fmt.Errorf("device: a sum of %v and %v", x.shape, y.shape)
	}
	out := n.sums[[2]*Value{x, y}]
	err := n.set.Do(func() error {
		if err := n.room(&out, x.shape); err != nil {
			return err
		}
		return n.add(out, x, y)
	})
	n.sums[[2]*Value{x, y}] = out
	return out, err
}

// add queues out = x + y.
func (n *Net) add(out, x, y *Value) error {
	size := x.Size()
	return errors.Join(n.set.Copy(out.at, x.at, 4*size), n.set.AddBias(out.at, y.at, 1, size))
}

// owns returns why x cannot be an input of a node here, nil if it can.
func (n *Net) owns(x *gorgonia.Node) error {
	switch {
	case x == nil:
		return errors.New("is nil")
	case !n.mine[x]:
		return fmt.Errorf("is %s, whose value is in Go's memory; want a node of this Net", x.Name())
	}
	return nil
}

// input makes a node of a value on the GPU.
func (n *Net) input(name string, v *Value) (*gorgonia.Node, error) {
	node := gorgonia.NewTensor(n.g, tensor.Float32, len(v.shape), gorgonia.WithName(name), gorgonia.WithShape(v.shape...))
	if node.Value() != nil {
		return nil, fmt.Errorf("device: the graph has a node %q already; change the name", name)
	}
	n.mine[node] = true
	return node, gorgonia.Let(node, v)
}

// Features uploads features and labels, once, and returns the node of a batch: rows×D,
// those that Batch names.
func (n *Net) Features(x cuda.Features, rows int) (*gorgonia.Node, error) {
	if x.D < 1 || rows < 1 || len(x.X) != len(x.Label)*x.D || len(x.Label) == 0 || n.store != nil {
		return nil, fmt.Errorf("device: Features: %d numbers for %d labels, %d a row, batches of %d; want them once, and at least 1 row", len(x.X), len(x.Label), x.D, rows)
	}
	labels := make([]int32, len(x.Label))
	for i, l := range x.Label {
		labels[i] = int32(l)
	}
	err := n.set.Do(func() error {
		err := errors.Join(n.room(&n.store, tensor.Shape{len(x.Label), x.D}), n.room(&n.classes, tensor.Shape{len(labels)}), n.room(&n.index, tensor.Shape{rows}))
		if err != nil {
			return err
		}
		return errors.Join(n.set.UploadFloats(n.store.at, x.X), n.set.UploadInts(n.classes.at, labels))
	})
	if err != nil {
		return nil, fmt.Errorf("device: Features: %w", err)
	}
	n.labels, n.rows = x.Label, rows
	all, err := n.input("features on the GPU", n.store)
	if err != nil {
		return nil, err
	}
	k := kernel{forward: func(y *Value, x []*Value) error { return n.gather(y, x[0]) }}
	return n.apply("Features", k, tensor.Shape{rows, x.D}, all)
}

// gather queues the rows of the batch.
func (n *Net) gather(y, all *Value) error {
	if len(n.batch) != n.rows {
		return fmt.Errorf("a batch of %d rows, want %d; call Batch before the run", len(n.batch), n.rows)
	}
	index := make([]int32, n.rows)
	for i, row := range n.batch {
		if row < 0 || row >= len(n.labels) {
			return fmt.Errorf("row %d in the batch, want one in [0, %d)", row, len(n.labels))
		}
		index[i] = int32(row)
	}
	if err := n.set.UploadInts(n.index.at, index); err != nil {
		return err
	}
	return n.set.GatherRows(y.at, all.at, n.index.at, driver.Memory{}, n.rows, y.shape[1])
}

// Batch says which rows of the features the next run is on, and what its triplets are
// drawn from; nil draws the same ones in each run. rows is kept, not copied.
func (n *Net) Batch(rows []int, rng *rand.Rand) {
	n.batch, n.rng = rows, rng
	n.begin()
}

// Label is Batch for a loss of other rows than those of Features: their labels.
func (n *Net) Label(label []int, rng *rand.Rand) {
	n.batch, n.label, n.rng = nil, append(n.label[:0], label...), rng
	n.begin()
}

func (n *Net) begin() {
	n.more, n.adding = n.adding, false
	n.folded = n.folded && n.more
}

// More keeps the gradients of the runs so far, to which that of the next Batch is
// added: for a step of several batches. It is called after a run, before Batch.
func (n *Net) More() error {
	if err := n.set.Do(n.fold); err != nil {
		return fmt.Errorf("device: More: %w", err)
	}
	n.adding = true
	return nil
}

// fold takes the gradients by Params to where Update wants them.
func (n *Net) fold() error {
	for i, g := range n.grads {
		v, ok := g.Value().(*Value)
		if !ok {
			return fmt.Errorf("the gradient by %s is %T; run the graph first", n.nodes[i].Name(), g.Value())
		}
		_, grad := n.r.Weight(i)
		err := error(nil)
		if n.folded {
			err = n.set.AddBias(grad, v.at, 1, v.Size())
		} else {
			err = n.set.Copy(grad, v.at, 4*v.Size())
		}
		if err != nil {
			return err
		}
	}
	n.folded = true
	return nil
}

// Params makes nodes of weights that Update moves. Their values go to the GPU when
// Loss is made; Sync brings them back.
func (n *Net) Params(params ...*optim.Param) (gorgonia.Nodes, error) {
	if n.r != nil {
		return nil, errors.New("device: Params after Loss; make all weights before")
	}
	var nodes gorgonia.Nodes
	for _, p := range params {
		v := n.value(tensor.Shape(p.Shape))
		node, err := n.input(p.Name, v)
		if err != nil {
			return nil, err
		}
		n.params, n.weights, nodes = append(n.params, p), append(n.weights, v), append(nodes, node)
	}
	n.nodes = append(n.nodes, nodes...)
	return nodes, nil
}

// open makes the engine of the loss, which owns the weights.
func (n *Net) open(l *loss.CHEST, o engine.Options) (err error) {
	if n.r != nil {
		return errors.New("there is one in this Net already")
	}
	if n.r, err = cuda.NewResident(l, n.params, o, n.d); err != nil {
		return err
	}
	for i, v := range n.weights {
		v.at, _ = n.r.Weight(i)
	}
	return n.set.Do(n.r.Upload)
}

// Grad adds the gradients of a scalar by all Params to the graph. It is called once,
// after Loss.
func (n *Net) Grad(total *gorgonia.Node) error {
	if n.r == nil {
		return errors.New("device: Grad before Loss")
	}
	grads, err := gorgonia.Grad(total, n.nodes...)
	if err != nil {
		return fmt.Errorf("device: Grad: %w", err)
	}
	n.grads = grads
	return nil
}

// Machine is gorgonia.NewTapeMachine, after a look at the graph: a stock node that is
// given a value on the GPU is an error that names it.
func (n *Net) Machine() (gorgonia.VM, error) {
	n.markSums()
	for _, node := range n.g.AllNodes() {
		_, host := node.Op().(hosted)
		if here, _ := n.inputs(node); here > 0 && !host && !n.mine[node] {
			return nil, fmt.Errorf("device: %v is a node of Gorgonia's own, which computes on the processor, and is given a value on the GPU; put Download between", node)
		}
	}
	return gorgonia.NewTapeMachine(n.g), nil
}

// markSums finds the stock sums of values on the GPU: Gorgonia makes them of the
// gradients of a node with several uses.
func (n *Net) markSums() {
	for changed := true; changed; {
		changed = false
		for _, node := range n.g.AllNodes() {
			if n.mine[node] || node.Op() == nil || fmt.Sprint(node.Op()) != "+ false" {
				continue
			}
			if here, there := n.inputs(node); here == 2 && there == 0 || here == 1 && there == 0 {
				n.mine[node], changed = true, true
			}
		}
	}
}

// inputs counts the inputs of a node that are on the GPU, and the others.
func (n *Net) inputs(node *gorgonia.Node) (here, there int) {
	for it := n.g.From(node.ID()); it.Next(); {
		if n.mine[it.Node().(*gorgonia.Node)] {
			here++
		} else {
			there++
		}
	}
	return here, there
}

// Terms are the parts of the loss in the last run, not weighted.
func (n *Net) Terms() loss.Terms { return n.terms }

// Update moves Params and proxies along the gradient of what Grad was given, after a
// run.
func (n *Net) Update(m optim.Move) error {
	if n.grads == nil && len(n.nodes) > 0 {
		return errors.New("device: Update: there are no gradients; call Grad before Machine")
	}
	if err := n.set.Do(n.fold); err != nil {
		return fmt.Errorf("device: Update: %w", err)
	}
	n.folded = false
	return n.r.Update(m, n.weight)
}

// Engine is what computes the loss; its Optimizer has the moments of Params, too.
func (n *Net) Engine() *cuda.Engine { return n.r.Engine() }

// Sync brings the values of Params and proxies, and the optimiser's State, up to date.
func (n *Net) Sync() error { return n.r.Engine().Sync() }

// Close frees the memory on the GPU. The graph cannot be run any more.
func (n *Net) Close() error {
	err := n.set.Do(func() error {
		for _, m := range n.pieces {
			n.set.Free(m)
		}
		n.pieces = nil
		return nil
	})
	if n.r != nil {
		err = errors.Join(err, n.r.Engine().Close())
	}
	return err
}

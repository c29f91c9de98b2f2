package graph

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/chestlab/chest/chestlib/optim"
)

// NewLinear is Linear with weights of its own: normal numbers of deviation std, 0
// means 1/√in, and a bias of 0. They are the learnables name.weight and name.bias,
// which are returned too. Names are unique in a graph.
func NewLinear(x *gorgonia.Node, name string, out int, std float64, rng *rand.Rand) (y *gorgonia.Node, weights gorgonia.Nodes, err error) {
	if x == nil || x.Dims() != 2 || out < 1 {
		return nil, nil, fmt.Errorf("graph: NewLinear: %q of x %s with %d outputs, want n×in and at least 1", name, shape(x), out)
	}
	in := x.Shape()[1]
	std = cmp.Or(std, 1/math.Sqrt(float64(in)))
	w := optim.NewParam(name+".weight", "", out, in)
	for i := range w.Value {
		w.Value[i] = float32(std * rng.NormFloat64())
	}
	if weights, err = learnables(x.Graph(), w, optim.NewParam(name+".bias", "", out)); err != nil {
		return nil, nil, fmt.Errorf("graph: NewLinear: %w", err)
	}
	y, err = Linear(x, weights[0], weights[1])
	return y, weights, err
}

// learnables are nodes of params.
func learnables(g *gorgonia.ExprGraph, params ...*optim.Param) (nodes gorgonia.Nodes, err error) {
	for _, p := range params {
		n, err := learnable(g, p)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	return nodes, nil
}

// newLayerNorm is LayerNorm with name.gain, 1, and name.bias, 0.
func newLayerNorm(x *gorgonia.Node, name string) (y *gorgonia.Node, weights gorgonia.Nodes, err error) {
	d := x.Shape()[1]
	gain := optim.NewParam(name+".gain", "", d)
	for i := range gain.Value {
		gain.Value[i] = 1
	}
	if weights, err = learnables(x.Graph(), gain, optim.NewParam(name+".bias", "", d)); err != nil {
		return nil, nil, err
	}
	y, err = LayerNorm(x, weights[0], weights[1])
	return y, weights, err
}

// MLPOptions controls MLP. The zero value is the trunk of the zero model.Options.
type MLPOptions struct {
	Name  string // of the weights: "trunk.stem.weight"; "" means "trunk"
	Width int    // features; 0 means 256
	Depth int    // residual blocks; 0 means 2, negative none
	Seed  uint64 // of the first weights
}

// MLP is the trunk "mlp" of chestlib/model: a linear stem, residual blocks
// LayerNorm–Linear–GELU–Linear, LayerNorm. x is n×in, y n×Width. The learnables
// have the names, shapes and order of the model's, so that Load and Store copy
// weights from one to the other.
func MLP(x *gorgonia.Node, o MLPOptions) (y *gorgonia.Node, weights gorgonia.Nodes, err error) {
	name, width, depth := cmp.Or(o.Name, "trunk"), cmp.Or(o.Width, 256), max(cmp.Or(o.Depth, 2), 0)
	rng := rand.New(rand.NewPCG(o.Seed, 0x6d6c70)) // "mlp"
	b := builder{at: x}
	b.linear(name+".stem", width, 0, rng)
	he := math.Sqrt(2 / float64(width))
	for i := range depth {
		block, before := fmt.Sprintf("%s.block%d", name, i+1), b.at
		b.norm(block + ".norm")
		b.linear(block+".up", width, he, rng)
		b.do(GELU)
		b.linear(block+".down", width, he/math.Sqrt(2*float64(depth)), rng)
		b.do(func(n *gorgonia.Node) (*gorgonia.Node, error) { return plus(before, n) })
	}
	b.norm(name + ".norm")
	if b.err != nil {
		return nil, nil, fmt.Errorf("graph: MLP: %w", b.err)
	}
	return b.at, b.weights, nil
}

// builder puts one node after the other; after an error it does nothing.
type builder struct {
	at      *gorgonia.Node
	weights gorgonia.Nodes
	err     error
}

func (b *builder) do(f func(*gorgonia.Node) (*gorgonia.Node, error)) {
	if b.err == nil {
		b.at, b.err = f(b.at)
	}
}

func (b *builder) add(f func(*gorgonia.Node) (*gorgonia.Node, gorgonia.Nodes, error)) {
	if b.err == nil {
		var w gorgonia.Nodes
		b.at, w, b.err = f(b.at)
		b.weights = append(b.weights, w...)
	}
}

func (b *builder) linear(name string, out int, std float64, rng *rand.Rand) {
	b.add(func(x *gorgonia.Node) (*gorgonia.Node, gorgonia.Nodes, error) {
		return NewLinear(x, name, out, std, rng)
	})
}

func (b *builder) norm(name string) {
	b.add(func(x *gorgonia.Node) (*gorgonia.Node, gorgonia.Nodes, error) { return newLayerNorm(x, name) })
}

// Load copies values of params into the nodes of the same names. A node without a
// param, or of another size, is an error; then nothing is copied. Other params are
// left out.
func Load(nodes gorgonia.Nodes, params []*optim.Param) error {
	return pair("Load", nodes, params, func(node, param []float32) { copy(node, param) })
}

// Store is Load the other way round: from the nodes into the params.
func Store(params []*optim.Param, nodes gorgonia.Nodes) error {
	return pair("Store", nodes, params, func(node, param []float32) { copy(param, node) })
}

// pair calls f for each node with the param of its name.
func pair(name string, nodes gorgonia.Nodes, params []*optim.Param, f func(node, param []float32)) error {
	byName := make(map[string]*optim.Param, len(params))
	for _, p := range params {
		byName[p.Name] = p
	}
	values := make([][]float32, len(nodes))
	for i, n := range nodes {
		p := byName[n.Name()]
		if p == nil {
			return fmt.Errorf("graph: %s: there is no param %q", name, n.Name())
		}
		if !n.Shape().Eq(tensor.Shape(p.Shape)) {
			return fmt.Errorf("graph: %s: %q is %v in the graph, %v in the params", name, n.Name(), n.Shape(), p.Shape)
		}
		var err error
		if values[i], err = numbersOf(n.Value()); err != nil {
			return fmt.Errorf("graph: %s: %q: %w", name, n.Name(), err)
		}
	}
	for i, n := range nodes {
		f(values[i], byName[n.Name()].Value)
	}
	return nil
}

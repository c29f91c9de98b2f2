package graph_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/chestlab/chest/chestlib/ball"
	"github.com/chestlab/chest/chestlib/engine/graph"
	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/internal/gradcheck"
)

// node is one of the functions of nodes, and what it computes in one row, in
// float64.
type node struct {
	make func(x, gain, bias *G.Node) (*G.Node, error)
	twin func(x, gain, bias []float64) []float64
}

func unary(f func(x *G.Node) (*G.Node, error)) func(x, gain, bias *G.Node) (*G.Node, error) {
	return func(x, _, _ *G.Node) (*G.Node, error) { return f(x) }
}

func expMap(c, r float64) node {
	m := ball.Map{C: c, R: r}
	if r <= 0 {
		m.R = math.Inf(1)
	}
	return node{
		unary(func(x *G.Node) (*G.Node, error) { return graph.ExpMap0(x, c, r) }),
		func(x, _, _ []float64) []float64 { return m.Point(nil, x) },
	}
}

var nodes = map[string]node{
	"L2Normalize":      {unary(graph.L2Normalize), func(x, _, _ []float64) []float64 { return scaled(x, 1/length(x)) }},
	"ExpMap0":          expMap(0.5, 2),
	"ExpMap0, no clip": expMap(0.5, -1),
	"ExpMap0, all cut": expMap(0.5, 0.2),
	"ExpMap0, flat":    expMap(0, 2),
	"Softmax": {unary(graph.Softmax), func(x, _, _ []float64) []float64 {
		y, s := make([]float64, len(x)), 0.0
		for i, v := range x {
			y[i] = math.Exp(v)
			s += y[i]
		}
		return scaled(y, 1/s)
	}},
	"LogSoftmax": {unary(graph.LogSoftmax), func(x, _, _ []float64) []float64 {
		y, s := make([]float64, len(x)), 0.0
		for _, v := range x {
			s += math.Exp(v)
		}
		for i, v := range x {
			y[i] = v - math.Log(s)
		}
		return y
	}},
	"GELU": {unary(graph.GELU), func(x, _, _ []float64) []float64 {
		y := make([]float64, len(x))
		for i, v := range x {
			y[i] = v * (1 + math.Erf(v/math.Sqrt2)) / 2
		}
		return y
	}},
	"LayerNorm": {graph.LayerNorm, func(x, gain, bias []float64) []float64 {
		var mean, variance float64
		for _, v := range x {
			mean += v / float64(len(x))
		}
		for _, v := range x {
			variance += (v - mean) * (v - mean) / float64(len(x))
		}
		y := make([]float64, len(x))
		for i, v := range x {
			y[i] = gain[i]*(v-mean)/math.Sqrt(variance+1e-5) + bias[i]
		}
		return y
	}},
}

func length(x []float64) float64 {
	var s float64
	for _, v := range x {
		s += v * v
	}
	return math.Sqrt(s)
}

func scaled(x []float64, a float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = a * v
	}
	return y
}

func wide(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

func vector(g *G.ExprGraph, name string, x []float32) *G.Node {
	return G.NewVector(g, tensor.Float32, G.WithName(name), G.WithShape(len(x)), G.WithValue(tensor.New(tensor.WithShape(len(x)), tensor.WithBacking(x))))
}

// TestNodes compares each function with its twin, and its gradients with finite
// differences of the twin, for tensors of one to three axes.
func TestNodes(t *testing.T) {
	for name, n := range nodes {
		for _, shape := range [][]int{{7}, {1, 7}, {40, 7}, {3, 4, 7}, {5, 1}} {
			if d := shape[len(shape)-1]; d == 1 && name != "GELU" && !strings.HasPrefix(name, "ExpMap0") {
				continue // a constant: differences are all rounding
			}
			t.Run(fmt.Sprint(name, shape), func(t *testing.T) { n.check(t, shape) })
		}
	}
}

func (n node) check(t *testing.T, shape []int) {
	rng := rand.New(rand.NewPCG(1, 2))
	size, d := tensor.Shape(shape).TotalSize(), shape[len(shape)-1]
	x, gain, bias, c := normal(rng, size, 1), normal(rng, d, 1), normal(rng, d, 1), normal(rng, size, 1)
	g := G.NewGraph()
	backing := func(x []float32, shape []int) G.NodeConsOpt {
		return G.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(x)))
	}
	nx := G.NewTensor(g, tensor.Float32, len(shape), G.WithName("x"), G.WithShape(shape...), backing(x, shape))
	nc := G.NewTensor(g, tensor.Float32, len(shape), G.WithName("c"), G.WithShape(shape...), backing(c, shape))
	ng, nb := vector(g, "gain", gain), vector(g, "bias", bias)
	y := must(n.make(nx, ng, nb))
	if !y.Shape().Eq(tensor.Shape(shape)) {
		t.Fatalf("shape %v", y.Shape())
	}
	inputs, wrt := [][]float32{x}, G.Nodes{nx}
	if g.To(ng.ID()).Len() > 0 {
		inputs, wrt = append(inputs, gain, bias), append(wrt, ng, nb)
	}
	grads := must(G.Grad(G.Must(G.Sum(G.Must(G.HadamardProd(y, nc)))), wrt...))
	var read G.Value
	G.Read(y, &read)
	run(t, g)
	twin := func() (all []float64) {
		for i := 0; i < size; i += d {
			all = append(all, n.twin(wide(x[i:i+d]), wide(gain), wide(bias))...)
		}
		return all
	}
	for i, want := range twin() {
		if got := float64(data(read)[i]); math.Abs(got-want) > 2e-6*max(1, math.Abs(want)) {
			t.Fatalf("entry %d is %g, want %g", i, got, want)
		}
	}
	value := func() (s float64) {
		for i, v := range twin() {
			s += v * float64(c[i])
		}
		return s
	}
	for i, in := range inputs {
		if err := gradcheck.Directional(value, in, data(grads[i].Value()), 1e-4, 1e-4, 10, rng); err != nil {
			t.Errorf("by input %d: %v", i, err)
		}
	}
}

// TestNodesAtTheEdge: rows where stock nodes give NaN or worse.
func TestNodesAtTheEdge(t *testing.T) {
	zero, far := []float32{0, 0, 3, 4}, []float32{0, 0, -200, -201}
	log := func(p float64) float32 { return float32(math.Log(p)) }
	half, big := float32(0.5), 1/(1+math.Exp(-1))
	for _, c := range []struct {
		name       string
		f          func(*G.Node) (*G.Node, error)
		x, y, grad []float32 // of Σ y²/2
	}{
		{"L2Normalize", graph.L2Normalize, zero, []float32{0, 0, 0.6, 0.8}, []float32{0, 0, 0, 0}},
		{"L2Normalize", graph.L2Normalize, []float32{1e-31, 0, 1e25, 0}, []float32{0, 0, 1, 0}, []float32{0, 0, 0, 0}},
		{"ExpMap0", func(x *G.Node) (*G.Node, error) { return graph.ExpMap0(x, 1, -1) }, []float32{0, 0, 300, 400}, []float32{0, 0, 0.6, 0.8}, []float32{0, 0, 0, 0}},
		{"Softmax", graph.Softmax, far, []float32{half, half, float32(big), float32(1 - big)}, nil},
		{"Softmax", graph.Softmax, []float32{100, -100, -1000, 1000}, []float32{1, 0, 0, 1}, []float32{0, 0, 0, 0}},
		{"LogSoftmax", graph.LogSoftmax, far, []float32{log(0.5), log(0.5), log(big), log(1 - big)}, nil},
		{"LogSoftmax", graph.LogSoftmax, []float32{0, 500, -500, 0}, []float32{-500, 0, -500, 0}, []float32{-500, 500, -500, 500}},
		{"GELU", graph.GELU, []float32{-1000, 1000, 0, -20}, []float32{0, 1000, 0, 0}, []float32{0, 1000, 0, 0}},
	} {
		g := G.NewGraph()
		x := matrix(g, "x", c.x, 2)
		y := must(c.f(x))
		must(G.Grad(G.Must(G.Mul(G.NewConstant(half), G.Must(G.Sum(G.Must(G.Square(y)))))), x))
		var read G.Value
		G.Read(y, &read)
		run(t, g)
		near(t, c.name, data(read), c.y, 1e-6)
		got := data(must(x.Grad()))
		for i, v := range got {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				t.Errorf("%s of %v: gradient %v", c.name, c.x, got)
				break
			}
			if c.grad != nil && math.Abs(float64(v-c.grad[i])) > 1e-4 {
				t.Errorf("%s of %v: gradient %v, want %v", c.name, c.x, got, c.grad)
				break
			}
		}
	}
}

// TestStockIsWrong: what our nodes are there for. When it fails, Gorgonia has
// been repaired, and docs/gorgonia.md is to be changed.
func TestStockIsWrong(t *testing.T) {
	stock := func(f func(x *G.Node) (*G.Node, error), x []float32) (y, grad []float32) {
		g := G.NewGraph()
		n := matrix(g, "x", x, 2)
		out := must(f(n))
		must(G.Grad(G.Must(G.Sum(out)), n))
		var read G.Value
		G.Read(out, &read)
		run(t, g)
		return data(read), data(must(n.Grad()))
	}
	broken := func(x []float32) bool {
		for _, v := range x {
			if math.IsNaN(float64(v)) {
				return true
			}
		}
		return false
	}
	if y, _ := stock(func(x *G.Node) (*G.Node, error) { return G.SoftMax(x, 1) }, []float32{0, 0, -200, -201}); !broken(y) {
		t.Errorf("SoftMax: %v", y)
	}
	if _, g := stock(func(x *G.Node) (*G.Node, error) { return G.Norm(x, 1, 2) }, []float32{0, 0, 3, 4}); !broken(g) {
		t.Errorf("gradient of Norm: %v", g)
	}
	if _, g := stock(G.InverseSqrt, []float32{1, 4, 1, 4}); math.Abs(float64(g[1])+1./16) < 1e-3 {
		t.Errorf("gradient of InverseSqrt at 4: %g", g[1])
	}
	inverse := func(x *G.Node) (*G.Node, error) { return G.Inverse(G.Must(G.Sqrt(x))) } // what docs/gorgonia.md advises
	if _, g := stock(inverse, []float32{1, 4, 1, 4}); math.Abs(float64(g[1])+1./16) > 1e-6 {
		t.Errorf("gradient of Inverse of Sqrt at 4: %g", g[1])
	}
	// tanh(0.3·√x) through a reshape: √x is overwritten before its gradient is taken
	root := func(reshape func(x *G.Node) (*G.Node, error)) (grad float32) {
		_, g := stock(func(x *G.Node) (*G.Node, error) {
			return G.Tanh(G.Must(G.HadamardProd(G.NewConstant(float32(0.3)), must(reshape(G.Must(G.Sqrt(x)))))))
		}, []float32{1, 4, 1, 4})
		return g[1]
	}
	want := 0.3 * (1 - math.Pow(math.Tanh(0.6), 2)) / 4
	if g := root(func(x *G.Node) (*G.Node, error) { return G.Reshape(x, tensor.Shape{4, 1}) }); math.Abs(float64(g)-want) < 1e-3 {
		t.Errorf("gradient through Reshape: %g", g)
	}
	if g := root(func(x *G.Node) (*G.Node, error) { return graph.Reshape(x, 4, 1) }); math.Abs(float64(g)-want) > 1e-6 {
		t.Errorf("gradient through our Reshape: %g, want %g", g, want)
	}
	if _, err := G.LogSumExp(matrix(G.NewGraph(), "x", []float32{1, 2, 3, 4, 5, 6}, 2), 1); err == nil {
		t.Error("LogSumExp of a matrix builds")
	}
}

// TestLinear compares y = x wᵀ + b and its gradients with chestlib/model, with
// a bias and without.
func TestLinear(t *testing.T) {
	const n, in, out = 9, 5, 4
	rng := rand.New(rand.NewPCG(1, 2))
	l := model.NewLinear("l", "", in, out, 1, rng)
	w, b := l.Params()[0], l.Params()[1]
	x, gy := normal(rng, n*in, 1), normal(rng, n*out, 1)
	for _, bias := range []bool{true, false} {
		if copy(b.Value, normal(rng, out, 1)); !bias {
			clear(b.Value)
		}
		want := l.Forward(x, n, true)
		w.ZeroGrad()
		b.ZeroGrad()
		gx := l.Backward(gy, n)

		g := G.NewGraph()
		nx, nw, ng := matrix(g, "x", x, n), matrix(g, "w", w.Value, out), matrix(g, "gy", gy, n)
		wrt := G.Nodes{nx, nw}
		var nb *G.Node
		if bias {
			nb = vector(g, "b", b.Value)
			wrt = append(wrt, nb)
		}
		y := must(graph.Linear(nx, nw, nb))
		grads := must(G.Backpropagate(G.Nodes{y}, G.Nodes{ng}, wrt))
		run(t, g)
		near(t, "y", data(y.Value()), want, 1e-6)
		near(t, "gradient by x", data(grads[0].Value()), gx, 1e-6)
		near(t, "gradient by w", data(grads[1].Value()), w.Grad, 1e-6)
		if bias {
			near(t, "gradient by b", data(grads[2].Value()), b.Grad, 1e-6)
		}
	}
}

// TestNodesRefuse: shapes and types that do not fit are errors with the reason.
func TestNodesRefuse(t *testing.T) {
	g := G.NewGraph()
	x, v := matrix(g, "x", make([]float32, 6), 2), vector(g, "v", make([]float32, 3))
	wide := G.NewMatrix(g, tensor.Float64, G.WithName("wide"), G.WithShape(2, 3))
	scalar := G.NewScalar(g, tensor.Float32, G.WithName("scalar"))
	say := func(_ *G.Node, err error) string {
		if err == nil {
			return "no error"
		}
		return err.Error()
	}
	for says, got := range map[string]string{
		"x is nil":                        say(graph.Softmax(nil)),
		"computes in float32":             say(graph.GELU(wide)),
		"want rows":                       say(graph.L2Normalize(scalar)),
		"give c ≥ 0":                      say(graph.ExpMap0(x, -1, 1)),
		"gain has shape (2, 3), want (3)": say(graph.LayerNorm(x, x, v)),
		"bias is nil":                     say(graph.LayerNorm(x, v, nil)),
		"x is (2, 3) and w nil":           say(graph.Linear(x, nil, v)),
		"and w (3, 1)":                    say(graph.Linear(x, matrix(g, "w", make([]float32, 3), 3), v)),
		"b has shape (3), want (5)":       say(graph.Linear(x, matrix(g, "w5", make([]float32, 15), 5), v)),
		"x is (2, 3), which has not":      say(graph.Reshape(x, 4, 2)),
	} {
		if !strings.Contains(got, says) {
			t.Errorf("%q, want %q", got, says)
		}
	}
}

// TestWrongValue: Gorgonia refuses a value of another shape than its node, and an
// operation one of another size.
func TestWrongValue(t *testing.T) {
	g := G.NewGraph()
	x := matrix(g, "x", make([]float32, 6), 2)
	y := must(graph.GELU(x))
	wrong := tensor.New(tensor.WithShape(2, 4), tensor.WithBacking(make([]float32, 8)))
	if err := G.Let(x, wrong); err == nil {
		t.Error("Let takes another shape")
	}
	if _, err := y.Op().Do(wrong); err == nil || !strings.Contains(err.Error(), "8 numbers") {
		t.Errorf("error %v", err)
	}
}

// TestAgainBits: a graph computes the same bits in each run, though stock nodes
// work in place on what they are given.
func TestAgainBits(t *testing.T) {
	g := G.NewGraph()
	rng := rand.New(rand.NewPCG(1, 2))
	x := matrix(g, "x", normal(rng, 24, 1), 4)
	y := must(graph.GELU(x))
	z := G.Must(G.Transpose(G.Must(G.Reshape(G.Must(G.Tanh(y)), tensor.Shape{2, 12})), 1, 0))
	must(G.Grad(G.Must(G.Sum(G.Must(G.Square(must(graph.Softmax(z)))))), x))
	vm := G.NewTapeMachine(g)
	defer vm.Close()
	var first []float32
	for i := range 3 {
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		if got := data(must(x.Grad())); i == 0 {
			first = got
		} else {
			sameBits(t, "gradient", got, first)
		}
		vm.Reset()
	}
}

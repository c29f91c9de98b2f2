package graph

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
)

// Engine runs the step after the heads as a Gorgonia graph: uE and uH are its
// inputs, the loss is one node, their gradients come by gorgonia.Grad. It shows
// that Loss is exact, and what Gorgonia adds to the time of the engine behind it.
//
// The graph is built for a number of rows and again when that changes. Gorgonia
// allocates headers and scalars, no arrays.
type Engine struct {
	engine.Engine       // behind the node
	term          *Term // its node is of the graph below

	rows   int // of the graph; 0 for none
	uE, uH *gorgonia.Node
	gE, gH *gorgonia.Node
	vm     gorgonia.VM
}

// New makes an engine that computes what l.Step computes. It works on l's
// proxies; l stays usable. Options of the optimiser without meaning are an error.
func New(l *loss.CHEST, o engine.Options) (*Engine, error) { return For(l, loss.Setting{}, o) }

// For makes an engine for any loss, which was made for s; CHEST knows that by
// itself.
func For(l loss.Loss, s loss.Setting, o engine.Options) (*Engine, error) {
	behind, err := engine.For(l, s, o)
	if err != nil {
		return nil, err
	}
	return By(behind, l, s), nil
}

// By is For with the engine that computes the loss, which was made for l: that of
// a GPU, for example.
func By(behind engine.Engine, l loss.Loss, s loss.Setting) *Engine {
	e := &Engine{Engine: behind, term: newTerm(behind, l, s)}
	e.term.inf = true // the caller looks at the terms
	return e
}

// Name implements engine.Engine.
func (e *Engine) Name() string { return "graph, " + e.Engine.Name() }

// Norm implements engine.Engine.
func (e *Engine) Norm() float64 { return e.term.Norm() }

// Update implements engine.Engine.
func (e *Engine) Update(m optim.Move) error { return e.term.Update(m) }

// Loss implements engine.Engine.
func (e *Engine) Loss(b loss.Batch, more bool) (loss.Terms, error) {
	n := len(b.Label)
	if n == 0 || !e.fits(b) { // no matrix of Gorgonia's, or the engine's error
		return e.Engine.Loss(b, more)
	}
	if n != e.rows {
		if err := e.build(n); err != nil {
			return loss.Terms{}, err
		}
	}
	return e.run(b, more)
}

// fits says whether the arrays have the lengths of their nodes.
func (e *Engine) fits(b loss.Batch) bool {
	train := b.GE != nil || b.GH != nil
	fit := func(u, g []float32, d int) bool {
		return len(u) == len(b.Label)*d && (!train || len(g) == len(u))
	}
	return (e.term.uses == loss.OnlyH || fit(b.E, b.GE, e.term.dE)) && (e.term.uses == loss.OnlyE || fit(b.H, b.GH, e.term.dH))
}

// build makes the graph for n rows.
func (e *Engine) build(n int) error {
	if e.vm != nil {
		e.vm.Close()
	}
	e.rows = 0
	g := gorgonia.NewGraph()
	var wrt gorgonia.Nodes
	input := func(name string, not loss.Space, d int) *gorgonia.Node {
		if e.term.uses == not {
			return nil
		}
		u := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithName(name), gorgonia.WithShape(n, d))
		wrt = append(wrt, u)
		return u
	}
	e.uE, e.uH = input("uE", loss.OnlyH, e.term.dE), input("uH", loss.OnlyE, e.term.dH)
	if err := e.term.attach(e.uE, e.uH, nil); err != nil {
		return err
	}
	grads, err := gorgonia.Grad(e.term.Node, wrt...)
	if err != nil {
		return err
	}
	e.gE, e.gH = grads[0], grads[len(grads)-1]
	e.vm, e.rows = gorgonia.NewTapeMachine(g), n
	return nil
}

// run runs the graph.
func (e *Engine) run(b loss.Batch, more bool) (loss.Terms, error) {
	t := e.term
	t.label, t.rng, t.more, t.values = b.Label, b.Rand, more, b.GE == nil && b.GH == nil
	clear(b.GE)
	clear(b.GH)
	defer e.vm.Reset()
	for _, v := range []struct {
		n *gorgonia.Node
		u []float32
	}{{e.uE, b.E}, {e.uH, b.H}} {
		if v.n == nil {
			continue
		}
		if err := gorgonia.Let(v.n, value(v.u, v.n.Shape())); err != nil {
			return loss.Terms{}, err
		}
	}
	if err := e.vm.RunAll(); err != nil {
		return loss.Terms{}, err
	}
	if t.values {
		return t.terms, nil
	}
	if e.uE != nil {
		copy(b.GE, e.gE.Value().Data().([]float32))
	}
	if e.uH != nil {
		copy(b.GH, e.gH.Value().Data().([]float32))
	}
	return t.terms, nil
}

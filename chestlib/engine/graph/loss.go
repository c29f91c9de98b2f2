package graph

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/chestlab/chest/chestlib/ball"
	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/internal/vmath"
)

// Term is a loss in a graph: one node with an engine behind it. The forward pass
// is the engine's whole step, gradients included; the backward pass multiplies
// what it found by the gradient that comes in.
//
// Say what the rows are by Batch before each run.
type Term struct {
	Node    *gorgonia.Node // the value, a scalar
	Proxies gorgonia.Nodes // of LossOfProxies: learnables; else nil

	e       engine.Engine
	ball    *optim.Param // what is learned of the ball; nil for nothing
	uses    loss.Space
	dE, dH  int // 0 if nobody has said
	rows    int
	op      *op
	gE, gH  []float32
	label   []int
	rng     *rand.Rand
	more    bool
	values  bool // this run wants no gradients
	inf     bool // values that are not finite are no error
	terms   loss.Terms
	weight  float64 // of the term in what is differentiated
	weighed bool    // weight is known
	before  []float32
	change  []float32 // of the ball's gradient by this run, for weight 1
}

// Loss adds l, a loss of chestlib/loss or one's own, to the graph of uE and uH,
// which are B×DE and B×DH; that of a space not in use may be nil.
//
// CHEST is computed by the fused engine, any other loss by its definition. s is
// what l was made for; CHEST knows it by itself, there the zero Setting will do.
// The loss's params, proxies as a rule, belong to the term: move them by Update
// after each run. The gradient by a ball that is learned is added to its own param.
// A loss that is loss.Scheduled is told of epochs by the caller.
func Loss(uE, uH *gorgonia.Node, l loss.Loss, s loss.Setting, o engine.Options) (*Term, error) {
	e, err := engine.For(l, s, o)
	if err != nil {
		return nil, err
	}
	return LossBy(uE, uH, e, l, s)
}

// LossBy is Loss with the engine that computes it, which was made for l: that of a
// GPU, for example. Features and gradients go there and back in each run, nothing
// else of the graph does.
func LossBy(uE, uH *gorgonia.Node, e engine.Engine, l loss.Loss, s loss.Setting) (*Term, error) {
	t := newTerm(e, l, s)
	return t, t.attach(uE, uH, nil)
}

// LossOfProxies is Loss with the loss's params as learnables of the graph, for
// terms of one's own on them and for Gorgonia's solvers: see Proxies of the Term.
// Their values are those of l.Params(), in the same memory. threads 0 means
// GOMAXPROCS.
//
// It costs some passes over the proxies; with many, Loss is faster.
func LossOfProxies(uE, uH *gorgonia.Node, l loss.Loss, s loss.Setting, threads int) (*Term, error) {
	o := engine.Options{Common: optim.Common{Threads: threads}}
	var e engine.Engine
	var err error
	if c, ok := l.(*loss.CHEST); ok {
		e, err = engine.New(c, o)
	} else {
		e, err = engine.NewPlain(l, s, o)
	}
	if err != nil {
		return nil, err
	}
	t := newTerm(e, l, s)
	return t, t.attach(uE, uH, l.Params())
}

func newTerm(e engine.Engine, l loss.Loss, s loss.Setting) *Term {
	t := &Term{e: e, uses: l.Uses(), dE: s.DE, dH: s.DH, weight: 1}
	b := s.Ball
	if c, ok := l.(*loss.CHEST); ok {
		if sphere := c.Euclidean(); sphere != nil {
			t.dE = sphere.Proxies().Shape[1]
		}
		if h := c.Hyperbolic(); h != nil {
			t.dH, b = h.Proxies().Shape[1], h.Ball()
		}
	}
	t.ball = learned(b)
	if t.ball != nil {
		t.before, t.change = make([]float32, len(t.ball.Grad)), make([]float32, len(t.ball.Grad))
	}
	return t
}

// learned is the param of a ball, nil if nothing of it is learned.
func learned(b *ball.Ball) *optim.Param {
	if b == nil {
		return nil
	}
	return b.Param()
}

// attach makes the node. params become its last inputs.
func (t *Term) attach(uE, uH *gorgonia.Node, params []*optim.Param) error {
	var in gorgonia.Nodes
	k := kernel{forward: t.forward}
	for _, v := range []struct {
		name string
		not  loss.Space
		d    int
		n    *gorgonia.Node
		g    *[]float32
	}{{"uE", loss.OnlyH, t.dE, uE, &t.gE}, {"uH", loss.OnlyE, t.dH, uH, &t.gH}} {
		if t.uses == v.not {
			continue
		}
		if v.n == nil || v.n.Dims() != 2 {
			return fmt.Errorf("graph: Loss: %s is %s, want a matrix with a row for each item", v.name, shape(v.n))
		}
		if d := v.n.Shape()[1]; v.d > 0 && d != v.d {
			return fmt.Errorf("graph: Loss: %s has %d columns, the loss was made for %d", v.name, d, v.d)
		}
		if len(in) > 0 && in[0].Shape()[0] != v.n.Shape()[0] {
			return fmt.Errorf("graph: Loss: uE is %v and uH %v; want the same rows", in[0].Shape(), v.n.Shape())
		}
		in, t.rows = append(in, v.n), v.n.Shape()[0]
		*v.g = make([]float32, v.n.Shape().TotalSize())
		k.backward = append(k.backward, func(gx []float32, _ [][]float32, _, gy []float32) error {
			return t.backward(gx, *v.g, gy)
		})
	}
	for _, p := range params {
		n, err := learnable(in[0].Graph(), p)
		if err != nil {
			return fmt.Errorf("graph: Loss: %w", err)
		}
		t.Proxies, in = append(t.Proxies, n), append(in, n)
		k.backward = append(k.backward, func(gx []float32, _ [][]float32, _, gy []float32) error {
			return t.backward(gx, p.Grad, gy)
		})
	}
	var err error
	t.op, t.Node, err = apply("Loss", k, nil, in...)
	return err
}

// learnable is a node whose value is the memory of p.
func learnable(g *gorgonia.ExprGraph, p *optim.Param) (*gorgonia.Node, error) {
	v := tensor.New(tensor.WithShape(p.Shape...), tensor.WithBacking(p.Value))
	n := gorgonia.NewTensor(g, tensor.Float32, len(p.Shape), gorgonia.WithName(p.Name), gorgonia.WithShape(p.Shape...), gorgonia.WithValue(v))
	if n.Value() != gorgonia.Value(v) {
		return nil, fmt.Errorf("the graph has a node %q already and Gorgonia would take the two for one; change the Name of the param", p.Name)
	}
	return n, nil
}

// Batch says which class each row of the next runs is of, and what random choices
// are drawn from; nil makes the same ones in each run. label is kept, not copied.
func (t *Term) Batch(label []int, rng *rand.Rand) { t.label, t.rng, t.more = label, rng, false }

// More is Batch for the later parts of a large batch: the gradients by the params
// are added to those of the runs before. With LossOfProxies Gorgonia does that, if
// it is asked to; use Batch.
func (t *Term) More(label []int, rng *rand.Rand) { t.label, t.rng, t.more = label, rng, true }

// Terms are the parts of the loss in the last run, not weighted.
func (t *Term) Terms() loss.Terms { return t.terms }

// Params are the loss's own, as engine.Engine has them.
func (t *Term) Params() []*optim.Param { return t.e.Params() }

// Engine is what computes the term. Its gradients are those of weight 1.
func (t *Term) Engine() engine.Engine { return t.e }

// Norm is the Euclidean norm of the gradient by all params that Update would
// follow.
func (t *Term) Norm() float64 { return math.Abs(t.weight) * t.e.Norm() }

// Update moves the loss's params along the gradient of what was differentiated:
// if that has the term times w, by w times the gradient of the term. It is an error
// for LossOfProxies, whose params are the solver's.
func (t *Term) Update(m optim.Move) error {
	if t.Proxies != nil {
		return fmt.Errorf("graph: Update: the params of LossOfProxies are nodes of the graph; give Term.Proxies to a solver")
	}
	if t.weight < 0 && m.Limit > 0 {
		return fmt.Errorf("graph: Update: a limit of %g for a loss of weight %g; want a weight ≥ 0", m.Limit, t.weight)
	}
	m.Scale *= t.weight
	return t.e.Update(m)
}

// forward is the engine's step.
func (t *Term) forward(y []float32, x [][]float32) error {
	if len(t.label) != t.rows {
		return fmt.Errorf("graph: Loss: %d labels for %d rows; call Batch before the run", len(t.label), t.rows)
	}
	if t.more && t.Proxies != nil {
		return fmt.Errorf("graph: Loss: More with LossOfProxies; use Batch, and let Gorgonia add the gradients up")
	}
	b := loss.Batch{Label: t.label, Rand: t.rng}
	if t.op.differ && !t.values {
		b.GE, b.GH = t.gE, t.gH
	}
	if t.uses != loss.OnlyH {
		b.E, x = x[0], x[1:]
	}
	if t.uses != loss.OnlyE {
		b.H, x = x[0], x[1:]
	}
	for i, value := range x { // params: somebody may have put another value in
		if p := t.e.Params()[i]; &p.Value[0] != &value[0] {
			copy(p.Value, value)
		}
	}
	var err error
	if t.terms, err = t.step(b); err != nil {
		return err
	}
	if v := t.terms.Total; !t.inf && (math.IsNaN(v) || math.IsInf(v, 0)) {
		return fmt.Errorf("graph: Loss: the loss is %g; if the items are finite, training diverged: lower the rate", v)
	}
	y[0] = float32(t.terms.Total)
	return nil
}

// step runs the engine and notes what the ball's gradient changed by.
func (t *Term) step(b loss.Batch) (loss.Terms, error) {
	if t.ball != nil {
		copy(t.before, t.ball.Grad)
	}
	terms, err := t.e.Loss(b, t.more)
	if t.ball != nil {
		for i, g := range t.ball.Grad {
			t.change[i] = g - t.before[i]
		}
	}
	if !t.more {
		t.weight, t.weighed = 1, false
	}
	return terms, err
}

// backward writes the gradient that came in times g.
func (t *Term) backward(gx, g, gy []float32) error {
	if t.values {
		return nil
	}
	w := float64(gy[0])
	if t.weighed && t.weight != w {
		return fmt.Errorf("graph: Loss: weight %g after %g in the runs before it, to which More adds; want the same", w, t.weight)
	}
	t.weight, t.weighed = w, true
	if t.ball != nil && w != 1 {
		for i := range t.change {
			t.ball.Grad[i] = t.before[i] + gy[0]*t.change[i]
		}
	}
	vmath.Scale(gx, gy[0], g)
	return nil
}

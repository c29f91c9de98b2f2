package graph

import (
	"cmp"
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/chestlab/chest/chestlib/optim"
)

// SolverOptions controls NewSolver.
type SolverOptions struct {
	Optim  optim.Recipe // nil means optim.AdamWOptions{}
	Common optim.Common // rates and decays of groups, and threads
	Rate   float64      // of each step; 0 means 1e-3

	// Move says how far a step goes when done steps are behind it: a schedule of the
	// rate, a scale of the gradients, a limit. nil means Rate.
	Move func(done int) optim.Move

	// Group says which group of Common a learnable belongs to, by its name, and
	// whether it is plain: without decay. nil means no group, and plain unless it
	// has two axes or more, so that biases and gains are.
	Group func(name string) (group string, plain bool)
}

// Solver is a gorgonia.Solver that moves learnables by an optimiser of
// chestlib/optim: the same bits, and no copies. It takes float32 tensors and
// scalars.
//
// It clears the gradients that it has used, so it works on a tape machine with
// gorgonia.BindDualValues, which adds gradients up, and without, which is faster.
type Solver struct {
	o      SolverOptions
	optim  optim.Optimizer
	params []*optim.Param
	copies [][]float32 // of gradients that two learnables share
}

// NewSolver makes a solver. The learnables are those of the first Step.
func NewSolver(o SolverOptions) *Solver {
	if o.Optim == nil {
		o.Optim = optim.AdamWOptions{}
	}
	if o.Move == nil {
		move := optim.Move{Rate: cmp.Or(o.Rate, 1e-3), Scale: 1}
		o.Move = func(int) optim.Move { return move }
	}
	return &Solver{o: o}
}

// Optimizer is what moves the learnables, with its state; nil before the first
// Step.
func (s *Solver) Optimizer() optim.Optimizer { return s.optim }

// Step implements gorgonia.Solver. The learnables must be the same, in the same
// order, in each step.
func (s *Solver) Step(model []gorgonia.ValueGrad) error {
	if s.optim == nil {
		if err := s.begin(model); err != nil {
			return err
		}
	}
	if len(model) != len(s.params) {
		return fmt.Errorf("graph: Solver: %d learnables after %d in the first step; make another solver for them", len(model), len(s.params))
	}
	seen := make(map[*float32]bool, len(model))
	for i, n := range model {
		if err := s.take(i, n, seen); err != nil {
			return err
		}
	}
	s.optim.Move(s.o.Move(s.optim.Steps()))
	for i, n := range model {
		s.put(i, n)
	}
	return nil
}

// begin makes the optimiser for the learnables of the first step.
func (s *Solver) begin(model []gorgonia.ValueGrad) error {
	s.params = nil
	for i, n := range model {
		w, err := numbersOf(n.Value())
		if err != nil {
			return fmt.Errorf("graph: Solver: learnable %d, %s: %w", i, nameOf(n, i), err)
		}
		p := &optim.Param{Name: nameOf(n, i), Shape: n.Value().Shape().Clone(), Value: w, Grad: make([]float32, len(w))}
		p.Plain = len(p.Shape) < 2
		if s.o.Group != nil {
			p.Group, p.Plain = s.o.Group(p.Name)
		}
		s.params = append(s.params, p)
	}
	s.copies = make([][]float32, len(model))
	var err error
	s.optim, err = s.o.Optim.Make(s.params, s.o.Common)
	return err
}

// take points param i at the memory of its learnable.
func (s *Solver) take(i int, n gorgonia.ValueGrad, seen map[*float32]bool) error {
	p := s.params[i]
	grad, err := n.Grad()
	if err != nil {
		return fmt.Errorf("graph: Solver: %s has no gradient: %w", p.Name, err)
	}
	w, err := numbersOf(n.Value())
	if err != nil {
		return fmt.Errorf("graph: Solver: %s: %w", p.Name, err)
	}
	g, err := numbersOf(grad)
	if err != nil {
		return fmt.Errorf("graph: Solver: gradient by %s: %w", p.Name, err)
	}
	if len(w) != len(p.Value) || len(g) != len(w) {
		return fmt.Errorf("graph: Solver: %s has %d numbers and %d of a gradient, %d in the first step", p.Name, len(w), len(g), len(p.Value))
	}
	if len(g) > 0 && seen[&g[0]] { // the optimiser clears it after the first
		s.copies[i] = append(s.copies[i][:0], g...)
		g = s.copies[i]
	} else if len(g) > 0 {
		seen[&g[0]] = true
	}
	p.Value, p.Grad = w, g
	return nil
}

// put writes a scalar back, which take copied.
func (s *Solver) put(i int, n gorgonia.ValueGrad) {
	if v, ok := n.Value().(*gorgonia.F32); ok {
		*v = gorgonia.F32(s.params[i].Value[0])
		if g, err := n.Grad(); err == nil {
			if g, ok := g.(*gorgonia.F32); ok {
				*g = 0
			}
		}
	}
}

// numbersOf returns the numbers of a value, in its own memory if it is a tensor.
func numbersOf(v gorgonia.Value) ([]float32, error) {
	if t, ok := v.(*tensor.Dense); ok && t.IsMaterializable() {
		return nil, fmt.Errorf("a view of %v; give a tensor of its own", t.Shape())
	}
	if v == nil {
		return nil, fmt.Errorf("no value; run the graph first")
	}
	return numbers(v, v.Shape().TotalSize())
}

func nameOf(n gorgonia.ValueGrad, i int) string {
	if named, ok := n.(gorgonia.Namer); ok {
		return named.Name()
	}
	return fmt.Sprintf("learnable %d", i)
}

package engine

import (
	"fmt"

	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
)

// For makes the fastest engine that there is for l: CPU for CHEST, Plain for any
// other loss.
func For(l loss.Loss, s loss.Setting, o Options) (Engine, error) {
	if c, ok := l.(*loss.CHEST); ok {
		return New(c, o)
	}
	return NewPlain(l, s, o)
}

// Plain runs the definition of a loss as it stands.
type Plain struct {
	def   loss.Loss
	s     loss.Setting
	optim optim.Optimizer
}

// NewPlain makes an engine that runs l, which was made for s.
func NewPlain(l loss.Loss, s loss.Setting, o Options) (*Plain, error) {
	e := &Plain{def: l, s: s}
	var err error
	e.optim, err = o.optimizer(l.Params())
	return e, err
}

// Loss implements Engine.
func (e *Plain) Loss(b loss.Batch, more bool) (loss.Terms, error) {
	clear(b.GE)
	clear(b.GH)
	if err := e.check(b); err != nil {
		return loss.Terms{}, err
	}
	if !more && (b.GE != nil || b.GH != nil) {
		for _, p := range e.def.Params() {
			p.ZeroGrad()
		}
	}
	return e.def.Add(b, 1), nil
}

// check finds lengths and labels that do not fit.
func (e *Plain) check(b loss.Batch) error {
	for _, v := range []struct {
		name string
		used bool
		d    int
		u, g []float32
	}{{"E", e.def.Uses() != loss.OnlyH, e.s.DE, b.E, b.GE}, {"H", e.def.Uses() != loss.OnlyE, e.s.DH, b.H, b.GH}} {
		if !v.used {
			continue
		}
		if err := fits(v.name, v.u, v.g, len(b.Label), v.d, b.GE != nil || b.GH != nil); err != nil {
			return err
		}
	}
	return checkLabels(b.Label, e.s.Classes)
}

// fits finds lengths of a space's features and gradient that are not rows of d.
func fits(name string, u, g []float32, rows, d int, train bool) error {
	want := rows * d
	if len(u) != want {
		return fmt.Errorf("engine: u%s has %d entries for %d labels, want %d×%d", name, len(u), rows, rows, d)
	}
	if train && len(g) != want {
		return fmt.Errorf("engine: the gradient g%s has %d entries, the features %d", name, len(g), want)
	}
	return nil
}

// checkLabels finds labels that are no class.
func checkLabels(label []int, classes int) error {
	for i, l := range label {
		if l < 0 || l >= classes {
			return fmt.Errorf("engine: label %d of row %d, want one in [0, %d)", l, i, classes)
		}
	}
	return nil
}

// Norm implements Engine.
func (e *Plain) Norm() float64 { return optim.Norm(e.def.Params()) }

// Update implements Engine.
func (e *Plain) Update(m optim.Move) error {
	e.optim.Move(m)
	return nil
}

// Params implements Engine: the values are always up to date.
func (e *Plain) Params() []*optim.Param { return e.def.Params() }

// Sync implements Engine.
func (e *Plain) Sync() error { return nil }

// Optimizer implements Engine.
func (e *Plain) Optimizer() optim.Optimizer { return e.optim }

// Name implements Engine.
func (e *Plain) Name() string { return "cpu, float64" }

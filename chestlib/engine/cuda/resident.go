package cuda

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
)

// Kernels are what works on the device, for packages that queue work of their own:
// its methods are called inside of its Do.
func (d *Device) Kernels() *kernels.Set { return d.set }

// Resident is an Engine whose features, and weights below them, lie on the device:
// what a graph with values there ends in. Somebody else computes features and the
// gradients by the weights; Update moves these together with the proxies.
type Resident struct {
	e       *Engine
	weights []*tensor
	number  piece // for Scale
}

// NewResident is New with weights that Update moves, too.
func NewResident(l *loss.CHEST, weights []*optim.Param, o engine.Options, d *Device) (*Resident, error) {
	e, err := newEngine(l, weights, o, d)
	if err != nil {
		return nil, err
	}
	return &Resident{e: e, weights: e.adam.tensors[len(e.params):]}, nil
}

// Engine is the engine behind, for Params, Optimizer, Sync, Norm and Close. Its Norm is that of
// the gradient by the proxies.
func (r *Resident) Engine() *Engine { return r.e }

// Weight is where weight i lies on the device, and the place for the gradient by it.
func (r *Resident) Weight(i int) (w, grad driver.Memory) {
	return r.weights[i].w.at, r.weights[i].grad.at
}

// Upload takes values that were written into params or weights to the device, if
// Push of the Engine said so. It is called inside of the device's Do.
func (r *Resident) Upload() error { return r.e.upload() }

// Rows are the features of a batch on the device. E or H of a space not in use is
// none.
type Rows struct {
	E, H   driver.Memory // n×DE and n×DH float32
	Labels driver.Memory // n int32: those of Label
	Label  []int         // on the processor, where triplets are drawn
	Rand   *rand.Rand    // see loss.Batch
}

// Loss is Engine.Loss of rows on the device. Triplets go there, the terms come back;
// with train the gradients by the rows lie in gE and gH until the next call. more adds
// the gradients by the proxies to those that are kept.
func (r *Resident) Loss(b Rows, train, more bool) (t loss.Terms, gE, gH driver.Memory, err error) {
	e := r.e
	for i, l := range b.Label {
		if l < 0 || l >= e.classes {
			return t, gE, gH, fmt.Errorf("cuda: label %d of row %d, want one in [0, %d)", l, i, e.classes)
		}
	}
	if e.tree != nil {
		rng := b.Rand
		if rng == nil {
			rng = e.def.TreeRand()
		}
		e.tree.draw(b.Label, rng)
	}
	err = e.d.set.Do(func() error {
		if err := r.take(b); err != nil {
			return err
		}
		if err := e.step(train, more && !e.consumed); err != nil {
			return err
		}
		if err := e.sums.queue(e.d.set, &e.memory, driver.Memory{}, driver.Memory{}); err != nil {
			return err
		}
		return e.sums.fetch(e.d.set)
	})
	if err != nil {
		return t, gE, gH, fmt.Errorf("cuda: Loss of %d rows: %w", len(b.Label), err)
	}
	t, norm := e.terms(e.sums.values)
	if train {
		e.consumed, e.norm = false, norm
	}
	if e.e != nil {
		gE = e.e.gu.at
	}
	if e.h != nil {
		gH = e.h.gu.at
	}
	return t, gE, gH, nil
}

// take copies a batch to where the engine wants it.
func (r *Resident) take(b Rows) error {
	e := r.e
	if err := e.upload(); err != nil {
		return err
	}
	e.rows = len(b.Label)
	if err := e.memory.fit(&e.label, 4*e.rows); err != nil {
		return err
	}
	if err := e.d.set.Copy(e.label.at, b.Labels, 4*e.rows); err != nil {
		return err
	}
	for _, s := range e.spaces {
		if err := s.fit(e.d.set, &e.memory, e.rows); err != nil {
			return err
		}
		u := b.E
		if s.ball {
			u = b.H
		}
		if err := e.d.set.Copy(s.u.at, u, 4*e.rows*s.d); err != nil {
			return err
		}
	}
	if e.tree != nil {
		return e.tree.upload(e.d.set, &e.memory)
	}
	return nil
}

// Update moves proxies and weights. scale is what the gradient by the proxies is
// multiplied by before: the weight of the loss in what was differentiated.
func (r *Resident) Update(m optim.Move, scale float32) error {
	if scale != 1 {
		if err := r.e.d.set.Do(func() error { return r.scale(scale) }); err != nil {
			return fmt.Errorf("cuda: Update: %w", err)
		}
	}
	return r.e.Update(m)
}

// scale multiplies the gradients by the proxies.
func (r *Resident) scale(by float32) error {
	e := r.e
	for _, s := range e.spaces {
		if err := e.memory.fits(&s.gp, 4*s.size(), &r.number, 4); err != nil {
			return err
		}
		err := e.d.set.Scale(s.gp.at, s.t.grad.at, r.number.at, s.size(), by)
		if err := errors.Join(err, e.d.set.Copy(s.t.grad.at, s.gp.at, 4*s.size())); err != nil {
			return err
		}
	}
	return nil
}

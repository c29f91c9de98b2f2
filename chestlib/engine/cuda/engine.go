package cuda

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
)

// Engine is the CHEST step on a GPU; it implements engine.Engine. The float32
// arithmetic is that of the kernels, with double precision where digits cancel.
//
// Memory on the device, in bytes: for each space 4·B·(CK+2C) + 12·B·D and four to six times the proxies.
type Engine struct {
	def     *loss.CHEST
	o       loss.CHESTOptions
	d       *Device
	classes int
	spaces  []*space // in use
	e, h    *space   // nil if not in use
	tree    *tree
	params  []*optim.Param
	adam    *adam
	memory  memory

	labels   []int32
	label    piece
	rows     int  // of the last batch
	sums     sums // what a step is asked for afterwards
	norm     float64
	consumed bool // Update has used the gradient: the next one starts anew
	push     bool // Params and State are newer than the device
}

// New makes an engine that computes what l.Step computes, on l's proxies. Options that the
// GPU does not have are an error.
func New(l *loss.CHEST, o engine.Options, d *Device) (*Engine, error) {
	return newEngine(l, nil, o, d)
}

// newEngine is New with further params that the optimiser moves, after those of l.
func newEngine(l *loss.CHEST, further []*optim.Param, o engine.Options, d *Device) (*Engine, error) {
	if d == nil {
		return nil, errors.New("cuda: New needs a device: see Open and Choose")
	}
	if err := supported(l); err != nil {
		return nil, err
	}
	e := &Engine{def: l, o: l.Options(), d: d, params: l.Params(), consumed: true, push: true}
	e.memory.d = d.set.Device
	var err error
	if e.adam, err = newAdam(slices.Concat(e.params, further), o); err != nil {
		return nil, err
	}
	if s := l.Euclidean(); s != nil {
		e.e = newSphere(s, e.o.WeightE)
		e.spaces = append(e.spaces, e.e)
	}
	if s := l.Hyperbolic(); s != nil {
		e.h = newBall(s, e.o.WeightH)
		e.spaces = append(e.spaces, e.h)
	}
	if t := l.Tree(); t != nil {
		e.tree = newTree(t, e.o.WeightTree, e.h, e.e)
	}
	for i, s := range e.spaces {
		s.t = e.adam.tensors[i]
	}
	e.classes = e.spaces[0].classes
	if err := d.set.Do(e.allocate); err != nil {
		return nil, errors.Join(fmt.Errorf("cuda: New: %w", err), e.Close())
	}
	return e, nil
}

// supported finds options that the kernels do not have.
func supported(l *loss.CHEST) error {
	what := ""
	if h := l.Hyperbolic(); h != nil {
		switch k := h.Options().Similarity; {
		case k < loss.Negative || k > loss.Rescaled:
			what = fmt.Sprintf("the similarity %v", k)
		case h.Ball().Options().Soft:
			what = "a soft clip"
		case h.Ball().Param() != nil:
			what = "a learned ball"
		}
	}
	if t := l.Tree(); t != nil {
		switch o := t.Options(); {
		case o.Leaves != loss.ProxyLeaves:
			what = "a tree of class means"
		case o.Sampling == loss.NearTriplets:
			what = "a tree of near triplets"
		}
	}
	if what == "" {
		return nil
	}
	return fmt.Errorf("cuda: %s is not there on the GPU; use the processor (device cpu)", what)
}

// allocate makes room for what does not depend on the batch.
func (e *Engine) allocate() error {
	for _, s := range e.spaces {
		if err := s.allocate(&e.memory); err != nil {
			return err
		}
	}
	return e.adam.allocate(&e.memory)
}

// Close frees the engine's memory on the device. The params keep the values of
// the last Sync.
func (e *Engine) Close() error {
	return e.d.set.Do(func() error { e.memory.freeAll(); return nil })
}

// Name implements engine.Engine.
func (e *Engine) Name() string {
	return fmt.Sprintf("cuda %s, products by %s", e.d.Info().Name, e.d.Products())
}

// Params implements engine.Engine: the values are those of the last Sync.
// Values that are written into them are seen after Push.
func (e *Engine) Params() []*optim.Param { return e.params }

// Optimizer implements engine.Engine. SetSteps of it is a Push.
func (e *Engine) Optimizer() optim.Optimizer { return optimizer{e} }

// Norm implements engine.Engine.
func (e *Engine) Norm() float64 { return e.norm }

// Push makes the next step take over the values of Params and the State of
// Optimizer, which somebody has written to. A gradient that is kept is lost.
func (e *Engine) Push() { e.push, e.consumed = true, true }

// upload does what Push has announced.
func (e *Engine) upload() error {
	if !e.push {
		return nil
	}
	for _, t := range e.adam.tensors {
		if err := t.upload(e.d.set); err != nil {
			return err
		}
	}
	for _, s := range e.spaces {
		s.mapped = false
	}
	e.push = false
	return nil
}

// Loss implements engine.Engine.
func (e *Engine) Loss(b loss.Batch, more bool) (loss.Terms, error) {
	clear(b.GE)
	clear(b.GH)
	dE, dH := 0, 0
	if e.e != nil {
		dE = e.e.d
	}
	if e.h != nil {
		dH = e.h.d
	}
	if err := engine.Check(b, dE, dH, e.classes); err != nil {
		return loss.Terms{}, err
	}
	if e.tree != nil {
		rng := b.Rand
		if rng == nil {
			rng = e.def.TreeRand()
		}
		e.tree.draw(b.Label, rng)
	}
	train := b.GE != nil || b.GH != nil
	err := e.d.set.Do(func() error {
		if err := e.load(b); err != nil {
			return err
		}
		if err := e.step(train, more && !e.consumed); err != nil {
			return err
		}
		if err := e.sums.queue(e.d.set, &e.memory, driver.Memory{}, driver.Memory{}); err != nil {
			return err
		}
		return e.fetch(b, train)
	})
	if err != nil {
		return loss.Terms{}, fmt.Errorf("cuda: Loss of %d rows: %w", len(b.Label), err)
	}
	if train {
		e.consumed = false
	}
	t, norm := e.terms(e.sums.values)
	if train {
		e.norm = norm
	}
	return t, nil
}

// load uploads a batch, and the params if they were written to.
func (e *Engine) load(b loss.Batch) error {
	if err := e.upload(); err != nil {
		return err
	}
	e.rows = len(b.Label)
	e.labels = e.labels[:0]
	for _, l := range b.Label {
		e.labels = append(e.labels, int32(l))
	}
	if err := e.memory.fit(&e.label, 4*e.rows); err != nil {
		return err
	}
	if err := e.d.set.UploadInts(e.label.at, e.labels); err != nil {
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
		if err := e.d.set.UploadFloats(s.u.at, u); err != nil {
			return err
		}
	}
	if e.tree != nil {
		return e.tree.upload(e.d.set, &e.memory)
	}
	return nil
}

// fetch downloads what a step has found.
func (e *Engine) fetch(b loss.Batch, train bool) error {
	if train {
		for _, s := range e.spaces {
			g := b.GE
			if s.ball {
				g = b.GH
			}
			if err := e.d.set.DownloadFloats(g, s.gu.at); err != nil {
				return err
			}
		}
	}
	return e.sums.fetch(e.d.set)
}

// terms reads the sums of a step: its terms, and the norm of the gradient by the
// proxies if there was one.
func (e *Engine) terms(values []float64) (t loss.Terms, norm float64) {
	of := func(place int) float64 { // see sums.add; 0 is none
		if place == 0 {
			return 0
		}
		return values[place-1]
	}
	n := float64(max(e.rows, 1))
	for _, s := range e.spaces {
		cls, merge := of(s.lossSum)/n, of(s.mergeSum)
		norm += of(s.normSum)
		if s.ball {
			t.H, t.Clipped = cls+merge, of(s.clippedSum)/n
			t.Total += e.o.WeightH * t.H
			continue
		}
		t.E, t.Merge = cls, merge
		t.Total += e.o.WeightE * (t.E + t.Merge)
	}
	if e.tree != nil {
		t.Tree = of(e.tree.lossSum) / float64(max(len(e.tree.triplets), 1))
		t.Total += e.o.WeightTree * t.Tree
	}
	return t, math.Sqrt(norm)
}

// Update implements engine.Engine. It does not wait for the device: an error
// of the move itself may come from a later call.
func (e *Engine) Update(m optim.Move) error {
	err := e.d.set.Do(func() error {
		if err := e.upload(); err != nil {
			return err
		}
		for _, s := range e.spaces {
			if e.consumed { // as if the gradient had been cleared
				if err := e.d.set.Clear(s.t.grad.at, 4*s.size()); err != nil {
					return err
				}
			}
			s.mapped = false
		}
		return e.adam.queue(e.d.set, m)
	})
	if err != nil {
		return fmt.Errorf("cuda: Update: %w", err)
	}
	e.consumed = true
	return nil
}

// Sync implements engine.Engine: it downloads the proxies, their gradient and
// the optimiser's state.
func (e *Engine) Sync() error {
	err := e.d.set.Do(func() error {
		if err := e.upload(); err != nil {
			return err
		}
		for _, t := range e.adam.tensors {
			if err := t.download(e.d.set, !e.consumed); err != nil {
				return err
			}
		}
		return e.d.set.Finish()
	})
	if err != nil {
		return fmt.Errorf("cuda: Sync: %w", err)
	}
	return nil
}

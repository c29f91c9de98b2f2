package cuda

import (
	"cmp"
	"fmt"
	"math"

	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
	"github.com/chestlab/chest/chestlib/optim"
)

// adam is AdamW with weights, gradients and moments on the device. host holds
// the State of the last Sync and counts the steps.
type adam struct {
	o       optim.AdamWOptions
	host    *optim.AdamW
	rates   []float64 // of each param
	decays  []float64
	words   []uint64 // a row of the table for each param
	longest int
	numbers []float32

	table, scalars piece
}

// newAdam makes it from the options, which must be of AdamW.
func newAdam(params []*optim.Param, o engine.Options) (*adam, error) {
	recipe := o.Optim
	if recipe == nil {
		recipe = optim.AdamWOptions{}
	}
	a := &adam{}
	var ok bool
	if a.o, ok = recipe.(optim.AdamWOptions); !ok {
		return nil, fmt.Errorf("cuda: the optimiser %s is not there on the GPU; use adamw, or the processor (device cpu)", recipe.Name())
	}
	made, err := a.o.Make(params, o.Common)
	if err != nil {
		return nil, err
	}
	a.host = made.(*optim.AdamW)
	if o.Common.Groups != nil {
		a.o.Groups = o.Common.Groups
	}
	a.o.Beta1, a.o.Beta2 = cmp.Or(a.o.Beta1, 0.9), cmp.Or(a.o.Beta2, 0.999)
	a.o.Eps, a.o.Decay = cmp.Or(a.o.Eps, 1e-8), cmp.Or(a.o.Decay, 1e-2)
	for _, p := range params {
		g, decay := a.o.Groups[p.Group], 0.0
		if !p.Plain {
			decay = max(cmp.Or(g.Decay, a.o.Decay), 0)
		}
		a.rates, a.decays = append(a.rates, cmp.Or(g.Rate, 1)), append(a.decays, decay)
	}
	return a, nil
}

// bind takes the buffers of the next param.
func (a *adam) bind(s *space) {
	a.words = append(a.words, s.v.at.Address, s.grad.at.Address, s.m.at.Address, s.m2.at.Address, uint64(s.size()))
	a.longest = max(a.longest, s.size())
}

// allocate uploads the table of tensors.
func (a *adam) allocate(m *memory) error {
	if err := m.fits(&a.table, 8*len(a.words), &a.scalars, 4*8*len(a.rates)); err != nil {
		return err
	}
	return m.d.UploadWords(a.table.at, a.words)
}

// queue queues a move.
func (a *adam) queue(set *kernels.Set, m optim.Move) error {
	a.host.SetSteps(a.host.Steps() + 1)
	a.numbers = a.numbersOf(a.numbers[:0], a.host.Steps(), m)
	if err := set.UploadFloats(a.scalars.at, a.numbers); err != nil {
		return err
	}
	return set.AdamW(kernels.Adam{Tensors: a.table.at, Numbers: a.scalars.at, Count: len(a.rates), Longest: a.longest})
}

// numbersOf appends the eight numbers of each param for step t.
func (a *adam) numbersOf(dst []float32, step int, m optim.Move) []float32 {
	beta1, beta2, t := float32(a.o.Beta1), float32(a.o.Beta2), float64(step)
	limit := float32(0)
	if m.Limit > 0 {
		limit = float32(m.Limit / m.Scale)
	}
	for i := range a.rates {
		rate := m.Rate * a.rates[i]
		dst = append(dst, float32(m.Scale), limit, beta1, beta2, float32(1-rate*a.decays[i]), float32(rate/(1-math.Pow(float64(beta1), t))),
			float32(1/math.Sqrt(1-math.Pow(float64(beta2), t))), float32(a.o.Eps))
	}
	return dst
}

// optimizer is what the engine shows as its optimiser.
type optimizer struct{ e *Engine }

// Move panics: only the engine moves its params.
func (o optimizer) Move(optim.Move) {
	panic("cuda: the engine's optimiser must not be stepped from outside")
}

// State implements optim.Optimizer.
func (o optimizer) State() []optim.State { return o.e.adam.host.State() }

// Steps implements optim.Optimizer.
func (o optimizer) Steps() int { return o.e.adam.host.Steps() }

// SetSteps implements optim.Optimizer. Who calls it has written to State and to the
// params: they go to the device before the next step.
func (o optimizer) SetSteps(steps int) {
	o.e.adam.host.SetSteps(steps)
	o.e.Push()
}

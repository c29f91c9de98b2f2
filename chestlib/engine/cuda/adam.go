package cuda

import (
	"cmp"
	"errors"
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
	tensors []*tensor
	blocks  int // of kernels.Adam
	numbers []float32

	table, scalars piece
}

// tensor is one param on the device.
type tensor struct {
	param          *optim.Param
	hostM, hostV   []float32
	rate, decay    float64
	w, grad, m, m2 piece
}

func (t *tensor) size() int { return len(t.param.Value) }

// upload queues copies of the param and its moments.
func (t *tensor) upload(set *kernels.Set) error {
	return errors.Join(set.UploadFloats(t.w.at, t.param.Value), set.UploadFloats(t.m.at, t.hostM), set.UploadFloats(t.m2.at, t.hostV))
}

// download queues copies of what the device has; grad says that there is a gradient.
func (t *tensor) download(set *kernels.Set, grad bool) error {
	err := errors.Join(set.DownloadFloats(t.param.Value, t.w.at), set.DownloadFloats(t.hostM, t.m.at), set.DownloadFloats(t.hostV, t.m2.at))
	if grad {
		return errors.Join(err, set.DownloadFloats(t.param.Grad, t.grad.at))
	}
	clear(t.param.Grad)
	return err
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
	state := a.host.State()
	for i, p := range params {
		g := a.o.Groups[p.Group]
		t := &tensor{param: p, hostM: state[2*i].Value, hostV: state[2*i+1].Value, rate: cmp.Or(g.Rate, 1)}
		if !p.Plain {
			t.decay = max(cmp.Or(g.Decay, a.o.Decay), 0)
		}
		a.tensors = append(a.tensors, t)
		a.blocks += kernels.AdamBlocks(t.size())
	}
	return a, nil
}

// allocate makes room for the tensors and uploads the table of them.
func (a *adam) allocate(m *memory) error {
	var words []uint64
	for _, t := range a.tensors {
		n := 4 * t.size()
		if err := m.fits(&t.w, n, &t.grad, n, &t.m, n, &t.m2, n); err != nil {
			return err
		}
		words = append(words, t.w.at.Address, t.grad.at.Address, t.m.at.Address, t.m2.at.Address, uint64(t.size()))
	}
	if err := m.fits(&a.table, 8*len(words), &a.scalars, 4*8*len(a.tensors)); err != nil {
		return err
	}
	return m.d.UploadWords(a.table.at, words)
}

// queue queues a move.
func (a *adam) queue(set *kernels.Set, m optim.Move) error {
	a.host.SetSteps(a.host.Steps() + 1)
	a.numbers = a.numbersOf(a.numbers[:0], a.host.Steps(), m)
	if err := set.UploadFloats(a.scalars.at, a.numbers); err != nil {
		return err
	}
	return set.AdamW(kernels.Adam{Tensors: a.table.at, Numbers: a.scalars.at, Count: len(a.tensors), Blocks: a.blocks})
}

// numbersOf appends the eight numbers of each tensor for a step.
func (a *adam) numbersOf(dst []float32, step int, m optim.Move) []float32 {
	beta1, beta2, t := float32(a.o.Beta1), float32(a.o.Beta2), float64(step)
	limit := float32(0)
	if m.Limit > 0 {
		limit = float32(m.Limit / m.Scale)
	}
	for _, p := range a.tensors {
		rate := m.Rate * p.rate
		dst = append(dst, float32(m.Scale), limit, beta1, beta2, float32(1-rate*p.decay), float32(rate/(1-math.Pow(float64(beta1), t))),
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

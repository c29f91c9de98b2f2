package train

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/engine/cuda"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
)

// wholeStep says whether the GPU can do all of the step.
func (t *Trainer) wholeStep(l *loss.CHEST) bool {
	tree := l.Tree()
	uniform := tree == nil || (tree.Options().Sampling == loss.UniformTriplets && tree.Options().Anneal == 1)
	m, steps := t.Model.Options(), t.engine.Optimizer().Steps()
	simple := m.Trunk == "identity" || (m.Trunk == "linear" || m.Trunk == "mlp") && !m.Separate && t.o.Frozen == 0 && t.trunk.Steps() == steps
	return simple && uniform && t.drawer == nil && t.o.Accumulate == 1 && t.average == nil && t.o.MaxEntry == 0 && t.rest.Steps() == steps
}

// param is that of a name, nil if there is none.
func (t *Trainer) param(name string) *optim.Param {
	for _, p := range t.params {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// layers are those of a linear or MLP trunk.
func (t *Trainer) layers() (all []cuda.Layer) {
	const eps = 1e-5 // model.LayerNorm's
	linear := func(name string, residual int) {
		all = append(all, cuda.Layer{Kind: cuda.LinearLayer, Weight: t.param(name + ".weight"), Bias: t.param(name + ".bias"), Residual: residual})
	}
	norm := func(name string) {
		all = append(all, cuda.Layer{Kind: cuda.NormLayer, Weight: t.param(name + ".gain"), Bias: t.param(name + ".bias"), Eps: eps})
	}
	o := t.Model.Options()
	switch o.Trunk {
	case "linear":
		linear("trunk", 0)
	case "mlp":
		linear("trunk.stem", 0)
		for b := range o.Depth {
			name := fmt.Sprintf("trunk.block%d", b+1)
			norm(name + ".norm")
			linear(name+".up", 0)
			all = append(all, cuda.Layer{Kind: cuda.GELULayer})
			linear(name+".down", 4)
		}
		norm("trunk.norm")
	}
	return all
}

// takeWhole makes the trainer of the whole step, with all items on the device.
func (t *Trainer) takeWhole(ctx context.Context, g *gpu, l *loss.CHEST, o engine.Options) (err error) {
	x := cuda.Features{D: t.Model.In().Size()}
	x.X, x.Label = make([]float32, t.src.Len()*x.D), make([]int, t.src.Len())
	for i := range x.Label {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("stopped after reading %d of %d items, before the first step: %w", i, len(x.Label), err)
		}
		if err := t.src.Item(x.X[i*x.D:(i+1)*x.D], i); err != nil {
			return fmt.Errorf("item %d: %w", i, err)
		}
		x.Label[i] = t.src.Label(i)
	}
	head := func(name string) cuda.Head {
		return cuda.Head{Weight: t.param(name + ".weight"), Bias: t.param(name + ".bias")}
	}
	g.whole, err = cuda.NewHeadTrainer(l, head("head.E"), head("head.H"), x, cuda.HeadOptions{Engine: o, MaxNorm: max(t.o.MaxNorm, 0), Trunk: t.layers()}, g.device)
	return err
}

// errNotFinite marks a step on the GPU whose numbers are lost.
var errNotFinite = errors.New("the weights on the GPU are lost")

// stepsAhead is how many steps the GPU's trainer is given at once: it has a few of them in
// flight, and tells what all found at their end.
const stepsAhead = 20

// walkWhole is walk where the GPU does the whole step: stepsAhead steps at a time.
func (t *Trainer) walkWhole(ctx context.Context, r *run, batches []Batch, begin func(), p Progress) error {
	for r.At < len(batches) {
		if err := ctx.Err(); err != nil {
			return stopped(r, len(batches), err)
		}
		n := min(stepsAhead, len(batches)-r.At)
		if every := t.o.CheckpointSteps; every > 0 && t.o.Checkpoint != "" {
			n = min(n, every-t.steps%every)
		}
		done, err := t.stepsWhole(ctx, batches[r.At:r.At+n])
		for i, d := range done {
			s := Step{Number: t.steps + 1, Rate: t.rate(), Loss: d.Loss, Norm: d.Norm}
			if err := t.judgeNumbers(s); err != nil {
				return err
			}
			t.steps++
			t.place++
			t.gpu.items += len(batches[r.At].Items)
			begin()
			last := i == len(done)-1 && err == nil
			if err := t.stepped(r, s, len(batches), p, last); err != nil {
				return err
			}
		}
		if err != nil {
			if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
				return stopped(r, len(batches), ctx.Err())
			}
			return fmt.Errorf("train: steps %d to %d: %w", t.steps+1, t.steps+n-len(done), err)
		}
	}
	return nil
}

// judgeNumbers finds numbers of a step that are not finite.
func (t *Trainer) judgeNumbers(s Step) error {
	name := notFinite(s.Loss)
	switch {
	case name != "":
		name = "the loss term " + name
	case !finite(s.Norm):
		name = "the gradient"
	default:
		return nil
	}
	return fmt.Errorf("train: step %d: %s is not finite; a smaller Rate (now %g) or smaller items may help: %w", s.Number, name, t.o.Rate, errNotFinite)
}

// stepsWhole trains on some batches.
func (t *Trainer) stepsWhole(ctx context.Context, batches []Batch) ([]cuda.Done, error) {
	var rows [][]int
	var moves []optim.Move
	for i, b := range batches {
		rate := t.o.Rate * t.o.Schedule.Factor(t.place+i, t.sampler.Steps(), t.o.Epochs)
		rows, moves = append(rows, b.Items), append(moves, optim.Move{Rate: rate, Scale: 1})
	}
	first := t.steps
	t.gpu.dirty = true
	return t.gpu.whole.Steps(ctx, rows, moves, func(i int) *rand.Rand { return t.rand(first + i) })
}

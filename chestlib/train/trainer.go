// Package train runs the training loop of a dual-space model: batches, steps,
// epochs. The loop can be written out in a cell or left to Fit; both run the
// same steps at the same rates.
//
//	for tr.EpochsDone() < 10 {
//		for _, batch := range tr.Batches() {
//			step, err := tr.Step(batch)
//			...
//		}
//	}
package train

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/chestlib/optim"
)

// Trainer holds a model, its loss with the proxies, and the optimiser.
type Trainer struct {
	Model *model.Model
	Loss  loss.Loss

	o       Options
	src     model.Source
	sampler *Sampler
	engine  engine.Engine   // the loss, and the proxies' optimiser
	optim   optim.Optimizer // of the model
	params  []*optim.Param  // of the model

	steps   int // done so far; it numbers the random draws
	place   int // steps of the schedule that are behind: those of broken-off epochs are not
	epochs  int // whose batches were asked for
	history []Epoch

	x      []float32 // a batch of items
	gE, gH []float32
}

// New prepares to train m on src. The number of classes is the largest label
// plus one. The curvature and clip radius of the loss are the model's: a loss
// option that says otherwise is an error, as is a src of another shape or an
// option that makes no sense.
func New(m *model.Model, src model.Source, o Options) (*Trainer, error) {
	o = o.withDefaults()
	if err := check(m, src, o); err != nil {
		return nil, err
	}
	sampler, err := NewSampler(src, o.Classes, o.PerClass, o.Seed)
	if err != nil {
		return nil, err
	}
	mo := m.Options()
	t := &Trainer{Model: m, o: o, src: src, sampler: sampler, params: m.Params()}
	setting := loss.Setting{Classes: sampler.Classes(), DE: mo.DE, DH: mo.DH, Curvature: mo.Curvature, Clip: mo.Clip, Seed: o.Seed}
	if t.Loss, err = o.Loss.Make(setting); err != nil {
		return nil, fmt.Errorf("train: Options.Loss: %w", err)
	}
	common := optim.Common{Groups: map[string]optim.Group{"proxies": {Rate: o.ProxyRate}, "head": {Rate: o.HeadRate}}}
	if t.optim, err = o.Optim.Make(t.params, common); err != nil {
		return nil, fmt.Errorf("train: Options.Optim: %w", err)
	}
	if t.engine, err = engine.For(t.Loss, setting, engine.Options{Optim: o.Optim, Common: common}); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return t, nil
}

// check finds options that contradict each other or the data.
func check(m *model.Model, src model.Source, o Options) error {
	c, h, w := src.Shape()
	if in := m.In(); in != (model.Shape{C: c, H: h, W: w}) {
		return fmt.Errorf("train: the model takes items of %d×%d×%d, the training set has %d×%d×%d", in.C, in.H, in.W, c, h, w)
	}
	return checkNumbers(o)
}

// checkNumbers finds numbers out of their range.
func checkNumbers(o Options) error {
	for _, v := range []struct {
		name  string
		value float64
	}{
		{"Epochs", float64(o.Epochs)}, {"Classes", float64(o.Classes)}, {"PerClass", float64(o.PerClass)},
		{"Every", float64(o.Every)}, {"Rate", o.Rate}, {"ProxyRate", o.ProxyRate}, {"HeadRate", o.HeadRate},
	} {
		if !(v.value > 0) || math.IsInf(v.value, 1) {
			return fmt.Errorf("train: %s is %g; it must be positive and finite (0 means its default)", v.name, v.value)
		}
	}
	if math.IsNaN(o.Decay) || math.IsInf(o.Decay, 0) {
		return fmt.Errorf("train: Decay is %g; give a number (0 means its default, negative means none)", o.Decay)
	}
	if math.IsNaN(o.MaxNorm) {
		return fmt.Errorf("train: MaxNorm is NaN; give a number (0 means its default, negative means never)")
	}
	return nil
}

// Step is what one training step found.
type Step struct {
	Number int        // 1 for the first step of the run
	Loss   loss.Terms // before the change
	Norm   float64    // of the whole gradient, before clipping
	Rate   float64    // of the trunk
}

// EpochsDone is the number of epochs that were trained to their end, by Fit,
// Epoch or a loop of Batches and Step.
func (t *Trainer) EpochsDone() int { return t.place / t.sampler.Steps() }

// Batches begins the next epoch and returns its batches, each call those of
// another. An epoch that was broken off before its last step does not count: the
// rate goes back to where it was at its beginning.
func (t *Trainer) Batches() []Batch {
	t.place = t.EpochsDone() * t.sampler.Steps()
	b := t.sampler.Epoch(t.epochs)
	t.epochs++
	return b
}

// Step trains on one batch: forward, loss, backward, AdamW. A loss or gradient
// that is not finite is an error that names step and term, and so is a step
// after all of Options.Epochs are done, where the rate would be 0, unless
// Options.Constant is set. The weights are then as before the step.
func (t *Trainer) Step(b Batch) (Step, error) {
	if t.EpochsDone() >= t.o.Epochs && !t.o.Constant {
		return Step{}, fmt.Errorf("train: all %d epochs are done; raise Epochs or set Constant", t.o.Epochs)
	}
	n := len(b.Items)
	if err := t.load(b); err != nil {
		return Step{}, err
	}
	uE, uH := t.Model.Forward(t.x, n, true)
	t.gE, t.gH = sized(t.gE, len(uE)), sized(t.gH, len(uH))
	rng := rand.New(rand.NewPCG(t.o.Seed, 0x7e57<<32|uint64(t.steps)))
	s := Step{Number: t.steps + 1, Rate: t.rate()}
	var err error
	if s.Loss, err = t.engine.Loss(loss.Batch{E: uE, H: uH, Label: b.Labels, GE: t.gE, GH: t.gH, Rand: rng}, false); err != nil {
		return s, fmt.Errorf("train: step %d: %w", s.Number, err)
	}
	if name := notFinite(s.Loss); name != "" {
		return s, fmt.Errorf("train: step %d: the loss term %s is not finite; a smaller Rate (now %g) or smaller items may help", s.Number, name, t.o.Rate)
	}
	t.Model.Backward(t.gE, t.gH, n)
	s.Norm = math.Hypot(optim.Norm(t.params), t.engine.Norm())
	if math.IsNaN(s.Norm) || math.IsInf(s.Norm, 0) {
		t.clear()
		return s, fmt.Errorf("train: step %d: the gradient is not finite (loss %g); a smaller Rate (now %g) may help", s.Number, s.Loss.Total, t.o.Rate)
	}
	scale := 1.0
	if s.Norm > t.maxNorm() {
		scale = t.maxNorm() / s.Norm
	}
	move := optim.Move{Rate: s.Rate, Scale: scale}
	if err := t.engine.Update(move); err != nil {
		t.clear()
		return s, fmt.Errorf("train: step %d: %w", s.Number, err)
	}
	t.optim.Move(move)
	t.steps++
	t.place++
	return s, nil
}

// load copies the items of b into t.x.
func (t *Trainer) load(b Batch) error {
	d := t.Model.In().Size()
	t.x = sized(t.x, len(b.Items)*d)
	for i, item := range b.Items {
		if err := t.src.Item(t.x[i*d:(i+1)*d], item); err != nil {
			return fmt.Errorf("train: item %d: %w", item, err)
		}
	}
	return nil
}

// rate is the trunk's rate at the present step.
func (t *Trainer) rate() float64 {
	if t.o.Constant {
		return t.o.Rate
	}
	done := float64(t.place) / float64(t.o.Epochs*t.sampler.Steps())
	return t.o.Rate * (1 + math.Cos(math.Pi*done)) / 2
}

// maxNorm is the bound of the gradient's norm.
func (t *Trainer) maxNorm() float64 {
	if t.o.MaxNorm < 0 {
		return math.Inf(1)
	}
	return t.o.MaxNorm
}

// clear drops the model's gradients of a failed step; the engine overwrites its own.
func (t *Trainer) clear() {
	for _, p := range t.params {
		p.ZeroGrad()
	}
}

// notFinite names the first term of l that is NaN or infinite, or "".
func notFinite(l loss.Terms) string {
	for _, v := range []struct {
		name  string
		value float64
	}{{"E", l.E}, {"Merge", l.Merge}, {"H", l.H}, {"Tree", l.Tree}, {"Total", l.Total}} {
		if math.IsNaN(v.value) || math.IsInf(v.value, 0) {
			return v.name
		}
	}
	return ""
}

// sized returns a slice of n entries, s itself if it is large enough.
func sized(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}

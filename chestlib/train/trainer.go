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

// Trainer holds a model, its loss with the proxies, and the optimisers.
type Trainer struct {
	Model *model.Model
	Loss  loss.Loss

	o       Options
	src     model.Source
	drawer  model.Drawer // src, if its items are drawn at random; else nil
	coming  []Batch      // of the epoch, those not trained on yet
	data    data
	sampler *Sampler
	engine  engine.Engine   // the loss, and the optimiser of its params
	common  optim.Common    // of all optimisers
	gpu     *gpu            // what a call trains on; nil for the processor
	trunk   optim.Optimizer // of the trunk's params
	rest    optim.Optimizer // of the heads'
	average *optim.EMA      // of params; nil for none
	params  []*optim.Param  // of the model

	steps   int // done so far; it numbers the random draws
	place   int // steps of the schedule that are behind: those of broken-off epochs are not
	epochs  int // whose batches were asked for
	run     *run
	history []Epoch
	best    best
	warned  map[string]bool
	told    telling // to other goroutines, while a job runs
	meter   *Job    // is told of each step; nil for none
	opened  bool    // Options.Checkpoint was looked for

	x      []float32 // a part of a batch
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
	t := &Trainer{Model: m, o: o, src: src, data: dataOf(src), sampler: sampler, params: m.Params(), warned: make(map[string]bool)}
	t.drawer, _ = src.(model.Drawer)
	setting := loss.Setting{Classes: sampler.Classes(), DE: mo.DE, DH: mo.DH, Curvature: m.Ball().Curvature(), Clip: m.Ball().Clip(), Ball: m.Ball(), Seed: o.Seed}
	if t.Loss, err = o.Loss.Make(setting); err != nil {
		return nil, fmt.Errorf("train: Options.Loss: %w", err)
	}
	common := optim.Common{Groups: map[string]optim.Group{"proxies": {Rate: o.ProxyRate}, "head": {Rate: o.HeadRate}}}
	t.common = common
	if err := t.optimizers(common); err != nil {
		return nil, fmt.Errorf("train: Options.Optim: %w", err)
	}
	if o.Average > 0 {
		if t.average, err = optim.NewEMA(t.params, optim.EMAOptions{Decay: o.Average}); err != nil {
			return nil, fmt.Errorf("train: Average: %w", err)
		}
	}
	if t.engine, err = engine.For(t.Loss, setting, engine.Options{Optim: o.Optim, Common: common}); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return t, nil
}

// optimizers makes those of the model.
func (t *Trainer) optimizers(common optim.Common) (err error) {
	var trunk, rest []*optim.Param
	for _, p := range t.params {
		if p.Group == "trunk" {
			trunk = append(trunk, p)
		} else {
			rest = append(rest, p)
		}
	}
	if t.trunk, err = t.o.Optim.Make(trunk, common); err != nil {
		return err
	}
	t.rest, err = t.o.Optim.Make(rest, common)
	return err
}

// check finds options that contradict each other or the data.
func check(m *model.Model, src model.Source, o Options) error {
	if err := model.Given(m, src); err != nil {
		return fmt.Errorf("train: %w", err)
	}
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
		{"Accumulate", float64(o.Accumulate)}, {"Every", float64(o.Every)}, {"Rate", o.Rate}, {"ProxyRate", o.ProxyRate}, {"HeadRate", o.HeadRate},
	} {
		if !(v.value > 0) || math.IsInf(v.value, 1) {
			return fmt.Errorf("train: %s is %g; it must be positive and finite (0 means its default)", v.name, v.value)
		}
	}
	for _, v := range []struct {
		name  string
		value float64
	}{{"Frozen", float64(o.Frozen)}, {"Patience", float64(o.Patience)}, {"CheckpointSteps", float64(o.CheckpointSteps)}, {"MaxEntry", o.MaxEntry}, {"Average", o.Average}} {
		if !(v.value >= 0) || math.IsInf(v.value, 1) {
			return fmt.Errorf("train: %s is %g; it must not be negative", v.name, v.value)
		}
	}
	if err := o.Schedule.Check(); err != nil {
		return fmt.Errorf("train: Schedule: %w", err)
	}
	if o.Patience > 0 && o.Watch == nil {
		return fmt.Errorf("train: Patience is %d, but there is nothing to measure: set Watch to items of held-out classes", o.Patience)
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

// String is the step on one line.
func (s Step) String() string {
	return fmt.Sprintf("step %d: loss %v, |gradient| %.3g, rate %.2g", s.Number, s.Loss, s.Norm, s.Rate)
}

// EpochsDone is the number of epochs that were trained to their end, by Fit,
// Epoch or a loop of Batches and Step.
func (t *Trainer) EpochsDone() int {
	if j := t.told.running(); j != nil {
		return j.view().epochs
	}
	return t.epochsDone()
}

func (t *Trainer) epochsDone() int { return t.place / t.sampler.Steps() }

// Batches begins the next epoch and returns its batches, each call those of
// another. An epoch that was broken off before its last step does not count: the
// rate goes back to where it was at its beginning. While a Job runs it panics.
func (t *Trainer) Batches() []Batch {
	if err := t.told.busy("Batches"); err != nil {
		panic(err.Error())
	}
	t.run = nil
	t.place = t.epochsDone() * t.sampler.Steps()
	t.announce(t.epochsDone())
	b := t.sampler.Epoch(t.epochs)
	t.epochs++
	t.coming = b
	return b
}

// announce tells a loss that changes in time how many epochs are done.
func (t *Trainer) announce(done int) {
	if l, ok := t.Loss.(loss.Scheduled); ok {
		l.BeginEpoch(done, t.o.Epochs)
	}
}

// Step trains on one batch: forward, loss, backward, and a step of the
// optimisers. A loss or gradient that is not finite is an error that names step,
// term and the largest numbers, and so is a step after all of Options.Epochs are
// done, where the rate is 0, as by the usual schedule. The weights are then as
// before the step. It runs on the processor.
func (t *Trainer) Step(b Batch) (Step, error) {
	if err := t.told.busy("Step"); err != nil {
		return Step{}, err
	}
	t.run = nil
	return t.step(b)
}

// step is Step within an epoch.
func (t *Trainer) step(b Batch) (Step, error) {
	s := Step{Number: t.steps + 1, Rate: t.rate()}
	if t.epochsDone() >= t.o.Epochs && s.Rate == 0 {
		return Step{}, fmt.Errorf("train: all %d epochs are done; raise them by SetEpochs, or set Options.Schedule to optim.Constant{}", t.o.Epochs)
	}
	t.useAverage(false)
	if err := t.gradient(b, &s); err != nil {
		t.clear()
		return s, err
	}
	move := optim.Move{Rate: s.Rate, Scale: 1 / float64(t.o.Accumulate), Limit: t.o.MaxEntry}
	s.Norm = math.Hypot(optim.Norm(t.params), t.engine.Norm()) * move.Scale
	if math.IsNaN(s.Norm) || math.IsInf(s.Norm, 0) {
		err := fmt.Errorf("train: step %d: the gradient is not finite (loss %g)%s", s.Number, s.Loss.Total, t.remedy(b))
		t.clear()
		return s, err
	}
	if s.Norm > t.maxNorm() {
		move.Scale *= t.maxNorm() / s.Norm
	}
	if err := t.engine.Update(move); err != nil {
		t.clear()
		return s, fmt.Errorf("train: step %d: %w", s.Number, err)
	}
	t.move(move)
	if t.average != nil {
		t.average.Update()
	}
	t.steps++
	t.place++
	return s, nil
}

// gradient adds up the loss and the gradients of the parts of a batch.
func (t *Trainer) gradient(b Batch, s *Step) error {
	parts, err := b.parts(t.o.Accumulate)
	if err != nil {
		return err
	}
	t.prefetch(b)
	rng := t.rand(t.steps)
	for i, part := range parts {
		if err := t.load(part, i*len(part.Items)); err != nil {
			return err
		}
		uE, uH := t.Model.Forward(t.x, len(part.Items), true)
		t.gE, t.gH = sized(t.gE, len(uE)), sized(t.gH, len(uH))
		terms, err := t.engine.Loss(loss.Batch{E: uE, H: uH, Label: part.Labels, GE: t.gE, GH: t.gH, Rand: rng}, i > 0)
		if err != nil {
			return fmt.Errorf("train: step %d: %w", s.Number, err)
		}
		if name := notFinite(terms); name != "" {
			return fmt.Errorf("train: step %d: the loss term %s is not finite%s", s.Number, name, t.remedy(part))
		}
		t.Model.Backward(t.gE, t.gH, len(part.Items))
		s.Loss = addScaled(s.Loss, terms, 1/float64(len(parts)))
	}
	return nil
}

// rand is what the loss of a step draws from.
func (t *Trainer) rand(step int) *rand.Rand {
	return rand.New(rand.NewPCG(t.o.Seed, 0x7e57<<32|uint64(step)))
}

// move moves the model, in its first epochs without the trunk.
func (t *Trainer) move(m optim.Move) {
	if t.epochsDone() >= t.o.Frozen {
		t.trunk.Move(m)
	} else {
		for _, p := range t.params {
			if p.Group == "trunk" {
				p.ZeroGrad()
			}
		}
	}
	t.rest.Move(m)
}

// load copies the items of b, or a draw of each, into t.x. They stand at first
// and on in the batch of the step.
func (t *Trainer) load(b Batch, first int) error {
	d := t.Model.In().Size()
	t.x = sized(t.x, len(b.Items)*d)
	for i, item := range b.Items {
		x, err := t.x[i*d:(i+1)*d], error(nil)
		if t.drawer != nil {
			err = t.drawer.Draw(x, item, t.draw(t.steps, first+i))
		} else {
			err = t.src.Item(x, item)
		}
		if err != nil {
			return fmt.Errorf("train: item %d: %w", item, err)
		}
	}
	return nil
}

// rate is the trunk's rate at the present step.
func (t *Trainer) rate() float64 {
	return t.o.Rate * t.o.Schedule.Factor(t.place, t.sampler.Steps(), t.o.Epochs)
}

// useAverage makes the model's weights the average of Options.Average, or
// those that are trained.
func (t *Trainer) useAverage(on bool) {
	if t.average != nil && t.average.Swapped() != on {
		t.average.Swap()
	}
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

// sized returns a slice of n entries, s itself if it is large enough.
func sized(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}

package train

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/metric"
	"github.com/chestlab/chest/kernel/display"
)

// Epoch is what one pass over the training set found.
type Epoch struct {
	Number  int        // 1 for the first of the run
	Loss    loss.Terms // mean over the steps
	Rate    float64    // after the last step
	Seconds float64    // of training, without the measurement
	Watched bool       // E and H were measured on Options.Watch
	E, H    metric.Result
}

// History is the epochs that Epoch and Fit have done so far, oldest first.
func (t *Trainer) History() []Epoch {
	if j := t.told.running(); j != nil {
		return slices.Clone(j.view().history)
	}
	return slices.Clone(t.history)
}

// Steps is the number of steps of an epoch.
func (t *Trainer) Steps() int { return t.sampler.Steps() }

// run is the epoch in progress.
type run struct {
	Number  int        // of the epoch, from 1
	Draw    int        // which of the sampler's epochs its batches are
	At      int        // steps done
	Loss    loss.Terms // their share of the mean
	Rate    float64
	Seconds float64
}

// Epoch trains one pass and measures Options.Watch, if it is set. With
// Options.Average the model has the averaged weights afterwards, until the next
// step. When ctx
// ends it stops after the present step and returns ctx's error; what was
// learnt stays, and the next Epoch or Fit goes on with the next step: the result
// is that of a run that was never stopped. An epoch whose measurement was stopped
// is measured then. On says where it is computed.
func (t *Trainer) Epoch(ctx context.Context, o ...Option) (e Epoch, err error) {
	if err := t.told.busy("Epoch"); err != nil {
		return Epoch{}, err
	}
	ctx, done := context.WithCancel(ctx) // stays with the cell that called
	defer done()
	if err := t.open(); err != nil {
		return Epoch{}, err
	}
	if err := t.attach(ctx, whereOf(o)); err != nil {
		return Epoch{}, err
	}
	e, err = t.epoch(ctx, nil)
	return e, errors.Join(err, t.detach())
}

// Fit trains until Options.Epochs epochs are done or Options.Patience is at its
// end, with progress. It may be called again after an interrupt and goes on as
// Epoch does. Epochs that a loop of Batches and Step has done count. It returns
// the History, also beside an error.
//
// On says where it is computed: tr.Fit(ctx, train.On("cuda")). A GPU that fails ends
// the run with an error that says what was lost: the trainer is then where the last
// epoch or checkpoint ended, and goes on from there, on the processor if it must.
func (t *Trainer) Fit(ctx context.Context, o ...Option) ([]Epoch, error) {
	if err := t.told.busy("Fit"); err != nil {
		return t.History(), err
	}
	ctx, done := context.WithCancel(ctx) // stays with the cell that called
	defer done()
	on, p := whereOf(o), t.progress()
	if on.device != "cpu" {
		j := newJob(on.device)
		j.aim(t, t.o.Epochs)
		defer func() { t.meter = nil }()
		p = t.reporter(j)
	}
	err := t.fit(ctx, on, t.o.Epochs, p)
	return t.History(), err
}

// fit trains until so many epochs are done.
func (t *Trainer) fit(ctx context.Context, on where, until int, p Progress) (err error) {
	if err := t.open(); err != nil {
		return err
	}
	more := func() bool { return !t.best.Stopped && (t.epochsDone() < until || t.run != nil) }
	if more() {
		if err := t.attach(ctx, on); err != nil {
			return err
		}
	}
	p.Start(until*t.sampler.Steps(), "training")
	for more() {
		if e, err := t.epoch(ctx, p); err != nil {
			err = errors.Join(err, t.detach())
			if ctx.Err() != nil {
				p.Finish(fmt.Sprintf("interrupted in epoch %d; the model keeps what it learnt", e.Number))
			} else {
				p.Finish(err.Error())
			}
			return err
		}
	}
	p.Finish(t.status() + t.gpu.status())
	return t.detach()
}

// epoch goes on with the run, or begins one, to its end.
func (t *Trainer) epoch(ctx context.Context, p Progress) (Epoch, error) {
	r := t.begin()
	if err := t.walk(ctx, r, p); err != nil {
		if t.gpu != nil && t.gpu.failedBy(err) {
			err = t.fallBack(err)
		}
		return Epoch{Number: r.Number}, errors.Join(err, t.saveStopped(ctx))
	}
	if err := t.sync(); err != nil {
		return Epoch{Number: r.Number}, err
	}
	e := Epoch{Number: r.Number, Loss: r.Loss, Rate: r.Rate, Seconds: r.Seconds}
	t.useAverage(true)
	if err := t.watch(ctx, &e); err != nil {
		return e, errors.Join(err, t.saveStopped(ctx))
	}
	t.run = nil
	t.inspect(e)
	t.history = append(t.history, e)
	t.judge(e)
	t.keep()
	if t.o.Checkpoint != "" {
		if err := t.save(t.o.Checkpoint); err != nil {
			return e, err
		}
	}
	t.tell(nil)
	if t.o.OnEpoch != nil {
		t.o.OnEpoch(e)
	}
	return e, nil
}

// begin returns the epoch in progress, a new one if there is none.
func (t *Trainer) begin() *run {
	if t.run == nil {
		t.place = t.epochsDone() * t.sampler.Steps()
		t.run = &run{Number: t.epochsDone() + 1, Draw: t.epochs}
		t.epochs++
	}
	t.announce(t.run.Number - 1)
	return t.run
}

// walk trains the steps of r that are left.
func (t *Trainer) walk(ctx context.Context, r *run, p Progress) error {
	batches := t.sampler.Epoch(r.Draw)
	t.coming = batches
	defer t.forget()
	begin, before := time.Now(), r.Seconds
	clock := func() { r.Seconds = before + time.Since(begin).Seconds() }
	if t.gpu != nil && t.gpu.whole != nil {
		return t.walkWhole(ctx, r, batches, clock, p)
	}
	for r.At < len(batches) {
		if err := ctx.Err(); err != nil {
			return stopped(r, len(batches), err)
		}
		s, err := t.step(batches[r.At])
		if err != nil {
			return err
		}
		if t.gpu != nil {
			t.gpu.dirty = true
			t.gpu.items += len(batches[r.At].Items)
		}
		clock()
		if err := t.stepped(r, s, len(batches), p, true); err != nil {
			return err
		}
	}
	return nil
}

// stopped is the error of a run whose context has ended.
func stopped(r *run, steps int, err error) error {
	return fmt.Errorf("train: stopped in epoch %d after %d of %d steps: %w", r.Number, r.At, steps, err)
}

// stepped counts a step of r, of so many, and says what it found. complete says
// that no later step is done already.
func (t *Trainer) stepped(r *run, s Step, steps int, p Progress, complete bool) error {
	r.At++
	r.Loss, r.Rate = addScaled(r.Loss, s.Loss, 1/float64(steps)), s.Rate
	if n := t.o.CheckpointSteps; complete && n > 0 && t.o.Checkpoint != "" && t.steps%n == 0 {
		if err := t.save(t.o.Checkpoint); err != nil {
			return err
		}
	}
	t.tell(&s)
	if t.o.OnStep != nil {
		t.o.OnStep(s)
	}
	if p != nil {
		p.Set(t.place, fmt.Sprintf("epoch %d/%d · loss %.3f%s%s", r.Number, t.o.Epochs, s.Loss.Total, t.lastRecall(), t.gpu.status()))
	}
	return nil
}

// saveStopped writes the checkpoint of a run that was interrupted.
func (t *Trainer) saveStopped(ctx context.Context) error {
	if ctx.Err() == nil || t.o.Checkpoint == "" {
		return nil
	}
	return t.save(t.o.Checkpoint)
}

// watch measures Options.Watch after e, when its turn has come.
func (t *Trainer) watch(ctx context.Context, e *Epoch) error {
	if t.o.Watch == nil || (e.Number%t.o.Every != 0 && e.Number != t.o.Epochs) {
		return nil
	}
	s, err := Evaluate(ctx, t.Model, t.o.Watch, nil)
	if err != nil {
		return fmt.Errorf("train: measuring after epoch %d: %w", e.Number, err)
	}
	e.E, e.H, e.Watched = s.E, s.H, true
	return nil
}

// status is the closing line of a Fit.
func (t *Trainer) status() string {
	if len(t.history) == 0 {
		return ""
	}
	text := fmt.Sprintf("loss %.3f%s", t.history[len(t.history)-1].Loss.Total, t.lastRecall())
	if t.best.Stopped {
		text += fmt.Sprintf(" · stopped: no gain since epoch %d, whose weights these are", t.best.Epoch)
	}
	return text
}

// lastRecall is the newest Recall@1 in the spaces that are trained, as text,
// or "".
func (t *Trainer) lastRecall() string {
	for i := len(t.history) - 1; i >= 0; i-- {
		if e := t.history[i]; e.Watched {
			return recall(e, t.Loss.Uses())
		}
	}
	return ""
}

// recall is Recall@1 of e in the spaces of s, as text.
func recall(e Epoch, s loss.Space) string {
	text := " · R@1"
	if s != loss.OnlyH {
		text += fmt.Sprintf(" E %.3f", e.E.At(1))
	}
	if s != loss.OnlyE {
		text += fmt.Sprintf(" H %.3f", e.H.At(1))
	}
	return text
}

// progress is the reporter of a Fit.
func (t *Trainer) progress() Progress {
	switch {
	case t.o.Silent:
		return silent{}
	case t.o.Progress != nil:
		return t.o.Progress
	}
	return new(display.Progress)
}

// silent reports nothing.
type silent struct{}

func (silent) Start(int, string) {}
func (silent) Set(int, string)   {}
func (silent) Finish(string)     {}

// addScaled is sum + w·l, term by term. Parts are in memory of its own.
func addScaled(sum, l loss.Terms, w float64) loss.Terms {
	sum.Total += w * l.Total
	sum.E += w * l.E
	sum.Merge += w * l.Merge
	sum.H += w * l.H
	sum.Tree += w * l.Tree
	sum.Clipped += w * l.Clipped
	if len(sum.Parts) == 0 && len(l.Parts) > 0 {
		sum.Parts = append([]loss.Part(nil), l.Parts...)
		for i := range sum.Parts {
			sum.Parts[i].Value *= w
		}
		return sum
	}
	for i, p := range l.Parts {
		sum.Parts[i].Value += w * p.Value
	}
	return sum
}

// String says how far the training is.
func (t *Trainer) String() string {
	if j := t.told.running(); j != nil {
		return j.String()
	}
	text := fmt.Sprintf("%d of %d epochs of %d steps done", t.epochsDone(), t.o.Epochs, t.Steps())
	if last := t.status(); last != "" {
		text += " · " + last
	}
	return text
}

// String is the epoch on one line.
func (e Epoch) String() string {
	text := fmt.Sprintf("epoch %d: loss %.3f, rate %.2g, %.1f s", e.Number, e.Loss.Total, e.Rate, e.Seconds)
	if e.Watched {
		text += fmt.Sprintf(", R@1 E %.1f H %.1f", 100*e.E.At(1), 100*e.H.At(1))
	}
	return text
}

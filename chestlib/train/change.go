package train

import (
	"fmt"
	"math"
)

// SetRate changes Options.Rate for the steps that come: the schedule's factor is
// taken of the new rate. Weights, moments and the place in the run stay, so an
// interrupted Fit goes on by another Fit.
//
//	_, err := tr.Fit(ctx) // interrupted
//	err = tr.SetRate(1e-3)
//	_, err = tr.Fit(ctx)
//
// Config and checkpoints then know the new rate only: a run that others can make
// again has an optim.Schedule instead. A rate that is not positive and finite is
// an error, and so is a change while a Job runs.
func (t *Trainer) SetRate(rate float64) error {
	if err := t.told.busy("SetRate"); err != nil {
		return err
	}
	if !(rate > 0) || math.IsInf(rate, 1) {
		return fmt.Errorf("train: SetRate: %g; want a positive number", rate)
	}
	t.o.Rate = rate
	return nil
}

// SetEpochs changes Options.Epochs: where Fit ends, and over how many epochs the
// schedule spreads from now on. With the usual schedule more epochs bring a rate
// back that had come down. Fewer epochs than are done are an error, and so is a
// change while a Job runs.
func (t *Trainer) SetEpochs(epochs int) error {
	if err := t.told.busy("SetEpochs"); err != nil {
		return err
	}
	if done := t.epochsDone(); epochs < max(done, 1) {
		return fmt.Errorf("train: SetEpochs: %d; want 1 or more and not fewer than the %d that are done", epochs, done)
	}
	t.o.Epochs = epochs
	return nil
}

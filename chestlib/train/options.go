package train

import (
	"cmp"

	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/chestlib/optim"
)

// Options controls a Trainer. The zero value trains 10 epochs of the full
// CHEST loss with the rates below; all defaults here are ours.
type Options struct {
	Epochs     int     // passes over the training set, after which a step of rate 0 is an error; 0 means 10
	Classes    int     // classes a batch; 0 means 32
	PerClass   int     // items of each class in a batch; 0 means 2
	Accumulate int     // parts of whole classes that a batch goes through the model in, for memory; 0 means 1
	Rate       float64 // the optimiser's rate at the start; 0 means 3e-3
	ProxyRate  float64 // rate of the proxies as a multiple of Rate; 0 means 1
	HeadRate   float64 // rate of the heads as a multiple of Rate; 0 means 1
	Decay      float64 // AdamW's weight decay; 0 means 1e-2, negative means none
	MaxNorm    float64 // gradients of larger norm are scaled down; 0 means 10, negative means never
	MaxEntry   float64 // then entries of the gradient are cut to ±MaxEntry; 0 means never
	Average    float64 // decay of a moving average of the model's weights, which is then what is measured; 0 means none
	Frozen     int     // epochs at the start in which the trunk stays as it is
	Seed       uint64  // the run is a function of Seed, the model's own seed and the data

	Loss     loss.Recipe    // nil means loss.CHESTOptions{}; curvature and clip come from the model
	Optim    optim.Recipe   // of the model and of the proxies; nil means AdamW with Decay
	Schedule optim.Schedule // of Rate; nil means optim.Cosine{}: half a cosine to 0 over Epochs

	Watch    model.Source // measured after each epoch, if not nil; never trained on
	Every    int          // measure Watch every so many epochs; 0 means 1
	Patience int          // stop after so many measurements without a gain, and go back to the best epoch; 0 means never

	// Checkpoint is a file that Fit and Epoch write after each epoch and when
	// they are stopped. If it is there when they begin, they go on from it, with
	// the bits of a run that was never stopped; see Trainer.Load. "" means none.
	Checkpoint      string
	CheckpointSteps int // write it after so many steps, too; 0 means not

	OnStep  func(Step)   // called after each step of Epoch and Fit
	OnEpoch func(Epoch)  // called after each epoch of Epoch and Fit
	OnWarn  func(string) // called with a warning, each kind once; nil writes to standard error unless Silent

	Progress Progress // where Fit says how far it is; nil means a display.Progress
	Silent   bool     // no progress at all
}

// Progress is what Fit reports to; *display.Progress is one.
type Progress interface {
	Start(total int, what string)
	Set(done int, status string)
	Finish(status string)
}

// withDefaults fills the zeros.
func (o Options) withDefaults() Options {
	o.Epochs = cmp.Or(o.Epochs, 10)
	o.Classes = cmp.Or(o.Classes, 32)
	o.PerClass = cmp.Or(o.PerClass, 2)
	o.Accumulate = cmp.Or(o.Accumulate, 1)
	o.Every = cmp.Or(o.Every, 1)
	o.Rate = cmp.Or(o.Rate, 3e-3)
	o.ProxyRate = cmp.Or(o.ProxyRate, 1)
	o.HeadRate = cmp.Or(o.HeadRate, 1)
	o.MaxNorm = cmp.Or(o.MaxNorm, 10)
	if o.Loss == nil {
		o.Loss = loss.CHESTOptions{}
	}
	if o.Optim == nil {
		o.Optim = optim.AdamWOptions{Decay: o.Decay}
	}
	if o.Schedule == nil {
		o.Schedule = optim.Cosine{}
	}
	return o
}

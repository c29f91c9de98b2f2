// Package engine runs the training step after the heads: loss, gradients and the
// move of the proxies. chestlib/loss defines what is computed, in float64 and
// plainly; an engine of CHEST computes the same in float32 and fast, and Plain
// runs the definition of any other loss.
//
//	uE, uH → points ─┐
//	         proxies ─┴→ similarities → soft assignment → log-sum-exp → loss
//	                      triplets of proxies → HypHC ────────────────┘
//	                                gradients by uE, uH and the proxies → AdamW
package engine

import (
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
)

// Engine is one implementation of the step. It is used by one goroutine at a
// time. All of them pass the suite of package enginetest.
type Engine interface {
	// Loss returns the terms of a batch, overwrites b.GE and b.GH with the
	// gradients of Total by b.E and b.H, and keeps those by the params for Update.
	// With b.GE and b.GH both nil it computes the terms only. more adds the
	// gradients by the params to those that are kept already, for a step of
	// several batches. The gradient by a ball that is learned is added to its own
	// param, which is the model's, always.
	//
	// The features of a space not in use may be nil, and its gradient is cleared.
	// b.Rand is drawn from as the definition of the loss draws.
	//
	// Lengths that do not fit and labels that are no class are an error, as is
	// a device that fails. Then nothing has changed but b.GE and b.GH.
	Loss(b loss.Batch, more bool) (loss.Terms, error)
	// Norm is the Euclidean norm of the gradient by all params that Update would
	// follow.
	Norm() float64
	// Update moves the params by the optimiser along the gradient.
	Update(m optim.Move) error
	// Params are the proxies, with the values of the last Sync or Loss of an
	// engine that keeps them elsewhere. Their Grad belongs to the engine.
	Params() []*optim.Param
	// Sync brings the values of Params up to date, and their Grad where the
	// gradient is kept for Update.
	Sync() error
	// Optimizer is what Update moves the params by; its State is up to date after
	// Sync. It must not be stepped from outside.
	Optimizer() optim.Optimizer
	// Name says what computes, for records: "cpu avx512, 2 threads".
	Name() string
}

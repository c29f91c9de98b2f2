// Package engine runs the CHEST step after the heads: loss, gradients and the
// move of the proxies. chestlib/loss defines what is computed, in float64 and
// plainly; an engine computes the same in float32 and fast.
//
//	uE, uH → points ─┐
//	         proxies ─┴→ similarities → soft assignment → log-sum-exp → loss
//	                      triplets of proxies → HypHC ────────────────┘
//	                                gradients by uE, uH and the proxies → AdamW
package engine

import (
	"math/rand/v2"

	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
)

// Engine is one implementation of the step. It is used by one goroutine at a
// time. All of them pass the suite of package enginetest.
type Engine interface {
	// Loss returns the terms of a batch, overwrites gE and gH with the
	// gradients of Total by uE and uH, and keeps those by the proxies for
	// Update. With gE and gH both nil it computes the terms only.
	//
	// uE is B×dE, uH is B×dH, label has B entries; the features of a space not
	// in use may be nil, and its gradient is cleared. rng draws the tree's
	// triplets, as loss.CHEST.Step draws them.
	//
	// Lengths that do not fit and labels that are no class are an error, as is
	// a device that fails. Then nothing has changed but gE and gH.
	Loss(uE, uH []float32, label []int, gE, gH []float32, rng *rand.Rand) (loss.Terms, error)
	// Norm is the Euclidean norm of the gradient by all proxies in the last Loss.
	Norm() float64
	// Update moves the proxies by AdamW along the gradient of the last Loss,
	// multiplied by scale: 1, or less to clip. rate is that of a group with
	// rate 1.
	Update(rate, scale float64) error
	// Params are the proxies, with the values of the last Sync or Loss of an
	// engine that keeps them elsewhere. Their Grad belongs to the engine.
	Params() []*optim.Param
	// Sync brings the values of Params up to date.
	Sync() error
	// Name says what computes, for records: "cpu avx512, 2 threads".
	Name() string
}

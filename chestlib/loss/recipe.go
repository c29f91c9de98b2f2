package loss

import (
	"fmt"
	"math/rand/v2"

	"github.com/chestlab/chest/chestlib/ball"
	"github.com/chestlab/chest/chestlib/optim"
)

// Loss is a loss of a batch, in one space or in both. CHEST is one, and so are
// the baselines of the tables and the sums that Sum makes of them.
//
// A loss keeps its workspaces from step to step: it must not be used from two
// goroutines at once.
type Loss interface {
	// Add returns the terms of b and, unless b.GE and b.GH are both nil, adds
	// weight times the gradients of Total to them, to the Grad of Params and, for a
	// ball that is learned, to the Grad of its Param.
	// The terms themselves are not weighted.
	//
	// Lengths that do not fit and labels that are no class are bugs of the
	// caller: Add panics.
	Add(b Batch, weight float64) Terms
	// Params are what the loss trains beside the model: proxies as a rule, none
	// for a loss of pairs.
	Params() []*optim.Param
	// Uses says whose features Add reads.
	Uses() Space
}

// Scheduled is a Loss that changes with the progress of training, as CHEST does
// when the temperature of its tree is annealed.
type Scheduled interface {
	Loss
	// BeginEpoch is called before the first step of each epoch, when done of of
	// epochs are behind. What it sets depends on the two alone, so that a run that
	// is taken up again goes on as it would have.
	BeginEpoch(done, of int)
}

// Batch is the features of a step and the places for the gradients by them.
type Batch struct {
	E, H   []float32  // B×DE and B×DH, as the heads gave them; of a space not in use they may be nil
	Label  []int      // the class of each row, in [0, Classes)
	GE, GH []float32  // the gradients by E and H are added to these; both nil: values only
	Rand   *rand.Rand // for the random choices of a step; nil makes the same ones in each
}

// Setting is what a loss is made for: the classes of the training set and the
// two spaces of the model.
type Setting struct {
	Classes   int
	DE, DH    int        // dimensions
	Curvature float64    // c ≥ 0 of the ball; 0 is flat
	Clip      float64    // r, the longest tangent vector; negative means none
	Ball      *ball.Ball // the model's, of which these two are the present values; nil means fixed at them, with a hard clip
	Seed      uint64     // of the first proxies, where the recipe has no seed of its own
}

// checkBall finds a Ball that contradicts the two numbers beside it.
func (s Setting) checkBall() error {
	if b := s.Ball; b != nil && (b.Curvature() != s.Curvature || b.Clip() != s.Clip) {
		return fmt.Errorf("loss: Setting: Curvature %g and Clip %g are not those of its Ball, %g and %g; take them from it", s.Curvature, s.Clip, b.Curvature(), b.Clip())
	}
	return nil
}

// Recipe is the options of a loss, from which a trainer makes it: the zero
// value of each options struct here is the setting of its paper.
type Recipe interface {
	// Name is how tables, records and command lines call the loss: "chest",
	// "proxy-anchor".
	Name() string
	// Make makes the loss. Options without meaning are an error.
	Make(s Setting) (Loss, error)
}

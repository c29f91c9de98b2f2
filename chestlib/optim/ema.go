package optim

import (
	"cmp"
	"fmt"
	"math"

	"github.com/chestlab/chest/internal/vmath"
)

// EMAOptions controls NewEMA.
type EMAOptions struct {
	Decay   float64 // β, the memory of the average, in [0, 1); 0 means 0.999
	Threads int     // 0 means GOMAXPROCS; the result does not depend on it
}

// EMA is an exponential moving average of params over the steps of a run, for
// evaluation:
//
//	avg_t = Σ β^{t-i} w_i / Σ β^{t-i},  i = 1, …, t
//
// The weights sum to 1 from the first step on, so there is no bias towards the
// initial values and nothing to correct: the first average is w₁, and until
// about 1/(1-β) steps it is nearly the plain mean. It is computed as
//
//	avg ← avg + (1-β)/(1-βᵗ) (w - avg)
//
// and kept in float32: with β above 0.9999 changes below 6e-8/(1-β) of a weight
// are lost to rounding. Averages of points of a ball are means of coordinates;
// they lie in the ball, nearer to the origin than the geodesic mean.
//
//	adam.Move(move)
//	ema.Update()
//	...
//	ema.Swap() // params are the averages
//	evaluate()
//	ema.Swap() // and what they were
//
// Source: B. Polyak and A. Juditsky, "Acceleration of Stochastic Approximation by
// Averaging" (1992), with exponential weights.
type EMA struct {
	l       loop // not embedded: an average does not move
	beta    float64
	swapped bool

	update, swap func(task, worker int) // the methods, made once
	share        float64                // (1-β)/(1-βᵗ) of the update in progress
}

// NewEMA makes an average of params, which begins with the first Update. It
// panics when one array is handed in twice.
func NewEMA(params []*Param, o EMAOptions) (*EMA, error) {
	e := &EMA{beta: cmp.Or(o.Decay, 0.999)}
	if !(e.beta >= 0 && e.beta < 1) {
		return nil, fmt.Errorf("optim: EMA: Decay is %g; give a number in [0, 1), 0 for 0.999", o.Decay)
	}
	var err error
	if e.l, err = newLoop("EMA", params, Common{Threads: o.Threads}, 0, true); err != nil {
		return nil, err
	}
	for i := range e.l.slots {
		e.l.slots[i].m = make([]float32, len(e.l.slots[i].p.Value))
	}
	e.update, e.swap = e.updatePiece, e.swapPiece
	return e, nil
}

// Update takes the params of one more step into the average. It allocates
// nothing. It panics between two calls of Swap, when they are not those of a step.
func (e *EMA) Update() {
	e.unswapped("Update")
	e.l.steps++
	e.share = (1 - e.beta) / (1 - math.Pow(e.beta, float64(e.l.steps)))
	e.l.team.Tasks(len(e.l.pieces), e.update)
}

func (e *EMA) updatePiece(task, _ int) {
	s, at, w, _ := e.l.at(task)
	avg := s.m[at.lo:at.hi]
	vmath.Combine64(avg, -e.share, avg, e.share, w)
}

// Swap exchanges the values of the params and the averages; the next Swap brings
// them back. Between the two, nothing may train. Before the first Update the
// params are their own average.
func (e *EMA) Swap() {
	e.swapped = !e.swapped
	if e.l.steps > 0 {
		e.l.team.Tasks(len(e.l.pieces), e.swap)
	}
}

func (e *EMA) swapPiece(task, _ int) {
	s, at, w, _ := e.l.at(task)
	for i, avg := range s.m[at.lo:at.hi] {
		s.m[at.lo+i], w[i] = w[i], avg
	}
}

// Swapped says whether the params hold the averages.
func (e *EMA) Swapped() bool { return e.swapped }

// State is the averages, for checkpoints: who writes into the arrays of another
// EMA of the same options and params, and calls SetSteps, goes on where it was.
// It panics between two calls of Swap.
func (e *EMA) State() (all []State) {
	e.unswapped("State")
	for _, s := range e.l.slots {
		all = append(all, State{s.p.Name + "/ema", s.m})
	}
	return all
}

// Steps is the number of updates so far.
func (e *EMA) Steps() int { return e.l.steps }

// SetSteps sets the number of updates so far.
func (e *EMA) SetSteps(steps int) { e.l.steps = steps }

// unswapped panics between two calls of Swap.
func (e *EMA) unswapped(name string) {
	if e.swapped {
		panic(fmt.Sprintf("optim: EMA: %s while the averages are swapped in; call Swap first", name))
	}
}

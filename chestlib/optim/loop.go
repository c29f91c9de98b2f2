package optim

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/chestlab/chest/internal/parallel"
)

// loop is what the optimisers share: the params with their state, cut into
// pieces that the threads move. The cut depends on the shapes alone, so the bits
// of a step do not depend on the number of threads.
type loop struct {
	slots  []slot
	pieces []piece
	steps  int
	now    Move // the step in progress
	team   *parallel.Team
	task   func(task, worker int) // moves one piece; made once, a new one would be allocated
}

// slot is one param with its state.
type slot struct {
	p     *Param
	m, v  []float32
	rate  float64 // factor of Move.Rate
	decay float64
}

// piece is a part of a slot that one task moves: entries [lo, hi), whole rows
// of a ball.
type piece struct{ slot, lo, hi int }

// pieceSize is the number of weights in a piece, about.
const pieceSize = 1 << 14

// newLoop prepares params for the optimiser called name, without its state.
// Points of a ball are an error unless ball is set.
func newLoop(name string, params []*Param, c Common, decay float64, ball bool) (loop, error) {
	if err := checkCommon(name, c); err != nil {
		return loop{}, err
	}
	l := loop{team: parallel.NewTeam(c.Threads)}
	checkArrays(name, params)
	for i, p := range params {
		if p.Ball != 0 && !ball {
			return loop{}, fmt.Errorf("optim: %s: the rows of param %q are points of a ball (c = %g), which this would move out of it; use riemannian-adam or riemannian-sgd", name, p.Name, p.Ball)
		}
		if !(p.Ball >= 0) || math.IsInf(p.Ball, 1) {
			return loop{}, fmt.Errorf("optim: %s: Ball of param %q is %g; give c > 0, minus the curvature, or 0 for flat space", name, p.Name, p.Ball)
		}
		size := p.pieceSize()
		for lo := 0; lo < len(p.Value); lo += size {
			l.pieces = append(l.pieces, piece{i, lo, min(lo+size, len(p.Value))})
		}
		g := c.Groups[p.Group]
		s := slot{p: p, rate: cmp.Or(g.Rate, 1)}
		if !p.Plain {
			s.decay = max(cmp.Or(g.Decay, decay), 0)
		}
		l.slots = append(l.slots, s)
	}
	return l, nil
}

// checkArrays panics when one array is handed in twice or has a gradient of
// another length: training would be wrong without a sign.
func checkArrays(name string, params []*Param) {
	seen := make(map[*float32]bool, len(params))
	for _, p := range params {
		if len(p.Value) != len(p.Grad) {
			panic(fmt.Sprintf("optim: %s: param %q has %d values and %d gradients", name, p.Name, len(p.Value), len(p.Grad)))
		}
		if p.Ball != 0 && (p.row() < 1 || len(p.Value)%p.row() != 0) {
			panic(fmt.Sprintf("optim: %s: param %q has %d values, which are no rows of shape %v", name, p.Name, len(p.Value), p.Shape))
		}
		if len(p.Value) == 0 {
			continue
		}
		if seen[&p.Value[0]] {
			panic(fmt.Sprintf("optim: %s: param %q is listed twice", name, p.Name))
		}
		seen[&p.Value[0]] = true
	}
}

// row is the length of a row: the last size of Shape.
func (p *Param) row() int {
	if len(p.Shape) == 0 {
		return 0
	}
	return p.Shape[len(p.Shape)-1]
}

// pieceSize is how much of the param one task moves.
func (p *Param) pieceSize() int {
	if p.Ball == 0 {
		return pieceSize
	}
	return max(pieceSize/p.row(), 1) * p.row()
}

// Move implements Optimizer.
func (l *loop) Move(m Move) {
	l.steps++
	l.now = m
	l.team.Tasks(len(l.pieces), l.task)
}

// Steps implements Optimizer.
func (l *loop) Steps() int { return l.steps }

// SetSteps implements Optimizer.
func (l *loop) SetSteps(steps int) { l.steps = steps }

// at returns the slot of a task, and its weights and gradients.
func (l *loop) at(task int) (s *slot, at piece, w, g []float32) {
	at = l.pieces[task]
	s = &l.slots[at.slot]
	return s, at, s.p.Value[at.lo:at.hi], s.p.Grad[at.lo:at.hi]
}

// checkCommon finds rates, decays and threads without meaning.
func checkCommon(name string, c Common) error {
	if c.Threads < 0 {
		return fmt.Errorf("optim: %s: Threads is %d; give a positive number, or 0 for GOMAXPROCS", name, c.Threads)
	}
	for _, group := range slices.Sorted(maps.Keys(c.Groups)) {
		g := c.Groups[group]
		if !(g.Rate >= 0) || math.IsInf(g.Rate, 1) {
			return fmt.Errorf("optim: %s: the Rate of group %q is %g; give a factor > 0, or 0 for 1", name, group, g.Rate)
		}
		if err := checkDecay(name, fmt.Sprintf("the Decay of group %q", group), g.Decay); err != nil {
			return err
		}
	}
	return nil
}

// checkDecay finds decays that are no number.
func checkDecay(name, what string, decay float64) error {
	if math.IsNaN(decay) || math.IsInf(decay, 0) {
		return fmt.Errorf("optim: %s: %s is %g; give a number, negative for none", name, what, decay)
	}
	return nil
}

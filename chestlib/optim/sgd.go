package optim

import (
	"fmt"

	"github.com/chestlab/chest/internal/vmath"
)

// SGDOptions controls SGD. The zero value is plain gradient descent.
type SGDOptions struct {
	Momentum float64 // μ, the share of the last step that goes on, in [0, 1); 0 means none
	Nesterov bool    // look ahead along the momentum, which must not be 0
	Decay    float64 // λ of the penalty λ/2‖w‖², whose gradient is added; 0 or negative means none
}

// check finds settings without meaning.
func (o SGDOptions) check(name string) error {
	if !(o.Momentum >= 0 && o.Momentum < 1) {
		return fmt.Errorf("optim: %s: Momentum is %g; give a number in [0, 1), 0 for none", name, o.Momentum)
	}
	if o.Nesterov && o.Momentum == 0 {
		return fmt.Errorf("optim: %s: Nesterov without Momentum; give a Momentum in (0, 1), usually 0.9", name)
	}
	return checkDecay(name, "Decay", o.Decay)
}

// SGD is stochastic gradient descent with momentum. With the gradient g after
// clipping, the rate η of the param's group and its decay λ, each weight w moves
// by
//
//	g ← g + λw
//	b ← μb + g             b = 0 before the first step
//	w ← w - ηb             or, with Nesterov, w - η(g + μb)
//
// λ is 0 for plain params; without momentum b = g is not kept. All of it is
// float32. A step allocates nothing.
//
// This is PyTorch's convention, with dampening 0: the rate stands outside of b,
// so that a new rate acts at once. In the papers it stands inside, b ← μb - ηg,
// which is the same while the rate is constant.
//
// Source: I. Sutskever, J. Martens, G. Dahl and G. Hinton, "On the importance of
// initialization and momentum in deep learning" (2013), section 2.
type SGD struct {
	loop
	momentum float64
	nesterov bool
}

// Name implements Recipe.
func (o SGDOptions) Name() string { return "sgd" }

// Make implements Recipe.
func (o SGDOptions) Make(params []*Param, c Common) (Optimizer, error) {
	s := new(SGD)
	if err := s.init(o.Name(), params, o, c, false); err != nil {
		return nil, err
	}
	s.task = s.movePiece
	return s, nil
}

// init makes s ready for params, but for the task.
func (s *SGD) init(name string, params []*Param, o SGDOptions, c Common, ball bool) error {
	if err := o.check(name); err != nil {
		return err
	}
	var err error
	if s.loop, err = newLoop(name, params, c, o.Decay, ball); err != nil {
		return err
	}
	s.momentum, s.nesterov = o.Momentum, o.Nesterov
	for i := range s.slots {
		if s.momentum != 0 {
			s.slots[i].m = make([]float32, len(s.slots[i].p.Value))
		}
	}
	return nil
}

// movePiece changes one piece.
func (s *SGD) movePiece(task, _ int) {
	slot, at, w, g := s.at(task)
	prepare(w, g, s.now, slot.decay)
	rate, step := float32(s.now.Rate*slot.rate), g
	if mu := float32(s.momentum); mu != 0 {
		b := slot.m[at.lo:at.hi]
		vmath.Scale(b, mu, b)
		vmath.Axpy(b, 1, g)
		if s.nesterov {
			vmath.Axpy(g, mu, b)
		} else {
			step = b
		}
	}
	vmath.Axpy(w, -rate, step)
	clear(g)
}

// State implements Optimizer: b of each param, nothing without momentum.
func (s *SGD) State() (all []State) {
	for _, slot := range s.slots {
		if slot.m != nil {
			all = append(all, State{slot.p.Name + "/b", slot.m})
		}
	}
	return all
}

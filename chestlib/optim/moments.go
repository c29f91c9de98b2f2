package optim

import (
	"fmt"
	"math"

	"github.com/chestlab/chest/internal/vmath"
)

// moments are the settings of the two averages, m and v, in all of Adam's kin.
type moments struct{ beta1, beta2, eps float64 }

// check finds settings without meaning.
func (m moments) check(name string, decay float64) error {
	for _, b := range []struct {
		name  string
		value float64
	}{{"Beta1", m.beta1}, {"Beta2", m.beta2}} {
		if !(b.value >= 0 && b.value < 1) {
			return fmt.Errorf("optim: %s: %s is %g; give a number in [0, 1), 0 for its default", name, b.name, b.value)
		}
	}
	if !(m.eps > 0) || math.IsInf(m.eps, 1) {
		return fmt.Errorf("optim: %s: Eps is %g; give a positive number, 0 for its default", name, m.eps)
	}
	return checkDecay(name, "Decay", decay)
}

// kernel returns the numbers of step t at that rate, without clipping or decay.
func (m moments) kernel(t int, rate float64) vmath.Adam {
	beta1, beta2 := float32(m.beta1), float32(m.beta2) // the corrections are for what is computed with
	return vmath.Adam{
		Scale: 1,
		Beta1: beta1, Beta2: beta2,
		Keep: 1,
		Step: float32(rate / (1 - math.Pow(float64(beta1), float64(t)))),
		Root: float32(1 / math.Sqrt(1-math.Pow(float64(beta2), float64(t)))),
		Eps:  float32(m.eps),
	}
}

// remember allocates m and v: v has one number a weight, and one a row of a ball.
func (l *loop) remember() {
	for i := range l.slots {
		s := &l.slots[i]
		n := len(s.p.Value)
		s.m = make([]float32, n)
		if s.p.Ball != 0 {
			n /= s.p.row()
		}
		s.v = make([]float32, n)
	}
}

// moved is m and v of each param.
func (l *loop) moved() (all []State) {
	for _, s := range l.slots {
		all = append(all, State{s.p.Name + "/m", s.m}, State{s.p.Name + "/v", s.v})
	}
	return all
}

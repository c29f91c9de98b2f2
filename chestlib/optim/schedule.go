package optim

import (
	"cmp"
	"fmt"
	"math"
)

// Schedule is the learning rate of a run as a function of its progress. The
// zero value of each is a schedule without warm-up; all are plain options, which
// JSON keeps.
type Schedule interface {
	// Name is how records and command lines call it: "cosine".
	Name() string
	// Check finds settings without meaning.
	Check() error
	// Factor is what multiplies the rate in the step that comes after done
	// others, in a run of epochs of stepsPerEpoch steps each. It is in [0, 1] and
	// goes on after the last step. It panics if done is negative, or one of the
	// others is not positive.
	Factor(done, stepsPerEpoch, epochs int) float64
}

// Warmup raises the factor linearly at the beginning of a run. In the first n
// steps it is multiplied by
//
//	(done+1)/n
//
// so the first step already moves, and step n has the whole rate. The zero value
// is no warm-up.
//
// Source: P. Goyal et al., "Accurate, Large Minibatch SGD" (2017), section 2.2.
type Warmup struct {
	Epochs float64 // n in epochs, rounded to steps
	Steps  int     // n in steps; one of the two
}

// check finds settings without meaning.
func (w Warmup) check(name string) error {
	switch {
	case !(w.Epochs >= 0) || math.IsInf(w.Epochs, 1):
		return fmt.Errorf("optim: %s: Warmup.Epochs is %g; give a number of epochs, 0 for none", name, w.Epochs)
	case w.Steps < 0:
		return fmt.Errorf("optim: %s: Warmup.Steps is %d; give a number of steps, 0 for none", name, w.Steps)
	case w.Epochs > 0 && w.Steps > 0:
		return fmt.Errorf("optim: %s: Warmup has %g Epochs and %d Steps; set one of them", name, w.Epochs, w.Steps)
	}
	return nil
}

// steps is n.
func (w Warmup) steps(stepsPerEpoch int) int {
	return w.Steps + int(math.Round(w.Epochs*float64(stepsPerEpoch)))
}

// factor is (done+1)/n, at most 1.
func (w Warmup) factor(done, stepsPerEpoch int) float64 {
	if n := w.steps(stepsPerEpoch); done < n {
		return float64(done+1) / float64(n)
	}
	return 1
}

// Constant keeps the rate, after its warm-up.
type Constant struct{ Warmup Warmup }

// Name implements Schedule.
func (s Constant) Name() string { return "constant" }

// Check implements Schedule.
func (s Constant) Check() error { return s.Warmup.check("constant") }

// Factor implements Schedule: 1, after the warm-up.
func (s Constant) Factor(done, stepsPerEpoch, epochs int) float64 {
	checkProgress(done, stepsPerEpoch, epochs)
	return s.Warmup.factor(done, stepsPerEpoch)
}

// StepDecay multiplies the rate by By after every Every epochs. The zero value is
// the setting of SoftTriple's authors.
type StepDecay struct {
	Every  int     // epochs; 0 means 20
	By     float64 // in (0, 1]; 0 means 0.1
	Warmup Warmup  // multiplies; its epochs count
}

// withDefaults fills the zeros.
func (s StepDecay) withDefaults() StepDecay {
	s.Every, s.By = cmp.Or(s.Every, 20), cmp.Or(s.By, 0.1)
	return s
}

// Name implements Schedule.
func (s StepDecay) Name() string { return "step" }

// Check implements Schedule.
func (s StepDecay) Check() error {
	s = s.withDefaults()
	if s.Every < 1 {
		return fmt.Errorf("optim: step: Every is %d; give a number of epochs, 0 for 20", s.Every)
	}
	if !(s.By > 0 && s.By <= 1) {
		return fmt.Errorf("optim: step: By is %g; give a factor in (0, 1], 0 for 0.1", s.By)
	}
	return s.Warmup.check("step")
}

// Factor implements Schedule. In epoch e, from 0, after the warm-up:
//
//	By^⌊e/Every⌋
func (s StepDecay) Factor(done, stepsPerEpoch, epochs int) float64 {
	checkProgress(done, stepsPerEpoch, epochs)
	s = s.withDefaults()
	return math.Pow(s.By, float64(done/stepsPerEpoch/s.Every)) * s.Warmup.factor(done, stepsPerEpoch)
}

// Cosine lets the rate fall on half a cosine from the end of the warm-up to the
// end of the run.
//
// Source: I. Loshchilov and F. Hutter, "SGDR: Stochastic Gradient Descent with
// Warm Restarts" (2017), equation 5, without restarts.
type Cosine struct {
	Floor  float64 // the factor at the end, in [0, 1]
	Warmup Warmup
}

// Name implements Schedule.
func (s Cosine) Name() string { return "cosine" }

// Check implements Schedule.
func (s Cosine) Check() error {
	if !(s.Floor >= 0 && s.Floor <= 1) {
		return fmt.Errorf("optim: cosine: Floor is %g; give a share of the rate in [0, 1]", s.Floor)
	}
	return s.Warmup.check("cosine")
}

// Factor implements Schedule. With n steps of warm-up of total steps, after it:
//
//	Floor + (1-Floor) (1 + cos(π (done-n)/(total-n)))/2
//
// Floor after the run. A warm-up of the whole run or more only rises.
func (s Cosine) Factor(done, stepsPerEpoch, epochs int) float64 {
	checkProgress(done, stepsPerEpoch, epochs)
	n, total := s.Warmup.steps(stepsPerEpoch), stepsPerEpoch*epochs
	switch {
	case done < n:
		return s.Warmup.factor(done, stepsPerEpoch)
	case done >= total:
		return s.Floor
	}
	return s.Floor + (1-s.Floor)*(1+math.Cos(math.Pi*(float64(done-n)/float64(total-n))))/2
}

// checkProgress panics for a progress that no run has.
func checkProgress(done, stepsPerEpoch, epochs int) {
	if done < 0 || stepsPerEpoch < 1 || epochs < 1 {
		panic(fmt.Sprintf("optim: Factor: %d steps done of %d epochs of %d steps", done, epochs, stepsPerEpoch))
	}
}

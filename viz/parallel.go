package viz

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Setting is one thing that a sweep varies, over all its trials.
type Setting struct {
	Name   string    // "learning rate"
	Values []float64 // of each trial; nil with Words
	Words  []string  // of each trial, where values are words: "Proxy-Anchor"
	Log    bool      // the axis is logarithmic
}

// ParallelOptions says how Parallel draws. The zero value takes the largest
// result for the best.
type ParallelOptions struct {
	Title   string // above the picture; "" means none
	Caption string // one line under the title; "" says what the best trial has
	Measure string // what the results are: "MAP@R"; "" means "result"
	Lower   bool   // the smallest result is the best
}

// ParallelFigure is a picture of the trials of a sweep in parallel coordinates.
type ParallelFigure struct {
	forms
	o      ParallelOptions
	axes   []dimension // the settings, and last the result
	trials int
	err    error // about the values
}

// dimension is an axis with the values of all trials.
type dimension struct {
	name   string
	values []float64 // numbers, or places in words
	words  []string  // each once, from below; nil for numbers
	log    bool
	lo, hi float64   // range of the axis
	ticks  []float64 // its numbers
}

// Parallel draws the trials of a sweep: an axis for each setting and one for
// the result, and a line through the axes for each trial, dark where the result
// is good, the best one in vermilion. In the interactive form a stretch of an
// axis can be marked, and only trials through it stay.
//
// Words stand in the order in which they first appear, from below. Parallel
// keeps copies. A number that is not finite, or not positive on a logarithmic
// axis, is an error of the picture's forms, which names setting and trial.
// Parallel panics if a setting has both Values and Words, or another number of
// them than there are results.
func Parallel(settings []Setting, result []float64, o ParallelOptions) *ParallelFigure {
	if o.Measure == "" {
		o.Measure = "result"
	}
	f := &ParallelFigure{o: o, trials: len(result)}
	f.forms = forms{f}
	for _, s := range settings {
		if len(s.Values)+len(s.Words) != len(result) || len(s.Values) > 0 && len(s.Words) > 0 {
			panic(fmt.Sprintf("viz: parallel: setting %q has %d Values and %d Words for %d results", s.Name, len(s.Values), len(s.Words), len(result)))
		}
		f.axes = append(f.axes, dimensionOf(s))
	}
	f.axes = append(f.axes, dimension{name: o.Measure, values: slices.Clone(result)})
	for i, c := range f.axes {
		if f.err = c.check(); f.err != nil {
			break
		}
		c.lo, c.hi, c.ticks = c.span()
		f.axes[i] = c
	}
	return f
}

// dimensionOf turns words into numbers.
func dimensionOf(s Setting) dimension {
	c := dimension{name: s.Name, values: slices.Clone(s.Values), log: s.Log && s.Words == nil}
	for _, w := range s.Words {
		i := slices.Index(c.words, w)
		if i < 0 {
			i, c.words = len(c.words), append(c.words, w)
		}
		c.values = append(c.values, float64(i))
	}
	return c
}

// check returns the first number that cannot be drawn as an error.
func (c dimension) check() error {
	for i, v := range c.values {
		switch {
		case !finite(v):
			return fmt.Errorf("viz: parallel: series %q row %d is %g; a picture needs finite numbers", c.name, i, v)
		case c.log && v < tiny:
			return fmt.Errorf("viz: parallel: series %q row %d is %g, which has no place on a logarithmic axis", c.name, i, v)
		}
	}
	return nil
}

// span is the range of the axis, widened to round numbers, and its ticks.
func (c dimension) span() (lo, hi float64, ticks []float64) {
	if c.words != nil {
		return -0.5, float64(len(c.words)) - 0.5, nil
	}
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, v := range c.values {
		lo, hi = min(lo, v), max(hi, v)
	}
	lo, hi = widened(lo, hi)
	if c.log {
		return decades(lo, hi)
	}
	return nice(lo, hi)
}

// word is value i as it is said.
func (c dimension) word(i int) string {
	if c.words != nil {
		return c.words[int(c.values[i])]
	}
	return fmt.Sprintf("%.4g", c.values[i])
}

// result is the last axis.
func (f *ParallelFigure) result() dimension { return f.axes[len(f.axes)-1] }

// best is the trial with the best result, the first of equals; -1 without
// trials.
func (f *ParallelFigure) best() int {
	best, r := -1, f.result().values
	for i, v := range r {
		if best < 0 || v > r[best] != f.o.Lower && v != r[best] {
			best = i
		}
	}
	return best
}

// tones is the scale of the lines, without the end of the ramp that is too
// light for them.
func (f *ParallelFigure) tones() tones {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range f.result().values {
		lo, hi = min(lo, v), max(hi, v)
	}
	t := newTones(f.o.Measure, lo, hi, f.o.Lower)
	t.from = 0.2
	return t
}

// winner says what the best trial has.
func (f *ParallelFigure) winner() string {
	i := f.best()
	if i < 0 {
		return ""
	}
	var parts []string
	for _, c := range f.axes[:len(f.axes)-1] {
		parts = append(parts, c.name+" "+c.word(i))
	}
	return fmt.Sprintf("best %s %.4g: %s", f.o.Measure, f.result().values[i], strings.Join(parts, ", "))
}

// caption is that of the options, or what the best trial has.
func (f *ParallelFigure) caption() string {
	if f.o.Caption != "" {
		return f.o.Caption
	}
	return join(" · ", count(f.trials, "trial"), f.winner())
}

// Alt says in one line what the picture shows.
func (f *ParallelFigure) Alt() string {
	what := "Sweep"
	if f.o.Title != "" {
		what += ": " + f.o.Title
	}
	return join("; ", what, count(f.trials, "trial"), count(len(f.axes)-1, "setting"), f.winner(), f.o.Caption)
}

package optim

import (
	"math"
	"strings"
	"testing"
)

// TestSchedules: factors that can be computed by hand, in runs of 10 epochs of
// 20 steps.
func TestSchedules(t *testing.T) {
	warm := Warmup{Epochs: 1}
	for _, c := range []struct {
		s    Schedule
		done int
		want float64
	}{
		{Constant{}, 0, 1}, {Constant{}, 199, 1}, {Constant{}, 1000, 1},
		{Constant{warm}, 0, 0.05}, {Constant{warm}, 18, 0.95}, {Constant{warm}, 19, 1}, {Constant{warm}, 20, 1},
		{Constant{Warmup{Steps: 4}}, 1, 0.5}, {Constant{Warmup{Epochs: 0.2}}, 1, 0.5}, {Constant{Warmup{Steps: 1}}, 0, 1},
		{StepDecay{}, 0, 1}, {StepDecay{}, 199, 1}, {StepDecay{}, 399, 1}, {StepDecay{}, 400, 0.1},
		{StepDecay{Every: 3, By: 0.5}, 59, 1}, {StepDecay{Every: 3, By: 0.5}, 60, 0.5}, {StepDecay{Every: 3, By: 0.5}, 199, 0.125},
		{StepDecay{Every: 3, By: 0.5, Warmup: Warmup{Epochs: 5}}, 79, 0.4}, // 80 of 100, halved
		{Cosine{}, 0, 1}, {Cosine{}, 50, (1 + math.Sqrt2/2) / 2}, {Cosine{}, 100, 0.5}, {Cosine{}, 200, 0}, {Cosine{}, 500, 0},
		{Cosine{Floor: 0.2}, 0, 1}, {Cosine{Floor: 0.2}, 100, 0.6}, {Cosine{Floor: 0.2}, 200, 0.2}, {Cosine{Floor: 1}, 70, 1},
		{Cosine{Warmup: warm}, 9, 0.5}, {Cosine{Warmup: warm}, 19, 1}, {Cosine{Warmup: warm}, 20, 1}, {Cosine{Warmup: warm}, 110, 0.5},
		{Cosine{Floor: 0.5, Warmup: Warmup{Epochs: 10}}, 199, 1}, {Cosine{Floor: 0.5, Warmup: Warmup{Epochs: 10}}, 200, 0.5},
		{Cosine{Warmup: Warmup{Epochs: 20}}, 199, 0.5},
	} {
		if got := c.s.Factor(c.done, 20, 10); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("%T%+v after %d of 20×10 steps: %.17g, want %.17g", c.s, c.s, c.done, got, c.want)
		}
	}
}

// TestScheduleLaws: factors are in [0, 1]; they rise in the warm-up, to 1, and
// never again.
func TestScheduleLaws(t *testing.T) {
	for _, w := range []Warmup{{}, {Steps: 1}, {Steps: 7}, {Epochs: 2.5}} {
		for _, s := range []Schedule{Constant{w}, StepDecay{3, 0.3, w}, Cosine{0, w}, Cosine{0.1, w}} {
			n, before := w.steps(4), 0.0
			for done := range 50 {
				f := s.Factor(done, 4, 10)
				if !(f >= 0 && f <= 1) {
					t.Errorf("%T%+v after %d steps: %g", s, s, done, f)
				}
				if _, step := s.(StepDecay); done < n && !step && f <= before || done > n && f > before {
					t.Errorf("%T%+v after %d steps: %g after %g", s, s, done, f, before)
				}
				before = f
			}
			if n > 0 && s.Factor(n-1, 4, 10) != 1 {
				t.Errorf("%T%+v: %g at the end of the warm-up", s, s, s.Factor(n-1, 4, 10))
			}
		}
	}
}

func TestBadSchedules(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		s    Schedule
		want string
	}{
		{Constant{Warmup{Epochs: -1}}, "optim: constant: Warmup.Epochs is -1; "},
		{StepDecay{Warmup: Warmup{Steps: -1}}, "optim: step: Warmup.Steps is -1; "},
		{Cosine{Warmup: Warmup{1, 1}}, "optim: cosine: Warmup has 1 Epochs and 1 Steps; "},
		{StepDecay{Every: -1}, "optim: step: Every is -1; "}, {StepDecay{By: 1.5}, "optim: step: By is 1.5; "}, {StepDecay{By: nan}, "optim: step: By is NaN; "},
		{Cosine{Floor: -0.1}, "optim: cosine: Floor is -0.1; "}, {Cosine{Floor: nan}, "optim: cosine: Floor is NaN; "},
	} {
		if err := c.s.Check(); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%T%+v: error %v, want %q", c.s, c.s, err, c.want)
		}
	}
	for _, s := range Schedules() {
		for _, p := range [][3]int{{-1, 1, 1}, {0, 0, 1}, {0, 1, 0}} {
			if caught(func() { s.Factor(p[0], p[1], p[2]) }) == nil {
				t.Errorf("%s took the progress %v", s.Name(), p)
			}
		}
	}
}

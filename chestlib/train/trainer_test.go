package train

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/metric"
	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/chestlib/optim"
)

// clusters is n·classes points of d dimensions, scattered about class centres
// that differ in a few coordinates only, so that there is something to learn.
type clusters struct {
	x     []float32
	label []int
	d     int
}

func newClusters(classes, n, d int, seed uint64) *clusters {
	rng := rand.New(rand.NewPCG(seed, 1))
	c := &clusters{d: d}
	for y := range classes {
		centre := make([]float64, 4)
		for j := range centre {
			centre[j] = 2 * rng.NormFloat64()
		}
		for range n {
			for j := range d {
				v := 2 * rng.NormFloat64() // nuisance
				if j < len(centre) {
					v = centre[j] + 0.3*rng.NormFloat64()
				}
				c.x = append(c.x, float32(v))
			}
			c.label = append(c.label, y)
		}
	}
	return c
}

func (c *clusters) Len() int                        { return len(c.label) }
func (c *clusters) Shape() (ch, h, w int)           { return c.d, 1, 1 }
func (c *clusters) Label(i int) int                 { return c.label[i] }
func (c *clusters) Item(dst []float32, i int) error { copy(dst, c.x[i*c.d:(i+1)*c.d]); return nil }

// small is the options of a quick run.
func small(epochs int) Options {
	return Options{Epochs: epochs, Classes: 5, PerClass: 4, Silent: true, Seed: 3,
		Loss: loss.CHESTOptions{E: loss.SoftTripleOptions{Proxies: 2}, H: loss.HyperSoftTripleOptions{Proxies: 2}, Tree: loss.HypHCOptions{Triplets: 50}}}
}

func newTrainer(t *testing.T, src model.Source, o Options) *Trainer {
	t.Helper()
	c, h, w := src.Shape()
	m, err := model.New(model.Shape{C: c, H: h, W: w}, model.Options{Width: 32, Depth: 1, DE: 16, DH: 16, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	tr, err := New(m, src, o)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// TestFitLearns: retrieval of classes never trained on gets much better in both
// spaces, and the loss falls.
func TestFitLearns(t *testing.T) {
	src, unseen := newClusters(60, 12, 24, 1), newClusters(20, 12, 24, 2)
	o := small(10)
	o.Classes, o.PerClass, o.ProxyRate = 20, 2, 10
	o.Watch = unseen
	tr := newTrainer(t, src, o)
	before, err := Evaluate(context.Background(), tr.Model, unseen, nil)
	if err != nil {
		t.Fatal(err)
	}
	history, err := tr.Fit(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	first, last := history[0], history[len(history)-1]
	if len(history) != 10 || last.Loss.Total > 0.7*first.Loss.Total {
		t.Errorf("%d epochs, loss %.3f → %.3f", len(history), first.Loss.Total, last.Loss.Total)
	}
	for _, s := range []struct {
		space         string
		before, after float64
	}{{"E", before.E.At(1), last.E.At(1)}, {"H", before.H.At(1), last.H.At(1)}} {
		if s.after < s.before+0.2 {
			t.Errorf("%s: R@1 %.3f → %.3f", s.space, s.before, s.after)
		}
	}
}

// TestSameSeedSameBits: two runs agree in every bit, for one thread and two.
func TestSameSeedSameBits(t *testing.T) {
	src := newClusters(8, 8, 12, 1)
	run := func(threads int) []float32 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		tr := newTrainer(t, src, small(2))
		if _, err := tr.Fit(context.Background()); err != nil {
			t.Fatal(err)
		}
		var all []float32
		for _, p := range tr.params {
			all = append(all, p.Value...)
		}
		return all
	}
	one := run(1)
	if !reflect.DeepEqual(one, run(1)) {
		t.Error("two runs of the same seed differ")
	}
	if !reflect.DeepEqual(one, run(2)) {
		t.Error("one and two threads differ")
	}
}

// TestVisibleLoopIsFit: the loop written out gives what Fit gives.
func TestVisibleLoopIsFit(t *testing.T) {
	src := newClusters(8, 8, 12, 1)
	byFit, byHand := newTrainer(t, src, small(2)), newTrainer(t, src, small(2))
	if _, err := byFit.Fit(context.Background()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, b := range byHand.Batches() {
			if _, err := byHand.Step(b); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, p := range byFit.params {
		if !reflect.DeepEqual(p.Value, byHand.params[i].Value) {
			t.Errorf("%s differs", p.Name)
		}
	}
}

// TestInterruptKeepsTheModel: a context that ends stops the run after the
// present step; Fit called again finishes it.
func TestInterruptKeepsTheModel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	o := small(4)
	o.OnStep = func(s Step) {
		if s.Number == 5 {
			cancel()
		}
	}
	tr := newTrainer(t, newClusters(8, 8, 12, 1), o)
	if _, err := tr.Fit(ctx); !errors.Is(err, context.Canceled) || tr.steps != 5 {
		t.Fatalf("%d steps, error %v", tr.steps, err)
	}
	if history, err := tr.Fit(context.Background()); err != nil || len(history) != 4 {
		t.Fatalf("%d epochs, error %v", len(history), err)
	}
}

// TestInterruptedFitIsFit: a Fit that was stopped anywhere and called again has
// the rates, the history and the bits of one that was not.
func TestInterruptedFitIsFit(t *testing.T) {
	src := newClusters(8, 8, 12, 1)
	o := small(3)
	o.Watch = src
	whole := newTrainer(t, src, o)
	if _, err := whole.Fit(context.Background()); err != nil {
		t.Fatal(err)
	}
	for stop := 1; stop <= 12; stop++ {
		ctx, cancel := context.WithCancel(context.Background())
		var rates int
		o.OnStep = func(s Step) {
			rates++
			if s.Number == stop {
				cancel()
			}
		}
		tr := newTrainer(t, src, o)
		if _, err := tr.Fit(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped after step %d: error %v", stop, err)
		}
		if _, err := tr.Fit(context.Background()); err != nil || rates != 12 {
			t.Fatalf("stopped after step %d: %d steps, error %v", stop, rates, err)
		}
		if !reflect.DeepEqual(weights(tr), weights(whole)) || !reflect.DeepEqual(timeless(tr.History()), timeless(whole.History())) {
			t.Errorf("stopped after step %d: other weights or history", stop)
		}
	}
}

// timeless is a history without its times.
func timeless(h []Epoch) []Epoch {
	h = append([]Epoch(nil), h...)
	for i := range h {
		h[i].Seconds = 0
	}
	return h
}

// TestBrokenOffLoop: an epoch of a loop that was broken off begins anew at its
// own rate, with other batches.
func TestBrokenOffLoop(t *testing.T) {
	const epochs, steps = 3, 4
	src := newClusters(8, 8, 12, 1)
	o := small(epochs)
	var whole []float64
	o.OnStep = func(s Step) { whole = append(whole, s.Rate) }
	undisturbed := newTrainer(t, src, o)
	if _, err := undisturbed.Fit(context.Background()); err != nil {
		t.Fatal(err)
	}
	if undisturbed.Steps() != steps || len(whole) != epochs*steps || whole[len(whole)-1] <= 0 {
		t.Fatalf("%d steps an epoch, rates %v", undisturbed.Steps(), whole)
	}
	want := append(append([]float64(nil), whole[:6]...), whole[4:]...) // stops two steps into the second epoch
	byHand := newTrainer(t, src, small(epochs))
	var hand []float64
	var broken, again []Batch
	for byHand.EpochsDone() < epochs {
		batches := byHand.Batches()
		for _, b := range batches {
			s, err := byHand.Step(b)
			if err != nil {
				t.Fatal(err)
			}
			if hand = append(hand, s.Rate); len(hand) == 6 {
				broken = batches
				break
			} else if len(hand) == 7 {
				again = batches
			}
		}
	}
	if !reflect.DeepEqual(hand, want) {
		t.Errorf("rates of a resumed loop\n%v, want\n%v", hand, want)
	}
	if reflect.DeepEqual(broken, again) {
		t.Error("the epoch began anew with the same batches")
	}
}

// TestFitGoesOnAfterALoop: epochs done by hand count.
func TestFitGoesOnAfterALoop(t *testing.T) {
	tr := newTrainer(t, newClusters(8, 8, 12, 1), small(3))
	for _, b := range tr.Batches() {
		if _, err := tr.Step(b); err != nil {
			t.Fatal(err)
		}
	}
	if history, err := tr.Fit(context.Background()); err != nil || len(history) != 2 || history[0].Number != 2 || tr.EpochsDone() != 3 {
		t.Errorf("%d epochs done, history %+v, error %v", tr.EpochsDone(), history, err)
	}
}

// TestNoStepAfterTheLast: when all epochs are done a step is an error and
// changes nothing, unless the rate is constant.
func TestNoStepAfterTheLast(t *testing.T) {
	src := newClusters(8, 8, 12, 1)
	for _, constant := range []bool{false, true} {
		o := small(2)
		if constant {
			o.Schedule = optim.Constant{}
		}
		tr := newTrainer(t, src, o)
		if _, err := tr.Fit(context.Background()); err != nil {
			t.Fatal(err)
		}
		before := weights(tr)
		s, err := tr.Step(tr.Batches()[0])
		switch {
		case constant && (err != nil || s.Rate != 3e-3 || reflect.DeepEqual(weights(tr), before)):
			t.Errorf("constant: step %+v, error %v", s, err)
		case !constant && (err == nil || err.Error() != "train: all 2 epochs are done; raise them by SetEpochs, or set Options.Schedule to optim.Constant{}"):
			t.Errorf("error %v", err)
		case !constant && !reflect.DeepEqual(weights(tr), before):
			t.Error("the weights changed")
		}
		if _, err := tr.Epoch(context.Background()); (err == nil) != constant {
			t.Errorf("constant %v: one more Epoch gives the error %v", constant, err)
		}
	}
}

// TestStoppedMeasurement: an epoch whose measurement was stopped is measured by
// the next Fit, and not trained again.
func TestStoppedMeasurement(t *testing.T) {
	src := newClusters(8, 8, 12, 1)
	for _, last := range []int{4, 8} { // the last steps of both epochs
		ctx, cancel := context.WithCancel(context.Background())
		o := small(2)
		o.Watch = src
		o.OnStep = func(s Step) {
			if s.Number == last {
				cancel()
			}
		}
		tr := newTrainer(t, src, o)
		if history, err := tr.Fit(ctx); !errors.Is(err, context.Canceled) || len(history) != last/4-1 || tr.steps != last {
			t.Fatalf("%d steps, history %+v, error %v", tr.steps, history, err)
		}
		history, err := tr.Fit(context.Background())
		if err != nil || len(history) != 2 || !history[0].Watched || !history[1].Watched || tr.steps != 8 {
			t.Errorf("%d steps, history %+v, error %v", tr.steps, history, err)
		}
	}
}

// weights is a copy of all weights of model and loss, and of what the optimisers
// remember.
func weights(tr *Trainer) (all [][]float32) {
	tr.useAverage(false)
	for _, p := range tr.arrays() {
		all = append(all, append([]float32(nil), p.F32...))
	}
	return all
}

// TestNotFiniteStops: items and gradients that are not finite stop the step
// with an error and leave every weight as it was.
func TestNotFiniteStops(t *testing.T) {
	for _, c := range []struct {
		name, word string
		spoil      func(tr *Trainer, src *clusters)
	}{
		{"items", "of the training set holds NaN at number 5; correct it", func(_ *Trainer, src *clusters) {
			for i := range src.x {
				if i%src.d == 5 {
					src.x[i] = float32(math.NaN())
				}
			}
		}},
		{"large items", "largest: item", func(_ *Trainer, src *clusters) {
			for i := range src.x {
				src.x[i] = float32(math.Copysign(3e38, float64(src.x[i])))
			}
		}},
		{"gradient of the model", "gradient is not finite", func(tr *Trainer, _ *clusters) { tr.params[0].Grad[3] = float32(math.Inf(1)) }},
		{"gradient of a proxy", "gradient is not finite", func(tr *Trainer, _ *clusters) {
			tr.params[len(tr.params)-1].Grad[0] = float32(math.NaN())
		}},
	} {
		src := newClusters(4, 6, 12, 1)
		tr := newTrainer(t, src, small(1))
		before := weights(tr)
		c.spoil(tr, src)
		if _, err := tr.Step(tr.Batches()[0]); err == nil || !strings.Contains(err.Error(), c.word) {
			t.Fatalf("%s: error %v, want one with %q", c.name, err, c.word)
		}
		if !reflect.DeepEqual(before, weights(tr)) {
			t.Errorf("%s: the weights changed", c.name)
		}
		for _, p := range tr.params {
			for _, g := range p.Grad {
				if g != 0 {
					t.Fatalf("%s: a gradient of %s was kept", c.name, p.Name)
				}
			}
		}
	}
}

// TestProgressNamesTrainedSpaces: the head that is not trained has no score in
// the progress.
func TestProgressNamesTrainedSpaces(t *testing.T) {
	src := newClusters(8, 8, 12, 1)
	for _, c := range []struct {
		space loss.Space
		e, h  bool
	}{{loss.Both, true, true}, {loss.OnlyE, true, false}, {loss.OnlyH, false, true}} {
		o := small(1)
		l := o.Loss.(loss.CHESTOptions)
		l.Space = c.space
		o.Loss, o.Watch = l, src
		tr := newTrainer(t, src, o)
		if _, err := tr.Fit(context.Background()); err != nil {
			t.Fatal(err)
		}
		if s := tr.status(); strings.Contains(s, " E ") != c.e || strings.Contains(s, " H ") != c.h {
			t.Errorf("%v: %s", c.space, s)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	src := newClusters(3, 3, 12, 1)
	if _, err := New(nil, src, Options{}); err == nil || !strings.Contains(err.Error(), "the model is nil") {
		t.Errorf("no model: %v", err)
	}
	for name, o := range map[string]Options{
		"negative rate":   {Rate: -1},
		"negative epochs": {Epochs: -1},
		"NaN rate":        {Rate: math.NaN()},
		"other curvature": {Loss: loss.CHESTOptions{H: loss.HyperSoftTripleOptions{Curvature: 0.5}}},
		"other clip":      {Loss: loss.CHESTOptions{H: loss.HyperSoftTripleOptions{Clip: 1}}},
		"flat loss":       {Loss: loss.CHESTOptions{H: loss.HyperSoftTripleOptions{Flat: true}}},
		"infinite rate":   {Rate: math.Inf(1)},
		"NaN decay":       {Decay: math.NaN()},
		"NaN norm":        {MaxNorm: math.NaN()},
		"negative lambda": {Loss: loss.CHESTOptions{E: loss.SoftTripleOptions{Lambda: -1}}},
		"infinite gamma":  {Loss: loss.CHESTOptions{H: loss.HyperSoftTripleOptions{Gamma: math.Inf(1)}}},
		"negative tau":    {Loss: loss.CHESTOptions{H: loss.HyperSoftTripleOptions{Tau: -1}}},
		"NaN weight":      {Loss: loss.CHESTOptions{WeightTree: math.NaN()}},
		"proxies differ":  {Loss: loss.CHESTOptions{E: loss.SoftTripleOptions{Proxies: 2}, H: loss.HyperSoftTripleOptions{Proxies: 3}}},
		"temperature":     {Loss: loss.CHESTOptions{Tree: loss.HypHCOptions{Temperature: -1}}},
		"space":           {Loss: loss.CHESTOptions{Space: 9}},
	} {
		m, err := model.New(model.Shape{C: 12, H: 1, W: 1}, model.Options{Width: 8, Depth: 1, DE: 4, DH: 4})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := New(m, src, o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	m, err := model.New(model.Shape{C: 7, H: 1, W: 1}, model.Options{Width: 8, Depth: 1, DE: 4, DH: 4})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(m, src, Options{}); err == nil {
		t.Error("another shape: no error")
	}
}

// TestEvaluateGallery: a gallery that is the queries themselves finds each of them
// first, and one of other items is that of metric.QueryGallery.
func TestEvaluateGallery(t *testing.T) {
	query, gallery := newClusters(4, 3, 8, 1), newClusters(4, 5, 8, 2)
	tr := newTrainer(t, query, small(1))
	s, err := EvaluateGallery(t.Context(), tr.Model, query, query, []int{1})
	if err != nil || s.E.At(1) != 1 || s.H.At(1) != 1 {
		t.Errorf("among themselves: %v, %v", s, err)
	}
	s, err = EvaluateGallery(t.Context(), tr.Model, query, gallery, nil)
	if err != nil {
		t.Fatal(err)
	}
	q, err := tr.Model.Embed(t.Context(), query, 0)
	if err != nil {
		t.Fatal(err)
	}
	g, err := tr.Model.Embed(t.Context(), gallery, 0)
	if err != nil {
		t.Fatal(err)
	}
	e, err := metric.QueryGallery(t.Context(), q.E, q.Label, g.E, g.Label, q.DE, metric.Options{})
	if err != nil || !reflect.DeepEqual(s.E, e) || s.E.Queries != query.Len() || s.Clipped != q.Clipped {
		t.Errorf("E %v, want %v, %v", s, e, err)
	}
	h, err := metric.QueryGallery(t.Context(), q.H, q.Label, g.H, g.Label, q.DH, metric.Options{Space: metric.Hyperbolic, Curvature: q.Curvature})
	if err != nil || !reflect.DeepEqual(s.H, h) {
		t.Errorf("H %v, want %v, %v", s.H, h, err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := EvaluateGallery(ctx, tr.Model, query, gallery, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}

package train

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"

	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/model"
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
	o.Classes, o.PerClass = 20, 2
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

// TestNotFiniteStops: an infinite item stops the step with an error and leaves
// every weight as it was.
func TestNotFiniteStops(t *testing.T) {
	src := newClusters(4, 6, 12, 1)
	tr := newTrainer(t, src, small(1))
	before := append([]float32(nil), tr.params[0].Value...)
	src.x[5] = float32(math.NaN())
	for i := range src.x {
		src.x[i] += float32(math.Inf(1))
	}
	_, err := tr.Step(tr.Batches()[0])
	if err == nil {
		t.Fatal("no error")
	}
	if !reflect.DeepEqual(before, tr.params[0].Value) {
		t.Error("the weights changed")
	}
	for _, p := range tr.params {
		for _, g := range p.Grad {
			if g != 0 {
				t.Fatalf("%s: a gradient was kept", p.Name)
			}
		}
	}
}

func TestNewRefuses(t *testing.T) {
	src := newClusters(3, 3, 12, 1)
	for name, o := range map[string]Options{
		"negative rate":   {Rate: -1},
		"negative epochs": {Epochs: -1},
		"NaN rate":        {Rate: math.NaN()},
		"other curvature": {Loss: loss.CHESTOptions{H: loss.HyperSoftTripleOptions{Curvature: 0.5}}},
		"other clip":      {Loss: loss.CHESTOptions{H: loss.HyperSoftTripleOptions{Clip: 1}}},
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

package train

import (
	"context"
	"math"
	"testing"

	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/model"
)

// TestLearnedBall: training moves c and r, embeddings follow, a new trainer
// takes them up where they are, and the temperature of the tree is annealed.
func TestLearnedBall(t *testing.T) {
	src := newClusters(8, 8, 12, 1)
	m, err := model.New(model.Shape{C: 12, H: 1, W: 1}, model.Options{
		Width: 32, Depth: 1, DE: 16, DH: 16, Seed: 1, SoftClip: true, LearnCurvature: true, LearnClip: true, Separate: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	o := small(4)
	l := o.Loss.(loss.CHESTOptions)
	l.Tree.Anneal, l.Tree.AnnealEvery, l.Tree.Leaves, l.Tree.Sampling = 0.5, 2, loss.MeanLeaves, loss.NearTriplets
	o.Loss = l
	for run := range 2 {
		c, r := m.Ball().Curvature(), m.Ball().Clip()
		tr, err := New(m, src, o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tr.Fit(context.Background()); err != nil {
			t.Fatal(err)
		}
		if m.Ball().Curvature() == c || m.Ball().Clip() == r {
			t.Errorf("run %d: c stays %g or r stays %g", run, c, r)
		}
		if got := tr.Loss.(*loss.CHEST).Tree().Temperature(); math.Abs(got-0.05) > 1e-12 {
			t.Errorf("run %d: T is %g in the last epoch, want 0.05", run, got)
		}
	}
	e, err := m.Embed(context.Background(), src, 0)
	if err != nil {
		t.Fatal(err)
	}
	if e.Curvature != m.Ball().Curvature() || e.Curvature == 0.1 {
		t.Errorf("embeddings of curvature %g, the ball has %g", e.Curvature, m.Ball().Curvature())
	}
}

// TestFailedStepLeavesBall: a step whose loss is not finite leaves no gradient
// for the next one, also of the ball.
func TestFailedStepLeavesBall(t *testing.T) {
	src := newClusters(8, 8, 12, 1)
	m, err := model.New(model.Shape{C: 12, H: 1, W: 1}, model.Options{Width: 8, Depth: 1, DE: 4, DH: 4, LearnCurvature: true})
	if err != nil {
		t.Fatal(err)
	}
	tr, err := New(m, src, small(1))
	if err != nil {
		t.Fatal(err)
	}
	src.x[0] = float32(math.NaN())
	failed := false
	for _, b := range tr.Batches() {
		if _, err := tr.Step(b); err != nil {
			failed = true
			for i, g := range m.Ball().Param().Grad {
				if g != 0 {
					t.Errorf("after %v: gradient %d of the ball is %g", err, i, g)
				}
			}
		}
	}
	if !failed {
		t.Error("no step failed: the test says nothing")
	}
}

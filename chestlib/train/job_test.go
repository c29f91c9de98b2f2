package train

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/chestlab/chest/chestlib/engine/cuda/fakecuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
	"github.com/chestlab/chest/kernel/display"
)

// TestDispatch: a job does what Fit does, some epochs at a time, and can be asked
// while it runs.
func TestDispatch(t *testing.T) {
	want := onGPU(t, "mlp", small(4))
	if _, err := want.Fit(context.Background()); err != nil {
		t.Fatal(err)
	}
	tr := onGPU(t, "mlp", small(4))
	job := tr.Dispatch(context.Background(), 3)
	for !job.Progress().Done { // the race detector looks on
		if p := job.Progress(); p.Step > 12 || tr.EpochsDone() > 3 || len(tr.History()) > 3 || tr.String() == "" || job.String() == "" {
			t.Errorf("%+v", p)
		}
		time.Sleep(time.Millisecond)
	}
	history, err := job.Wait()
	if err != nil || len(history) != 3 || tr.EpochsDone() != 3 {
		t.Fatalf("%d epochs, history of %d, error %v", tr.EpochsDone(), len(history), err)
	}
	p := job.Progress()
	if p.Step != 12 || p.Steps != 12 || p.Epoch != 3 || p.Epochs != 4 || len(p.Losses) != 12 || !(p.ItemsPerSecond > 0) || p.Memory != 0 || p.Device != "cpu" || p.Err != nil {
		t.Errorf("%+v", p)
	}
	if s := job.String(); !strings.HasPrefix(s, "done on cpu: 12 of 12 steps, epoch 3/4, loss ") {
		t.Error(s)
	}
	if h := job.MIMEBundle()["text/html"].(string); !strings.Contains(h, "<polyline") || !strings.Contains(h, `value="12" max="12"`) {
		t.Error(h)
	}
	job = tr.Dispatch(context.Background(), 100) // no more than there are
	if history, err := job.Wait(); err != nil || len(history) != 4 || job.Progress().Steps != 4 {
		t.Errorf("history of %d, error %v", len(history), err)
	}
	if d, name := far(want, tr); d != 0 {
		t.Errorf("%s is off by %g", name, d)
	}
	if _, err := tr.Dispatch(context.Background(), 0).Wait(); err != nil { // nothing is left
		t.Error(err)
	}
	if _, err := tr.Dispatch(context.Background(), -1).Wait(); err == nil || !strings.Contains(err.Error(), "-1 epochs") {
		t.Error(err)
	}
}

// blocked is a trainer whose first step waits for goOn.
func blocked(t *testing.T) (tr *Trainer, begun, goOn chan struct{}) {
	begun, goOn = make(chan struct{}), make(chan struct{})
	o := small(50)
	o.OnStep = func(s Step) {
		if s.Number == 1 {
			close(begun)
			<-goOn
		}
	}
	return onGPU(t, "mlp", o), begun, goOn
}

// TestBusy: while a job runs nothing else trains.
func TestBusy(t *testing.T) {
	tr, begun, goOn := blocked(t)
	batch := tr.Batches()[0]
	job := tr.Dispatch(context.Background(), 0)
	<-begun
	ctx := context.Background()
	_, fit := tr.Fit(ctx)
	_, epoch := tr.Epoch(ctx)
	_, step := tr.Step(batch)
	_, second := tr.Dispatch(ctx, 1).Wait()
	for i, err := range []error{fit, epoch, step, second, tr.Save("x"), tr.Load("x")} {
		if err == nil || !strings.Contains(err.Error(), "job.Wait()") || !strings.Contains(err.Error(), "job.Cancel()") {
			t.Errorf("call %d: %v", i, err)
		}
	}
	func() {
		defer func() {
			if r := recover(); r == nil {
				t.Error("Batches does not panic")
			}
		}()
		tr.Batches()
	}()
	job.Cancel()
	close(goOn)
	if _, err := job.Wait(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if s := job.String(); !strings.HasPrefix(s, "stopped on cpu") {
		t.Error(s)
	}
	select {
	case <-job.Done():
	default:
		t.Error("Done is open")
	}
	done := tr.steps
	if done < 1 || done > 2 {
		t.Errorf("%d steps after Cancel", done)
	}
	if _, err := tr.Step(batch); err != nil { // free again
		t.Error(err)
	}
}

// TestJobContext: the end of its context stops a job, that of a cell does not.
func TestJobContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	tr, begun, goOn := blocked(t)
	job := tr.Dispatch(ctx, 0)
	<-begun
	cancel()
	close(goOn)
	if _, err := job.Wait(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	cell, over := context.WithCancel(context.Background())
	display.SetContext(cell)
	defer display.SetContext(context.Background())
	tr, begun, goOn = blocked(t)
	job = tr.Dispatch(display.Context(), 1)
	<-begun
	over()
	if _, err := job.Wait(); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "the job goes on") {
		t.Errorf("an interrupted Wait: %v", err)
	}
	close(goOn)
	display.SetContext(context.Background()) // the next cell
	if _, err := job.Wait(); err != nil || tr.EpochsDone() != 1 {
		t.Errorf("%d epochs, error %v", tr.EpochsDone(), err)
	}
}

// TestJobPanics: a panic in a callback is the job's error.
func TestJobPanics(t *testing.T) {
	o := small(2)
	o.OnStep = func(Step) { panic("oh") }
	tr := onGPU(t, "mlp", o)
	job := tr.Dispatch(context.Background(), 0)
	if _, err := job.Wait(); err == nil || !strings.Contains(err.Error(), "panic: oh") {
		t.Error(err)
	}
	if s := job.String(); !strings.HasPrefix(s, "failed on cpu") {
		t.Error(s)
	}
}

// TestDispatchOnGPU: the same on a GPU, which says how much memory is used and is
// given back, also by a job that panics.
func TestDispatchOnGPU(t *testing.T) {
	path := fakecuda.Use(t, kernels.Sources, "")
	want := onGPU(t, "identity", small(2))
	if _, err := want.Fit(context.Background(), On("cuda")); err != nil {
		t.Fatal(err)
	}
	tr := onGPU(t, "identity", small(2))
	job := tr.Dispatch(context.Background(), 2, On("cuda"))
	if _, err := job.Wait(); err != nil {
		t.Fatal(err)
	}
	if p := job.Progress(); p.Memory <= 0 || !strings.Contains(p.Device, "Fake GPU 0") || !strings.Contains(job.String(), "GPU memory") {
		t.Errorf("%v, %+v", job, p)
	}
	if d, name := far(want, tr); d != 0 {
		t.Errorf("%s is off by %g", name, d)
	}
	nothingLeft(t, path)
	o := small(2)
	o.OnStep = func(Step) { panic("oh") }
	if _, err := onGPU(t, "mlp", o).Dispatch(context.Background(), 0, On("cuda")).Wait(); err == nil {
		t.Error("no error")
	}
	nothingLeft(t, path)
	fakecuda.Use(t, kernels.Sources, "devices=0")
	if _, err := onGPU(t, "mlp", small(2)).Dispatch(context.Background(), 0, On("cuda")).Wait(); err == nil || !strings.Contains(err.Error(), "sees no GPU") {
		t.Error(err)
	}
}

// TestCurve: many losses are thinned, those that are not finite left out.
func TestCurve(t *testing.T) {
	j := &Job{keep: 1}
	for i := range 5000 {
		j.lost(float64(i))
	}
	l := j.now.Losses
	if len(l) >= mostLosses || len(l) < mostLosses/2 || l[0] != 0 || l[1] != 8 || l[len(l)-1] < 4990 {
		t.Errorf("%d losses, %g, %g … %g", len(l), l[0], l[1], l[len(l)-1])
	}
	p := JobProgress{Losses: []float64{2, math.NaN(), math.Inf(1), 1}}
	if c := p.curve(); !strings.Contains(c, `points="0.0,0.0 400.0,40.0"`) {
		t.Error(c)
	}
}

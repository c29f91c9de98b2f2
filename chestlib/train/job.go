package train

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/chestlab/chest/kernel/display"
)

// Dispatch trains epochs more epochs, at most up to Options.Epochs, without
// waiting: cells go on while it runs. 0 means all that are left. Everything else is
// as with Fit: On says where, progress is shown in the cell that called.
//
//	job := tr.Dispatch(ctx, 10, train.On("cuda"))
//	...
//	history, err := job.Wait()
//
// Until the job is done the trainer refuses Fit, Epoch, Step, Batches, Save, Load
// and another Dispatch, and its Model and Loss must be left alone; EpochsDone,
// History and String may be called. OnStep, OnEpoch and OnWarn are called by the
// job's goroutine.
//
// The end of ctx stops it after the present step, as Cancel does. Only the context
// of a cell, display.Context, does not: it ends with its cell, and a job outlives that.
// An error at the start is that of Wait.
func (t *Trainer) Dispatch(ctx context.Context, epochs int, o ...Option) *Job {
	if ctx == display.Context() {
		ctx = context.Background()
	}
	ctx, cancel := context.WithCancel(ctx)
	on := whereOf(o)
	j := newJob(on.device)
	j.cancel = cancel
	j.mu.Lock()
	if err := t.told.begin(j, epochs); err != nil {
		j.mu.Unlock()
		j.end(err)
		return j
	}
	left := max(t.o.Epochs-t.epochsDone(), 0)
	if epochs == 0 || epochs > left {
		epochs = left
	}
	until := t.epochsDone() + epochs
	j.aim(t, until)
	j.mu.Unlock()
	p := &begun{p: t.reporter(j)}
	p.p.Start(until*t.sampler.Steps(), "training")
	go t.work(ctx, j, on, until, p)
	return j
}

func newJob(device string) *Job {
	return &Job{done: make(chan struct{}), begun: time.Now(), keep: 1, now: JobProgress{Device: device}}
}

// aim makes j measure t, which begins to train until so many epochs are done.
func (j *Job) aim(t *Trainer, until int) {
	t.meter = j
	j.from, j.seen = t.place, view{t.epochsDone(), t.history}
	j.now.Steps, j.now.Epochs = until*t.sampler.Steps()-t.place, t.o.Epochs
}

// work is the job's goroutine. A panic in a source or callback ends the job, not
// the program.
func (t *Trainer) work(ctx context.Context, j *Job, on where, until int, p *begun) {
	err := func() (err error) {
		defer func() {
			if r := recover(); r != nil {
				err = errors.Join(fmt.Errorf("train: Dispatch: panic: %v", r), t.detach())
			}
		}()
		return t.fit(ctx, on, until, p)
	}()
	if err != nil && !p.over {
		p.Finish(err.Error())
	}
	t.tell(nil)
	t.meter = nil
	t.told.end()
	j.end(err)
}

// begun is a Progress that was started already.
type begun struct {
	p    Progress
	over bool
}

func (b *begun) Start(int, string)           {}
func (b *begun) Set(done int, status string) { b.p.Set(done, status) }
func (b *begun) Finish(status string) {
	b.over = true
	b.p.Finish(status)
}

// Job is a training that runs beside the cells; see Trainer.Dispatch. Its methods
// may be called from any goroutine.
type Job struct {
	cancel context.CancelFunc
	done   chan struct{}
	begun  time.Time
	from   int // place in the schedule at the start

	mu    sync.Mutex
	now   JobProgress
	seen  view
	items int
	count int // of losses
	keep  int // every so many-th of them is kept
	err   error
}

// Wait waits until the job is done and returns the History, also beside an error.
// In a cell an interrupt ends the waiting, not the job.
func (j *Job) Wait() ([]Epoch, error) {
	ctx, stop := context.WithCancel(display.Context()) // stays with the cell that called
	defer stop()
	select {
	case <-j.done:
	case <-ctx.Done():
		return j.view().history, fmt.Errorf("train: Wait: %w; the job goes on, see Cancel", ctx.Err())
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]Epoch(nil), j.seen.history...), j.err
}

// Cancel stops the job after the present step and returns at once. What was learnt
// stays, and a later Fit or Dispatch goes on with the next step.
func (j *Job) Cancel() { j.cancel() }

// Done is closed when the job is done.
func (j *Job) Done() <-chan struct{} { return j.done }

// Progress says how far the job is.
func (j *Job) Progress() JobProgress {
	j.mu.Lock()
	defer j.mu.Unlock()
	p := j.now
	p.Losses = append([]float64(nil), p.Losses...)
	if !p.Done {
		p.Seconds = time.Since(j.begun).Seconds()
	}
	return p
}

// String is how far the job is on one line.
func (j *Job) String() string { return j.Progress().String() }

// MIMEBundle shows how far the job is, with the curve of its loss.
func (j *Job) MIMEBundle() map[string]any { return j.Progress().MIMEBundle() }

func (j *Job) end(err error) {
	j.cancel()
	j.mu.Lock()
	j.err, j.now.Err, j.now.Done, j.now.Seconds = err, err, true, time.Since(j.begun).Seconds()
	j.mu.Unlock()
	close(j.done)
}

// view is what the trainer says while a job runs.
type view struct {
	epochs  int
	history []Epoch
}

func (j *Job) view() view {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.seen
}

// telling is what other goroutines may ask a trainer.
type telling struct {
	mu  sync.Mutex
	job *Job
}

// running is the job that runs, nil for none.
func (t *telling) running() *Job {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.job
}

// busy is an error if a job runs.
func (t *telling) busy(call string) error {
	if t.running() == nil {
		return nil
	}
	return fmt.Errorf("train: %s: a job of Dispatch trains this model; wait for it (job.Wait()) or stop it (job.Cancel())", call)
}

// begin makes j the job that runs.
func (t *telling) begin(j *Job, epochs int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.job != nil {
		return errors.New("train: Dispatch: a job trains this model already; wait for it (job.Wait()) or stop it (job.Cancel())")
	}
	if epochs < 0 {
		return fmt.Errorf("train: Dispatch: %d epochs; give a positive number, 0 for all that are left", epochs)
	}
	t.job = j
	return nil
}

func (t *telling) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.job = nil
}

// tell brings what others see up to date, after step s if it is not nil.
func (t *Trainer) tell(s *Step) {
	j := t.meter
	if j == nil {
		return
	}
	device, memory := "cpu", 0
	if t.gpu != nil {
		device, memory = t.gpu.name(), int(t.gpu.device.Usage().Live)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.seen = view{t.epochsDone(), t.history}
	j.now.Step = t.place - j.from
	if s == nil {
		return
	}
	j.now.Device, j.now.Memory = device, memory
	j.now.Epoch, j.now.Loss, j.now.Rate = (t.place-1)/t.sampler.Steps()+1, s.Loss.Total, s.Rate
	j.items += t.sampler.classes * t.sampler.perClass
	j.now.ItemsPerSecond = float64(j.items) / max(time.Since(j.begun).Seconds(), 1e-9)
	j.lost(s.Loss.Total)
}

// mostLosses is how many numbers a job keeps for its curve.
const mostLosses = 1000

// lost takes the loss of a step: of ever fewer steps, so that the curve stays short.
func (j *Job) lost(v float64) {
	if j.count%j.keep == 0 {
		j.now.Losses = append(j.now.Losses, v)
	}
	j.count++
	if len(j.now.Losses) < mostLosses {
		return
	}
	for i := range mostLosses / 2 {
		j.now.Losses[i] = j.now.Losses[2*i]
	}
	j.now.Losses = j.now.Losses[:mostLosses/2]
	j.keep *= 2
}

package train

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/engine/cuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/internal/safetensors"
)

// gpu is what one call of Fit or Epoch trains on. Weights and moments in Go are
// those of the last sync; kept is a copy of them and of the place in the run.
type gpu struct {
	device *cuda.Device
	whole  *cuda.HeadTrainer // of the whole step; nil: the loss alone, by engine
	engine *cuda.Engine
	cpu    engine.Engine // the trainer's own

	kept   kept
	dirty  bool // steps were done after the last sync
	failed bool // the trainer is back at kept; the device is not asked again

	items int // trained on in this call
	begun time.Time
}

// kept is what a run that lost its GPU goes back to.
type kept struct {
	at     progress
	arrays []safetensors.Tensor
}

// attach opens what the options of a call name, for the steps that follow. The end of ctx is an
// error with any policy: it says nothing about the GPU.
func (t *Trainer) attach(ctx context.Context, on where) error {
	p, err := on.policy()
	if err != nil || !p.GPU {
		return err
	}
	if err = t.openGPU(ctx, p, on); err == nil {
		return nil
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return fmt.Errorf("train: On(%q): %w", on.device, err)
	}
	if p.CPU {
		t.warn("gpu", fmt.Sprintf("training on the processor: %v", err))
		return nil
	}
	return fmt.Errorf("train: On(%q): %w; On(\"auto\") would go on without it", on.device, err)
}

// openGPU opens the GPU and takes weights and moments there.
func (t *Trainer) openGPU(ctx context.Context, p driver.Policy, on where) error {
	l, ok := t.Loss.(*loss.CHEST)
	if !ok {
		return fmt.Errorf("the loss %s is not there on the GPU; use On(\"cpu\")", t.o.Loss.Name())
	}
	if _, ok := t.o.Optim.(optim.AdamWOptions); !ok {
		return fmt.Errorf("the optimiser %s is not there on the GPU; use On(\"cpu\")", t.o.Optim.Name())
	}
	d, err := cuda.Open(p.Ordinal)
	if err != nil {
		return err
	}
	if err := on.multiply(d); err != nil && p.CPU {
		t.warn("products", fmt.Sprintf("multiplying by chest's own kernels: %v", err))
	} else if err != nil {
		_ = d.Close() // err is what there is to tell
		return err
	}
	g := &gpu{device: d, cpu: t.engine, begun: time.Now()}
	options := engine.Options{Optim: t.o.Optim, Common: t.common}
	if t.wholeStep(l) {
		err = t.takeWhole(ctx, g, l, options)
	} else if g.engine, err = cuda.New(l, options, d); err == nil {
		t.engine = g.engine
	}
	if err != nil {
		_ = d.Close() // err is what there is to tell
		return err
	}
	t.gpu = g
	carry(g.optimizer(), t.moments(g)...)
	t.useAverage(false)
	t.keepArrays()
	t.keep()
	return nil
}

// detach brings what was learnt back, gives the GPU back and makes the
// processor's engine the trainer's again.
func (t *Trainer) detach() error {
	g := t.gpu
	if g == nil {
		return nil
	}
	err := t.sync()
	if g.whole == nil {
		carry(g.cpu.Optimizer(), g.optimizer())
	}
	t.engine, t.gpu = g.cpu, nil
	return errors.Join(err, g.close())
}

// close frees everything. A GPU that was lost says so again: that was told.
func (g *gpu) close() (err error) {
	if g.whole != nil {
		err = g.whole.Close()
	} else {
		err = g.engine.Close()
	}
	err = errors.Join(err, g.device.Close())
	if err == nil || g.failed {
		return nil
	}
	return fmt.Errorf("train: giving the GPU back: %w", err)
}

func (g *gpu) optimizer() optim.Optimizer {
	if g.whole != nil {
		return g.whole.Optimizer()
	}
	return g.engine.Optimizer()
}

// moments are the trainer's own optimisers of what the GPU moves.
func (t *Trainer) moments(g *gpu) []optim.Optimizer {
	if g.whole != nil {
		return []optim.Optimizer{g.cpu.Optimizer(), t.trunk, t.rest}
	}
	return []optim.Optimizer{g.cpu.Optimizer()}
}

// carry copies the State that to has in common with others, and the steps of the
// first of them.
func carry(to optim.Optimizer, from ...optim.Optimizer) {
	all := make(map[string][]float32)
	for _, o := range from {
		for _, s := range o.State() {
			all[s.Name] = s.Value
		}
	}
	for _, s := range to.State() {
		copy(s.Value, all[s.Name])
	}
	to.SetSteps(from[0].Steps())
}

// sync brings weights and moments up to date with the GPU. Where it fails the
// trainer is back at what was kept.
func (t *Trainer) sync() error {
	g := t.gpu
	if g == nil || g.failed {
		return nil
	}
	if g.dirty {
		var err error
		if g.whole != nil {
			err = g.whole.Sync()
		} else {
			err = g.engine.Sync()
		}
		if err != nil {
			return t.fallBack(err)
		}
		if g.whole != nil {
			for _, o := range t.moments(g) {
				carry(o, g.optimizer())
			}
		}
		g.dirty = false
		t.keepArrays()
	}
	t.keep()
	return nil
}

// keep remembers where the trainer is, unless steps were done after the last sync.
func (t *Trainer) keep() {
	if g := t.gpu; g != nil && !g.failed && !g.dirty {
		g.kept.at = t.present()
	}
}

// keepArrays remembers weights and moments, which must be those of the GPU.
func (t *Trainer) keepArrays() {
	g, now := t.gpu, t.arrays()
	if g.kept.arrays == nil {
		for _, a := range now {
			g.kept.arrays = append(g.kept.arrays, safetensors.Tensor{Name: a.Name, F32: make([]float32, len(a.F32))})
		}
	}
	for i, a := range now {
		copy(g.kept.arrays[i].F32, a.F32)
	}
}

// fallBack ends the use of a GPU that failed: the trainer goes back to what was
// kept. It returns err with what was lost.
func (t *Trainer) fallBack(err error) error {
	g := t.gpu
	if g == nil || g.failed {
		return err
	}
	g.failed = true
	lost, from := t.steps-g.kept.at.Steps, g.kept.at.Steps
	if g.whole != nil {
		lost = max(lost, 1) // the steps of a failed call are not counted
	}
	t.useAverage(false)
	for i, a := range t.arrays() {
		copy(a.F32, g.kept.arrays[i].F32)
	}
	t.adopt(g.kept.at)
	text := fmt.Sprintf("lost: what step %d and later ones learnt; model, proxies and moments are those after step %d", from+1, from)
	if lost == 0 {
		text = fmt.Sprintf("nothing learnt is lost: model, proxies and moments are those after step %d", from)
	}
	if t.o.Checkpoint != "" {
		text += fmt.Sprintf("; the last checkpoint, %s, is as it was written", t.o.Checkpoint)
	}
	return fmt.Errorf("%w; %s. The next call goes on from there", err, text)
}

// failedBy says whether err of a step means that the trainer must go back.
func (g *gpu) failedBy(err error) bool {
	var e *driver.Error
	return errors.Is(err, errNotFinite) || errors.As(err, &e) && (g.whole != nil || e.Lost())
}

// name is the GPU's, and what multiplies if that is not chest.
func (g *gpu) name() string {
	if p := g.device.Products(); p != cuda.Own {
		return fmt.Sprintf("%v, products by %s", g.device.Info(), p)
	}
	return g.device.Info().String()
}

// status is the speed and the memory of the GPU, for a line of progress.
func (g *gpu) status() string {
	if g == nil {
		return ""
	}
	return fmt.Sprintf(" · %.0f items/s · GPU %.0f MB", g.speed(), float64(g.device.Usage().Live)/1e6)
}

// speed is items a second in this call.
func (g *gpu) speed() float64 { return float64(g.items) / max(time.Since(g.begun).Seconds(), 1e-9) }

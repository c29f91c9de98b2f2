package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/internal/durable"
	"github.com/chestlab/chest/internal/safetensors"
)

// format names the files and their version, which rises when what they hold
// changes its meaning.
const format = "chest checkpoint 1"

// progress is what a checkpoint holds beside arrays. Random draws are functions
// of the seed and of Steps, so there is no generator to keep.
type progress struct {
	Steps, Place, Epochs int
	Run                  *run
	History              []Epoch
	Best                 best
	Warned               map[string]bool
	Trunk, Rest, Params  int // steps of the optimisers
	Average              int // and of the average
}

// Save writes all of the training to a file, in one step: a crash leaves the old
// file or the new one. The file is one of safetensors with a checksum: any
// program that knows the format can read its weights, and model.Load its model,
// with Options.Average the one that is trained, not the average.
//
// Within an epoch that is written out as a loop of Batches and Step it keeps the
// place in the schedule but not that in the loop: Batches begins the epoch anew.
//
// Cost: a copy of weights, moments and, with Patience, best weights on the disk.
// While a Job runs it is an error: set Options.Checkpoint instead.
func (t *Trainer) Save(path string) error {
	if err := t.told.busy("Save"); err != nil {
		return err
	}
	if err := t.save(path); err != nil {
		return err
	}
	t.adoptFile(path)
	return nil
}

func (t *Trainer) save(path string) error {
	if t.average != nil && t.average.Swapped() {
		t.useAverage(false)
		defer t.useAverage(true)
	}
	if err := t.sync(); err != nil {
		return fmt.Errorf("train: saving %s: %w", path, err)
	}
	state, err := json.Marshal(t.present())
	if err != nil {
		return fmt.Errorf("train: saving %s: %w", path, err)
	}
	meta := map[string]string{"format": format, "model": t.Model.Description(), "config": t.Config(), "progress": string(state)}
	err = durable.Write(path, func(w io.Writer) error {
		return safetensors.Write(w, meta, append(t.arrays(), t.best.weights...))
	})
	if err != nil {
		return fmt.Errorf("train: saving %s: %w", path, err)
	}
	return nil
}

// present is the place in the run, in memory of its own.
func (t *Trainer) present() progress {
	p := progress{
		Steps: t.steps, Place: t.place, Epochs: t.epochs, History: t.history, Best: t.best, Warned: maps.Clone(t.warned),
		Trunk: t.trunk.Steps(), Rest: t.rest.Steps(), Params: t.engine.Optimizer().Steps(),
	}
	if t.run != nil {
		r := *t.run
		r.Loss.Parts = slices.Clone(r.Loss.Parts)
		p.Run = &r
	}
	if t.average != nil {
		p.Average = t.average.Steps()
	}
	return p
}

// adopt goes to a place in the run, whose arrays are there already.
func (t *Trainer) adopt(p progress) {
	t.steps, t.place, t.epochs, t.run, t.history, t.best, t.warned = p.Steps, p.Place, p.Epochs, p.Run, p.History, p.Best, p.Warned
	t.trunk.SetSteps(p.Trunk)
	t.rest.SetSteps(p.Rest)
	t.engine.Optimizer().SetSteps(p.Params)
	if t.average != nil {
		t.average.SetSteps(p.Average)
	}
}

// arrays are all that a checkpoint holds but the best weights.
func (t *Trainer) arrays() []safetensors.Tensor {
	all := t.weights()
	kept := []struct {
		room string
		of   interface{ State() []optim.State }
	}{{"trunk", t.trunk}, {"rest", t.rest}, {"params", t.engine.Optimizer()}}
	if t.average != nil {
		kept = append(kept, struct {
			room string
			of   interface{ State() []optim.State }
		}{"average", t.average})
	}
	for _, o := range kept {
		for _, s := range o.of.State() {
			all = append(all, safetensors.Tensor{Name: "optim/" + o.room + "/" + s.Name, Shape: []int{len(s.Value)}, F32: s.Value})
		}
	}
	return all
}

// Load goes on where the trainer that wrote a file of Save was: with the same
// options and data the run has the same bits as one that was never stopped.
//
// Options may differ in Epochs, which changes a falling rate, in what is
// measured, called and shown, and in Checkpoint. Any other difference is an
// error that names it, as are other labels of the training set, another format
// and a damaged file; the trainer is then as it was. If the file is
// Options.Checkpoint, the next Fit goes on from it and writes it again.
func (t *Trainer) Load(path string) error {
	if err := t.told.busy("Load"); err != nil {
		return err
	}
	if err := t.read(path); err != nil {
		return err
	}
	t.adoptFile(path)
	return nil
}

// adoptFile notes that the file of Options.Checkpoint, if path is that, is of this
// run: there is nothing in it to go on from.
func (t *Trainer) adoptFile(path string) {
	a, err := os.Stat(path)
	if err != nil || t.o.Checkpoint == "" {
		return
	}
	if b, err := os.Stat(t.o.Checkpoint); err == nil && os.SameFile(a, b) {
		t.opened = true
	}
}

// read is Load.
func (t *Trainer) read(path string) error {
	f, err := safetensors.Open(path)
	if err != nil {
		return fmt.Errorf("train: checkpoint %w", err)
	}
	defer f.Close()
	if err := t.restore(f); err != nil {
		return fmt.Errorf("train: checkpoint %s: %w", path, err)
	}
	return nil
}

func (t *Trainer) restore(f *safetensors.File) error {
	if got := f.Meta["format"]; got != format {
		return fmt.Errorf("its format is %q, this program reads %q", got, format)
	}
	if err := f.Verify(); err != nil {
		return err
	}
	if err := differ(f.Meta["config"], t.Config()); err != nil {
		return err
	}
	var p progress
	if err := json.Unmarshal([]byte(f.Meta["progress"]), &p); err != nil {
		return fmt.Errorf("its progress: %w", err)
	}
	if err := p.check(t.sampler.Steps()); err != nil {
		return fmt.Errorf("its progress: %w", err)
	}
	t.useAverage(false)
	arrays := t.arrays()
	if p.Best.Epoch > 0 && t.o.Patience > 0 {
		p.Best.weights = copied(nil, t.weights())
		arrays = append(arrays, p.Best.weights...)
	}
	if err := f.Fill(arrays); err != nil {
		return err
	}
	t.adopt(p)
	if t.average != nil {
		t.useAverage(t.run == nil && t.steps > 0)
	}
	return nil
}

// check finds numbers that no run of so many steps an epoch has.
func (p *progress) check(steps int) error {
	for _, n := range []int{p.Steps, p.Place, p.Epochs, p.Trunk, p.Rest, p.Params, p.Average, p.Best.Epoch, p.Best.Since} {
		if n < 0 {
			return fmt.Errorf("%d is negative", n)
		}
	}
	if r := p.Run; r != nil && (r.At < 0 || r.At > steps || r.Draw < 0 || r.Number < 1) {
		return fmt.Errorf("epoch %d, draw %d, step %d of %d is no place in a run", r.Number, r.Draw, r.At, steps)
	}
	if p.Warned == nil {
		p.Warned = make(map[string]bool)
	}
	return nil
}

// open goes on from Options.Checkpoint, once, if it is there.
func (t *Trainer) open() error {
	if t.o.Checkpoint == "" || t.opened {
		return nil
	}
	durable.Sweep(t.o.Checkpoint)
	_, err := os.Stat(t.o.Checkpoint)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("train: checkpoint: %w", err)
	case t.steps > 0:
		return fmt.Errorf("train: checkpoint %s is there, but %d steps that are not in it are done: Load it to go on from there without them, or name another file", t.o.Checkpoint, t.steps)
	default:
		if err := t.read(t.o.Checkpoint); err != nil {
			return fmt.Errorf("%w; remove the file or name another one to begin anew", err)
		}
	}
	t.opened = true
	return nil
}

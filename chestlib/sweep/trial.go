// Package sweep runs many trainings and keeps a record of each: to choose
// settings on held-out training classes and to compare what was chosen on classes
// never seen.
//
// A record is a file in a folder named by a hash of all that decides the numbers in
// it, so nothing runs twice: a sweep that was stopped, or that got more seeds, runs what
// is missing.
package sweep

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/metric"
	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/chestlib/train"
)

// Data is what trials train on and are measured on.
type Data struct {
	Name  string // says what the data are, version included: it is part of a record's identity
	Train model.Source
	Test  model.Source // of other classes

	// Gallery is what the items of Test are looked for in, as on In-Shop; the two share
	// one numbering of classes. nil: in Test itself.
	Gallery model.Source

	// HoldOut cuts a share of the training classes off; nil if that cannot be done.
	HoldOut func(share float64) (fit, held model.Source)
}

// Trial is one training with one measurement at its end.
type Trial struct {
	Model model.Options
	Train train.Options
	Until int    // epochs after which it ends; 0 means all of Train.Epochs
	On    string // where it is trained, as train.On has it; "" is the processor
	Note  string // what sets it apart from other variants, for tables

	Products string // what multiplies on a GPU, as train.Products has it; "" is chest's own
}

// Record is what a trial found.
type Record struct {
	ID         string  // of the run
	Asked      *Config `json:",omitempty"` // the config it was asked for by; nil for a Trial made in Go
	Made       Made
	Data       string
	Config     json.RawMessage // train.Trainer.Config
	TestLabels string          // a hash
	Uses       loss.Space      // the spaces that were trained; the other one's scores say nothing

	E, H    metric.Result
	Clipped float64 // share of test items at the clip radius
	Loss    float64 // of the last epoch
	History []train.Epoch
	Epochs  int     // done; fewer than asked for if the trial was given up as it diverged
	Seconds float64 // of training
	Failed  string  // why it has no scores, "" if it has
}

// Check finds a record that is no whole one: one without a failure has scores in
// both spaces, Recall@1 among them.
func (r Record) Check() error {
	if r.Failed != "" {
		return nil
	}
	for _, s := range []metric.Result{r.E, r.H} {
		if len(s.Ks) != len(s.Recall) || !slices.Contains(s.Ks, 1) {
			return fmt.Errorf("it has no Recall@1 and no failure either")
		}
	}
	return nil
}

// MAPR is the mean MAP@R of the spaces that were trained, 0 if the trial failed.
func (r Record) MAPR() float64 {
	switch {
	case r.Failed != "":
		return 0
	case r.Uses == loss.OnlyE:
		return r.E.MAPR
	case r.Uses == loss.OnlyH:
		return r.H.MAPR
	}
	return (r.E.MAPR + r.H.MAPR) / 2
}

// version is part of a record's identity. It rises when the same config gives
// other numbers.
const version = "1"

// Run returns the record of a trial on d: that in dir, if it is there, else that
// of a training, which is written to dir. A training that diverges is a record
// with Failed; an error is one that says nothing of the trial, such as an
// interrupt. cached says that nothing was trained. dir "" keeps no records.
func Run(ctx context.Context, t Trial, d Data, dir string) (r Record, cached bool, err error) {
	ctx, done := context.WithCancel(ctx) // stays with the cell that called
	defer done()
	tr, err := t.trainer(d)
	if err != nil {
		return r, false, err
	}
	r = Record{Made: made(), Data: d.Name, Config: json.RawMessage(tr.Config()), TestLabels: labels(d.Test), Uses: tr.Loss.Uses()}
	r.ID = r.id()
	path := Folder{dir, r.ID}.path("record.json")
	if dir != "" {
		if old, err := (Folder{dir, r.ID}).Record(); err == nil {
			return old, true, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return r, false, err
		}
	}
	if err := r.fill(ctx, tr, d, t); err != nil {
		return r, false, err
	}
	if dir == "" {
		return r, false, nil
	}
	r.Made.PeakMB = peakMB()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return r, false, fmt.Errorf("sweep: %w", err)
	}
	return r, false, writeJSON(path, r)
}

// trainer makes the trainer of a trial.
func (t Trial) trainer(d Data) (*train.Trainer, error) {
	c, h, w := d.Train.Shape()
	m, err := model.New(model.Shape{C: c, H: h, W: w}, t.Model)
	if err != nil {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	o := t.Train
	o.Silent = true
	tr, err := train.New(m, d.Train, o)
	if err != nil {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	return tr, nil
}

// fill trains and measures.
func (r *Record) fill(ctx context.Context, tr *train.Trainer, d Data, t Trial) error {
	history, err := t.fit(ctx, tr)
	if ctx.Err() != nil { // also when it came after the last step
		return cmp.Or(err, ctx.Err())
	}
	if err != nil && len(history) == 0 && strings.HasPrefix(t.On, "cuda") {
		return err // such as no GPU here, which says nothing of the trial
	}
	for _, e := range history {
		r.Seconds += e.Seconds
		r.Loss = e.Loss.Total
	}
	r.Epochs, r.History = len(history), history
	if err != nil {
		r.Failed = err.Error()
		return nil
	}
	s, err := d.measure(ctx, tr.Model)
	if ctx.Err() != nil {
		return cmp.Or(err, ctx.Err())
	}
	if err != nil {
		r.Failed = err.Error()
		return nil
	}
	r.E, r.H, r.Clipped = s.E, s.H, s.Clipped
	return nil
}

// fit trains as long as the trial says.
func (t Trial) fit(ctx context.Context, tr *train.Trainer) ([]train.Epoch, error) {
	on := []train.Option{train.On(cmp.Or(t.On, "cpu")), train.Products(t.Products)}
	if t.Until == 0 {
		return tr.Fit(ctx, on...)
	}
	for len(tr.History()) < t.Until {
		if _, err := tr.Epoch(ctx, on...); err != nil {
			return tr.History(), err
		}
	}
	return tr.History(), nil
}

// measure is retrieval of Test, in the gallery if there is one.
func (d Data) measure(ctx context.Context, m *model.Model) (train.Scores, error) {
	if d.Gallery == nil {
		return train.Evaluate(ctx, m, d.Test, nil)
	}
	return train.EvaluateGallery(ctx, m, d.Test, d.Gallery, nil)
}

// id is the name of the record's file: a hash of all that decides its numbers.
func (r Record) id() string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n%s\n%s\n%s\n", version, r.Data, r.TestLabels, r.Config)
	return hex.EncodeToString(sum.Sum(nil)[:12])
}

// labels is a hash of the labels of src.
func labels(src model.Source) string {
	sum := sha256.New()
	for i := range src.Len() {
		fmt.Fprintln(sum, src.Label(i))
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

package sweep

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/chestlib/train"
	"github.com/chestlab/chest/internal/cpu"
	"github.com/chestlab/chest/internal/durable"
)

// Lookup finds the data of a name that a config has.
type Lookup func(ctx context.Context, name string) (Data, error)

// stopped is what stands in the file end of a run that was interrupted.
const stopped = "stopped"

// Work does the run of f, in this process: it trains from the last checkpoint, if
// there is one, measures, and writes the record. If ctx ends it stops after the
// present step, with a checkpoint; Work of the same folder then goes on, to the
// bits of a run that was never stopped. A run that another process is at is an
// error that wraps durable.ErrLocked; one that is done returns its record.
//
// log gets a line for each epoch.
func (f Folder) Work(ctx context.Context, lookup Lookup, log io.Writer) (Record, error) {
	if f.ID == "" || f.ID != filepath.Base(f.ID) || f.ID[0] == '.' {
		return Record{}, fmt.Errorf("sweep: %q is no name of a run", f.ID)
	}
	release, err := f.lock(ctx)
	if err != nil {
		return Record{}, fmt.Errorf("sweep: run %s: %w", f.ID, err)
	}
	defer release()
	if r, err := f.Record(); !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	if err := f.begin(); err != nil {
		return Record{}, err
	}
	r, err := f.work(ctx, lookup, log)
	switch {
	case err == nil:
		os.Remove(f.path("checkpoint"))
	case ctx.Err() != nil:
		f.end(stopped)
	default:
		f.end(err.Error())
	}
	return r, err
}

// lock takes the run's lock. Who looks at the State of a run has it for a moment, so
// it is tried for a second.
func (f Folder) lock(ctx context.Context) (release func(), err error) {
	for range 20 {
		if release, err = durable.Lock(f.path("lock")); !errors.Is(err, durable.ErrLocked) || ctx.Err() != nil {
			return release, err
		}
		time.Sleep(50 * time.Millisecond)
	}
	return release, err
}

// begin notes an attempt.
func (f Folder) begin() error {
	durable.Sweep(f.path("checkpoint"))
	durable.Sweep(f.path("record.json"))
	os.Remove(f.path("end"))
	a, err := os.OpenFile(f.path("attempts"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return fmt.Errorf("sweep: run %s: %w", f.ID, err)
	}
	host, _ := os.Hostname()
	_, err = fmt.Fprintf(a, "%s %s %d\n", time.Now().Format(time.RFC3339), host, os.Getpid())
	return errors.Join(err, a.Close())
}

// end notes how an attempt ended without a record.
func (f Folder) end(how string) {
	durable.Write(f.path("end"), func(w io.Writer) error { _, err := io.WriteString(w, how); return err })
}

func (f Folder) work(ctx context.Context, lookup Lookup, log io.Writer) (Record, error) {
	c, err := f.Config()
	if err != nil {
		return Record{}, err
	}
	d, err := c.data(ctx, lookup)
	if err != nil {
		return Record{}, err
	}
	t, err := c.Trial()
	if err != nil {
		return Record{}, err
	}
	t.Train.Checkpoint = f.path("checkpoint")
	t.Train.OnWarn = func(text string) { fmt.Fprintln(log, text) }
	t.Train.OnEpoch = func(e train.Epoch) { fmt.Fprintln(log, e) }
	tr, err := t.trainer(d)
	if err != nil {
		return Record{}, err
	}
	r := Record{ID: f.ID, Asked: &c, Data: d.Name, Config: json.RawMessage(tr.Config()), TestLabels: labels(d.Test), Uses: tr.Loss.Uses(), Made: made()}
	if err := r.fill(ctx, tr, d, t); err != nil {
		return r, err
	}
	r.Made.PeakMB = peakMB()
	return r, writeJSON(f.path("record.json"), r)
}

// data are those of the config, with what is held out.
func (c Config) data(ctx context.Context, lookup Lookup) (Data, error) {
	d, err := lookup(ctx, c.Data)
	if err != nil {
		return d, fmt.Errorf("sweep: data %q: %w", c.Data, err)
	}
	if c.HeldOut == 0 {
		return d, nil
	}
	if d.HoldOut == nil {
		return d, fmt.Errorf("sweep: data %q: training classes cannot be held out of it", c.Data)
	}
	fit, held := d.HoldOut(c.HeldOut)
	d.Gallery = nil
	d.Name, d.Train, d.Test = fmt.Sprintf("%s, %g of the training classes held out", d.Name, c.HeldOut), fit, held
	return d, nil
}

// Digest tells one version of data from another: by labels and shapes of all
// parts, and the contents of some items.
func (d Data) Digest() (string, error) {
	sum := sha256.New()
	parts := []model.Source{d.Train, d.Test}
	if d.Gallery != nil {
		parts = append(parts, d.Gallery)
	}
	for _, src := range parts {
		c, h, w := src.Shape()
		fmt.Fprintln(sum, c, h, w, labels(src))
		x := make([]float32, c*h*w)
		for k := range min(looked, src.Len()) {
			i := k * src.Len() / min(looked, src.Len())
			if err := src.Item(x, i); err != nil {
				return "", fmt.Errorf("sweep: data %q: item %d: %w", d.Name, i, err)
			}
			binary.Write(sum, binary.LittleEndian, x)
		}
	}
	return d.Name + " " + hex.EncodeToString(sum.Sum(nil)[:8]), nil
}

// looked is how many items of a part Digest looks at.
const looked = 32

// Made says by what a record was made.
type Made struct {
	Chest   string // version of the module, and the commit it was built from
	Go      string
	Host    string
	CPU     string // the level of vector instructions
	Threads int
	Began   time.Time
	PeakMB  float64 // of the process
}

func made() Made {
	m := Made{Go: runtime.Version(), CPU: runtime.GOARCH + " " + cpu.Active().String(), Threads: runtime.GOMAXPROCS(0), Began: time.Now().UTC().Truncate(time.Second)}
	m.Host, _ = os.Hostname()
	if b, ok := debug.ReadBuildInfo(); ok {
		m.Chest = b.Main.Version
		for _, s := range b.Settings {
			if s.Key == "vcs.revision" {
				m.Chest += " " + s.Value
			}
		}
	}
	return m
}

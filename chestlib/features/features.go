// Package features keeps what a frozen network makes of a data set in a file: it
// is computed once, in shards on several machines if need be, and a run that
// was killed goes on where it was.
//
//	err := features.Extract(ctx, b, src, "cub.safetensors", features.Options{Data: "cub test"})
//	set, err := features.Read("cub.safetensors", features.Describe(b, src, features.Options{Data: "cub test"}))
package features

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"runtime"
	"time"

	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/internal/durable"
	"github.com/chestlab/chest/internal/parallel"
)

// Backbone is a frozen network, such as those of package backbone. The features
// of an image may not depend on the other images of a call.
type Backbone interface {
	Features(x []float32, n int) []float32 // n×In to n×Width
	In() model.Shape
	Width() int
	Name() string    // of the network
	Weights() string // a checksum
}

// Options controls Extract. The zero value computes all items.
type Options struct {
	Data    string // name of the data set and of its part, for the record
	Version string // of the program, for the record
	Shard   Shard  // zero means all items

	// Batch is how many images are computed at a time and lost when the program is
	// killed; 0 means 32, or two for each processor if that is more. It does not
	// change the features.
	Batch int

	// Readers is how many items are read at once while others are computed; 0
	// means 1. More than one is for sources whose Item may be called by several
	// goroutines, such as datasets.Set.
	Readers int

	Progress Progress // nil means none
}

// Progress is what Extract reports to; *display.Progress is one.
type Progress interface {
	Start(total int, what string)
	Set(done int, status string)
	Finish(status string)
}

// filled is o with its defaults, checked.
func (o Options) filled() (Options, error) {
	if o.Batch < 0 || o.Readers < 0 {
		return o, fmt.Errorf("features: Batch %d, Readers %d; want positive numbers, 0 means the default", o.Batch, o.Readers)
	}
	if o.Batch == 0 {
		o.Batch = max(32, 2*runtime.GOMAXPROCS(0))
	}
	o.Readers = max(o.Readers, 1)
	o.Shard = o.Shard.filled()
	return o, o.Shard.check()
}

// job is an extraction in progress.
type job struct {
	b      Backbone
	src    model.Source
	o      Options
	path   string
	record Record
	first  int       // item of the shard that is its first
	n      int       // items of the shard
	x      []float32 // n×Width
	done   int       // items that are computed
	work   *workFile
}

// Extract computes the features of the items of src, or of a shard of them, and
// writes them to a file of safetensors, in one step: "features" n×d, "label" n,
// and the record of what made them. src has images of the shape b.In, and may
// be a Recipe. To a model.Prefetcher, such as a datasets.ImageSet, the next few
// batches are announced.
//
// Meanwhile what is done lies in a work file beside path, path.work. When a run
// ends early, by ctx, an error or a kill, the next one with the same arguments
// goes on there; the file has then the same bytes as one of a single run, for
// any batch size and number of processors. Parts of the work file that are
// damaged are computed again. A work file, or a file at path, of other features
// is an error that says in what they differ; if the file at path holds these
// features Extract does nothing. One process at a time may write a path.
//
// A source with another shape, an item that cannot be read and features that
// are not finite are errors.
//
// Cost: that of the network; n·d·4 bytes of memory, and as much on the disk
// beside the file until it is written.
func Extract(ctx context.Context, b Backbone, src model.Source, path string, o Options) (err error) {
	ctx, stop := context.WithCancel(ctx) // stays with the cell that called
	defer stop()
	j, err := newJob(b, src, path, o)
	if err != nil {
		return err
	}
	if there, err := j.finished(); there || err != nil {
		return err
	}
	if err := j.open(); err != nil {
		return err
	}
	defer j.work.close()
	if err := j.run(ctx); err != nil {
		return err
	}
	return j.finish()
}

func newJob(b Backbone, src model.Source, path string, o Options) (*job, error) {
	o, err := o.filled()
	if err != nil {
		return nil, err
	}
	if c, h, w := src.Shape(); b.In() != (model.Shape{C: c, H: h, W: w}) {
		return nil, fmt.Errorf("features: %s takes images of %v, these are %v; give the source or the network the other's size", b.Name(), b.In(), model.Shape{C: c, H: h, W: w})
	}
	j := &job{b: b, src: src, o: o, path: path, record: Describe(b, src, o)}
	first, end := o.Shard.part(src.Len())
	j.first, j.n = first, end-first
	return j, nil
}

// finished tells whether path holds the features already.
func (j *job) finished() (bool, error) {
	if _, err := os.Stat(j.path); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("features: %w", err)
	}
	set, err := Read(j.path, Record{})
	if err == nil {
		err = set.Record.differ(j.record, true)
	}
	if err == nil && set.Shard != j.o.Shard {
		err = fmt.Errorf("it holds shard %v, not %v", set.Shard, j.o.Shard)
	}
	if err != nil {
		return false, fmt.Errorf("features: %s is there already: %w; remove it or name another file", j.path, err)
	}
	os.Remove(workPath(j.path)) // of a run that was killed at its very end
	return true, nil
}

// open goes on with the work file, or begins one.
func (j *job) open() (err error) {
	durable.Sweep(j.path)
	durable.Sweep(workPath(j.path))
	j.x = make([]float32, j.n*j.record.Width)
	j.work, j.done, err = openWork(workPath(j.path), j.record, j.o.Shard, j.x)
	return err
}

// batch is some items that have been read.
type batch struct {
	x   []float32
	n   int
	err error
}

// run computes what is not done.
func (j *job) run(ctx context.Context) error {
	begin, before := time.Now(), j.done
	if p := j.o.Progress; p != nil {
		p.Start(j.n, fmt.Sprintf("features of %s by %s", j.record.Data, j.b.Name()))
		p.Set(j.done, "")
		defer p.Finish("")
	}
	ctx, stop := context.WithCancel(ctx)
	batches, end := make(chan batch, 1), make(chan struct{})
	go func() { defer close(end); defer close(batches); j.read(ctx, j.done, batches) }()
	defer func() { stop(); <-end }() // the source is no longer used
	for j.done < j.n {
		b, ok := <-batches
		if err := ctx.Err(); err != nil || !ok {
			return fmt.Errorf("features: stopped after %d of %d items, which are in %s; run it again to go on: %w", j.done, j.n, workPath(j.path), err)
		}
		if b.err != nil {
			return fmt.Errorf("features: %w; the %d items before it are in %s", b.err, j.done, workPath(j.path))
		}
		if err := j.compute(b); err != nil {
			return err
		}
		if p := j.o.Progress; p != nil {
			p.Set(j.done, fmt.Sprintf("%.1f images/s", float64(j.done-before)/time.Since(begin).Seconds()))
		}
	}
	return nil
}

// ahead is how many batches are announced to a source that makes items ahead.
const ahead = 4

// announce tells the source which items come next, from one of the shard on.
func (j *job) announce(first int) {
	p, ok := j.src.(model.Prefetcher)
	if !ok {
		return
	}
	var items []int
	for i := first; i < min(first+ahead*j.o.Batch, j.n); i++ {
		items = append(items, j.first+i)
	}
	p.Prefetch(items, nil) // none at the end: forget
}

// read sends the items from first on in batches, in three memories in turn: one
// is being computed, one waits, one is being filled.
func (j *job) read(ctx context.Context, first int, to chan<- batch) {
	size := j.b.In().Size()
	free := [3][]float32{}
	defer j.announce(j.n)
	for turn := 0; first < j.n && ctx.Err() == nil; turn++ {
		n := min(j.o.Batch, j.n-first)
		x := &free[turn%len(free)]
		if *x == nil {
			*x = make([]float32, min(j.o.Batch, j.n)*size)
		}
		b := batch{x: (*x)[:n*size], n: n}
		j.announce(first)
		b.err = j.items(b.x, first, n)
		select {
		case to <- b:
		case <-ctx.Done():
			return
		}
		if b.err != nil {
			return
		}
		first += n
	}
}

// items reads n items.
func (j *job) items(x []float32, first, n int) error {
	size := j.b.In().Size()
	var failed error
	errs := make([]error, n)
	parallel.Tasks(min(j.o.Readers, n), n, func(i, _ int) { errs[i] = j.item(x[i*size:(i+1)*size], j.first+first+i) })
	for i, err := range errs {
		if err != nil && failed == nil {
			failed = fmt.Errorf("item %d: %w", j.first+first+i, err)
		}
	}
	return failed
}

// item reads an item. A panic of the source, on a goroutine where nobody else
// could catch it, becomes an error.
func (j *job) item(dst []float32, i int) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("its source panicked: %v", p)
		}
	}()
	return j.src.Item(dst, i)
}

// compute computes a batch and adds it to the work file.
func (j *job) compute(b batch) error {
	d := j.record.Width
	y := j.x[j.done*d : (j.done+b.n)*d]
	copy(y, j.b.Features(b.x, b.n))
	for i, v := range y {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("features: item %d has features that are not finite; look at its pixels", j.first+j.done+i/d)
		}
	}
	if err := j.work.add(j.done, y, b.n); err != nil {
		return fmt.Errorf("features: %s: %w", workPath(j.path), err)
	}
	j.done += b.n
	return nil
}

// finish writes the file and removes the work file.
func (j *job) finish() error {
	s := Set{Record: j.record, Shard: j.o.Shard, X: j.x, Labels: make([]int, j.n)}
	for i := range s.Labels {
		s.Labels[i] = j.src.Label(j.first + i)
	}
	if err := s.write(j.path); err != nil {
		return err
	}
	j.work.close()
	os.Remove(workPath(j.path)) // if it stays, the next run removes it
	return nil
}

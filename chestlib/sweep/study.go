package sweep

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
)

// Row is one line of a comparison: variants of a setting, of which one is chosen.
type Row struct {
	Name     string
	Variants []Trial // their seeds are set by the study
}

// Study compares rows: of each it chooses the variant with the best MAP@R on
// held-out training classes, then trains that on all training classes, once for
// each seed, and measures the test classes.
type Study struct {
	Choose Data   // training classes less held-out ones, and these
	Final  Data   // all training classes, and the test classes
	Seeds  int    // of the final trainings: 1 to Seeds
	Dir    string // of the records; "" keeps none
	Jobs   int    // trials at a time; 0 means 1. The records do not depend on it

	// Report is called after each trial, from one goroutine at a time; nil for none.
	Report func(done, total int, what string, r Record, cached bool)
}

// Line is what a study found of a row.
type Line struct {
	Name    string
	Variant int      // which was chosen
	Choices []Record // of the variants, on held-out classes
	Seeds   []Record // of the chosen one, on test classes
}

// chooseSeed is the seed of the trials that choose: one that no final training has.
const chooseSeed = 1000

// Run runs the study. When ctx ends it returns its error; the records that were
// made stay.
func (s Study) Run(ctx context.Context, rows []Row) ([]Line, error) {
	ctx, done := context.WithCancel(ctx) // stays with the cell that called
	defer done()
	lines := make([]Line, len(rows))
	var choose, final []job
	total := 0
	for i, row := range rows {
		if len(row.Variants) == 0 {
			return nil, fmt.Errorf("sweep: row %q has no variant", row.Name)
		}
		lines[i] = Line{Name: row.Name, Choices: make([]Record, len(row.Variants)), Seeds: make([]Record, s.Seeds)}
		total += s.Seeds
		if len(row.Variants) == 1 {
			continue // nothing to choose
		}
		total += len(row.Variants)
		for v, t := range row.Variants {
			choose = append(choose, job{t.seeded(chooseSeed), s.Choose, fmt.Sprintf("%s, variant %d of %d", row.Name, v+1, len(row.Variants)), &lines[i].Choices[v]})
		}
	}
	r := &runner{Study: s, total: total}
	if err := r.run(ctx, choose); err != nil {
		return lines, err
	}
	for i, row := range rows {
		lines[i].choose()
		for k := range s.Seeds {
			t := row.Variants[lines[i].Variant].seeded(uint64(k + 1))
			final = append(final, job{t, s.Final, fmt.Sprintf("%s, seed %d", row.Name, k+1), &lines[i].Seeds[k]})
		}
	}
	return lines, r.run(ctx, final)
}

// choose picks the variant of the best record, the first of equals.
func (l *Line) choose() {
	for v, r := range l.Choices {
		if r.MAPR() > l.Choices[l.Variant].MAPR() {
			l.Variant = v
		}
	}
}

// seeded is t with the seed of model and training.
func (t Trial) seeded(seed uint64) Trial {
	t.Model.Seed, t.Train.Seed = seed, seed
	return t
}

// job is a trial and the place for its record.
type job struct {
	trial  Trial
	data   Data
	what   string
	record *Record
}

// runner runs the jobs of a study.
type runner struct {
	Study
	total, done int
	mu          sync.Mutex
}

// run runs all jobs, Jobs at a time, and returns the first error.
func (r *runner) run(ctx context.Context, jobs []job) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(max(r.Jobs, 1), len(jobs)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(jobs) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := r.one(ctx, jobs[i]); err != nil {
					stop(err)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

func (r *runner) one(ctx context.Context, j job) error {
	record, cached, err := Run(ctx, j.trial, j.data, r.Dir)
	if err != nil {
		return fmt.Errorf("%s: %w", j.what, err)
	}
	*j.record = record
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done++
	if r.Report != nil {
		r.Report(r.done, r.total, j.what, record, cached)
	}
	return nil
}

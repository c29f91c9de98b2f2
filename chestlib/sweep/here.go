package sweep

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chestlab/chest/kernel/display"
)

// Here is the engine that runs tasks in this process, for data that only it has.
type Here struct {
	Jobs   int // runs at a time; 0 means 1
	Lookup Lookup
}

// Run is Engine.Run.
func (h Here) Run(ctx context.Context, dir string, tasks []Task, begun, done func(t Task)) error {
	var mu sync.Mutex // of begun and done
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(max(h.Jobs, 1), len(tasks)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(tasks) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				t := tasks[i]
				locked(&mu, func() { begun(t) })
				h.one(ctx, Folder{dir, t.ID})
				locked(&mu, func() { done(t) })
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

// one does a run; how it ended stands in its folder.
func (h Here) one(ctx context.Context, f Folder) {
	log, err := os.OpenFile(f.path("log.txt"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		f.Work(ctx, h.Lookup, io.Discard)
		return
	}
	defer log.Close()
	if _, err := f.Work(ctx, h.Lookup, log); err != nil {
		fmt.Fprintln(log, err)
	}
}

// Grid is a plan for a cell: base with every combination of the axes' values, seeds
// 1 to seeds.
//
//	p := sweep.Grid("dimensions", sweep.Config{}, 3, sweep.Axis{Path: "Model.DH", Values: []any{2, 8, 32}})
//	results, err := p.Run(display.Context(), "runs", sweep.Data{Name: "mine", Train: train, Test: test})
//
// Rows and Choose of the plan can be set before it is run.
func Grid(name string, base Config, seeds int, axes ...Axis) *Plan {
	p := &Plan{Name: name, Base: base, Grid: axes}
	for s := range seeds {
		p.Seeds = append(p.Seeds, uint64(s+1))
	}
	return p
}

// Run runs the plan in this process on data that it is given, one run after the
// other, and keeps the records in dir. In a notebook the table grows as runs end.
// It may be stopped: the same call goes on, and runs nothing twice.
//
// The results come also beside an error.
func (p *Plan) Run(ctx context.Context, dir string, data ...Data) (Results, error) {
	named, digest := map[string]Data{}, map[string]string{}
	q := *p
	q.Data = nil
	for _, d := range data {
		var err error
		if digest[d.Name], err = d.Digest(); err != nil {
			return Results{}, err
		}
		named[d.Name] = d
		q.Data = append(q.Data, d.Name)
	}
	if err := q.Check(); err != nil {
		return Results{}, fmt.Errorf("sweep: %w", err)
	}
	s := &Sweep{Plan: &q, Dir: dir, Digest: digest, Resume: Resume{Unfinished: true, Lost: true}}
	live := newLive(s)
	s.Report = live.report
	err := s.Run(ctx, Here{Lookup: func(_ context.Context, name string) (Data, error) {
		d, there := named[name]
		if !there {
			return d, fmt.Errorf("there are no data %q", name)
		}
		return d, nil
	}})
	lines, e := s.Results()
	if err == nil {
		err = e
	}
	results := Results{Name: q.Name, Grid: q.Grid, Choose: q.Choose, Lines: lines}
	live.finish(results, err)
	return results, err
}

// live shows a sweep in a notebook: how far it is, and its table.
type live struct {
	s    *Sweep
	id   string
	last time.Time
	text string
}

func newLive(s *Sweep) *live { return &live{s: s, id: display.NewID()} }

// pause is the least time between two looks of a notebook at the table.
const pause = time.Second

func (l *live) report(p Progress) {
	l.text = fmt.Sprintf("%d of %d runs done", p.Done, p.Total)
	if p.Failed > 0 {
		l.text += fmt.Sprintf(", %d failed", p.Failed)
	}
	if p.Left > 0 {
		l.text += fmt.Sprintf(", about %s left", p.Left.Round(time.Second))
	}
	if !display.InNotebook() || time.Since(l.last) < pause {
		return
	}
	lines, err := l.s.Results()
	if err != nil {
		return
	}
	q := l.s.Plan
	l.show(Results{Name: q.Name, Grid: q.Grid, Choose: q.Choose, Lines: lines}, l.text)
}

// show writes the block, or writes it over.
func (l *live) show(r Results, status string) {
	first := l.last.IsZero()
	l.last = time.Now()
	b := display.Bundle{display.MIMEText: status, display.MIMEHTML: "<p>" + html.EscapeString(status) + "</p>" + r.HTML()}
	if first {
		display.ShowAs(l.id, b)
	} else {
		display.Update(l.id, b)
	}
}

// finish leaves the last state.
func (l *live) finish(r Results, err error) {
	switch {
	case errors.Is(err, context.Canceled):
		l.text += "; interrupted: the same call goes on"
	case err != nil:
		l.text += "; " + err.Error()
	}
	if !l.last.IsZero() {
		b := display.Bundle{display.MIMEText: l.text, display.MIMEHTML: "<p>" + html.EscapeString(l.text) + "</p>"}
		display.Update(l.id, b)
	}
}

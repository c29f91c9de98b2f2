package slurm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/chestlab/chest/chestlib/sweep"
)

// watch follows the runs of a folder that were submitted, by this process or by
// one before it.
type watch struct {
	Engine
	dir         string
	batches     []*batch
	open        []*spot // runs that have not ended
	begun, done func(t sweep.Task)

	rows     map[string]map[int]row // by the name of the job and the task
	answered bool                   // the last question
	silent   bool                   // the site keeps no accounts
	tries    map[string]int         // how often a run was submitted
	never    []string               // what is to be said of tasks that did not begin
	said     map[string]bool
}

// spot is a run and its place.
type spot struct {
	task     sweep.Task
	folder   sweep.Folder
	batch    *batch // nil if a process without a job is at it
	part, k  int
	attempts int // before; -1 if it had begun when it was found
	begun    bool
	gone     time.Time // since when its job has ended; zero if it has not
}

// row is what Slurm said last of the spot's job.
func (w *watch) row(s *spot) (r row, known bool) {
	if s.batch == nil {
		return r, false
	}
	r, known = w.rows[s.batch.part(s.part)][s.k]
	return r, known
}

// watch looks for jobs of the folder.
func (e Engine) watch(ctx context.Context, dir string) (*watch, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("slurm: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "slurm"), 0o777); err != nil {
		return nil, fmt.Errorf("slurm: %w", err)
	}
	w := &watch{Engine: e, dir: dir, tries: map[string]int{}, said: map[string]bool{}}
	if w.batches, err = batches(dir); err != nil || len(w.batches) == 0 {
		return w, err
	}
	var names []string
	for _, b := range w.batches {
		for i := range b.Parts {
			names = append(names, b.part(i))
		}
	}
	rows, err := named(ctx, names)
	if err != nil {
		return nil, err
	}
	w.take(rows)
	for _, b := range w.batches { // a submission that this process's forerunner did not live to note
		for i := range b.Parts {
			for _, r := range w.rows[b.part(i)] {
				b.Parts[i].Job = r.job
			}
		}
	}
	w.answered = true
	return w, nil
}

// take sorts rows by name, which a job of another with one of our ids has not.
func (w *watch) take(rows []row) {
	w.rows = map[string]map[int]row{}
	for _, r := range rows {
		if w.rows[r.name] == nil {
			w.rows[r.name] = map[int]row{}
		}
		w.rows[r.name][r.task] = r
	}
}

// adopt opens the tasks whose runs are under way and returns the others.
func (w *watch) adopt(tasks []sweep.Task) (fresh []sweep.Task) {
	place := map[string]*spot{}
	for _, b := range w.batches {
		for run, id := range b.runs {
			s := &spot{batch: b}
			s.part, s.k = b.where(run)
			if r, known := w.row(s); known && !ended[r.state] {
				if s.attempts = -1; r.state == "PENDING" {
					s.attempts = sweep.Folder{Dir: w.dir, ID: id}.Attempts()
				}
				place[id] = s
			}
		}
	}
	now := clock(w.dir)
	for _, t := range tasks {
		f := sweep.Folder{Dir: w.dir, ID: t.ID}
		s := place[t.ID]
		if s == nil && beats(f, now) {
			s = &spot{attempts: -1}
		}
		if s == nil {
			fresh = append(fresh, t)
			continue
		}
		s.task, s.folder = t, f
		w.open = append(w.open, s)
		w.tries[t.ID]++
	}
	if n := len(w.open); n > 0 {
		w.log("slurm: %d runs were submitted before and are not over; they are waited for", n)
	}
	return fresh
}

// submit freezes the tasks, submits them and opens them.
func (w *watch) submit(ctx context.Context, tasks []sweep.Task) error {
	most, err := maxArraySize(ctx)
	if err != nil {
		return err
	}
	var runs []string
	for _, t := range tasks {
		runs = append(runs, t.ID)
	}
	b, err := w.newBatch(w.dir, runs, most)
	if err != nil {
		return err
	}
	w.batches = append(w.batches, b)
	previous := ""
	for i := range b.Parts {
		if previous, err = w.patient(ctx, b.part(i), w.sbatch(b, i, previous)); err != nil {
			return err
		}
		b.Parts[i].Job = previous
		if err := b.save(); err != nil {
			return fmt.Errorf("slurm: job %s: %w", previous, err)
		}
		w.log("slurm: job %s: %d tasks; its script and logs are in %s", previous, b.Parts[i].Tasks, b.dir)
	}
	for run, t := range tasks {
		s := &spot{task: t, folder: sweep.Folder{Dir: w.dir, ID: t.ID}, batch: b}
		s.part, s.k = b.where(run)
		s.attempts = s.folder.Attempts()
		w.open = append(w.open, s)
		w.tries[t.ID]++
	}
	if w.Detach {
		return w.gather(ctx, b)
	}
	return nil
}

// patient submits, again if the controller does not answer, for a while.
func (w *watch) patient(ctx context.Context, name string, args []string) (job string, err error) {
	for try := 0; ; try++ {
		if job, err = sbatch(ctx, name, args); err == nil || !unreachable(err) || try == 5 {
			return job, err
		}
		w.log("%v; another try in %s", err, w.poll())
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(w.poll()):
		}
	}
}

// wait returns when all that is open has ended.
func (w *watch) wait(ctx context.Context) error {
	for {
		w.ask(ctx)
		if again := w.look(); len(again) > 0 && ctx.Err() == nil {
			w.log("slurm: the jobs of %d runs are gone before they began; they are submitted again", len(again))
			if err := w.submit(ctx, again); err != nil {
				return w.leave(err)
			}
		}
		if len(w.open) == 0 {
			w.close()
			return w.verdict()
		}
		select {
		case <-ctx.Done():
			return w.leave(nil)
		case <-time.After(w.poll()):
		}
	}
}

// ask asks Slurm for all that is open.
func (w *watch) ask(ctx context.Context) {
	var ids []string
	for _, s := range w.open {
		if s.batch != nil && s.batch.Parts[s.part].Job != "" && !slices.Contains(ids, s.batch.Parts[s.part].Job) {
			ids = append(ids, s.batch.Parts[s.part].Job)
		}
	}
	if w.answered = true; len(ids) == 0 {
		return
	}
	rows, err := jobs(ctx, ids)
	if err != nil {
		if w.answered = false; ctx.Err() == nil {
			w.once(err.Error(), "%v; the jobs go on, and it is asked again", err)
		}
		return
	}
	w.take(rows)
	w.account(ctx, ids)
	for _, r := range rows {
		if held := r.state == "PENDING" && (strings.Contains(strings.ToLower(r.reason), "held") || strings.Contains(r.reason, "Limit") && r.reason != "JobArrayTaskLimit" || strings.Contains(r.reason, "Never")); held {
			w.once(r.job+r.reason, "slurm: job %s waits: %s (scontrol show job %s)", r.job, r.reason, r.job)
		}
	}
}

// account asks the accounting for what squeue has forgotten.
func (w *watch) account(ctx context.Context, ids []string) {
	forgotten := func(s *spot) bool { _, known := w.row(s); return !known && s.batch != nil }
	if w.silent || !slices.ContainsFunc(w.open, forgotten) {
		return
	}
	rows, off, err := accounted(ctx, ids)
	if w.silent = off; err != nil {
		w.once(err.Error(), "%v", err)
		return
	}
	for _, r := range rows {
		if tasks := w.rows[r.name]; ended[r.state] { // of no other state: it may never be told the end
			if tasks == nil {
				tasks = map[int]row{}
				w.rows[r.name] = tasks
			}
			if _, known := tasks[r.task]; !known {
				tasks[r.task] = r
			}
		}
	}
}

func (w *watch) once(key, format string, a ...any) {
	if !w.said[key] {
		w.said[key] = true
		w.log(format, a...)
	}
}

// look closes the spots that have ended and returns what is to be submitted again.
func (w *watch) look() (again []sweep.Task) {
	var open []*spot
	now := clock(w.dir)
	for _, s := range w.open {
		switch over, lost := w.over(s, now); {
		case lost && w.tries[s.task.ID] < 3:
			again = append(again, s.task)
		case over || lost:
			w.start(s)
			w.done(s.task)
		default:
			open = append(open, s)
		}
	}
	w.open = open
	return again
}

// start says once that a run has begun.
func (w *watch) start(s *spot) {
	if !s.begun {
		s.begun = true
		w.begun(s.task)
	}
}

// over says whether a run has ended, and whether its job is gone without having
// begun it.
func (w *watch) over(s *spot, now time.Time) (over, lost bool) {
	if _, err := s.folder.Record(); !errors.Is(err, fs.ErrNotExist) {
		return true, false
	}
	began := s.folder.Attempts() > s.attempts
	r, known := w.row(s)
	if known && !ended[r.state] {
		if s.gone = (time.Time{}); began && r.state == "RUNNING" {
			w.start(s)
		}
		return false, false
	}
	if !w.answered || alive(s.folder, now) {
		s.gone = time.Time{}
		return false, false
	}
	if s.gone.IsZero() {
		s.gone = time.Now()
	}
	if sure := known && r.state != "COMPLETED"; !sure && time.Since(s.gone) < w.settle() {
		return false, false // its files may be late
	}
	switch {
	case began || r.state == "CANCELLED":
		return true, false
	case known && r.state != "COMPLETED" && !w.began(s):
		w.never = append(w.never, w.unbegun(s, r))
		return true, false
	}
	return false, true
}

// began says that the task of a spot has begun one of its runs.
func (w *watch) began(s *spot) bool {
	for run, id := range s.batch.runs {
		if p, k := s.batch.where(run); p == s.part && k == s.k && (sweep.Folder{Dir: w.dir, ID: id}).Attempts() > 0 {
			return true
		}
	}
	return false
}

// close notes what has no job any more.
func (w *watch) close() {
	for _, b := range w.batches {
		live := false
		for i := range b.Parts {
			for _, r := range w.rows[b.part(i)] {
				live = live || !ended[r.state]
			}
		}
		// The last rows are those of the jobs that were waited for; a job that lingers after
		// its last record has nothing left to do.
		if all := !slices.ContainsFunc(b.runs, func(id string) bool { return !recorded(w.dir, id) }); all || !live && w.answered {
			b.Over = true
			b.save()
		}
	}
}

func recorded(dir, id string) bool {
	_, err := sweep.Folder{Dir: dir, ID: id}.Record()
	return err == nil
}

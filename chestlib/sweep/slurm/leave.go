package slurm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/chestlab/chest/chestlib/sweep"
)

// patience is how long cancelled jobs have for their checkpoints; Slurm itself
// kills them after its KillWait.
const patience = 2 * time.Minute

// leave cancels what is open, waits for its end and returns why, or what went
// wrong with that.
func (w *watch) leave(why error) error {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	ids, err := w.live(ctx)
	for cancelled := false; (unreachable(err) || err == nil && len(ids) > 0) && ctx.Err() == nil; ids, err = w.live(ctx) {
		if err == nil && !cancelled {
			w.log("slurm: cancelling %s; the tasks write checkpoints", strings.Join(ids, ", "))
			if _, err = run(ctx, "scancel", ids...); err != nil && !unreachable(err) {
				break
			}
			cancelled = err == nil
		}
		time.Sleep(min(w.poll(), time.Second))
	}
	for _, s := range w.open {
		if s.begun {
			w.done(s.task)
		}
	}
	if err == nil && len(ids) > 0 {
		err = fmt.Errorf("slurm: jobs %s do not end", strings.Join(ids, ", "))
	}
	if err != nil {
		err = fmt.Errorf("%w; jobs named chest-… of %s may still run (squeue --me); the same sweep waits for them", err, filepath.Join(w.dir, "slurm"))
	} else {
		w.close()
	}
	if why != nil && err != nil {
		return fmt.Errorf("%w (%v)", why, err)
	} else if why != nil {
		return why
	}
	return err
}

// live are the ids of the watched jobs that have not ended, found by their names.
func (w *watch) live(ctx context.Context) (ids []string, err error) {
	var names []string
	for _, b := range w.batches {
		for i := range b.Parts {
			names = append(names, b.part(i))
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	rows, err := named(ctx, names)
	if err != nil {
		return nil, err
	}
	w.take(rows)
	w.answered = true
	for _, r := range rows {
		if slices.Contains(names, r.name) && !ended[r.state] && !slices.Contains(ids, r.job) {
			ids = append(ids, r.job)
		}
	}
	return ids, nil
}

// unbegun says what is known of a task that ended before it began its run.
func (w *watch) unbegun(s *spot, r row) string {
	text := fmt.Sprintf("task %d of job %s on node %s: %s, %s", s.k, r.job, r.node, r.state, r.reason)
	path := s.batch.log(s.part, s.k)
	log, err := os.ReadFile(path)
	if err != nil {
		return text + fmt.Sprintf("; there is no log %s here: do all nodes share the folder? give one that they do by --dir", path)
	}
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	return text + fmt.Sprintf("; the end of its log, %s: %s", path, strings.Join(lines[max(0, len(lines)-3):], "; "))
}

// verdict is the error of tasks that did not begin: no further attempt helps.
func (w *watch) verdict() error {
	if len(w.never) == 0 {
		return nil
	}
	return fmt.Errorf("slurm: %d runs did not begin, the first as %s", len(w.never), w.never[0])
}

// alive says that a process is at a run, by its lock or, where that does not reach
// from node to node, by its beat.
func alive(f sweep.Folder, now time.Time) bool {
	state, err := f.State()
	return err == nil && state == sweep.Running || beats(f, now)
}

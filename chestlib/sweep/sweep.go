package sweep

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/chestlab/chest/internal/durable"
)

// Sweep runs a plan and keeps its records in a folder.
type Sweep struct {
	Plan   *Plan
	Dir    string            // of the records; several plans may share it
	Digest map[string]string // of the data, by name: Data.Digest

	Resume Resume // which runs that were begun before go on

	Report func(Progress) // called after each change, from one goroutine; nil for none
}

// Resume says which runs that were begun before, and have no result, go on. New runs
// begin in any case.
type Resume struct {
	Unfinished bool // stopped in good order
	Lost       bool // their process was killed, or the machine went down; they go on from their checkpoint
	Failed     bool // from their first step
}

// Engine runs tasks whose folders are open: on this machine or on a cluster.
type Engine interface {
	// Run returns when all tasks have ended or ctx has. done is called for each that
	// ended, from one goroutine at a time; the folder says how.
	Run(ctx context.Context, dir string, tasks []Task, begun, done func(t Task)) error
}

// Progress is how far a sweep is.
type Progress struct {
	Total   int // runs, with those that a choice must name first
	Done    int // also those that were there before
	Failed  int
	Running int
	Ended   *Task         // the run that just ended, nil if it is another change
	State   State         // of Ended
	Left    time.Duration // about, from the runs that have ended; 0: not known
}

// Run runs what has no record, in two rounds if the plan chooses, and returns an
// error if a run failed or ctx ended. What is done stays; another Run goes on.
func (s *Sweep) Run(ctx context.Context, e Engine) error {
	ctx, stop := context.WithCancel(ctx) // stays with the cell that called
	defer stop()
	cells, err := s.Plan.Cells()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.Dir, 0o777); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	release, err := durable.Lock(filepath.Join(s.Dir, "lock"))
	if errors.Is(err, durable.ErrLocked) {
		return fmt.Errorf("sweep: another sweep is running in %s; wait for it or take another folder", s.Dir)
	} else if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	defer release()
	return (&course{Sweep: s, engine: e, cells: cells, states: map[string]State{}, tries: map[string]int{}}).run(ctx)
}

// course is one Run of a sweep.
type course struct {
	*Sweep
	engine Engine
	cells  []Cell
	states map[string]State // of the runs that were looked at
	p      Progress
	tries  map[string]int // how often each run was begun in this course
	ran    int            // ended in this course
	begin  time.Time
}

// run goes on in rounds until there is nothing more to run.
func (c *course) run(ctx context.Context) error {
	c.begin = time.Now()
	for {
		tasks, later := c.Plan.Tasks(c.cells, c.Digest, c.record)
		tasks = once(tasks)
		todo, err := c.todo(tasks)
		if err != nil {
			return err
		}
		if c.count(tasks, later); len(todo) > 0 || !c.elsewhere(tasks) {
			c.report(nil, New)
		}
		if len(todo) == 0 && c.elsewhere(tasks) {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(look):
			}
			continue
		}
		if len(todo) == 0 {
			if err := c.list(tasks); err != nil {
				return err
			}
			return c.verdict(tasks, later)
		}
		if err := c.engine.Run(ctx, c.Dir, todo, c.begun, c.done); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// look is the time between looks at runs that other processes are at, such as
// those of a sweep that was killed a moment ago.
const look = 200 * time.Millisecond

// elsewhere says that a run is left that another process is at.
func (c *course) elsewhere(tasks []Task) bool {
	for _, t := range tasks {
		if c.states[t.ID] == Running {
			return true
		}
	}
	return false
}

// verdict is the error of a sweep that has nothing more to run.
func (c *course) verdict(tasks []Task, later int) error {
	var bad []Task
	for _, t := range tasks {
		if c.states[t.ID] != Done {
			bad = append(bad, t)
		}
	}
	if len(bad) == 0 {
		return nil
	}
	first := Folder{c.Dir, bad[0].ID}
	why := c.states[first.ID].String()
	if text := first.Error(); text != "" {
		why += ": " + text
	}
	err := fmt.Errorf("sweep: %d of %d runs have no result; the first, %s, is %s", len(bad), c.p.Total, first.ID, why)
	if later > 0 {
		err = fmt.Errorf("%w; %d more wait for a choice", err, later)
	}
	return err
}

// record is a run's record, looked up once for each round.
func (c *course) record(id string) (Record, bool) {
	r, err := Folder{c.Dir, id}.Record()
	return r, err == nil
}

// todo opens the folders of the runs that are to be begun now.
func (c *course) todo(tasks []Task) (todo []Task, err error) {
	for _, t := range tasks {
		f := Folder{c.Dir, t.ID}
		if c.states[t.ID], err = f.State(); err != nil {
			return nil, err
		}
		if c.states[t.ID] == Done {
			os.Remove(f.path("checkpoint")) // of a process that was killed when it had written the record
		}
		begin := c.begins(f, c.states[t.ID])
		if !begin {
			continue
		}
		if c.states[t.ID] == Failed {
			if err := f.Clear(); err != nil {
				return nil, err
			}
		}
		if err := f.Open(t.Config); err != nil {
			return nil, err
		}
		c.tries[t.ID]++
		todo = append(todo, t)
	}
	return todo, nil
}

// begins says whether a run is begun now. The first time in a course the sweep's
// switches say so; after that it is another attempt.
func (c *course) begins(f Folder, s State) bool {
	if n := c.tries[f.ID]; n > 0 {
		return n < c.Plan.attempts() && (s == Unfinished || s == Lost || s == Failed && !hasRecord(f))
	}
	return c.Resume.begins(s)
}

// hasRecord says that a run failed in its training, which another try would do
// the same way.
func hasRecord(f Folder) bool {
	_, err := f.Record()
	return err == nil
}

// count sets what Progress says of all tasks.
func (c *course) count(tasks []Task, later int) {
	c.p = Progress{Total: len(tasks) + later}
	for _, t := range tasks {
		switch c.states[t.ID] {
		case Done:
			c.p.Done++
		case Failed:
			c.p.Failed++
		}
	}
}

func (c *course) begun(Task) {
	c.p.Running++
	c.report(nil, New)
}

func (c *course) done(t Task) {
	state, err := Folder{c.Dir, t.ID}.State()
	if err != nil {
		state = Failed
	}
	c.p.Running--
	c.ran++
	switch state {
	case Done:
		c.p.Done++
	case Failed:
		c.p.Failed++
	}
	if left := c.p.Total - c.p.Done - c.p.Failed; c.ran > 0 {
		c.p.Left = time.Since(c.begin) / time.Duration(c.ran) * time.Duration(left)
	}
	c.report(&t, state)
}

func (c *course) report(ended *Task, state State) {
	if c.Report != nil {
		c.p.Ended, c.p.State = ended, state
		c.Report(c.p)
	}
}

// begins says whether a run of that state is begun.
func (r Resume) begins(s State) bool {
	switch s {
	case New:
		return true
	case Unfinished:
		return r.Unfinished
	case Lost:
		return r.Lost
	case Failed:
		return r.Failed
	}
	return false
}

// Due is a run that would begin, and why.
type Due struct {
	Task  Task
	State State
	Why   string
}

// Due is what Run would begin with, and how many runs would follow when choices
// are made.
func (s *Sweep) Due() (due []Due, later int, err error) {
	cells, err := s.Plan.Cells()
	if err != nil {
		return nil, 0, err
	}
	tasks, later := s.Plan.Tasks(cells, s.Digest, func(id string) (Record, bool) {
		r, err := Folder{s.Dir, id}.Record()
		return r, err == nil
	})
	for _, t := range once(tasks) {
		f := Folder{s.Dir, t.ID}
		state, err := f.State()
		if err != nil {
			return nil, 0, err
		}
		if s.Resume.begins(state) {
			due = append(due, Due{t, state, s.why(f, t, state, cells[t.Cell])})
		}
	}
	return due, later, nil
}

// why is the reason for a run in words.
func (s *Sweep) why(f Folder, t Task, state State, c Cell) string {
	what := fmt.Sprintf("%s, %s%v, seed %d", c.Data, c.Row, c.Values, t.Config.Seed)
	if t.Choosing {
		what = fmt.Sprintf("%s, %s%v, to choose %v", c.Data, c.Row, c.Values, c.Candidates[t.Candidate].Values)
	}
	switch state {
	case New:
		return what + "; there is no run of this config, data and version"
	case Failed:
		return what + "; it failed: " + f.Error()
	}
	return fmt.Sprintf("%s; it was begun %d times", what, f.Attempts())
}

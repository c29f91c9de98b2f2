package sweep

import (
	"fmt"
	"slices"
)

// Cell is one line of a plan's table: a data set, a row and a value for each
// axis of the grid.
type Cell struct {
	Data       string
	Row        string
	Values     []any       // of the grid's axes
	Choose     []Axis      // the plan's and the row's
	Candidates []Candidate // of the choice; one if there is nothing to choose
}

// Candidate is a config without its seed, and what sets it apart.
type Candidate struct {
	Values []any // of the cell's Choose
	Config Config
}

// Cells returns the lines of the plan's table in order. A config that no training
// can have is an error that names its line.
func (p *Plan) Cells() ([]Cell, error) {
	var cells []Cell
	for _, data := range p.Data {
		base := p.Base
		base.Data = data
		for _, r := range p.rows() {
			c, err := r.apply(base)
			if err != nil {
				return nil, fmt.Errorf("sweep: row %q: %w", r.Name, err)
			}
			err = over(p.Grid, c, nil, func(c Config, values []any) error {
				cell := Cell{Data: data, Row: r.Name, Values: values, Choose: p.choose(r)}
				err := over(cell.Choose, c, nil, func(c Config, values []any) error {
					if _, err := c.Trial(); err != nil {
						if len(values) > 0 {
							return fmt.Errorf("%w (choose %v)", err, values)
						}
						return err
					}
					cell.Candidates = append(cell.Candidates, Candidate{values, c})
					return nil
				})
				cells = append(cells, cell)
				return err
			})
			if err != nil && r.Name == "" {
				return nil, fmt.Errorf("sweep: data %q: %w", data, err)
			}
			if err != nil {
				return nil, fmt.Errorf("sweep: data %q, row %q: %w", data, r.Name, err)
			}
		}
	}
	return cells, nil
}

// over calls f with c changed to every combination of the axes' values, the last
// axis fastest.
func over(axes []Axis, c Config, values []any, f func(c Config, values []any) error) error {
	if len(axes) == 0 {
		return f(c, append([]any(nil), values...))
	}
	a := axes[0]
	for _, v := range a.Values {
		changed, err := c.Set(a.Path, v)
		if err != nil {
			return err
		}
		if err := over(axes[1:], changed, append(values, v), f); err != nil {
			return err
		}
	}
	return nil
}

// Task is a run of a plan.
type Task struct {
	ID        string
	Config    Config
	Cell      int // of Cells
	Candidate int // of the cell's
	Choosing  bool
}

// Tasks are the runs of a plan that can be named by now, and how many will follow
// when choices are made. digest says of which version the data of that name are;
// record returns a run's record, if there is one.
func (p *Plan) Tasks(cells []Cell, digest map[string]string, record func(id string) (Record, bool)) (tasks []Task, later int) {
	for i, cell := range cells {
		best := 0
		if len(cell.Candidates) > 1 {
			var known bool
			var first []Task
			first, best, known = p.choice(i, cell, digest[cell.Data], record)
			tasks = append(tasks, first...)
			if !known {
				later += len(p.Seeds)
				continue
			}
		}
		for _, seed := range p.Seeds {
			c := cell.Candidates[best].Config
			c.Seed = seed
			tasks = append(tasks, Task{c.ID(digest[cell.Data]), c, i, best, false})
		}
	}
	return tasks, later
}

// choice are the runs that choose among a cell's candidates and the best one, the
// first of equals and none that failed. It is known if all have a record and not
// all failed.
func (p *Plan) choice(i int, cell Cell, digest string, record func(id string) (Record, bool)) (tasks []Task, best int, known bool) {
	left := make([]bool, len(cell.Candidates))
	for k := range left {
		left[k] = true
	}
	if p.Prune > 0 {
		if tasks, left, known = p.pruned(i, cell, digest, record); !known {
			return tasks, 0, false
		}
	}
	known, most := true, -1.0
	for k := range cell.Candidates {
		if !left[k] {
			continue
		}
		t := p.candidate(i, cell, k, digest, 0)
		tasks = append(tasks, t)
		r, there := record(t.ID)
		if known = known && there; there && r.Failed == "" && r.MAPR() > most {
			best, most = k, r.MAPR()
		}
	}
	return tasks, best, known && most >= 0
}

// candidate is the run of candidate k on the training classes less those that are
// held out, to its end or until an epoch.
func (p *Plan) candidate(i int, cell Cell, k int, digest string, until int) Task {
	c := cell.Candidates[k].Config
	c.Seed, c.HeldOut, c.Until = chooseSeed, p.heldOut(), until
	return Task{c.ID(digest), c, i, k, true}
}

// pruned are the short runs of all candidates and, if all have a record, those that
// are left: not failed and not below the median.
func (p *Plan) pruned(i int, cell Cell, digest string, record func(id string) (Record, bool)) (tasks []Task, left []bool, known bool) {
	known = true
	left = make([]bool, len(cell.Candidates))
	var scores []float64
	for k := range cell.Candidates {
		t := p.candidate(i, cell, k, digest, p.Prune)
		tasks = append(tasks, t)
		r, there := record(t.ID)
		known = known && there
		left[k] = there && r.Failed == ""
		scores = append(scores, r.MAPR())
	}
	median := slices.Sorted(slices.Values(scores))[(len(scores)-1)/2]
	for k, s := range scores {
		left[k] = left[k] && s >= median
	}
	return tasks, left, known
}

// once are the tasks without those whose run is there before: cells may share runs.
func once(tasks []Task) []Task {
	seen := map[string]bool{}
	return slices.DeleteFunc(tasks, func(t Task) bool {
		again := seen[t.ID]
		seen[t.ID] = true
		return again
	})
}

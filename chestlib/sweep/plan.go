package sweep

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Plan is a question to be answered by trainings: rows of a table, each with all
// combinations of a grid, on each data set, once for each seed.
//
// As a file it is YAML:
//
//	name: dimensions
//	data: [blazons]
//	seeds: 3
//	base:                      # what all runs have in common: the fields of Config
//	  Model: {Trunk: conv, DE: 64}
//	  Train: {Epochs: 12}
//	grid:                      # all combinations, each a line of the table
//	  Model.DH: [2, 8, 32]
//	rows:                      # the table's blocks; left out: one without a name
//	  - name: CHEST
//	  - name: Proxy-Anchor
//	    set: {Loss: proxy-anchor}
//	    choose: {Loss.Alpha: [32, 64]}
//	choose:                    # all combinations, of which the best is the line
//	  Train.Rate: [0.001, 0.004]
//
// With choose, every combination is first trained on the training classes less a
// quarter of them (heldOut) and measured on that quarter; the one with the best
// MAP@R is trained on all training classes, once for each seed, and measured on
// the test classes. So the test classes choose nothing.
//
// With prune, each combination is first trained for so many epochs only; those whose
// MAP@R on the held-out classes is then less than the median are given up, and the
// rest are trained in full. It costs those epochs and saves about half of the rest,
// and may lose a combination that begins slowly.
type Plan struct {
	Name    string
	Data    []string
	Seeds   []uint64
	Base    Config // without Data and Seed
	Rows    []PlanRow
	Grid    []Axis
	Choose  []Axis
	HeldOut float64 // share of the training classes for Choose; 0 means 0.25
	Prune   int     // epochs after which the candidates of Choose below the median are given up; 0 means none are
	Retries int     // more attempts at a run whose process ended without a record; 0 means 1, negative none
}

// PlanRow is one block of a plan's table.
type PlanRow struct {
	Name   string
	Set    []Setting
	Choose []Axis // of this row alone, beside the plan's: the numbers of a loss of its own
}

// Setting is a value for a field of Config, by its path.
type Setting struct {
	Path  string
	Value any
}

// Axis is the values that a field takes.
type Axis struct {
	Path   string // such as Model.DH, Train.Rate, Loss.Name or Loss.Lambda: a field of Config, or an option of the loss
	Values []any  // numbers, texts and booleans
}

// apply sets the fields of a row.
func (r PlanRow) apply(c Config) (Config, error) {
	var err error
	for _, s := range r.Set {
		if c, err = c.Set(s.Path, s.Value); err != nil {
			return c, err
		}
	}
	return c, nil
}

// mostRuns is the size of the largest plan.
const mostRuns = 1_000_000

// Check finds what is missing, named twice or too much. The configs of the runs
// are looked at by Cells.
func (p *Plan) Check() error {
	switch {
	case p.Name == "":
		return fmt.Errorf("the plan has no name; it is the title of its table")
	case len(p.Data) == 0:
		return fmt.Errorf("the plan has no data; give names in brackets, such as [blazons]")
	case len(p.Seeds) == 0:
		return fmt.Errorf("the plan has no seeds")
	case !(p.HeldOut >= 0 && p.HeldOut < 1):
		return fmt.Errorf("heldOut %g; want a share of the training classes, above 0 and below 1; 0 means 0.25", p.HeldOut)
	}
	if p.Prune < 0 || p.Prune > 0 && !p.chooses() {
		return fmt.Errorf("prune %d; want a number of epochs, and choose, whose candidates it prunes", p.Prune)
	}
	var names []string
	for _, r := range p.Rows {
		names = append(names, r.Name)
	}
	for what, all := range map[string][]string{"data": p.Data, "row": names} {
		seen := map[string]bool{}
		for _, name := range all {
			if seen[name] {
				return fmt.Errorf("%s %q is there twice", what, name)
			}
			seen[name] = true
		}
	}
	seen := map[uint64]bool{}
	for _, s := range p.Seeds {
		if seen[s] {
			return fmt.Errorf("seed %d is there twice", s)
		}
		if seen[s] = true; s == chooseSeed && p.chooses() {
			return fmt.Errorf("seed %d is the one of the runs that choose; take another", s)
		}
	}
	if err := p.checkPaths(); err != nil {
		return err
	}
	if n := p.size(); n > mostRuns {
		return fmt.Errorf("the plan has more than %d runs", mostRuns)
	}
	return nil
}

// checkPaths finds fields that are set by the plan itself or in two places, of which
// one would be overwritten without a word, and values that are there twice.
func (p *Plan) checkPaths() error {
	axes := map[string]bool{}
	if err := addAxes(axes, append(slices.Clone(p.Grid), p.Choose...)); err != nil {
		return err
	}
	for _, r := range p.Rows {
		own := maps.Clone(axes)
		if err := addAxes(own, r.Choose); err != nil {
			return fmt.Errorf("row %q: %w", r.Name, err)
		}
		for _, s := range r.Set {
			if path := strings.ToLower(s.Path); own[path] {
				return fmt.Errorf("row %q sets %s, which is an axis of grid or choose; leave one", r.Name, s.Path)
			} else if owned(path) {
				return fmt.Errorf("row %q sets %s, which is set by seeds, data, heldOut and prune of the plan", r.Name, s.Path)
			}
		}
	}
	return nil
}

// addAxes adds the paths of axes, in small letters, to those that are there.
func addAxes(there map[string]bool, axes []Axis) error {
	for _, a := range axes {
		path := strings.ToLower(a.Path)
		if there[path] {
			return fmt.Errorf("%s is an axis twice in grid and choose; leave one", a.Path)
		}
		if there[path] = true; owned(path) {
			return fmt.Errorf("%s cannot be an axis; it is set by seeds, data, heldOut and prune of the plan", a.Path)
		}
		seen := map[string]bool{}
		for _, v := range a.Values {
			text := fmt.Sprint(v)
			if seen[text] {
				return fmt.Errorf("%s has the value %s twice", a.Path, text)
			}
			seen[text] = true
		}
	}
	return nil
}

// choose are the axes of a row's choice, the plan's first.
func (p *Plan) choose(r PlanRow) []Axis { return append(slices.Clone(p.Choose), r.Choose...) }

// chooses says that some row has a choice.
func (p *Plan) chooses() bool {
	return len(p.Choose) > 0 || slices.ContainsFunc(p.Rows, func(r PlanRow) bool { return len(r.Choose) > 0 })
}

// owned says that a field of Config, in small letters, is set by the plan itself.
func owned(path string) bool {
	return slices.Contains([]string{"seed", "data", "heldout", "until", "model.seed"}, path)
}

// size is about how many runs there are, at most one more than mostRuns.
func (p *Plan) size() int {
	rows := 0
	for _, r := range p.rows() {
		n := 1
		for _, a := range append(p.choose(r), p.Grid...) {
			n = min(n*len(a.Values), mostRuns+1)
		}
		rows = min(rows+n, mostRuns+1)
	}
	n := rows
	for _, k := range []int{len(p.Data), len(p.Seeds)} {
		n = min(n*k, mostRuns+1)
	}
	return n
}

// rows are the plan's, one without a name if it has none.
func (p *Plan) rows() []PlanRow {
	if len(p.Rows) == 0 {
		return []PlanRow{{}}
	}
	return p.Rows
}

// heldOut is the share of the training classes that choose.
func (p *Plan) heldOut() float64 { return cmp.Or(p.HeldOut, 0.25) }

// attempts is how often a run is begun at most.
func (p *Plan) attempts() int {
	if p.Retries < 0 {
		return 1
	}
	return 1 + cmp.Or(p.Retries, 1)
}

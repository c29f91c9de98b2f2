package sweep

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/chestlab/chest/chestlib/loss"
)

// Result is what a sweep has found of a cell so far.
type Result struct {
	Cell
	Chosen  int      // the candidate of the runs; -1 if the choice is open
	Choices []Record // of the runs that chose, as far as they are done
	Seeds   []Record // of the runs that have a result
	Open    int      // runs without a record
	Failed  int      // runs whose record has no result
}

// Results gathers the records of a plan in a folder, done or not.
func (s *Sweep) Results() ([]Result, error) {
	cells, err := s.Plan.Cells()
	if err != nil {
		return nil, err
	}
	results := make([]Result, len(cells))
	for i := range cells {
		results[i] = Result{Cell: cells[i], Chosen: -1, Open: len(s.Plan.Seeds)}
	}
	known := map[string]Record{}
	tasks, _ := s.Plan.Tasks(cells, s.Digest, func(id string) (Record, bool) {
		r, err := Folder{s.Dir, id}.Record()
		if err == nil {
			known[id] = r
		}
		return r, err == nil
	})
	for _, t := range tasks {
		r, there := known[t.ID]
		if !there {
			var err error
			r, err = Folder{s.Dir, t.ID}.Record()
			there = err == nil
		}
		results[t.Cell].add(t, r, there)
	}
	return results, nil
}

// add counts a run.
func (r *Result) add(t Task, record Record, there bool) {
	if t.Choosing {
		if there && t.Config.Until == 0 {
			r.Choices = append(r.Choices, record)
		}
		return
	}
	r.Chosen = t.Candidate
	if !there {
		return
	}
	r.Open--
	if record.Failed != "" {
		r.Failed++
		return
	}
	r.Seeds = append(r.Seeds, record)
}

// ChosenValues are the values of the candidate that was chosen, such as
// "Train.Rate 0.006, Loss.Alpha 64"; "" if the choice is open or there was none.
func (r *Result) ChosenValues() string {
	if r.Chosen < 0 {
		return ""
	}
	var all []string
	for i, a := range r.Choose {
		v := r.Candidates[r.Chosen].Values[i]
		text := fmt.Sprint(v)
		if object, ok := v.(map[string]any); ok {
			if b, err := json.Marshal(object); err == nil { // in the order of its names
				text = string(b)
			}
		}
		all = append(all, a.Path+" "+text)
	}
	return strings.Join(all, ", ")
}

// Scores are the numbers of one measure over the seeds, none for a space that was
// not trained: all of Measures, in percent.
func (r *Result) Scores(measure string) ([]float64, error) {
	var all []float64
	for _, s := range r.Seeds {
		v, trained, err := score(s, measure)
		if err != nil {
			return nil, err
		}
		if trained {
			all = append(all, v)
		}
	}
	return all, nil
}

// Measures are what Scores knows.
var Measures = []string{"R@1 E", "MAP@R E", "R@1 H", "MAP@R H", "clipped"}

// score is one measure of a record; trained is false for a space that was not.
func score(s Record, measure string) (v float64, trained bool, err error) {
	switch measure {
	case "R@1 E":
		return 100 * s.E.At(1), s.Uses != loss.OnlyH, nil
	case "MAP@R E":
		return 100 * s.E.MAPR, s.Uses != loss.OnlyH, nil
	case "R@1 H":
		return 100 * s.H.At(1), s.Uses != loss.OnlyE, nil
	case "MAP@R H":
		return 100 * s.H.MAPR, s.Uses != loss.OnlyE, nil
	case "clipped":
		return 100 * s.Clipped, s.Uses != loss.OnlyE, nil
	}
	return 0, false, fmt.Errorf("sweep: measure %q; there are %q", measure, Measures)
}

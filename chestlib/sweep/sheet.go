package sweep

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/chestlab/chest/chestlib/loss"
)

// Entry is one run for lists and exports: a folder with its state and, if it is
// done, its record.
type Entry struct {
	ID       string
	State    State
	Attempts int
	Record   Record            // zero without one
	Fields   map[string]string // of the config, by path; those that differ from the zero value
	Damage   string            // what is wrong with its files, "" if nothing is; such a run counts as failed
}

// Entries are all runs of a folder, the oldest first; those without a record
// last.
func Entries(dir string) ([]Entry, error) {
	folders, err := Folders(dir)
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, f := range folders {
		e := Entry{ID: f.ID, Attempts: f.Attempts()}
		e.State, err = f.State()
		if r, err := f.Record(); err == nil {
			e.Record = r
		}
		if err == nil {
			e.Fields, err = f.fields(e.Record)
		}
		if err != nil {
			e.State, e.Damage = Failed, err.Error()
		}
		all = append(all, e)
	}
	sort.SliceStable(all, func(i, j int) bool {
		a, b := all[i].Record.Made.Began, all[j].Record.Made.Began
		if a.IsZero() != b.IsZero() {
			return b.IsZero()
		}
		return a.Before(b)
	})
	return all, nil
}

// fields are the leaves of a run's config that are not zero.
func (f Folder) fields(r Record) (map[string]string, error) {
	text := []byte(r.Config)
	if r.Asked != nil || len(text) == 0 {
		c, err := f.Config()
		if err != nil {
			return nil, err
		}
		if text, err = json.Marshal(c); err != nil {
			return nil, err
		}
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		return nil, fmt.Errorf("sweep: config of run %s: %w", f.ID, err)
	}
	all := map[string]string{}
	leaves(all, "", tree)
	return all, nil
}

func leaves(to map[string]string, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			leaves(to, strings.TrimPrefix(path+"."+k, "."), x)
		}
	case float64:
		if v != 0 {
			to[path] = strconv.FormatFloat(v, 'g', -1, 64)
		}
	case nil, bool:
		if v == true {
			to[path] = "true"
		}
	default:
		if text := fmt.Sprint(v); text != "" {
			to[path] = text
		}
	}
}

// Paths are the fields that some of the entries have, in order; with differ only
// those that are not the same in all.
func Paths(all []Entry, differ bool) (paths []string) {
	seen := map[string]map[string]int{}
	for _, e := range all {
		for path, v := range e.Fields {
			if seen[path] == nil {
				seen[path] = map[string]int{}
			}
			seen[path][v]++
		}
	}
	for path, values := range seen {
		same := false
		for _, n := range values {
			same = n == len(all)
		}
		if !(differ && same) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// columns are what a record has beside its config.
var columns = []string{"id", "state", "attempts", "r1_e", "map_r_e", "r1_h", "map_r_h", "clipped", "last_loss", "epochs", "seconds", "peak_mb", "began", "host", "go", "chest", "failed"}

// row is an entry's values for columns; empty where there is none.
func (e Entry) row() []string {
	row := []string{e.ID, e.State.String(), strconv.Itoa(e.Attempts)}
	r := e.Record
	if r.ID == "" {
		row = append(row, make([]string, len(columns)-len(row))...)
		row[len(row)-1] = e.Damage
		return row
	}
	number := func(v float64, there bool) string {
		if !there {
			return ""
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	ok := r.Failed == ""
	inE, inH := ok && r.Uses != loss.OnlyH, ok && r.Uses != loss.OnlyE
	at1 := func(recall []float64) float64 {
		if len(recall) == 0 {
			return 0
		}
		return recall[0]
	}
	return append(row,
		number(at1(r.E.Recall), inE), number(r.E.MAPR, inE), number(at1(r.H.Recall), inH), number(r.H.MAPR, inH), number(r.Clipped, inH),
		number(r.Loss, ok), strconv.Itoa(r.Epochs), number(r.Seconds, true), number(r.Made.PeakMB, true),
		r.Made.Began.Format(time.RFC3339), r.Made.Host, r.Made.Go, r.Made.Chest, r.Failed)
}

// WriteCSV writes a line for each run: what was found, and all fields of the
// configs. Recall and MAP@R are shares, not percent; a space that was not trained
// has none.
func WriteCSV(w io.Writer, all []Entry) error {
	c := csv.NewWriter(w)
	paths := Paths(all, false)
	if err := c.Write(append(slices.Clone(columns), paths...)); err != nil {
		return err
	}
	for _, e := range all {
		row := e.row()
		for _, p := range paths {
			row = append(row, e.Fields[p])
		}
		if err := c.Write(row); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// WriteJSONL writes each run's whole record as JSON on a line; one without a
// record has its id and state.
func WriteJSONL(w io.Writer, all []Entry) error {
	enc := json.NewEncoder(w)
	for _, e := range all {
		line := struct {
			ID     string
			State  string
			Record *Record `json:",omitempty"`
		}{e.ID, e.State.String(), nil}
		if e.Record.ID != "" {
			line.Record = &e.Record
		}
		if err := enc.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

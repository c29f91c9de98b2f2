package sweep

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const wholePlan = `name: terms
data: [a, b]
seeds: [3, 5]
base:
  model: {trunk: mlp, DE: 8}
  Train:
    Epochs: 2
rows:
  - name: CHEST
  - name: heavy tree
    set: {Loss: {Name: chest, WeightTree: 2}}
  - name: anchor
    set: {Loss: proxy-anchor, Loss.Alpha: 16}
grid:
  Model.DH: [2, 4]
  Train.Rate: [0.001]
choose:
  Train.Decay: [0.1, 0.2, 0.3]
heldOut: 0.5
`

func parsed(t *testing.T, text string, overrides ...string) *Plan {
	t.Helper()
	p, err := ParsePlan([]byte(text), overrides...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPlanCells(t *testing.T) {
	p := parsed(t, wholePlan, "Train.Epochs=7")
	cells, err := p.Cells()
	if err != nil {
		t.Fatal(err)
	}
	if len(cells) != 2*3*2 {
		t.Fatalf("%d cells, want 2 data × 3 rows × 2 sizes", len(cells))
	}
	last := cells[len(cells)-1]
	if last.Data != "b" || last.Row != "anchor" || fmt.Sprint(last.Values) != "[4 0.001]" || len(last.Candidates) != 3 {
		t.Errorf("the last cell is %+v", last)
	}
	c := last.Candidates[2].Config
	tr, err := c.Trial()
	if err != nil {
		t.Fatal(err)
	}
	if c.Model.DE != 8 || c.Model.DH != 4 || c.Train.Epochs != 7 || c.Train.Decay != 0.3 || fmt.Sprint(tr.Train.Loss) != "{angle 0 0.1 16 0 0}" && tr.Train.Loss.Name() != "proxy-anchor" {
		t.Errorf("the last config is %+v, its loss %+v", c, tr.Train.Loss)
	}
	if alpha := string(c.Loss.Options); alpha != `{"Alpha":16}` {
		t.Errorf("options of the loss: %s", alpha)
	}
	tasks, later := p.Tasks(cells, map[string]string{"a": "1", "b": "2"}, func(string) (Record, bool) { return Record{}, false })
	if len(tasks) != 36 || later != 24 {
		t.Errorf("%d runs and %d later, want 36 that choose, then 24", len(tasks), later)
	}
	ids := map[string]bool{}
	for _, task := range tasks {
		ids[task.ID] = true
		if task.Config.HeldOut != 0.5 || task.Config.Seed != chooseSeed {
			t.Fatalf("a run that chooses holds out %g, seed %d", task.Config.HeldOut, task.Config.Seed)
		}
	}
	if len(ids) != len(tasks) {
		t.Errorf("%d names for %d runs", len(ids), len(tasks))
	}
}

// TestPlanChooses: the best on the held-out classes is what the seeds run.
func TestPlanChooses(t *testing.T) {
	p := parsed(t, "name: x\ndata: [a]\nseeds: 2\nchoose: {Train.Rate: [0.1, 0.2, 0.3]}\n")
	cells, err := p.Cells()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]Record{}
	look := func(id string) (Record, bool) { r, ok := known[id]; return r, ok }
	first, later := p.Tasks(cells, nil, look)
	if len(first) != 3 || later != 2 {
		t.Fatalf("%d runs, %d later", len(first), later)
	}
	for i, score := range []float64{0.2, 0.9, 0.9} {
		var r Record
		r.E.MAPR, r.H.MAPR = score, score
		known[first[i].ID] = r
	}
	all, later := p.Tasks(cells, nil, look)
	if len(all) != 5 || later != 0 {
		t.Fatalf("%d runs, %d later", len(all), later)
	}
	for k, task := range all[3:] {
		if task.Choosing || task.Config.Train.Rate != 0.2 || task.Config.HeldOut != 0 || task.Config.Seed != uint64(k+1) {
			t.Errorf("run %d: %+v", k, task)
		}
	}
}

// TestRowChooses: a row's own choice is beside the plan's, and no other row's.
func TestRowChooses(t *testing.T) {
	p := parsed(t, "name: x\ndata: [a]\nseeds: 2\nchoose: {Train.Rate: [0.1, 0.2]}\nrows:\n"+
		"  - {name: chest}\n  - {name: anchor, set: {Loss: proxy-anchor}, choose: {Loss.Alpha: [8, 16, 32]}}\n")
	cells, err := p.Cells()
	if err != nil {
		t.Fatal(err)
	}
	if len(cells) != 2 || len(cells[0].Candidates) != 2 || len(cells[1].Candidates) != 6 || p.size() != 2*(2+6) {
		t.Fatalf("size %d, cells %+v", p.size(), cells)
	}
	r := Result{Cell: cells[1], Chosen: 4}
	if c := r.Candidates[4].Config; c.Train.Rate != 0.2 || string(c.Loss.Options) != `{"Alpha":16}` || r.ChosenValues() != "Train.Rate 0.2, Loss.Alpha 16" {
		t.Errorf("%+v is called %q", c, r.ChosenValues())
	}
	if r.Chosen = -1; r.ChosenValues() != "" {
		t.Errorf("an open choice is called %q", r.ChosenValues())
	}
	p.Rows[1].Choose[0] = Axis{"Loss", []any{map[string]any{"Name": "supcon", "Temperature": 0.2}}}
	p.Rows[1].Set = nil
	if cells, err = p.Cells(); err != nil {
		t.Fatal(err)
	}
	if r := (Result{Cell: cells[1], Chosen: 1}); r.ChosenValues() != `Train.Rate 0.2, Loss {"Name":"supcon","Temperature":0.2}` {
		t.Error(r.ChosenValues())
	}
	for own, says := range map[string]string{"Train.Rate: [1]": `row "b": Train.Rate is an axis twice`, "Loss.E: 3": `row "b": choose`, "Seed: [3]": `row "b": Seed cannot be`, "Loss: [chest]": `row "b" sets Loss, which is an axis`} {
		_, err := ParsePlan([]byte("name: x\ndata: [a]\nchoose: {Train.Rate: [0.1]}\nrows: [{name: a}, {name: b, set: {Loss: chest}, choose: {" + own + "}}]\n"))
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v, want %q", own, err, says)
		}
	}
	if _, err := ParsePlan([]byte("name: x\ndata: [a]\nseeds: [1000]\nrows: [{name: a, choose: {Train.Rate: [1, 2]}}]\n")); err == nil || !strings.Contains(err.Error(), "seed 1000") {
		t.Errorf("the seed of choices in a plan whose row chooses: %v", err)
	}
}

// TestPlanChoosesNoFailure: a candidate that failed is not chosen, whatever the
// others found; nothing is if all failed.
func TestPlanChoosesNoFailure(t *testing.T) {
	p := parsed(t, "name: x\ndata: [a]\nchoose: {Train.Rate: [0.1, 0.2]}\n")
	cells, err := p.Cells()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]Record{}
	look := func(id string) (Record, bool) { r, ok := known[id]; return r, ok }
	first, _ := p.Tasks(cells, nil, look)
	known[first[0].ID], known[first[1].ID] = Record{Failed: "diverged"}, Record{} // MAP@R 0
	all, later := p.Tasks(cells, nil, look)
	if len(all) != 3 || later != 0 || all[2].Config.Train.Rate != 0.2 {
		t.Errorf("%d runs, %d later, want the second candidate after the two that choose: %+v", len(all), later, all)
	}
	known[first[1].ID] = Record{Failed: "diverged"}
	if all, later := p.Tasks(cells, nil, look); len(all) != 2 || later != 1 {
		t.Errorf("all failed: %d runs, %d later, want 2 and 1", len(all), later)
	}
}

// TestSharedRuns: rows that ask for the same run have it begun once.
func TestSharedRuns(t *testing.T) {
	p := parsed(t, "name: x\ndata: [a]\nseeds: 2\nrows: [{name: one}, {name: two}]\n")
	due, _, err := (&Sweep{Plan: p, Dir: t.TempDir()}).Due()
	if err != nil || len(due) != 2 {
		t.Errorf("%d runs would begin, want 2: %v", len(due), err)
	}
}

// TestPlanErrors: what is wrong is named with its line, and how it should be.
func TestPlanErrors(t *testing.T) {
	for _, c := range []struct{ old, now, line, says string }{
		{"name: terms\n", "", "1:", "no name"},
		{"data: [a, b]\n", "", "1:", "no data"},
		{"data: [a, b]", "data: [a, a]", "1:", `data "a" is there twice`},
		{"seeds: [3, 5]", "seeds: [3, 3]", "1:", "seed 3 is there twice"},
		{"seeds: [3, 5]", "seeds: [3, -1]", "3:", "-1 is no seed"},
		{"seeds: [3, 5]", "seeds: 0", "3:", "want how many"},
		{"seeds: [3, 5]", "seeds: 1.5", "3:", "want how many"},
		{"seeds: [3, 5]", "seeds: [1000]", "1:", "seed 1000"},
		{"trunk: mlp", "trnk: mlp", "4:", `unknown field "trnk"`},
		{"trunk: mlp", "trunk: 3", "4:", "Trunk"},
		{"  - name: anchor", "  - name: CHEST", "1:", `row "CHEST" is there twice`},
		{"Model.DH: [2, 4]", "Model.DH: 2", "14:", "want a list"},
		{"Model.DH: [2, 4]", "Model.DH: []", "14:", "want a list"},
		{"heldOut: 0.5", "heldOut: 1", "1:", "heldOut 1"},
		{"Model.DH: [2, 4]", "Model.DH: [2, 2]", "1:", "Model.DH has the value 2 twice"},
		{"Model.DH: [2, 4]", "Seed: [2, 4]", "1:", "Seed cannot be an axis"},
		{"Model.DH: [2, 4]", "data: [a, b]", "1:", "data cannot be an axis"},
		{"Model.DH: [2, 4]", "train.rate: [2, 4]", "1:", "is an axis twice"},
		{"Loss: proxy-anchor, ", "Loss: proxy-anchor, model.dh: 3, ", "1:", "row \"anchor\" sets model.dh, which is an axis"},
		{"Loss: proxy-anchor, ", "Loss: proxy-anchor, HeldOut: 0.3, ", "1:", "row \"anchor\" sets HeldOut"},
		{"heldOut: 0.5", "holdOut: 0.5", "19:1: ", "holdOut"},
		{"Loss: proxy-anchor, ", "Loss: [proxy-anchor], ", "12:", `row "anchor"`},
	} {
		text := strings.Replace(wholePlan, c.old, c.now, 1)
		if text == wholePlan {
			t.Fatalf("%q is not in the plan", c.old)
		}
		_, err := ParsePlan([]byte(text))
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: error %v, want %q", c.now, err, c.says)
		} else if !strings.HasPrefix(err.Error(), c.line) {
			t.Errorf("%q: error %v, want line %s", c.now, err, c.line)
		}
	}
	for _, c := range []struct{ old, now, says string }{ // what only the runs' configs tell
		{"Loss: proxy-anchor, ", "Loss: arcface, ", `there is no loss "arcface"`},
		{"Loss.Alpha: 16", "Loss.Alpah: 16", "Alpah"},
		{"Train.Rate: [0.001]", "Train.Rat: [0.001]", "Train.Rat"},
		{"Train.Rate: [0.001]", "Train.Rate: [fast]", "Train.Rate = fast"},
		{"Train.Decay: [0.1, 0.2, 0.3]", "Loss.Name: [chest, 2]", "Loss.Name = 2"},
	} {
		p, err := ParsePlan([]byte(strings.Replace(wholePlan, c.old, c.now, 1)))
		if err == nil {
			_, err = p.Cells()
		}
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: error %v, want %q", c.now, err, c.says)
		}
	}
	path := filepath.Join(t.TempDir(), "plan.yaml")
	if err := os.WriteFile(path, []byte("name: x\nsets: 1\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadPlan(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want the name of the file", err)
	}
	if _, err := ReadPlan(path, "Train.Epochs"); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v, want one line", err)
	}
	if err := os.WriteFile(path, []byte(wholePlan), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadPlan(path, "Train.Epochs"); err == nil || !strings.HasPrefix(err.Error(), `sweep: override "Train.Epochs": want path=value`) {
		t.Errorf("error %v, want that of the override alone", err)
	}
	for _, o := range []string{"Train.Epochs", "Train.Epoch=2", "seeds=x", "Train.Epochs.Deep=1"} {
		if _, err := ParsePlan([]byte(wholePlan), o); err == nil || !strings.Contains(err.Error(), strings.Split(o, "=")[0]) && !strings.Contains(err.Error(), "Epoch") {
			t.Errorf("override %q: error %v", o, err)
		}
	}
}

// TestConfigIdentity: what changes a run changes its name, and the order in which
// it is written does not.
func TestConfigIdentity(t *testing.T) {
	read := func(text string) Config {
		c, err := ReadConfig([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	a := read(`{"Data": "x", "Loss": {"WeightTree": 2, "Name": "chest", "E": {"Lambda": 3}}}`)
	b := read(`{"loss": {"E": {"Lambda": 3}, "Name": "chest", "WeightTree": 2}, "Data": "x"}`)
	if a.ID("d") != b.ID("d") {
		t.Error("the order of fields changes the name of a run")
	}
	names := map[string]string{a.ID("d"): "itself", a.ID("e"): "other data"}
	for path, v := range map[string]any{"Seed": 2, "Data": "y", "HeldOut": 0.5, "Train.Rate": 0.5, "Model.DE": 3, "Loss": "supcon", "Loss.WeightTree": 3, "Optim": "sgd", "Schedule": "constant"} {
		c, err := a.Set(path, v)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if was, there := names[c.ID("d")]; there {
			t.Errorf("another %s has the name of %s", path, was)
		}
		names[c.ID("d")] = path
	}
	if len(names) != 11 {
		t.Errorf("%d names, want 11", len(names))
	}
	if back, err := ReadConfig([]byte(`{"Data": "x", "Epochs": 3}`)); err == nil {
		t.Errorf("an unknown field: %+v, no error", back)
	}
}

// TestProducts: what multiplies is for runs on a GPU; it goes to the trial and into the
// name of the run.
func TestProducts(t *testing.T) {
	for text, says := range map[string]string{
		`{"Data": "x", "Products": "tf32"}`:                  "set On",
		`{"Data": "x", "Products": "own", "On": "cpu"}`:      "set On",
		`{"Data": "x", "Products": "fast", "On": "cuda"}`:    "want own, cublas or tf32",
		`{"Data": "x", "Products": "cublas", "On": "gpu:1"}`: "the device On",
	} {
		if _, err := ReadConfig([]byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want an error that says %q", text, err, says)
		}
	}
	plain, err := ReadConfig([]byte(`{"Data": "x", "On": "cuda"}`))
	if err != nil {
		t.Fatal(err)
	}
	c, err := plain.Set("Products", "tf32")
	if err != nil {
		t.Fatal(err)
	}
	if trial, err := c.Trial(); err != nil || trial.Products != "tf32" || trial.On != "cuda" {
		t.Errorf("%+v, %v", trial, err)
	}
	if c.ID("d") == plain.ID("d") {
		t.Error("a run with other products has the same name")
	}
}

func FuzzParsePlan(f *testing.F) {
	f.Add([]byte(wholePlan))
	f.Add([]byte("name: x\ndata: [a]\ngrid: {Model.DE: [1, {a: 2}]}\n"))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if p, err := ParsePlan(text); err == nil && p.size() < 1000 {
			p.Cells()
		}
	})
}

// BenchmarkTenThousandRuns prints the times of planning, of the state of all runs
// and of the table of a plan of 10,000 runs, of which all have a record.
func BenchmarkTenThousandRuns(b *testing.B) {
	p, err := ParsePlan([]byte("name: x\ndata: [a]\nseeds: 10\ngrid: {Train.Rate: [1,2,3,4,5,6,7,8,9,10], Model.DE: [1,2,3,4,5,6,7,8,9,10], Model.DH: [1,2,3,4,5,6,7,8,9,10]}\n"))
	if err != nil {
		b.Fatal(err)
	}
	s := &Sweep{Plan: p, Dir: b.TempDir()}
	cells, err := p.Cells()
	if err != nil {
		b.Fatal(err)
	}
	tasks, _ := p.Tasks(cells, nil, nil)
	r, _, err := Run(b.Context(), quick(0.01), quickData(), "")
	if err != nil {
		b.Fatal(err)
	}
	for _, t := range tasks {
		f := Folder{s.Dir, t.ID}
		if err := f.Open(t.Config); err != nil {
			b.Fatal(err)
		}
		r.ID = t.ID
		if err := writeJSON(f.path("record.json"), r); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("plan", func(b *testing.B) {
		for b.Loop() {
			cells, _ := p.Cells()
			p.Tasks(cells, nil, nil)
		}
	})
	b.Run("status", func(b *testing.B) {
		for b.Loop() {
			if due, _, err := s.Due(); err != nil || len(due) > 0 {
				b.Fatal(len(due), err)
			}
		}
	})
	b.Run("table", func(b *testing.B) {
		for b.Loop() {
			if all, err := s.Results(); err != nil || len(all) != 1000 {
				b.Fatal(len(all), err)
			}
		}
	})
}

// TestPlanPrunes: of the candidates, each trained for some epochs, those below the
// median are given up, whatever order they ended in; the best of the rest, in full,
// is what the seeds run.
func TestPlanPrunes(t *testing.T) {
	p := parsed(t, "name: x\ndata: [a]\nseeds: 2\nprune: 3\nbase: {Train: {Epochs: 9}}\nchoose: {Train.Rate: [0.1, 0.2, 0.3, 0.4, 0.5]}\n")
	cells, err := p.Cells()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]Record{}
	look := func(id string) (Record, bool) { r, ok := known[id]; return r, ok }
	found := func(task Task, score float64) {
		var r Record
		r.E.MAPR, r.H.MAPR = score, score
		known[task.ID] = r
	}
	short, later := p.Tasks(cells, nil, look)
	if len(short) != 5 || later != 2 {
		t.Fatalf("%d runs, %d later, want 5 short ones and 2", len(short), later)
	}
	for i, score := range []float64{0.3, 0.1, 0.5, 0.2, 0.9} {
		if c := short[i].Config; c.Until != 3 || c.HeldOut != 0.25 || c.Train.Epochs != 9 {
			t.Errorf("a short run is %+v", c)
		}
		if all, _ := p.Tasks(cells, nil, look); len(all) != 5 {
			t.Errorf("%d runs before all the short ones are done", len(all))
		}
		found(short[i], score)
	}
	known[short[4].ID] = Record{Failed: "diverged"} // it counts as nothing: the median is 0.2
	full, _ := p.Tasks(cells, nil, look)
	var rates []float64
	for _, task := range full[5:] {
		if task.Config.Until != 0 || !task.Choosing {
			t.Errorf("a long run is %+v", task)
		}
		rates = append(rates, task.Config.Train.Rate)
	}
	if !slices.Equal(rates, []float64{0.1, 0.3, 0.4}) {
		t.Fatalf("rates %v are left, want 0.1, 0.3, 0.4", rates)
	}
	found(full[5], 0.6)
	found(full[6], 0.4)
	found(full[7], 0.5)
	all, later := p.Tasks(cells, nil, look)
	if len(all) != 10 || later != 0 || all[9].Choosing || all[9].Config.Train.Rate != 0.1 || all[9].Config.Until != 0 {
		t.Errorf("%d runs, %d later: %+v", len(all), later, all[len(all)-1])
	}
}

// TestUntil trains part of a schedule: its epochs are those of the whole one.
func TestUntil(t *testing.T) {
	history := func(until int) Record {
		c := quickConfig(t)
		c.Data, c.Train.Epochs, c.Until = "any", 3, until
		f := Folder{t.TempDir(), c.ID("")}
		if err := f.Open(c); err != nil {
			t.Fatal(err)
		}
		r, err := f.Work(t.Context(), func(context.Context, string) (Data, error) { return quickData(), nil }, io.Discard)
		if err != nil || r.Failed != "" {
			t.Fatal(err, r.Failed)
		}
		return r
	}
	short, long := history(2), history(0)
	if len(short.History) != 2 || len(long.History) != 3 {
		t.Fatalf("%d and %d epochs", len(short.History), len(long.History))
	}
	for i, e := range short.History {
		if e.Loss.Total != long.History[i].Loss.Total {
			t.Errorf("epoch %d: loss %v, want %v", i+1, e.Loss.Total, long.History[i].Loss.Total)
		}
	}
}

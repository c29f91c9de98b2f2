package sweep

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// ran is a folder with the runs of a small plan, of which one was never begun and
// one diverged.
func ran(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	p := parsed(t, `name: x
data: [clusters]
seeds: 2
base:
  Model: {Width: 8, Depth: 1, DE: 4, DH: 4}
  Train: {Epochs: 2, Classes: 4, PerClass: 2}
grid:
  Train.Rate: [0.01, 0.02]
rows:
  - name: both
    set: {Loss: {Name: chest, NoTree: true}}
  - name: E only
    set: {Loss: softtriple}
`)
	cells, err := p.Cells()
	if err != nil {
		t.Fatal(err)
	}
	tasks, _ := p.Tasks(cells, nil, nil)
	for i, task := range tasks {
		f := Folder{dir, task.ID}
		if err := f.Open(task.Config); err != nil {
			t.Fatal(err)
		}
		d := quickData()
		d.Train.(*clusters).broke.Store(i == 1)
		if i == 0 {
			continue
		}
		if _, err := f.Work(t.Context(), func(context.Context, string) (Data, error) { return d, nil }, io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestExports(t *testing.T) {
	dir := ran(t)
	all, err := Entries(dir)
	if err != nil || len(all) != 8 {
		t.Fatalf("%d runs, %v", len(all), err)
	}
	states := map[State]int{}
	for _, e := range all {
		states[e.State]++
	}
	if states[New] != 1 || states[Failed] != 1 || states[Done] != 6 || all[7].State != New {
		t.Errorf("states %v, the last is %v", states, all[7].State)
	}
	if got := strings.Join(Paths(all, true), " "); got != "Loss Loss.Name Loss.NoTree Seed Train.Rate" {
		t.Errorf("the runs differ in %q", got)
	}

	var b bytes.Buffer
	if err := WriteCSV(&b, all); err != nil {
		t.Fatal(err)
	}
	sheet, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(sheet) != 9 {
		t.Fatalf("%d lines, %v", len(sheet), err)
	}
	column := map[string]int{}
	for i, name := range sheet[0] {
		column[name] = i
	}
	for i, e := range all {
		row := sheet[i+1]
		want := ""
		if e.State == Done {
			want = strconv.FormatFloat(e.Record.E.MAPR, 'g', -1, 64)
		}
		if row[0] != e.ID || row[column["map_r_e"]] != want {
			t.Errorf("line %d: %v, want MAP@R %q of %s", i+1, row, want, e.ID)
		}
		if onlyE := e.Fields["Loss"] == "softtriple"; onlyE && row[column["map_r_h"]] != "" {
			t.Errorf("line %d has scores of a space that was not trained", i+1)
		}
	}

	b.Reset()
	if err := WriteJSONL(&b, all); err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(b.String()), "\n") {
		var back struct {
			ID     string
			Record *Record
		}
		if err := json.Unmarshal([]byte(line), &back); err != nil || back.ID != all[i].ID || (back.Record == nil) != (all[i].State == New) {
			t.Errorf("line %d: %s, %v", i+1, line, err)
		}
	}
}

func TestIndex(t *testing.T) {
	all, err := Entries(ran(t))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "runs.sqlite")
	for range 2 { // the second takes the place of the first
		if err := WriteIndex(path, all); err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var n, epochs int
	var mean, want float64
	if err := db.QueryRow(`SELECT count(*), avg(map_r_e) FROM runs WHERE state = 'done' AND "Train.Rate" > 0.015`).Scan(&n, &mean); err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if e.State == Done && e.Fields["Train.Rate"] == "0.02" {
			want += e.Record.E.MAPR / 4
		}
	}
	if n != 4 || mean < want*0.999999 || mean > want*1.000001 {
		t.Errorf("%d runs of mean %g, want 4 of %g", n, mean, want)
	}
	if err := db.QueryRow(`SELECT count(*) FROM epochs JOIN runs USING (id) WHERE state = 'done'`).Scan(&epochs); err != nil || epochs != 12 {
		t.Errorf("%d epochs, want 12; %v", epochs, err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("files left: %v", left)
	}
}

// TestIndexColumns: names that differ in case alone are one column, and one that the
// table has already gets another name.
func TestIndexColumns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runs.sqlite")
	all := []Entry{{ID: "a", Fields: map[string]string{"Loss.NoTree": "1", "Epochs": "7"}}, {ID: "b", Fields: map[string]string{"Loss.notree": "2"}}}
	if err := WriteIndex(path, all); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var sum, epochs int
	if err := db.QueryRow(`SELECT sum("Loss.NoTree"), sum("config.Epochs") FROM runs`).Scan(&sum, &epochs); err != nil || sum != 3 || epochs != 7 {
		t.Errorf("sums %d and %d, want 3 and 7; %v", sum, epochs, err)
	}
}

// TestFolderStates: a run that is interrupted is unfinished and goes on to the same
// record; one whose process was killed is lost; one that is being worked on is
// refused.
func TestFolderStates(t *testing.T) {
	c, err := ReadConfig([]byte(`{"Data": "clusters", "Model": {"Width": 8, "Depth": 1, "DE": 4, "DH": 4}, "Train": {"Epochs": 3, "Classes": 4}, "Seed": 1}`))
	if err != nil {
		t.Fatal(err)
	}
	look := func(context.Context, string) (Data, error) { return quickData(), nil }
	whole := Folder{t.TempDir(), "whole"}
	cutOff := Folder{t.TempDir(), "cut"}
	for _, f := range []Folder{whole, cutOff} {
		if err := f.Open(c); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(f Folder, want State) {
		t.Helper()
		if s, err := f.State(); s != want || err != nil {
			t.Errorf("%s is %v (%v), want %v", f.ID, s, err, want)
		}
	}
	expect(cutOff, New)
	want, err := whole.Work(t.Context(), look, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	expect(whole, Done)
	ctx, cancel := context.WithCancel(t.Context())
	_, err = cutOff.Work(ctx, look, writerFunc(func(p []byte) { // after the first epoch
		expect(cutOff, Running)
		if _, err := cutOff.Work(t.Context(), look, io.Discard); err == nil || !strings.Contains(err.Error(), "locked") {
			t.Errorf("a second process at it: error %v", err)
		}
		cancel()
	}))
	if err == nil {
		t.Fatal("an interrupted run ended without an error")
	}
	expect(cutOff, Unfinished)
	if err := os.Remove(cutOff.path("end")); err != nil { // as after kill -9
		t.Fatal(err)
	}
	expect(cutOff, Lost)
	got, err := cutOff.Work(t.Context(), look, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if got.ID, got.Asked, got.Seconds = want.ID, want.Asked, want.Seconds; !sameRecord(got, want) {
		t.Errorf("after an interrupt\n%v, %v\nwant\n%v, %v", got.E, got.History, want.E, want.History)
	}
	expect(cutOff, Done)
	if cutOff.Attempts() != 2 {
		t.Errorf("%d attempts, want 2", cutOff.Attempts())
	}
}

// TestStoppedAfterTheLastStep: an interrupt between training and measurement leaves
// no record without scores.
func TestStoppedAfterTheLastStep(t *testing.T) {
	c := quickConfig(t)
	c.Data = "clusters"
	f := Folder{t.TempDir(), "late"}
	if err := f.Open(c); err != nil {
		t.Fatal(err)
	}
	look := func(context.Context, string) (Data, error) { return quickData(), nil }
	ctx, cancel := context.WithCancel(t.Context())
	epochs := 0
	if _, err := f.Work(ctx, look, writerFunc(func([]byte) {
		if epochs++; epochs == c.Train.Epochs {
			cancel()
		}
	})); err == nil {
		t.Error("no error")
	}
	if _, err := f.Record(); err == nil {
		t.Error("there is a record")
	}
	if s, err := f.State(); s != Unfinished || err != nil {
		t.Errorf("state %v, %v", s, err)
	}
	if r, err := f.Work(t.Context(), look, io.Discard); err != nil || r.Check() != nil {
		t.Errorf("going on: %v, %v", err, r.Check())
	}
	if err := os.WriteFile(f.path("record.json"), []byte(`{"Data": "clusters"}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Record(); err == nil || !strings.Contains(err.Error(), "no Recall@1") || !strings.Contains(err.Error(), f.path("record.json")) {
		t.Errorf("half a record: error %v", err)
	}
}

// TestNoPaths: a run's name cannot lead out of the folder of runs.
func TestNoPaths(t *testing.T) {
	for _, id := range []string{"", ".", "..", "../x", "a/b", ".hidden"} {
		if _, err := (Folder{t.TempDir(), id}).Work(t.Context(), nil, io.Discard); err == nil || !strings.Contains(err.Error(), "no name of a run") {
			t.Errorf("%q: error %v", id, err)
		}
	}
}

type writerFunc func(p []byte)

func (f writerFunc) Write(p []byte) (int, error) { f(p); return len(p), nil }

// TestParquet reads the file back and compares it with the CSV, value by value.
func TestParquet(t *testing.T) {
	all, err := Entries(ran(t))
	if err != nil {
		t.Fatal(err)
	}
	var sheet, file bytes.Buffer
	if err := WriteCSV(&sheet, all); err != nil {
		t.Fatal(err)
	}
	if err := WriteParquet(&file, all); err != nil {
		t.Fatal(err)
	}
	want, err := csv.NewReader(&sheet).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	got, err := parquet.OpenFile(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if got.NumRows() != int64(len(all)) || len(got.Schema().Fields()) != len(want[0]) {
		t.Fatalf("%d rows of %d columns, want %d of %d", got.NumRows(), len(got.Schema().Fields()), len(all), len(want[0]))
	}
	rows := make([]parquet.Row, len(all))
	if n, err := got.RowGroups()[0].Rows().ReadRows(rows); n != len(all) {
		t.Fatal(n, err)
	}
	doubles := 0
	for k, f := range got.Schema().Fields() {
		at := slices.Index(want[0], f.Name())
		if at < 0 {
			t.Errorf("column %s is not in the CSV", f.Name())
			continue
		}
		for i := range all {
			v := rows[i][k]
			text := ""
			switch {
			case v.IsNull():
			case v.Kind() == parquet.Double:
				doubles++
				text = strconv.FormatFloat(v.Double(), 'g', -1, 64)
			default:
				text = string(v.ByteArray())
			}
			if text != want[i+1][at] {
				t.Errorf("%s of run %d: %q, want %q", f.Name(), i, text, want[i+1][at])
			}
		}
	}
	if doubles == 0 {
		t.Error("no value is a number")
	}
	if err := WriteParquet(io.Discard, nil); err != nil {
		t.Errorf("without runs: %v", err)
	}
}

// TestDamagedRun: one run whose files cannot be read does not hide the others.
func TestDamagedRun(t *testing.T) {
	dir := ran(t)
	before, err := Entries(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"record.json", "config.json"} {
		path := Folder{dir, before[0].ID}.path(name)
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, good[:len(good)/2], 0o666); err != nil {
			t.Fatal(err)
		}
		all, err := Entries(dir)
		if err != nil || len(all) != len(before) {
			t.Fatalf("%s: %d of %d runs, %v", name, len(all), len(before), err)
		}
		damaged := 0
		for _, e := range all {
			if e.Damage != "" {
				damaged++
				if e.ID != before[0].ID || e.State != Failed || !strings.Contains(e.Damage, name) {
					t.Errorf("%s: %+v", name, e)
				}
			}
		}
		if damaged != 1 {
			t.Errorf("%s: %d damaged runs, want 1", name, damaged)
		}
		if err := WriteCSV(io.Discard, all); err != nil {
			t.Error(err)
		}
		if err := os.WriteFile(path, good, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

package sweep

import (
	"context"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/chestlib/train"
)

// TestGridHere runs a grid in this process, stops it, and goes on with one more
// seed.
func TestGridHere(t *testing.T) {
	base := quickConfig(t)
	grid := func(seeds int) *Plan {
		return Grid("sizes", base, seeds, Axis{Path: "Model.DH", Values: []any{2, 4}})
	}
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	d := quickData()
	cancel()
	if _, err := grid(2).Run(ctx, dir, d); err == nil {
		t.Fatal("a sweep that was stopped at once ended without an error")
	}
	r, err := grid(2).Run(t.Context(), dir, d)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Lines) != 2 || len(r.Lines[0].Seeds) != 2 || r.Lines[1].Open != 0 {
		t.Fatalf("results %+v", r.Lines)
	}
	before := r.Lines[1].Seeds[0]
	if r, err = grid(3).Run(t.Context(), dir, d); err != nil || len(r.Lines[1].Seeds) != 3 {
		t.Fatalf("one more seed: %v, %+v", err, r.Lines)
	}
	if again := r.Lines[1].Seeds[0]; again.Made.Began != before.Made.Began || again.Seconds != before.Seconds {
		t.Error("a run was done twice")
	}
	text := r.String()
	for _, want := range []string{"sizes\n", "Model.DH", "clusters", " ± "} {
		if !strings.Contains(text, want) || !strings.Contains(r.HTML(), strings.TrimSpace(want)) {
			t.Errorf("%q is missing in\n%s\n%s", want, text, r.HTML())
		}
	}
	scores, err := r.Lines[0].Scores("R@1 E")
	if err != nil || len(scores) != 3 || scores[1] != 100*r.Lines[0].Seeds[1].E.At(1) {
		t.Errorf("scores %v, %v", scores, err)
	}
	title, columns, rows := r.Sheet()
	at := slices.Index(columns, "R@1 E")
	if title != "sizes" || len(rows) != 2 || len(rows[0]) != len(columns) || at < 0 || rows[1][1] != 4 || !reflect.DeepEqual(rows[0][at], scores) {
		t.Errorf("as a sheet: %s %q %v", title, columns, rows)
	}
	if _, err := r.Lines[0].Scores("R@1"); err == nil {
		t.Error("a measure that is not there: no error")
	}
}

// TestGridErrors: a path or value that does not fit is told before anything runs.
func TestGridErrors(t *testing.T) {
	for _, c := range []struct {
		path  string
		value any
		want  string
	}{
		{"Loss.Nam", "chest", `sweep: data "clusters": sweep: config: Loss has options {"Nam":"chest"} but no Name; set Loss.Name, or correct the name of the option`},
		{"Loss.Name", "chset", `sweep: data "clusters": sweep: config: loss: there is no loss "chset"; want one of chest,`},
		{"Model.Dh2", 3, `sweep: data "clusters": sweep: Model.Dh2 = 3: there is no such field`},
		{"Model.DH", "x", `sweep: data "clusters": sweep: Model.DH = x: want a value of type int, not a string`},
	} {
		dir := t.TempDir()
		_, err := Grid("wrong", quickConfig(t), 1, Axis{Path: c.path, Values: []any{c.value}}).Run(t.Context(), dir, quickData())
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "choose") {
			t.Errorf("%s = %v: got %v, want %s", c.path, c.value, err, c.want)
		}
		if made, _ := os.ReadDir(dir); len(made) != 0 {
			t.Errorf("%s = %v: %d runs begun", c.path, c.value, len(made))
		}
	}
}

// TestGallery: what is measured is retrieval in the gallery, if there is one, and it
// is part of the data's identity.
func TestGallery(t *testing.T) {
	d := quickData()
	alone, err := d.Digest()
	if err != nil {
		t.Fatal(err)
	}
	d.Gallery = newClusters(3, 8, 12)
	with, err := d.Digest()
	if err != nil || with == alone {
		t.Errorf("digest %s with a gallery, %s without: %v", with, alone, err)
	}
	r, err := Grid("x", quickConfig(t), 1).Run(t.Context(), t.TempDir(), d)
	if err != nil {
		t.Fatal(err)
	}
	n, _, _ := d.Train.Shape()
	m, err := model.New(model.Shape{C: n, H: 1, W: 1}, model.Options{Width: 8, Depth: 1, DE: 4, DH: 4, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	tr, err := train.New(m, d.Train, train.Options{Epochs: 2, Classes: 4, Seed: 1, Silent: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Fit(t.Context()); err != nil {
		t.Fatal(err)
	}
	want, err := train.EvaluateGallery(t.Context(), m, d.Test, d.Gallery, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Lines[0].Seeds[0]; !reflect.DeepEqual(got.E, want.E) || !reflect.DeepEqual(got.H, want.H) || got.Clipped != want.Clipped {
		t.Errorf("E %v, H %v; want %v", got.E, got.H, want)
	}
}

// TestFailedRuns: a run that fails is said, does not run again by itself, and
// does when it is asked for.
func TestFailedRuns(t *testing.T) {
	p := Grid("x", quickConfig(t), 1)
	dir, d := t.TempDir(), quickData()
	d.Train.(*clusters).broke.Store(false)
	digest, err := d.Digest()
	if err != nil {
		t.Fatal(err)
	}
	p.Data = []string{d.Name}
	begun := 0
	run := func(resume Resume) error {
		s := &Sweep{Plan: p, Dir: dir, Digest: map[string]string{d.Name: digest}, Resume: resume, Report: func(p Progress) {
			if p.Ended == nil && p.Running > 0 {
				begun++
			}
		}}
		return s.Run(t.Context(), Here{Lookup: func(context.Context, string) (Data, error) { return d, nil }})
	}
	d.Train.(*clusters).broke.Store(true)
	for range 2 {
		if err := run(Resume{}); err == nil || !strings.Contains(err.Error(), "1 of 1 runs have no result") || !strings.Contains(err.Error(), "unreadable") {
			t.Errorf("error %v", err)
		}
	}
	if begun != 1 {
		t.Errorf("begun %d times, want once", begun)
	}
	d.Train.(*clusters).broke.Store(false)
	if err := run(Resume{Failed: true}); err != nil || begun != 2 {
		t.Errorf("begun %d times, %v", begun, err)
	}
	if err := run(Resume{Failed: true}); err != nil || begun != 2 {
		t.Errorf("a run that is done was begun: %d times, %v", begun, err)
	}
}

func quickConfig(t *testing.T) Config {
	t.Helper()
	c, err := ReadConfig([]byte(`{"Data": "any", "Model": {"Width": 8, "Depth": 1, "DE": 4, "DH": 4}, "Train": {"Epochs": 2, "Classes": 4}}`))
	if err != nil {
		t.Fatal(err)
	}
	c.Data = ""
	return c
}

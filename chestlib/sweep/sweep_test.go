package sweep

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/chestlib/train"
)

// clusters is items of 8 numbers, four of them around the centre of their class.
type clusters struct {
	x     [][]float32
	label []int
	broke atomic.Bool // items cannot be read any more
}

func newClusters(seed uint64, classes, n int) *clusters {
	c, rng := new(clusters), rand.New(rand.NewPCG(seed, 1))
	for y := range classes {
		centre := rng.Perm(4)
		for range n {
			x := make([]float32, 8)
			for j := range x { // half of the numbers are noise
				x[j] = 5 * float32(rng.NormFloat64())
				if j < 4 {
					x[j] = float32(centre[j]) + 0.3*float32(rng.NormFloat64())
				}
			}
			c.x, c.label = append(c.x, x), append(c.label, y)
		}
	}
	return c
}

func (c *clusters) Len() int              { return len(c.x) }
func (c *clusters) Shape() (ch, h, w int) { return 8, 1, 1 }
func (c *clusters) Label(i int) int       { return c.label[i] }
func (c *clusters) Item(dst []float32, i int) error {
	if c.broke.Load() {
		return errors.New("unreadable")
	}
	copy(dst, c.x[i])
	return nil
}

// quick is a trial of a moment.
func quick(rate float64) Trial {
	return Trial{
		Model: model.Options{Width: 8, Depth: 1, DE: 4, DH: 4},
		Train: train.Options{Epochs: 2, Classes: 4, PerClass: 2, Rate: rate, Loss: loss.CHESTOptions{NoTree: true, E: loss.SoftTripleOptions{Proxies: 2}}},
	}
}

func quickData() Data {
	return Data{Name: "clusters", Train: newClusters(1, 20, 12), Test: newClusters(2, 8, 12)}
}

func TestStudy(t *testing.T) {
	dir := t.TempDir()
	rows := []Row{{Name: "one", Variants: []Trial{quick(1e-9), quick(0.02)}}, {Name: "two", Variants: []Trial{quick(0.01)}}}
	study := func(jobs, seeds int) (lines []Line, ran, total int) {
		s := Study{Choose: quickData(), Final: quickData(), Seeds: seeds, Dir: dir, Jobs: jobs,
			Report: func(done, all int, what string, r Record, cached bool) {
				if total = all; !cached {
					ran++
				}
			}}
		lines, err := s.Run(context.Background(), rows)
		if err != nil {
			t.Fatal(err)
		}
		return lines, ran, total
	}
	lines, ran, total := study(2, 2)
	if ran != 6 || total != 6 {
		t.Errorf("%d of %d trials ran, want 6 of 6", ran, total)
	}
	if l := lines[0]; l.Variant != 1 || l.Choices[1].MAPR() <= l.Choices[0].MAPR() {
		t.Errorf("variant %d was chosen of MAP@R %g and %g", l.Variant, l.Choices[0].MAPR(), l.Choices[1].MAPR())
	}
	if reflect.DeepEqual(lines[0].Seeds[0].E, lines[0].Seeds[1].E) {
		t.Error("two seeds gave the same")
	}
	again, ran, _ := study(1, 3)
	if ran != 2 {
		t.Errorf("one more seed of two rows ran %d trials", ran)
	}
	for i := range lines {
		for k := range lines[i].Seeds {
			if !sameRecord(lines[i].Seeds[k], again[i].Seeds[k]) {
				t.Errorf("row %d, seed %d: other records", i, k)
			}
		}
	}
	fresh, _, err := Run(context.Background(), rows[0].Variants[1].seeded(1), quickData(), "")
	if fresh.Seconds = lines[0].Seeds[0].Seconds; err != nil || !sameRecord(fresh, lines[0].Seeds[0]) {
		t.Errorf("a trial by itself is another one: %v", err)
	}
}

// sameRecord compares all but the layout of the config.
func sameRecord(a, b Record) bool {
	for _, r := range []*Record{&a, &b} {
		r.Config, r.Made, r.ID = nil, Made{}, ""
		r.History = slices.Clone(r.History)
		for i := range r.History {
			r.History[i].Seconds = 0
		}
	}
	return reflect.DeepEqual(a, b)
}

// TestRecordIdentity: what changes the numbers changes the record's name.
func TestRecordIdentity(t *testing.T) {
	base := quick(0.01)
	d := quickData()
	id := func(t0 Trial, d Data) string {
		tr, err := t0.trainer(d)
		if err != nil {
			t.Fatal(err)
		}
		return Record{Data: d.Name, Config: []byte(tr.Config()), TestLabels: labels(d.Test)}.id()
	}
	ids := map[string]string{id(base, d): "base"}
	change := func(name string, f func(t *Trial, d *Data)) {
		t0, d0 := base, d
		f(&t0, &d0)
		if was, there := ids[id(t0, d0)]; there {
			t.Errorf("%s has the record of %s", name, was)
		}
		ids[id(t0, d0)] = name
	}
	change("seed", func(t *Trial, _ *Data) { *t = t.seeded(1) })
	change("epochs", func(t *Trial, _ *Data) { t.Train.Epochs = 3 })
	change("rate", func(t *Trial, _ *Data) { t.Train.Rate = 0.011 })
	change("width", func(t *Trial, _ *Data) { t.Model.Width = 9 })
	change("loss", func(t *Trial, _ *Data) { t.Train.Loss = loss.CHESTOptions{Space: loss.OnlyE} })
	change("weights of a sum", func(t *Trial, _ *Data) {
		t.Train.Loss = loss.Sum(1, loss.CHESTOptions{Space: loss.OnlyE}, 1, loss.CHESTOptions{Space: loss.OnlyH})
	})
	change("options in a sum", func(t *Trial, _ *Data) {
		t.Train.Loss = loss.Sum(1, loss.CHESTOptions{Space: loss.OnlyE, E: loss.SoftTripleOptions{Lambda: 3}}, 1, loss.CHESTOptions{Space: loss.OnlyH})
	})
	change("data", func(_ *Trial, d *Data) { d.Name = "others" })
	change("test classes", func(_ *Trial, d *Data) { d.Test = newClusters(2, 5, 6) })
	if t0 := base; id(t0.noted("x"), d) != id(base, d) {
		t.Error("a note changes the record")
	}
}

func (t Trial) noted(note string) Trial { t.Note = note; return t }

// TestDiverged: a trial that fails is a record; a study goes on.
func TestDiverged(t *testing.T) {
	d := quickData()
	d.Train.(*clusters).broke.Store(true)
	r, cached, err := Run(context.Background(), quick(0.01), d, t.TempDir())
	if err != nil || cached || !strings.Contains(r.Failed, "unreadable") || r.MAPR() != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestRunRefuses(t *testing.T) {
	if _, _, err := Run(context.Background(), quick(-1), quickData(), ""); err == nil || !strings.Contains(err.Error(), "Rate is -1") {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir := t.TempDir()
	if _, _, err := Run(ctx, quick(0.01), quickData(), dir); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if all, _ := os.ReadDir(dir); len(all) != 0 {
		t.Error("an interrupted trial left a record")
	}
	if _, _, err := Run(context.Background(), quick(0.01), quickData(), dir); err != nil {
		t.Fatal(err)
	}
	all, _ := filepath.Glob(filepath.Join(dir, "*", "record.json"))
	if len(all) != 1 {
		t.Fatalf("records %v", all)
	}
	if err := os.WriteFile(all[0], []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Run(context.Background(), quick(0.01), quickData(), dir); err == nil || !strings.Contains(err.Error(), all[0]) {
		t.Errorf("a damaged record: error %v", err)
	}
	if _, err := (Study{Seeds: 1}).Run(context.Background(), []Row{{Name: "none"}}); err == nil {
		t.Error("a row without a variant: no error")
	}
}

// TestPlans: every trial of the plans can be made.
func TestPlans(t *testing.T) {
	src := &images{newClusters(1, 40, 4)}
	for name, rows := range map[string][]Row{"losses": Losses(3), "choices": Choices(3)} {
		names := make(map[string]bool)
		for _, row := range rows {
			if names[row.Name] || len(row.Variants) == 0 {
				t.Errorf("%s: row %q comes twice or has no variant", name, row.Name)
			}
			names[row.Name] = true
			for i, v := range row.Variants {
				if _, err := v.trainer(Data{Train: src}); err != nil {
					t.Errorf("%s: %s, variant %d: %v", name, row.Name, i, err)
				}
			}
		}
	}
}

// images is clusters as images, for convolutions.
type images struct{ *clusters }

func (i *images) Shape() (c, h, w int)             { return 1, 28, 28 }
func (i *images) Item(dst []float32, at int) error { return nil }

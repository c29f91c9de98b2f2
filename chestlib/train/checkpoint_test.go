package train

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/internal/durable"
	"github.com/chestlab/chest/internal/safetensors"
)

// TestCheckpoint: a new trainer that loads a checkpoint of any step does what
// the old one would have done.
func TestCheckpoint(t *testing.T) {
	src := newClusters(8, 8, 12, 1)
	o := small(3)
	o.Watch, o.Patience, o.Average = src, 2, 0.9
	whole := newTrainer(t, src, o)
	if _, err := whole.Fit(context.Background()); err != nil {
		t.Fatal(err)
	}
	for stop := 1; stop <= 12; stop++ {
		path := filepath.Join(t.TempDir(), "run.chest")
		ctx, cancel := context.WithCancel(context.Background())
		first := o
		first.Checkpoint = path
		first.OnStep = func(s Step) {
			if s.Number == stop {
				cancel()
			}
		}
		if _, err := newTrainer(t, src, first).Fit(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped after step %d: error %v", stop, err)
		}
		second := o
		second.Checkpoint = path
		tr := newTrainer(t, src, second)
		if _, err := tr.Fit(context.Background()); err != nil {
			t.Fatalf("stopped after step %d: %v", stop, err)
		}
		if !reflect.DeepEqual(weights(tr), weights(whole)) || !reflect.DeepEqual(timeless(tr.History()), timeless(whole.History())) {
			t.Errorf("stopped after step %d: other weights or history", stop)
		}
		done := newTrainer(t, src, second) // nothing is left to do
		if h, err := done.Fit(context.Background()); err != nil || !reflect.DeepEqual(timeless(h), timeless(whole.History())) {
			t.Errorf("a finished run: %v, %v", h, err)
		}
		m, err := model.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range m.Params() {
			if !reflect.DeepEqual(p.Value, tr.params[i].Value) {
				t.Errorf("the model in the checkpoint has another %s", p.Name)
			}
		}
	}
}

// childEnv makes this test binary train instead of test, for TestKilled.
const childEnv = "CHEST_TEST_CHECKPOINT"

func killedOptions(path string) Options {
	o := small(40)
	o.Checkpoint, o.CheckpointSteps = path, 1
	return o
}

// TestChild is the program that TestKilled kills.
func TestChild(t *testing.T) {
	path := os.Getenv(childEnv)
	if path == "" {
		return // it is no test by itself
	}
	tr := newTrainer(t, newClusters(8, 8, 12, 1), killedOptions(path))
	if _, err := tr.Fit(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// TestKilled: a run that is killed at 20 random moments and begun again each
// time ends with the bits of one that was not.
func TestKilled(t *testing.T) {
	whole := newTrainer(t, newClusters(8, 8, 12, 1), killedOptions(""))
	if _, err := whole.Fit(context.Background()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "run.chest")
	rng := rand.New(rand.NewPCG(1, 1))
	kills := 0
	for kills < 20 {
		c := exec.Command(os.Args[0], "-test.run=^TestChild$")
		c.Env = append(os.Environ(), childEnv+"="+path)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- c.Wait() }()
		for before := modified(path); modified(path) == before && len(ended) == 0; { // it has written once at least
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(rng.IntN(2000)) * time.Microsecond)
		c.Process.Kill()
		if err := <-ended; err == nil {
			break // it was quicker
		}
		kills++
	}
	tr := newTrainer(t, newClusters(8, 8, 12, 1), killedOptions(path))
	if err := tr.open(); err != nil {
		t.Fatal(err)
	}
	t.Logf("killed %d times, the last time after step %d of %d", kills, tr.steps, whole.steps)
	if kills < 20 || tr.steps == whole.steps {
		t.Fatalf("the run was over after %d kills: it is too short for this test", kills)
	}
	if _, err := tr.Fit(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(weights(tr), weights(whole)) || !reflect.DeepEqual(timeless(tr.History()), timeless(whole.History())) {
		t.Error("other weights or history than of the run that was not killed")
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("beside the checkpoint there are %v", left)
	}
}

// modified tells one state of a file from another.
func modified(path string) string {
	st, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprint(st.ModTime().UnixNano(), st.Size())
}

// TestLoadRefuses: what does not belong to the run is named, and the trainer
// stays as it was.
func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "run.chest")
	src := newClusters(8, 8, 12, 1)
	tr := newTrainer(t, src, small(3))
	if _, err := tr.Epoch(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := tr.Save(path); err != nil {
		t.Fatal(err)
	}
	longer := newTrainer(t, src, small(9)) // only the epochs may differ
	if err := longer.Load(path); err != nil || longer.EpochsDone() != 1 {
		t.Errorf("%d epochs done, error %v", longer.EpochsDone(), err)
	}
	with := func(f func(o *Options)) Options { o := small(3); f(&o); return o }
	for _, c := range []struct {
		o    Options
		src  model.Source
		says string
	}{
		{with(func(o *Options) { o.Rate = 0.01 }), src, "Train.Rate is 0.003 in the file, 0.01 here"},
		{with(func(o *Options) { o.Seed = 9 }), src, "Train.Seed is 3 in the file, 9 here"},
		{with(func(o *Options) { o.Loss = loss.CHESTOptions{Space: loss.OnlyE} }), src, "Loss.Name is chest in the file, softtriple here"},
		{with(func(o *Options) { o.Optim = optim.AdamWOptions{Beta1: 0.5} }), src, "Optim.Options.Beta1 is 0 in the file, 0.5 here"},
		{small(3), newClusters(8, 9, 12, 1), "Data.Items is 64 in the file, 72 here"},
	} {
		other := newTrainer(t, c.src, c.o)
		before := weights(other)
		if err := other.Load(path); err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v, want %q", err, c.says)
		}
		if !reflect.DeepEqual(before, weights(other)) || other.steps != 0 {
			t.Error("the trainer changed")
		}
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, damage := range []struct {
		says string
		do   func(b []byte) []byte
	}{
		{"the file at", func(b []byte) []byte { return b[:len(b)/2+7] }},
		{"damaged", func(b []byte) []byte { b[len(b)-9] ^= 1; return b }},
		{"its format is", func(b []byte) []byte { return []byte(strings.Replace(string(b), "checkpoint 1", "checkpoint 0", 1)) }},
		{"header of", func(b []byte) []byte { binary.LittleEndian.PutUint64(b, 1<<40); return b }},
		{"too few", func([]byte) []byte { return nil }},
	} {
		if err := os.WriteFile(path, damage.do(append([]byte(nil), whole...)), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := newTrainer(t, src, small(3)).Load(path); err == nil || !strings.Contains(err.Error(), damage.says) {
			t.Errorf("error %v, want %q", err, damage.says)
		}
	}
	o := small(3)
	o.Checkpoint = path
	begun := newTrainer(t, src, o)
	if _, err := begun.Step(begun.Batches()[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := begun.Fit(context.Background()); err == nil || !strings.Contains(err.Error(), "1 steps that are not in it are done") {
		t.Errorf("a checkpoint for a trainer that has begun: %v", err)
	}
}

// TestHostileProgress: a file with a right checksum may still say anything.
func TestHostileProgress(t *testing.T) {
	src := newClusters(8, 8, 12, 1)
	path := filepath.Join(t.TempDir(), "run.chest")
	from := newTrainer(t, src, small(3))
	for says, p := range map[string]string{
		"-1 is negative":    `{"Place":-1}`,
		"-7 is negative":    `{"Steps":-7}`,
		"no place in a run": `{"Run":{"Number":1,"At":-1}}`,
		"step 999 of 4":     `{"Run":{"Number":1,"At":999}}`,
		"draw -1":           `{"Run":{"Number":1,"Draw":-1}}`,
		"cannot unmarshal":  `{"Steps":"many"}`,
		"unexpected end":    `{"Steps":1`,
		"":                  `{"Warned":null}`, // and a warning afterwards finds its place
	} {
		err := durable.Write(path, func(w io.Writer) error {
			return safetensors.Write(w, map[string]string{"format": format, "config": from.Config(), "progress": p}, from.arrays())
		})
		if err != nil {
			t.Fatal(err)
		}
		tr := newTrainer(t, src, small(3))
		err = tr.Load(path)
		if says == "" {
			tr.warn("kind", "text")
		}
		if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says) || tr.steps != 0) {
			t.Errorf("%s: error %v, want %q", p, err, says)
		}
	}
}

// TestSaveFails: a disk that does not take the file stops the run with an error.
func TestSaveFails(t *testing.T) {
	o := small(2)
	o.Checkpoint = filepath.Join(t.TempDir(), "no", "run.chest")
	if h, err := newTrainer(t, newClusters(8, 8, 12, 1), o).Fit(context.Background()); err == nil || len(h) != 1 {
		t.Errorf("%d epochs, error %v", len(h), err)
	}
}

// TestAccumulate: parts of a batch add up to its gradient, for a loss that is a
// mean over rows.
func TestAccumulate(t *testing.T) {
	src := newClusters(8, 8, 12, 1)
	var moved [2][][]float32
	var norms [2]float64
	for i, parts := range []int{1, 2} {
		o := small(2)
		o.Classes, o.Accumulate, o.Optim, o.MaxNorm = 4, parts, optim.AdamWOptions{Eps: 10}, -1
		o.Loss = loss.CHESTOptions{NoTree: true, E: loss.SoftTripleOptions{Proxies: 2}, H: loss.HyperSoftTripleOptions{Proxies: 2}}
		tr := newTrainer(t, src, o)
		s, err := tr.Step(tr.Batches()[0])
		if err != nil {
			t.Fatal(err)
		}
		moved[i], norms[i] = weights(tr), s.Norm
	}
	if d := norms[0] - norms[1]; math.Abs(d) > 1e-4*norms[0] {
		t.Errorf("norms %g and %g", norms[0], norms[1])
	}
	for k := range moved[0] {
		for i, v := range moved[0][k] {
			if d := math.Abs(float64(v - moved[1][k][i])); d > 1e-4 {
				t.Fatalf("array %d entry %d: %g and %g", k, i, v, moved[1][k][i])
			}
		}
	}
	o := small(2)
	o.Accumulate = 3
	tr := newTrainer(t, src, o)
	if _, err := tr.Step(tr.Batches()[0]); err == nil || !strings.Contains(err.Error(), "divisor of Classes") {
		t.Errorf("5 classes in 3 parts: %v", err)
	}
}

// TestFrozen: the trunk stays while the heads move, and moves afterwards.
func TestFrozen(t *testing.T) {
	o := small(2)
	o.Frozen = 1
	tr := newTrainer(t, newClusters(8, 8, 12, 1), o)
	sum := func(group string) (s float64) {
		for _, p := range tr.params {
			if p.Group == group {
				for i, v := range p.Value {
					s += float64(v) * float64(i%7+1)
				}
			}
		}
		return s
	}
	trunk, head := sum("trunk"), sum("head")
	if _, err := tr.Epoch(context.Background()); err != nil {
		t.Fatal(err)
	}
	if sum("trunk") != trunk || sum("head") == head {
		t.Error("in the frozen epoch the trunk moved, or the heads did not")
	}
	if _, err := tr.Epoch(context.Background()); err != nil {
		t.Fatal(err)
	}
	if sum("trunk") == trunk {
		t.Error("the trunk never moved")
	}
}

// TestPatience: training that gains nothing stops and goes back to its best
// epoch.
func TestPatience(t *testing.T) {
	src := newClusters(8, 8, 12, 1)
	o := small(50)
	o.Watch, o.Patience, o.Rate = src, 3, 1e-12 // nothing can get better
	tr := newTrainer(t, src, o)
	history, err := tr.Fit(context.Background())
	if err != nil || len(history) != 4 || !strings.Contains(tr.String(), "no gain since epoch 1") {
		t.Errorf("%d epochs, error %v, %s", len(history), err, tr)
	}
	if again, err := tr.Fit(context.Background()); err != nil || len(again) != 4 {
		t.Errorf("a second Fit: %d epochs, error %v", len(again), err)
	}
	now, err := Evaluate(context.Background(), tr.Model, src, nil)
	if err != nil || !reflect.DeepEqual(now.E, history[0].E) || !reflect.DeepEqual(now.H, history[0].H) {
		t.Errorf("%v: the weights are not those of the first epoch: %v, %v", err, now, history[0])
	}
}

// TestAverage: after an epoch the model has the averages of its weights, and
// training goes on from the weights themselves.
func TestAverage(t *testing.T) {
	src := newClusters(8, 8, 12, 1)
	o := small(2)
	plain := newTrainer(t, src, o)
	o.Average = 0.5
	averaged := newTrainer(t, src, o)
	want := make([]float64, len(plain.params[0].Value))
	var total float64
	plain.o.OnStep = func(Step) {
		total = total*0.5 + 0.5
		for i, v := range plain.params[0].Value {
			want[i] = want[i]*0.5 + 0.5*float64(v)
		}
	}
	for range 2 {
		for _, tr := range []*Trainer{plain, averaged} {
			if _, err := tr.Epoch(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		for i, v := range averaged.params[0].Value {
			if d := math.Abs(float64(v) - want[i]/total); d > 1e-6 {
				t.Fatalf("entry %d is %g, want %g", i, v, want[i]/total)
			}
		}
	}
	averaged.useAverage(false)
	if !reflect.DeepEqual(plain.params[0].Value, averaged.params[0].Value) {
		t.Error("averaging changed the training")
	}
}

// TestWarnings: each kind once.
func TestWarnings(t *testing.T) {
	src := newClusters(8, 8, 12, 1)
	var said []string
	o := small(6)
	o.Schedule, o.Rate, o.MaxNorm = optim.Constant{}, 3, -1
	o.OnWarn = func(text string) { said = append(said, text) }
	tr := newTrainer(t, src, o)
	if _, err := tr.Fit(context.Background()); err != nil {
		t.Log(err) // it may go as far as to numbers that are not finite
	}
	clipped := 0
	for _, text := range said {
		if strings.Contains(text, "clip radius") {
			clipped++
		}
	}
	if clipped != 1 || len(said) > 2 {
		t.Errorf("warnings %q", said)
	}
}

// TestOwnFile: after Load or Save of the file of Options.Checkpoint it belongs to the
// run, and Fit goes on.
func TestOwnFile(t *testing.T) {
	src := newClusters(8, 8, 12, 1)
	whole := newTrainer(t, src, small(3))
	if _, err := whole.Fit(context.Background()); err != nil {
		t.Fatal(err)
	}
	o := small(3)
	o.Checkpoint = filepath.Join(t.TempDir(), "run.chest")
	first := newTrainer(t, src, o)
	if _, err := first.Epoch(context.Background()); err != nil {
		t.Fatal(err)
	}
	loaded, stranger := newTrainer(t, src, o), newTrainer(t, src, o)
	if err := loaded.Load(filepath.Dir(o.Checkpoint) + "/./run.chest"); err != nil {
		t.Fatal(err)
	}
	if err := loaded.Save(o.Checkpoint); err != nil {
		t.Fatal(err)
	}
	other := o
	other.Checkpoint = ""
	saved := newTrainer(t, src, other)
	if _, err := saved.Epoch(context.Background()); err != nil {
		t.Fatal(err)
	}
	saved.o.Checkpoint = o.Checkpoint
	if _, err := saved.Fit(context.Background()); err == nil || !strings.Contains(err.Error(), "Load it to go on from there") {
		t.Errorf("steps that the file does not have: %v", err)
	}
	if err := saved.Save(o.Checkpoint); err != nil {
		t.Fatal(err)
	}
	for name, tr := range map[string]*Trainer{"loaded": loaded, "opened": stranger, "saved": saved} {
		if _, err := tr.Fit(context.Background()); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !reflect.DeepEqual(weights(tr), weights(whole)) {
			t.Errorf("%s: other weights than those of one run", name)
		}
	}
}

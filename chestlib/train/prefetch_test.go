package train

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"testing"
)

// drawn is clusters with noise on every draw.
type drawn struct {
	*clusters
	asked map[uint64]int // draws, how often
}

func newDrawn() *drawn { return &drawn{newClusters(8, 8, 12, 1), map[uint64]int{}} }

func (s *drawn) Draw(dst []float32, i int, draw uint64) error {
	s.asked[draw]++
	rng := rand.New(rand.NewPCG(uint64(i), draw))
	for j := range dst {
		dst[j] = s.x[i*s.d+j] + 0.1*float32(rng.NormFloat64())
	}
	return nil
}

// announced is drawn with a Prefetch that notes what was asked for without
// having been announced.
type announced struct {
	*drawn
	next    map[[2]uint64]bool
	calls   int
	largest int // announcement
	missed  int
}

func (s *announced) Prefetch(items []int, draws []uint64) {
	s.next = map[[2]uint64]bool{}
	for k, i := range items {
		key := [2]uint64{uint64(i), 0}
		if draws != nil {
			key[1] = draws[k]
		}
		s.next[key] = true
	}
	s.calls++
	s.largest = max(s.largest, len(items))
}

func (s *announced) Draw(dst []float32, i int, draw uint64) error {
	if !s.next[[2]uint64{uint64(i), draw}] {
		s.missed++
	}
	return s.drawn.Draw(dst, i, draw)
}

func (s *announced) Item(dst []float32, i int) error {
	if !s.next[[2]uint64{uint64(i), 0}] {
		s.missed++
	}
	return s.clusters.Item(dst, i)
}

// TestDrawsDiffer: a Drawer is asked for another draw each time, whatever the
// parts; another seed draws others; a plain source is not drawn from.
func TestDrawsDiffer(t *testing.T) {
	var first map[uint64]int
	for _, seed := range []uint64{3, 4} {
		src := newDrawn()
		o := small(2)
		o.Seed, o.Accumulate = seed, 5
		if _, err := newTrainer(t, src, o).Fit(context.Background()); err != nil {
			t.Fatal(err)
		}
		if len(src.asked) != 2*4*20 {
			t.Errorf("%d draws differ, want %d", len(src.asked), 2*4*20)
		}
		for d := range src.asked {
			if first[d] > 0 {
				t.Fatalf("draw %d under two seeds", d)
			}
		}
		first = src.asked
	}
	src := newDrawn()
	plain, noisy := newTrainer(t, src.clusters, small(1)), newTrainer(t, src, small(1))
	for _, tr := range []*Trainer{plain, noisy} {
		if _, err := tr.Fit(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if reflect.DeepEqual(weights(plain), weights(noisy)) {
		t.Error("the draws do not reach the model")
	}
}

// TestPrefetch: all that Fit, a loop and Evaluate ask for was announced, no more
// than two batches at once, nothing stays announced; the bits are those of a
// source that cannot prefetch.
func TestPrefetch(t *testing.T) {
	want := newTrainer(t, newDrawn(), small(2))
	if _, err := want.Fit(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, byHand := range []bool{false, true} {
		src := &announced{drawn: newDrawn()}
		tr := newTrainer(t, src, small(2))
		if byHand {
			for range 2 {
				for _, b := range tr.Batches() {
					if _, err := tr.Step(b); err != nil {
						t.Fatal(err)
					}
				}
			}
		} else if _, err := tr.Fit(context.Background()); err != nil {
			t.Fatal(err)
		}
		if src.missed > 0 || src.largest != 40 || src.calls < 8 {
			t.Errorf("by hand %v: %d of the draws were not announced, at most %d at once, %d calls", byHand, src.missed, src.largest, src.calls)
		}
		if !reflect.DeepEqual(weights(tr), weights(want)) {
			t.Errorf("by hand %v: other bits", byHand)
		}
		if !byHand && len(src.next) > 0 {
			t.Errorf("%d draws stay announced", len(src.next))
		}
		src.largest = 0
		if _, err := tr.Model.Embed(context.Background(), src, 10); err != nil {
			t.Fatal(err)
		}
		if src.missed > 0 || src.largest != 20 || len(src.next) > 0 {
			t.Errorf("Embed: %d items were not announced, at most %d at once, %d left", src.missed, src.largest, len(src.next))
		}
	}
}

// TestForeignBatch: a batch of the caller's own is announced, alone.
func TestForeignBatch(t *testing.T) {
	src := &announced{drawn: newDrawn()}
	tr := newTrainer(t, src, small(1))
	b := tr.Batches()[1]
	own := Batch{Items: append([]int(nil), b.Items...), Labels: b.Labels}
	for _, c := range []struct {
		batch Batch
		want  int // announced
	}{{own, 20}, {b, 40}} {
		if _, err := tr.Step(c.batch); err != nil {
			t.Fatal(err)
		}
		if src.missed > 0 || len(src.next) != c.want {
			t.Errorf("%d draws were not announced; %d were, want %d", src.missed, len(src.next), c.want)
		}
	}
}

// TestDrawsResume: a run that goes on from a checkpoint draws what the other
// would have.
func TestDrawsResume(t *testing.T) {
	o := small(3)
	whole := newTrainer(t, newDrawn(), o)
	if _, err := whole.Fit(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, stop := range []int{1, 4, 7} {
		o.Checkpoint = filepath.Join(t.TempDir(), fmt.Sprint(stop))
		ctx, cancel := context.WithCancel(context.Background())
		o.OnStep = func(s Step) {
			if s.Number == stop {
				cancel()
			}
		}
		if _, err := newTrainer(t, &announced{drawn: newDrawn()}, o).Fit(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("error %v", err)
		}
		o.OnStep = nil
		tr := newTrainer(t, newDrawn(), o)
		if _, err := tr.Fit(context.Background()); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(weights(tr), weights(whole)) {
			t.Errorf("stopped after step %d: other bits", stop)
		}
	}
}

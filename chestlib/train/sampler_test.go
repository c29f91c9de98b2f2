package train

import (
	"reflect"
	"testing"
)

// labelled is a source of labels; its items are their own label and number.
type labelled []int

func (l labelled) Len() int             { return len(l) }
func (l labelled) Shape() (c, h, w int) { return 2, 1, 1 }
func (l labelled) Label(i int) int      { return l[i] }
func (l labelled) Item(dst []float32, i int) error {
	dst[0], dst[1] = float32(l[i]), float32(i%7)/7
	return nil
}

// twelve has five classes of uneven size, one label unused.
var twelve = labelled{0, 0, 0, 1, 1, 1, 1, 2, 2, 4, 4, 4}

func TestSamplerBalances(t *testing.T) {
	s, err := NewSampler(twelve, 3, 2, 7)
	if err != nil {
		t.Fatal(err)
	}
	if s.Classes() != 5 || s.Steps() != 2 {
		t.Fatalf("classes %d, steps %d; want 5 and 2", s.Classes(), s.Steps())
	}
	drawn := map[int]int{}
	for epoch := range 10 {
		for _, b := range s.Epoch(epoch) {
			per := map[int]map[int]bool{}
			for i, item := range b.Items {
				if b.Labels[i] != twelve[item] {
					t.Fatalf("item %d has label %d, batch says %d", item, twelve[item], b.Labels[i])
				}
				if per[b.Labels[i]] == nil {
					per[b.Labels[i]] = map[int]bool{}
				}
				per[b.Labels[i]][item] = true
				drawn[b.Labels[i]]++
			}
			if len(per) != 3 {
				t.Fatalf("%d classes in a batch, want 3", len(per))
			}
			for y, items := range per {
				if len(items) != 2 {
					t.Fatalf("class %d: %d different items, want 2", y, len(items))
				}
			}
		}
	}
	for y, n := range drawn { // 10 epochs of 2 batches of 3 classes: 15 ± 10/2 each, times 2 items
		if n < 20 || n > 40 {
			t.Errorf("class %d drawn %d times: not balanced", y, n)
		}
	}
}

func TestSamplerIsAFunctionOfSeedAndEpoch(t *testing.T) {
	a, _ := NewSampler(twelve, 3, 2, 7)
	b, _ := NewSampler(twelve, 3, 2, 7)
	a.Epoch(0) // what was drawn before must not matter
	if !reflect.DeepEqual(a.Epoch(3), b.Epoch(3)) {
		t.Error("the same seed and epoch gave other batches")
	}
	c, _ := NewSampler(twelve, 3, 2, 8)
	if reflect.DeepEqual(b.Epoch(3), c.Epoch(3)) || reflect.DeepEqual(b.Epoch(3), b.Epoch(4)) {
		t.Error("another seed or epoch gave the same batches")
	}
}

func TestSamplerSmallAndBad(t *testing.T) {
	for _, c := range []struct {
		name   string
		labels labelled
		ok     bool
	}{
		{"one item", labelled{0}, true},
		{"one class", labelled{0, 0, 0}, true},
		{"empty", labelled{}, false},
		{"negative label", labelled{0, -1}, false},
	} {
		s, err := NewSampler(c.labels, 16, 4, 1)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil && len(s.Epoch(0)) != s.Steps() {
			t.Errorf("%s: %d batches, want %d", c.name, len(s.Epoch(0)), s.Steps())
		}
	}
}

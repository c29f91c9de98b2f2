package chestlib

import (
	"context"
	"math"
	"strings"
	"testing"
)

// TestPCAComparesDirections: lengths of E do not matter, and label nil means
// the embedding's own.
func TestPCAComparesDirections(t *testing.T) {
	e := Embedding{E: []float32{1, 0, 0, 20, 0, 0.2, 0, 3, 0, 0, 0.1, 0.001, 0, 0, 0}, DE: 3, Label: []int{0, 0, 1, 1, 2}}
	xy, q, err := PCA(context.Background(), e, nil)
	if err != nil || len(xy) != 10 {
		t.Fatalf("%d coordinates, error %v", len(xy), err)
	}
	if q.KNN != 4 || q.Explained < 0.99 || math.Hypot(xy[0]-xy[2], xy[1]-xy[3]) > 0.02 || math.Hypot(xy[0]-xy[4], xy[1]-xy[5]) < 1 {
		t.Errorf("points %.3f, quality %+v", xy, q)
	}
	for i, v := range e.E {
		if i == 3 && v != 20 {
			t.Error("the embedding was changed")
		}
	}
	e.E[1] = float32(math.NaN())
	if _, _, err := PCA(context.Background(), e, nil); err == nil {
		t.Error("NaN: no error")
	}
}

// TestNothing: what nobody looked at the error of is an error again, and no crash.
func TestNothing(t *testing.T) {
	var none *pixels
	if _, err := NewModel(none, ModelOptions{}); err == nil || !strings.Contains(err.Error(), "look at the error of what should have read them") {
		t.Errorf("a model of no items: %v", err)
	}
	if _, err := NewTrainer(nil, nil, TrainOptions{}); err == nil {
		t.Error("a trainer of no model: no error")
	}
	if _, err := Evaluate(t.Context(), nil, nil); err == nil {
		t.Error("scores of no model: no error")
	}
}

// pixels are items that cannot be asked when they are nil.
type pixels struct{ n int }

func (p *pixels) Len() int                { return p.n }
func (p *pixels) Shape() (c, h, w int)    { return p.n, 1, 1 }
func (*pixels) Label(int) int             { return 0 }
func (*pixels) Item([]float32, int) error { return nil }

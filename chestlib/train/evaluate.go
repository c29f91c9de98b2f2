package train

import (
	"context"
	"fmt"

	"github.com/chestlab/chest/chestlib/metric"
	"github.com/chestlab/chest/chestlib/model"
)

// Scores is retrieval in both spaces: each item is a query, all others are the
// gallery.
//
// Both are measured whatever the loss trains. After a loss of OnlyE the scores
// of H are those of a head without training on a trained trunk, and the other
// way round: they say nothing about the space.
type Scores struct {
	E       metric.Result // cosine of the Euclidean embeddings
	H       metric.Result // distance on the ball
	Clipped float64       // share of items at the clip radius; near 1, H retrieves as cosine would
}

// Evaluate embeds src by m and measures retrieval in both spaces. nil ks means
// 1, 2, 4, 8. Cost: one forward pass and two n×n score matrices, by blocks.
func Evaluate(ctx context.Context, m *model.Model, src model.Source, ks []int) (Scores, error) {
	ctx, done := context.WithCancel(ctx) // stays with the cell that called
	defer done()
	e, err := m.Embed(ctx, src, 0)
	if err != nil {
		return Scores{}, err
	}
	return EvaluateEmbedding(ctx, e, ks)
}

// EvaluateEmbedding is Evaluate for items that are embedded already.
func EvaluateEmbedding(ctx context.Context, e model.Embedding, ks []int) (s Scores, err error) {
	ctx, done := context.WithCancel(ctx) // stays with the cell that called
	defer done()
	s.Clipped = e.Clipped
	if s.E, err = metric.Retrieval(ctx, e.E, e.Label, e.DE, metric.Options{Ks: ks}); err != nil {
		return s, err
	}
	s.H, err = metric.Retrieval(ctx, e.H, e.Label, e.DH, metric.Options{Ks: ks, Space: metric.Hyperbolic, Curvature: e.Curvature, Flat: e.Curvature == 0})
	return s, err
}

// EvaluateGallery embeds queries and a gallery by m and measures retrieval of the
// former in the latter, as on In-Shop: nothing is removed from the gallery. The two
// share one numbering of classes. Clipped is of the queries. nil ks means 1, 2, 4, 8.
func EvaluateGallery(ctx context.Context, m *model.Model, query, gallery model.Source, ks []int) (s Scores, err error) {
	ctx, done := context.WithCancel(ctx) // stays with the cell that called
	defer done()
	q, err := m.Embed(ctx, query, 0)
	if err != nil {
		return s, err
	}
	g, err := m.Embed(ctx, gallery, 0)
	if err != nil {
		return s, err
	}
	s.Clipped = q.Clipped
	if s.E, err = metric.QueryGallery(ctx, q.E, q.Label, g.E, g.Label, q.DE, metric.Options{Ks: ks}); err != nil {
		return s, err
	}
	s.H, err = metric.QueryGallery(ctx, q.H, q.Label, g.H, g.Label, q.DH, metric.Options{Ks: ks, Space: metric.Hyperbolic, Curvature: q.Curvature, Flat: q.Curvature == 0})
	return s, err
}

// EvaluateItems measures retrieval by the cosine of the items themselves, after
// subtracting their common mean: the baseline without any model.
func EvaluateItems(ctx context.Context, src model.Source, ks []int) (metric.Result, error) {
	ctx, done := context.WithCancel(ctx) // stays with the cell that called
	defer done()
	c, h, w := src.Shape()
	n, d := src.Len(), c*h*w
	x, label := make([]float32, n*d), make([]int, n)
	mean := make([]float64, d)
	for i := range n {
		if err := ctx.Err(); err != nil {
			return metric.Result{}, fmt.Errorf("train: stopped after %d of %d items: %w", i, n, err)
		}
		row := x[i*d : (i+1)*d]
		if err := src.Item(row, i); err != nil {
			return metric.Result{}, fmt.Errorf("train: item %d: %w", i, err)
		}
		label[i] = src.Label(i)
		for j, v := range row {
			mean[j] += float64(v) / float64(n)
		}
	}
	for i := range x {
		x[i] -= float32(mean[i%d])
	}
	return metric.Retrieval(ctx, x, label, d, metric.Options{Ks: ks})
}

// String gives the scores on a line for each space.
func (s Scores) String() string {
	return fmt.Sprintf("E: %v\nH: %v · clipped %.0f %%", s.E, s.H, 100*s.Clipped)
}

package metric

import (
	"context"

	"github.com/chestlab/chest/internal/parallel"
)

const (
	blockRows = 16 // queries scored together
	tileRows  = 64 // gallery rows that stay in cache while a block is scored
)

// each scores every query against the whole gallery and hands the row of
// scores to visit, which may write only what belongs to query i. scores and
// *scratch are the worker's own and live until visit returns.
//
// Blocks of 16 queries are computed in parallel; what a block computes
// does not depend on who computes it. The context is checked before each
// block. Memory: 128 bytes a gallery row and worker.
func (s *scorer) each(ctx context.Context, visit func(i int, scores []float64, w *scratch)) error {
	ctx, done := context.WithCancel(ctx) // stays with the cell that called
	defer done()
	blocks := (s.q.n + blockRows - 1) / blockRows
	workers := make([]scratch, parallel.Workers(blocks))
	parallel.Tasks(len(workers), blocks, func(b, worker int) {
		if ctx.Err() != nil {
			return
		}
		w := &workers[worker]
		if w.scores == nil {
			w.scores = make([]float64, min(blockRows, s.q.n)*s.g.n)
		}
		lo, hi := b*blockRows, min((b+1)*blockRows, s.q.n)
		s.block(w.scores, lo, hi)
		for i := lo; i < hi; i++ {
			visit(i, w.scores[(i-lo)*s.g.n:(i-lo+1)*s.g.n], w)
		}
	})
	return ctx.Err()
}

// block scores queries lo..hi-1, tile by tile of the gallery.
func (s *scorer) block(buf []float64, lo, hi int) {
	for from := 0; from < s.g.n; from += tileRows {
		to := min(from+tileRows, s.g.n)
		for i := lo; i < hi; i++ {
			s.fill(buf[(i-lo)*s.g.n+from:], i, from, to)
		}
	}
}

// scratch holds the buffers of one worker.
type scratch struct {
	scores []float64 // of a block of queries
	hits   []hit
	ahead  []int
}

// hit is a gallery row with its score.
type hit struct {
	row   int
	score float64
}

// before says whether h comes before o in the order of a query: higher score
// first, then lower row.
func (h hit) before(o hit) bool {
	return h.score > o.score || h.score == o.score && h.row < o.row
}

// compare is before as a three-way order.
func (h hit) compare(o hit) int {
	switch {
	case h.before(o):
		return -1
	case o.before(h):
		return 1
	}
	return 0
}

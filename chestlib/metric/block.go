package metric

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

const (
	blockRows = 16 // queries scored together
	tileRows  = 64 // gallery rows that stay in cache while a block is scored
)

// each scores every query against the whole gallery and hands the row of
// scores to visit, which may write only what belongs to query i. scores and
// *scratch are the worker's own and live until visit returns.
//
// Blocks of 16 queries are dealt to GOMAXPROCS workers; what a block computes
// does not depend on who computes it. The context is checked before each
// block. Memory: 128 bytes a gallery row and worker.
func (s *scorer) each(ctx context.Context, visit func(i int, scores []float64, w *scratch)) error {
	blocks := (s.q.n + blockRows - 1) / blockRows
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), blocks) {
		wg.Go(func() {
			buf := make([]float64, min(blockRows, s.q.n)*s.g.n)
			var w scratch
			for b := int(next.Add(1)) - 1; b < blocks && ctx.Err() == nil; b = int(next.Add(1)) - 1 {
				lo, hi := b*blockRows, min((b+1)*blockRows, s.q.n)
				s.block(buf, lo, hi)
				for i := lo; i < hi; i++ {
					visit(i, buf[(i-lo)*s.g.n:(i-lo+1)*s.g.n], &w)
				}
			}
		})
	}
	wg.Wait()
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
	hits  []hit
	ahead []int
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

package metric

import (
	"context"
	"math"

	"github.com/chestlab/chest/internal/parallel"
	"github.com/chestlab/chest/internal/sgemm"
	"github.com/chestlab/chest/internal/vmath"
)

const (
	blockRows = 120 // queries compared together: ten tiles of the widest kernel
	tileRows  = 512 // gallery rows of a tile; 120×512 products stay in the second cache
)

// filter decides most comparisons from float32 products and leaves the rest to
// the scorer, so that the outcome is the scorer's to the last bit.
//
// A score is compared with a key: the cosine γ, or the hyperbolic score itself.
// With the product m of query x and gallery row y, in float32, and e the bound
// of its error relative to |x||y| ≤ (‖x‖²+‖y‖²)/2:
//
//	cosine:      x, y unit rows;                   γ ≥ key  ⇐  m ≥ key + e
//	hyperbolic:  -‖x-y‖²/(1-c‖y‖²) ≥ key  ⇐  m - key (1-c‖y‖²)/2 ≥ (½+e)(‖x‖²+‖y‖²)
//
// and the same with -e for what is possible at all.
//
// The bound: a sum of d products has a relative error of at most d·2⁻²⁴ in any
// order (N. Higham, Accuracy and Stability of Numerical Algorithms, 2002,
// section 3.1); rows scaled to length 1 add 2·2⁻²⁴, the comparison itself a few
// more.
type filter struct {
	s     *scorer
	exact bool    // numbers are out of float32's range: every comparison is the scorer's
	e     float64 // relative error
	tiles []tile
	query []float32 // rows of the left operand
	limit []float64 // ‖x‖²/… of each query: (½)‖x‖², 0 for cosine
}

// tile is some rows of the gallery, packed.
type tile struct {
	lo, hi    int
	rows      sgemm.Packed
	v         []float32 // (1-c‖y‖²)/2; 0 for cosine
	low, high []float32 // (½∓e)‖y‖²; 0 for cosine
}

// newFilter prepares the gallery. Memory: 4nd bytes for the packed rows, and
// another 4·nd for the queries of a cosine.
func newFilter(s *scorer) *filter {
	f := &filter{s: s, e: 1.01 * (float64(s.q.d) + 16) / (1 << 24)}
	if s.space == Hyperbolic {
		f.e /= 2
		f.exact = outOfRange(s.q) || outOfRange(s.g)
	}
	f.query, f.limit = f.rows(s.q), make([]float64, s.q.n)
	if s.space == Hyperbolic {
		for i, sq := range s.q.sq {
			f.limit[i] = sq / 2
		}
	}
	f.tiles = make([]tile, (s.g.n+tileRows-1)/tileRows)
	gallery := f.query
	if &s.q.x[0] != &s.g.x[0] {
		gallery = f.rows(s.g)
	}
	parallel.For(len(f.tiles), 1, func(at, _ int) { f.tiles[at] = f.tile(gallery, at*tileRows, min((at+1)*tileRows, s.g.n)) })
	return f
}

// outOfRange tells whether products of rows may overflow or vanish in float32.
func outOfRange(t table) bool {
	for _, sq := range t.sq {
		if sq > 1e30 || sq > 0 && sq < 1e-20 {
			return true
		}
	}
	return false
}

// rows returns the operand that the products are taken of.
func (f *filter) rows(t table) []float32 {
	if f.s.space == Hyperbolic {
		return t.x
	}
	unit := make([]float32, len(t.x))
	parallel.For(t.n, 64, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			if t.sq[i] == 0 {
				continue
			}
			scale := 1 / math.Sqrt(t.sq[i])
			for k, v := range t.row(i) {
				unit[i*t.d+k] = float32(float64(v) * scale)
			}
		}
	})
	return unit
}

func (f *filter) tile(rows []float32, lo, hi int) tile {
	n, d := hi-lo, f.s.g.d
	t := tile{lo: lo, hi: hi, v: make([]float32, n), low: make([]float32, n), high: make([]float32, n)}
	t.rows.Pack(sgemm.Dense(rows[lo*d:hi*d], n, d), true)
	if f.s.space == Hyperbolic {
		for j := range n {
			sq := f.s.g.sq[lo+j]
			t.v[j] = float32((1 - f.s.c*sq) / 2)
			t.low[j], t.high[j] = float32((0.5-f.e)*sq), float32((0.5+f.e)*sq+1e-30) // two zero vectors tie
		}
	}
	return t
}

// limits returns p, tLow and tHigh of vmath.CountAbove for a key of query i.
func (f *filter) limits(i int, key float64) (p, low, high float32) {
	if f.s.space == Cosine {
		return 0, float32(key - f.e), float32(key + f.e)
	}
	return float32(key), float32(f.limit[i] * (1 - 2*f.e)), float32(f.limit[i] * (1 + 2*f.e))
}

// bounds returns between what the key of query i and gallery row j lies, given
// their product.
func (f *filter) bounds(i, j int, product float32) (low, high float64) {
	if f.exact {
		key := f.key(f.s.score(i, j))
		return key, key
	}
	m := float64(product)
	if f.s.space == Cosine {
		return m - f.e, m + f.e
	}
	both := f.s.q.sq[i] + f.s.g.sq[j]
	room := 1 - f.s.c*f.s.g.sq[j]
	return (2*m - both*(1+2*f.e)) / room, (2*m - both*(1-2*f.e)) / room
}

// key turns a score into what bounds bounds.
func (f *filter) key(score float64) float64 {
	if f.s.space == Hyperbolic {
		return score
	}
	if score > 1 {
		return math.Sqrt(1 - 1/score)
	}
	return math.Copysign(math.Sqrt(math.Abs(score)), score)
}

// products are those of a block of queries with a tile; row r is query lo+r.
type products struct {
	tile *tile
	m    []float32
}

func (p products) row(r int) []float32 {
	n := p.tile.hi - p.tile.lo
	return p.m[r*n : (r+1)*n]
}

// visitor takes what the filter computes for a block of queries: begin, then all
// tiles in order, then end. It may write only what belongs to these queries.
type visitor interface {
	begin(lo, hi int)
	tile(p products)
	end()
}

// each shows all products to visitors, one of them a worker. Blocks are
// computed in parallel; what a block computes does not depend on who computes
// it. The context is checked before each tile.
//
// Memory, beside the filter's own: 4·120·(512+d) bytes and more a worker.
func (f *filter) each(ctx context.Context, progress Progress, what string, visit func() visitor) error {
	ctx, done := context.WithCancel(ctx) // stays with the cell that called
	defer done()
	blocks := (f.s.q.n + blockRows - 1) / blockRows
	workers := make([]struct {
		v     visitor
		space sgemm.Workspace
		m     []float32
	}, parallel.Workers(blocks))
	report := newReport(progress, f.s.q.n, what)
	defer report.finish()
	d := f.s.q.d
	parallel.Tasks(len(workers), blocks, func(b, worker int) {
		w := &workers[worker]
		if w.v == nil {
			w.v, w.m = visit(), make([]float32, blockRows*tileRows)
		}
		lo, hi := b*blockRows, min((b+1)*blockRows, f.s.q.n)
		w.v.begin(lo, hi)
		for at := range f.tiles {
			if ctx.Err() != nil {
				return
			}
			t := &f.tiles[at]
			n := t.hi - t.lo
			m := w.m[:(hi-lo)*n]
			w.space.MulPacked(sgemm.Dense(m, hi-lo, n), sgemm.Dense(f.query[lo*d:hi*d], hi-lo, d), false, &t.rows, 1, 0)
			w.v.tile(products{t, m})
		}
		w.v.end()
		report.add(hi - lo)
	})
	return ctx.Err()
}

// reaches counts the gallery rows of a tile whose key reaches a key, and those
// that surely do.
func (f *filter) reaches(i int, row []float32, t *tile, key float64) (above, surely int) {
	if f.exact {
		return len(row), -1
	}
	p, low, high := f.limits(i, key)
	return vmath.CountAbove(row, t.v, p, t.low, t.high, low, high)
}

package metric

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/chestlab/chest/chestlib/poincare"
	"github.com/chestlab/chest/internal/parallel"
	"github.com/chestlab/chest/internal/sgemm"
	"github.com/chestlab/chest/internal/vmath"
)

// points are the rows that are clustered, in float32.
//
// A row has d+1 entries, the last one 1; a centre has -‖c‖²/2 there. So their
// product is x·c - ‖c‖²/2 = (‖x‖² - ‖x-c‖²)/2: the largest is the nearest.
//
// It is off by at most
//
//	e (‖x‖‖c‖ + ‖c‖²/2),  e = 1.01 (d+17) 2⁻²⁴
//
// as in filter, with one more term and the rounding of ‖c‖²/2. What these
// products do not decide is decided by squared.
type points struct {
	x     []float32 // n×(d+1)
	n, d  int
	sq    []float64 // ‖xᵢ‖²
	scale float64   // a power of two that brings the longest row to a length in [½,1); 1 for Cosine
}

// newPoints maps the rows of x, or names the first that cannot be used.
func newPoints(x []float32, d int, o KMeansOptions) (*points, error) {
	t, err := newTable("embedding", x, d, Options{Space: o.Space, Curvature: o.Curvature})
	if err != nil {
		return nil, err
	}
	p := &points{x: make([]float32, t.n*(d+1)), n: t.n, d: d, sq: make([]float64, t.n), scale: 1}
	if o.Space == Hyperbolic {
		p.scale = unitScale(t, o.Curvature)
	}
	parallel.For(t.n, 64, func(lo, hi int) {
		u := make([]float64, d)
		for i := lo; i < hi; i++ {
			mapped(u, t, i, o.Space, o.Curvature)
			row := p.x[i*(d+1) : (i+1)*(d+1)]
			for k, v := range u {
				row[k] = float32(v * p.scale)
			}
			row[d] = 1
			p.sq[i] = dot(row[:d], row[:d])
		}
	})
	return p, nil
}

// mapped writes row i as measurements without a ball see it: its direction for
// Cosine, 0 for a zero row; its tangent vector at the origin for Hyperbolic.
func mapped(dst []float64, t table, i int, space Space, c float64) {
	for k, v := range t.row(i) {
		dst[k] = float64(v)
	}
	switch {
	case space == Hyperbolic:
		poincare.LogMap0(dst, dst, c)
	case t.sq[i] > 0:
		scale := 1 / math.Sqrt(t.sq[i])
		for k := range dst {
			dst[k] *= scale
		}
	}
}

// unitScale returns the power of two that brings the longest tangent vector to
// a length in [½,1), so that no product of two overflows.
func unitScale(t table, c float64) float64 {
	if t.n == 0 {
		return 1
	}
	far := math.Sqrt(slices.Max(t.sq))
	_, exponent := math.Frexp(poincare.LogMap0(nil, []float64{far}, c)[0])
	return math.Ldexp(1, -exponent)
}

func (p *points) row(i int) []float32 { return p.x[i*(p.d+1) : i*(p.d+1)+p.d] }

// squared is ‖xᵢ-c‖². Its order of summation depends on d alone.
func (p *points) squared(i int, c []float32) float64 { return vmath.SquaredDistance64(p.row(i), c) }

// off bounds the error of the products of row i with centres up to a length.
func (p *points) off(i int, longest float64) float64 {
	x := math.Sqrt(p.sq[i])
	e := 1.01 * float64(p.d+17) / (1 << 24) * (x*longest + longest*longest/2)
	e += float64(p.d+4) * 0x1p-52 * (x + longest) * (x + longest) // of squared
	return e + 1e-36                                              // and what vanishes below the smallest float32
}

// centres are k rows, and packed tiles of them.
type centres struct {
	x       []float32 // k×(d+1)
	k, d    int
	longest float64 // largest ‖c‖
	tiles   []sgemm.Packed
}

func newCentres(k, d int) *centres { return &centres{x: make([]float32, k*(d+1)), k: k, d: d} }

func (c *centres) row(j int) []float32 { return c.x[j*(c.d+1) : j*(c.d+1)+c.d] }

// pack makes the rows ready to be multiplied with.
func (c *centres) pack() {
	c.longest = 0
	for j := range c.k {
		sq := dot(c.row(j), c.row(j))
		c.x[j*(c.d+1)+c.d] = float32(-sq / 2)
		c.longest = max(c.longest, math.Sqrt(sq))
	}
	count := (c.k + tileRows - 1) / tileRows
	for len(c.tiles) < count {
		c.tiles = append(c.tiles, sgemm.Packed{})
	}
	c.tiles = c.tiles[:count]
	parallel.For(count, 1, func(at, _ int) {
		lo, hi := c.tile(at)
		c.tiles[at].Pack(sgemm.Dense(c.x[lo*(c.d+1):hi*(c.d+1)], hi-lo, c.d+1), true)
	})
}

// tile returns which rows tile at holds.
func (c *centres) tile(at int) (lo, hi int) { return at * tileRows, min((at+1)*tileRows, c.k) }

// products shows the products of all rows with all centres to visit, by blocks
// of rows and tiles of centres: m has hi-lo rows. A block's tiles come in order,
// blocks in parallel; end follows the last tile of a block. The context is
// checked before each tile.
func (p *points) products(ctx context.Context, c *centres, visit func(worker, lo, hi, tile int, m []float32), end func(worker, lo, hi int)) error {
	blocks := (p.n + blockRows - 1) / blockRows
	workers := make([]struct {
		space sgemm.Workspace
		m     []float32
	}, parallel.Workers(blocks))
	w := p.d + 1
	parallel.Tasks(len(workers), blocks, func(b, worker int) {
		own := &workers[worker]
		if own.m == nil {
			own.m = make([]float32, blockRows*min(tileRows, c.k))
		}
		lo, hi := b*blockRows, min((b+1)*blockRows, p.n)
		for at := range c.tiles {
			if ctx.Err() != nil {
				return
			}
			from, to := c.tile(at)
			m := own.m[:(hi-lo)*(to-from)]
			own.space.MulPacked(sgemm.Dense(m, hi-lo, to-from), sgemm.Dense(p.x[lo*w:hi*w], hi-lo, w), false, &c.tiles[at], 1, 0)
			visit(worker, lo, hi, at, m)
		}
		end(worker, lo, hi)
	})
	return ctx.Err()
}

// contender is a centre that may be the nearest of a row.
type contender struct {
	centre  int
	product float32
}

// assign writes the nearest centre of every row, the lower one of equals, and
// its squared distance.
func (p *points) assign(ctx context.Context, c *centres, label []int, sq []float64) error {
	lists := make([][blockRows][]contender, parallel.Workers((p.n+blockRows-1)/blockRows))
	visit := func(worker, lo, hi, tile int, m []float32) {
		from, to := c.tile(tile)
		for i := lo; i < hi; i++ {
			list := &lists[worker][i-lo]
			if tile == 0 {
				*list = (*list)[:0]
			}
			contend(list, m[(i-lo)*(to-from):(i-lo+1)*(to-from)], from, 2*p.off(i, c.longest))
		}
	}
	return p.products(ctx, c, visit, func(worker, lo, hi int) {
		for i := lo; i < hi; i++ {
			label[i], sq[i] = p.nearest(i, c, lists[worker][i-lo])
		}
	})
}

// contend adds the centres of a tile that may be nearest to a list that begins
// with the best so far. A product can be the best one's rival if it is less by
// no more than off.
func contend(list *[]contender, row []float32, from int, off float64) {
	top := vmath.Max(row)
	if len(*list) > 0 {
		best := (*list)[0].product
		if float64(top) < float64(best)-off {
			return
		}
		top = max(top, best)
	}
	cut := float64(top) - off
	kept := slices.DeleteFunc(*list, func(c contender) bool { return float64(c.product) < cut })
	for j, v := range row {
		if float64(v) >= cut {
			kept = append(kept, contender{from + j, v})
			if last := len(kept) - 1; v > kept[0].product {
				kept[0], kept[last] = kept[last], kept[0]
			}
		}
	}
	*list = kept
}

// nearest decides between contenders.
func (p *points) nearest(i int, c *centres, list []contender) (label int, sq float64) {
	label, sq = -1, math.Inf(1)
	for _, r := range list {
		far := p.squared(i, c.row(r.centre))
		if far < sq || far == sq && r.centre < label {
			label, sq = r.centre, far
		}
	}
	return label, sq
}

// means moves every centre to the mean of its rows, added in their order in
// float64; a centre without rows stays.
func (p *points) means(c *centres, label []int) {
	start := make([]int, c.k+1) // members of cluster j begin here
	for _, j := range label {
		start[j+1]++
	}
	for j := range c.k {
		start[j+1] += start[j]
	}
	members, at := make([]int, len(label)), slices.Clone(start)
	for i, j := range label {
		members[at[j]] = i
		at[j]++
	}
	parallel.For(c.k, 1, func(j, _ int) {
		rows := members[start[j]:start[j+1]]
		if len(rows) == 0 {
			return
		}
		total := make([]float64, p.d)
		for _, i := range rows {
			for k, v := range p.row(i) {
				total[k] += float64(v)
			}
		}
		for k, v := range total {
			c.row(j)[k] = float32(v / float64(len(rows)))
		}
	})
	c.pack()
}

// farthestFirst returns the rows at a distance, by falling distance; of equal
// ones the lower row first.
func farthestFirst(sq []float64) []int {
	var order []int
	for i, v := range sq {
		if v > 0 {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(sq[b], sq[a]), cmp.Compare(a, b)) })
	return order
}

// sum adds x in order.
func sum(x []float64) (s float64) {
	for _, v := range x {
		s += v
	}
	return s
}

package metric

import (
	"context"
	"fmt"
	"math"
	"sort"

	"github.com/chestlab/chest/internal/vmath"
)

// seedBatch is the most seeds whose distances to all rows are computed as one
// product.
const seedBatch = 64

// seed picks k rows as centres by k-means++: the first at random, each other
// with a probability proportional to D², the squared distance of a row to the
// nearest seed before it. It picks fewer when every row lies on a seed.
//
// Seeds come in batches, so that distances are matrix products: rows are
// proposed by the D² before the batch, and one of them is accepted with the
// probability D²(now)/D²(before). An accepted row then has the probability
// that picking one after the other gives it.
//
// It leaves D², to the last bit, in l.sq.
func (l *lloyd) seed(ctx context.Context, k int) error {
	p := l.p
	l.sq = make([]float64, p.n)
	for i := range l.sq {
		l.sq[i] = math.Inf(1)
	}
	seeds := []int{l.rng.IntN(p.n)}
	fresh := seeds
	up := make([]float64, p.n)
	for {
		l.stage = fmt.Sprintf("with %d of %d seeds", len(seeds), k)
		l.report.set(l.restart*l.o.Iterations, l.stage)
		if err := p.closer(ctx, p.pick(fresh), l.sq); err != nil {
			return err
		}
		if len(seeds) == k || accumulate(up, l.sq) == 0 {
			break
		}
		// while there are few, one seed changes D² too much for many proposals
		count := min(seedBatch, 1+len(seeds)/4, k-len(seeds))
		fresh = l.propose(up, count)
		seeds = append(seeds, fresh...)
	}
	l.c = p.pick(seeds)
	return nil
}

// propose draws rows by the running sums of D² and returns those that it
// accepts, the first always.
func (l *lloyd) propose(up []float64, count int) (accepted []int) {
	for range count {
		i := draw(up, l.rng.Float64())
		now := l.sq[i]
		for _, a := range accepted {
			now = min(now, l.p.squared(i, l.p.row(a)))
		}
		if l.rng.Float64()*l.sq[i] < now {
			accepted = append(accepted, i)
		}
	}
	return accepted
}

// accumulate writes the running sums of x into up and returns the whole.
func accumulate(up, x []float64) float64 {
	var s float64
	for i, v := range x {
		s += v
		up[i] = s
	}
	return s
}

// draw returns the entry in which a share u < 1 of the whole ends: one with
// probability proportional to its value. up are running sums, the last above 0.
func draw(up []float64, u float64) int {
	t := u * up[len(up)-1]
	return sort.Search(len(up), func(i int) bool { return up[i] > t })
}

// pick makes centres of rows.
func (p *points) pick(rows []int) *centres {
	c := newCentres(len(rows), p.d)
	for j, i := range rows {
		copy(c.row(j), p.row(i))
	}
	c.pack()
	return c
}

// closer lowers sq[i] to the squared distance of row i to the nearest of the
// centres, exactly.
func (p *points) closer(ctx context.Context, c *centres, sq []float64) error {
	visit := func(_, lo, hi, tile int, m []float32) {
		from, to := c.tile(tile)
		for i := lo; i < hi; i++ {
			row := m[(i-lo)*(to-from) : (i-lo+1)*(to-from)]
			reach := (p.sq[i]-sq[i])/2 - p.off(i, c.longest) // a product below it is of a centre not nearer
			if float64(vmath.Max(row)) < reach {
				continue
			}
			for j, v := range row {
				if float64(v) >= reach {
					sq[i] = min(sq[i], p.squared(i, c.row(from+j)))
				}
			}
		}
	}
	return p.products(ctx, c, visit, func(int, int, int) {})
}

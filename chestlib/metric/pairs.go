package metric

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sort"

	"github.com/chestlab/chest/internal/parallel"
)

// distance returns the distance of rows i and j, from their difference, in
// float64:
//
//	Cosine:      ‖x/‖x‖ - y/‖y‖‖ = √(2 - 2 cos), a zero row stays 0
//	Hyperbolic:  the geodesic distance, 2‖x-y‖ for c = 0
func (t table) distance(i, j int, space Space, c float64) float64 {
	x, y := t.row(i), t.row(j)
	if space == Hyperbolic {
		s := scorer{q: t, g: t, space: space, c: c}
		return s.value(s.score(i, j), i)
	}
	return math.Sqrt(chordSquared(x, y, t.sq[i], t.sq[j]))
}

// chordSquared is the squared distance of the directions of x and y, with
// a = ‖x‖² and b = ‖y‖².
func chordSquared(x, y []float32, a, b float64) (sq float64) {
	var sx, sy float64
	if a > 0 {
		sx = 1 / math.Sqrt(a)
	}
	if b > 0 {
		sy = 1 / math.Sqrt(b)
	}
	for k, v := range x {
		d := float64(v)*sx - float64(y[k])*sy
		sq += d * d
	}
	return sq
}

// pair is two different rows.
type pair struct{ i, j int32 }

// pairing draws pairs of rows, of the same class or of different ones.
type pairing struct {
	rows  []int32 // by class
	block []int   // where the classes begin in rows, and their end
}

// newPairing groups rows by class, in the order in which classes appear; no
// label means one class.
func newPairing(n int, label []int) pairing {
	class := make([]int, n)
	index := make(map[int]int)
	var sizes []int
	for i := range class {
		l := 0
		if label != nil {
			l = label[i]
		}
		class[i] = part(index, l, &sizes)
	}
	p := pairing{rows: make([]int32, n), block: []int{0}}
	for i := range p.rows {
		p.rows[i] = int32(i)
	}
	slices.SortStableFunc(p.rows, func(a, b int32) int { return class[a] - class[b] })
	for _, s := range sizes {
		p.block = append(p.block, p.block[len(p.block)-1]+s)
	}
	return p
}

// same returns all pairs within classes, or most of them, drawn at random with
// replacement, where there are more.
func (p pairing) same(most int, rng *rand.Rand) (pairs []pair, all bool) {
	if up, total := p.running(func(size int) int { return size * (size - 1) / 2 }); total > most {
		for range most {
			lo, hi := p.drawn(up, total, rng)
			i, j := rng.IntN(hi-lo), rng.IntN(hi-lo-1)
			if j >= i {
				j++
			}
			pairs = append(pairs, pair{p.rows[lo+i], p.rows[lo+j]})
		}
		return pairs, false
	}
	for b := 1; b < len(p.block); b++ {
		for i := p.block[b-1]; i < p.block[b]; i++ {
			for j := i + 1; j < p.block[b]; j++ {
				pairs = append(pairs, pair{p.rows[i], p.rows[j]})
			}
		}
	}
	return pairs, true
}

// different is same for pairs of two classes.
func (p pairing) different(most int, rng *rand.Rand) (pairs []pair, all bool) {
	n := len(p.rows)
	if up, total := p.running(func(size int) int { return size * (n - size) }); total/2 > most {
		for range most {
			lo, hi := p.drawn(up, total, rng)
			i, j := lo+rng.IntN(hi-lo), rng.IntN(n-hi+lo)
			if j >= lo {
				j += hi - lo
			}
			pairs = append(pairs, pair{p.rows[i], p.rows[j]})
		}
		return pairs, false
	}
	for b := 1; b < len(p.block); b++ {
		for i := p.block[b-1]; i < p.block[b]; i++ {
			for j := p.block[b]; j < n; j++ {
				pairs = append(pairs, pair{p.rows[i], p.rows[j]})
			}
		}
	}
	return pairs, true
}

// running returns the running sums of a weight of the class sizes.
func (p pairing) running(weight func(size int) int) (up []int, total int) {
	for b := 1; b < len(p.block); b++ {
		total += weight(p.block[b] - p.block[b-1])
		up = append(up, total)
	}
	return up, total
}

// drawn returns a class, by its weight.
func (p pairing) drawn(up []int, total int, rng *rand.Rand) (lo, hi int) {
	t := rng.IntN(total)
	b := sort.Search(len(up), func(b int) bool { return up[b] > t })
	return p.block[b], p.block[b+1]
}

// averagePairs returns the mean of f over pairs, 0 for none; nothing of use if
// ctx ends. Sums have the same order for any number of processors.
func averagePairs(ctx context.Context, pairs []pair, f func(i, j int) float64) float64 {
	if len(pairs) == 0 {
		return 0
	}
	const grain = 1024
	sums := make([]float64, (len(pairs)+grain-1)/grain)
	parallel.For(len(pairs), grain, func(lo, hi int) {
		if ctx.Err() != nil {
			return
		}
		for _, p := range pairs[lo:hi] {
			sums[lo/grain] += f(int(p.i), int(p.j))
		}
	})
	return sum(sums) / float64(len(pairs))
}

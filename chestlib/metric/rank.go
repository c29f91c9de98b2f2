package metric

import (
	"math"
	"slices"
	"sort"
)

// ranker finds the ranks of the relevant items of a block of queries.
//
// The relevant items of a query are scored exactly and sorted. The others are
// counted where they come in among them; most by the filter alone. An item of
// rank beyond R changes no measure, but for the first: as soon as the count
// shows that the last relevant item that still matters is beyond it, it is
// dropped, and what comes after the one before it needs no look.
type ranker struct {
	f              *filter
	qlabel, glabel []int
	members        map[int][]int
	self           bool
	out            []outcome

	lo, hi int
	rows   []ranking
}

// ranking is one query.
type ranking struct {
	hits  []hit     // relevant items, best first
	keys  []float64 // of hits
	ahead []int     // others that come in before hit t and not before t-1
	alive int       // hits that matter: the first, and those that may have rank ≤ R
}

func (r *ranker) begin(lo, hi int) {
	r.lo, r.hi = lo, hi
	for len(r.rows) < hi-lo {
		r.rows = append(r.rows, ranking{})
	}
	for i := lo; i < hi; i++ {
		q := &r.rows[i-lo]
		q.hits, q.keys = q.hits[:0], q.keys[:0]
		for _, j := range r.members[r.qlabel[i]] {
			if !r.self || j != i {
				q.hits = append(q.hits, hit{j, r.f.s.score(i, j)})
			}
		}
		slices.SortFunc(q.hits, hit.compare)
		for _, h := range q.hits {
			q.keys = append(q.keys, r.f.key(h.score))
		}
		q.ahead = append(q.ahead[:0], make([]int, len(q.hits))...)
		q.alive = len(q.hits)
	}
}

func (r *ranker) tile(p products) {
	for i := r.lo; i < r.hi; i++ {
		q := &r.rows[i-r.lo]
		if q.alive == 0 {
			continue
		}
		row := p.row(i - r.lo)
		if r.self && i >= p.tile.lo && i < p.tile.hi {
			row[i-p.tile.lo] = float32(math.Inf(-1)) // not in its own gallery
		}
		last := q.keys[q.alive-1]
		above, surely := r.f.reaches(i, row, p.tile, last)
		switch {
		case above == 0:
		case q.alive == 1 && above == surely:
			q.ahead[0] += above // none of them is relevant: those are not better than the first
		default:
			r.place(q, i, row, p.tile, last)
		}
		q.drop()
	}
}

// place counts the items of a row that come before the last hit that matters.
func (r *ranker) place(q *ranking, i int, row []float32, t *tile, last float64) {
	class := r.qlabel[i]
	hits, keys := q.hits[:q.alive], q.keys[:q.alive]
	for c, m := range row {
		j := t.lo + c
		if r.glabel[j] == class || r.self && j == i {
			continue
		}
		low, high := r.f.bounds(i, j, m)
		if high < last {
			continue
		}
		// before which hits it possibly comes, and before which it surely does
		from := sort.Search(len(keys), func(t int) bool { return keys[t] <= high })
		to := from + sort.Search(len(keys)-from, func(t int) bool { return keys[from+t] < low })
		if from < to {
			h := hit{j, r.f.s.score(i, j)}
			from += sort.Search(to-from, func(t int) bool { return h.before(hits[from+t]) })
		}
		if from < len(keys) {
			q.ahead[from]++
		}
	}
}

// drop forgets hits whose rank is beyond R for sure, all but the first.
func (q *ranking) drop() {
	if q.alive < 2 {
		return
	}
	before := 0
	for t, a := range q.ahead[:q.alive] {
		before += a
		if t > 0 && t+1+before > len(q.hits) {
			q.alive = t
			return
		}
	}
}

func (r *ranker) end() {
	for i := r.lo; i < r.hi; i++ {
		q := &r.rows[i-r.lo]
		moved := 0
		for t, a := range q.ahead[:q.alive] {
			moved += a
			q.ahead[t] = t + 1 + moved
		}
		r.out[i] = judge(q.ahead[:q.alive], len(q.hits))
	}
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

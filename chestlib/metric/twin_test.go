package metric

import (
	"cmp"
	"math/big"
	"slices"
)

// The slow twin: scores are exact fractions, every gallery is sorted in full,
// and the measures are the loops of their definitions.

func rat(v float64) *big.Rat { return new(big.Rat).SetFloat64(v) }

func slowDot(x, y []float32) *big.Rat {
	s := new(big.Rat)
	for k := range x {
		s.Add(s, new(big.Rat).Mul(rat(float64(x[k])), rat(float64(y[k]))))
	}
	return s
}

// slowScore is γ|γ|‖x‖² for Cosine, -‖x-y‖²/(1-c‖y‖²) for Hyperbolic.
func slowScore(x, y []float32, o Options) *big.Rat {
	p, b := slowDot(x, y), slowDot(y, y)
	if o.Space == Cosine {
		if b.Sign() == 0 {
			return new(big.Rat)
		}
		s := new(big.Rat).Mul(p, new(big.Rat).Abs(p))
		return s.Quo(s, b)
	}
	s := new(big.Rat)
	for k := range x {
		r := new(big.Rat).Sub(rat(float64(x[k])), rat(float64(y[k])))
		s.Sub(s, r.Mul(r, r))
	}
	c := o.Curvature
	if c == 0 && !o.Flat {
		c = 0.1
	}
	cb := b.Mul(b, rat(c))
	return s.Quo(s, cb.Sub(rat(1), cb))
}

// slowOrder returns the gallery rows of one query, nearest first.
func slowOrder(x, g []float32, d, skip int, o Options) []int {
	n := len(g) / d
	scores := make([]*big.Rat, n)
	var rows []int
	for j := range n {
		scores[j] = slowScore(x, g[j*d:(j+1)*d], o)
		if j != skip {
			rows = append(rows, j)
		}
	}
	slices.SortFunc(rows, func(a, b int) int {
		return cmp.Or(scores[b].Cmp(scores[a]), cmp.Compare(a, b))
	})
	return rows
}

func slowMeasure(q []float32, qlabel []int, g []float32, glabel []int, d int, self bool, o Options) Result {
	ks := o.Ks
	if ks == nil {
		ks = []int{1, 2, 4, 8}
	}
	r := Result{Ks: ks, Recall: make([]float64, len(ks)), Queries: len(qlabel)}
	for i, class := range qlabel {
		skip := -1
		if self {
			skip = i
		}
		order := slowOrder(q[i*d:(i+1)*d], g, d, skip, o)
		relevant := 0
		for _, j := range order {
			if glabel[j] == class {
				relevant++
			}
		}
		for t, k := range ks {
			if slices.ContainsFunc(order[:min(k, len(order))], func(j int) bool { return glabel[j] == class }) {
				r.Recall[t] += 1 / float64(len(qlabel))
			}
		}
		if relevant == 0 {
			r.Lone++
			continue
		}
		hits, ap := 0, 0.0
		for at, j := range order[:relevant] {
			if glabel[j] == class {
				hits++
				ap += float64(hits) / float64(at+1)
			}
		}
		r.RPrecision += float64(hits) / float64(relevant)
		r.MAPR += ap / float64(relevant)
	}
	if n := float64(r.Queries - r.Lone); n > 0 {
		r.RPrecision /= n
		r.MAPR /= n
	}
	return r
}

package reduce

import (
	"cmp"
	"math"
	"slices"

	"github.com/chestlab/chest/internal/parallel"
)

// edge is how strongly two points belong together.
type edge struct {
	from, to int32
	weight   float64 // above 0, up to 1
}

// fuzzy turns nearest neighbours into a fuzzy simplicial set. A point belongs
// to its neighbour j at distance d by
//
//	w(i→j) = exp( -max(0, d-ρᵢ)/σᵢ ),  Σⱼ w(i→j) = log₂ k
//
// where ρᵢ is the distance of the nearest other that is not at i itself, and
// the union of both directions is
//
//	w(i,j) = w(i→j) + w(j→i) - w(i→j) w(j→i)
//
// Every pair is listed twice, as (i,j) and (j,i), in the order of i, then j.
//
// Source: L. McInnes, J. Healy, J. Melville, "UMAP: Uniform manifold
// approximation and projection for dimension reduction" (2018), section 3.1
// and algorithms 2 and 3.
func fuzzy(g graph) []edge {
	weight := make([]float64, len(g.far))
	mean := 0.0
	for _, d := range g.far {
		mean += d / float64(len(g.far))
	}
	parallel.For(g.n, 64, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			at, end := i*g.k, (i+1)*g.k
			belong(weight[at:end], g.far[at:end], mean)
		}
	})
	all := make([]edge, 0, 2*len(weight))
	for at, w := range weight {
		i, j := int32(at/g.k), int32(g.row[at])
		all = append(all, edge{i, j, w}, edge{j, i, w})
	}
	slices.SortStableFunc(all, func(a, b edge) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	set := all[:0]
	for _, e := range all {
		if n := len(set); n > 0 && set[n-1].from == e.from && set[n-1].to == e.to {
			was := &set[n-1].weight
			*was += e.weight - *was*e.weight
			continue
		}
		set = append(set, e)
	}
	return slices.DeleteFunc(set, func(e edge) bool { return !(e.weight > 0) })
}

// belong sets w to the weights of distances d, ascending. mean is that of all
// distances: σ is at least a thousandth of the point's own mean, of this one
// where its neighbours are all at the point itself.
func belong(w, d []float64, mean float64) {
	rho, own := 0.0, 0.0
	for _, v := range d {
		if rho == 0 {
			rho = v
		}
		own += v / float64(len(d))
	}
	total := func(sigma float64) (sum float64) {
		for j, v := range d {
			w[j] = 1
			if v > rho {
				w[j] = math.Exp((rho - v) / sigma)
			}
			sum += w[j]
		}
		return sum
	}
	want, lo, hi, sigma := math.Log2(float64(len(d))), 0.0, math.Inf(1), cmp.Or(own, 1)
	for range 64 {
		sum := total(sigma)
		if math.Abs(sum-want) < 1e-5 {
			break
		}
		if sum > want {
			hi = sigma
			sigma = (lo + hi) / 2
		} else if lo = sigma; math.IsInf(hi, 1) {
			sigma *= 2
		} else {
			sigma = (lo + hi) / 2
		}
	}
	if rho == 0 {
		own = mean
	}
	if least := 1e-3 * own; sigma < least || sigma == 0 {
		sigma = max(least, math.SmallestNonzeroFloat64)
	}
	total(sigma)
}

// fitCurve returns a and b of the curve that turns distances of the picture
// into weights, by least squares on 300 points of [0, 3 spread]:
//
//	1/(1 + a x^(2b))  ≈  1 for x < least, else exp( -(x-least)/spread )
//
// Method: Gauss-Newton in log a and log b, steps halved where the sum would rise.
func fitCurve(least, spread float64) (a, b float64) {
	const points = 300
	sum := func(la, lb float64) (s float64, g [2]float64, h [3]float64) {
		a, b := math.Exp(la), math.Exp(lb)
		for k := range points {
			x := 3 * spread * float64(k) / (points - 1)
			want := 1.0
			if x >= least {
				want = math.Exp((least - x) / spread)
			}
			if x == 0 {
				continue // 1 is met there
			}
			p := a * math.Pow(x, 2*b)
			y := 1 / (1 + p)
			e := y - want
			da, db := -y*y*p, -y*y*p*2*b*math.Log(x) // by log a and log b
			s += e * e
			g[0], g[1] = g[0]+e*da, g[1]+e*db
			h[0], h[1], h[2] = h[0]+da*da, h[1]+da*db, h[2]+db*db
		}
		return s, g, h
	}
	la, lb := -2*math.Log(spread), 0.0
	now, g, h := sum(la, lb)
	for range 100 {
		det := (h[0]+1e-9)*(h[2]+1e-9) - h[1]*h[1]
		da := -((h[2]+1e-9)*g[0] - h[1]*g[1]) / det
		db := -((h[0]+1e-9)*g[1] - h[1]*g[0]) / det
		moved := false
		for f := 1.0; f > 1e-6; f /= 2 {
			then, g2, h2 := sum(la+f*da, lb+f*db)
			if then < now {
				la, lb, now, g, h, moved = la+f*da, lb+f*db, then, g2, h2, true
				break
			}
		}
		if !moved || math.Abs(da)+math.Abs(db) < 1e-10 {
			break
		}
	}
	return math.Exp(la), math.Exp(lb)
}

package loss

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/chestlib/poincare"
	"github.com/chestlab/chest/internal/parallel"
)

// level is one of the two sums: nodes and the ancestors above them.
type level struct {
	pairs    poincare.Pairs
	n, m     int       // nodes, ancestors
	d, g     []float64 // n×m: distances of nodes to ancestors, and the gradient by them
	near     []float64 // n×m: exp(-d/τ), nil if some of it may be too small for a float64
	scratch  []float64 // memory of near
	nodes    reciprocal
	triplets [][3]int
	seed     uint64 // of the noise
	loss     []float64
	lanes    [lanes][]float64 // parts of g
}

// lanes is how many parts the triplets are cut into for the gradient: they
// share rows of it. It is fixed, and with it the order of the sums.
const lanes = 8

// distances fills d.
func (l *level) distances(nodes, ancestors *placed) {
	l.n, l.m = nodes.rows(), ancestors.rows()
	l.d = l.pairs.Distances(resized(l.d, l.n*l.m), nodes.x, ancestors.x, nodes.chart.d, nodes.chart.C)
}

// farthest is the largest d/τ for which near is used: exp(-600) is 1e-261.
const farthest = 600

// nearness fills near.
func (l *level) nearness(temperature float64) {
	l.scratch = resized(l.scratch, len(l.d))
	if l.near = nil; len(l.d) == 0 || !(floats.Max(l.d) <= farthest*temperature) {
		return
	}
	l.near = l.scratch
	parallel.For(l.n, blockRows, func(lo, hi int) {
		for at := lo * l.m; at < hi*l.m; at++ {
			l.near[at] = math.Exp(-l.d[at] / temperature)
		}
	})
}

// draw fills triplets, by the distances between nodes.
func (l *level) draw(o HIEROptions, between []float64, label []int, rng *rand.Rand) {
	l.nearness(o.Temperature)
	l.nodes.find(between, l.n, o.Neighbours, label)
	l.triplets = l.nodes.draw(l.triplets[:0], o.Triplets, rng)
	l.seed = rng.Uint64()
}

// step returns the mean over triplets and, if train is set, sets g to weight
// times its gradient by d.
func (l *level) step(o HIEROptions, train bool, weight float64) float64 {
	l.loss = zeros(l.loss, len(l.triplets))
	size := (len(l.triplets) + lanes - 1) / lanes
	parallel.For(lanes, 1, func(lane, _ int) {
		c := choice{HIEROptions: o, source: rand.NewPCG(0, 0), p: make([]float64, l.m), q: make([]float64, l.m)}
		if train {
			l.lanes[lane] = zeros(l.lanes[lane], l.n*l.m)
			c.weight = weight / float64(len(l.triplets))
		}
		for t := min(lane*size, len(l.triplets)); t < min((lane+1)*size, len(l.triplets)); t++ {
			c.source.Seed(l.seed, uint64(t))
			for node, at := range l.triplets[t] {
				c.d[node] = l.d[at*l.m : (at+1)*l.m]
				if l.near != nil {
					c.near[node] = l.near[at*l.m : (at+1)*l.m]
				}
				if train {
					c.g[node] = l.lanes[lane][at*l.m : (at+1)*l.m]
				}
			}
			l.loss[t] = c.step(train)
		}
	})
	if train {
		l.g = zeros(l.g, l.n*l.m)
		parallel.For(l.n, blockRows, func(lo, hi int) {
			for _, part := range l.lanes {
				floats.Add(l.g[lo*l.m:hi*l.m], part[lo*l.m:hi*l.m])
			}
		})
	}
	return floats.Sum(l.loss) / float64(max(len(l.triplets), 1))
}

// choice is one triplet: the distances of i, j and k to all ancestors, the
// gradients by them, and exp(-d/τ) or nil.
type choice struct {
	HIEROptions
	source     *rand.PCG
	weight     float64
	d, g, near [3][]float64
	p, q       []float64 // the softmax over ρ_ij and over ρ_ijk
}

// step returns L_ijk and, if train is set, adds weight times its gradient to g.
func (c *choice) step(train bool) float64 {
	rng := rand.New(c.source)
	soft := train && !c.NoStraightThrough
	a := c.choose(c.p, 2, soft, rng)
	b := c.choose(c.q, 3, soft, rng)
	if a == b {
		return 0 * (c.d[0][a] + c.d[1][a] + c.d[2][a]) // 0, or NaN if there is one
	}
	var sum float64
	var active [3]float64
	for node, sign := range [3]float64{1, 1, -1} {
		if hinge := sign*(c.d[node][a]-c.d[node][b]) + c.Margin; !(hinge <= 0) {
			sum += hinge
			active[node] = sign * c.weight
		}
	}
	if !train {
		return sum
	}
	for node, w := range active {
		c.g[node][a] += w
		c.g[node][b] -= w
	}
	if soft {
		c.through(c.p, 2, 1, active)
		c.through(c.q, 3, -1, active)
	}
	return sum
}

// choose draws an ancestor of the first so many nodes of the triplet and, if
// soft is set, writes the softmax of what it is the largest of into p.
//
//	exp( -max d/τ + g ) = min near / E,  near = exp(-d/τ), E = exp(-g) an exponential number
//
// so that no logarithm is needed where near is in range.
func (c *choice) choose(p []float64, nodes int, soft bool, rng *rand.Rand) (best int) {
	last := nodes - 1 // once more, for two nodes
	for a := range p {
		e := max(rng.ExpFloat64(), 1e-300) // 0 is as good as never drawn
		if c.near[0] != nil {
			p[a] = min(c.near[0][a], c.near[1][a], c.near[last][a]) / e
		} else {
			p[a] = -max(c.d[0][a], c.d[1][a], c.d[last][a])/c.Temperature - math.Log(e)
		}
		if p[a] > p[best] {
			best = a
		}
	}
	if !soft {
		return best
	}
	if c.near[0] == nil {
		for top, a := p[best], 0; a < len(p); a++ {
			p[a] = math.Exp(p[a] - top)
		}
	}
	floats.Scale(1/floats.Sum(p), p)
	return best
}

// negligible is a share in a softmax that cannot change its sum.
const negligible = 1e-18

// through adds the gradient through the softmax p of the largest distance of
// so many nodes. sign·Σ active·d is the gradient by p.
//
//	∂L/∂z_ρ = p_ρ (v_ρ - Σ p v),  z = -max d/τ, the max's part to the farthest node
func (c *choice) through(p []float64, nodes int, sign float64, active [3]float64) {
	by := func(k int) float64 {
		return sign * (active[0]*c.d[0][k] + active[1]*c.d[1][k] + active[2]*c.d[2][k])
	}
	var mean float64
	for k, w := range p {
		if w > negligible {
			mean += w * by(k)
		}
	}
	for k, w := range p {
		if w <= negligible {
			continue
		}
		far := 0
		for node := 1; node < nodes; node++ {
			if c.d[node][k] > c.d[far][k] {
				far = node
			}
		}
		c.g[far][k] -= w * (by(k) - mean) / c.Temperature
	}
}

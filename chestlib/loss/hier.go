package loss

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/chestlib/poincare"
	"github.com/chestlab/chest/internal/parallel"
)

// HIEROptions controls HIER, a regulariser in the ball: learnable ancestors
// become a hierarchy above the features. It is made to be added to a loss that
// classifies; see Sum for the method of the paper.
//
// Ancestors ρ are trained tangent vectors, placed like features: ρ =
// expmap₀(clip_r(v)). Nodes are the rows of the batch, and in a second, equal
// sum the ancestors themselves. A triplet (i,j,k) is a node, one of its
// reciprocal nearest neighbours and a node that is not one: 50 of each node,
// drawn with replacement; rows of one class are nearest whatever their
// distance. Where all nodes are near each other, in a batch of no more rows
// than Neighbours, there is none, and the value is 0. With Gumbel noise g it chooses two common ancestors,
//
//	ρ_ij  = argmax over ρ of -max{ d(i,ρ), d(j,ρ) }/τ + g
//	ρ_ijk = argmax over ρ of -max{ d(i,ρ), d(j,ρ), d(k,ρ) }/τ + g'
//	L_ijk = [ d(i,ρ_ij) - d(i,ρ_ijk) + m ]₊ + [ d(j,ρ_ij) - d(j,ρ_ijk) + m ]₊
//	      + [ d(k,ρ_ijk) - d(k,ρ_ij) + m ]₊,   0 if ρ_ij = ρ_ijk
//	L     = mean of L_ijk over triplets of rows + the same over triplets of ancestors
//
// i and j are drawn to the ancestor that is theirs alone, k away from it. The
// gradient by distances to the chosen ancestors is that of the hinges. The choice
// itself is straight-through: as if d(·,ρ_ij) were Σ_ρ p_ρ d(·,ρ) with p the
// softmax of what argmax takes, so the others learn too. NoStraightThrough
// leaves that out; then the gradient is the derivative of the value.
//
// Two differences to the authors' code: it may draw the node itself as k, and
// it leaves out nodes with a single reciprocal neighbour. It also rescales the
// gradients at points of the ball as Riemannian ones; here they are those by v.
//
// The ancestors are in the group "proxies" of the optimiser. The authors' rates
// are not the same for both, 50 times the model's for ancestors, 10⁴ times
// for proxies. They train with AdamW, rate 1e-5 (DINO 5e-6; ResNet-50 1e-4 to 6e-4)
// times batch/180, decay 1e-2 (CUB, Cars) or 1e-4, gradients cut to ±10,
// batches of 180 with 2 rows a class, 128 dimensions.
//
// Cost: besides the distances 2·Ancestors random numbers, logarithms and
// exponentials for each of Triplets·(B + Ancestors) triplets: at the
// defaults and B = 180 that is 35 million of each, about a second on one core. A matrix
// of B×Ancestors and one of Ancestors×Ancestors is kept for each of 8 lanes.
//
// Source: S. Kim, B. Jeong, S. Kwak, "HIER: Metric Learning Beyond Class Labels
// via Hierarchical Regularization" (2023).
type HIEROptions struct {
	Ancestors         int     // 0 means 512
	Margin            float64 // m, a distance; 0 means 0.1, negative means none
	Temperature       float64 // τ, a distance; 0 means 0.1
	Neighbours        int     // nearest nodes of a node, itself included; 0 means 20
	Triplets          int     // of each node; 0 means 50
	NoStraightThrough bool    // no gradient through the choice of ancestors
	Seed              uint64  // of the first ancestors; 0 means the setting's
}

func (o HIEROptions) withDefaults() HIEROptions {
	o.Ancestors = cmp.Or(o.Ancestors, 512)
	o.Margin = cmp.Or(o.Margin, 0.1)
	o.Temperature = cmp.Or(o.Temperature, 0.1)
	o.Neighbours = cmp.Or(o.Neighbours, 20)
	o.Triplets = cmp.Or(o.Triplets, 50)
	return o
}

// check finds options, with their defaults, that make no sense.
func (o HIEROptions) check() error {
	for _, v := range []struct {
		name string
		n    int
	}{{"Ancestors", o.Ancestors}, {"Neighbours", o.Neighbours}, {"Triplets", o.Triplets}} {
		if v.n < 1 {
			return fmt.Errorf("loss: HIER: %s is %d; want a positive number (0 means its default)", v.name, v.n)
		}
	}
	return first(positive("HIER", "Temperature", o.Temperature), margin("HIER", "Margin", o.Margin))
}

// Name implements Recipe: "hier".
func (o HIEROptions) Name() string { return "hier" }

// Make implements Recipe.
func (o HIEROptions) Make(s Setting) (Loss, error) {
	o = o.withDefaults()
	if err := first(o.check(), s.check("HIER", Ball)); err != nil {
		return nil, err
	}
	o.Margin, o.Seed = max(o.Margin, 0), cmp.Or(o.Seed, s.Seed)
	l := &hier{o: o, classes: s.Classes, x: newPlaced(Ball, s), a: newPlaced(Ball, s)}
	length := 0.9 * s.radius() // the authors'; 0.9 · 2.3 without a clip
	if math.IsInf(length, 1) {
		length = 0.9 * 2.3
	}
	l.ancestors = newProxies("ancestors.H", o.Ancestors, s.DH, length, rand.New(rand.NewPCG(o.Seed, 'A')))
	return l, nil
}

// hier is the loss of HIEROptions.
type hier struct {
	o         HIEROptions
	classes   int
	ancestors *optim.Param
	x, a      placed

	rows, among level // of the batch's rows, of the ancestors
	pairs       poincare.Pairs
	between     []float64 // B×B: distances of the rows
}

// Params implements Loss.
func (l *hier) Params() []*optim.Param { return []*optim.Param{l.ancestors} }

// Uses implements Loss.
func (l *hier) Uses() Space { return OnlyH }

// Add implements Loss.
func (l *hier) Add(b Batch, weight float64) Terms {
	u, gu := b.of(OnlyH)
	checkBatch("HIER", u, gu, b.Label, l.x.ball.d, l.classes)
	l.x.put(u)
	l.a.put(l.ancestors.Value)
	n, d, c := len(b.Label), l.x.ball.d, l.x.ball.c
	rng := cmp.Or(b.Rand, rand.New(rand.NewPCG(l.o.Seed, 'G')))
	l.between = l.pairs.Distances(resized(l.between, n*n), l.x.x, l.x.x, d, c)
	l.rows.distances(&l.x, &l.a)
	l.among.distances(&l.a, &l.a)
	l.rows.draw(l.o, l.between, b.Label, rng)
	l.among.draw(l.o, l.among.d, nil, rng)
	value := l.rows.step(l.o, gu != nil, weight) + l.among.step(l.o, gu != nil, weight)
	if gu != nil {
		l.x.g, l.a.g = zeros(l.x.g, n*d), zeros(l.a.g, len(l.a.x))
		l.rows.pairs.Grad(l.x.g, l.a.g, l.rows.g)
		l.among.pairs.Grad(l.a.g, l.a.g, l.among.g)
		l.x.pull(gu, u)
		l.a.pull(l.ancestors.Grad, l.ancestors.Value)
	}
	return Terms{Total: value, H: value, Clipped: share(l.x.clipped, n)}
}

// level is one of the two sums: nodes and the ancestors above them.
type level struct {
	pairs    poincare.Pairs
	n, m     int       // nodes, ancestors
	d, g     []float64 // n×m: distances of nodes to ancestors, and the gradient by them
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
	l.d = l.pairs.Distances(resized(l.d, l.n*l.m), nodes.x, ancestors.x, nodes.ball.d, nodes.ball.c)
}

// draw fills triplets, by the distances between nodes.
func (l *level) draw(o HIEROptions, between []float64, label []int, rng *rand.Rand) {
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

// choice is one triplet: the distances of i, j and k to all ancestors, and the
// gradients by them.
type choice struct {
	HIEROptions
	source *rand.PCG
	weight float64
	d, g   [3][]float64
	p, q   []float64 // the softmax over ρ_ij and over ρ_ijk
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
func (c *choice) choose(p []float64, nodes int, soft bool, rng *rand.Rand) (best int) {
	for k := range p {
		d := max(c.d[0][k], c.d[1][k])
		if nodes == 3 {
			d = max(d, c.d[2][k])
		}
		// -log of an exponential is a Gumbel number; 0 is as good as never drawn
		p[k] = -d/c.Temperature - math.Log(max(rng.ExpFloat64(), 1e-300))
		if p[k] > p[best] {
			best = k
		}
	}
	if !soft {
		return best
	}
	top, sum := p[best], 0.0
	for k, z := range p {
		p[k] = 0
		if z > top-40 { // exp(-40) is nothing beside 1
			p[k] = math.Exp(z - top)
			sum += p[k]
		}
	}
	floats.Scale(1/sum, p)
	return best
}

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
		if w > 0 {
			mean += w * by(k)
		}
	}
	for k, w := range p {
		if w == 0 {
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

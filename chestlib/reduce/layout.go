package reduce

import (
	"math"
	"math/rand/v2"
)

const mostMove = 4 // of a coordinate in one move, times the rate

// place is a point of the picture in coordinates that have no border: of the
// plane, or x and y of the hyperboloid z = √(1+x²+y²). In the plane z is not read.
type place struct{ x, y, z float64 }

// layout is points that the edges of a fuzzy set pull together and random
// others push apart. With w(d) = 1/(1 + a d^(2b)), the moves of an edge and of
// the pairs drawn with it descend
//
//	-log w(d(pᵢ,pⱼ)) - Σ over random r of γ log(1 - w(d(pᵢ,p_r)))
//
// by the gradient in the coordinates. Those of the hyperboloid make a point's
// steps outward short when it is far out; steps along geodesics press everything
// onto the rim, within 3e-6 of it for 6,000 points.
type layout struct {
	p         []place
	flat      bool // the plane
	edges     []edge
	due       []float64 // of each edge: the epoch of its next sample, from 1
	every     []float64 // epochs from one to the next: most weight/weight
	a, b      float64
	repulsion float64 // γ
	negatives int     // random others for each sample
	rng       *rand.PCG
}

// newLayout leaves out edges too weak to be sampled in that many epochs.
func newLayout(p []place, set []edge, epochs int) *layout {
	l := &layout{p: p}
	most := 0.0
	for _, e := range set {
		most = max(most, e.weight)
	}
	for _, e := range set {
		if every := most / e.weight; every <= float64(epochs) {
			l.edges = append(l.edges, e)
			l.every = append(l.every, every)
		}
	}
	l.due = append(l.due, l.every...)
	return l
}

// epoch samples each edge that is due, in order, one after the other: every
// move sees those before it.
func (l *layout) epoch(epoch int, rate float64) {
	n := uint64(len(l.p))
	for k, e := range l.edges {
		if l.due[k] > float64(epoch) {
			continue
		}
		l.due[k] += l.every[k]
		at := &l.p[e.from]
		l.pull(at, &l.p[e.to], rate)
		for range l.negatives {
			r := l.rng.Uint64() >> 32 * n >> 32
			if int32(r) != e.from {
				l.push(at, &l.p[r], rate)
			}
		}
	}
}

// pull moves two points together.
func (l *layout) pull(p, q *place, rate float64) {
	d, slope := l.distance(p, q)
	if d == 0 {
		return
	}
	f := -l.attraction(d) * slope
	px, py := l.along(p, q, f)
	qx, qy := l.along(q, p, f)
	l.move(p, px, py, rate)
	l.move(q, qx, qy, rate)
}

// push moves p away from q.
func (l *layout) push(p, q *place, rate float64) {
	d, slope := l.distance(p, q)
	if d == 0 {
		return
	}
	x, y := l.along(p, q, l.rejection(d)*slope)
	l.move(p, x, y, rate)
}

// attraction is the derivative of -log w: 2ab d^(2b-1) / (1 + a d^(2b)).
func (l *layout) attraction(d float64) float64 {
	p := l.a * math.Exp(2*l.b*math.Log(d))
	return 2 * l.b * p / ((1 + p) * d)
}

// rejection is minus the derivative of -γ log(1-w), 2γb / (d (1 + a d^(2b))),
// held down below d = 0.03 as in the authors' code: d/(0.001 + d²) for 1/d.
func (l *layout) rejection(d float64) float64 {
	p := l.a * math.Exp(2*l.b*math.Log(d))
	return l.repulsion * 2 * l.b * d / ((0.001 + d*d) * (1 + p))
}

// distance returns that of two points, and by what along must be multiplied to
// be its gradient.
func (l *layout) distance(p, q *place) (d, slope float64) {
	if l.flat {
		d = math.Sqrt((p.x-q.x)*(p.x-q.x) + (p.y-q.y)*(p.y-q.y))
		return d, 1 / d
	}
	c := p.z*q.z - p.x*q.x - p.y*q.y // cosh d
	if c < 1+1e-12 {
		return 0, 0
	}
	s := math.Sqrt((c - 1) * (c + 1))
	return math.Log(c + s), 1 / s
}

// along returns f times the gradient of the distance by p, up to slope:
// p - q in the plane, (z_q/z_p) p - q on the hyperboloid.
func (l *layout) along(p, q *place, f float64) (x, y float64) {
	k := 1.0
	if !l.flat {
		k = q.z / p.z
	}
	return f * (k*p.x - q.x), f * (k*p.y - q.y)
}

// move moves p by a step, cut and times the rate.
func (l *layout) move(p *place, x, y, rate float64) {
	p.x += rate * max(min(x, mostMove), -mostMove)
	p.y += rate * max(min(y, mostMove), -mostMove)
	p.z = math.Sqrt(1 + p.x*p.x + p.y*p.y)
}

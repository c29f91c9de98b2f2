package reduce

import (
	"math"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/chestlib/poincare"
	"github.com/chestlab/chest/internal/parallel"
)

// horo is points of the ball of curvature -1 around their mean, on the
// hyperboloid, and pairs of them. An ideal point is a unit vector p; e^B of its
// Busemann function, the horosphere through a point, is
//
//	u = e^B(p) = ‖p-x‖²/(1-‖x‖²) = time - space·p
//
// With another one q, v of it and κ = 1 - p·q, the geodesic of p and q is the
// spine. A point is at distance s from it, at place t along it (toward p):
//
//	cosh² s = 2uv/κ,  t = ½ log(v/u)
//
// Its horospherical projection onto the half plane that is bounded by the spine
// and contains the origin has the same s and t: turning about the spine keeps
// both horospheres.
//
// Source: I. Chami, A. Gu, D. Nguyen, C. Ré, "HoroPCA: Hyperbolic dimensionality
// reduction via horospherical projections" (2021), section 4; the coordinates
// are ours.
type horo struct {
	n, d  int
	time  []float64 // n
	space []float64 // n×d
	p     *pairs
	near  []force // of each pair
}

// force is half the squared distance of a projected pair, and its derivatives
// by s and t of the first and s of the second point; by the other t it is -t.
type force struct{ half, sa, sb, t float64 }

// spot is a projected point, with the functions of s that distances need.
type spot struct{ u, v, s, cosh, sinh, t float64 }

func newHoro(x []float64, d int, c float64, p *pairs) *horo {
	h := &horo{n: len(x) / d, d: d, space: make([]float64, len(x)), p: p, near: make([]force, len(p.a))}
	h.time = make([]float64, h.n)
	m := poincare.FrechetMean(x, d, c)
	floats.Scale(-1, m)
	for i := range h.n {
		y := poincare.MobiusAdd(h.space[i*d:(i+1)*d], m, x[i*d:(i+1)*d], c)
		floats.Scale(math.Sqrt(c), y)
		yy := floats.Dot(y, y)
		gap := max(1-yy, 1-rim*rim)
		h.time[i] = (1 + yy) / gap
		floats.Scale(2/gap, y)
	}
	return h
}

// horospheres sets u of every point.
func (h *horo) horospheres(u, p []float64) {
	parallel.For(h.n, 64, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			u[i] = max(h.time[i]-floats.Dot(h.space[i*h.d:(i+1)*h.d], p), 1e-15)
		}
	})
}

// lineVariance returns the variance of the Busemann function of p, which is that
// of the projections onto the geodesic of p and the origin. If g is not nil, it
// is set to the gradient.
//
//	F = (1/n) Σ (Bᵢ-B̄)²,  ∂F/∂p = -(2/n) Σ (Bᵢ-B̄)/uᵢ spaceᵢ
func (h *horo) lineVariance(g, p []float64) (f float64) {
	u := make([]float64, h.n)
	h.horospheres(u, p)
	n := float64(h.n)
	mean := 0.0
	for _, v := range u {
		mean += math.Log(v) / n
	}
	clear(g)
	for i, v := range u {
		e := math.Log(v) - mean
		f += e * e / n
		if g != nil {
			floats.AddScaled(g, -2/n*e/v, h.space[i*h.d:(i+1)*h.d])
		}
	}
	return f
}

// planeVariance returns the mean of half the squared distances of projected
// pairs: of all pairs it is the variance. gp and gq are set to the gradients by
// the ideal points p and q; both may be nil.
func (h *horo) planeVariance(gp, gq, p, q []float64) float64 {
	at, kappa := h.project(p, q)
	parallel.For(len(h.near), pairGrain, func(lo, hi int) {
		for k := lo; k < hi; k++ {
			h.near[k] = between(&at[h.p.a[k]], &at[h.p.b[k]])
		}
	})
	f, n := 0.0, float64(len(h.near))
	byS, byT := make([]float64, h.n), make([]float64, h.n)
	for k, e := range h.near { // in order
		a, b := h.p.a[k], h.p.b[k]
		f += e.half / n
		byS[a] += e.sa / n
		byS[b] += e.sb / n
		byT[a] += e.t / n
		byT[b] -= e.t / n
	}
	if gp != nil {
		h.byIdeal(gp, gq, p, q, at, byS, byT, kappa)
	}
	return f
}

// project returns where the points are in the half plane of p and q.
func (h *horo) project(p, q []float64) (at []spot, kappa float64) {
	u, v := make([]float64, h.n), make([]float64, h.n)
	h.horospheres(u, p)
	h.horospheres(v, q)
	kappa = max(1-floats.Dot(p, q), 1e-12)
	at = make([]spot, h.n)
	for i := range at {
		cc := max(2*u[i]*v[i]/kappa, 1)
		sinh := math.Sqrt(cc - 1)
		at[i] = spot{u[i], v[i], asinh(sinh), math.Sqrt(cc), sinh, math.Log(v[i]/u[i]) / 2}
	}
	return at, kappa
}

// between compares two projected points:
//
//	cosh d - 1 = 2 sinh²((s-s')/2) + 2 cosh s cosh s' sinh²((t-t')/2)
func between(a, b *spot) force {
	ds, dt := math.Sinh((a.s-b.s)/2), math.Sinh((a.t-b.t)/2)
	e := 2*ds*ds + 2*a.cosh*b.cosh*dt*dt
	d := 2 * asinh(math.Sqrt(e/2))
	slope := 1.0 // of ½d² by e: d/sinh d
	if e > 0 {
		slope = d / math.Sqrt(e*(e+2))
	}
	turn, along := 2*ds*math.Sqrt(1+ds*ds), 2*dt*math.Sqrt(1+dt*dt) // sinh of the whole
	return force{
		half: d * d / 2,
		sa:   slope * (turn + 2*a.sinh*b.cosh*dt*dt),
		sb:   slope * (-turn + 2*a.cosh*b.sinh*dt*dt),
		t:    slope * a.cosh * b.cosh * along,
	}
}

// byIdeal sets the gradients by p and q from those by s and t. With
// 2 ∂s/∂log u = 2 ∂s/∂log v = -2 ∂s/∂log κ = cosh s/sinh s,
//
//	gp = -Σ ∂F/∂uᵢ spaceᵢ - ∂F/∂κ q,  gq = -Σ ∂F/∂vᵢ spaceᵢ - ∂F/∂κ p
//
// A point on the spine has no derivative by s; it counts as 0.
func (h *horo) byIdeal(gp, gq, p, q []float64, at []spot, byS, byT []float64, kappa float64) {
	clear(gp)
	clear(gq)
	byKappa := 0.0
	for i, a := range at {
		both := 0.0
		if a.sinh > 1e-9 {
			both = byS[i] * a.cosh / a.sinh / 2
		}
		row := h.space[i*h.d : (i+1)*h.d]
		floats.AddScaled(gp, -(both-byT[i]/2)/a.u, row)
		floats.AddScaled(gq, -(both+byT[i]/2)/a.v, row)
		byKappa -= both / kappa
	}
	floats.AddScaled(gp, -byKappa, q)
	floats.AddScaled(gq, -byKappa, p)
}

// disk returns the projected points as those of the unit disk, with the origin
// at its centre and p at the right.
//
// In the half plane's hyperboloid a point is (cosh s cosh t, cosh s sinh t,
// sinh s), the origin is at s₀ with cosh² s₀ = 2/κ; a boost by -s₀ moves it to
// the centre.
func (h *horo) disk(p, q []float64) []float64 {
	at, kappa := h.project(p, q)
	cosh := math.Sqrt(max(2/kappa, 1))
	sinh := math.Sqrt(cosh*cosh - 1)
	cos, sin := 1/cosh, sinh/cosh // p is seen in the direction (1/cosh s₀, -tanh s₀)
	xy := make([]float64, 2*h.n)
	for i, a := range at {
		time := a.cosh * math.Cosh(a.t)
		x, y := a.cosh*math.Sinh(a.t), cosh*a.sinh-sinh*time
		time = cosh*time - sinh*a.sinh
		x, y = (cos*x-sin*y)/(1+time), (sin*x+cos*y)/(1+time)
		xy[2*i], xy[2*i+1] = atMost(rim, x, y)
	}
	return xy
}

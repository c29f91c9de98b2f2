package reduce

import (
	"cmp"
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

const horoPairs = 1 << 16 // whose distances the variance is taken of

// HoroPCAOptions controls HoroPCA. The zero value is the default, which is ours.
type HoroPCAOptions struct {
	Steps int    // most steps of each of three ascents; 0 means 100
	Seed  uint64 // of the sample of pairs

	Progress Progress // where to say how far it is; nil means nowhere
}

// HoroPCA projects points of the Poincaré ball of curvature -c onto a plane
// along horospheres, so that the variance of the result is large: PCA with
// ideal points for directions. The plane is that of the Fréchet mean m and two
// ideal points p and q; a point goes to where its horospheres about p and q
// meet it, on the side of m (bounded by the geodesic of p and q, on whose far side
// there is nothing).
//
//	p maximises the variance of the projections onto the geodesic of m and p
//	q maximises ½ mean d(π(xᵢ),π(xⱼ))², after p; all pairs, or 65,536 random ones
//	  where there are more
//
// Distances along geodesics to p and to q are kept, and no distance grows. In
// Quality.Explained is the share of the mean squared distance of pairs that is
// kept.
//
// The ascents are steepest ones on the unit sphere, from the first two
// directions of the tangent vectors at m, that of q from both signs. The
// variance has local maxima: this is a good one, not surely the best.
//
// x is n×d, row-major; the result is n×2, m is at the centre, p at the right.
// Rows that are all equal are drawn at the centre. For d = 1 nothing needs to
// be projected.
//
// Cost: a step is nd and 65,536 pairs: 2 s for 6,000 points of 128 dimensions on
// two processors. ctx is checked at every step. Bits do not depend on the number
// of processors.
//
// It returns an error as TangentPCA does, if c = 0 or an option is out of
// bounds, and when ctx ends; it panics as TangentPCA does.
//
// Source: I. Chami, A. Gu, D. Nguyen, C. Ré, "HoroPCA: Hyperbolic dimensionality
// reduction via horospherical projections" (2021).
func HoroPCA(ctx context.Context, x []float32, d int, c float64, o HoroPCAOptions) ([]float64, Quality, error) {
	ctx, done := context.WithCancel(ctx) // stays with the cell that called
	defer done()
	o.Steps = cmp.Or(o.Steps, 100)
	err := wrong("HoroPCA", []requirement{
		{c != 0, "c", "a positive number: for plain rows take PCA", c},
		{o.Steps > 0, "Steps", "a positive number", o.Steps},
	})
	if err != nil {
		return nil, Quality{}, err
	}
	r := newReport(ctx, o.Progress, "HoroPCA", 3*o.Steps)
	defer r.finish()
	if err := r.set(0, ""); err != nil {
		return nil, Quality{}, err
	}
	xy, q, err := TangentPCA(x, d, c)
	if err != nil {
		return nil, Quality{}, err
	}
	q.Method, q.Seed, q.Seeded = "HoroPCA", o.Seed, true
	w := wide(x)
	if d == 1 || equalRows(w, d) {
		return xy, q, nil
	}
	p := newPairs(len(w)/d, horoPairs, o.Seed)
	p.measure(w, d, c)
	h := newHoro(w, d, c, p)
	first, second, f, err := h.ideals(r, o.Steps)
	if err != nil {
		return nil, Quality{}, err
	}
	q.Explained = min(2*f*float64(len(p.far))/floats.Dot(p.far, p.far), 1)
	xy = h.disk(first, second)
	return xy, judged(q, xy, w, d, hyperbolicLengths), nil
}

// ideals finds p and q, and returns the variance of their plane.
func (h *horo) ideals(r report, steps int) (p, q []float64, f float64, err error) {
	p, other, err := h.directions()
	if err != nil {
		return nil, nil, 0, err
	}
	if _, err = ascend(r, 0, steps, p, h.lineVariance); err != nil {
		return nil, nil, 0, err
	}
	spare := make([]float64, h.d)
	along := func(g, q []float64) float64 {
		if g == nil {
			return h.planeVariance(nil, nil, p, q)
		}
		return h.planeVariance(spare, g, p, q)
	}
	for k, sign := range []float64{1, -1} {
		to := make([]float64, h.d)
		floats.AddScaled(to, sign, other)
		v, err := ascend(r, (k+1)*steps, steps, to, along)
		if err != nil {
			return nil, nil, 0, err
		}
		if q == nil || v > f {
			q, f = to, v
		}
	}
	return p, q, f, nil
}

// directions returns the first two principal directions of the tangent vectors
// at the mean, the first with the sign of the larger variance.
func (h *horo) directions() (first, second []float64, err error) {
	u := mat.NewDense(h.n, h.d, append([]float64(nil), h.space...))
	for i, t := range h.time {
		row := u.RawRowView(i)
		if l := math.Sqrt(floats.Dot(row, row)); l > 0 {
			floats.Scale(math.Acosh(max(t, 1))/l, row)
		}
	}
	var m mat.SymDense
	m.SymOuterK(1, u.T())
	var eig mat.EigenSym
	if !eig.Factorize(&m, true) {
		return nil, nil, fmt.Errorf("reduce: HoroPCA: the eigenvectors of the %d×%d moments of %d points did not converge", h.d, h.d, h.n)
	}
	var v mat.Dense
	eig.VectorsTo(&v)
	first, second = mat.Col(nil, h.d-1, &v), mat.Col(nil, h.d-2, &v)
	fixSign(first)
	fixSign(second)
	back := make([]float64, h.d)
	floats.AddScaled(back, -1, first)
	if h.lineVariance(nil, back) > h.lineVariance(nil, first) {
		first = back
	}
	return first, second, nil
}

// ascend moves the unit vector p up f along great circles and returns its value
// there. f gets nil where no gradient is needed.
func ascend(r report, done, steps int, p []float64, f func(g, p []float64) float64) (float64, error) {
	g, next := make([]float64, len(p)), make([]float64, len(p))
	angle, value := 0.3, f(g, p)
	for s := range steps {
		if err := r.set(done+s, ""); err != nil {
			return 0, err
		}
		floats.AddScaled(g, -floats.Dot(g, p), p)
		l := math.Sqrt(floats.Dot(g, g))
		if l <= 1e-9*(value+1e-300) {
			break
		}
		was := value
		for ; angle > 1e-7; angle /= 2 {
			for k := range next {
				next[k] = math.Cos(angle)*p[k] + math.Sin(angle)*g[k]/l
			}
			if value = f(nil, next); value > was {
				break
			}
		}
		if !(value > was) {
			value = was
			break
		}
		floats.Scale(1/math.Sqrt(floats.Dot(next, next)), next)
		copy(p, next)
		angle = min(1.5*angle, 0.5)
		value = f(g, p)
	}
	return value, r.set(done+steps, "")
}

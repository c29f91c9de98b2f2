package reduce

import (
	"cmp"
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/chestlab/chest/chestlib/poincare"
)

// HMDSOptions controls HMDS. The zero value is the default.
type HMDSOptions struct {
	Steps    int      // most steps of the descent of the stress; 0 means 60 where the strain's picture is worse than TangentPCA's and none elsewhere, negative means none
	Progress Progress // where to say how far it is; nil means nowhere
}

// HMDS maps points of the Poincaré ball of curvature -c to the unit disk so
// that the hyperbolic distances of all pairs are kept: multidimensional
// scaling. It is deterministic.
//
// First the strain, as hydra does. Of zᵢ, the points on the hyperboloid, the
// matrix of Minkowski products is
//
//	A = (cosh √c d(xᵢ,xⱼ)) = Z J Zᵀ,  J = diag(1, -1, …, -1)
//
// The vector of its one positive eigenvalue gives the radii of the picture,
// those of its two most negative ones the directions. As A has rank d+1, they
// come from a matrix of that order and not from the n×n one.
//
// Where that picture has a larger stress than TangentPCA's, and where
// HMDSOptions.Steps asks for it,
//
//	Σ (d(yᵢ,yⱼ) - √c d(xᵢ,xⱼ))²
//
// then descends from the better one of the two, over all pairs, of more than
// 724 points over 262,144 random ones, which are not those that Quality is
// measured on. So the stress in Quality is never above TangentPCA's, unless
// Steps is negative. The descent is not the default everywhere because near
// points pay for far ones: of 6,000 points around the leaves of a tree it took
// the stress from 0.22 to 0.15, TangentPCA's being 0.57, and the 15-NN
// agreement from 0.54 to 0.28.
//
// The mean of the picture is at its centre. x is n×d, row-major; the result is
// n×2. c = 0 is classical scaling, which is PCA, fitted as by TangentPCA.
//
// Cost: nd² + d³ for the strain, 0.3 s for 6,000 points of 128 dimensions on two
// processors; each step of the descent 30 ms there. ctx is checked at every
// step. Bits do not depend on the number of processors.
//
// Errors and panics are as for TangentPCA; and it gives an error when ctx ends.
//
// Source: M. Keller-Ressel, S. Nargang, "Hydra: a method for strain-minimizing
// hyperbolic embedding of network- and distance-based data" (2020), with its
// hydra+ for the stress; the descent is ours.
func HMDS(ctx context.Context, x []float32, d int, c float64, o HMDSOptions) ([]float64, Quality, error) {
	ctx, done := context.WithCancel(ctx) // stays with the cell that called
	defer done()
	r := newReport(ctx, o.Progress, "h-MDS", max(cmp.Or(o.Steps, 60), 0))
	defer r.finish()
	if err := r.set(0, "tangent PCA"); err != nil {
		return nil, Quality{}, err
	}
	xy, q, err := TangentPCA(x, d, c)
	if err != nil {
		return nil, Quality{}, err
	}
	q.Method, q.Explained = "h-MDS", 0
	if c == 0 || q.Stress == 0 { // classical scaling; nothing to gain
		return xy, q, r.set(r.total, "")
	}
	w := wide(x)
	y, err := strain(w, d, c)
	if err != nil {
		return nil, Quality{}, err
	}
	best := judged(q, y, w, d, hyperbolicLengths)
	if o.Steps > 0 || o.Steps == 0 && !(best.Stress <= q.Stress) {
		if y, err = leastStress(r, xy, y, w, d, c); err != nil {
			return nil, Quality{}, err
		}
		centreDisk(y)
		best = judged(q, y, w, d, hyperbolicLengths)
	}
	if o.Steps >= 0 && !(best.Stress <= q.Stress) {
		y, best = xy, q // the sample of the descent and that of the quality disagree
	}
	return y, best, r.set(r.total, "")
}

// leastStress descends from the better of two pictures.
func leastStress(r report, a, b, x []float64, d int, c float64) ([]float64, error) {
	p := newPairs(len(x)/d, mostPairs, 1)
	p.measure(x, d, c)
	_, stressA, _ := p.compare(a, hyperbolicLengths)
	_, stressB, _ := p.compare(b, hyperbolicLengths)
	if !(stressB < stressA) {
		b = a
	}
	s := newSpring(p, b)
	return s.y, s.descend(r)
}

// strain is the picture of least strain. With M = ZᵀZ, R = √M and J, an
// eigenvector w of R J R is one of A as Z R⁻¹ w, with the same eigenvalue.
func strain(x []float64, d int, c float64) ([]float64, error) {
	n := len(x) / d
	z := hyperboloid(x, d, c)
	var m mat.SymDense
	m.SymOuterK(1, z.T())
	var eig mat.EigenSym
	if !eig.Factorize(&m, true) {
		return nil, fmt.Errorf("reduce: h-MDS: the eigenvectors of the %d×%d moments of %d points did not converge", d+1, d+1, n)
	}
	root, inverse := roots(&eig)
	var half, rjr mat.Dense
	half.CloneFrom(root)
	for k := 1; k <= d; k++ {
		for i := range d + 1 {
			half.Set(i, k, -half.At(i, k))
		}
	}
	rjr.Mul(&half, root)
	sym := mat.NewSymDense(d+1, nil)
	for i := range d + 1 {
		for j := i; j <= d; j++ {
			sym.SetSym(i, j, (rjr.At(i, j)+rjr.At(j, i))/2)
		}
	}
	if !eig.Factorize(sym, true) {
		return nil, fmt.Errorf("reduce: h-MDS: the eigenvectors of the %d×%d products of %d points did not converge", d+1, d+1, n)
	}
	values := eig.Values(nil) // ascending: negative ones first, one positive one last
	var vectors mat.Dense
	eig.VectorsTo(&vectors)
	column := func(k int) []float64 {
		e := mat.Col(nil, k, &vectors)
		var back, q mat.VecDense
		back.MulVec(inverse, mat.NewVecDense(d+1, e))
		q.MulVec(z, &back)
		return q.RawVector().Data
	}
	time, y := column(d), make([]float64, 2*n)
	scale := math.Copysign(math.Sqrt(max(values[d], 0)), time[0])
	for axis := range min(2, d) {
		q := column(axis)
		fixSign(q)
		for i, v := range q {
			y[2*i+axis] = v * math.Sqrt(max(-values[axis], 0))
		}
	}
	intoRadii(y, time, scale)
	centreDisk(y)
	return y, nil
}

// intoRadii moves the picture's points along their directions to the radii
// that the time coordinates give: tanh(r/2) with cosh r = time/least.
func intoRadii(y, time []float64, scale float64) {
	least := 1.0
	for _, t := range time {
		least = min(least, t*scale)
	}
	for i, t := range time {
		r := math.Hypot(y[2*i], y[2*i+1])
		f := math.Sqrt(max(t*scale-least, 0) / (t*scale + least))
		if r == 0 || !(f > 0) {
			y[2*i], y[2*i+1] = 0, 0
			continue
		}
		y[2*i] *= min(f, rim) / r
		y[2*i+1] *= min(f, rim) / r
	}
}

// hyperboloid returns the points, moved so that their midpoint is the first
// axis, as n×(d+1) rows z: z₀² - z₁² - … = 1.
func hyperboloid(x []float64, d int, c float64) *mat.Dense {
	n := len(x) / d
	z := mat.NewDense(n, d+1, nil)
	m := poincare.Midpoint(x, d, c)
	for k := range m {
		m[k] = -m[k]
	}
	s := math.Sqrt(c)
	for i := range n {
		row := z.RawRowView(i)
		y := poincare.MobiusAdd(row[1:], m, x[i*d:(i+1)*d], c)
		var sq float64
		for _, v := range y {
			sq += c * v * v
		}
		gap := max(1-sq, 1-rim*rim)
		row[0] = (1 + sq) / gap
		for k := range y {
			y[k] *= 2 * s / gap
		}
	}
	return z
}

// roots returns the square root of a positive matrix and its inverse on the
// range of the matrix, from its eigenvectors.
func roots(eig *mat.EigenSym) (root, inverse *mat.Dense) {
	values := eig.Values(nil)
	n := len(values)
	var v mat.Dense
	eig.VectorsTo(&v)
	floor := values[n-1] * 1e-15
	up, down := mat.NewDense(n, n, nil), mat.NewDense(n, n, nil)
	for k, l := range values {
		if l <= floor {
			continue
		}
		for i := range n {
			up.Set(i, k, v.At(i, k)*math.Sqrt(l))
			down.Set(i, k, v.At(i, k)/math.Sqrt(l))
		}
	}
	root, inverse = new(mat.Dense), new(mat.Dense)
	root.Mul(up, v.T())
	inverse.Mul(down, v.T())
	return root, inverse
}

// centreDisk moves points of the unit disk so that their Fréchet mean is the
// centre.
func centreDisk(xy []float64) {
	if equalRows(xy, 2) {
		clear(xy)
		return
	}
	m := poincare.FrechetMean(xy, 2, 1)
	m[0], m[1] = -m[0], -m[1]
	for i := 0; i < len(xy); i += 2 {
		y := poincare.MobiusAdd(xy[i:i+2], m, xy[i:i+2], 1)
		poincare.Project(y, y, 1, 1-rim)
	}
}

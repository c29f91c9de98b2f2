// Package reduce maps embeddings to two dimensions, to be drawn.
//
// A picture of hyperbolic embeddings is a set of points of the unit disk: a
// ball of curvature -c is drawn as √c x, for every c. Lengths in it are those of
// curvature -1, √c times those of the ball.
//
//	TangentPCA  fast; shows the coarse classes
//	HMDS        keeps the distances of all pairs: least strain, or stress
//	HoroPCA     PCA with ideal points: keeps more of the variance
//	UMAP        keeps neighbours: every class a clump; of plain rows too
//	COSNE       keeps neighbours and the depth of points, of some thousand
//	PCA         of plain rows
//
// Each gives the coordinates, n×2, and a Quality: how true distances are and,
// given labels, how many neighbours still have the label of their point.
package reduce

import (
	"fmt"
	"math"
	"slices"

	"github.com/chestlab/chest/chestlib/poincare"
)

const (
	rim     = 1 - 1e-15 // the largest radius of a reduced point, 35 from the centre
	flatRim = 0.95      // the radius of the farthest point where c = 0
)

// TangentPCA maps points of the Poincaré ball of curvature -c to the unit disk,
// with their Fréchet mean m at its centre: the two principal directions of the
// tangent vectors at m, and back along geodesics.
//
//	uᵢ  = logmap_m(xᵢ) / (1 - c‖m‖²)              (logmap₀ after m is moved to 0; Σ uᵢ = 0)
//	tᵢ  = (uᵢ·e₁, uᵢ·e₂),  e₁ e₂ the first eigenvectors of Σ uᵢuᵢᵀ
//	yᵢ  = √c expmap₀(tᵢ) = tanh(√c‖tᵢ‖) tᵢ/‖tᵢ‖
//
// x is n×d, row-major; the result is n×2. What is kept: if all points lie in
// one geodesic plane, m lies in it too, and all their distances are kept. Else
// a point keeps its distance to m if uᵢ lies in the plane of e₁ and e₂, and
// comes nearer to the centre if not, never farther; distances between points
// may grow or shrink. Moving all points by an isometry of the ball changes
// nothing but signs, which are fixed by the largest entry of e₁ and of e₂: it is
// positive.
//
// c = 0 is plain PCA, scaled so that the farthest point is at radius 0.95: the
// disk then has no hyperbolic lengths. Equal points all go to the centre and
// are fully explained, as does a single one. For d = 1 the second coordinate
// is 0.
//
// Cost: one pass over x for each step of the mean (some ten), then nd² + d³.
//
// It returns an error if there is no point, an entry is NaN or infinite, a
// point lies outside the ball, or c is not a number ≥ 0; it panics if d < 1 or
// len(x) is not a multiple of d.
func TangentPCA(x []float32, d int, c float64) ([]float64, Quality, error) {
	w, err := start(x, d, c)
	if err != nil {
		return nil, Quality{}, err
	}
	return tangentPCA(w, d, c)
}

// start is checked of points of a ball whose curvature is checked too.
func start(x []float32, d int, c float64) ([]float64, error) {
	if !(c >= 0) || math.IsInf(c, 1) {
		return nil, fmt.Errorf("reduce: curvature %g: c must be a number ≥ 0", c)
	}
	return checked(x, d, c)
}

// tangentPCA is TangentPCA of checked points.
func tangentPCA(x []float64, d int, c float64) ([]float64, Quality, error) {
	u := make([]float64, len(x))
	if !equalRows(x, d) {
		m := poincare.FrechetMean(x, d, c)
		half := poincare.Conformal(m, c) / 2
		for i := 0; i < len(x); i += d {
			v := poincare.LogMap(u[i:i+d], m, x[i:i+d], c)
			for k := range v {
				v[k] *= half
			}
		}
	}
	xy, explained, err := principal(u, d)
	if err != nil {
		return nil, Quality{}, err
	}
	l := hyperbolicLengths
	if c == 0 {
		fitDisk(xy)
		l = plainShape
	} else {
		intoDisk(xy, math.Sqrt(c))
	}
	return xy, judged(Quality{Method: "tangent PCA", Curvature: c, Explained: explained}, xy, x, d, l), nil
}

// intoDisk turns tangent vectors at the origin into points of the unit disk,
// strictly inside.
func intoDisk(xy []float64, s float64) {
	for i := 0; i < len(xy); i += 2 {
		if r := math.Hypot(xy[i], xy[i+1]); r > 0 {
			f := min(math.Tanh(s*r), rim) / r
			xy[i] *= f
			xy[i+1] *= f
		}
	}
}

// fitDisk scales points of the plane so that the farthest is at flatRim.
func fitDisk(xy []float64) {
	var far float64
	for i := 0; i < len(xy); i += 2 {
		far = max(far, math.Hypot(xy[i], xy[i+1]))
	}
	if far == 0 {
		return
	}
	for i := range xy {
		xy[i] *= flatRim / far
	}
}

// checked copies x to float64, or names the first row that cannot be used.
func checked(x []float32, d int, c float64) ([]float64, error) {
	if d < 1 || len(x)%d != 0 {
		panic(fmt.Sprintf("reduce: x has %d entries, want rows of %d", len(x), d))
	}
	if len(x) == 0 {
		return nil, fmt.Errorf("reduce: no points")
	}
	w := wide(x)
	return w, inBall(w, d, c)
}

// wide is x in float64.
func wide(x []float32) []float64 {
	w := make([]float64, len(x))
	for i, v := range x {
		w[i] = float64(v)
	}
	return w
}

// inBall returns an error that names the first row that is not a point of the
// ball, of the plain space for c = 0.
func inBall(x []float64, d int, c float64) error {
	for i := 0; i < len(x); i += d {
		var sq float64
		for k, v := range x[i : i+d] {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("reduce: row %d, column %d is %g: the embedding has diverged; look at the loss and lower the rate", i/d, k, v)
			}
			sq += v * v
		}
		if c*sq >= 1 {
			return fmt.Errorf("reduce: row %d is not on the ball: c‖x‖² = %g, must be below 1; map tangent vectors by expmap0 first, or clip or project", i/d, c*sq)
		}
	}
	return nil
}

// equalRows says whether all rows are the same. Their mean differs from them by
// rounding, which must not be drawn as a shape.
func equalRows(x []float64, d int) bool {
	for i := d; i < len(x); i += d {
		if !slices.Equal(x[i:i+d], x[:d]) {
			return false
		}
	}
	return true
}

package reduce

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// PCA maps Euclidean embeddings to the plane of their two principal
// directions, with the arithmetic mean at the origin.
//
//	tᵢ = ((xᵢ-x̄)·e₁, (xᵢ-x̄)·e₂),  e₁ e₂ the first eigenvectors of Σ (xᵢ-x̄)(xᵢ-x̄)ᵀ
//
// x is n×d, row-major; the result is n×2 in the units of x. Signs, special
// cases, errors and panics are as for TangentPCA with c = 0, but nothing is
// scaled. For a picture of cosine embeddings, scale the rows to length 1 first.
//
// Cost: nd² + d³.
func PCA(x []float32, d int) ([]float64, Quality, error) {
	u, err := checked(x, d, 0)
	if err != nil {
		return nil, Quality{}, err
	}
	if equalRows(u, d) {
		clear(u)
	} else {
		centre(u, d)
	}
	xy, explained, err := principal(u, d)
	if err != nil {
		return nil, Quality{}, err
	}
	return xy, judged(Quality{Method: "PCA", Explained: explained}, xy, u, d, plainShape), nil
}

// centre takes the arithmetic mean from every row.
func centre(x []float64, d int) {
	n := float64(len(x) / d)
	for k := range d {
		var sum float64
		for i := k; i < len(x); i += d {
			sum += x[i] / n
		}
		for i := k; i < len(x); i += d {
			x[i] -= sum
		}
	}
}

// principal returns the coordinates of centred rows u along the two directions
// of the largest second moment, and the share of the whole that they hold: 1
// if there is none.
func principal(u []float64, d int) (xy []float64, explained float64, err error) {
	n := len(u) / d
	rows := mat.NewDense(n, d, u)
	var moment mat.SymDense
	moment.SymOuterK(1/float64(n), rows.T())
	var eig mat.EigenSym
	if !eig.Factorize(&moment, true) {
		return nil, 0, fmt.Errorf("reduce: the eigenvectors of the %d×%d moments of %d points did not converge", d, d, n)
	}
	values := eig.Values(nil) // ascending
	var vectors mat.Dense
	eig.VectorsTo(&vectors)

	xy = make([]float64, 2*n)
	var kept float64
	for axis := range min(2, d) {
		e := mat.Col(nil, d-1-axis, &vectors)
		fixSign(e)
		kept += max(values[d-1-axis], 0)
		for i := range n {
			xy[2*i+axis] = mat.Dot(rows.RowView(i), mat.NewVecDense(d, e))
		}
	}
	whole := mat.Trace(&moment)
	if whole == 0 {
		return xy, 1, nil
	}
	return xy, min(kept/whole, 1), nil
}

// fixSign turns e so that its entry of largest size, the first of equals, is
// positive.
func fixSign(e []float64) {
	largest := 0
	for k, v := range e {
		if math.Abs(v) > math.Abs(e[largest]) {
			largest = k
		}
	}
	if e[largest] < 0 {
		for k := range e {
			e[k] = -e[k]
		}
	}
}

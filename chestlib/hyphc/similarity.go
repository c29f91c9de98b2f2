package hyphc

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/internal/parallel"
)

// Similarities says how alike each two of n leaves are. Rows, Points and Matrix
// are three; others may be, if they read only: functions ask from several
// goroutines.
type Similarities interface {
	Len() int
	At(i, j int) float64 // finite and symmetric, usually in [0,1]; 1 for i = j
}

// Rows are similarities by the angle of rows, taken when they are asked for.
//
//	At(i,j) = (1 + cos(xᵢ,xⱼ))/2,  1 for i = j, ½ where either row is zero
//
// Memory: 8nd bytes, 21 MB for 20,000 rows of 128, where their matrix takes
// 3.2 GB. Time: d multiplications each.
type Rows struct {
	n, d int
	x    []float64 // n×d, row-major, rows of length 1 or 0
}

// Standardised makes the similarities of the rows of a table, n×d, row-major,
// as the experiments of HypHC do: each column minus its mean, over its
// deviation (of the population), then rows to length 1. A constant column
// becomes 0.
//
// It gives an error if an entry is not finite, and panics if x is no whole
// number of rows. x is not changed.
func Standardised(x []float64, d int) (*Rows, error) {
	r, err := newRows(x, d)
	if err != nil {
		return nil, err
	}
	for j := range d {
		r.standardise(j)
	}
	return r.scaled(), nil
}

// Cosine makes the similarities of embeddings, n×d, row-major, by their
// angles. Errors and panics are as for Standardised.
func Cosine(x []float32, d int) (*Rows, error) {
	wide := make([]float64, len(x))
	for i, v := range x {
		wide[i] = float64(v)
	}
	r, err := newRows(wide, d)
	if err != nil {
		return nil, err
	}
	return r.scaled(), nil
}

// newRows copies x and checks it.
func newRows(x []float64, d int) (*Rows, error) {
	if d < 1 || len(x)%d != 0 {
		panic(fmt.Sprintf("hyphc: %d entries are no rows of length %d", len(x), d))
	}
	for i, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("hyphc: row %d, column %d is %g: want a finite number; leave the row out or fill the gap", i/d, i%d, v)
		}
	}
	return &Rows{n: len(x) / d, d: d, x: append([]float64(nil), x...)}, nil
}

// standardise takes the mean from column j and divides by its deviation.
func (r *Rows) standardise(j int) {
	var largest, mean, square float64
	for i := j; i < len(r.x); i += r.d {
		largest = max(largest, math.Abs(r.x[i]))
	}
	if largest == 0 {
		return
	}
	for i := j; i < len(r.x); i += r.d {
		r.x[i] /= largest // so that no square overflows; the scale goes out below
		mean += r.x[i] / float64(r.n)
	}
	for i := j; i < len(r.x); i += r.d {
		r.x[i] -= mean
		square += r.x[i] * r.x[i] / float64(r.n)
	}
	scale := 0.0
	if square > constant {
		scale = 1 / math.Sqrt(square)
	}
	for i := j; i < len(r.x); i += r.d {
		r.x[i] *= scale
	}
}

// constant is the variance, relative to the largest entry's square, up to
// which a column counts as constant: the mean's rounding alone gives about 1e-31.
const constant = 1e-28

// scaled brings every row to length 1; zero rows stay.
func (r *Rows) scaled() *Rows {
	for i := range r.n {
		row := r.row(i)
		if largest := floats.Norm(row, math.Inf(1)); largest > 0 {
			floats.Scale(1/largest, row)
			floats.Scale(1/math.Sqrt(floats.Dot(row, row)), row)
		}
	}
	return r
}

func (r *Rows) row(i int) []float64 { return r.x[i*r.d : (i+1)*r.d] }

// Len is the number of rows.
func (r *Rows) Len() int { return r.n }

// At is the similarity of rows i and j.
func (r *Rows) At(i, j int) float64 {
	if i == j {
		return 1
	}
	return (1 + min(max(floats.Dot(r.row(i), r.row(j)), -1), 1)) / 2
}

// Matrix is similarities as they are, n×n, in memory: 8n² bytes.
type Matrix struct {
	n int
	w []float64
}

// NewMatrix takes the n×n similarities w, row-major; it keeps w. It gives an
// error if they are not finite or not symmetric, and panics if w is not n×n.
func NewMatrix(w []float64, n int) (*Matrix, error) {
	if n < 0 || len(w) != n*n {
		panic(fmt.Sprintf("hyphc: %d similarities, want %d×%d", len(w), n, n))
	}
	for i := range n {
		for j := range i + 1 {
			a, b := w[i*n+j], w[j*n+i]
			if err := finite(a, i, j); err != nil {
				return nil, err
			}
			if a != b {
				return nil, fmt.Errorf("hyphc: similarity of leaves %d and %d is %g, of %[2]d and %[1]d %[4]g: want a symmetric matrix; take the mean", i, j, a, b)
			}
		}
	}
	return &Matrix{n: n, w: w}, nil
}

// Len is the number of leaves.
func (m *Matrix) Len() int { return m.n }

// At is the similarity of leaves i and j.
func (m *Matrix) At(i, j int) float64 { return m.w[i*m.n+j] }

// finite says what is wrong with the similarity w of leaves i and j.
func finite(w float64, i, j int) error {
	if math.IsNaN(w) || math.IsInf(w, 0) {
		return fmt.Errorf("hyphc: similarity of leaves %d and %d is %g: want a finite number; zero or repair the rows it comes from", i, j, w)
	}
	return nil
}

// checkFinite looks at all pairs, unless they are known to be finite.
func checkFinite(ctx context.Context, s Similarities) error {
	switch s.(type) {
	case *Rows, *Matrix:
		return nil
	}
	return parallel.Try(s.Len(), 16, func(lo, hi int) error {
		for i := lo; i < hi; i++ {
			for j := range i {
				if err := finite(s.At(i, j), i, j); err != nil {
					return err
				}
			}
		}
		return ctx.Err()
	})
}

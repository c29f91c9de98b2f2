package poincare

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/internal/parallel"
)

// near is the share of ‖x‖²+‖y‖² below which ‖x-y‖² from dot products has lost
// too many digits (relative error 2⁻⁵³/near) and is taken from the differences.
const near = 1e-5

// blockRows is how many rows of a matrix of distances one task computes.
const blockRows = 16

// Distances writes the geodesic distance of every row of x to every row of y
// into dst.
//
//	dst[i*m+j] = (2/s) arsinh( s‖xᵢ-yⱼ‖ / √((1-c‖xᵢ‖²)(1-c‖yⱼ‖²)) )
//
// Shapes: x is n×d, y is m×d, dst is n×m, which must not overlap x or y. Cost:
// one matrix product and n·m arsinh; pairs that nearly coincide are computed
// from their differences.
func Distances(dst, x, y []float64, d int, c float64) []float64 {
	return new(Pairs).Distances(dst, x, y, d, c)
}

// DistancesGrad adds the gradients of Distances by x and y to gx and gy, for
// the gradient g (n×m) by its result; see Pairs.Grad.
func DistancesGrad(gx, gy, g, x, y []float64, d int, c float64) {
	var p Pairs
	p.Distances(nil, x, y, d, c)
	p.Grad(gx, gy, g)
}

// Pairs computes matrices of distances and their gradients in memory that it
// keeps from call to call. The zero value is ready to use.
type Pairs struct {
	n, m, d int
	c       float64
	x, y    []float64 // of the last call of Distances, not copied
	xx, yy  []float64 // ‖xᵢ‖², ‖yⱼ‖²
	sq, w   []float64 // n×m: ‖xᵢ-yⱼ‖², and w of Grad
	sum     []float64 // row or column sums of w sq
}

// Distances is the function Distances; x and y must stay as they are until the
// last call of Grad that belongs to it.
func (p *Pairs) Distances(dst, x, y []float64, d int, c float64) []float64 {
	checkCurvature("Distances", c)
	p.n, p.m, p.d, p.c = rows("Distances", x, d), rows("Distances", y, d), d, c
	p.x, p.y = x, y
	p.xx, p.yy = squaredNorms(p.xx, x, d), squaredNorms(p.yy, y, d)
	p.sq = resized(p.sq, p.n*p.m)
	dst = into("Distances", dst, p.n*p.m)
	product(p.sq, x, y, p.n, p.m, d)
	s := math.Sqrt(c)
	parallel.For(p.n, blockRows, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			a, xi := 1-c*p.xx[i], x[i*d:(i+1)*d]
			for j, yy := range p.yy {
				at := i*p.m + j
				p.sq[at] = squared(p.xx[i], yy, p.sq[at], xi, y[j*d:(j+1)*d])
				dst[at] = distance(p.sq[at], a, 1-c*yy, s)
			}
		}
	})
	return dst
}

// Grad adds the gradients of the last Distances by x and y to gx and gy, for
// the gradient g (n×m) by its result. gx or gy may be nil.
//
// With w = 2g/(√Q ‖xᵢ-yⱼ‖) and v = w ‖xᵢ-yⱼ‖², all n×m and 0 for coincident
// pairs:
//
//	gx += rowsum(w) x - w y + c (rowsum(v)/A) x
//	gy += colsum(w) y - wᵀx + c (colsum(v)/B) y
//
// Cost: one matrix product for gx, one for gy; nothing of size n×m×d.
func (p *Pairs) Grad(gx, gy, g []float64) {
	if len(g) != p.n*p.m {
		panic(fmt.Sprintf("poincare: DistancesGrad: g has %d entries, want %d×%d", len(g), p.n, p.m))
	}
	if p.n == 0 || p.m == 0 {
		return
	}
	p.w = resized(p.w, p.n*p.m)
	parallel.For(p.n, blockRows, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			for at := i * p.m; at < (i+1)*p.m; at++ {
				p.w[at] = 0
				if sq := p.sq[at]; sq > 0 {
					q := (1-p.c*p.xx[i])*(1-p.c*p.yy[at-i*p.m]) + p.c*sq
					p.w[at] = 2 * g[at] / math.Sqrt(q*sq)
				}
			}
		}
	})
	w := general(p.w, p.n, p.m)
	if gx != nil {
		into("DistancesGrad", gx, p.n*p.d)
		p.scaleRows(gx)
		blas64.Gemm(blas.NoTrans, blas.NoTrans, -1, w, general(p.y, p.m, p.d), 1, general(gx, p.n, p.d))
	}
	if gy != nil {
		into("DistancesGrad", gy, p.m*p.d)
		p.scaleColumns(gy)
		blas64.Gemm(blas.Trans, blas.NoTrans, -1, w, general(p.x, p.n, p.d), 1, general(gy, p.m, p.d))
	}
}

// scaleRows adds (rowsum(w) + c rowsum(v)/A) x to gx.
func (p *Pairs) scaleRows(gx []float64) {
	for i := range p.n {
		scale, over := 0.0, p.c/(1-p.c*p.xx[i])
		for at := i * p.m; at < (i+1)*p.m; at++ {
			scale += p.w[at] * (1 + over*p.sq[at])
		}
		floats.AddScaled(gx[i*p.d:(i+1)*p.d], scale, p.x[i*p.d:(i+1)*p.d])
	}
}

// scaleColumns adds (colsum(w) + c colsum(v)/B) y to gy.
func (p *Pairs) scaleColumns(gy []float64) {
	p.sum = resized(p.sum, p.m)
	clear(p.sum)
	for i := range p.n {
		for j := range p.sum {
			at := i*p.m + j
			p.sum[j] += p.w[at] * (1 + p.c*p.sq[at]/(1-p.c*p.yy[j]))
		}
	}
	for j, scale := range p.sum {
		floats.AddScaled(gy[j*p.d:(j+1)*p.d], scale, p.y[j*p.d:(j+1)*p.d])
	}
}

// squared returns ‖x-y‖² from ‖x‖², ‖y‖² and x·y, or from the differences where
// these cancel.
func squared(xx, yy, xy float64, x, y []float64) float64 {
	if sq := xx + yy - 2*xy; sq > near*(xx+yy) {
		return sq
	}
	return squaredDistance(x, y)
}

// squaredNorms returns ‖xᵢ‖² of the rows of x, in the memory of xx.
func squaredNorms(xx, x []float64, d int) []float64 {
	xx = resized(xx, len(x)/d)
	for i := range xx {
		xx[i] = floats.Dot(x[i*d:(i+1)*d], x[i*d:(i+1)*d])
	}
	return xx
}

// resized returns a slice of n entries, in the memory of x if that is enough.
func resized(x []float64, n int) []float64 {
	if cap(x) < n {
		return make([]float64, n)
	}
	return x[:n]
}

// product writes x yᵀ into dst.
func product(dst, x, y []float64, n, m, d int) {
	if n > 0 && m > 0 {
		blas64.Gemm(blas.NoTrans, blas.Trans, 1, general(x, n, d), general(y, m, d), 0, general(dst, n, m))
	}
}

func general(x []float64, n, d int) blas64.General {
	return blas64.General{Rows: n, Cols: d, Stride: d, Data: x}
}

// rows returns the number of rows of the n×d matrix x.
func rows(name string, x []float64, d int) int {
	if d < 1 || len(x)%d != 0 {
		panic(fmt.Sprintf("poincare: %s: %d entries are no rows of %d", name, len(x), d))
	}
	return len(x) / d
}

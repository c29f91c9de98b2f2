package sgemm

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// BLAS is gonum's BLAS with the float32 product of this package. blas32.Use
// makes gonum's float32 matrices use it, gorgonia.Use Gorgonia's.
type BLAS struct{ gonum.Implementation }

// Sgemm computes C = alpha op(A) op(B) + beta C, with row-major A, B, C whose
// rows are lda, ldb, ldc apart. op(A) is m×k, op(B) k×n. It panics on what
// gonum's Sgemm panics on.
func (b BLAS) Sgemm(tA, tB blas.Transpose, m, n, k int, alpha float32, A []float32, lda int, B []float32, ldb int, beta float32, C []float32, ldc int) {
	if !valid(tA, tB, m, n, k, A, lda, B, ldb, C, ldc) || alpha == 0 || m == 0 || n == 0 || k == 0 {
		b.Implementation.Sgemm(tA, tB, m, n, k, alpha, A, lda, B, ldb, beta, C, ldc) // panics, or is at once done
		return
	}
	aT, bT := tA != blas.NoTrans, tB != blas.NoTrans
	Mul(Matrix{C, m, n, ldc}, operand(A, m, k, lda, aT), aT, operand(B, k, n, ldb, bT), bT, alpha, beta)
}

// operand is the matrix whose op is rows×cols.
func operand(data []float32, rows, cols, stride int, transposed bool) Matrix {
	if transposed {
		rows, cols = cols, rows
	}
	return Matrix{data, rows, cols, stride}
}

// valid tells whether gonum would take the arguments.
func valid(tA, tB blas.Transpose, m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int) bool {
	known := func(t blas.Transpose) bool { return t == blas.NoTrans || t == blas.Trans || t == blas.ConjTrans }
	if !known(tA) || !known(tB) || m < 0 || n < 0 || k < 0 {
		return false
	}
	fits := func(x Matrix) bool {
		return x.Stride >= max(1, x.Cols) && (x.Rows == 0 || x.Cols == 0 || len(x.Data) >= (x.Rows-1)*x.Stride+x.Cols)
	}
	return fits(operand(a, m, k, lda, tA != blas.NoTrans)) && fits(operand(b, k, n, ldb, tB != blas.NoTrans)) && fits(Matrix{c, m, n, ldc})
}

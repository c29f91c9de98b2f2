package kernels

import (
	"fmt"

	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
)

// Form says which operand of a product is given transposed.
type Form int

// Forms.
const (
	NN Form = iota // A is m×k, B is k×n
	NT             // B is n×k
	TN             // A is k×m
)

func (f Form) String() string { return [...]string{"nn", "nt", "tn"}[f] }

// Product is C = alpha op(A) op(B) + beta C, C m×n, all row-major with rows of
// lda, ldb and ldc entries; 0 means dense.
type Product struct {
	Form          Form
	A, B, C       driver.Memory
	M, N, K       int
	LDA, LDB, LDC int
	Alpha, Beta   float32
	Splits        int // 0 means 1: parts of the depth, each written to an own m×n of C, dense, without beta
}

const (
	tile  = 128 // rows and columns of C that a block computes
	depth = 16  // that it takes at once
)

// Splits is the number of parts to compute a product in; cuBLAS cuts by itself.
func (s *Set) Splits(m, n, k int) int {
	if s.blas != nil {
		return 1
	}
	return Splits(m, n, k)
}

// Splits is a number of parts for a product that is small in m and n but deep,
// to keep a large device busy. It depends on the sizes alone: so do the bits.
func Splits(m, n, k int) int {
	const enough, least = 256, 256 // blocks; depth of a part
	return max(min(enough/max(blocks(m, tile)*blocks(n, tile), 1), k/least), 1)
}

// UseBLAS lets b compute the products, nil our own kernel.
func (s *Set) UseBLAS(b *driver.BLAS) { s.blas = b }

// BLAS is what computes the products, nil for our own kernel.
func (s *Set) BLAS() *driver.BLAS { return s.blas }

// Gemm queues a product in float32.
func (s *Set) Gemm(p Product) error {
	aCols, bCols := p.K, p.N
	if p.Form == TN {
		aCols = p.M
	}
	if p.Form == NT {
		bCols = p.K
	}
	lda, ldb, ldc := orDense(p.LDA, aCols), orDense(p.LDB, bCols), orDense(p.LDC, p.N)
	splits := max(p.Splits, 1)
	if splits > 1 && (ldc != p.N || p.Beta != 0) {
		return fmt.Errorf("cuda: a product in %d parts needs a dense result and no beta", splits)
	}
	if p.M == 0 || p.N == 0 {
		return nil
	}
	if s.blas != nil && splits == 1 && p.K > 0 {
		return s.blas.Sgemm(p.Form == TN, p.Form == NT, p.M, p.N, p.K, p.Alpha, p.A, lda, p.B, ldb, p.Beta, p.C, ldc)
	}
	part := blocks(blocks(p.K, splits), depth) * depth
	grid := driver.Grid{X: blocks(p.N, tile), Y: blocks(p.M, tile), Z: splits}
	return s.launch("gemm_"+p.Form.String(), grid, 256, p.A, p.B, p.C, p.M, p.N, p.K, lda, ldb, ldc, part, p.Alpha, p.Beta)
}

// Scale writes by times the n floats x to dst: a product with a matrix of one number,
// for which there is room at number.
func (s *Set) Scale(dst, x, number driver.Memory, n int, by float32) error {
	if err := s.Fill(number, 1, by); err != nil {
		return err
	}
	return s.Gemm(Product{Form: NN, A: number, B: x, C: dst, M: 1, N: n, K: 1, Alpha: 1})
}

func orDense(ld, columns int) int {
	if ld == 0 {
		return columns
	}
	return ld
}

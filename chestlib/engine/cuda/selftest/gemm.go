package selftest

import (
	"fmt"

	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
)

func gemmCases() (all []Case) {
	shapes := []struct {
		m, n, k, splits int
		pad             int // entries between rows
		alpha, beta     float32
	}{
		{m: 1, n: 1, k: 1, alpha: 1}, {m: 3, n: 5, k: 7, alpha: 1}, {m: 64, n: 64, k: 64, alpha: 1}, {m: 31, n: 33, k: 257, alpha: -1, beta: 1},
		{m: 129, n: 130, k: 33, alpha: 2, beta: 0.5}, {m: 128, n: 128, k: 16, alpha: 1, pad: 4}, {m: 17, n: 19, k: 21, alpha: 1, pad: 3},
		{m: 40, n: 72, k: 300, alpha: 1, splits: 3}, {m: 5, n: 6, k: 40, alpha: -1, splits: 4}, {m: 4, n: 4, k: 0, alpha: 1},
	}
	for _, form := range []kernels.Form{kernels.NN, kernels.NT, kernels.TN} {
		for _, s := range shapes {
			all = append(all, Case{
				Name:  fmt.Sprintf("gemm %v %d×%d×%d, %d parts, pad %d", form, s.m, s.n, s.k, max(s.splits, 1), s.pad),
				Quick: s.m == 64 || s.m == 31,
				run:   func(b *bed) { gemm(b, form, s.m, s.n, s.k, s.splits, s.pad, s.alpha, s.beta) },
			})
		}
	}
	return all
}

func gemm(b *bed, form kernels.Form, m, n, k, splits, pad int, alpha, beta float32) {
	rowsA, colsA, rowsB, colsB := m, k, k, n
	if form == kernels.TN {
		rowsA, colsA = k, m
	}
	if form == kernels.NT {
		rowsB, colsB = n, k
	}
	lda, ldb, ldc := colsA+pad, colsB+pad, n
	if splits <= 1 {
		ldc += pad
	}
	A, B := b.random(rowsA*lda+1, 1), b.random(rowsB*ldb+1, 1)
	C := b.random(m*ldc*max(splits, 1), 1)
	at := func(x []float32, ld, i, j int, flip bool) float64 {
		if flip {
			i, j = j, i
		}
		return float64(x[i*ld+j])
	}
	want := make([]float64, m*n)
	for i := range m {
		for j := range n {
			var sum float64
			for l := range k {
				sum += at(A, lda, i, l, form == kernels.TN) * at(B, ldb, l, j, form == kernels.NT)
			}
			want[i*n+j] = float64(alpha) * sum
			if beta != 0 {
				want[i*n+j] += float64(beta) * float64(C[i*ldc+j])
			}
		}
	}
	dA, dB, dC := b.floats(A), b.floats(B), b.floats(C)
	if b.err != nil {
		return
	}
	b.do(b.s.Gemm(kernels.Product{Form: form, A: dA, B: dB, C: dC, M: m, N: n, K: k, LDA: lda, LDB: ldb, LDC: ldc, Alpha: alpha, Beta: beta, Splits: splits}))
	got := b.getFloats(dC, len(C))
	dense := make([]float64, m*n)
	for s := range max(splits, 1) {
		for i := range m {
			for j := range n {
				dense[i*n+j] += float64(got[s*m*n+i*ldc+j])
			}
			for j := n; j < ldc; j++ {
				if got[i*ldc+j] != C[i*ldc+j] {
					b.do(fmt.Errorf("the padding of row %d was written to", i))
				}
			}
		}
	}
	b.nearDoubles("C", dense, want, 2e-6)
}

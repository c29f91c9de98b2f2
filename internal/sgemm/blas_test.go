package sgemm

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/blas/gonum"
)

var _ blas.Float32 = BLAS{}

// TestBLAS compares with gonum's own product, with rows farther apart than long.
func TestBLAS(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, tA := range []blas.Transpose{blas.NoTrans, blas.Trans, blas.ConjTrans} {
		for _, tB := range []blas.Transpose{blas.NoTrans, blas.Trans} {
			for _, s := range shapes {
				m, n, k := s[0], s[1], s[2]
				ra, ca, rb, cb := m, k, k, n
				if tA != blas.NoTrans {
					ra, ca = ca, ra
				}
				if tB != blas.NoTrans {
					rb, cb = cb, rb
				}
				lda, ldb, ldc := ca+3, cb+1, n+2
				a, b, c := normal(rng, ra*lda), normal(rng, rb*ldb), normal(rng, m*ldc)
				for _, f := range [][2]float32{{1, 0}, {0.5, 1}, {-2, 0.25}, {0, 0.5}} {
					want, got := append([]float32(nil), c...), append([]float32(nil), c...)
					gonum.Implementation{}.Sgemm(tA, tB, m, n, k, f[0], a, max(lda, 1), b, max(ldb, 1), f[1], want, max(ldc, 1))
					BLAS{}.Sgemm(tA, tB, m, n, k, f[0], a, max(lda, 1), b, max(ldb, 1), f[1], got, max(ldc, 1))
					for i := range got {
						if d := got[i] - want[i]; d > 2e-3 || d < -2e-3 {
							t.Fatalf("%c%c %v %v: entry %d is %g, want %g", tA, tB, s, f, i, got[i], want[i])
						}
					}
				}
			}
		}
	}
}

// TestBLASPanics: where gonum panics, so does this, with the same words.
func TestBLASPanics(t *testing.T) {
	x := make([]float32, 6)
	words := func(b blas.Float32, f func(blas.Float32)) (r any) {
		defer func() { r = recover() }()
		f(b)
		return nil
	}
	for i, f := range []func(blas.Float32){
		func(b blas.Float32) { b.Sgemm('x', blas.NoTrans, 2, 2, 3, 1, x, 3, x, 2, 0, x, 2) },
		func(b blas.Float32) { b.Sgemm(blas.NoTrans, 'x', 2, 2, 3, 1, x, 3, x, 2, 0, x, 2) },
		func(b blas.Float32) { b.Sgemm(blas.NoTrans, blas.NoTrans, -1, 2, 3, 1, x, 3, x, 2, 0, x, 2) },
		func(b blas.Float32) { b.Sgemm(blas.NoTrans, blas.NoTrans, 2, 2, 3, 1, x, 2, x, 2, 0, x, 2) },
		func(b blas.Float32) { b.Sgemm(blas.NoTrans, blas.NoTrans, 2, 2, 3, 1, x[:5], 3, x, 2, 0, x, 2) },
		func(b blas.Float32) { b.Sgemm(blas.NoTrans, blas.NoTrans, 2, 2, 3, 1, x, 3, x[:5], 2, 0, x, 2) },
		func(b blas.Float32) { b.Sgemm(blas.NoTrans, blas.NoTrans, 2, 2, 3, 1, x, 3, x, 2, 0, x[:3], 2) },
	} {
		got, want := words(BLAS{}, f), words(gonum.Implementation{}, f)
		if want == nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("call %d: %v, want %v", i, got, want)
		}
	}
}

// TestUse: gonum's float32 matrices reach this package.
func TestUse(t *testing.T) {
	counted := &counter{}
	blas32.Use(counted)
	defer blas32.Use(gonum.Implementation{})
	rng := rand.New(rand.NewPCG(1, 2))
	a, b, c := normal(rng, 12), normal(rng, 20), make([]float32, 15)
	blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, blas32.General{Rows: 3, Cols: 4, Stride: 4, Data: a}, blas32.General{Rows: 4, Cols: 5, Stride: 5, Data: b},
		0, blas32.General{Rows: 3, Cols: 5, Stride: 5, Data: c})
	want := twin(c, a, b, 3, 5, 4, 0, false, false)
	for i := range c {
		if d := float64(c[i]) - want[i]; d > 1e-5 || d < -1e-5 {
			t.Errorf("entry %d is %g, want %g", i, c[i], want[i])
		}
	}
	if counted.calls != 1 {
		t.Errorf("%d calls, want 1", counted.calls)
	}
}

// counter is BLAS that counts products.
type counter struct {
	BLAS
	calls int
}

func (c *counter) Sgemm(tA, tB blas.Transpose, m, n, k int, alpha float32, A []float32, lda int, B []float32, ldb int, beta float32, C []float32, ldc int) {
	c.calls++
	c.BLAS.Sgemm(tA, tB, m, n, k, alpha, A, lda, B, ldb, beta, C, ldc)
}

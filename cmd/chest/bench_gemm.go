package main

import (
	"math/rand/v2"

	"github.com/spf13/cobra"

	"github.com/chestlab/chest/internal/sgemm"
)

func benchGEMM(f *benchFlags) *cobra.Command {
	sizes := []size{{"m", 1024}, {"n", 1024}, {"k", 1024}}
	var aT, bT bool
	c := &cobra.Command{
		Use:   "gemm",
		Short: "A product of float32 matrices",
		Long: `A product of float32 matrices, m×k by k×n. With --ta or --tb the first or the
second lies transposed in memory.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			n, err := sizesOf(sizes)
			if err != nil {
				return err
			}
			return f.measure(cmd.Context(), func() (work, error) { return gemmWork(sizes, n, aT, bT) })
		},
	}
	addSizes(c, sizes, map[string]string{"m": "rows", "n": "columns", "k": "terms of an entry"})
	c.Flags().BoolVar(&aT, "ta", false, "the first matrix is k×m in memory")
	c.Flags().BoolVar(&bT, "tb", false, "the second matrix is n×k in memory")
	return c
}

// gemmWork is a product of random matrices.
func gemmWork(sizes []size, n map[string]int, aT, bT bool) (work, error) {
	m, cols, k := n["m"], n["n"], n["k"]
	rng := rand.New(rand.NewPCG(1, 2))
	matrix := func(rows, cols int, transposed bool) sgemm.Matrix {
		if transposed {
			rows, cols = cols, rows
		}
		x := make([]float32, rows*cols)
		for i := range x {
			x[i] = rng.Float32() - 0.5
		}
		return sgemm.Dense(x, rows, cols)
	}
	a, b, dst := matrix(m, k, aT), matrix(k, cols, bT), matrix(m, cols, false)
	flags := func(t bool) int {
		if t {
			return 1
		}
		return 0
	}
	return work{
		name: "gemm", sizes: append(sizes[:len(sizes):len(sizes)], size{"ta", flags(aT)}, size{"tb", flags(bT)}),
		flops: 2 * float64(m) * float64(cols) * float64(k),
		run: func() error {
			sgemm.Mul(dst, a, aT, b, bT, 1, 0)
			return nil
		},
	}, nil
}

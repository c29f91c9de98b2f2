package sgemm

import (
	"time"

	"github.com/chestlab/chest/internal/cpu"
)

//go:generate go run -C ../asm ./sgemm -dir ../sgemm

// sets are the kernels by level.
var sets = [...]set{
	cpu.Generic: generic,
	cpu.AVX2: {
		width: 16, heights: []int{6, 4, 2},
		packed: func(rows, k int, a, b, c *float32, ldc int, alpha, beta float32) {
			switch rows {
			case 6:
				kernelAVX26(k, a, b, c, ldc, alpha, beta)
			case 4:
				kernelAVX24(k, a, b, c, ldc, alpha, beta)
			default:
				kernelAVX22(k, a, b, c, ldc, alpha, beta)
			}
		},
		strided:        kernelAVX2Strided,
		transposeRight: transposeAVX2, rightRows: 8,
		copyRight: copyAVX2,
	},
	cpu.AVX512: {
		width: 32, heights: []int{12, 8, 4},
		packed: func(rows, k int, a, b, c *float32, ldc int, alpha, beta float32) {
			switch rows {
			case 12:
				kernelAVX51212(k, a, b, c, ldc, alpha, beta)
			case 8:
				kernelAVX5128(k, a, b, c, ldc, alpha, beta)
			default:
				kernelAVX5124(k, a, b, c, ldc, alpha, beta)
			}
		},
		strided:        kernelAVX512Strided,
		transposeRight: transposeAVX512, rightRows: 16,
		transposeLeft: transposeAVX51212, leftSlack: 4,
		copyRight: copyAVX512, copyLeft: copy12,
	},
}

// Peak measures the float operations a second of one thread at level l that a
// loop of independent fused multiply-adds reaches, 0 for the generic level.
// It takes about 50 ms.
func Peak(l cpu.Level) float64 {
	run, lanes := peakAVX2, 8
	switch l {
	case cpu.Generic:
		return 0
	case cpu.AVX512:
		run, lanes = peakAVX512, 16
	}
	const rounds = 1 << 20
	best := time.Duration(1 << 62)
	for range 10 {
		t := time.Now()
		run(rounds)
		best = min(best, time.Since(t))
	}
	return 2 * 12 * rounds * float64(lanes) / best.Seconds()
}

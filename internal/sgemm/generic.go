package sgemm

import "unsafe"

// generic are the kernels in plain Go.
var generic = set{
	width: 8, heights: []int{4},
	packed: func(_, k int, a, b, c *float32, ldc int, alpha, beta float32) {
		kernelGeneric(k, unsafe.Slice(a, 4*k), unsafe.Slice(b, 8*k), unsafe.Slice(c, 3*ldc+8), ldc, alpha, beta)
	},
}

// kernelGeneric is a product of 4 rows and 8 columns, two rows and four
// columns at a time, as many as registers hold.
func kernelGeneric(k int, a, b, c []float32, ldc int, alpha, beta float32) {
	for i := 0; i < 4; i += 2 {
		for j := 0; j < 8; j += 4 {
			var s00, s01, s02, s03, s10, s11, s12, s13 float32
			x, y := a[i:], b[j:]
			for p := 0; p < k; p++ {
				x0, x1 := x[4*p], x[4*p+1]
				q := y[8*p : 8*p+4 : 8*p+4]
				y0, y1, y2, y3 := q[0], q[1], q[2], q[3]
				s00 += x0 * y0
				s01 += x0 * y1
				s02 += x0 * y2
				s03 += x0 * y3
				s10 += x1 * y0
				s11 += x1 * y1
				s12 += x1 * y2
				s13 += x1 * y3
			}
			store(c[i*ldc+j:], alpha, beta, s00, s01, s02, s03)
			store(c[(i+1)*ldc+j:], alpha, beta, s10, s11, s12, s13)
		}
	}
}

func store(c []float32, alpha, beta, s0, s1, s2, s3 float32) {
	c = c[:4]
	if beta == 0 {
		c[0], c[1], c[2], c[3] = alpha*s0, alpha*s1, alpha*s2, alpha*s3
		return
	}
	c[0], c[1], c[2], c[3] = alpha*s0+beta*c[0], alpha*s1+beta*c[1], alpha*s2+beta*c[2], alpha*s3+beta*c[3]
}

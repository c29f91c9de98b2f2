package backbone

import (
	"github.com/chestlab/chest/internal/sgemm"
	"github.com/chestlab/chest/internal/vmath"
)

// linear is y = W x + b of rows x, with W laid out for the kernels once.
type linear struct {
	in, out int
	w       sgemm.Packed
	b       []float32
}

// newLinear makes a linear map of w, out×in.
func newLinear(w, b []float32, out, in int) *linear {
	l := &linear{in: in, out: out, b: b}
	l.w.Pack(sgemm.Dense(w, out, in), true)
	return l
}

// write computes dst = W x + b for the rows of x.
func (l *linear) write(w *sgemm.Workspace, dst []float32, x sgemm.Matrix) {
	for i := range x.Rows {
		copy(dst[i*l.out:(i+1)*l.out], l.b)
	}
	l.product(w, dst, x)
}

// add computes dst += W x + b for the rows of x.
func (l *linear) add(w *sgemm.Workspace, dst []float32, x sgemm.Matrix) {
	for i := range x.Rows {
		row := dst[i*l.out : (i+1)*l.out]
		vmath.Add(row, row, l.b)
	}
	l.product(w, dst, x)
}

func (l *linear) product(w *sgemm.Workspace, dst []float32, x sgemm.Matrix) {
	w.MulPacked(sgemm.Dense(dst[:x.Rows*l.out], x.Rows, l.out), x, false, &l.w, 1, 1)
}

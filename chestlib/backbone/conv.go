package backbone

import (
	"math"

	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/internal/sgemm"
	"github.com/chestlab/chest/internal/vmath"
)

// conv is a convolution with size×size weights, a border of pad zero pixels and
// the BatchNorm behind it, whose running averages have become part of its
// weights and bias.
//
//	y[i,j,o] = b[o] + Σ W[o,k,l,c] x[stride·i+k-pad, stride·j+l-pad, c]
//
// Images are height×width×channels here: the window's pixels of a row are then
// neighbours, and y is a product of a matrix with a row for each pixel and the
// weights, which are laid out for the kernels once. With size 1 and stride 1 that
// matrix is the image itself.
type conv struct {
	in, out           model.Shape
	size, stride, pad int
	relu              bool
	kernel            *linear // of size·size·C numbers
}

// batchEps is what BatchNorm adds to the variance.
const batchEps = 1e-5

// newConv makes a convolution of NAME.weight and the BatchNorm norm.
//
//	W' = W gain/√(var + ε),  b' = bias - mean gain/√(var + ε)
func newConv(t tensors, name, norm string, in model.Shape, channels, size, stride int, relu bool) *conv {
	pad := size / 2
	l := &conv{in: in, size: size, stride: stride, pad: pad, relu: relu}
	l.out = model.Shape{C: channels, H: (in.H+2*pad-size)/stride + 1, W: (in.W+2*pad-size)/stride + 1}
	w, inputs := t[name+".weight"], in.C*size*size
	turned, b := make([]float32, len(w)), make([]float32, channels)
	for o := range channels {
		a := float64(t[norm+".weight"][o]) / math.Sqrt(float64(t[norm+".running_var"][o])+batchEps)
		b[o] = float32(float64(t[norm+".bias"][o]) - a*float64(t[norm+".running_mean"][o]))
		for c := range in.C {
			for place := range size * size {
				turned[o*inputs+place*in.C+c] = float32(a * float64(w[o*inputs+c*size*size+place]))
			}
		}
	}
	l.kernel = newLinear(turned, b, channels, inputs)
	return l
}

// strip is how many pixels are computed at once: a multiple of all kernels'
// heights, and columns of at most about 1 MB.
func (l *conv) strip() int { return min(max((1<<18)/l.in.C/(l.size*l.size)/12, 1), 20) * 12 }

// apply writes n images y, or with add adds to them, and then takes max(y, 0) if
// relu is set.
func (l *conv) apply(w *resNetWorker, y, x []float32, n int, add bool) {
	pixels, c := n*l.out.H*l.out.W, l.out.C
	for lo := 0; lo < pixels; lo += l.strip() {
		hi := min(lo+l.strip(), pixels)
		part, columns := y[lo*c:hi*c], l.columns(w, x, lo, hi)
		if add {
			l.kernel.add(&w.gemm, part, columns)
		} else {
			l.kernel.write(&w.gemm, part, columns)
		}
		if l.relu {
			vmath.Relu(part, part)
		}
	}
}

// columns is a row for each of the pixels [lo, hi) of all images of y with what the
// window shows there, 0 beyond the edge.
func (l *conv) columns(w *resNetWorker, x []float32, lo, hi int) sgemm.Matrix {
	if l.size == 1 && l.stride == 1 {
		return sgemm.Dense(x[lo*l.in.C:hi*l.in.C], hi-lo, l.in.C)
	}
	span := l.size * l.in.C // of a row of the window
	w.columns = grown(w.columns, (hi-lo)*l.kernel.in)
	to := w.columns
	for p := lo; p < hi; p++ {
		image, row := p/l.out.W/l.out.H, p/l.out.W%l.out.H
		top, left := row*l.stride-l.pad, p%l.out.W*l.stride-l.pad
		first, end := max(left, 0), min(left+l.size, l.in.W)
		for k := range l.size {
			row := to[:span]
			to = to[span:]
			if r := top + k; r < 0 || r >= l.in.H {
				clear(row)
				continue
			}
			at := (image*l.in.H + top + k) * l.in.W
			before := (first - left) * l.in.C
			clear(row[:before])
			n := copy(row[before:], x[(at+first)*l.in.C:(at+end)*l.in.C])
			clear(row[before+n:])
		}
	}
	return sgemm.Dense(w.columns, hi-lo, l.kernel.in)
}

// operations are the multiplications and additions of one image.
func (l *conv) operations() float64 {
	return 2 * float64(l.out.H*l.out.W) * float64(l.kernel.in) * float64(l.out.C)
}

// pooled is the shape behind a pool of 3×3 windows in steps of 2, with a border of 1.
func pooled(s model.Shape) model.Shape {
	return model.Shape{C: s.C, H: (s.H-1)/2 + 1, W: (s.W-1)/2 + 1}
}

// maxPool takes the largest entry of each 3×3 window, in steps of 2. x is
// height×width×channels, of shape s, and has no entry below 0: what lies beyond
// the edge counts as 0. NaN gives NaN.
func maxPool(y, x []float32, s model.Shape) {
	out := pooled(s)
	for i := range out.H {
		for j := range out.W {
			to := y[(i*out.W+j)*s.C:][:s.C]
			clear(to)
			for r := max(2*i-1, 0); r < min(2*i+2, s.H); r++ {
				for q := max(2*j-1, 0); q < min(2*j+2, s.W); q++ {
					for c, v := range x[(r*s.W+q)*s.C:][:len(to)] {
						to[c] = max(to[c], v)
					}
				}
			}
		}
	}
}

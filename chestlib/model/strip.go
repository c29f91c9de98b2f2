package model

import "github.com/chestlab/chest/internal/sgemm"

// strip is the part of a batch of images that a convolution computes at once:
// several whole items, or some rows of pixels of one.
type strip struct {
	item, items int
	row, rows   int // of pixels; all of them if items > 1
}

// strips are the strips of the items [first, end).
type strips struct {
	first, end int
	height     int
	items      int // of a strip
	rows       int
}

// cutStrips cuts items so that the columns of a strip, of channels·9 entries a
// pixel of out, are at most about 1 MB. It depends on sizes alone.
func cutStrips(first, end, channels int, out Shape) strips {
	pixels := max(min((1<<18)/(9*channels), 1024), 64)
	s := strips{first: first, end: end, height: out.H, items: 1, rows: out.H}
	if plane := out.H * out.W; plane <= pixels {
		s.items = pixels / plane
	} else {
		s.rows = max(pixels/out.W, 1)
	}
	return s
}

func (s strips) count() int {
	if s.items > 1 {
		return (s.end - s.first + s.items - 1) / s.items
	}
	return (s.end - s.first) * s.perItem()
}

func (s strips) perItem() int { return (s.height + s.rows - 1) / s.rows }

func (s strips) at(i int) strip {
	if s.items > 1 {
		item := s.first + i*s.items
		return strip{item, min(s.items, s.end-item), 0, s.height}
	}
	row := i % s.perItem() * s.rows
	return strip{s.first + i/s.perItem(), 1, row, min(s.rows, s.height-row)}
}

// columns writes, for each channel of x and each place of a 3×3 window, the
// pixel that the window shows there for each pixel of the strip of out; 0
// beyond the edge.
//
//	dst[9c+3k+l, p] = x[c, stride·i+k-1, stride·j+l-1],  p = (item, i, j)
func (s strip) columns(dst, x []float32, in, out Shape, stride int) []float32 {
	each := s.rows * out.W
	length := s.items * each
	dst = resized(dst, 9*in.C*length)
	for m := range s.items {
		image := x[(s.item+m)*in.Size() : (s.item+m+1)*in.Size()]
		for c := range in.C {
			plane := image[c*in.H*in.W : (c+1)*in.H*in.W]
			for place := range 9 {
				k, l := place/3-1, place%3-1
				row := dst[(9*c+place)*length+m*each:]
				for i := range s.rows {
					to := row[i*out.W : (i+1)*out.W]
					at := stride*(s.row+i) + k
					if at < 0 || at >= in.H {
						clear(to)
						continue
					}
					shift(to, plane[at*in.W:(at+1)*in.W], stride, l)
				}
			}
		}
	}
	return dst
}

// shift writes to[j] = from[stride·j+l], 0 beyond the ends. l is -1, 0 or 1.
func shift(to, from []float32, stride, l int) {
	if stride == 1 {
		switch l {
		case -1:
			to[0] = 0
			copy(to[1:], from)
		case 0:
			copy(to, from)
		default:
			to[copy(to, from[1:])] = 0
		}
		return
	}
	for j := range to {
		to[j] = 0
		if at := stride*j + l; at >= 0 && at < len(from) {
			to[j] = from[at]
		}
	}
}

// view is the strip of a batch x as a matrix of a row for each channel: the
// batch itself, or rows, in memory of the caller, if there are several items.
func (s strip) view(rows *[]float32, x []float32, shape Shape) sgemm.Matrix {
	plane := shape.H * shape.W
	if s.items == 1 {
		return sgemm.Matrix{Data: x[s.item*shape.Size()+s.row*shape.W : (s.item+1)*shape.Size()], Rows: shape.C, Cols: s.rows * shape.W, Stride: plane}
	}
	*rows = resized(*rows, shape.C*s.items*plane)
	return sgemm.Dense(*rows, shape.C, s.items*plane)
}

// get fills a view with the batch x, put writes it back.
func (s strip) get(x []float32, shape Shape, view sgemm.Matrix) {
	s.each(x, shape, view, func(batch, row []float32) { copy(row, batch) })
}

func (s strip) put(x []float32, shape Shape, view sgemm.Matrix) {
	s.each(x, shape, view, func(batch, row []float32) { copy(batch, row) })
}

func (s strip) each(x []float32, shape Shape, view sgemm.Matrix, f func(batch, row []float32)) {
	if s.items == 1 {
		return
	}
	plane := shape.H * shape.W
	for m := range s.items {
		for c := range shape.C {
			f(x[((s.item+m)*shape.C+c)*plane:][:plane], view.Data[c*view.Stride+m*plane:][:plane])
		}
	}
}

// spreadOut writes items of shape s into items of the channels of s and the size of
// t, pixel (i,j) to (2i,2j), zeros between them.
func spreadOut(dst, x []float32, s, t Shape) []float32 {
	planes := len(x) / (s.H * s.W)
	dst = resized(dst, planes*t.H*t.W)
	clear(dst)
	for p := range planes {
		for i := range s.H {
			to := dst[(p*t.H+2*i)*t.W:][:t.W]
			for j, v := range x[(p*s.H+i)*s.W:][:s.W] {
				to[2*j] = v
			}
		}
	}
	return dst
}

func fill(x []float32, v float32) {
	for i := range x {
		x[i] = v
	}
}

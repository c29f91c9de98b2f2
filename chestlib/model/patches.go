package model

// item is item i of x.
func item(x []float32, i int, s Shape) []float32 { return x[i*s.Size() : (i+1)*s.Size()] }

func fill(x []float32, v float32) {
	for i := range x {
		x[i] = v
	}
}

// bordered writes an item of shape s into the inside of an item of s.C channels
// of h×w pixels with a border of one zero pixel, and returns it. With stride 2
// the pixels are spread out: (i,j) goes to (2i,2j), the others are 0.
//
// dst is what bordered returned before, for the same arguments but x: where
// nothing is written it stays zero.
func bordered(dst, x []float32, s Shape, stride, h, w int) []float32 {
	if size := s.C * (h + 2) * (w + 2); len(dst) != size {
		dst = make([]float32, size)
	}
	for c := range s.C {
		for i := range s.H {
			row := x[(c*s.H+i)*s.W:][:s.W]
			to := dst[(c*(h+2)+stride*i+1)*(w+2)+1:][:w]
			if stride == 1 {
				copy(to, row)
				continue
			}
			for j, v := range row {
				to[j*stride] = v
			}
		}
	}
	return dst
}

// patches writes, for each pixel of out, the 3×3 pixels around it of each
// channel of the bordered item x.
//
//	dst[p, 9c+3k+l] = x[c, stride·i+k, stride·j+l],  p = (i,j)
//
// in is the shape of x without its border; dst is out.H·out.W × 9·in.C.
func patches(dst, x []float32, in, out Shape, stride int) {
	width := in.W + 2
	plane := (in.H + 2) * width
	at := 0
	for i := range out.H {
		for j := range out.W {
			corner := stride * (i*width + j)
			for range in.C {
				from := x[corner : corner+2*width+3]
				a, b, c := from[:3], from[width:width+3], from[2*width:2*width+3]
				d := dst[at : at+9 : at+9]
				d[0], d[1], d[2] = a[0], a[1], a[2]
				d[3], d[4], d[5] = b[0], b[1], b[2]
				d[6], d[7], d[8] = c[0], c[1], c[2]
				at += 9
				corner += plane
			}
		}
	}
}

// columns writes the transpose of patches: 9·in.C rows of out.H·out.W entries,
// which begin length entries apart.
func columns(dst []float32, length int, x []float32, in, out Shape, stride int) {
	width := in.W + 2
	for r := range 9 * in.C {
		c, k, l := r/9, r%9/3, r%3
		for i := range out.H {
			from := x[(c*(in.H+2)+stride*i+k)*width+l:]
			to := dst[r*length+i*out.W:][:out.W]
			if stride == 1 {
				copy(to, from)
				continue
			}
			for j := range to {
				to[j] = from[j*stride]
			}
		}
	}
}

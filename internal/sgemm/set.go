package sgemm

// set are the kernels of one level. All of them compute, for a tile of rows×width,
//
//	c[i*ldc+j] = alpha Σ_p a(i,p) b[p*width+j] + beta c[i*ldc+j]
//
// with the sum from p = 0 upwards in one chain, so that an entry has the same
// bits whatever tile it is in. With beta 0, c is not read.
type set struct {
	width   int
	heights []int // rows of the kernels, tallest first

	// packed takes a of a panel: a(i,p) = a[p*rows+i], rows one of heights.
	packed func(rows, k int, a, b, c *float32, ldc int, alpha, beta float32)
	// strided takes a from a matrix, heights[0] rows: a(i,p) = a[i*lda+p]. nil if
	// there is none.
	strided func(k int, a *float32, lda int, b, c *float32, ldc int, alpha, beta float32)

	transposeRight func(quads int, dst *float32, dstStride int, src *float32, srcStride int) // of rightRows rows
	rightRows      int
	transposeLeft  func(quads int, dst *float32, dstStride int, src *float32, srcStride int) // of heights[0] rows, writing leftSlack entries too many
	leftSlack      int
	copyRight      func(rows, panels int, dst *float32, panelStride int, src *float32, srcStride int) // of width columns
	copyLeft       func(rows, panels int, dst *float32, panelStride int, src *float32, srcStride int) // of heights[0] columns
}

// packRight packs the columns of op(b) in panels, zeros behind the last column.
func (s *set) packRight(dst []float32, b Matrix, transposed bool) {
	k, cols := b.shape(transposed)
	if k == 0 || cols == 0 {
		return
	}
	done := 0 // columns
	if whole := cols / s.width; whole > 0 && !transposed && s.copyRight != nil {
		s.copyRight(k, whole, &dst[0], k*s.width, &b.Data[0], b.Stride)
		done = whole * s.width
	}
	for ; done < cols; done += s.width {
		n := min(s.width, cols-done)
		s.packColumns(dst[done*k:(done+s.width)*k], b.opPart(transposed, 0, done, k, n), transposed)
	}
}

// packColumns packs one panel of up to width columns.
func (s *set) packColumns(dst []float32, b Matrix, transposed bool) {
	k, cols := b.shape(transposed)
	if cols < s.width {
		clear(dst)
	}
	if !transposed {
		for p := range k {
			copy(dst[p*s.width:p*s.width+cols], b.Data[p*b.Stride:])
		}
		return
	}
	done := 0 // columns
	if s.transposeRight != nil && k >= 4 {
		for ; done+s.rightRows <= cols; done += s.rightRows {
			s.transposeRight(k/4, &dst[done], s.width, &b.Data[done*b.Stride], b.Stride)
			if k%4 > 0 {
				transpose(dst[k/4*4*s.width+done:], s.width, b.Data[done*b.Stride+k/4*4:], b.Stride, k%4, s.rightRows)
			}
		}
	}
	if done < cols {
		transpose(dst[done:], s.width, b.Data[done*b.Stride:], b.Stride, k, cols-done)
	}
}

// height is the number of rows of the lowest kernel that takes rows.
func (s *set) height(rows int) int {
	h := s.heights[0]
	for _, v := range s.heights {
		if v >= rows {
			h = v
		}
	}
	return h
}

// packLeft packs the rows of op(a), in panels of the tallest kernel and at last
// one of the lowest that suffices, zeros behind the last row. dst has slack
// for leftSlack entries more.
func (s *set) packLeft(dst []float32, a Matrix, transposed bool) {
	m, k := a.shape(transposed)
	top, i := s.heights[0], 0
	if whole := m / top; whole > 0 && k > 0 && transposed && s.copyLeft != nil {
		s.copyLeft(k, whole, &dst[0], k*top, &a.Data[0], a.Stride)
		i = whole * top
	}
	for ; i < m; i += top {
		s.packPanel(dst[i*k:], a.opPart(transposed, i, 0, min(top, m-i), k), transposed)
	}
}

// packPanel packs one panel.
func (s *set) packPanel(dst []float32, a Matrix, transposed bool) {
	rows, k := a.shape(transposed)
	if rows == 0 || k == 0 {
		return
	}
	top := s.heights[0]
	switch full := rows == top; {
	case full && !transposed && s.transposeLeft != nil && k >= 4:
		s.transposeLeft(k/4, &dst[0], top, &a.Data[0], a.Stride)
		if k%4 > 0 {
			transpose(dst[k/4*4*top:], top, a.Data[k/4*4:], a.Stride, k%4, top)
		}
	default:
		h := s.height(rows)
		if rows < h {
			clear(dst[:h*k])
		}
		if !transposed {
			transpose(dst, h, a.Data, a.Stride, k, rows)
			return
		}
		for p := range k {
			copy(dst[p*h:p*h+rows], a.Data[p*a.Stride:])
		}
	}
}

package sgemm

import (
	"fmt"

	"github.com/chestlab/chest/internal/cpu"
)

const (
	leftRows   = 240 // rows of a block of the left operand: 240×256 stay in the second cache
	fewPanels  = 8   // panels of the right operand below which the left one is not packed
	mostHeight = 12
	mostWidth  = 32
)

// Workspace holds the buffers of one goroutine. The zero value is ready; once
// it has grown to the sizes in use, its products allocate nothing.
type Workspace struct {
	right Packed
	left  []float32
	tile  [mostHeight * mostWidth]float32
}

// Mul computes dst = alpha op(a) op(b) + beta dst in the calling goroutine. With
// beta 0 the old content of dst does not matter, be it NaN. dst must not overlap
// a or b. It panics if shapes do not fit.
func (w *Workspace) Mul(dst, a Matrix, aT bool, b Matrix, bT bool, alpha, beta float32) {
	w.right.Pack(b, bT)
	w.MulPacked(dst, a, aT, &w.right, alpha, beta)
}

// MulPacked is Mul with a right operand that was packed before. p is only
// read: many goroutines may share it. It panics if the level of package cpu is
// another than when p was packed.
func (w *Workspace) MulPacked(dst, a Matrix, aT bool, p *Packed, alpha, beta float32) {
	dst.check("dst")
	a.check("a")
	m, k := a.shape(aT)
	if k != p.k || dst.Rows != m || dst.Cols != p.n {
		panic(fmt.Sprintf("sgemm: dst %d×%d for a product of %d×%d and %d×%d", dst.Rows, dst.Cols, m, k, p.k, p.n))
	}
	if p.level != cpu.Active() && k > 0 && p.n > 0 {
		panic(fmt.Sprintf("sgemm: an operand packed at level %s, multiplied at %s", p.level, cpu.Active()))
	}
	if m == 0 || p.n == 0 {
		return
	}
	if k == 0 {
		for i := range m {
			scale(dst.Data[i*dst.Stride:i*dst.Stride+dst.Cols], beta)
		}
		return
	}
	s := &sets[p.level]
	for at := 0; at < k; at += depth {
		terms := min(depth, k-at)
		for i := 0; i < m; i += leftRows {
			rows := min(leftRows, m-i)
			w.block(s, dst.part(i, 0, rows, p.n), a.opPart(aT, i, at, rows, terms), aT, p, at, alpha, beta)
		}
		beta = 1
	}
}

// block adds the terms from at on to some rows of a product.
func (w *Workspace) block(s *set, dst, a Matrix, aT bool, p *Packed, at int, alpha, beta float32) {
	m, k := a.shape(aT)
	top := s.heights[0]
	panels := s.panels(p.n)
	direct := s.strided != nil && !aT && panels < fewPanels && k >= 8
	first := 0 // row that is packed first
	if direct {
		first = m / top * top
	}
	w.left = grown(w.left, (m-first+top)*k+s.leftSlack)
	s.packLeft(w.left, a.opPart(aT, first, 0, m-first, k), aT)
	for j := range panels {
		b := &p.panel(s, at, j)[0]
		cols := min(s.width, p.n-j*s.width)
		for i := 0; i < m; i += top {
			rows := min(top, m-i)
			c, ldc := dst.Data[i*dst.Stride+j*s.width:], dst.Stride
			h := s.height(rows)
			if whole := cols == s.width && rows == h; !whole {
				w.edge(s, c, ldc, rows, cols, h, k, &w.left[max(i-first, 0)*k], a, i, i < first, b, alpha, beta)
				continue
			}
			if i < first {
				s.strided(k, &a.Data[i*a.Stride], a.Stride, b, &c[0], ldc, alpha, beta)
				continue
			}
			s.packed(h, k, &w.left[(i-first)*k], b, &c[0], ldc, alpha, beta)
		}
	}
}

// edge computes a tile that is not whole in w.tile.
func (w *Workspace) edge(s *set, c []float32, ldc, rows, cols, h, k int, left *float32, a Matrix, i int, strided bool, b *float32, alpha, beta float32) {
	if beta != 0 {
		for r := range rows {
			copy(w.tile[r*s.width:r*s.width+cols], c[r*ldc:])
		}
	}
	if strided {
		s.strided(k, &a.Data[i*a.Stride], a.Stride, b, &w.tile[0], s.width, alpha, beta)
	} else {
		s.packed(h, k, left, b, &w.tile[0], s.width, alpha, beta)
	}
	for r := range rows {
		copy(c[r*ldc:r*ldc+cols], w.tile[r*s.width:])
	}
}

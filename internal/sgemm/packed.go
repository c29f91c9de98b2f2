package sgemm

import "fmt"

// Matrix is a part of a row-major matrix: row i is
// Data[i*Stride : i*Stride+Cols].
type Matrix struct {
	Data               []float32
	Rows, Cols, Stride int
}

// Dense is the whole matrix of rows and columns.
func Dense(data []float32, rows, cols int) Matrix {
	return Matrix{Data: data, Rows: rows, Cols: cols, Stride: cols}
}

// Packed is a right operand laid out for the kernels, to be multiplied with
// many left ones. The zero value is empty; Pack fills it, reusing its memory.
type Packed struct {
	k, n int
	data []float32
}

// Pack makes p hold op(b), k×n: b itself, or bᵀ if transposed.
func (p *Packed) Pack(b Matrix, transposed bool) {
	p.k, p.n = b.Rows, b.Cols
	if transposed {
		p.k, p.n = b.Cols, b.Rows
	}
	if cap(p.data) < p.k*p.n {
		p.data = make([]float32, p.k*p.n)
	}
	p.data = p.data[:p.k*p.n]
	for i := range p.k {
		for j := range p.n {
			if transposed {
				p.data[i*p.n+j] = b.Data[j*b.Stride+i]
			} else {
				p.data[i*p.n+j] = b.Data[i*b.Stride+j]
			}
		}
	}
}

// Workspace holds the buffers of one goroutine. The zero value is ready; once
// it has grown to the sizes in use, its products allocate nothing.
type Workspace struct{ packed Packed }

// Mul computes dst = alpha op(a) op(b) + beta dst in the calling goroutine. With
// beta 0 the old content of dst does not matter. It panics if shapes do not fit.
func (w *Workspace) Mul(dst, a Matrix, aT bool, b Matrix, bT bool, alpha, beta float32) {
	w.packed.Pack(b, bT)
	w.MulPacked(dst, a, aT, &w.packed, alpha, beta)
}

// MulPacked is Mul with a right operand that was packed before. p is only
// read: many goroutines may share it.
func (w *Workspace) MulPacked(dst, a Matrix, aT bool, p *Packed, alpha, beta float32) {
	m, k := a.Rows, a.Cols
	if aT {
		m, k = k, m
	}
	if k != p.k || dst.Rows != m || dst.Cols != p.n {
		panic(fmt.Sprintf("sgemm: dst %d×%d for a product of %d×%d and %d×%d", dst.Rows, dst.Cols, m, k, p.k, p.n))
	}
	for i := range m {
		row := dst.Data[i*dst.Stride : i*dst.Stride+p.n]
		scale(row, beta)
		for l := range k {
			x := a.Data[min(i*a.Stride+l, len(a.Data)-1)]
			if aT {
				x = a.Data[l*a.Stride+i]
			}
			x *= alpha
			for j, y := range p.data[l*p.n : (l+1)*p.n] {
				row[j] += x * y
			}
		}
	}
}

// Mul is Workspace.Mul on all processors.
func Mul(dst, a Matrix, aT bool, b Matrix, bT bool, alpha, beta float32) {
	new(Workspace).Mul(dst, a, aT, b, bT, alpha, beta)
}

package sgemm

import (
	"fmt"

	"github.com/chestlab/chest/internal/cpu"
)

// Matrix is a part of a row-major matrix: row i is
// Data[i*Stride : i*Stride+Cols].
type Matrix struct {
	Data               []float32
	Rows, Cols, Stride int
}

// Dense is the whole matrix of rows and columns. It panics if data has another
// length.
func Dense(data []float32, rows, cols int) Matrix {
	if len(data) != rows*cols || rows < 0 || cols < 0 {
		panic(fmt.Sprintf("sgemm: %d entries for a matrix of %d×%d", len(data), rows, cols))
	}
	return Matrix{Data: data, Rows: rows, Cols: cols, Stride: cols}
}

// check panics unless the matrix lies in its data.
func (m Matrix) check(name string) {
	if m.Rows < 0 || m.Cols < 0 || m.Stride < m.Cols || m.Rows > 0 && m.Cols > 0 && len(m.Data) < (m.Rows-1)*m.Stride+m.Cols {
		panic(fmt.Sprintf("sgemm: %s: %d entries for a matrix of %d×%d with rows %d apart", name, len(m.Data), m.Rows, m.Cols, m.Stride))
	}
}

// shape returns rows and columns of op(m).
func (m Matrix) shape(transposed bool) (rows, cols int) {
	if transposed {
		return m.Cols, m.Rows
	}
	return m.Rows, m.Cols
}

// part returns rows [r, r+rows) and columns [c, c+cols).
func (m Matrix) part(r, c, rows, cols int) Matrix {
	if rows == 0 || cols == 0 {
		return Matrix{Rows: rows, Cols: cols, Stride: m.Stride}
	}
	return Matrix{Data: m.Data[r*m.Stride+c:], Rows: rows, Cols: cols, Stride: m.Stride}
}

// part of op(m), with r, c, rows and cols those of op(m).
func (m Matrix) opPart(transposed bool, r, c, rows, cols int) Matrix {
	if transposed {
		return m.part(c, r, cols, rows)
	}
	return m.part(r, c, rows, cols)
}

// depth is the number of terms that an entry of a product collects in
// registers before it goes to memory; a panel of the right operand of this
// depth stays in the first cache.
const depth = 256

// Packed is a right operand laid out for the kernels, to be multiplied with
// many left ones. The zero value is empty; Pack fills it, reusing its memory.
//
// Terms are cut into blocks of depth, a block's columns into panels of the
// kernel's width, zeros behind the last column: entry (p, j) of a panel is
// panel[p*width+j].
type Packed struct {
	k, n  int
	level cpu.Level
	data  []float32
}

// Pack makes p hold op(b), k×n: b itself, or bᵀ if transposed.
func (p *Packed) Pack(b Matrix, transposed bool) {
	p.reset(b, transposed)
	for task := range p.tasks() {
		p.packTask(task, b, transposed)
	}
}

// reset gives p the shape of op(b).
func (p *Packed) reset(b Matrix, transposed bool) {
	b.check("Pack")
	p.k, p.n = b.shape(transposed)
	p.level = cpu.Active()
	s := &sets[p.level]
	p.data = grown(p.data, p.k*s.panels(p.n)*s.width)
}

// panels is the number of panels of n columns.
func (s *set) panels(n int) int { return (n + s.width - 1) / s.width }

// panelsOfTask is how many panels one task packs.
const panelsOfTask = 8

func (p *Packed) tasks() int {
	return (p.k + depth - 1) / depth * ((sets[p.level].panels(p.n) + panelsOfTask - 1) / panelsOfTask)
}

// packTask packs some panels of a block of terms.
func (p *Packed) packTask(task int, b Matrix, transposed bool) {
	s := &sets[p.level]
	groups := (s.panels(p.n) + panelsOfTask - 1) / panelsOfTask
	at := task / groups * depth
	k := min(depth, p.k-at)
	first := task % groups * panelsOfTask
	panels := min(panelsOfTask, s.panels(p.n)-first)
	if panels < 1 {
		return
	}
	dst := p.data[(at*s.panels(p.n)+first*k)*s.width:][:panels*k*s.width]
	s.packRight(dst, b.opPart(transposed, at, first*s.width, k, min(panels*s.width, p.n-first*s.width)), transposed)
}

// panel returns panel j of the block of terms that begins at at.
func (p *Packed) panel(s *set, at, j int) []float32 {
	panels := s.panels(p.n)
	k := min(depth, p.k-at)
	return p.data[(at*panels+j*k)*s.width:][:k*s.width]
}

// grown returns a slice of n entries, in the memory of x if that is enough.
func grown(x []float32, n int) []float32 {
	if cap(x) < n {
		return make([]float32, n)
	}
	return x[:n]
}

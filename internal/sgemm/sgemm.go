// Package sgemm multiplies row-major float32 matrices on all processors.
//
// Products go to gonum's blas32, which knows two loops: dot products of rows
// and sums of scaled rows. The dots are about twice as fast once rows have some
// length, since a sum is loaded and stored for every term; so both operands are
// brought into the form that suits the dots, by transposing a tile of them if
// need be.
//
// Every entry of a product is computed by one goroutine in one order of terms:
// results do not depend on the number of processors.
package sgemm

import (
	"fmt"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"

	"github.com/chestlab/chest/internal/parallel"
)

const (
	tile       = 64      // rows of dst in a BLAS call; 64×192 is the largest that gonum keeps in the calling goroutine
	dotColumns = 64      // columns of dst in a task computed by dots
	sumColumns = 192     // columns of dst in a task computed by sums
	packedRows = 256     // rows of dst that share one transposed tile
	shortest   = 24      // terms an entry needs for dots to pay
	fewRows    = 8       // rows of dst below which transposing b does not pay
	terms      = 2048    // terms of an entry in one BLAS call, so that a tile of b stays in cache
	alone      = 1 << 20 // multiplications below which one goroutine is faster
)

// NN computes dst = a b + beta dst.
//
// Shapes: dst is m×n, a is m×k, b is k×n. With beta 0 the old content of dst
// does not matter, be it NaN. dst must not overlap a or b.
//
// NN panics if a length does not fit.
func NN(dst, a, b []float32, m, n, k int, beta float32) {
	run(product{dst: dst, a: a, b: b, m: m, n: n, k: k, beta: beta})
}

// NT computes dst = a bᵀ + beta dst, as NN but with b of shape n×k. It is the
// fastest of the three: nothing has to be transposed.
func NT(dst, a, b []float32, m, n, k int, beta float32) {
	run(product{dst: dst, a: a, b: b, m: m, n: n, k: k, beta: beta, bT: true})
}

// TN computes dst = aᵀ b + beta dst, as NN but with a of shape k×m.
func TN(dst, a, b []float32, m, n, k int, beta float32) {
	run(product{dst: dst, a: a, b: b, m: m, n: n, k: k, beta: beta, aT: true})
}

// SerialNT is NT in the calling goroutine, for callers that run on all
// processors already. The result is the same to the last bit.
func SerialNT(dst, a, b []float32, m, n, k int, beta float32) {
	run(product{dst: dst, a: a, b: b, m: m, n: n, k: k, beta: beta, bT: true, here: true})
}

// product is one call.
type product struct {
	dst, a, b []float32
	m, n, k   int
	beta      float32
	aT, bT    bool // a is k×m, b is n×k
	here      bool // stay in the calling goroutine
}

func run(p product) {
	p.check()
	if p.m == 0 || p.n == 0 || p.k == 0 {
		scale(p.dst, p.beta)
		return
	}
	if p.aT {
		packed := borrow(p.m * p.k)
		defer giveBack(packed)
		transpose(*packed, p.k, p.a, p.m, p.m, p.k)
		p.a, p.aT = *packed, false
	}
	workers := parallel.Workers(p.tasks())
	if p.here || workers < 2 || p.m*p.n*p.k < alone {
		p.serial()
		return
	}
	p.shared(workers)
}

// scale computes dst = beta dst, and 0 for beta 0 whatever was there.
func scale(dst []float32, beta float32) {
	if beta == 0 {
		clear(dst)
		return
	}
	for i := range dst {
		dst[i] *= beta
	}
}

func (p *product) check() {
	if len(p.dst) != p.m*p.n || len(p.a) != p.m*p.k || len(p.b) != p.k*p.n || p.m < 0 || p.n < 0 || p.k < 0 {
		panic(fmt.Sprintf("sgemm: lengths dst %d, a %d, b %d do not fit m %d, n %d, k %d",
			len(p.dst), len(p.a), len(p.b), p.m, p.n, p.k))
	}
}

// dots tells whether the entries are computed as dot products.
func (p *product) dots() bool { return p.k >= shortest && (p.bT || p.m >= fewRows) }

// packs tells whether a tile of b has to be transposed.
func (p *product) packs() bool { return p.dots() != p.bT }

// block is the number of rows and columns of dst in one task.
func (p *product) block() (rows, columns int) {
	rows, columns = tile, sumColumns
	if p.packs() {
		rows = packedRows
	}
	if p.dots() {
		columns = dotColumns
	}
	return rows, columns
}

func (p *product) tasks() int {
	rows, columns := p.block()
	return blocks(p.m, rows) * blocks(p.n, columns)
}

func blocks(n, size int) int { return (n + size - 1) / size }

// serial computes all tasks in order.
func (p *product) serial() {
	for t := range p.tasks() {
		p.task(t)
	}
}

// shared shares the tasks out to workers. Tasks write disjoint parts of dst. p
// is a copy, so that only here, and not in serial, it needs memory of its own.
func (p product) shared(workers int) {
	parallel.Tasks(workers, p.tasks(), func(t, _ int) { p.task(t) })
}

// task computes block t of dst; a is not transposed.
func (p *product) task(t int) {
	rows, columns := p.block()
	perRow := blocks(p.n, columns)
	i, j := t/perRow*rows, t%perRow*columns
	rows, columns = min(rows, p.m-i), min(columns, p.n-j)
	b, stride := p.b, p.n
	if p.bT {
		b, stride = b[j*p.k:], p.k
	} else {
		b = b[j:]
	}
	if p.packs() {
		packed := borrow(p.k * columns)
		defer giveBack(packed)
		if p.bT { // k×columns
			transpose(*packed, columns, b, stride, p.k, columns)
			stride = columns
		} else { // columns×k
			transpose(*packed, p.k, b, stride, columns, p.k)
			stride = p.k
		}
		b = *packed
	}
	for end := i + rows; i < end; i += tile {
		p.rows(i, j, min(tile, end-i), columns, b, stride)
	}
}

// rows computes the m×n part of dst at (i, j) from a panel of b.
func (p *product) rows(i, j, m, n int, b []float32, stride int) {
	tB, dots := blas.NoTrans, p.dots()
	if dots {
		tB = blas.Trans
	}
	beta := p.beta
	for at := 0; at < p.k; at += terms {
		k := min(terms, p.k-at)
		part := blas32.General{Rows: k, Cols: n, Stride: stride}
		if dots {
			part.Rows, part.Cols, part.Data = n, k, b[at:]
		} else {
			part.Data = b[at*stride:]
		}
		blas32.Gemm(blas.NoTrans, tB, 1,
			blas32.General{Rows: m, Cols: k, Stride: p.k, Data: p.a[i*p.k+at:]}, part, beta,
			blas32.General{Rows: m, Cols: n, Stride: p.n, Data: p.dst[i*p.n+j:]})
		beta = 1
	}
}

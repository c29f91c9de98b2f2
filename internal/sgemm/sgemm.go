// Package sgemm multiplies row-major float32 matrices, at the levels of vector
// instructions of package cpu.
//
// Products are cut as K. Goto and R. van de Geijn do ("Anatomy of
// High-Performance Matrix Multiplication", 2008): the right operand is packed
// into panels of a kernel's width, a block of the left one into panels of its
// height; the kernel keeps a tile of the result in registers for up to depth
// terms.
//
// An entry is the sum of its terms in blocks of depth, each from the first term
// to the last in one chain of fused multiply-adds (at the generic level, of
// multiplications and additions). So its bits depend on its terms and on the
// level alone: not on its place, the other sizes, or the number of processors.
package sgemm

import (
	"fmt"
	"runtime"
	"sync"

	"github.com/chestlab/chest/internal/parallel"
)

// NN computes dst = a b + beta dst on all processors.
//
// Shapes: dst is m×n, a is m×k, b is k×n. With beta 0 the old content of dst
// does not matter, be it NaN. dst must not overlap a or b.
//
// NN panics if a length does not fit.
func NN(dst, a, b []float32, m, n, k int, beta float32) {
	check(dst, a, b, m, n, k)
	Mul(Dense(dst, m, n), Dense(a, m, k), false, Dense(b, k, n), false, 1, beta)
}

// NT computes dst = a bᵀ + beta dst, as NN but with b of shape n×k.
func NT(dst, a, b []float32, m, n, k int, beta float32) {
	check(dst, a, b, m, n, k)
	Mul(Dense(dst, m, n), Dense(a, m, k), false, Dense(b, n, k), true, 1, beta)
}

// TN computes dst = aᵀ b + beta dst, as NN but with a of shape k×m.
func TN(dst, a, b []float32, m, n, k int, beta float32) {
	check(dst, a, b, m, n, k)
	Mul(Dense(dst, m, n), Dense(a, k, m), true, Dense(b, k, n), false, 1, beta)
}

// SerialNT is NT in the calling goroutine, for callers that run on all
// processors already. The result is the same to the last bit.
func SerialNT(dst, a, b []float32, m, n, k int, beta float32) {
	check(dst, a, b, m, n, k)
	w := spaces.Get().(*Workspace)
	w.Mul(Dense(dst, m, n), Dense(a, m, k), false, Dense(b, n, k), true, 1, beta)
	spaces.Put(w)
}

func check(dst, a, b []float32, m, n, k int) {
	if len(dst) != m*n || len(a) != m*k || len(b) != k*n || m < 0 || n < 0 || k < 0 {
		panic(fmt.Sprintf("sgemm: lengths dst %d, a %d, b %d do not fit m %d, n %d, k %d", len(dst), len(a), len(b), m, n, k))
	}
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

var (
	spaces = sync.Pool{New: func() any { return new(Workspace) }}
	crews  = sync.Pool{New: func() any { return newCrew() }}
)

const (
	alone = 1 << 18 // multiplications below which one goroutine is faster
	share = 1 << 30 // multiplications of a task, about: smaller ones share the work out better, but pack more
)

// Mul is Workspace.Mul on all processors, with the same bits.
func Mul(dst, a Matrix, aT bool, b Matrix, bT bool, alpha, beta float32) {
	m, k := a.shape(aT)
	if runtime.GOMAXPROCS(0) < 2 || m*k*dst.Cols < alone {
		w := spaces.Get().(*Workspace)
		w.Mul(dst, a, aT, b, bT, alpha, beta)
		spaces.Put(w)
		return
	}
	c := crews.Get().(*crew)
	if c.team.Workers() != runtime.GOMAXPROCS(0) {
		c = newCrew()
	}
	c.mul(dst, a, aT, b, bT, alpha, beta)
	crews.Put(c)
}

// crew computes products with several workers, in memory that it keeps.
type crew struct {
	team   *parallel.Team
	spaces []Workspace
	run    func(task, worker int)
	pack   func(task, worker int)

	// the product in progress
	dst, a, b   Matrix
	aT, bT      bool
	alpha, beta float32
	byRows      bool // tasks are rows of dst, and b is packed once, by all; else columns, each with its part of b
	units       int  // of rows or columns, a tile each, to be shared out
	tasks       int
	packed      Packed
}

func newCrew() *crew {
	c := &crew{team: parallel.NewTeam(0)}
	c.spaces = make([]Workspace, c.team.Workers())
	c.run = c.task
	c.pack = func(task, _ int) { c.packed.packTask(task, c.b, c.bT) }
	return c
}

func (c *crew) mul(dst, a Matrix, aT bool, b Matrix, bT bool, alpha, beta float32) {
	dst.check("dst")
	a.check("a")
	b.check("b")
	m, k := a.shape(aT)
	kb, n := b.shape(bT)
	if dst.Rows != m || dst.Cols != n || k != kb {
		panic(fmt.Sprintf("sgemm: dst %d×%d for a product of %d×%d and %d×%d", dst.Rows, dst.Cols, m, k, kb, n))
	}
	c.dst, c.a, c.b, c.aT, c.bT, c.alpha, c.beta = dst, a, b, aT, bT, alpha, beta
	c.byRows = m >= 4*n || n < mostWidth*c.team.Workers()
	if c.byRows {
		c.packed.reset(b, bT)
		c.team.Tasks(c.packed.tasks(), c.pack)
		c.units = (m + mostHeight - 1) / mostHeight
	} else {
		c.units = (n + mostWidth - 1) / mostWidth
	}
	c.tasks = min(max(m*n*k/share, c.team.Workers()), (c.units+1)/2)
	c.team.Tasks(c.tasks, c.run)
	c.dst, c.a, c.b = Matrix{}, Matrix{}, Matrix{}
}

// task computes its share of the units.
func (c *crew) task(task, worker int) {
	w := &c.spaces[worker]
	from, to := task*c.units/c.tasks, (task+1)*c.units/c.tasks
	if c.byRows {
		lo, hi := from*mostHeight, min(to*mostHeight, c.dst.Rows)
		_, k := c.a.shape(c.aT)
		w.MulPacked(c.dst.part(lo, 0, hi-lo, c.dst.Cols), c.a.opPart(c.aT, lo, 0, hi-lo, k), c.aT, &c.packed, c.alpha, c.beta)
		return
	}
	lo, hi := from*mostWidth, min(to*mostWidth, c.dst.Cols)
	k, _ := c.b.shape(c.bT)
	w.Mul(c.dst.part(0, lo, c.dst.Rows, hi-lo), c.a, c.aT, c.b.opPart(c.bT, 0, lo, k, hi-lo), c.bT, c.alpha, c.beta)
}

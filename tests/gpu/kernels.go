package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
)

// The size of a step on Stanford Online Products; with CHEST_GPU_SMALL=1, for
// the fake driver, a small one.
var (
	batch   = sized(1024, 40)
	dim     = sized(512, 16)
	classes = sized(11318, 30)
	items   = sized(59551, 200) // images to train on
	tests   = sized(60502, 100) // and to retrieve
	inputs  = sized(384, 12)    // dimensions of the features
	columns = classes * proxies
)

const proxies = 2

func sized(n, small int) int {
	if os.Getenv("CHEST_GPU_SMALL") == "1" {
		return small
	}
	return n
}

// benchKernels times each kernel of a step alone.
func benchKernels(s *kernels.Set) error {
	return s.Do(func() error {
		b := &bench{s: s, rng: rand.New(rand.NewPCG(1, 2))}
		splits := kernels.Splits(batch, dim, columns)
		X, P := b.points(batch), b.points(columns)
		u, v := b.floats(batch*dim), b.floats(columns*dim)
		g, gx := b.floats(columns*dim), b.floats(splits*batch*dim)
		label := make([]int32, batch)
		for i := range label {
			label[i] = int32(b.rng.IntN(classes))
		}
		a := kernels.Assign{N: batch, Classes: classes, Proxies: proxies, Lambda: 5, Delta: 0.1, Gamma: 0.4, C: 0.1, R: 2.3, Label: b.room(4 * batch),
			S: b.room(4 * batch * columns), X: X, P: P, D: dim, Relaxed: b.room(4 * batch * classes), Spread: b.room(4 * batch * classes),
			LSE: b.room(4 * batch), Loss: b.room(8 * batch), Scale: 1 / float64(batch)}
		a.RowW, a.RowV = b.room(4*a.Parts()*batch), b.room(4*a.Parts()*batch)
		a.ColW, a.ColV = b.room(4*a.Chunks()*columns), b.room(4*a.Chunks()*columns)
		m, w := b.floats(columns*dim), b.floats(columns*dim)
		table, numbers := b.room(40), b.room(32)
		norm := b.room(8 * columns)
		if b.err != nil {
			return b.err
		}
		b.do(s.UploadInts(a.Label, label))
		b.do(s.UploadWords(table, []uint64{w.Address, g.Address, m.Address, v.Address, uint64(columns * dim)}))
		b.do(s.UploadFloats(numbers, []float32{0, 0, 0.9, 0.999, 1, 0, 1, 1e-8}))
		ball := kernels.Chart{C: 0.1, R: 2.3}
		flops := 2 * float64(batch) * float64(dim) * float64(columns)
		product := func(p kernels.Product) func() error {
			p.Alpha = 1
			return func() error { return s.Gemm(p) }
		}
		b.time("points of the batch", 0, 8*batch*dim, func() error { return s.ChartRows(ball, u, batch, dim, X) })
		b.time("points of the proxies", 0, 8*columns*dim, func() error { return s.ChartRows(ball, v, columns, dim, P) })
		b.time("S = X Pᵀ", flops, 0, product(kernels.Product{Form: kernels.NT, A: X.X, B: P.X, C: a.S, M: batch, N: columns, K: dim}))
		for _, kind := range []int{kernels.Sphere, 0} {
			a.Kind = kind
			name := map[int]string{kernels.Sphere: "sphere", 0: "ball"}[kind]
			product := func() error { // what the others overwrite
				return s.Gemm(kernels.Product{Form: kernels.NT, A: X.X, B: P.X, C: a.S, M: batch, N: columns, K: dim, Alpha: 1})
			}
			b.timeAfter(product, "assign forward, "+name, 0, 4*batch*columns*2+8*batch*classes, func() error { return s.AssignForward(a) })
			b.timeAfter(func() error { return errors.Join(product(), s.AssignForward(a)) }, "assign backward, "+name, 0, 4*batch*columns*2+8*batch*classes,
				func() error { return s.AssignBackward(a) })
		}
		b.time(fmt.Sprintf("GX = G P, %d parts", splits), flops, 0, product(kernels.Product{Form: kernels.NN, A: a.S, B: P.X, C: gx, M: batch, N: dim, K: columns, Splits: splits}))
		b.time("GP = Gᵀ X", flops, 0, product(kernels.Product{Form: kernels.TN, A: a.S, B: X.X, C: g, M: columns, N: dim, K: batch}))
		b.time("gradient by the proxies", 0, 4*columns*dim*6, func() error {
			return s.FinishRows(kernels.Finish{Dst: g, U: v, X: P.X, G: g, Splits: 1, N: columns, D: dim, Alpha: P.Alpha, Beta: P.Beta,
				W: a.ColW, V: a.ColV, Parts: a.Chunks(), Room: P.Room, C: 0.1, Norm: norm})
		})
		b.time("gradient by the batch", 0, 4*batch*dim*(6+splits), func() error {
			return s.FinishRows(kernels.Finish{Dst: gx, U: u, X: X.X, G: gx, Splits: splits, N: batch, D: dim, Alpha: X.Alpha, Beta: X.Beta,
				W: a.RowW, V: a.RowV, Parts: a.Parts(), Room: X.Room, C: 0.1})
		})
		b.time("adamw of the proxies", 0, 4*columns*dim*7, func() error {
			return s.AdamW(kernels.Adam{Tensors: table, Numbers: numbers, Count: 1, Blocks: kernels.AdamBlocks(columns * dim)})
		})
		for _, n := range []int{sized(1024, 32), sized(4096, 33)} {
			x, y, z := b.floats(n*n), b.floats(n*n), b.room(4*n*n)
			for _, f := range []kernels.Form{kernels.NN, kernels.NT, kernels.TN} {
				b.time(fmt.Sprintf("product %v %d³", f, n), 2*float64(n)*float64(n)*float64(n), 0, product(kernels.Product{Form: f, A: x, B: y, C: z, M: n, N: n, K: n}))
			}
		}
		b.time("an empty launch", 0, 0, func() error { return s.Fill(norm, 1, 0) })
		b.hosts()
		return b.err
	})
}

// bench keeps the first error.
type bench struct {
	s   *kernels.Set
	rng *rand.Rand
	err error
}

func (b *bench) do(err error) {
	if b.err == nil {
		b.err = err
	}
}

func (b *bench) room(n int) driver.Memory {
	m, err := b.s.Alloc(n)
	b.do(err)
	return m
}

func (b *bench) floats(n int) driver.Memory {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(b.rng.NormFloat64()) / 20
	}
	m := b.room(4 * n)
	b.do(b.s.UploadFloats(m, x))
	return m
}

func (b *bench) points(n int) kernels.Points {
	return kernels.Points{X: b.room(4 * n * dim), Alpha: b.room(8 * n), Beta: b.room(8 * n), Square: b.room(4 * n), Room: b.room(4 * n), Inverse: b.room(4 * n)}
}

// time prints the median time of f and its rates.
func (b *bench) time(name string, flops float64, bytes int, f func() error) {
	b.timeAfter(func() error { return nil }, name, flops, bytes, f)
}

// timeAfter is time with something done before each run.
func (b *bench) timeAfter(before func() error, name string, flops float64, bytes int, f func() error) {
	var times []float64
	for range 12 {
		b.do(before())
		begin, err := b.s.Mark()
		b.do(err)
		b.do(f())
		end, err := b.s.Mark()
		b.do(err)
		took, err := b.s.Between(begin, end)
		b.do(err)
		b.do(errors.Join(b.s.FreeEvent(begin), b.s.FreeEvent(end)))
		if b.err != nil {
			return
		}
		times = append(times, took)
	}
	slices.Sort(times)
	t := times[len(times)/2]
	fmt.Printf("%-28s %8.3f ms", name, t)
	if flops > 0 {
		fmt.Printf("  %6.1f TFLOP/s", flops/t/1e9)
	}
	if bytes > 0 {
		fmt.Printf("  %6.0f GB/s", float64(bytes)/t/1e6)
	}
	fmt.Println()
}

// hosts prints what calls cost the processor.
func (b *bench) hosts() {
	const n = 2000
	one := b.room(4)
	b.do(b.s.Wait())
	begin := time.Now()
	for range n {
		b.do(b.s.Advance(one))
	}
	queued := time.Since(begin)
	b.do(b.s.Wait())
	fmt.Printf("%-28s %8.3f µs to queue, %.3f µs to run\n", "a launch", queued.Seconds()*1e6/n, time.Since(begin).Seconds()*1e6/n)
}

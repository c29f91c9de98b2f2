package selftest

import (
	"fmt"
	"math"

	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
)

func stepCases() []Case {
	all := []Case{
		{Name: "gather", run: gather},
		{Name: "bias and column sums", run: bias},
		{Name: "advance", run: advance},
		{Name: "a row of integers", run: selectInts},
	}
	for _, n := range []int{1, 31, 257, 5000, 140000} {
		all = append(all, Case{Name: fmt.Sprintf("sums and fill of %d", n), Quick: n == 257, run: func(b *bed) { sums(b, n) }})
	}
	for _, clip := range []bool{false, true} {
		all = append(all, Case{Name: fmt.Sprintf("adamw, clipping %v", clip), Quick: true, run: func(b *bed) { adamw(b, clip) }})
	}
	return all
}

func gather(b *bed) {
	const n, d, rows = 9, 33, 20
	src := b.random(rows*d, 1)
	index, label := make([]int32, 3*n), make([]int32, rows)
	for i := range index {
		index[i] = int32(b.rng.IntN(rows))
	}
	for i := range label {
		label[i] = int32(100 + i)
	}
	dSrc, dIndex, dLabel, now := b.floats(src), b.ints(index), b.ints(label), b.ints([]int32{2})
	dst, ints := b.room(4*n*d), b.room(4*n)
	if b.err != nil {
		return
	}
	for step, at := range []driver.Memory{{}, {}, now} {
		if step == 1 {
			continue
		}
		b.do(b.s.GatherRows(dst, dSrc, dIndex, at, n, d))
		b.do(b.s.GatherInts(ints, dLabel, dIndex, at, n))
		want, wantInts := make([]float64, n*d), make([]int32, n)
		for i := range n {
			from := int(index[step*n+i])
			copy(want[i*d:], widened(src[from*d:(from+1)*d]))
			wantInts[i] = label[from]
		}
		b.near("rows", b.getFloats(dst, n*d), want, 0)
		b.same("integers", b.getInts(ints, n), wantInts)
	}
}

func bias(b *bed) {
	const n, d = 37, 131
	x, y := b.random(n*d, 1), b.random(d, 1)
	dX, dY, dSum := b.floats(x), b.floats(y), b.room(4*d)
	if b.err != nil {
		return
	}
	b.do(b.s.AddBias(dX, dY, n, d))
	b.do(b.s.ColumnSums(dSum, dX, n, d))
	want, sum := make([]float64, n*d), make([]float64, d)
	for i, v := range x {
		want[i] = float64(v) + float64(y[i%d])
		sum[i%d] += want[i]
	}
	b.near("x+b", b.getFloats(dX, n*d), want, 1e-7)
	b.near("column sums", b.getFloats(dSum, d), sum, 1e-6)
}

func selectInts(b *bed) {
	rows := []int32{1, 2, 3, 4, 5, 6}
	src, now, dst := b.ints(rows), b.ints([]int32{2}), b.room(8)
	if b.err != nil {
		return
	}
	b.do(b.s.SelectInts(dst, src, now, 2))
	b.same("row", b.getInts(dst, 2), rows[4:])
}

func advance(b *bed) {
	now := b.ints([]int32{4})
	if b.err != nil {
		return
	}
	b.do(b.s.Advance(now))
	b.do(b.s.Advance(now))
	b.same("counter", b.getInts(now, 1), []int32{6})
}

func sums(b *bed, n int) {
	x, double := b.random(n, 1), b.positive(n, 0)
	x[n/2] = 100
	var squares, total float64
	for i, v := range x {
		squares += float64(v) * float64(v)
		total += double[i]
	}
	dX, dD, parts := b.floats(x), b.doubles(double), b.room(8*kernels.MostBlocks)
	table := b.words([]uint64{dD.Address, uint64(n), dD.Address, 1, 0, 0})
	out, three := b.room(24), b.floats(append(append(append([]float32{}, x...), x...), x...))
	if b.err != nil {
		return
	}
	add := func(m driver.Memory, n int) (sum float64) {
		for _, v := range b.getDoubles(m, n) {
			sum += v
		}
		return sum
	}
	count, err := b.s.Squares(parts, dX, n)
	b.do(err)
	b.nearDoubles("squares", []float64{add(parts, count)}, []float64{squares}, 1e-12)
	history, now := b.room(3*24), b.ints([]int32{2})
	if b.err != nil {
		return
	}
	b.do(b.s.SumArrays(out, table, 3, history, now))
	b.nearDoubles("history", b.getDoubles(history.At(48), 3), []float64{total, double[0], 0}, 1e-12)
	b.nearDoubles("sums", b.getDoubles(out, 3), []float64{total, double[0], 0}, 1e-12)
	b.do(b.s.SumSplits(dX, three, 3, n))
	want := widened(x)
	for i := range want {
		want[i] *= 3
	}
	b.near("splits", b.getFloats(dX, n), want, 2e-7)
	x[0] = float32(math.NaN())
	x[n-1] = float32(math.Inf(-1))
	b.do(b.s.UploadFloats(dX, x))
	count, err = b.s.NotFinite(parts, dX, n)
	b.do(err)
	b.nearDoubles("not finite", []float64{add(parts, count)}, []float64{float64(min(n, 2))}, 0)
	b.do(b.s.Fill(dX, n, 2.5))
	for i := range want {
		want[i] = 2.5
	}
	b.near("fill", b.getFloats(dX, n), want, 0)
}

func adamw(b *bed, clip bool) {
	sizes := []int{1, 1027, 5}
	const now = 1
	var words []uint64
	var numbers []float32
	type tensor struct {
		w, g, m, v []float32
		at         [4]driver.Memory
	}
	var all []tensor
	norm, blocks := 3.0, 0
	for range 2 { // two steps' numbers, of which the second are used
		for i := range sizes {
			numbers = append(numbers, 0.5, float32(i)*0.4, 0.9, 0.999, 0.99, 0.01*float32(len(numbers)+1), 1.5, 1e-8)
		}
	}
	for _, n := range sizes {
		t := tensor{w: b.random(n, 1), g: b.random(n, 1), m: b.random(n, 1), v: narrowed(b.positive(n, 0))}
		for i, x := range [][]float32{t.w, t.g, t.m, t.v} {
			t.at[i] = b.floats(x)
			words = append(words, t.at[i].Address)
		}
		words = append(words, uint64(n))
		all = append(all, t)
		blocks += kernels.AdamBlocks(n)
	}
	a := kernels.Adam{Tensors: b.words(words), Numbers: b.floats(numbers), Now: b.ints([]int32{now}), Count: len(sizes), Blocks: blocks}
	scale := 1.0
	if clip {
		a.Norms, a.Parts, a.Most = b.doubles([]float64{4, 5}), 2, 0.5
		scale = 0.5 / norm
	}
	if b.err != nil {
		return
	}
	b.do(b.s.AdamW(a))
	for i, t := range all {
		o := widened(numbers[(now*len(sizes)+i)*8:])[:8]
		w, m, v := widened(t.w), widened(t.m), widened(t.v)
		for j, g := range widened(t.g) {
			if o[1] > 0 {
				g = min(max(g, -o[1]), o[1])
			}
			g *= o[0] * scale
			m[j] = g + o[2]*(m[j]-g)
			v[j] = g*g + o[3]*(v[j]-g*g)
			w[j] = o[4]*w[j] - o[5]*m[j]/(o[6]*math.Sqrt(v[j])+o[7])
		}
		b.near("weights", b.getFloats(t.at[0], len(w)), w, 1e-6)
		b.near("m", b.getFloats(t.at[2], len(w)), m, 1e-6)
		b.near("v", b.getFloats(t.at[3], len(w)), v, 1e-6)
	}
}

// Package selftest compares every kernel with the same thing in plain Go, in
// float64, over odd shapes: through the driver that is there, a GPU's or the one
// of package fakecuda.
package selftest

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
)

// Case is one comparison.
type Case struct {
	Name  string
	Quick bool // a part of the short test before first use
	run   func(b *bed)
}

// Cases are all of them.
func Cases() []Case {
	var all []Case
	for _, list := range [][]Case{gemmCases(), rowCases(), assignCases(), treeCases(), stepCases(), rankCases(), trunkCases()} {
		all = append(all, list...)
	}
	return all
}

// Run runs a case and returns the worst difference, relative to the largest
// number of its kind. Too large a difference is an error, as is memory that is
// not given back.
func (c Case) Run(s *kernels.Set) (worst float64, err error) {
	err = s.Do(func() error {
		b := &bed{s: s, rng: rand.New(rand.NewPCG(1, uint64(len(c.Name))))}
		defer func() {
			for _, m := range b.pieces {
				s.Free(m)
			}
			worst = b.worst
		}()
		b.try(c.run)
		return b.err
	})
	if err != nil {
		err = fmt.Errorf("%s: %w", c.Name, err)
	}
	return worst, err
}

// Quick runs the short test: a kernel of each kind. It returns the worst
// difference of all.
func Quick(s *kernels.Set) (worst float64, err error) {
	for _, c := range Cases() {
		if !c.Quick {
			continue
		}
		w, err := c.Run(s)
		if err != nil {
			return w, err
		}
		worst = max(worst, w)
	}
	return worst, nil
}

// bed is what one case works with. Its methods do nothing after the first error.
type bed struct {
	s      *kernels.Set
	rng    *rand.Rand
	pieces []driver.Memory
	worst  float64
	err    error
}

// do keeps the first error.
func (b *bed) do(err error) {
	if b.err == nil {
		b.err = err
	}
}

// noRoom ends a case that got no memory: nothing after that can run.
type noRoom struct{}

// try runs a case to its end or to where there is no memory.
func (b *bed) try(run func(*bed)) {
	defer func() {
		if r := recover(); r != nil && r != any(noRoom{}) {
			panic(r)
		}
	}()
	run(b)
}

// room is n bytes on the device.
func (b *bed) room(n int) driver.Memory {
	m, err := b.s.Alloc(n)
	if err != nil {
		b.do(err)
		panic(noRoom{})
	}
	b.pieces = append(b.pieces, m)
	return m
}

func (b *bed) floats(x []float32) driver.Memory {
	m := b.room(4 * len(x))
	b.do(b.s.UploadFloats(m, x))
	return m
}

func (b *bed) ints(x []int32) driver.Memory {
	m := b.room(4 * len(x))
	b.do(b.s.UploadInts(m, x))
	return m
}

func (b *bed) doubles(x []float64) driver.Memory {
	m := b.room(8 * len(x))
	b.do(b.s.UploadDoubles(m, x))
	return m
}

func (b *bed) words(x []uint64) driver.Memory {
	m := b.room(8 * len(x))
	b.do(b.s.UploadWords(m, x))
	return m
}

func (b *bed) getFloats(m driver.Memory, n int) []float32 {
	x := make([]float32, n)
	b.do(b.s.DownloadFloats(x, m))
	b.do(b.s.Finish())
	return x
}

func (b *bed) getInts(m driver.Memory, n int) []int32 {
	x := make([]int32, n)
	b.do(b.s.DownloadInts(x, m))
	b.do(b.s.Finish())
	return x
}

func (b *bed) getDoubles(m driver.Memory, n int) []float64 {
	x := make([]float64, n)
	b.do(b.s.DownloadDoubles(x, m))
	b.do(b.s.Finish())
	return x
}

// random is n numbers of deviation scale.
func (b *bed) random(n int, scale float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(b.rng.NormFloat64() * scale)
	}
	return x
}

// positive is n numbers in [lo, 1).
func (b *bed) positive(n int, lo float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = lo + (1-lo)*b.rng.Float64()
	}
	return x
}

// near compares with what should be, relative to the largest of that.
func (b *bed) near(what string, got []float32, want []float64, tolerance float64) {
	wide := make([]float64, len(got))
	for i, v := range got {
		wide[i] = float64(v)
	}
	b.nearDoubles(what, wide, want, tolerance)
}

func (b *bed) nearDoubles(what string, got, want []float64, tolerance float64) {
	b.nearAbout(what, got, want, 1e-30, tolerance)
}

// nearAbout is nearDoubles for sums that cancel: what is summed up is about size.
func (b *bed) nearAbout(what string, got, want []float64, size, tolerance float64) {
	if b.err != nil {
		return
	}
	top, far := size, 0.0
	at := 0
	for i, w := range want {
		top = max(top, math.Abs(w))
		if d := math.Abs(got[i] - w); !(d <= far) {
			far, at = d, i
		}
	}
	relative := far / top
	if !(relative <= tolerance) {
		b.do(fmt.Errorf("%s[%d] of %d is %g, want %g; the largest is %g, so it is off by %.2g, more than %.2g", what, at, len(want), got[at], want[at], top, relative, tolerance))
	}
	b.worst = max(b.worst, relative)
}

// same compares integers.
func (b *bed) same(what string, got, want []int32) {
	for i, w := range want {
		if b.err == nil && got[i] != w {
			b.do(fmt.Errorf("%s[%d] is %d, want %d", what, i, got[i], w))
		}
	}
}

// widened is x in float64.
func widened(x []float32) []float64 {
	w := make([]float64, len(x))
	for i, v := range x {
		w[i] = float64(v)
	}
	return w
}

// narrowed is x in float32.
func narrowed(x []float64) []float32 {
	w := make([]float32, len(x))
	for i, v := range x {
		w[i] = float32(v)
	}
	return w
}

func dot(x, y []float32) (sum float64) {
	for i, v := range x {
		sum += float64(v) * float64(y[i])
	}
	return sum
}

func squared(x, y []float32) (sum float64) {
	for i, v := range x {
		d := float64(v) - float64(y[i])
		sum += d * d
	}
	return sum
}

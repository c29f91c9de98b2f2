package sgemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/chestlab/chest/internal/cpu"
)

// kinds are the calls under test, with where the factors of a term stand.
var kinds = []struct {
	name   string
	f      func(dst, a, b []float32, m, n, k int, beta float32)
	aT, bT bool
}{
	{"NN", NN, false, false},
	{"NT", NT, false, true},
	{"TN", TN, true, false},
	{"SerialNT", SerialNT, false, true},
}

// shapes cross every limit of the package: tiles, packed rows, the change from
// sums to dots, the cut of long rows.
var shapes = [][3]int{ // m, n, k
	{0, 3, 4}, {3, 0, 4}, {3, 4, 0}, {1, 1, 1}, {1, 5, 3}, {7, 1, 30}, {3, 70, 23}, {7, 65, 24}, {8, 193, 25},
	{64, 64, 64}, {65, 129, 31}, {300, 67, 40}, {5, 400, 7}, {130, 200, 12}, {9, 3, 2049}, {2, 5, 4100}, {257, 130, 65}, {250, 40, 600}, {40, 300, 520},
}

// twin is the product by three loops in float64.
func twin(dst, a, b []float32, m, n, k int, beta float32, aT, bT bool) []float64 {
	out := make([]float64, m*n)
	for i := range m {
		for j := range n {
			var s float64
			for l := range k {
				x, y := i*k+l, l*n+j
				if aT {
					x = l*m + i
				}
				if bT {
					y = j*k + l
				}
				s += float64(a[x]) * float64(b[y])
			}
			if beta != 0 {
				s += float64(beta) * float64(dst[i*n+j])
			}
			out[i*n+j] = s
		}
	}
	return out
}

func normal(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

// guarded returns a copy of x between guards of NaN.
func guarded(x []float32) (all, inner []float32) {
	all = make([]float32, len(x)+2*guard)
	for i := range all {
		all[i] = float32(math.NaN())
	}
	copy(all[guard:], x)
	return all, all[guard : guard+len(x) : guard+len(x)]
}

const guard = 600 // more than any tile, or row of one, reaches

// broken tells whether a guard of n entries' row was written.
func broken(all []float32) bool {
	for i, v := range all {
		if (i < guard || i >= len(all)-guard) && v == v {
			return true
		}
	}
	return false
}

func TestTwin(t *testing.T) {
	more := shapes
	for m := 1; m <= 26; m++ { // every edge of every tile
		more = append(more, [3]int{m, 3 * m, 5 + m%7}, [3]int{27 - m, 31 + m, 29 + m})
	}
	for _, level := range cpu.Levels() {
		restore := cpu.Set(level)
		rng := rand.New(rand.NewPCG(1, 2))
		for _, kind := range kinds {
			for _, s := range more {
				for _, beta := range []float32{0, 1, 0.5} {
					m, n, k := s[0], s[1], s[2]
					name := fmt.Sprintf("%s: %s %d×%d×%d, beta %g", level, kind.name, m, n, k, beta)
					a, b, dst := normal(rng, m*k), normal(rng, k*n), normal(rng, m*n)
					want := twin(dst, a, b, m, n, k, beta, kind.aT, kind.bT)
					if beta == 0 {
						for i := range dst {
							dst[i] = float32(math.NaN())
						}
					}
					allA, inA := guarded(a)
					allB, inB := guarded(b)
					allDst, out := guarded(dst)
					kind.f(out, inA, inB, m, n, k, beta)
					for i, w := range want {
						if d := math.Abs(float64(out[i]) - w); !(d <= 2e-6*math.Sqrt(float64(k)+1)*8) {
							t.Fatalf("%s: entry (%d,%d): got %g, want %g", name, i/n, i%n, out[i], w)
						}
					}
					if broken(allA) || broken(allB) || broken(allDst) {
						t.Fatalf("%s: wrote outside of an operand", name)
					}
				}
			}
		}
		restore()
	}
}

// TestStrides: parts of matrices, alpha, and a packed operand; nothing between
// the rows is read or written.
func TestStrides(t *testing.T) {
	for _, level := range cpu.Levels() {
		restore := cpu.Set(level)
		rng := rand.New(rand.NewPCG(5, 6))
		var w Workspace
		var p Packed
		for _, s := range append(shapes, [3]int{250, 33, 300}, [3]int{13, 260, 270}) {
			for t4 := range 4 {
				m, n, k := s[0], s[1], s[2]
				aT, bT := t4&1 > 0, t4&2 > 0
				a, denseA := apart(rng, m, k, aT)
				b, denseB := apart(rng, k, n, bT)
				dst, denseDst := apart(rng, m, n, false)
				const alpha, beta = -0.5, 2
				want := twin(denseDst, denseA, denseB, m, n, k, 0, aT, bT)
				check := func(name string, got Matrix) {
					t.Helper()
					for i := range m {
						for j := range got.Stride {
							v := got.Data[min(i*got.Stride+j, len(got.Data)-1)]
							if j >= n {
								if i < m-1 && v == v {
									t.Fatalf("%s: %s %v: wrote behind row %d", level, name, s, i)
								}
								continue
							}
							exact := alpha*want[i*n+j] + beta*float64(denseDst[i*n+j])
							if d := math.Abs(float64(v) - exact); !(d <= 1e-5*math.Sqrt(float64(k)+1)) {
								t.Fatalf("%s: %s %v: entry (%d,%d) is %g, want %g", level, name, s, i, j, v, exact)
							}
						}
					}
				}
				one, two := dst, dst
				one.Data, two.Data = append([]float32(nil), dst.Data...), append([]float32(nil), dst.Data...)
				Mul(one, a, aT, b, bT, alpha, beta)
				check("Mul", one)
				p.Pack(b, bT)
				w.MulPacked(two, a, aT, &p, alpha, beta)
				for i := range one.Data {
					if math.Float32bits(one.Data[i]) != math.Float32bits(two.Data[i]) {
						t.Fatalf("%s: %v: entry %d: Mul %g, MulPacked %g", level, s, i, one.Data[i], two.Data[i])
					}
				}
			}
		}
		restore()
	}
}

// apart is a random matrix m whose op is rows×cols, with NaN between its rows,
// and its content without gaps.
func apart(rng *rand.Rand, rows, cols int, transposed bool) (m Matrix, dense []float32) {
	if transposed {
		rows, cols = cols, rows
	}
	dense = normal(rng, rows*cols)
	m = Matrix{Rows: rows, Cols: cols, Stride: cols + 5, Data: make([]float32, rows*(cols+5))}
	for i := range m.Data {
		m.Data[i] = float32(math.NaN())
	}
	for i := range rows {
		copy(m.Data[i*m.Stride:], dense[i*cols:(i+1)*cols])
	}
	return m, dense
}

// TestKernels compares each kernel with the loop of its comment.
func TestKernels(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for _, level := range cpu.Levels() {
		s := &sets[level]
		for _, rows := range s.heights {
			for _, k := range []int{1, 2, 3, 4, 5, 8, 31} {
				for _, beta := range []float32{0, 0.5} {
					const alpha = 1.5
					a, b := normal(rng, k*rows), normal(rng, k*s.width)
					ldc := s.width + 3
					all, c := guarded(normal(rng, rows*ldc))
					before := append([]float32(nil), c...)
					s.packed(rows, k, &a[0], &b[0], &c[0], ldc, alpha, beta)
					for i := range rows {
						for j := range ldc {
							want := float64(before[i*ldc+j])
							if j < s.width {
								want *= float64(beta)
								for p := range k {
									want += alpha * float64(a[p*rows+i]) * float64(b[p*s.width+j])
								}
							}
							if d := math.Abs(float64(c[i*ldc+j]) - want); !(d <= 1e-4) {
								t.Fatalf("%s: %d rows, k %d: (%d,%d) is %g, want %g", level, rows, k, i, j, c[i*ldc+j], want)
							}
						}
					}
					if broken(all) {
						t.Fatalf("%s: %d rows, k %d: wrote outside", level, rows, k)
					}
				}
			}
		}
	}
}

func TestPackedAtAnotherLevelPanics(t *testing.T) {
	if cpu.Best() == cpu.Generic {
		t.Skip("this processor has one level")
	}
	var p Packed
	defer cpu.Set(cpu.Best())()
	p.Pack(Dense(make([]float32, 6), 2, 3), false)
	defer cpu.Set(cpu.Generic)()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	new(Workspace).MulPacked(Dense(make([]float32, 3), 1, 3), Dense(make([]float32, 2), 1, 2), false, &p, 1, 0)
}

// TestProcessors: the bits do not depend on the number of processors, nor on
// whether the product was computed by one goroutine.
func TestProcessors(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	rng := rand.New(rand.NewPCG(3, 4))
	for _, kind := range kinds {
		for _, s := range [][3]int{{300, 200, 100}, {700, 1300, 5}, {128, 257, 131}} {
			m, n, k := s[0], s[1], s[2]
			a, b := normal(rng, m*k), normal(rng, k*n)
			runtime.GOMAXPROCS(1)
			want := make([]float32, m*n)
			kind.f(want, a, b, m, n, k, 0)
			for _, procs := range []int{2, 5} {
				runtime.GOMAXPROCS(procs)
				got := make([]float32, m*n)
				kind.f(got, a, b, m, n, k, 0)
				for i := range got {
					if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
						t.Fatalf("%s %v: entry %d is %g on 1 processor, %g on %d", kind.name, s, i, want[i], got[i], procs)
					}
				}
			}
		}
	}
}

func TestWrongShapesPanic(t *testing.T) {
	for _, kind := range kinds {
		for _, l := range [][3]int{{5, 6, 6}, {4, 5, 6}, {4, 6, 7}} { // right: 4, 6, 6
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s: lengths %v passed for a 2×3 by 3×2 product", kind.name, l)
					}
				}()
				kind.f(make([]float32, l[0]), make([]float32, l[1]), make([]float32, l[2]), 2, 2, 3, 0)
			}()
		}
	}
}

// skipUnderRace skips t under the race detector, where a sync.Pool forgets at
// random.
func skipUnderRace(t *testing.T) {
	info, _ := debug.ReadBuildInfo()
	for _, s := range info.Settings {
		if s.Key == "-race" && s.Value == "true" {
			t.Skip("not under the race detector")
		}
	}
}

func TestNoAllocation(t *testing.T) {
	skipUnderRace(t)
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	m, n, k := 70, 130, 90
	a, b, dst := make([]float32, m*k), make([]float32, k*n), make([]float32, m*n)
	for _, kind := range kinds {
		if got := testing.AllocsPerRun(20, func() { kind.f(dst, a, b, m, n, k, 0) }); got > 0 {
			t.Errorf("%s: %g allocations a call", kind.name, got)
		}
	}
}

func BenchmarkProduct(b *testing.B) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, s := range [][3]int{{128, 256, 784}, {256, 256, 128}, {64, 196, 288}, {32, 784, 9}, {64, 16, 576}, {64, 128, 128}} {
		m, n, k := s[0], s[1], s[2]
		x, y, dst := normal(rng, m*k), normal(rng, k*n), make([]float32, m*n)
		for _, kind := range kinds {
			b.Run(fmt.Sprintf("%s/%dx%dx%d", kind.name, m, n, k), func(b *testing.B) {
				for b.Loop() {
					kind.f(dst, x, y, m, n, k, 0)
				}
				b.ReportMetric(2*float64(m*n*k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}

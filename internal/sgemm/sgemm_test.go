package sgemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"testing"
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
	{64, 64, 64}, {65, 129, 31}, {300, 67, 40}, {5, 400, 7}, {130, 200, 12}, {9, 3, 2049}, {2, 5, 4100}, {257, 130, 65},
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

func TestTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, kind := range kinds {
		for _, s := range shapes {
			for _, beta := range []float32{0, 1, 0.5} {
				m, n, k := s[0], s[1], s[2]
				t.Run(fmt.Sprintf("%s/%dx%dx%d/%g", kind.name, m, n, k, beta), func(t *testing.T) {
					a, b, dst := normal(rng, m*k), normal(rng, k*n), normal(rng, m*n)
					want := twin(dst, a, b, m, n, k, beta, kind.aT, kind.bT)
					if beta == 0 {
						for i := range dst {
							dst[i] = float32(math.NaN())
						}
					}
					// what lies behind the matrices must not be read or written
					guarded := append(append([]float32(nil), dst...), float32(math.NaN()), 7)
					kind.f(guarded[:m*n], a, b, m, n, k, beta)
					for i, w := range want {
						if d := math.Abs(float64(guarded[i]) - w); !(d <= 2e-6*math.Sqrt(float64(k)+1)*8) {
							t.Fatalf("entry (%d,%d): got %g, want %g", i/n, i%n, guarded[i], w)
						}
					}
					if guarded[m*n+1] != 7 {
						t.Fatal("wrote behind dst")
					}
				})
			}
		}
	}
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

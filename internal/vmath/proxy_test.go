package vmath

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// TestAssign compares Assign and AssignGrad with their definitions.
func TestAssign(t *testing.T) {
	everywhere(t, func(t *testing.T, rng *rand.Rand, n int) {
		for _, k := range []int{1, 2, 3, 10} {
			const inverse = 5
			s := normal(rng, k*n)
			r := &rows{t: t, name: "Assign"}
			in, q, S := r.row(s), r.row(make([]float32, k*n)), r.row(make([]float32, n))
			Assign(q, S, in, k, n, inverse)
			only := r.row(make([]float32, n))
			Assign(nil, only, in, k, n, inverse)
			gS, g := r.row(normal(rng, n)), r.row(make([]float32, k*n))
			copy(g, q)
			AssignGrad(g, in, S, gS, k, n, inverse)
			for c := range n {
				var sum, mean float64
				for p := range k {
					e := math.Exp(inverse * float64(s[p*n+c]))
					sum += e
					mean += e * float64(s[p*n+c])
				}
				mean /= sum
				what := fmt.Sprintf("k %d, n %d, class %d", k, n, c)
				near(t, what, S[c], mean, 1e-5)
				if only[c] != S[c] {
					t.Fatalf("%s: without q %g, with %g", what, only[c], S[c])
				}
				for p := range k {
					v := float64(s[p*n+c])
					want := math.Exp(inverse*v) / sum
					near(t, what, q[p*n+c], want, 1e-5)
					near(t, what, g[p*n+c], float64(gS[c])*want*(1+(v-mean)*inverse), 2e-5)
				}
			}
			r.check()
		}
	})
}

func TestSquaredFromDots(t *testing.T) {
	everywhere(t, func(t *testing.T, rng *rand.Rand, n int) {
		dots, yy := normal(rng, n), positive(rng, n)
		const xx = 3
		for i := range yy {
			yy[i] += 5 // far from xx: nothing is near
			dots[i] = min(dots[i], 2)
		}
		r := &rows{t: t, name: "SquaredFromDots"}
		out, norms := r.row(dots), r.row(yy)
		if SquaredFromDots(out, xx, norms) {
			t.Fatalf("n %d: near, but none is", n)
		}
		for i := range out {
			near(t, fmt.Sprint(i), out[i], max(xx+float64(yy[i])-2*float64(dots[i]), 0), 1e-6)
		}
		for at := range n { // one that nearly coincides, at every place
			again := r.row(dots)
			again[at] = (xx + yy[at]) / 2 * 1.0000001
			if !SquaredFromDots(again, xx, norms) {
				t.Fatalf("n %d: entry %d is near and was not seen", n, at)
			}
			if again[at] < 0 {
				t.Fatalf("n %d: entry %d is %g", n, at, again[at])
			}
			if at > 40 {
				break
			}
		}
		r.check()
	})
}

func TestBallDistance(t *testing.T) {
	everywhere(t, func(t *testing.T, rng *rand.Rand, n int) {
		const c, A = 0.1, 0.7
		sq, B := positive(rng, n), positive(rng, n)
		inverse := make([]float32, n)
		for i := range B {
			B[i] = min(B[i]/4, 1)
			inverse[i] = 1 / B[i]
			switch i % 9 {
			case 3:
				sq[i] *= 1e-8
			case 5:
				sq[i] = 0
			case 7:
				sq[i] *= 1e6
			}
		}
		r := &rows{t: t, name: "BallDistance"}
		dst, in, by := r.row(make([]float32, n)), r.row(sq), r.row(inverse)
		BallDistance(dst, in, c/A, by, 2)
		for i, s := range sq {
			exact := 2 * math.Asinh(math.Sqrt(float64(s)*float64(float32(c/A))*float64(inverse[i])))
			if d := math.Abs(float64(dst[i]) - exact); d > 1e-6*exact {
				t.Fatalf("n %d, entry %d: %g, want %g", n, i, dst[i], exact)
			}
		}
		g0, w0, v0 := normal(rng, n), normal(rng, n), normal(rng, n)
		g, w, v, rooms := r.row(g0), r.row(w0), r.row(v0), r.row(B)
		W, V := BallDistanceGrad(g, w, v, in, A, rooms, c)
		var sumW, sumV, sizeW, sizeV float64
		for i, s := range sq {
			var want float64
			if s > 0 {
				want = 2 * float64(g0[i]) / math.Sqrt((float64(float32(A))*float64(B[i])+float64(float32(c))*float64(s))*float64(s))
			}
			what := fmt.Sprintf("n %d, entry %d, sq %g", n, i, s)
			near(t, what, g[i], want, 1e-6)
			near(t, what, w[i], float64(w0[i])+want, 1e-6)
			near(t, what, v[i], float64(v0[i])+want*float64(s), 1e-5)
			sumW, sizeW = sumW+want, sizeW+math.Abs(want)
			sumV, sizeV = sumV+want*float64(s), sizeV+math.Abs(want*float64(s))
		}
		if math.Abs(float64(W)-sumW) > 1e-5*(sizeW+1) || math.Abs(float64(V)-sumV) > 1e-5*(sizeV+1) {
			t.Fatalf("n %d: sums %g %g, want %g %g", n, W, V, sumW, sumV)
		}
		r.check()
	})
}

func TestAdamW(t *testing.T) {
	everywhere(t, func(t *testing.T, rng *rand.Rand, n int) {
		w0, g0, m0, v0 := normal(rng, n), normal(rng, n), normal(rng, n), positive(rng, n)
		r := &rows{t: t, name: "AdamW"}
		w, g, m, v := r.row(w0), r.row(g0), r.row(m0), r.row(v0)
		a := Adam{Scale: 0.5, Beta1: 0.9, Beta2: 0.99, Keep: 0.999, Step: 0.01, Root: 1.5, Eps: 1e-8}
		AdamW(w, g, m, v, a)
		for i := range w {
			x := 0.5 * float64(g0[i])
			mi := 0.9*float64(m0[i]) + 0.1*x
			vi := 0.99*float64(v0[i]) + 0.01*x*x
			near(t, "m", m[i], mi, 1e-6)
			near(t, "v", v[i], vi, 1e-6)
			near(t, "w", w[i], 0.999*float64(w0[i])-0.01*mi/(1.5*math.Sqrt(vi)+1e-8), 1e-6)
			if g[i] != 0 {
				t.Fatalf("gradient %d is %g", i, g[i])
			}
		}
		r.check()
	})
}

package hyphc

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/floats"
)

func dotsOf(a, b []float64, c float64) Dots {
	aa, bb := floats.Dot(a, a), floats.Dot(b, b)
	return Dots{AA: aa, BB: bb, AB: floats.Dot(a, b), DD: squaredDifference(a, b, 1), RoomA: 1 - c*aa, RoomB: 1 - c*bb, C: c}
}

// TestDots: the dot products give what the coordinates give, at all three
// kinds of foot.
func TestDots(t *testing.T) {
	feet := map[foot]int{}
	for _, c := range []float64{0, 0.1, 1} {
		rng := rand.New(rand.NewPCG(7, math.Float64bits(c)))
		for range 300 {
			a, b := point(rng, 3, c, rng.Float64()), point(rng, 3, c, rng.Float64())
			if rng.IntN(10) == 0 {
				copy(b, a)
			}
			p := dotsOf(a, b, c)
			feet[p.foot()]++
			if got, want := p.LCA(), LCA(a, b, c); !closeTo(got, want, 1e-9) {
				t.Fatalf("c=%g a=%v b=%v: depth %.12g, want %.12g", c, a, b, got, want)
			}
			wantA, wantB := make([]float64, 3), make([]float64, 3)
			LCAGrad(wantA, wantB, a, b, c, 1)
			aa, ab, ba, bb := p.Grad()
			gotA, gotB := make([]float64, 3), make([]float64, 3)
			for i := range a {
				gotA[i], gotB[i] = aa*a[i]+ab*b[i], ba*a[i]+bb*b[i]
			}
			if apart(gotA, wantA) > 1e-6 || apart(gotB, wantB) > 1e-6 {
				t.Fatalf("c=%g a=%v b=%v: gradients %v %v, want %v %v", c, a, b, gotA, gotB, wantA, wantB)
			}
		}
	}
	if feet[between] < 100 || feet[atA] < 100 || feet[atB] < 50 {
		t.Errorf("feet %v: not all cases were met often", feet)
	}
}

// TestDotsInLine: with the origin between or beyond two points nothing blows up.
func TestDotsInLine(t *testing.T) {
	a := []float64{0.5, -0.25, 1}
	for _, f := range []float64{-2, -1, -0.5, 0, 0.5, 1, 2} {
		b := make([]float64, 3)
		for i, v := range a {
			b[i] = f * v
		}
		p := dotsOf(a, b, 0.1)
		if got, want := p.LCA(), LCA(a, b, 0.1); !closeTo(got, want, 1e-9) {
			t.Errorf("b = %g a: depth %g, want %g", f, got, want)
		}
		aa, ab, ba, bb := p.Grad()
		for _, v := range []float64{aa, ab, ba, bb} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("b = %g a: gradients %g %g %g %g", f, aa, ab, ba, bb)
			}
		}
	}
}

package vmath

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestCountAbove(t *testing.T) {
	everywhere(t, func(t *testing.T, rng *rand.Rand, n int) {
		// small whole numbers: the arithmetic is exact, and limits are often met
		whole := func() []float32 {
			x := make([]float32, n)
			for i := range x {
				x[i] = float32(rng.IntN(7) - 3)
			}
			return x
		}
		x, v, low, high := whole(), whole(), whole(), whole()
		if n > 3 {
			x[1], x[2] = float32(math.NaN()), float32(math.Inf(-1))
		}
		const p, tLow, tHigh = 2, -1, 1
		var above, surely int
		for j := range x {
			z := x[j] - p*v[j]
			if z >= low[j]+tLow {
				above++
			}
			if z >= high[j]+tHigh {
				surely++
			}
		}
		r := &rows{t: t, name: "CountAbove"}
		a, s := CountAbove(r.row(x), r.row(v), p, r.row(low), r.row(high), tLow, tHigh)
		if a != above || s != surely {
			t.Fatalf("n %d: %d and %d, want %d and %d", n, a, s, above, surely)
		}
	})
}

// Package gradcheck compares analytic gradients with finite differences.
package gradcheck

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Directional checks the gradient g of f at x along random directions.
//
//	f(x + hv) - f(x - hv) = 2h g·v + O(h³),  v uniform on the unit sphere
//
// f reads x, which Directional changes in place and restores. step is h;
// rounding of x to its own type is taken into account: the difference is
// divided by the step that really happened. Each of the directions must agree
// to tol relative to |g|₂ + 1e-12.
//
// Cost: two calls of f a direction, at any length of x.
func Directional[F float32 | float64](f func() float64, x, g []F, step, tol float64, directions int, rng *rand.Rand) error {
	if len(x) != len(g) {
		return fmt.Errorf("gradcheck: x has %d entries, gradient %d", len(x), len(g))
	}
	var norm float64
	for _, gi := range g {
		norm += float64(gi) * float64(gi)
	}
	norm = math.Sqrt(norm) + 1e-12
	saved := append([]F(nil), x...)
	defer copy(x, saved)
	v := make([]float64, len(x))
	for k := range directions {
		unit(v, rng)
		want, got := difference(f, x, saved, v, step), 0.0
		for i := range x {
			// the step that entry i really took, after rounding
			got += float64(g[i]) * (float64(saved[i]+F(step*v[i])) - float64(saved[i]-F(step*v[i]))) / (2 * step)
		}
		if d := math.Abs(want - got); !(d <= tol*norm) {
			return fmt.Errorf("gradcheck: direction %d: finite difference %.9g, gradient %.9g, apart by %.3g, allowed %.3g (|g| = %.6g)",
				k, want, got, d, tol*norm, norm)
		}
	}
	return nil
}

// difference returns the central difference of f along v.
func difference[F float32 | float64](f func() float64, x, at []F, v []float64, step float64) float64 {
	for i := range x {
		x[i] = at[i] + F(step*v[i])
	}
	up := f()
	for i := range x {
		x[i] = at[i] - F(step*v[i])
	}
	down := f()
	copy(x, at)
	return (up - down) / (2 * step)
}

// unit fills v with a uniform direction of length 1.
func unit(v []float64, rng *rand.Rand) {
	var s float64
	for i := range v {
		v[i] = rng.NormFloat64()
		s += v[i] * v[i]
	}
	for i := range v {
		v[i] /= math.Sqrt(s)
	}
}

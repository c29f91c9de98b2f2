package poincare

import (
	"fmt"
	"math"
)

// Midpoint returns the gyromidpoint of the rows of x (n×d): the normalised sum
// of the points on the hyperboloid. It is the Einstein midpoint of the Klein
// model.
//
//	m = ½ ⊗ ( Σ λᵢxᵢ / Σ (λᵢ-1) ),  λᵢ = 2/(1 - c‖xᵢ‖²)
//
// With w = 1/(1 - c‖xᵢ‖²), W = Σ wᵢ and x̄ = Σ wᵢxᵢ/W it is computed as
//
//	m = 2W x̄ / (2W - n + √(n² + 4cW Σ wᵢ‖xᵢ-x̄‖²))
//
// which has no cancellation near the boundary. It commutes with isometries, is
// the geodesic's middle for n = 2, and the arithmetic mean for c = 0. Panics if
// x has no rows.
func Midpoint(x []float64, d int, c float64) []float64 {
	n := someRows("Midpoint", x, d, c)
	mean, weight, spread := make([]float64, d), 0.0, 0.0
	for i := range n {
		w := 1 / gap(x[i*d:(i+1)*d], c)
		weight += w
		add(mean, w, x[i*d:(i+1)*d])
	}
	scaled(mean, 1/weight, mean)
	for i := range n {
		row := x[i*d : (i+1)*d]
		spread += squaredDistance(row, mean) / gap(row, c)
	}
	height := math.Sqrt(float64(n)*float64(n) + 4*c*weight*spread)
	return scaled(mean, 2*weight/(2*weight-float64(n)+height), mean)
}

// FrechetMean returns the point with the least sum of squared distances to the
// rows of x (n×d). It exists and is unique in the ball; for c = 0 it is the
// arithmetic mean. Panics if x has no rows.
//
// Method: gradient descent from Midpoint,
//
//	m ← expmap_m( η/n Σ logmap_m(xᵢ) ),  η = n / Σ δᵢ coth δᵢ,  δᵢ = s d(m,xᵢ)
//
// whose step is the inverse of a bound of the Hessian; halved where the sum does
// not fall. It ends when the Riemannian gradient is at rounding level, after
// at most 1000 passes over x.
//
// Source: H. Karcher, "Riemannian center of mass and mollifier smoothing"
// (1977); Hessian bound: the comparison theorem for curvature -c.
func FrechetMean(x []float64, d int, c float64) []float64 {
	n := someRows("FrechetMean", x, d, c)
	m := Midpoint(x, d, c)
	if c == 0 || n == 1 {
		return m
	}
	step, eta, sum := pullMean(m, x, n, c)
	for range 1000 {
		if norm(step)*Conformal(m, c) <= 1e-14*math.Sqrt(sum) {
			break
		}
		next := ExpMap(nil, m, scaled(make([]float64, d), eta, step), c)
		nextStep, nextEta, nextSum := pullMean(next, x, n, c)
		if nextSum > sum*(1+1e-12) { // equal sums are told apart by rounding alone
			eta /= 2
			continue
		}
		m, step, eta, sum = next, nextStep, nextEta, nextSum
	}
	return m
}

// pullMean returns the mean of logmap_m over the rows of x, the step η, and the
// mean squared distance.
func pullMean(m, x []float64, n int, c float64) (step []float64, eta, sum float64) {
	d := len(m)
	step = make([]float64, d)
	log := make([]float64, d)
	var bound float64
	for i := range n {
		row := x[i*d : (i+1)*d]
		add(step, 1/float64(n), LogMap(log, m, row, c))
		dist := Distance(m, row, c)
		sum += dist * dist / float64(n)
		bound += xcothx(math.Sqrt(c)*dist) / float64(n)
	}
	return step, 1 / bound, sum
}

// xcothx returns t coth t, 1 at t = 0.
func xcothx(t float64) float64 {
	if t < tiny {
		return 1
	}
	return t / math.Tanh(t)
}

func someRows(name string, x []float64, d int, c float64) int {
	checkCurvature(name, c)
	n := rows(name, x, d)
	if n == 0 {
		panic(fmt.Sprintf("poincare: %s: no points", name))
	}
	return n
}

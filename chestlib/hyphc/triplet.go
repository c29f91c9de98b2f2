package hyphc

import (
	"fmt"
	"math"
)

// TripletLoss returns the loss of three leaves i, j, k and its gradient by the
// depths of their ancestors. The most similar pair should have the deepest one.
//
//	σ = softmax(depth/T)
//	loss = w₀ + w₁ + w₂ - Σ wₘσₘ
//	∂loss/∂depthₘ = -(1/T) σₘ (wₘ - Σ wₙσₙ)
//
// depth holds LCA of (i,j), (i,k), (j,k), w the similarities of the same pairs,
// in [0,1]; then the loss, Σ wₘ(1-σₘ), is in [0,2]. temperature T is a distance, > 0;
// the smaller, the nearer to Dasgupta's cost, whose pick of one pair σ relaxes.
//
// TripletLoss panics if T is not positive.
func TripletLoss(depth, w [3]float64, temperature float64) (loss float64, grad [3]float64) {
	if !(temperature > 0) {
		panic(fmt.Sprintf("hyphc: temperature %g, want > 0", temperature))
	}
	top := max(depth[0], depth[1], depth[2])
	var sigma [3]float64
	var sum float64
	for m, d := range depth {
		sigma[m] = math.Exp((d - top) / temperature)
		sum += sigma[m]
	}
	var mean float64 // Σ wσ
	for m := range sigma {
		sigma[m] /= sum
		mean += w[m] * sigma[m]
	}
	for m := range grad {
		grad[m] = -sigma[m] * (w[m] - mean) / temperature
	}
	return w[0] + w[1] + w[2] - mean, grad
}

// Similarity returns (1 + cos(x,y))/2, in [0,1], the similarity of HypHC; ½ if
// x or y is zero.
func Similarity(x, y []float64) float64 {
	if len(x) != len(y) {
		panic(fmt.Sprintf("hyphc: vectors with %d and %d coordinates", len(x), len(y)))
	}
	var xx, yy, xy float64
	for i, xi := range x {
		xx += xi * xi
		yy += y[i] * y[i]
		xy += xi * y[i]
	}
	return SimilarityOf(xx, yy, xy)
}

// SimilarityOf is Similarity for callers that have the dot products x·x, y·y and x·y.
func SimilarityOf(xx, yy, xy float64) float64 {
	if xx == 0 || yy == 0 {
		return 0.5
	}
	return (1 + min(max(xy/math.Sqrt(xx*yy), -1), 1)) / 2
}

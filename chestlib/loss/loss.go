// Package loss implements the CHEST loss and its parts, one a file: SoftTriple
// on the sphere, SoftTriple in the Poincaré ball, and hierarchical clustering
// of the ball's proxies. Beside it are the losses that it is compared with, each
// made from the options struct that describes it, and sums of all these; see
// Recipes.
//
// Conventions, everywhere in the package:
//   - Features come and gradients go as []float32, B×D row-major; inside it
//     is float64, and so are the values.
//   - label[i] in [0, classes) is the class of row i; anything else panics, as
//     do lengths that do not fit.
//   - Proxies are trained params, K for each class, in rows c·K+k.
//   - A recipe, the options of a loss, makes the loss for a Setting. Add of a
//     Loss computes values and, unless both gradients of the batch are nil, adds
//     weight times the gradients to them and to the Grad of the params. Step of
//     CHEST's parts does so for one space.
//   - The ball is the model's, see Setting: a loss reads its c and r at each step
//     and adds the gradient by what is learned of them to the ball's own param,
//     which is not among the loss's Params.
//   - A step's result does not depend on the number of processors.
//
// A loss keeps its workspaces from step to step: one loss must not be used from
// two goroutines at once.
//
// Sources: Q. Qian et al., "SoftTriple Loss: Deep Metric Learning Without
// Triplet Sampling" (2019); A. Ermolov et al., "Hyperbolic Vision Transformers:
// Combining Improvements in Metric Learning" (2022), for -d as a similarity
// and the clipped features; I. Chami et al., "From Trees to Continuous
// Embeddings and Back: Hyperbolic Hierarchical Clustering" (2020). Settings
// called "ours" are not taken from a paper.
package loss

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/blas/blas64"

	"github.com/chestlab/chest/chestlib/optim"
)

// newProxies returns a param of rows×dim in random directions, of length norm.
func newProxies(name string, rows, dim int, norm float64, rng *rand.Rand) *optim.Param {
	p := optim.NewParam(name, "proxies", rows, dim)
	p.Plain = true
	row := make([]float64, dim)
	for r := range rows {
		var sum float64
		for i := range row {
			row[i] = rng.NormFloat64()
			sum += row[i] * row[i]
		}
		for i, v := range row {
			p.Value[r*dim+i] = float32(v * norm / math.Sqrt(sum))
		}
	}
	return p
}

// checkSizes panics unless a loss can have these sizes.
func checkSizes(name string, classes, dim, proxies int) {
	if classes < 1 || dim < 1 || proxies < 1 {
		panic(fmt.Sprintf("loss: %s: %d classes of %d proxies in %d dimensions, want at least 1 of each", name, classes, proxies, dim))
	}
}

// checkBatch panics unless x and, if it is not nil, gx are len(label)×dim and
// the labels are classes.
func checkBatch(name string, x, gx []float32, label []int, dim, classes int) {
	if len(x) != len(label)*dim {
		panic(fmt.Sprintf("loss: %s: %d labels, but %d features, want %d×%d", name, len(label), len(x), len(label), dim))
	}
	if gx != nil && len(gx) != len(x) {
		panic(fmt.Sprintf("loss: %s: the gradient has %d entries, the features %d", name, len(gx), len(x)))
	}
	for i, l := range label {
		if l < 0 || l >= classes {
			panic(fmt.Sprintf("loss: %s: label %d of row %d, want one in [0, %d)", name, l, i, classes))
		}
	}
}

// resized returns a slice of n entries, in the memory of x if that is enough.
// The entries are arbitrary.
func resized[T any](x []T, n int) []T {
	if cap(x) < n {
		return make([]T, n)
	}
	return x[:n]
}

// zeros is resized with all entries 0.
func zeros(x []float64, n int) []float64 {
	x = resized(x, n)
	clear(x)
	return x
}

// widen writes x into dst.
func widen(dst []float64, x []float32) []float64 {
	for i, v := range x {
		dst[i] = float64(v)
	}
	return dst
}

// general is x as an n×d matrix.
func general(x []float64, n, d int) blas64.General {
	return blas64.General{Rows: n, Cols: d, Stride: d, Data: x}
}

// blockRows is how many rows, of a batch, of proxies or of triplets, one
// parallel task takes.
const blockRows = 16

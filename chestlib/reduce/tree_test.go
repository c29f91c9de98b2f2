package reduce

import (
	"math"
	"math/rand/v2"

	"github.com/chestlab/chest/chestlib/poincare"
)

// treeSet is points around the leaves of a tree in the ball of curvature -c:
// supers branches at distance 3 from the root, classes at distance 2 from each,
// per points at about 1 from each of these, all in units of curvature -1. Rows
// are in the order of their classes.
func treeSet(seed uint64, supers, classes, per, d int, c float64) (x []float32, label []int) {
	rng := rand.New(rand.NewPCG(seed, 77))
	root := make([]float64, d)
	for range supers {
		super := away(rng, root, 3, c)
		for range classes {
			class := away(rng, super, 2, c)
			for range per {
				x = append(x, narrow(away(rng, class, 1, c))...)
				label = append(label, len(label)/per)
			}
		}
	}
	return x, label
}

// away is a point at distance r/√c from x, in a random direction.
func away(rng *rand.Rand, x []float64, r, c float64) []float64 {
	v := make([]float64, len(x))
	for k := range v {
		v[k] = rng.NormFloat64()
	}
	f := r / math.Sqrt(c) / math.Sqrt(dot(v, v)) / poincare.Conformal(x, c)
	for k := range v {
		v[k] *= f
	}
	return poincare.ExpMap(v, x, v, c)
}

package reduce

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// Sample draws at most that many rows of x (n×d, row-major) at random, without
// repetition, for the methods that compare all pairs. It returns them, their
// labels, and which they were, ascending: all rows if there are no more. A label
// of nil gives nil. The same seed draws the same rows of the same n.
//
// It panics if most is negative, or if x and label do not fit d.
func Sample(x []float32, label []int, d, most int, seed uint64) (some []float32, someLabel, rows []int) {
	if d < 1 || len(x)%d != 0 || label != nil && len(label) != len(x)/d || most < 0 {
		panic(fmt.Sprintf("reduce: a sample of %d of %d entries of dimension %d with %d labels", most, len(x), d, len(label)))
	}
	n := len(x) / d
	rows = rand.New(rand.NewPCG(seed, 4)).Perm(n)[:min(most, n)]
	slices.Sort(rows)
	for _, i := range rows {
		some = append(some, x[i*d:(i+1)*d]...)
		if label != nil {
			someLabel = append(someLabel, label[i])
		}
	}
	return some, someLabel, rows
}

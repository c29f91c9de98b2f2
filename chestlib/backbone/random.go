package backbone

import (
	"math"
	"math/rand/v2"
	"strings"
)

// random draws the tensors of specs: weights of deviation √(2/inputs), those of
// tokens and positions 0.02; gains and variances are 1, the rest is 0.
func random(specs []spec, seed uint64) tensors {
	rng := rand.New(rand.NewPCG(seed, 0x6261636b626f6e65)) // "backbone"
	t := make(tensors, len(specs))
	for _, w := range specs {
		x := make([]float32, w.size())
		switch {
		case strings.HasSuffix(w.name, "running_var"), isGain(w):
			for i := range x {
				x[i] = 1
			}
		case len(w.shape) > 1:
			inputs := max(w.size()/w.shape[0], 1)
			std := math.Sqrt(2 / float64(inputs))
			if w.shape[0] == 1 { // tokens and positions
				std = 0.02
			}
			for i := range x {
				x[i] = float32(std * rng.NormFloat64())
			}
		}
		t[w.name] = x
	}
	return t
}

// isGain tells a LayerNorm's or BatchNorm's gain.
func isGain(w spec) bool { return len(w.shape) == 1 && strings.HasSuffix(w.name, ".weight") }

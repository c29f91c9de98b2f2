package loss

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkBaselines is one step with gradients of each recipe: 180 rows of 128
// dimensions, 2 of each of 90 classes out of 100.
func BenchmarkBaselines(b *testing.B) {
	const n, d = 180, 128
	s := Setting{Classes: 100, DE: d, DH: d, Curvature: 0.1, Clip: 2.3}
	for _, r := range append(Recipes(), TripletOptions{Miner: DistanceWeighted}) {
		b.Run(r.Name(), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(5, 1))
			batch := random(rng, s, n)
			for i := range batch.Label {
				batch.Label[i] = i / 2
			}
			l, err := r.Make(s)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				l.Add(batch, 1)
			}
		})
	}
}

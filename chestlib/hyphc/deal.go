package hyphc

import (
	"math/bits"
	"math/rand/v2"
)

// triplets deals out three different leaves by number. In every pass of
// n(n-1) numbers each ordered pair of leaves comes once, in an order that
// depends on the seed and the pass; the third leaf is uniform among the others.
// It takes no memory, and triplet k does not depend on who asks for it.
type triplets struct {
	n    uint64 // leaves, at least 3
	seed uint64
	pass uint64
	keys [rounds + 1]uint64 // of the pass
}

// rounds of mixing make the order of the pairs look random.
const rounds = 4

func newTriplets(n int, seed uint64) *triplets {
	t := &triplets{n: uint64(n), seed: seed}
	t.turn(0)
	return t
}

// turn makes the keys of a pass.
func (t *triplets) turn(pass uint64) {
	var rng rand.PCG
	rng.Seed(t.seed, pass)
	for r := range t.keys {
		t.keys[r] = rng.Uint64()
	}
	t.pass = pass
}

// until returns the pass of triplet k and how many follow it in that pass.
func (t *triplets) until(k uint64) (pass, left uint64) {
	whole := t.n * (t.n - 1)
	return k / whole, whole - k%whole
}

// at returns triplet k of the pass whose keys are set.
//
// The number is split into i in [0,n) and j in [0,n-1). Each round adds to one
// a hash of the other, which can be undone: so all pairs are reached, once.
// j then skips i.
func (t *triplets) at(k uint64) (a, b, c int) {
	k -= t.pass * t.n * (t.n - 1)
	i, j := k/(t.n-1), k%(t.n-1)
	for r := 0; r < rounds; r += 2 {
		if i += below(hash(t.keys[r]+j), t.n); i >= t.n {
			i -= t.n
		}
		if j += below(hash(t.keys[r+1]+i), t.n-1); j >= t.n-1 {
			j -= t.n - 1
		}
	}
	if j >= i {
		j++
	}
	third := below(hash(t.keys[rounds]+k), t.n-2)
	if third >= min(i, j) {
		third++
	}
	if third >= max(i, j) {
		third++
	}
	return int(i), int(j), int(third)
}

// below maps 64 random bits to [0, n).
func below(h, n uint64) uint64 { hi, _ := bits.Mul64(h, n); return hi }

// hash is the output function of SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast
// Splittable Pseudorandom Number Generators", 2014).
func hash(x uint64) uint64 {
	x *= 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

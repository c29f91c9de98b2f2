package datasets

import "math/rand/v2"

// The streams keep the random numbers of different uses apart under one seed.
const (
	streamHoldOut uint64 = iota + 1
	streamTestSpecies
	streamFamilies
	streamSpecies
	streamImage
)

// newRand is a generator that is a function of the seed, the stream and the
// keys: neighbouring keys give unrelated numbers.
func newRand(seed, stream uint64, keys ...uint64) *rand.Rand {
	a, b := mix(seed), mix(stream)
	for _, k := range keys {
		a, b = mix(a^k), mix(b+k)
	}
	return rand.New(rand.NewPCG(a, b))
}

// mix is the finaliser of SplitMix64, which spreads every bit of z over all.
// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
// OOPSLA 2014.
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

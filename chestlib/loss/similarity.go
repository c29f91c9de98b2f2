package loss

import (
	"fmt"
	"math"
)

// Similarity says how a distance d in the ball becomes a similarity s. The
// scale of s decides which λ, γ and δ fit.
type Similarity int

// Similarities. r is the clip radius, so d ≤ 4r.
const (
	Negative        Similarity = iota // -d, in (-4r, 0]; Hyp-ViT's choice
	NegativeSquared                   // -d²
	Exponential                       // exp(-d), in (0, 1]
	Rescaled                          // -d/(4r), in (-1, 0]: λ, γ, δ as for cosines
)

// String returns the formula.
func (s Similarity) String() string {
	names := [...]string{"-d", "-d²", "exp(-d)", "-d/4r"}
	if s < 0 || int(s) >= len(names) {
		return fmt.Sprintf("Similarity(%d)", int(s))
	}
	return names[s]
}

// check panics unless s is one of the constants and fits the clip radius.
func (s Similarity) check(r float64) {
	if s < Negative || s > Rescaled {
		panic(fmt.Sprintf("loss: %v is not a similarity", s))
	}
	if s == Rescaled && math.IsInf(r, 1) {
		panic("loss: the similarity -d/4r needs a clip radius r: set Clip above 0")
	}
}

// of returns the similarity at distance d.
func (s Similarity) of(d, r float64) float64 {
	switch s {
	case NegativeSquared:
		return -d * d
	case Exponential:
		return math.Exp(-d)
	case Rescaled:
		return -d / (4 * r)
	}
	return -d
}

// slope returns ∂s/∂d where the similarity is value.
func (s Similarity) slope(value, r float64) float64 {
	switch s {
	case NegativeSquared:
		return -2 * math.Sqrt(-value)
	case Exponential:
		return -value
	case Rescaled:
		return -1 / (4 * r)
	}
	return -1
}

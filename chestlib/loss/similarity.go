package loss

import (
	"fmt"
	"math"
)

// Similarity says how a distance d in the ball becomes a similarity s. The
// scale of s decides which λ, γ and δ fit.
type Similarity int

// Similarities. r is the clip radius: d ≤ 4r where features and proxies are both
// clipped. With FreeProxies or without a clip d has no bound, and the lower ends
// of these ranges do not hold.
const (
	Negative        Similarity = iota // -d, in [-4r, 0]; Hyp-ViT's choice
	NegativeSquared                   // -d², in [-16r², 0]
	Exponential                       // exp(-d), in [exp(-4r), 1]
	Rescaled                          // -d/(4r), in [-1, 0]: λ, γ, δ as for cosines; needs a clip
)

// String returns the formula.
func (s Similarity) String() string {
	names := [...]string{"-d", "-d²", "exp(-d)", "-d/4r"}
	if s < 0 || int(s) >= len(names) {
		return fmt.Sprintf("Similarity(%d)", int(s))
	}
	return names[s]
}

// check finds out whether s is one of the constants and fits the clip radius.
func (s Similarity) check(r float64) error {
	if s < Negative || s > Rescaled {
		return fmt.Errorf("loss: %v is not a similarity", s)
	}
	if s == Rescaled && math.IsInf(r, 1) {
		return fmt.Errorf("loss: the similarity -d/4r needs a clip radius r: set Clip above 0")
	}
	return nil
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

// stretch returns d ∂s/∂d where the similarity is value.
func (s Similarity) stretch(value float64) float64 {
	switch {
	case s == NegativeSquared:
		return 2 * value
	case s == Exponential && value > 0:
		return value * math.Log(value)
	}
	return value
}

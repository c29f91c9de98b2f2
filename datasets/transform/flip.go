package transform

import (
	"fmt"
	"math/rand/v2"
)

// Flip turns left and right round with probability P.
type Flip struct {
	P float64 // 0 means 0.5, negative means never
}

// Apply implements Step. It draws one number.
func (s Flip) Apply(m RGB, rng *rand.Rand) RGB {
	p := s.P
	if p == 0 {
		p = 0.5
	}
	if rng.Float64() >= p {
		return m
	}
	return mirror(m)
}

// Check implements Step.
func (s Flip) Check() error {
	if !(s.P <= 1) {
		return fmt.Errorf("transform: Flip: P %g: want a probability (0 means 0.5, negative means never)", s.P)
	}
	return nil
}

// mirror is m with left and right turned round.
func mirror(m RGB) RGB {
	out := NewRGB(m.W, m.H)
	for y := range m.H {
		from, to := m.Row(y), out.Row(y)
		for x := 0; x < len(from); x += 3 {
			d := to[len(to)-3-x:][:3]
			d[0], d[1], d[2] = from[x], from[x+1], from[x+2]
		}
	}
	return out
}

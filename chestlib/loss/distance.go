package loss

import "fmt"

// Distance says what of a distance a margin loss takes. The zero value is that
// of the loss's paper.
type Distance int

// Distances, on the sphere of unit vectors x and y or in the ball.
const (
	UsualDistance   Distance = iota // SquaredDistance for triplet on the sphere, else PlainDistance
	PlainDistance                   // ‖x-y‖, or d(x,y) in the ball
	SquaredDistance                 // its square
	CosineDistance                  // 1 - x·y = ‖x-y‖²/2; not in the ball
)

// String returns the name of the constant in small letters.
func (d Distance) String() string {
	names := [...]string{"usual", "plain", "squared", "cosine"}
	if d < 0 || int(d) >= len(names) {
		return fmt.Sprintf("Distance(%d)", int(d))
	}
	return names[d]
}

// check finds out whether d is one of the constants and fits the geometry.
func (d Distance) check(name string, g Geometry) error {
	if d < UsualDistance || d > CosineDistance {
		return fmt.Errorf("loss: %s: %v is not a distance", name, d)
	}
	if d == CosineDistance && g == Ball {
		return fmt.Errorf("loss: %s: the ball has no CosineDistance; set Geometry to Angle, or another Distance", name)
	}
	return nil
}

// measure is d of the distance.
func (d Distance) measure() measure {
	switch d {
	case SquaredDistance:
		return measure{a2: 1}
	case CosineDistance:
		return measure{a2: 0.5}
	}
	return measure{a1: 1}
}

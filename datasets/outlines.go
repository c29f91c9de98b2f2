package datasets

import "math"

const sqrtHalf = math.Sqrt2 / 2

// A figure is a plane shape as a function: negative inside, positive outside,
// and near its edge the distance to it, which is all that soft edges need.
// x goes right, y goes down.
type figure func(x, y float64) float64

// outline is a shield shape, about the disc of radius 1, and the room it leaves
// for charges: they are laid out in a square around (0, y), times room.
type outline struct {
	name string
	edge figure
	y    float64
	room float64
}

// outlines are the shields of the orders, most different first.
var outlines = []outline{
	{"heater", heater, -0.14, 0.86},
	{"roundel", func(x, y float64) float64 { return math.Hypot(x, y) - 0.95 }, 0, 0.92},
	{"lozenge", func(x, y float64) float64 { return (math.Abs(x) + math.Abs(y) - 1.25) * sqrtHalf }, 0, 0.84},
	{"banner", func(x, y float64) float64 { return box(x, y, 0.86, 0.86) }, 0, 1},
	{"oval", func(x, y float64) float64 { return ellipse(x, y, 0.74, 1.05) }, 0, 0.76},
	{"hexagon", hexagon, 0, 0.88},
	{"kite", func(x, y float64) float64 { return droplet(x, y+0.33, 0.8, 1.48) }, -0.28, 0.72},
	{"tongue", tongue, -0.06, 0.94},
}

// box is the rectangle |x| ≤ a, |y| ≤ b.
func box(x, y, a, b float64) float64 { return max(math.Abs(x)-a, math.Abs(y)-b) }

// ellipse has half-axes a and b; first order near the edge.
func ellipse(x, y, a, b float64) float64 {
	k := math.Hypot(x/a, y/b)
	if k < 1e-9 {
		return -min(a, b)
	}
	return k * (k - 1) / math.Hypot(x/(a*a), y/(b*b))
}

// heater is flat above, with straight flanks and then two arcs to a point
// below. An arc leaves the flank upright at height bend, so its centre lies at
// that height and its radius follows from the point (0, tip).
func heater(x, y float64) float64 {
	const half, bend, tip = 0.86, -0.1, 1.05
	const radius = ((tip-bend)*(tip-bend) + half*half) / (2 * half)
	flank := math.Abs(x) - half
	if y > bend {
		flank = math.Hypot(math.Abs(x)+radius-half, y-bend) - radius
	}
	return max(flank, -0.92-y)
}

// hexagon stands on a corner.
func hexagon(x, y float64) float64 {
	x, y = math.Abs(x), math.Abs(y)
	return max(x, 0.5*x+0.866*y) - 0.9
}

// tongue is flat above and round below.
func tongue(x, y float64) float64 {
	const half, bend = 0.8, 0.15
	if y > bend {
		return math.Hypot(x, y-bend) - half
	}
	return max(math.Abs(x)-half, -0.92-y)
}

// droplet is the hull of the disc of radius r at 0 and the point (0, h) below.
// Its straight edges touch the disc where their normal is (√(1-b²), b), b = r/h.
func droplet(x, y, r, h float64) float64 {
	x = math.Abs(x)
	b := r / h
	a := math.Sqrt(1 - b*b)
	if a*y < b*x { // nearer to the round part
		return math.Hypot(x, y) - r
	}
	return a*x + b*y - r
}

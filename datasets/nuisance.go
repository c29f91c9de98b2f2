package datasets

import (
	"math"
	"math/rand/v2"
)

// nuisance is how strong each thing is that differs between images of one
// species. Random values are uniform in ± the strength, unless said otherwise.
type nuisance struct {
	turn     float64 // radians
	shift    float64 // of the image's side, in x and in y
	grow     float64 // natural logarithm of the zoom
	back     float64 // background grey around the middle
	colour   float64 // background and light colour, each channel
	contrast float64 // natural logarithm, at most lost, never gained
	bright   float64 // grey
	slope    float64 // grey from the centre to the edge, any direction
	blur     float64 // from 0: standard deviation, in 1/32 of the side
	noise    float64 // from 0: standard deviation of each value
	strokes  int     // lines of clutter behind the shield
	scratch  int     // lines of clutter across it
	ink      float64 // opacity of clutter, at most
}

// usual is Nuisance = 1.
var usual = nuisance{
	turn:  20 * math.Pi / 180,
	shift: 0.11, grow: 0.16,
	back: 0.4, colour: 0.1,
	contrast: 0.6, bright: 0.12, slope: 0.15,
	blur: 0.8, noise: 0.05,
	strokes: 5, scratch: 2, ink: 0.8,
}

// stroke is a straight line of clutter; lengths in sides of the image.
type stroke struct {
	x, y           float64 // its middle
	dx, dy         float64 // from the middle to one end
	width, opacity float64
	colour         [3]float64
	above          bool // across the shield, not behind it
}

// condition is how one image is taken: everything but the class.
type condition struct {
	sin, cos       float64
	dx, dy, zoom   float64
	back           [3]float64
	gain           float64
	bright         [3]float64
	slopeX, slopeY float64
	blur, noise    float64
	strokes        []stroke
}

// conditions draws the condition of an image at the given strength; the same
// numbers are drawn at every strength. Strength 0 is a straight, clean picture.
func conditions(rng *rand.Rand, strength float64) condition {
	u := usual
	spread := func(a float64) float64 { return strength * a * (2*rng.Float64() - 1) }
	var c condition
	c.sin, c.cos = math.Sincos(spread(u.turn))
	c.dx, c.dy = spread(u.shift), spread(u.shift)
	c.zoom = math.Exp(spread(u.grow))
	grey := 0.5 + spread(u.back)
	bright := spread(u.bright)
	for k := range c.back {
		c.back[k] = grey + spread(u.colour)
		c.bright[k] = bright + spread(u.colour)/2
	}
	c.gain = math.Exp(-strength * u.contrast * rng.Float64())
	sin, cos := math.Sincos(2 * math.Pi * rng.Float64())
	slope := spread(u.slope)
	c.slopeX, c.slopeY = slope*cos, slope*sin
	c.blur = strength * u.blur * rng.Float64()
	c.noise = strength * u.noise * rng.Float64()
	for i := range u.strokes + u.scratch {
		c.strokes = append(c.strokes, clutter(rng, min(strength, 1)*u.ink, i >= u.strokes))
	}
	return c
}

// clutter draws one line: anywhere and broad behind the shield, thin above it.
func clutter(rng *rand.Rand, ink float64, above bool) stroke {
	sin, cos := math.Sincos(2 * math.Pi * rng.Float64())
	half := 0.1 + 0.3*rng.Float64()
	s := stroke{
		x: rng.Float64(), y: rng.Float64(), dx: half * cos, dy: half * sin,
		width: 0.03 + 0.09*rng.Float64(), opacity: ink * rng.Float64(), above: above,
	}
	if above {
		s.width /= 3
	}
	grey := rng.Float64()
	for k := range s.colour {
		s.colour[k] = grey + 0.3*(rng.Float64()-0.5)
	}
	return s
}

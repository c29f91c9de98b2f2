package datasets

import (
	"math"
	"math/rand/v2"
)

// Sizes of a picture at zoom 1.
const (
	unitShare = 0.37 // of the side: the unit of length of shields
	rimWidth  = 0.09 // units: the dark line around a shield
	bordure   = 0.22 // units: the band along the edge, rim included
	within    = 0.74 // how much room a bordure leaves
	farCharge = 1.7  // of a charge's radius: no charge reaches further
)

// rim is the colour of the line around a shield.
var rim = [3]float64{0.03, 0.03, 0.04}

// luma turns RGB into grey. Source: ITU-R BT.601.
var luma = [3]float64{0.299, 0.587, 0.114}

// painter draws images of one size, reusing its memory. Edges are soft: a pixel
// takes the share of a figure that the distance to its edge gives.
type painter struct {
	channels, size int
	pix            [3][]float64 // a plane each, in [0, 1] until light and noise
	row            []float64
}

// newPainter makes a painter of images of size×size pixels.
func newPainter(channels, size int) *painter {
	p := &painter{channels: channels, size: size, row: make([]float64, size)}
	for k := range channels {
		p.pix[k] = make([]float64, size*size)
	}
	return p
}

// tone is a colour in the channels of the image.
type tone [3]float64

// paint draws one image of a design. Noise comes from rng.
func (p *painter) paint(d design, c condition, rng *rand.Rand) {
	p.fill(p.tone(c.back))
	for _, s := range c.strokes {
		if !s.above {
			p.line(s)
		}
	}
	p.shield(d, c)
	for _, s := range c.strokes {
		if s.above {
			p.line(s)
		}
	}
	p.blur(c.blur * float64(p.size) / 32)
	p.light(c, rng)
}

// tone turns RGB into the channels of the image.
func (p *painter) tone(rgb [3]float64) tone {
	if p.channels == 3 {
		return tone(rgb)
	}
	return tone{luma[0]*rgb[0] + luma[1]*rgb[1] + luma[2]*rgb[2]}
}

// fill paints everything in one tone.
func (p *painter) fill(t tone) {
	for k := range p.channels {
		for i := range p.pix[k] {
			p.pix[k][i] = t[k]
		}
	}
}

// blend lays a tone over pixel i.
func (p *painter) blend(i int, t tone, opacity float64) {
	for k := range p.channels {
		p.pix[k][i] += opacity * (t[k] - p.pix[k][i])
	}
}

// cover is the share of a pixel inside a figure whose edge is d pixels away.
func cover(d float64) float64 { return min(max(0.5-d, 0), 1) }

// line lays a stroke over the image, inside its bounding box.
func (p *painter) line(s stroke) {
	side := float64(p.size)
	t, half := p.tone(s.colour), s.width*side/2
	x, y, dx, dy := s.x*side, s.y*side, s.dx*side, s.dy*side
	x0, x1 := p.span(x, math.Abs(dx)+half)
	y0, y1 := p.span(y, math.Abs(dy)+half)
	length := dx*dx + dy*dy
	for j := y0; j < y1; j++ {
		for i := x0; i < x1; i++ {
			px, py := float64(i)+0.5-x, float64(j)+0.5-y
			along := min(max((px*dx+py*dy)/length, -1), 1)
			if a := cover(math.Hypot(px-along*dx, py-along*dy) - half); a > 0 {
				p.blend(j*p.size+i, t, a*s.opacity)
			}
		}
	}
}

// span is the pixels within reach of a coordinate, as [lo, hi).
func (p *painter) span(at, reach float64) (lo, hi int) {
	return max(int(at-reach-1), 0), min(int(at+reach+2), p.size)
}

// shield draws the field, its division, the charges and the rim.
func (p *painter) shield(d design, c condition) {
	side := float64(p.size)
	unit := unitShare * side * c.zoom
	cx, cy := side*(0.5+c.dx), side*(0.5+c.dy)
	o, s := outlines[d.outline], schemes[d.scheme]
	part := divisions[d.division].part
	first, second, top, dark := p.tone(s.first), p.tone(s.second), p.tone(s.charge), p.tone(rim)
	spots := layout(d)
	for j := range p.size {
		for i := range p.size {
			px, py := (float64(i)+0.5-cx)/unit, (float64(j)+0.5-cy)/unit
			x, y := c.cos*px+c.sin*py, c.cos*py-c.sin*px
			edge := o.edge(x, y)
			inside := cover(edge * unit)
			if inside == 0 {
				continue
			}
			at := j*p.size + i
			t := mixed(first, second, cover(part(x, y)*unit))
			if a := chargeAt(d, spots, x, y, unit); a > 0 {
				t = mixed(t, top, a)
			}
			if d.bordure {
				t = mixed(top, t, cover((edge+bordure)*unit))
			}
			p.blend(at, mixed(dark, t, cover((edge+rimWidth)*unit)), inside)
		}
	}
}

// layout is the places of the charges on the shield.
func layout(d design) []spot {
	o, a := outlines[d.outline], arrangements[d.arrangement]
	room := o.room
	if d.bordure {
		room *= within
	}
	spots := make([]spot, len(a.spots))
	for i, s := range a.spots {
		spots[i] = spot{s.x * room, o.y + s.y*room, s.r * room}
	}
	return spots
}

// chargeAt is how much of the pixel at (x, y) charges cover.
func chargeAt(d design, spots []spot, x, y, unit float64) float64 {
	figure, most := charges[d.charge].edge, 0.0
	for _, s := range spots {
		dx, dy := (x-s.x)/s.r, (y-s.y)/s.r
		if max(math.Abs(dx), math.Abs(dy)) > farCharge {
			continue
		}
		most = max(most, cover(figure(dx, dy)*s.r*unit))
	}
	return most
}

// mixed is a with the share t of b.
func mixed(a, b tone, t float64) tone {
	for k := range a {
		a[k] += t * (b[k] - a[k])
	}
	return a
}

// blur is a Gaussian of standard deviation sigma pixels, rows and then columns;
// beyond the border the image goes on with its last pixel.
func (p *painter) blur(sigma float64) {
	if sigma < 0.2 { // nothing that eight bits would show
		return
	}
	reach := int(math.Ceil(3 * sigma))
	kernel, sum := make([]float64, reach+1), 0.0
	for r := range kernel {
		kernel[r] = math.Exp(-float64(r*r) / (2 * sigma * sigma))
		sum += kernel[r]
	}
	for r := range kernel {
		kernel[r] /= 2*sum - 1
	}
	for k := range p.channels {
		for i := range p.size {
			p.smooth(p.pix[k][i*p.size:], 1, kernel)
		}
		for i := range p.size {
			p.smooth(p.pix[k][i:], p.size, kernel)
		}
	}
}

// smooth convolves the size values x[0], x[stride], … with a kernel that is
// given from its middle outwards.
func (p *painter) smooth(x []float64, stride int, kernel []float64) {
	n := p.size
	for i := range n {
		p.row[i] = x[i*stride]
	}
	for i := range n {
		v := kernel[0] * p.row[i]
		for r := 1; r < len(kernel); r++ {
			v += kernel[r] * (p.row[max(i-r, 0)] + p.row[min(i+r, n-1)])
		}
		x[i*stride] = v
	}
}

// light changes contrast and brightness, brighter to one side, and adds noise.
func (p *painter) light(c condition, rng *rand.Rand) {
	bright := p.tone(c.bright)
	step := 2 / float64(p.size)
	for k := range p.channels {
		for i, v := range p.pix[k] {
			x, y := (float64(i%p.size)+0.5)*step-1, (float64(i/p.size)+0.5)*step-1
			v = 0.5 + c.gain*(v-0.5) + bright[k] + c.slopeX*x + c.slopeY*y
			p.pix[k][i] = v + c.noise*rng.NormFloat64()
		}
	}
}

// write rounds the image to bytes.
func (p *painter) write(dst []uint8) {
	plane := p.size * p.size
	for k := range p.channels {
		for i, v := range p.pix[k] {
			dst[k*plane+i] = uint8(min(max(v, 0), 1)*255 + 0.5)
		}
	}
}

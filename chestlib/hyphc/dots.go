package hyphc

import "math"

// Dots are two points of the Poincaré ball as their dot products, for callers
// that have these already and handle the coordinates themselves.
type Dots struct {
	AA, BB, AB   float64 // ‖a‖², ‖b‖², a·b
	DD           float64 // ‖a-b‖², taken from the difference
	RoomA, RoomB float64 // 1-c‖a‖², 1-c‖b‖²
	C            float64 // minus the curvature
}

// inLine32 is the squared sine up to which two points of float32 coordinates
// count as in line with the origin.
const inLine32 = 1e-13

// LCA is the function LCA of the two points.
func (p Dots) LCA() float64 {
	switch p.foot() {
	case atA:
		return toOrigin(p.AA, p.RoomA, p.C)
	case atB:
		return toOrigin(p.BB, p.RoomB, p.C)
	}
	z := p.height()
	if p.C == 0 {
		return z
	}
	return math.Asinh(math.Sqrt(p.C)*z) / math.Sqrt(p.C)
}

// Grad returns the gradients of LCA by both points as multiples of the points:
//
//	∂/∂a = aa a + ab b,  ∂/∂b = ba a + bb b
//
// Kinks are treated as in LCAGrad.
func (p Dots) Grad() (aa, ab, ba, bb float64) {
	switch p.foot() {
	case atA:
		if p.DD == 0 {
			half := outwards(p.AA, p.RoomA) / 2
			return half, 0, 0, half
		}
		return outwards(p.AA, p.RoomA), 0, 0, 0
	case atB:
		return 0, 0, 0, outwards(p.BB, p.RoomB)
	}
	z := p.height()
	if z == 0 {
		return 0, 0, 0, 0
	}
	k := z / math.Sqrt(1+p.C*z*z)
	aa, ab = p.line(k)
	p.AA, p.BB = p.BB, p.AA
	bb, ba = p.line(k)
	return aa, ab, ba, bb
}

// line returns the bracket of LCAGrad's formula, times k, as a multiple of a
// and one of b.
func (p Dots) line(k float64) (a, b float64) {
	t := p.AB / p.BB
	perp, q := p.AA-t*p.AB, p.q()
	return k * (1/perp - 1/p.DD - p.C*p.C*p.BB/q), k * (-t/perp + 1/p.DD + p.C/q)
}

func (p Dots) q() float64 { return p.RoomA*p.RoomB + p.C*p.DD }

func (p Dots) foot() foot {
	switch {
	case p.DD == 0, (1+p.C*p.BB)*p.AA < (1+p.C*p.AA)*p.AB:
		return atA
	case (1+p.C*p.AA)*p.BB < (1+p.C*p.BB)*p.AB:
		return atB
	}
	return between
}

// height returns z = sinh(s d)/s of the geodesic's distance d from the origin.
func (p Dots) height() float64 {
	gram := p.AA*p.BB - p.AB*p.AB
	if gram <= inLine32*p.AA*p.BB {
		return 0
	}
	return 2 * math.Sqrt(gram/(p.DD*p.q()))
}

// toOrigin returns d(0,x) from ‖x‖² and 1-c‖x‖².
//
//	d(0,x) = (2/s) artanh(s‖x‖) = (2/s) arsinh(s‖x‖/√(1-c‖x‖²))
func toOrigin(xx, room, c float64) float64 {
	if c == 0 {
		return 2 * math.Sqrt(xx)
	}
	return 2 / math.Sqrt(c) * math.Asinh(math.Sqrt(c*xx/room))
}

// outwards returns the factor m of ∂d(0,x)/∂x = m x; 0 at the origin.
func outwards(xx, room float64) float64 {
	if xx == 0 {
		return 0
	}
	return 2 / (math.Sqrt(xx) * room)
}

package reduce

import (
	"math"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/internal/parallel"
)

const (
	springGrain = 64   // points of a task
	springRest  = 1e-4 // relative fall of the stress, in a step, to stop below
)

// spring is points of the unit disk whose pairs want distances.
//
//	E = ½ Σ (d(yᵢ,yⱼ) - δᵢⱼ)²
//
// The pairs of a point are listed with it, each pair twice in all: points are
// moved in parallel and sums have a fixed order.
type spring struct {
	y     []float64 // n×2
	first []int32   // n+1: the pairs of point i are first[i]…first[i+1]
	other []int32
	far   []float64 // δ
	sums  []float64 // energy of each task
	move  []float64 // n×2, what each point would move by
	next  []float64 // n×2, y of the next step, and then its move
	then  []float64
}

// newSpring takes the pairs and where points are at first.
func newSpring(p *pairs, y []float64) *spring {
	n := len(y) / 2
	s := &spring{y: y, first: make([]int32, n+1), other: make([]int32, 2*len(p.a)), far: make([]float64, 2*len(p.a))}
	for at := range p.a {
		s.first[p.a[at]+1]++
		s.first[p.b[at]+1]++
	}
	for i := range n {
		s.first[i+1] += s.first[i]
	}
	at := append([]int32(nil), s.first[:n]...)
	put := func(i, j int32, far float64) {
		s.other[at[i]], s.far[at[i]] = j, far
		at[i]++
	}
	for k, far := range p.far {
		put(p.a[k], p.b[k], far)
		put(p.b[k], p.a[k], far)
	}
	s.sums = make([]float64, (n+springGrain-1)/springGrain)
	s.move, s.next, s.then = make([]float64, 2*n), make([]float64, 2*n), make([]float64, 2*n)
	return s
}

// descend moves the points until the stress hardly falls. It never rises.
//
// A step is a Newton step of every point with the others held still, half as
// long since they move too, and shorter where E would rise.
func (s *spring) descend(r report) error {
	rate := 0.5
	e := s.look(s.y, s.move)
	for step := range r.total {
		if err := r.set(step, ""); err != nil {
			return err
		}
		was := e
		for {
			s.moved(rate)
			if e = s.look(s.next, s.then); e <= was {
				break
			}
			if rate /= 2; rate < 1e-6 {
				return nil
			}
		}
		s.y, s.next = s.next, s.y
		s.move, s.then = s.then, s.move
		if was-e <= springRest*was {
			return nil
		}
		rate = min(1.3*rate, 1)
	}
	return r.set(r.total, "")
}

// moved sets next to the points moved by rate times move, along geodesics.
func (s *spring) moved(rate float64) {
	for i := 0; i < len(s.y); i += 2 {
		vx, vy := rate*s.move[i], rate*s.move[i+1]
		s.next[i], s.next[i+1] = step(s.y[i], s.y[i+1], vx, vy)
	}
}

// step moves a point of the unit disk by a vector of its frame: one whose
// Euclidean length is the hyperbolic length of the way.
func step(x, y, vx, vy float64) (float64, float64) {
	v := math.Hypot(vx, vy)
	if v == 0 {
		return x, y
	}
	f := math.Tanh(min(v/2, 15)) / v
	vx, vy = f*vx, f*vy
	// (z + w)/(1 + z̄ w), complex
	re, im := 1+x*vx+y*vy, x*vy-y*vx
	size := re*re + im*im
	px, py := x+vx, y+vy
	x, y = (px*re+py*im)/size, (py*re-px*im)/size
	if l := math.Hypot(x, y); l > rim {
		x, y = x*rim/l, y*rim/l
	}
	return x, y
}

// look returns E at the points y and sets move to the Newton step of each.
func (s *spring) look(y, move []float64) float64 {
	parallel.For(len(y)/2, springGrain, func(lo, hi int) {
		var sum float64
		for i := lo; i < hi; i++ {
			e, h := s.point(y, i)
			sum += e
			move[2*i], move[2*i+1] = h.solve()
		}
		s.sums[lo/springGrain] = sum
	})
	return floats.Sum(s.sums) / 4 // ½, and each pair is listed twice
}

// newton is the gradient of E by a point, in its frame, and the Hessian.
type newton struct{ gx, gy, xx, xy, yy float64 }

// point returns Σ (d-δ)² over the pairs of point i, and with the unit vector u
// of its frame toward the other point of a pair
//
//	gradient = Σ -(d-δ) u,  Hessian = Σ u uᵀ + (d-δ) coth(d) (1 - u uᵀ)
//
// where a negative d-δ counts as 0, so that the Hessian is positive.
func (s *spring) point(y []float64, i int) (sum float64, h newton) {
	x0, y0 := y[2*i], y[2*i+1]
	gap := gapOf(x0, y0)
	for at := s.first[i]; at < s.first[i+1]; at++ {
		j := 2 * s.other[at]
		x1, y1 := y[j], y[j+1]
		dx, dy := x1-x0, y1-y0
		chord := math.Sqrt((dx*dx + dy*dy) / (gap * gapOf(x1, y1)))
		d := 2 * asinh(chord)
		off := d - s.far[at]
		sum += off * off
		if chord == 0 {
			h.xx, h.yy = h.xx+1, h.yy+1
			continue
		}
		// m = (y₁-y₀)/(1 - ȳ₀ y₁), complex: the other point seen from this one.
		re, im := 1-x0*x1-y0*y1, y0*x1-x0*y1
		ux, uy := dx*re+dy*im, dy*re-dx*im
		l := 1 / math.Sqrt(ux*ux+uy*uy)
		ux, uy = ux*l, uy*l
		h.gx, h.gy = h.gx-off*ux, h.gy-off*uy
		// coth d = (1 + 2 sinh²(d/2)) / (2 sinh(d/2) cosh(d/2))
		across := max(off, 0) * (1 + 2*chord*chord) / (2 * chord * math.Sqrt(1+chord*chord))
		h.xx += ux*ux + across*uy*uy
		h.xy += ux * uy * (1 - across)
		h.yy += uy*uy + across*ux*ux
	}
	return sum, h
}

// solve returns minus the inverse of the Hessian times the gradient, with a
// little added where the Hessian is nearly singular. It is at most 1 long: a
// step is not trusted farther.
func (h newton) solve() (float64, float64) {
	some := 0.02*(h.xx+h.yy) + 1e-300
	xx, yy := h.xx+some, h.yy+some
	det := xx*yy - h.xy*h.xy
	x, y := (h.xy*h.gy-yy*h.gx)/det, (h.xy*h.gx-xx*h.gy)/det
	return atMost(1, x, y)
}

// asinh is that of z ≥ 0.
func asinh(z float64) float64 {
	if z > 0.1 { // where math.Log is faster and as good
		return math.Log(z + math.Sqrt(1+z*z))
	}
	return math.Log1p(z + z*z/(1+math.Sqrt(1+z*z)))
}

// gapOf is 1 - ‖y‖² of a point of the unit disk, above 0 also where it rounds.
func gapOf(x, y float64) float64 { return max((1-x*x)-y*y, 1e-16) }

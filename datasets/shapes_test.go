package datasets

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestFiguresAreDistances: near its edge every figure grows about as fast as
// the distance does, so that soft edges are one pixel wide, and it jumps
// nowhere around it.
func TestFiguresAreDistances(t *testing.T) {
	figures := map[string]figure{}
	for _, o := range outlines {
		figures[o.name] = o.edge
	}
	for _, d := range divisions {
		figures[d.name] = d.part
	}
	for _, c := range charges {
		figures[c.name] = c.edge
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for name, f := range figures {
		near, inside := 0, 0
		for range 20000 {
			x, y, a := 3*rng.Float64()-1.5, 3*rng.Float64()-1.5, 2*math.Pi*rng.Float64()
			const h = 1e-6
			v := f(x, y)
			if jump := math.Abs(f(x+h*math.Cos(a), y+h*math.Sin(a)) - v); math.Abs(v) < 0.3 && jump > 2*h || math.IsNaN(v) {
				t.Fatalf("%s: value %g at (%g, %g), a step of %g changes it by %g", name, v, x, y, h, jump)
			}
			if v < 0 {
				inside++
			}
			slope := math.Hypot(f(x+h, y)-f(x-h, y), f(x, y+h)-f(x, y-h)) / (2 * h)
			if math.Abs(v) < 0.05 && slope > 0.8 && slope < 1.2 {
				near += 2
			} else if math.Abs(v) < 0.05 {
				near--
			}
		}
		if near < 100 || inside < 500 {
			t.Errorf("%s: slope is not 1 near the edge (score %d), or there is hardly an inside (%d)", name, near, inside)
		}
	}
}

// TestChargesStayNear: farCharge may skip what lies beyond.
func TestChargesStayNear(t *testing.T) {
	for _, c := range charges {
		for k := range 360 {
			a := 2 * math.Pi * float64(k) / 360
			r := 1.25 + 0.5*float64(k%5)
			if e := c.edge(r*math.Cos(a), r*math.Sin(a)); e <= 0 {
				t.Errorf("%s reaches the radius %g at %d°", c.name, r, k)
			}
		}
	}
}

// TestCoverIsArea: the soft edge of a disc has its area, to two percent, wherever
// the disc lies between the pixels.
func TestCoverIsArea(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	for range 100 {
		r, x, y, area := 3+3*rng.Float64(), rng.Float64(), rng.Float64(), 0.0
		for j := range 24 {
			for i := range 24 {
				area += cover(math.Hypot(float64(i-12)-x, float64(j-12)-y) - r)
			}
		}
		if want := math.Pi * r * r; math.Abs(area-want) > 0.02*want {
			t.Errorf("disc of radius %g: area %g, want %g", r, area, want)
		}
	}
}

func TestBlur(t *testing.T) {
	p := newPainter(1, 16)
	p.fill(tone{0.3})
	p.blur(1.2)
	for i, v := range p.pix[0] {
		if math.Abs(v-0.3) > 1e-12 {
			t.Fatalf("a flat picture has %g at %d after blur", v, i)
		}
	}
	p.fill(tone{0})
	p.pix[0][8*16+8] = 1
	p.blur(1.2)
	sum, spread := 0.0, 0.0
	for i, v := range p.pix[0] {
		sum += v
		spread += v * float64((i%16-8)*(i%16-8))
	}
	if math.Abs(sum-1) > 1e-12 || math.Abs(math.Sqrt(spread)-1.2) > 0.03 {
		t.Errorf("a point becomes a spot of mass %g, deviation %g, want 1, 1.2", sum, math.Sqrt(spread))
	}
}

// TestShrink against its slow twin: cut every old and new pixel into the parts
// that a common grid makes, and take means.
func TestShrink(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	for _, c := range [][2]int{{105, 28}, {21, 21}, {7, 3}, {3, 7}, {8, 8}, {1, 8}, {8, 1}} {
		side, size := c[0], c[1]
		x := make([]float64, side*side)
		for i := range x {
			x[i] = rng.Float64()
		}
		got := shrink(x, side, size)
		for i := range size {
			for j := range size {
				sum := 0.0
				for a := range side {
					for b := range side {
						sum += x[(i*side+a)/size*side+(j*side+b)/size]
					}
				}
				if want := 255 * sum / float64(side*side); math.Abs(float64(got[i*size+j])-want) > 0.5+1e-6 {
					t.Fatalf("%d → %d: pixel (%d, %d) is %d, want %g", side, size, i, j, got[i*size+j], want)
				}
			}
		}
	}
}

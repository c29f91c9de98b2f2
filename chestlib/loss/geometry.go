package loss

import (
	"cmp"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/chestlib/ball"
)

// Geometry says which features a loss of one space reads, and how it compares
// them. The zero value is the geometry of the loss's paper.
type Geometry int

// Geometries. x and y are rows of features, or a row and a proxy.
const (
	UsualGeometry Geometry = iota // Ball for pair-cross-entropy, Sphere for all others
	Sphere                        // E on the unit sphere: similarity x·y, distance ‖x-y‖
	Ball                          // H in the Poincaré ball: similarity -d(x,y), distance d(x,y)
	Angle                         // H on the unit sphere: what Ball sees from the origin, as clip and expmap₀ keep directions
)

// String returns the name of the constant in small letters.
func (g Geometry) String() string {
	names := [...]string{"usual", "sphere", "ball", "angle"}
	if g < 0 || int(g) >= len(names) {
		return fmt.Sprintf("Geometry(%d)", int(g))
	}
	return names[g]
}

// suffix is what a recipe's name gets for g, where usual is its paper's.
func (g Geometry) suffix(usual Geometry) string {
	if cmp.Or(g, usual) == usual {
		return ""
	}
	return "/" + g.String()
}

// check finds out whether g is one of the constants.
func (g Geometry) check(name string) error {
	if g < UsualGeometry || g > Angle {
		return fmt.Errorf("loss: %s: %v is not a geometry; want UsualGeometry, Sphere, Ball or Angle", name, g)
	}
	return nil
}

// check finds what no loss of this geometry can be made for.
func (s Setting) check(name string, g Geometry) error {
	d, head := s.DE, "DE"
	if g != Sphere {
		d, head = s.DH, "DH"
	}
	switch {
	case s.Classes < 1:
		return fmt.Errorf("loss: %s: %d classes; want at least 1", name, s.Classes)
	case d < 1:
		return fmt.Errorf("loss: %s: %s is %d; want at least 1 dimension", name, head, d)
	case !(s.Curvature >= 0) || math.IsInf(s.Curvature, 1):
		return fmt.Errorf("loss: %s: Curvature is %g; want a number that is not negative (it is c, minus the curvature)", name, s.Curvature)
	case math.IsNaN(s.Clip) || math.IsInf(s.Clip, 0):
		return fmt.Errorf("loss: %s: Clip is %g; want a radius (0 means 2.3, negative means none)", name, s.Clip)
	}
	return s.checkBall()
}

// radius is the clip radius, as CHEST reads it: 0 means 2.3, negative +Inf.
func (s Setting) radius() float64 {
	if s.Clip < 0 {
		return math.Inf(1)
	}
	return cmp.Or(s.Clip, 2.3)
}

// placed are rows of features or of proxies, where a geometry puts them, and
// the gradient by them.
//
//	Sphere, Angle: x = u/‖u‖; the zero vector stays and gets no gradient
//	Ball:          x = expmap₀(clip_r(u)), soft or learned as the model's ball is
type placed struct {
	geometry Geometry
	chart    chart
	ball     *ball.Ball // of the model, nil for one that is fixed and not soft
	x, g     []float64  // n×d
	norm     []float64  // ‖u‖, not for Ball
	clipped  int        // rows with ‖u‖ ≥ r
}

func newPlaced(g Geometry, s Setting) placed {
	if g == Sphere {
		return placed{geometry: g, chart: chart{s.DE, ball.Map{R: math.Inf(1)}}}
	}
	return placed{geometry: g, ball: s.Ball, chart: chart{s.DH, ball.Map{C: s.Curvature, R: s.radius()}}}
}

// rows is n.
func (p *placed) rows() int { return len(p.x) / p.chart.d }

// put places the rows of u, in the ball as it is now.
func (p *placed) put(u []float32) {
	p.x = resized(p.x, len(u))
	if p.ball != nil {
		p.chart.Map = p.ball.Map()
	}
	if p.geometry == Ball {
		p.clipped = p.chart.points(p.x, u)
		return
	}
	p.x, p.norm = units(p.x, p.norm, u, p.chart.d)
	p.clipped = floats.Count(func(norm float64) bool { return norm >= p.chart.R }, p.norm)
}

// pull adds the gradient by u to gu, given g by x, and returns what the rows add
// to the gradient by the ball.
func (p *placed) pull(gu, u []float32) ball.Sums {
	if p.geometry == Ball {
		return p.chart.pull(gu, u, p.g)
	}
	unitsGrad(gu, p.x, p.norm, p.g, p.chart.d)
	return ball.Sums{}
}

// addGrad adds the gradient of a ball that is learned.
func (p *placed) addGrad(s ball.Sums) {
	if p.geometry == Ball && p.ball != nil {
		p.ball.AddGrad(s)
	}
}

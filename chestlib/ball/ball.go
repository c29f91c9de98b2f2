// Package ball describes the Poincaré ball that a model maps to: its curvature,
// how tangent vectors are clipped, and which of these numbers are learned.
//
// A model owns its Ball; losses read the present values at each step and, when
// something is learned, add their gradient by it.
package ball

import (
	"fmt"
	"math"

	"github.com/chestlab/chest/chestlib/optim"
)

// Options controls New.
type Options struct {
	Curvature float64 // c ≥ 0, minus the curvature; 0 is flat
	Clip      float64 // r > 0, the longest tangent vector; negative means none
	Soft      bool    // clip smoothly, see Map; without a clip it has no effect

	// What is learned, beginning at the numbers above. They stay within a factor
	// of 10 of the first c and of 4 of the first r: bounds that are ours. r of a hard
	// clip is moved by the rows that it shortens only, that of a soft one by all.
	LearnCurvature bool
	LearnClip      bool
}

const (
	spanC = math.Ln10    // of log c, either way
	spanR = 2 * math.Ln2 // of log r, either way
)

// Ball is c and r of a ball and how it clips. What is learned lies in a param:
//
//	c = c₀ exp v,  r = r₀ exp w
//
// with c₀ and r₀ of the options. v and w begin at 0; beyond the bounds of
// Options they count as if at them, and the gradient does not lead further out.
type Ball struct {
	o     Options
	param *optim.Param // v, then w, as far as they are learned; nil if neither
}

// New makes a ball. A number without meaning and one that is to be learned but
// is not there, the curvature of a flat space or the radius of no clip, are
// errors.
func New(o Options) (*Ball, error) {
	switch {
	case !(o.Curvature >= 0) || math.IsInf(o.Curvature, 0):
		return nil, fmt.Errorf("ball: Curvature is %g; c is a positive number, the curvature is -c (0 is flat)", o.Curvature)
	case o.Clip == 0 || math.IsNaN(o.Clip) || math.IsInf(o.Clip, 0):
		return nil, fmt.Errorf("ball: Clip is %g; give a positive radius, or a negative number for none", o.Clip)
	case o.LearnCurvature && o.Curvature == 0:
		return nil, fmt.Errorf("ball: LearnCurvature: curvature 0, a flat space, cannot be learned; begin with Curvature above 0")
	case o.LearnClip && o.Clip < 0:
		return nil, fmt.Errorf("ball: LearnClip: there is no clip (Clip is %g); begin with a radius above 0", o.Clip)
	}
	b := &Ball{o: o}
	n := 0
	for _, learned := range []bool{o.LearnCurvature, o.LearnClip} {
		if learned {
			n++
		}
	}
	if n > 0 {
		b.param = optim.NewParam("ball", "ball", n)
		b.param.Plain = true
	}
	return b, nil
}

// Options are what the ball was made of: c and r are those of the beginning.
func (b *Ball) Options() Options { return b.o }

// Param holds v and w, as far as they are learned, in the group "ball"; nil if
// neither is.
func (b *Ball) Param() *optim.Param { return b.param }

// Curvature is the present c; 0 for a flat space.
func (b *Ball) Curvature() float64 {
	if !b.o.LearnCurvature {
		return b.o.Curvature
	}
	return b.o.Curvature * math.Exp(within(b.param.Value[0], spanC))
}

// Clip is the present r; negative for no clip.
func (b *Ball) Clip() float64 {
	if !b.o.LearnClip {
		return b.o.Clip
	}
	return b.o.Clip * math.Exp(within(b.param.Value[len(b.param.Value)-1], spanR))
}

// Map is the map onto the ball as it is now.
func (b *Ball) Map() Map {
	m := Map{C: b.Curvature(), R: b.Clip(), Soft: b.o.Soft}
	if m.R < 0 {
		m.R = math.Inf(1)
	}
	return m
}

// within is v, cut to ±span.
func within(v float32, span float64) float64 { return min(max(float64(v), -span), span) }

// Sums are what a loss L gathers over a step for its gradient by c and r. L
// depends on the ball through distances and depths D_m, with G_m = ∂L/∂D_m, of
// points expmap₀(u'), where u' = clip(u) are the rows of features and proxies.
//
// By c. With s = √c, s expmap₀(u') is what the ball of c = 1 has for su', and all
// lengths scale alike, so D = Φ(su', sv')/s with a Φ that does not depend on s:
//
//	∂D/∂u' = ∂₁Φ,  s ∂D/∂s = u'·∂₁Φ + v'·∂₂Φ - Φ/s = u'·∂D/∂u' + v'·∂D/∂v' - D
//	∂L/∂log c = ½ s ∂L/∂s = ½ ( Σ u'·∂L/∂u' - Σ G_m D_m )
//
// Where D is that of a flat space, to which small c come, the two sums are equal:
// D is then homogeneous in u and v. They are therefore wanted with more digits
// than the result, which is of the order c‖u'‖² of them.
//
// By r. For u' of clipped rows, Map has the derivative by r; and L may have r
// directly:
//
//	∂L/∂log r = Σ (r ∂u'/∂r)·∂L/∂u' + r ∂L/∂r
//
// Both products of a row come with its gradient by u, see Map.Pull.
type Sums struct {
	Along  float64 // Σ u'·∂L/∂u'
	Length float64 // Σ G_m D_m
	Radius float64 // ∂L/∂log r
}

// Add adds t to s.
func (s *Sums) Add(t Sums) {
	s.Along += t.Along
	s.Length += t.Length
	s.Radius += t.Radius
}

// AddGrad adds the gradient that s describes to that of Param, as far as c and
// r are learned.
func (b *Ball) AddGrad(s Sums) {
	if b.o.LearnCurvature {
		b.add(0, spanC, (s.Along-s.Length)/2)
	}
	if b.o.LearnClip {
		b.add(len(b.param.Value)-1, spanR, s.Radius)
	}
}

// add adds g to the gradient of an entry, unless descent would lead out of its
// bounds.
func (b *Ball) add(at int, span, g float64) {
	if v := float64(b.param.Value[at]); v >= span && g < 0 || v <= -span && g > 0 {
		return
	}
	b.param.Grad[at] += float32(g)
}

// String says what the ball is, "c 0.1, clip 2.3": numbers that are learned as
// they are now, with three digits and a star.
func (b *Ball) String() string {
	number := func(v float64, learned bool) string {
		if learned {
			return fmt.Sprintf("%.3g*", v)
		}
		return fmt.Sprintf("%g", v)
	}
	text := "c " + number(b.Curvature(), b.o.LearnCurvature)
	if b.o.Clip < 0 {
		return text
	}
	kind := "clip"
	if b.o.Soft {
		kind = "soft clip"
	}
	return text + ", " + kind + " " + number(b.Clip(), b.o.LearnClip)
}

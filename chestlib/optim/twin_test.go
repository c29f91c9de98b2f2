package optim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/chestlab/chest/chestlib/poincare"
	"github.com/chestlab/chest/internal/cpu"
)

// slow is one param in float64, moved by the rules as they are written in the
// comments of the recipes, one number or one row after the other.
type slow struct {
	w, m, v []float64
	d       int     // length of a row
	c       float64 // 0: flat
}

func newSlow(p *Param) *slow {
	n := len(p.Value)
	return &slow{floats(p.Value), make([]float64, n), make([]float64, n), p.Shape[len(p.Shape)-1], p.Ball}
}

func floats(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// step moves s at step t along g, which is clipped.
func (s *slow) step(r Recipe, t int, g []float64, rate, decay float64) {
	switch o := r.(type) {
	case AdamWOptions:
		for i := range s.w {
			s.w[i] -= rate * decay * s.w[i]
		}
		s.adam(t, g, rate, o.Beta1, o.Beta2, o.Eps)
	case AdamOptions:
		s.adam(t, s.decayed(g, decay), rate, o.Beta1, o.Beta2, o.Eps)
	case SGDOptions:
		s.sgd(s.decayed(g, decay), rate, o.Momentum, o.Nesterov)
	case RiemannianSGDOptions:
		if s.c == 0 {
			s.sgd(s.decayed(g, decay), rate, o.Momentum, o.Nesterov)
			return
		}
		s.rows(g, func(x, g, m []float64, _ int) []float64 {
			grad := poincare.RiemannianGradient(nil, x, added(g, decay, x), s.c)
			copy(m, added(grad, o.Momentum, m))
			if o.Nesterov {
				return added(grad, o.Momentum, m)
			}
			return m
		}, rate, o.Margin)
	case RiemannianAdamOptions:
		if s.c == 0 {
			s.adam(t, s.decayed(g, decay), rate, o.Beta1, o.Beta2, o.Eps)
			return
		}
		s.rows(g, func(x, g, m []float64, row int) []float64 {
			grad := poincare.RiemannianGradient(nil, x, added(g, decay, x), s.c)
			length := poincare.Conformal(x, s.c) * norm(grad)
			for i := range m {
				m[i] = o.Beta1*m[i] + (1-o.Beta1)*grad[i]
			}
			s.v[row] = o.Beta2*s.v[row] + (1-o.Beta2)*length*length
			mHat, vHat := 1-math.Pow(o.Beta1, float64(t)), s.v[row]/(1-math.Pow(o.Beta2, float64(t)))
			return scaled(1/mHat/(math.Sqrt(vHat)+o.Eps), m)
		}, rate, o.Margin)
	}
}

func (s *slow) adam(t int, g []float64, rate, beta1, beta2, eps float64) {
	for i := range s.w {
		s.m[i] = beta1*s.m[i] + (1-beta1)*g[i]
		s.v[i] = beta2*s.v[i] + (1-beta2)*g[i]*g[i]
		mHat, vHat := s.m[i]/(1-math.Pow(beta1, float64(t))), s.v[i]/(1-math.Pow(beta2, float64(t)))
		s.w[i] -= rate * mHat / (math.Sqrt(vHat) + eps)
	}
}

func (s *slow) sgd(g []float64, rate, mu float64, nesterov bool) {
	for i := range s.w {
		s.m[i] = mu*s.m[i] + g[i]
		if nesterov {
			s.w[i] -= rate * (g[i] + mu*s.m[i])
		} else {
			s.w[i] -= rate * s.m[i]
		}
	}
}

// rows moves every row along its direction, by the operations of package
// poincare, and transports m.
func (s *slow) rows(g []float64, direction func(x, g, m []float64, row int) []float64, rate, margin float64) {
	for row := range len(s.w) / s.d {
		at := func(v []float64) []float64 { return v[row*s.d : (row+1)*s.d] }
		x, m := at(s.w), at(s.m)
		poincare.Project(x, x, s.c, margin)
		u := scaled(-rate, direction(x, at(g), m, row))
		z := poincare.ExpMap(nil, x, u, s.c)
		poincare.Project(z, z, s.c, margin)
		copy(m, poincare.Transport(nil, x, z, m, s.c))
		copy(x, z)
	}
}

func (s *slow) decayed(g []float64, decay float64) []float64 { return added(g, decay, s.w) }

// added returns x + a y.
func added(x []float64, a float64, y []float64) []float64 {
	z := slices.Clone(x)
	for i := range z {
		z[i] += a * y[i]
	}
	return z
}

func scaled(a float64, x []float64) []float64 { return added(make([]float64, len(x)), a, x) }

func norm(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v * v
	}
	return math.Sqrt(sum)
}

// settings are recipes off their defaults, for the twin.
var settings = []Recipe{
	AdamWOptions{Beta1: 0.8, Beta2: 0.95, Eps: 1e-3, Decay: 0.3},
	AdamOptions{Beta1: 0.8, Beta2: 0.95, Eps: 1e-3, Decay: 0.3},
	SGDOptions{Decay: 0.3},
	SGDOptions{Momentum: 0.8, Decay: 0.3},
	SGDOptions{Momentum: 0.8, Nesterov: true, Decay: 0.3},
	RiemannianSGDOptions{Decay: 0.3, Margin: 0.01},
	RiemannianSGDOptions{Momentum: 0.8, Decay: 0.3, Margin: 0.01},
	RiemannianSGDOptions{Momentum: 0.8, Nesterov: true, Decay: 0.3, Margin: 0.01},
	RiemannianAdamOptions{Beta1: 0.8, Beta2: 0.95, Eps: 1e-3, Decay: 0.3, Margin: 0.01},
}

// groups are those of the twin: trunk has none.
var groups = map[string]Group{"head": {Rate: 5, Decay: 0.7}, "free": {Rate: 0.5, Decay: -1}}

// mixed returns params of all kinds: groups, plain ones, and, for a Riemannian
// recipe, points of balls, some of them at the boundary and outside.
func mixed(riemannian bool, rng *rand.Rand) []*Param {
	params := []*Param{filled("a", "trunk", false, rng), filled("b", "trunk", true, rng),
		filled("c", "head", false, rng), filled("d", "free", false, rng)}
	if !riemannian {
		return params
	}
	for i, c := range []float64{1e-3, 0.1, 1, 10} {
		for _, d := range []int{1, 2, 37} {
			p := NewParam(fmt.Sprintf("ball %g %d", c, d), []string{"trunk", "head"}[i%2], 6, d)
			p.Ball, p.Plain = c, i == 2
			for k := range p.Value {
				p.Value[k] = float32(rng.NormFloat64() / math.Sqrt(float64(d)*c) * []float64{0.1, 0.5, 0.99, 0.3, 2, 0}[k/d])
			}
			params = append(params, p)
		}
	}
	return params
}

// TestTwins follows every recipe in float64, for groups with other rates and
// decays, plain params, a change of rate, and clipping by norm and then by value.
func TestTwins(t *testing.T) {
	for _, level := range cpu.Levels() {
		for _, r := range settings {
			t.Run(fmt.Sprintf("%s %T %+v", level, r, r), func(t *testing.T) {
				defer cpu.Set(level)()
				follow(t, r)
			})
		}
	}
}

func follow(t *testing.T, r Recipe) {
	rng := rand.New(rand.NewPCG(1, 2))
	_, rs := r.(RiemannianSGDOptions)
	_, ra := r.(RiemannianAdamOptions)
	params := mixed(rs || ra, rng)
	o, err := r.Make(params, Common{Groups: groups, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	var twins []*slow
	for _, p := range params {
		twins = append(twins, newSlow(p))
	}
	move := Move{Rate: 0.01, Scale: 1}
	for step := 1; step <= 50; step++ {
		switch step {
		case 20:
			move = Move{Rate: 0.01, Scale: 0.5, Limit: 0.6}
		case 30:
			move.Rate = 0.1
		}
		for k, p := range params {
			g := make([]float64, len(p.Grad))
			for i := range p.Grad {
				p.Grad[i] = float32(rng.NormFloat64() + 0.5)
				g[i] = move.Scale * float64(p.Grad[i])
				if move.Limit > 0 {
					g[i] = min(max(g[i], -move.Limit), move.Limit)
				}
			}
			rate, decay := move.Rate, 0.3
			switch p.Group {
			case "head":
				rate, decay = 5*rate, 0.7
			case "free":
				rate, decay = rate/2, 0
			}
			if p.Plain {
				decay = 0
			}
			twins[k].step(r, step, g, rate, decay)
		}
		o.Move(move)
		if o.Steps() != step {
			t.Fatalf("%d steps after %d", o.Steps(), step)
		}
	}
	for k, p := range params {
		compare(t, p, twins[k].w)
	}
}

// compare finds values that are not those of the twin, and gradients that were
// not cleared. At the margin of these settings rounding a point to float32 moves
// it by 6e-8·2/(1-c‖x‖²) = 6e-6 of the ball's unit of length, which a way inside
// keeps: balls are allowed some of these.
func compare(t *testing.T, p *Param, want []float64) {
	allowed := 1e-5
	if p.Ball > 0 {
		allowed = 3e-5 / math.Sqrt(p.Ball)
	}
	for i, got := range p.Value {
		if d := math.Abs(float64(got) - want[i]); !(d <= allowed) {
			t.Errorf("param %s entry %d: got %g, want %g, apart by %g", p.Name, i, got, want[i], d)
			return
		}
		if p.Grad[i] != 0 {
			t.Errorf("param %s: gradient %d was not cleared", p.Name, i)
		}
	}
}

package loss

import (
	"cmp"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/internal/parallel"
)

// ProxyNCAOptions controls Proxy-NCA: every row is classified by the squared
// distances to one proxy a class. The zero value is Proxy-NCA++.
//
// With unit vectors x_i and p_c and z_ic = -‖x_i-p_c‖²/T:
//
//	L = mean_i ( log Σ_c exp z_ic - z_iy )        Proxy-NCA++
//	L = mean_i ( log Σ_{c≠y} exp z_ic - z_iy )    Classic
//
//	∂L/∂z_ic = ( exp z_ic / Σ exp z - [c = yᵢ] ) / B,  over the same Σ
//
// ++ is a cross-entropy, never negative; the classic form, whose own proxy is
// not in the sum, may be. In it a row gives nothing if there is no other class.
// In the ball ‖x-p‖ is the distance d(x,p): our extension, for which T wants to
// be about 20 times as large.
//
// The authors of ++ (their code) train with Adam of ε = 1, rate 4e-3, the
// proxies' 4e2, batches of 32 from 8 classes, 2048 dimensions after layer norm
// and global max pooling, 40 epochs on CUB. Proxies begin with their length,
// √D/8: it has no meaning but for the size of a step.
//
// Sources: Y. Movshovitz-Attias et al., "No Fuss Distance Metric Learning using
// Proxies" (2017); E. W. Teh, T. DeVries, G. W. Taylor, "ProxyNCA++: Revisiting
// and Revitalizing Proxy Neighborhood Component Analysis" (2020).
type ProxyNCAOptions struct {
	Classic     bool     // own proxy not in the denominator, as in 2017
	Temperature float64  // T; 0 means 1/9, for Classic 1 (none)
	Geometry    Geometry // 0 is Sphere
	Seed        uint64   // of the first proxies; 0 means the setting's
}

func (o ProxyNCAOptions) withDefaults() ProxyNCAOptions {
	o.Geometry = cmp.Or(o.Geometry, Sphere)
	if o.Classic {
		o.Temperature = cmp.Or(o.Temperature, 1)
	}
	o.Temperature = cmp.Or(o.Temperature, 1.0/9)
	return o
}

// Name implements Recipe: "proxy-nca", "proxy-nca/classic".
func (o ProxyNCAOptions) Name() string {
	name := "proxy-nca"
	if o.Classic {
		name += "/classic"
	}
	return name + o.Geometry.suffix(Sphere)
}

// Make implements Recipe.
func (o ProxyNCAOptions) Make(s Setting) (Loss, error) {
	o = o.withDefaults()
	if err := first(o.Geometry.check("Proxy-NCA"), s.check("Proxy-NCA", o.Geometry), positive("Proxy-NCA", "Temperature", o.Temperature)); err != nil {
		return nil, err
	}
	l := newSingle("Proxy-NCA", s, o.Geometry, minusSquared(o.Geometry), &proxyNCA{classic: o.Classic, temperature: o.Temperature})
	return l.withProxies(cmp.Or(o.Seed, s.Seed), math.Sqrt(float64(l.x.chart.d))/8), nil
}

// proxyNCA is the criterion on minus squared distances.
type proxyNCA struct {
	classic     bool
	temperature float64
	rowLoss     []float64
}

func (l *proxyNCA) step(t *table, label []int, g []float64, weight float64, _ *rand.Rand) float64 {
	if t.n == 0 {
		return 0
	}
	l.rowLoss = resized(l.rowLoss, t.n)
	parallel.For(t.n, blockRows, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			l.rowLoss[i] = l.row(t.row(t.s, i), label[i], t.row(g, i), weight/float64(t.n))
		}
	})
	return floats.Sum(l.rowLoss) / float64(t.n)
}

// row is the loss of one row, and adds weight times its gradient to g.
func (l *proxyNCA) row(s []float64, own int, g []float64, weight float64) float64 {
	all := noTerms()
	for c, v := range s {
		if c != own || !l.classic {
			all.add(v / l.temperature)
		}
	}
	if all.sum == 0 {
		return 0 // classic, and no other class
	}
	log := all.value()
	if g != nil {
		for c, v := range s {
			if c != own || !l.classic {
				g[c] += weight / l.temperature * math.Exp(v/l.temperature-log)
			}
		}
		g[own] -= weight / l.temperature
	}
	return log - s[own]/l.temperature
}

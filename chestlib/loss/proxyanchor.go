package loss

import (
	"cmp"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/internal/parallel"
)

// ProxyAnchorOptions controls Proxy-Anchor: every proxy, one a class, pulls the
// rows of its class and pushes all others, the hard ones most.
//
// With unit vectors x_i and p_c and s_ic = x_i·p_c:
//
//	L = 1/|P⁺| Σ_{c ∈ P⁺} log( 1 + Σ_{i: yᵢ=c} exp(-α(s_ic-δ)) )
//	  + 1/|P|  Σ_{c ∈ P}  log( 1 + Σ_{i: yᵢ≠c} exp( α(s_ic+δ)) )
//
// P are the proxies of all classes, P⁺ those of the classes in the batch. With
// S_c the sum inside a logarithm,
//
//	∂L/∂s_ic = -α exp(-α(s_ic-δ)) / (1+S_c) / |P⁺|   yᵢ = c
//	∂L/∂s_ic =  α exp( α(s_ic+δ)) / (1+S_c) / |P|    yᵢ ≠ c
//
// In the ball s_ic is -d(x_i, p_c), our extension: α and δ then want other
// values. With Angle and half of HIER added it is the method of that paper.
//
// The authors train with AdamW of decay 1e-4, rate 1e-4 (6e-4 on SOP and
// In-Shop), proxies 100 times that, step decay, batches of 180 (ResNet-50 120)
// drawn at random, gradients cut to ±10, 512 dimensions, BatchNorm frozen.
// Proxies begin with their length, √(2D/C): it has no meaning but for the size
// of a step.
//
// Source: S. Kim, D. Kim, M. Cho, S. Kwak, "Proxy Anchor Loss for Deep Metric
// Learning" (2020), equation 4.
type ProxyAnchorOptions struct {
	Alpha    float64  // α, scale; 0 means 32
	Delta    float64  // δ, margin; 0 means 0.1, negative means none
	Geometry Geometry // 0 is Sphere
	Seed     uint64   // of the first proxies; 0 means the setting's
}

func (o ProxyAnchorOptions) withDefaults() ProxyAnchorOptions {
	o.Alpha = cmp.Or(o.Alpha, 32)
	o.Delta = cmp.Or(o.Delta, 0.1)
	o.Geometry = cmp.Or(o.Geometry, Sphere)
	return o
}

// Name implements Recipe: "proxy-anchor".
func (o ProxyAnchorOptions) Name() string { return "proxy-anchor" + o.Geometry.suffix(Sphere) }

// Make implements Recipe.
func (o ProxyAnchorOptions) Make(s Setting) (Loss, error) {
	o = o.withDefaults()
	if err := first(o.Geometry.check("Proxy-Anchor"), s.check("Proxy-Anchor", o.Geometry),
		positive("Proxy-Anchor", "Alpha", o.Alpha), margin("Proxy-Anchor", "Delta", o.Delta)); err != nil {
		return nil, err
	}
	l := newSingle("Proxy-Anchor", s, o.Geometry, similarity(o.Geometry), &proxyAnchor{alpha: o.Alpha, delta: max(o.Delta, 0)})
	return l.withProxies(cmp.Or(o.Seed, s.Seed), math.Sqrt(2*float64(l.x.chart.d)/float64(s.Classes))), nil
}

// proxyAnchor is the criterion on similarities.
type proxyAnchor struct {
	alpha, delta float64
	inBatch      []bool    // of each class
	proxyLoss    []float64 // of each class
}

func (l *proxyAnchor) step(t *table, label []int, g []float64, weight float64, _ *rand.Rand) float64 {
	l.inBatch, l.proxyLoss = resized(l.inBatch, t.m), zeros(l.proxyLoss, t.m)
	clear(l.inBatch)
	positives := 0
	for _, c := range label {
		if !l.inBatch[c] {
			l.inBatch[c] = true
			positives++
		}
	}
	pull, push := 1/float64(max(positives, 1)), 1/float64(t.m)
	parallel.For(t.m, blockRows, func(lo, hi int) { // columns, but row by row
		own, other := make([]logSum, hi-lo), make([]logSum, hi-lo)
		for c := range own {
			own[c].add(0) // the 1 in log(1+Σ)
			other[c].add(0)
		}
		for i, y := range label {
			for c := lo; c < hi; c++ {
				if c == y {
					own[c-lo].add(-l.alpha * (t.s[i*t.m+c] - l.delta))
				} else {
					other[c-lo].add(l.alpha * (t.s[i*t.m+c] + l.delta))
				}
			}
		}
		for c := lo; c < hi; c++ {
			l.proxyLoss[c] = pull*own[c-lo].value() + push*other[c-lo].value()
		}
		if g != nil {
			l.backward(t, label, g, lo, own, other, weight*pull*l.alpha, weight*push*l.alpha)
		}
	})
	return floats.Sum(l.proxyLoss)
}

// backward writes the gradient into the columns from lo on, whose log(1+Σ) are
// own and other.
func (l *proxyAnchor) backward(t *table, label []int, g []float64, lo int, own, other []logSum, pull, push float64) {
	a, b := make([]float64, len(own)), make([]float64, len(own))
	for c := range own {
		a[c], b[c] = own[c].value(), other[c].value()
	}
	for i, y := range label {
		for c := range own {
			at := i*t.m + lo + c
			if lo+c == y {
				g[at] = -pull * math.Exp(-l.alpha*(t.s[at]-l.delta)-a[c])
			} else {
				g[at] = push * math.Exp(l.alpha*(t.s[at]+l.delta)-b[c])
			}
		}
	}
}

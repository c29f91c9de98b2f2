package reduce

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
)

// COSNEOptions controls COSNE. The zero value is the default: γ is that of the
// authors' script, the rest is ours. The script descends both terms at rates of
// their own, 5 and 0.1; here λ says what is minimised, whatever the rate.
type COSNEOptions struct {
	Perplexity   float64 // about how many neighbours count; 0 means 30, cut to (n-1)/3
	Gamma        float64 // γ, the width of the Cauchy distribution in the picture, a hyperbolic length; 0 means 0.1
	Norm         float64 // λ, the weight of the norms; 0 means 1, negative means none
	Steps        int     // 0 means 500
	Rate         float64 // of the descent, times nγ²/exaggeration; 0 means 0.5
	Exaggeration float64 // factor of the attraction in the first quarter of the steps; 0 means 12
	Most         int     // an error of more points than this; 0 means 2000
	Seed         uint64  // of the noise that the picture starts with

	Progress Progress // where to say how far it is; nil means nowhere
}

// filled returns o with its defaults for n points, or what is wrong with it.
func (o COSNEOptions) filled(n int, c float64) (COSNEOptions, error) {
	o.Perplexity = cmp.Or(o.Perplexity, 30)
	o.Gamma = cmp.Or(o.Gamma, 0.1)
	o.Norm = max(cmp.Or(o.Norm, 1), 0)
	o.Steps = cmp.Or(o.Steps, 500)
	o.Rate = cmp.Or(o.Rate, 0.5)
	o.Exaggeration = cmp.Or(o.Exaggeration, 12)
	o.Most = cmp.Or(o.Most, 2000)
	finite := func(v float64) bool { return v > 0 && !math.IsInf(v, 0) }
	err := wrong("CO-SNE", []requirement{
		{c > 0, "c", "a positive number: for plain rows take UMAP", c},
		{o.Perplexity >= 1 && finite(o.Perplexity), "Perplexity", "at least 1", o.Perplexity},
		{finite(o.Gamma), "Gamma", "a positive number", o.Gamma},
		{o.Norm >= 0 && !math.IsInf(o.Norm, 0), "Norm", "a number", o.Norm},
		{o.Steps > 0, "Steps", "a positive number", o.Steps},
		{finite(o.Rate), "Rate", "a positive number", o.Rate},
		{o.Exaggeration >= 1 && finite(o.Exaggeration), "Exaggeration", "at least 1", o.Exaggeration},
		{n <= o.Most, "the number of points", fmt.Sprintf("at most %d: draw some by Sample, or set Most and wait: every step compares all pairs", o.Most), n},
	})
	o.Perplexity = max(1, min(o.Perplexity, float64(n-1)/3))
	return o, err
}

// COSNE draws points of the Poincaré ball of curvature -c in the unit disk so
// that near ones stay near, far ones far, and each about as far from the centre
// as it was: t-SNE with hyperbolic distances on both sides. It descends
//
//	Σ p log(p/q) + λ (1/n) Σ (‖yᵢ‖² - c‖xᵢ‖²)²
//	p(j|i) ∝ exp( -c d(xᵢ,xⱼ)²/(2σᵢ²) ),  p = (p(j|i) + p(i|j))/(2n)
//	q      ∝ 1/(1 + d(yᵢ,yⱼ)²/γ²)         over all pairs i ≠ j
//
// with σᵢ by the perplexity. Sources differ on whether the Cauchy distribution
// takes d or d²; here it is d². Gradients are the exact ones of this objective.
// The descent is Riemannian, with momentum 0.5 in the first quarter of the
// steps and 0.8 after it, transported with the points, from a small TangentPCA
// with noise.
//
// γ sets the size of the picture: it should stay well below 1. Without the norms
// the points of a tree of 800 were pressed onto the rim by γ = 1, a known
// failure; with γ = 0.1 their median radius was 0.81, and 0.91 with λ = 1, which
// draws toward the points' own norms, here 0.98.
//
// x is n×d, row-major; the result is n×2. Points that are all equal are drawn at
// the centre.
//
// Cost: each pair once a step, about 25 ns of one processor: 500 steps of 1,000
// points take 7 s of it, of 2,000 points 30 s with the affinities; split over
// up to 16. Memory: 8n² bytes. So 2,000 points are the most if Most does not
// allow for more; Sample draws them. ctx is checked at every step. Bits do not
// depend on the number of processors.
//
// It returns an error as TangentPCA does, if c = 0 or an option is out of
// bounds, and when ctx ends; it panics as TangentPCA does.
//
// Source: Y. Guo, H. Guo, S. X. Yu, "CO-SNE: Dimensionality reduction and
// visualization for hyperbolic data" (2022).
func COSNE(ctx context.Context, x []float32, d int, c float64, o COSNEOptions) ([]float64, Quality, error) {
	ctx, done := context.WithCancel(ctx) // stays with the cell that called
	defer done()
	xy, q, err := TangentPCA(x, d, c)
	if err != nil {
		return nil, Quality{}, err
	}
	n := len(x) / d
	if o, err = o.filled(n, c); err != nil {
		return nil, Quality{}, err
	}
	q.Method, q.Seed, q.Seeded, q.Explained = "CO-SNE", o.Seed, true, 0
	w := wide(x)
	if equalRows(w, d) {
		return xy, q, nil
	}
	r := newReport(ctx, o.Progress, "CO-SNE", o.Steps)
	defer r.finish()
	p, err := affinities(ctx, w, d, c, o.Perplexity)
	if err != nil {
		return nil, Quality{}, err
	}
	shrink(xy, o)
	t := newTails(p, squaredRadii(w, d, c), o.Gamma)
	if err := t.descend(r, xy, o); err != nil {
		return nil, Quality{}, err
	}
	return xy, judged(q, xy, w, d, hyperbolicShape), nil
}

// squaredRadii is c‖x‖² of each row.
func squaredRadii(x []float64, d int, c float64) []float64 {
	r := make([]float64, len(x)/d)
	for i := range r {
		for _, v := range x[i*d : (i+1)*d] {
			r[i] += c * v * v
		}
	}
	return r
}

// shrink scales a picture so that the farthest coordinate is γ/10, and adds
// noise of a hundredth of it.
func shrink(xy []float64, o COSNEOptions) {
	far := 0.0
	for _, v := range xy {
		far = max(far, math.Abs(v))
	}
	size := min(o.Gamma, 1) / 10
	rng := rand.New(rand.NewPCG(o.Seed, 3))
	for k := range xy {
		if far > 0 {
			xy[k] *= size / far
		}
		xy[k] += size / 100 * rng.NormFloat64()
	}
}

// descend moves y down the objective.
func (t *tails) descend(r report, y []float64, o COSNEOptions) error {
	n := float64(len(t.norm))
	g, v := make([]float64, len(y)), make([]float64, len(y))
	for s := range o.Steps {
		if err := r.set(s, ""); err != nil {
			return err
		}
		exaggeration, keep := o.Exaggeration, 0.5
		if s >= o.Steps/4 {
			exaggeration, keep = 1, 0.8
		}
		t.gradient(g, y, exaggeration)
		t.heldGradient(g, y, o.Norm)
		rate := o.Rate * n * o.Gamma * o.Gamma / exaggeration
		for i := 0; i < len(y); i += 2 {
			v[i], v[i+1] = atMost(1, keep*v[i]-rate*g[i], keep*v[i+1]-rate*g[i+1])
			was := [2]float64{y[i], y[i+1]}
			y[i], y[i+1] = step(was[0], was[1], v[i], v[i+1])
			v[i], v[i+1] = turned(was, y[i:i+2], v[i], v[i+1])
		}
	}
	return r.set(o.Steps, "")
}

// atMost is a vector cut to a length.
func atMost(most, x, y float64) (float64, float64) {
	if l := math.Hypot(x, y); l > most {
		return x * most / l, y * most / l
	}
	return x, y
}

// turned is a vector of the frame of x, transported along the geodesic to y, in
// the frame of y: gyr[y,-x] v = (1 - y x̄)/(1 - ȳ x) v, complex.
func turned(x [2]float64, y []float64, vx, vy float64) (float64, float64) {
	re, im := 1-y[0]*x[0]-y[1]*x[1], y[0]*x[1]-y[1]*x[0]
	size := re*re + im*im
	cos, sin := (re*re-im*im)/size, 2*re*im/size
	return cos*vx - sin*vy, sin*vx + cos*vy
}

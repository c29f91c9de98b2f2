package loss

import (
	"cmp"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/chestlib/ball"
	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/chestlib/poincare"
	"github.com/chestlab/chest/internal/parallel"
)

// HyperSoftTripleOptions controls HyperSoftTriple. λ, γ and δ belong to the
// similarity: these defaults fit -d, whose range is about 4r = 9 times that of a
// cosine. All defaults but c and r, which are Hyp-ViT's, are ours.
type HyperSoftTripleOptions struct {
	Lambda      float64    // λ, scale of the logits; 0 means 5 (Hyp-ViT's temperature 0.2)
	Gamma       float64    // γ, temperature of the assignment to proxies; 0 means 0.4
	Delta       float64    // δ, margin on the similarity; 0 means 0.1, negative means none
	Tau         float64    // τ, weight of the merging term; 0 means none
	Proxies     int        // K, proxies a class; 0 means 10
	Curvature   float64    // c > 0, minus the curvature of the ball; 0 means 0.1
	Flat        bool       // c = 0: Euclidean space, whatever Curvature is
	Clip        float64    // r, longest tangent vector; 0 means 2.3, negative means none
	SoftClip    bool       // clip smoothly, see ball.Map; the default is hard
	FreeProxies bool       // proxies are not clipped
	Similarity  Similarity // 0 is Negative, -d
	Seed        uint64     // of the first proxies
}

func (o HyperSoftTripleOptions) withDefaults() HyperSoftTripleOptions {
	o.Lambda = cmp.Or(o.Lambda, 5)
	o.Gamma = cmp.Or(o.Gamma, 0.4)
	o.Delta = cmp.Or(o.Delta, 0.1)
	o.Proxies = cmp.Or(o.Proxies, 10)
	o.Curvature = cmp.Or(o.Curvature, 0.1)
	o.Clip = cmp.Or(o.Clip, 2.3)
	if o.Flat {
		o.Curvature = 0
	}
	return o
}

// radius returns r, +Inf for none.
func (o HyperSoftTripleOptions) radius() float64 {
	if o.Clip < 0 {
		return math.Inf(1)
	}
	return o.Clip
}

// HyperSoftTriple is SoftTriple in the Poincaré ball: classification by the
// distance to several proxies a class.
//
// With tangent vectors u_i and v_ck at the origin:
//
//	x_i = expmap₀(clip_r(u_i)),  p_ck = expmap₀(clip_r(v_ck)),  see ball.Map
//	s_ick = -d(x_i, p_ck), or what Similarity says
//	L as in SoftTriple
//	R = 1/(C K (K-1)) Σ_c Σ_{s<t} d(p_cs, p_ct)
//
// The loss is L + τR. The params are the v_ck, which any optimiser may move:
// no Riemannian one is needed.
//
// c and r are those of Ball at each step. If it learns them, a step adds the
// gradient by them to its Param, which belongs to the model.
type HyperSoftTriple struct {
	classes, dim int
	o            HyperSoftTripleOptions
	proxies      *optim.Param
	assign       assignment
	ball         *ball.Ball
	space, free  chart // of features, of proxies; as of the last step

	pairs    poincare.Pairs
	x, p     []float64 // points, B×D and CK×D
	s, g     []float64 // B×CK: similarities, and the gradient by them
	gx, gp   []float64 // by x and p
	rowMerge []float64 // R of each class
	blocks   []ball.Sums
	mean     means
}

// NewHyperSoftTriple makes the loss with proxies in random directions, at
// tangent length 1 (half of r if that is shorter). It panics if classes, dim or
// o.Proxies is below 1, if λ or γ is not positive, if τ or c is negative, if
// one of these, δ or r is not finite, or if o.Similarity makes no sense.
func NewHyperSoftTriple(classes, dim int, o HyperSoftTripleOptions) *HyperSoftTriple {
	return newHyperSoftTriple(classes, dim, o, nil)
}

// newHyperSoftTriple makes the loss for a ball, nil for a fixed one of the
// options.
func newHyperSoftTriple(classes, dim int, o HyperSoftTripleOptions, b *ball.Ball) *HyperSoftTriple {
	o = o.withDefaults()
	checkSizes("HyperSoftTriple", classes, dim, o.Proxies)
	must(o.check())
	if b == nil {
		var err error
		b, err = ball.New(ball.Options{Curvature: o.Curvature, Clip: o.Clip, Soft: o.SoftClip})
		must(err)
	}
	r := o.radius()
	rng := rand.New(rand.NewPCG(o.Seed, 'H'))
	l := &HyperSoftTriple{
		classes: classes, dim: dim, o: o,
		proxies: newProxies("proxies.H", classes*o.Proxies, dim, min(1, r/2), rng),
		assign:  assignment{classes: classes, proxies: o.Proxies, lambda: o.Lambda, gamma: o.Gamma, delta: max(o.Delta, 0)},
		ball:    b,
	}
	l.present()
	return l
}

// present takes c and r as they are now.
func (l *HyperSoftTriple) present() {
	l.space = chart{l.dim, l.ball.Map()}
	l.free = l.space
	if l.o.FreeProxies {
		l.free.R = math.Inf(1)
	}
}

// Proxies returns the trained tangent vectors of the proxies, C·K×D, rows c·K+k.
func (l *HyperSoftTriple) Proxies() *optim.Param { return l.proxies }

// Ball is the ball of the loss: the model's, or a fixed one of the options.
func (l *HyperSoftTriple) Ball() *ball.Ball { return l.ball }

// Options returns the options with the defaults filled in. c and r are those of
// the beginning; see Ball for the present ones.
func (l *HyperSoftTriple) Options() HyperSoftTripleOptions { return l.o }

// Points returns the proxies as points of the ball, C·K×D, in new memory.
func (l *HyperSoftTriple) Points() []float64 {
	l.present()
	p := make([]float64, len(l.proxies.Value))
	l.free.points(p, l.proxies.Value)
	return p
}

// Step returns L as cls, τR as merge, and the share of rows with ‖u‖ ≥ r as
// clipped; the loss is cls + merge. It adds weight times the gradients to gu
// and the proxies' Grad, or none if gu is nil.
//
// u is B×D, tangent vectors at the origin. Where all rows are clipped,
// distances tell no more than angles: watch clipped. Cost: three matrix
// products of B·CK·D and B·CK arsinh.
func (l *HyperSoftTriple) Step(u []float32, label []int, gu []float32, weight float64) (cls, merge, clipped float64) {
	checkBatch("HyperSoftTriple", u, gu, label, l.dim, l.classes)
	count := l.forward(u)
	if len(label) > 0 {
		clipped = float64(count) / float64(len(label))
	}
	if gu == nil {
		return l.assign.step(l.s, label, nil, 0), l.merge(nil, 0), clipped
	}
	l.g = resized(l.g, len(l.s))
	l.gx, l.gp = zeros(l.gx, len(l.x)), zeros(l.gp, len(l.p))
	cls = l.assign.step(l.s, label, l.g, weight)
	sums := l.backward()
	merge = l.merge(l.gp, weight)
	sums.Length += weight * merge // R is a sum of distances
	sums.Add(l.space.pull(gu, u, l.gx))
	sums.Add(l.pullProxies(l.gp))
	l.ball.AddGrad(sums)
	return cls, merge, clipped
}

// forward computes x, p and s, and returns how many rows of u were clipped.
func (l *HyperSoftTriple) forward(u []float32) (clipped int) {
	l.present()
	l.x, l.p = resized(l.x, len(u)), resized(l.p, len(l.proxies.Value))
	clipped = l.space.points(l.x, u)
	l.free.points(l.p, l.proxies.Value)
	m := l.classes * l.o.Proxies
	l.s = l.pairs.Distances(resized(l.s, len(u)/l.dim*m), l.x, l.p, l.dim, l.space.C)
	parallel.For(len(u)/l.dim, blockRows, func(lo, hi int) {
		for i, d := range l.s[lo*m : hi*m] {
			l.s[lo*m+i] = l.o.Similarity.of(d, l.space.R)
		}
	})
	return clipped
}

// backward adds the gradients by x and p to gx and gp, given g. It returns what
// the distances and, of Rescaled, r itself add to the gradient by the ball.
func (l *HyperSoftTriple) backward() (all ball.Sums) {
	m := l.classes * l.o.Proxies
	n := len(l.x) / l.dim
	l.blocks = resized(l.blocks, (n+blockRows-1)/blockRows)
	parallel.For(n, blockRows, func(lo, hi int) {
		var length float64
		for i, s := range l.s[lo*m : hi*m] {
			if l.ball.Param() != nil {
				length += l.g[lo*m+i] * l.o.Similarity.stretch(s)
			}
			l.g[lo*m+i] *= l.o.Similarity.slope(s, l.space.R)
		}
		l.blocks[lo/blockRows] = ball.Sums{Length: length}
	})
	l.pairs.Grad(l.gx, l.gp, l.g)
	for _, s := range l.blocks {
		all.Add(s)
	}
	if l.o.Similarity == Rescaled { // r ∂s/∂r = -s
		all.Radius -= all.Length
	}
	return all
}

// pullProxies adds the gradient gp by the points to that of the params, and
// returns what the rows add to the gradient by the ball.
func (l *HyperSoftTriple) pullProxies(gp []float64) ball.Sums {
	return l.free.pull(l.proxies.Grad, l.proxies.Value, gp)
}

// merge returns τR and, unless gp is nil, adds weight times its gradient by
// the points.
func (l *HyperSoftTriple) merge(gp []float64, weight float64) float64 {
	k, d := l.o.Proxies, l.dim
	if k < 2 || l.o.Tau == 0 {
		return 0
	}
	scale := l.o.Tau / float64(l.classes*k*(k-1))
	row := func(x []float64, c, s int) []float64 { at := (c*k + s) * d; return x[at : at+d] }
	l.rowMerge = zeros(l.rowMerge, l.classes)
	parallel.For(l.classes, blockRows, func(lo, hi int) {
		for c := lo; c < hi; c++ {
			for s := range k {
				for t := range s {
					ps, pt := row(l.p, c, s), row(l.p, c, t)
					l.rowMerge[c] += scale * poincare.Distance(ps, pt, l.space.C)
					if gp != nil {
						poincare.DistanceGrad(row(gp, c, s), row(gp, c, t), ps, pt, l.space.C, weight*scale)
					}
				}
			}
		}
	})
	return floats.Sum(l.rowMerge)
}

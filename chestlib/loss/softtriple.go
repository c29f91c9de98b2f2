package loss

import (
	"cmp"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"

	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/internal/parallel"
)

// SoftTripleOptions controls SoftTriple. The zero value is the setting of Qian
// et al. (2019).
type SoftTripleOptions struct {
	Lambda  float64 // λ, scale of the logits; 0 means 20
	Gamma   float64 // γ, temperature of the assignment to proxies; 0 means 0.1
	Delta   float64 // δ, margin on the similarity; 0 means 0.01, negative means none
	Tau     float64 // τ, weight of the merging term; 0 means 0.2
	Proxies int     // K, proxies a class; 0 means 10
	NoMerge bool    // no merging term, whatever Tau is
	Seed    uint64  // of the first proxies
}

func (o SoftTripleOptions) withDefaults() SoftTripleOptions {
	o.Lambda = cmp.Or(o.Lambda, 20)
	o.Gamma = cmp.Or(o.Gamma, 0.1)
	o.Delta = cmp.Or(o.Delta, 0.01)
	o.Tau = cmp.Or(o.Tau, 0.2)
	o.Proxies = cmp.Or(o.Proxies, 10)
	if o.NoMerge {
		o.Tau = 0
	}
	return o
}

// SoftTriple is the SoftTriple loss: classification by the cosine to several
// proxies a class.
//
// With unit vectors x_i and p_ck and s_ick = x_i·p_ck:
//
//	S_ic = Σ_k q_ick s_ick,  q_ick = softmax over k of s_ick/γ
//	L    = mean_i -log [ exp λ(S_iy-δ) / ( exp λ(S_iy-δ) + Σ_{j≠y} exp λS_ij ) ]
//	R    = 1/(C K (K-1)) Σ_c Σ_{s<t} √(2 + ε - 2 p_cs·p_ct),  ε = 1e-5
//
// The loss is L + τR. R draws surplus proxies of a class together.
type SoftTriple struct {
	classes, dim int
	o            SoftTripleOptions
	proxies      *optim.Param
	assign       assignment

	x, p         []float64 // unit rows, B×D and CK×D
	normX, normP []float64
	s, g         []float64 // B×CK: similarities, and the gradient by them
	gx, gp       []float64 // by x and p
	rowMerge     []float64 // R of each class
}

// NewSoftTriple makes the loss with proxies in random directions. It panics if
// classes, dim or o.Proxies is below 1, if λ or γ is not positive, if τ is
// negative, or if one of these or δ is not finite.
func NewSoftTriple(classes, dim int, o SoftTripleOptions) *SoftTriple {
	o = o.withDefaults()
	checkSizes("SoftTriple", classes, dim, o.Proxies)
	must(o.check())
	return &SoftTriple{
		classes: classes, dim: dim, o: o,
		proxies: newProxies("proxies.E", classes*o.Proxies, dim, 1, rand.New(rand.NewPCG(o.Seed, 'E'))),
		assign:  assignment{classes: classes, proxies: o.Proxies, lambda: o.Lambda, gamma: o.Gamma, delta: max(o.Delta, 0)},
	}
}

// Proxies returns the trained proxies, C·K×D, rows c·K+k. Their lengths have
// no meaning.
func (l *SoftTriple) Proxies() *optim.Param { return l.proxies }

// Options returns the options with the defaults filled in.
func (l *SoftTriple) Options() SoftTripleOptions { return l.o }

// Step returns L as cls and τR as merge; the loss is their sum. It adds weight
// times the gradients to gx and the proxies' Grad, or none if gx is nil.
//
// x is B×D, of any length but as a rule not zero: the zero vector is kept as it
// is and gets no gradient. Cost: three matrix products of B·CK·D.
func (l *SoftTriple) Step(x []float32, label []int, gx []float32, weight float64) (cls, merge float64) {
	checkBatch("SoftTriple", x, gx, label, l.dim, l.classes)
	n, m, d := len(label), l.classes*l.o.Proxies, l.dim
	l.x, l.normX = units(l.x, l.normX, x, d)
	l.p, l.normP = units(l.p, l.normP, l.proxies.Value, d)
	l.s = resized(l.s, n*m)
	X, P, S := general(l.x, n, d), general(l.p, m, d), general(l.s, n, m)
	if n > 0 {
		blas64.Gemm(blas.NoTrans, blas.Trans, 1, X, P, 0, S)
	}
	if gx == nil {
		return l.assign.step(l.s, label, nil, 0), l.merge(nil, 0)
	}
	l.g, l.gx, l.gp = resized(l.g, n*m), resized(l.gx, n*d), zeros(l.gp, m*d)
	cls = l.assign.step(l.s, label, l.g, weight)
	if n > 0 {
		G := general(l.g, n, m)
		blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, G, P, 0, general(l.gx, n, d))
		blas64.Gemm(blas.Trans, blas.NoTrans, 1, G, X, 0, general(l.gp, m, d))
	}
	merge = l.merge(l.gp, weight)
	unitsGrad(gx, l.x, l.normX, l.gx, d)
	unitsGrad(l.proxies.Grad, l.p, l.normP, l.gp, d)
	return cls, merge
}

// mergeEps is ε of R, the authors' value.
const mergeEps = 1e-5

// merge returns τR and, unless gp is nil, adds weight times its gradient by
// the unit proxies:
//
//	∂R/∂p_cs = -1/(C K (K-1)) Σ_{t≠s} p_ct / √(2 + ε - 2 p_cs·p_ct)
func (l *SoftTriple) merge(gp []float64, weight float64) float64 {
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
					root := math.Sqrt(max(2+mergeEps-2*floats.Dot(row(l.p, c, s), row(l.p, c, t)), 0))
					l.rowMerge[c] += scale * root
					if gp != nil && root > 0 {
						floats.AddScaled(row(gp, c, s), -weight*scale/root, row(l.p, c, t))
						floats.AddScaled(row(gp, c, t), -weight*scale/root, row(l.p, c, s))
					}
				}
			}
		}
	})
	return floats.Sum(l.rowMerge)
}

// units writes the rows of x, of length d, scaled to length 1 and their lengths.
// A zero row stays zero.
func units(dst, norms []float64, x []float32, d int) (unit, lengths []float64) {
	dst, norms = widen(resized(dst, len(x)), x), resized(norms, len(x)/d)
	parallel.For(len(norms), blockRows, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			row := dst[i*d : (i+1)*d]
			if norms[i] = math.Sqrt(floats.Dot(row, row)); norms[i] > 0 {
				floats.Scale(1/norms[i], row)
			}
		}
	})
	return dst, norms
}

// unitsGrad adds the gradient of units to gx, given that by its result:
// (g - (x·g) x)/norm for a unit row x, 0 for a zero row.
func unitsGrad(gx []float32, unit, norms, g []float64, d int) {
	parallel.For(len(norms), blockRows, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			if norms[i] == 0 {
				continue
			}
			row, grad := unit[i*d:(i+1)*d], g[i*d:(i+1)*d]
			along := floats.Dot(row, grad)
			for j := range row {
				gx[i*d+j] += float32((grad[j] - along*row[j]) / norms[i])
			}
		}
	})
}

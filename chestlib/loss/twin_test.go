package loss

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/chestlab/chest/chestlib/hyphc"
	"github.com/chestlab/chest/chestlib/poincare"
)

// The slow twins: each loss as its formula reads, one number after the other.

// slowClassify is L of SoftTriple for similarities s[i][c][k].
func slowClassify(s [][][]float64, label []int, lambda, gamma, delta float64) float64 {
	var loss float64
	for i := range s {
		relaxed := make([]float64, len(s[i]))
		for c, sc := range s[i] {
			var num, den float64
			for _, v := range sc {
				num += math.Exp(v/gamma) * v
				den += math.Exp(v / gamma)
			}
			relaxed[c] = num / den
		}
		own := math.Exp(lambda * (relaxed[label[i]] - delta))
		den := own
		for c, S := range relaxed {
			if c != label[i] {
				den += math.Exp(lambda * S)
			}
		}
		loss -= math.Log(own/den) / float64(len(s))
	}
	return loss
}

// slowSoftTriple returns L and τR.
func slowSoftTriple(l *SoftTriple, x []float32, label []int) (cls, merge float64) {
	unit := func(x []float32, i int) []float64 {
		row := widen(make([]float64, l.dim), x[i*l.dim:(i+1)*l.dim])
		n := 0.0
		for _, v := range row {
			n += v * v
		}
		for j := range row {
			if n > 0 {
				row[j] /= math.Sqrt(n)
			}
		}
		return row
	}
	dot := func(x, y []float64) (sum float64) {
		for i := range x {
			sum += x[i] * y[i]
		}
		return sum
	}
	s := slowTable(l.classes, l.o.Proxies, len(label), func(i, p int) float64 {
		return dot(unit(x, i), unit(l.proxies.Value, p))
	})
	for c := range l.classes {
		for a := range l.o.Proxies {
			for b := range a {
				k := c * l.o.Proxies
				merge += math.Sqrt(2 + 1e-5 - 2*dot(unit(l.proxies.Value, k+a), unit(l.proxies.Value, k+b)))
			}
		}
	}
	k := float64(l.o.Proxies)
	return slowClassify(s, label, l.o.Lambda, l.o.Gamma, max(l.o.Delta, 0)), l.o.Tau * merge / max(float64(l.classes)*k*(k-1), 1)
}

// slowHyperSoftTriple returns L and τR.
func slowHyperSoftTriple(l *HyperSoftTriple, u []float32, label []int) (cls, merge float64) {
	c, r := l.ball.Curvature(), l.ball.Map().R
	at := func(u []float32, i int, r float64) []float64 {
		row := widen(make([]float64, l.dim), u[i*l.dim:(i+1)*l.dim])
		if l.o.SoftClip && !math.IsInf(r, 1) {
			n := 0.0
			for _, v := range row {
				n += v * v
			}
			for j := range row {
				row[j] *= r * math.Tanh(math.Sqrt(n)/r) / math.Sqrt(n)
			}
			return poincare.ExpMap0(nil, row, c)
		}
		return poincare.ExpMap0(nil, poincare.Clip(nil, row, r), c)
	}
	free := r
	if l.o.FreeProxies {
		free = math.Inf(1)
	}
	s := slowTable(l.classes, l.o.Proxies, len(label), func(i, p int) float64 {
		d := poincare.Distance(at(u, i, r), at(l.proxies.Value, p, free), c)
		return map[Similarity]float64{Negative: -d, NegativeSquared: -d * d, Exponential: math.Exp(-d), Rescaled: -d / 4 / r}[l.o.Similarity]
	})
	for class := range l.classes {
		for a := range l.o.Proxies {
			for b := range a {
				k := class * l.o.Proxies
				merge += poincare.Distance(at(l.proxies.Value, k+a, free), at(l.proxies.Value, k+b, free), c)
			}
		}
	}
	k := float64(l.o.Proxies)
	return slowClassify(s, label, l.o.Lambda, l.o.Gamma, max(l.o.Delta, 0)), l.o.Tau * merge / max(float64(l.classes)*k*(k-1), 1)
}

func slowTable(classes, proxies, n int, f func(i, p int) float64) [][][]float64 {
	s := make([][][]float64, n)
	for i := range s {
		s[i] = make([][]float64, classes)
		for c := range s[i] {
			for k := range proxies {
				s[i][c] = append(s[i][c], f(i, c*proxies+k))
			}
		}
	}
	return s
}

// slowTree is the mean over the triplets that l drew last.
func slowTree(l *HypHC, points []float64, like []float32, c float64) float64 {
	leaves := l.classes * l.proxies
	d, e := len(points)/leaves, len(like)/leaves
	var loss float64
	for _, t := range l.triplets {
		var depth, w [3]float64
		for m, ab := range [][2]int{{t[0], t[1]}, {t[0], t[2]}, {t[1], t[2]}} {
			a, b := ab[0], ab[1]
			depth[m] = hyphc.LCA(points[a*d:(a+1)*d], points[b*d:(b+1)*d], c)
			var aa, bb, both float64
			for i := range e {
				x, y := float64(like[a*e+i]), float64(like[b*e+i])
				aa, bb, both = aa+x*x, bb+y*y, both+x*y
			}
			w[m] = (1 + both/math.Sqrt(aa*bb)) / 2
			if l.o.LabelAware && a/l.proxies == b/l.proxies {
				w[m] = 1
			}
		}
		value, _ := hyphc.TripletLoss(depth, w, l.o.Temperature)
		loss += value / float64(len(l.triplets))
	}
	return loss
}

func normal(rng *rand.Rand, n int, scale float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(scale * rng.NormFloat64())
	}
	return x
}

func labels(rng *rand.Rand, n, classes int) []int {
	label := make([]int, n)
	for i := range label {
		label[i] = rng.IntN(classes)
	}
	return label
}

func closeTo(got, want, tol float64) bool { return math.Abs(got-want) <= tol*max(1, math.Abs(want)) }

var sizes = []struct{ n, classes, proxies, dim int }{
	{1, 1, 1, 1}, {3, 1, 4, 3}, {5, 4, 1, 2}, {7, 3, 3, 5}, {40, 6, 2, 9},
}

func TestSoftTripleTwin(t *testing.T) {
	for _, z := range sizes {
		for _, o := range []SoftTripleOptions{{}, {NoMerge: true, Lambda: 3, Gamma: 1, Delta: -1}, {Tau: 2, Delta: 0.3}} {
			rng := rand.New(rand.NewPCG(1, uint64(z.n)))
			o.Proxies = z.proxies
			l := NewSoftTriple(z.classes, z.dim, o)
			x, label := normal(rng, z.n*z.dim, 2), labels(rng, z.n, z.classes)
			cls, merge := l.Step(x, label, nil, 1)
			wantCls, wantMerge := slowSoftTriple(l, x, label)
			if !closeTo(cls, wantCls, 1e-12) || !closeTo(merge, wantMerge, 1e-9) {
				t.Errorf("%+v %+v: got %.15g %.15g, want %.15g %.15g", z, o, cls, merge, wantCls, wantMerge)
			}
			// with the gradient, the same value
			if c, m := l.Step(x, label, make([]float32, len(x)), 1); c != cls || m != merge {
				t.Errorf("%+v: with gradient %.15g %.15g, without %.15g %.15g", z, c, m, cls, merge)
			}
		}
	}
}

var hyperVariants = []HyperSoftTripleOptions{
	{},
	{Similarity: NegativeSquared, Lambda: 1, Gamma: 1},
	{Similarity: Exponential, Lambda: 20, Gamma: 0.1, Delta: 0.01},
	{Similarity: Rescaled, Lambda: 20, Gamma: 0.1, Delta: -1},
	{Curvature: 1, Tau: 0.5, Clip: 1.5},
	{Curvature: 1, Clip: -1},
	{FreeProxies: true, Clip: 0.8, Tau: 0.2},
	{Flat: true, Tau: 0.2},
	{Curvature: 1e-6},
	{SoftClip: true},
	{SoftClip: true, Clip: 0.6, Curvature: 2, Similarity: Rescaled, Tau: 0.3},
	{SoftClip: true, Clip: 0.7, FreeProxies: true, Similarity: Exponential, Lambda: 20, Gamma: 0.1},
	{SoftClip: true, Clip: 1, Flat: true, Similarity: NegativeSquared},
	{SoftClip: true, Clip: -1},
}

func TestHyperSoftTripleTwin(t *testing.T) {
	for _, z := range sizes {
		for _, o := range hyperVariants {
			rng := rand.New(rand.NewPCG(2, uint64(z.n)))
			o.Proxies = z.proxies
			l := NewHyperSoftTriple(z.classes, z.dim, o)
			u, label := normal(rng, z.n*z.dim, 1), labels(rng, z.n, z.classes)
			cls, merge, clipped := l.Step(u, label, nil, 1)
			wantCls, wantMerge := slowHyperSoftTriple(l, u, label)
			if !closeTo(cls, wantCls, 1e-10) || !closeTo(merge, wantMerge, 1e-10) {
				t.Errorf("%+v %+v: got %.15g %.15g, want %.15g %.15g", z, o, cls, merge, wantCls, wantMerge)
			}
			var long float64
			for i := range label {
				var n float64
				for _, v := range u[i*z.dim : (i+1)*z.dim] {
					n += float64(v) * float64(v)
				}
				if math.Sqrt(n) >= l.o.radius() {
					long++
				}
			}
			if clipped != long/float64(z.n) {
				t.Errorf("%+v %+v: clipped %g, want %g of %d", z, o, clipped, long, z.n)
			}
		}
	}
}

func TestHypHCTwin(t *testing.T) {
	for _, o := range []HypHCOptions{{}, {LabelAware: true, Triplets: 7}, {Triplets: 30, Temperature: 2}} {
		rng := rand.New(rand.NewPCG(3, 0))
		l := NewHypHC(6, 2, o)
		points := NewHyperSoftTriple(6, 3, HyperSoftTripleOptions{Proxies: 2}).Points()
		like := normal(rng, 12*5, 1)
		got := l.Step(points, like, 0.1, []int{1, 2, 1}, nil, 0, rng)
		if want := slowTree(l, points, like, 0.1); !closeTo(got, want, 1e-12) || len(l.triplets) != min(l.o.Triplets, 12*11*10/6) {
			t.Errorf("%+v: got %g, want %g over %d triplets", o, got, want, len(l.triplets))
		}
	}
}

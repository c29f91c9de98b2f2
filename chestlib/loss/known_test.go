package loss

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Cases small enough to be worked out by hand from the papers' formulas.

// on is a setting of two dimensions in both spaces.
func on(classes int) Setting {
	return Setting{Classes: classes, DE: 2, DH: 2, Curvature: 0.1, Clip: 2.3}
}

// TestProxyAnchorByHand: x₀ = (1,0) of class 0, x₁ = (0,1) of class 1, proxies
// (1,0), (0.6,0.8) and, of a class that is not in the batch, (-1,0). So
//
//	s =  1  0.6  -1
//	     0  0.8   0
//
// With α = 2, δ = 0.1, P⁺ = {0, 1}, P = {0, 1, 2}:
//
//	pull: ½ [ log(1 + e^-1.8) + log(1 + e^-1.4) ]             = 0.186698
//	push: ⅓ [ log(1 + e^0.2) + log(1 + e^1.4) + log(1 + e^-1.8 + e^0.2) ] = 1.096156
func TestProxyAnchorByHand(t *testing.T) {
	l := made(t, ProxyAnchorOptions{Alpha: 2}, on(3))
	copy(l.Params()[0].Value, []float32{1, 0, 0.6, 0.8, -1, 0})
	b := Batch{E: []float32{1, 0, 0, 1}, Label: []int{0, 1}, GE: make([]float32, 4)}
	if got := l.Add(b, 1).Total; !closeTo(got, 0.186698+1.096156, 2e-6) {
		t.Errorf("got %.6f, want 1.282854", got)
	}
	// ∂L/∂s₀₀ = -2 e^-1.8/(1 + e^-1.8)/2 = -0.141851, ∂L/∂s₀₁ = 2 e^1.4/(1 + e^1.4)/3 = 0.534789, ∂L/∂s₀₂ = 2 e^-1.8/(1 + e^-1.8 + e^0.2)/3 = 0.046172;
	// by x₀, along the tangent (0,1): 0.8 · 0.534789
	if got := b.GE[:2]; !closeTo(float64(got[0]), 0, 1e-6) || !closeTo(float64(got[1]), 0.427831, 2e-6) {
		t.Errorf("gradient by x₀ is %v, want (0, 0.427831)", got)
	}
}

// TestSoftTripleByHand: x = (1,0) of class 0, proxies (1,0), (0,1) and (0.6,0.8),
// (-1,0). With γ = 0.5, λ = 2, δ = 0.1:
//
//	q₀ = softmax(2, 0) = 0.880797, 0.119203       S₀ = 0.880797
//	q₁ = softmax(1.2, -2) = 0.960834, 0.039166    S₁ = 0.6·0.960834 - 0.039166 = 0.537335
//	L  = log(1 + exp(2·0.537335 - 2·0.780797)) = log(1 + e^-0.486924) = 0.479034
//	R  = ¼ [ √2.00001 + √3.20001 ] = 0.800769,  τR = 0.2 R = 0.160154
func TestSoftTripleByHand(t *testing.T) {
	l := NewSoftTriple(2, 2, SoftTripleOptions{Lambda: 2, Gamma: 0.5, Delta: 0.1, Proxies: 2})
	copy(l.proxies.Value, []float32{1, 0, 0, 1, 0.6, 0.8, -1, 0})
	cls, merge := l.Step([]float32{1, 0}, []int{0}, nil, 0)
	if !closeTo(cls, 0.479034, 2e-6) || !closeTo(merge, 0.160154, 2e-6) {
		t.Errorf("got %.6f and %.6f, want 0.479034 and 0.160154", cls, merge)
	}
}

// TestMultiSimilarityByHand: (1,0) and (0.6,0.8) of class 0, (0.8,0.6) and (0,1)
// of class 1:
//
//	s =  1    0.6  0.8  0
//	     0.6  1    0.96 0.8
//	     0.8  0.96 1    0.6
//	     0    0.8  0.6  1
//
// The only positive of each row has 0.6, so negatives count above 0.5 with ε = 0.1: all
// but the 0 of rows 0 and 3; and the positive counts, as the largest
// negative is 0.8 or more. With λ = 0.5, α = 2 each row pulls ½ log(1 + e^-0.2) =
// 0.299069. With β = 2 rows 0 and 3 push ½ log(1 + e^0.6) = 0.518744, rows 1 and 2
// ½ log(1 + e^0.92 + e^0.6) = 0.836808:
//
//	L = 0.299069 + (0.518744 + 0.836808)/2 = 0.976845
//
// Without mining rows 0 and 3 push ½ log(1 + e^0.6 + e^-1) = 0.580010: L = 1.007478.
// With β = 50 a logarithm is nearly its largest exponent: 50·0.3/50 and 50·0.46/50, L =
// 0.299069 + 0.38 and 0.000003 of the rest.
func TestMultiSimilarityByHand(t *testing.T) {
	b := Batch{E: []float32{1, 0, 0.6, 0.8, 0.8, 0.6, 0, 1}, Label: []int{0, 0, 1, 1}}
	for _, k := range []struct {
		o    MultiSimilarityOptions
		want float64
	}{
		{MultiSimilarityOptions{Beta: 2}, 0.976845},
		{MultiSimilarityOptions{Beta: 2, NoMining: true}, 1.007478},
		{MultiSimilarityOptions{}, 0.679072},
	} {
		if got := made(t, k.o, on(2)).Add(b, 1).Total; !closeTo(got, k.want, 2e-6) {
			t.Errorf("%+v: got %.6f, want %.6f", k.o, got, k.want)
		}
	}
}

// TestPairCrossEntropyByHand: three rows of class 0 at (1,0), three of class 1
// at (0,1). Positives have cosine 1, negatives 0; with τ = 0.5 each pair gives
//
//	log(e² + 2) - 2 = log(1 + 2e^-2) = 0.239545    2 negatives: class 1's rows of the pair's views
//	log(1 + 3e^-2)                   = 0.340753    for AllViews, 3 negatives
//
// Without the third row of class 1, 4 of the 6 pairs of class 0 (those with view
// 2) have one negative, log(1 + e^-2) = 0.126928, and the other 2, and the 2 of class 1,
// have two: the mean of 8 is 0.183236.
//
// In the ball (1,0) and (-1,0) as tangent vectors are 2·1 + 2·1 = 4 apart, which
// with τ = 2 is again e^-2; with τ = 0.2 a pair gives log(1 + 2e^-20) = 4.122e-9.
func TestPairCrossEntropyByHand(t *testing.T) {
	sphere := []float32{1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1}
	line := []float32{1, 0, -1, 0, 1, 0, -1, 0, 1, 0, -1, 0}
	for _, k := range []struct {
		name string
		o    PairCrossEntropyOptions
		rows int
		want float64
	}{
		{"sphere", PairCrossEntropyOptions{Geometry: Sphere, Temperature: 0.5}, 6, 0.239545},
		{"all views", PairCrossEntropyOptions{Geometry: Sphere, Temperature: 0.5, AllViews: true}, 6, 0.340753},
		{"a view is missing", PairCrossEntropyOptions{Geometry: Sphere, Temperature: 0.5}, 5, 0.183236},
		{"ball", PairCrossEntropyOptions{Temperature: 2}, 6, 0.239545},
		{"ball, default", PairCrossEntropyOptions{}, 6, 4.122307e-9},
		{"sphere, default", PairCrossEntropyOptions{Geometry: Sphere}, 6, 9.079574e-5}, // log(1 + 2e^-10)
	} {
		b := Batch{E: sphere[:2*k.rows], H: line[:2*k.rows], Label: []int{0, 1, 0, 1, 0, 1}[:k.rows]}
		if got := made(t, k.o, on(2)).Add(b, 1).Total; math.Abs(got-k.want) > 1e-6*k.want+1e-14 && !(k.want > 0.1 && closeTo(got, k.want, 1e-6)) {
			t.Errorf("%s: got %.9g, want %.9g", k.name, got, k.want)
		}
	}
}

// TestPairCrossEntropyIsThePapers: for a balanced batch the loss is that of the
// paper's procedure: for two different views a and b, row i of a is classified
// among the rows of b, where i is the right one, and the rows of a without i.
func TestPairCrossEntropyIsThePapers(t *testing.T) {
	const classes, views, d = 4, 3, 5
	rng := rand.New(rand.NewPCG(30, 0))
	u := normal(rng, classes*views*d, 1)
	var label []int
	for i := range classes * views {
		label = append(label, i/views)
	}
	s := Setting{Classes: classes, DE: d, DH: d, Curvature: 0.1, Clip: 2.3}
	for g, tau := range map[Geometry]float64{Sphere: 0.1, Ball: 0.2} {
		sim := func(i, a, j, b int) float64 {
			l := &single{geometry: g}
			var v float64
			slowValue(l, s, func(s, _ func(i, j int) float64, _ int, _ []int) float64 {
				v = s(i*views+a, j*views+b)
				return 0
			}, u, label)
			return v
		}
		var sum float64
		for a := range views {
			for b := range views {
				if a == b {
					continue
				}
				for i := range classes {
					var logits []float64
					for j := range classes {
						logits = append(logits, sim(i, a, j, b)/tau)
					}
					for j := range classes {
						if j != i {
							logits = append(logits, sim(i, a, j, a)/tau)
						}
					}
					den := 0.0
					for _, z := range logits {
						den += math.Exp(z)
					}
					sum -= math.Log(math.Exp(logits[i])/den) / classes
				}
			}
		}
		want := sum / (views * (views - 1))
		got := made(t, PairCrossEntropyOptions{Geometry: g}, s).Add(Batch{E: u, H: u, Label: label}, 1).Total
		if !closeTo(got, want, 1e-10) {
			t.Errorf("%v: got %.12g, want %.12g", g, got, want)
		}
	}
}

// TestOthersByHand: x₀ = (1,0) and x₁ = (0.6,0.8) of class 0, x₂ = (0,1) of class 1,
// so ‖x₀-x₁‖² = 0.8, ‖x₀-x₂‖² = 2, ‖x₁-x₂‖² = 0.4.
func TestOthersByHand(t *testing.T) {
	b := Batch{E: []float32{1, 0, 0.6, 0.8, 0, 1}, Label: []int{0, 0, 1}}
	for _, k := range []struct {
		name string
		r    Recipe
		want float64
	}{
		// (0,1,2): 0.8 - 2 + 0.2 < 0. (1,0,2): no negative is farther than 0.8, so the farthest, 0.8 - 0.4 + 0.2 = 0.6.
		{"triplet", TripletOptions{}, 0.3},
		// (1,0,2) with √0.8 - √0.4 + 0.2 = 0.461971, (0,1,2) with √0.8 - √2 + 0.2 < 0
		{"triplet, plain", TripletOptions{Distance: PlainDistance}, 0.230986},
		// 0.4 - 0.2 + 0.2 and 0.4 - 1 + 0.2 < 0
		{"triplet, cosine", TripletOptions{Distance: CosineDistance}, 0.2},
		// positives ½·0.8 both ways; negatives ½ (1 - √0.4)² = 0.067544 for (1,2) and (2,1), 0 for (0,2) and (2,0)
		{"contrastive", ContrastiveOptions{}, 0.4 + 0.033772},
		// anchor 0: positive 0.4 and negative 0; anchor 1: 0.4 and 0.067544
		{"contrastive, hard", ContrastiveOptions{Miner: Hard}, 0.4 + 0.033772},
		// row 0: log(e^1.2 + e^0) - 1.2 = log(1 + e^-1.2) = 0.263282; row 1: log(e^1.2 + e^1.6) - 1.2 = log(1 + e^0.4) = 0.913015
		{"supcon", SupConOptions{Temperature: 0.5}, (0.263282 + 0.913015) / 2},
	} {
		if got := made(t, k.r, on(2)).Add(b, 1).Total; !closeTo(got, k.want, 2e-6) {
			t.Errorf("%s: got %.6f, want %.6f", k.name, got, k.want)
		}
	}
}

// TestProxyNCAByHand: x = (1,0) of class 0, proxies (1,0) and (0,1): squared
// distances 0 and 2. ++ with T = 1: log(1 + e^-2) = 0.126928; with 1/9: log(1 + e^-18) =
// 1.523e-8; classic: log e^-2 - 0 = -2.
func TestProxyNCAByHand(t *testing.T) {
	for _, k := range []struct {
		o    ProxyNCAOptions
		want float64
	}{{ProxyNCAOptions{Temperature: 1}, 0.126928}, {ProxyNCAOptions{}, 1.5229979e-8}, {ProxyNCAOptions{Classic: true}, -2}} {
		l := made(t, k.o, on(2))
		copy(l.Params()[0].Value, []float32{1, 0, 0, 1})
		if got := l.Add(Batch{E: []float32{1, 0}, Label: []int{0}}, 1).Total; math.Abs(got-k.want) > 1e-6*max(k.want, -k.want, 1e-3) {
			t.Errorf("%+v: got %.9g, want %.9g", k.o, got, k.want)
		}
	}
}
